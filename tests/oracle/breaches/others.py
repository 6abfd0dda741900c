"""Rules of subqueries, CTEs, set operations, types and LIMIT, broken."""

from __future__ import annotations

from tests.oracle.breaches.breach import GROUPS, ITEMS, LINES, SUBS, Breach

OTHERS = (
    Breach(
        "the correlation restricts the inside of NOT IN",
        "SELECT v.t FROM (VALUES ('q')) AS v(t) WHERE v.t NOT IN "
        f"(SELECT nullif(grp, '05') FROM {SUBS} AS s)",
        f"{SUBS} AS s", "nullif(grp, '05') = 'q'",
    ),
    Breach(
        "the values outside NOT IN restrict a LEFT JOIN inside",
        "SELECT v.t FROM (VALUES ('q')) AS v(t) WHERE v.t NOT IN "
        f"(SELECT i.grp FROM {SUBS} AS s LEFT JOIN {ITEMS} AS i ON i.grp = s.grp)",
        f"{SUBS} AS s", "grp = 'q'",
    ),
    Breach(
        "NOT EXISTS restricts the outside",
        f"SELECT o.sub FROM {SUBS} AS o WHERE NOT EXISTS "
        f"(SELECT 1 FROM {ITEMS} AS i WHERE i.grp = o.grp AND i.part = 'x' AND o.grp = '5')",
        f"{SUBS} AS o", "grp = '5'",
    ),
    Breach(
        "a subquery of the select list restricts the outside",
        f"SELECT o.sub, (SELECT count(*) FROM {ITEMS} AS i WHERE i.grp = o.grp AND o.grp = '5') "
        f"FROM {SUBS} AS o",
        f"{SUBS} AS o", "grp = '5'",
    ),
    Breach(
        "IN counts under OR",
        f"SELECT o.sub FROM {SUBS} AS o WHERE o.sub = 'y' OR o.grp IN "
        f"(SELECT g.g FROM {GROUPS} AS g WHERE g.g = '05')",
        f"{SUBS} AS o", "grp = '05'",
    ),
    Breach(
        "a branch of EXCEPT restricts the other",
        f"SELECT s.grp FROM {SUBS} AS s EXCEPT SELECT g.g FROM {GROUPS} AS g WHERE g.g = '5'",
        f"{SUBS} AS s", "grp = '5'",
    ),
    Breach(
        "the right of EXCEPT takes nothing away",
        f"SELECT g.g FROM {GROUPS} AS g EXCEPT SELECT s.grp FROM {SUBS} AS s WHERE s.sub = 'x'",
        f"{SUBS} AS s", "false",
    ),
    Breach(
        "a branch of UNION restricts the other",
        f"SELECT s.grp FROM {SUBS} AS s WHERE s.sub <> 'q' UNION ALL "
        f"SELECT g.g FROM {GROUPS} AS g WHERE g.g = '5'",
        f"{SUBS} AS s", "grp = '5'",
    ),
    Breach(
        "a predicate goes below the LIMIT of a UNION",
        f"SELECT * FROM (SELECT s.grp FROM {SUBS} AS s UNION ALL SELECT g.g FROM {GROUPS} AS g "
        "ORDER BY ALL LIMIT 4) WHERE grp = '5'",
        f"{SUBS} AS s", "grp = '5'",
    ),
    Breach(
        "BY NAME goes by position",
        f"SELECT * FROM (SELECT g AS a, g AS b FROM {GROUPS} UNION ALL BY NAME "
        f"SELECT grp AS b, sub AS a FROM {SUBS} AS s) WHERE a = '5'",
        f"{SUBS} AS s", "grp = '5'",
    ),
    Breach(
        "a constant of a branch keeps its own type",
        f"SELECT o FROM (SELECT 10 AS o FROM {SUBS} AS s UNION ALL SELECT g FROM {GROUPS}) "
        "WHERE o < '3'",
        f"{SUBS} AS s", "false",
    ),
    Breach(
        "a constant that may be missing rules its side out",
        f"SELECT s.sub FROM {SUBS} AS s LEFT JOIN (SELECT part, 'a' AS tag FROM {ITEMS} AS i) "
        "AS d ON d.part = s.sub WHERE d.tag IS NULL",
        f"{ITEMS} AS i", "false",
    ),
    Breach(
        "a predicate goes into a branch of another type",
        f"SELECT * FROM (SELECT s.sub AS v FROM {SUBS} AS s WHERE s.grp = '5' UNION ALL "
        "SELECT c.code FROM (VALUES (1), (5)) AS n(k) JOIN conn_a.w.codes AS c "
        "ON c.code = n.k AND c.lang = 'x') WHERE v <> '05'",
        "conn_a.w.codes AS c", "code <> '05'",
    ),
    Breach(
        "the recursive half is restricted by the base",
        f"WITH RECURSIVE r(x, n) AS (SELECT g, 1 FROM {GROUPS} WHERE g = '05' UNION ALL "
        f"SELECT s.sub, n + 1 FROM r JOIN {SUBS} AS s ON s.grp = r.x WHERE n < 4) FROM r",
        f"{SUBS} AS s", "grp = '05'",
    ),
    Breach(
        "a predicate outside restricts the base of a recursion",
        f"WITH RECURSIVE r(x, n) AS (SELECT b.grp, 1 FROM {SUBS} AS b UNION SELECT s.sub, n + 1 "
        f"FROM r JOIN {SUBS} AS s ON s.grp = r.x WHERE n < 4) SELECT * FROM r WHERE x = '5'",
        f"{SUBS} AS b", "grp = '5'",
    ),
    Breach(
        "of a CTE that is mentioned twice the first mention counts",
        f"WITH c AS (SELECT grp, sub FROM {SUBS} AS s) SELECT sub FROM c AS a WHERE grp = '5' "
        "UNION ALL SELECT sub FROM c AS b WHERE grp = '05'",
        f"{SUBS} AS s", "grp = '5'",
    ),
    Breach(
        "an unrestricted mention of a CTE is overlooked",
        f"WITH c AS (SELECT grp, sub FROM {SUBS} AS s) SELECT a.sub FROM c AS a, c AS b "
        "WHERE a.grp = '5'",
        f"{SUBS} AS s", "grp = '5'",
    ),
    Breach(
        "a CTE is taken for the one it shadows",
        f"WITH c AS (SELECT grp, sub FROM {SUBS} AS s) SELECT count(*) FROM c, (WITH c AS "
        f"(SELECT g AS grp FROM {GROUPS} AS g) SELECT * FROM c WHERE grp = '5') AS d",
        f"{GROUPS} AS g", "false",
    ),
    Breach(
        "keys are compared in lower case",
        "SELECT n FROM (SELECT o.g = 'a' AS k, count(*) OVER (PARTITION BY o.g = 'A') AS n FROM "
        "conn_b.w.groups AS o JOIN conn_b.w.subs AS s ON s.grp = o.g) WHERE k",
        "conn_b.w.subs AS s", "grp = 'a'",
    ),
    Breach(
        "a constant is folded in the words of another parser",
        f"SELECT sub FROM {SUBS} AS s WHERE grp = "
        "('{\"a.b\": \"5\", \"a\": {\"b\": \"7\"}}'::JSON ->> 'a.b')",
        f"{SUBS} AS s", "grp = '7'",
    ),
    Breach(
        "a macro is taken for the function that it hides",
        f"SELECT sub FROM {SUBS} AS s WHERE list_contains(['5'], grp)",
        f"{SUBS} AS s", "grp = '5'",
        setup=("CREATE MACRO list_contains(l, x) AS x <> l[1]",),
        undo=("DROP MACRO list_contains",),
    ),
    Breach(
        "one branch of OR gives the values",
        f"SELECT s.sub FROM (VALUES ('5')) AS v(x) JOIN {SUBS} AS s ON s.grp = v.x OR s.grp = '7'",
        f"{SUBS} AS s", "grp = '5'",
    ),
    Breach(
        "one element of a list gives the values",
        f"SELECT s.sub FROM (SELECT ['5', '05'] AS l) AS v JOIN {SUBS} AS s ON s.grp IN v.l",
        f"{SUBS} AS s", "grp = '5'",
    ),
    Breach(
        "a subquery of each row is told for one row",
        f"SELECT s.sub FROM (VALUES ('5'), ('05')) AS v(x) JOIN {SUBS} AS s ON s.grp = "
        "(SELECT max(w.x) FROM (VALUES ('5'), ('05')) AS w(x) WHERE w.x = v.x)",
        f"{SUBS} AS s", "grp = '5'",
    ),
    Breach(
        "a number is taken for its text",
        f"SELECT sub FROM {SUBS} AS s WHERE grp = 2 + 3", f"{SUBS} AS s", "grp = '5'",
    ),
    Breach(
        "a joined number is taken for its text",
        f"SELECT s.sub FROM (VALUES (5)) AS v(n) JOIN {SUBS} AS s ON s.grp = v.n",
        f"{SUBS} AS s", "grp = '5'",
    ),
    Breach(
        "a collation is overlooked",
        "SELECT sub FROM conn_b.w.subs AS s WHERE grp COLLATE NOCASE = 'a' AND sub = 'x'",
        "conn_b.w.subs AS s", "grp = 'a'",
    ),
    Breach(
        "a default stands although its column is spoken of",
        "SELECT ware, state FROM conn_a.w.wares AS w WHERE grp = '5' AND state <> 'new'",
        "conn_a.w.wares AS w", "state = 'new'", is_refused=True,
    ),
    Breach(
        "LIMIT stops paging though a predicate is left",
        f"SELECT line FROM {LINES} AS l WHERE grp = '5' AND line = 'late'",
        f"{LINES} AS l", "seq < 3", limit=1,
    ),
    Breach(
        "EXISTS stops paging though a predicate is left",
        f"SELECT EXISTS (FROM {LINES} AS l WHERE grp = '5' AND line = 'late')",
        f"{LINES} AS l", "seq < 3",
    ),
    Breach(
        "EXISTS stops paging though OFFSET skips rows",
        f"SELECT EXISTS (FROM {LINES} AS l WHERE grp = '5' OFFSET 3)",
        f"{LINES} AS l", "seq < 3",
    ),
    Breach(
        "LIMIT stops paging though an order is wanted",
        f"SELECT line FROM {LINES} AS l WHERE grp = '5' ORDER BY seq DESC LIMIT 1",
        f"{LINES} AS l", "seq < 3",
    ),
    Breach(
        "LIMIT stops paging though DISTINCT is wanted",
        f"SELECT DISTINCT line FROM {LINES} AS l WHERE grp = '5'",
        f"{LINES} AS l", "seq < 3", limit=2,
    ),
    Breach(
        "LIMIT stops paging though rows are counted",
        f"SELECT count(*) FROM {LINES} AS l WHERE grp = '5'",
        f"{LINES} AS l", "seq < 3", limit=1,
    ),
    Breach(
        "LIMIT stops paging though rows are joined",
        f"SELECT l.seq FROM {LINES} AS l JOIN (VALUES (5), (6)) AS v(n) ON l.seq = v.n "
        "WHERE l.grp = '5'",
        f"{LINES} AS l", "seq < 3", limit=2,
    ),
    Breach(
        "OFFSET is not counted",
        f"SELECT count(*) FROM (SELECT 1 FROM {LINES} AS l WHERE grp = '5' LIMIT 2 OFFSET 3)",
        f"{LINES} AS l", "seq < 3",
    ),
    Breach(
        "a share is taken for a number of rows",
        f"SELECT count(*) FROM (SELECT 1 FROM {LINES} AS l WHERE grp = '7' LIMIT 20%)",
        f"{LINES} AS l", "seq < 20",
    ),
    Breach(
        "values are multiplied where pairs are meant",
        "SELECT label FROM conn_a.w.codes WHERE (code, lang) IN ((1, 'x'), (5, 'y'))", most=2,
    ),
    Breach(
        "columns of rows are multiplied where pairs are meant",
        "SELECT c.label FROM (VALUES (1, 'x'), (5, 'y')) AS v(n, t) "
        "JOIN conn_a.w.codes AS c ON (c.code, c.lang) = (v.n, v.t)", most=2,
    ),
    Breach(
        "a contradiction is looked up",
        f"SELECT sub FROM {SUBS} WHERE grp = '5' AND grp = '05'", most=0,
    ),
    Breach(
        "the same is asked twice",
        f"SELECT a.sub FROM {SUBS} AS a JOIN {SUBS} AS b USING (grp) WHERE a.grp = '5'", most=1,
    ),
    Breach(
        "details are fetched without need",
        "SELECT ware, price FROM conn_a.w.wares WHERE grp = '5' AND state = 'new'", most=1,
    ),
    Breach(
        "values that are given are enumerated", f"SELECT sub FROM {SUBS} WHERE grp = '5'", most=1,
    ),
    Breach(
        "values are taken from rows that a predicate leaves out",
        f"SELECT s.sub FROM {GROUPS} AS g JOIN {SUBS} AS s ON s.grp = g.g WHERE g.size = 1", most=2,
    ),
    Breach(
        "paging goes on after enough rows",
        f"SELECT line FROM {LINES} WHERE grp = '5'", most=1, limit=2,
    ),
    Breach(
        "a short name is read as the catalog has it",
        "SELECT s.sub FROM subs AS s WHERE s.grp = '5'",
        setup=("USE conn_a.w",), undo=("USE memory.main",),
    ),
    Breach(
        "a WITH that writes is let through",
        "WITH gone AS (DELETE FROM notes RETURNING x) "
        f"INSERT INTO notes SELECT s.sub, NULL, 1, NULL FROM {SUBS} AS s WHERE s.grp = '5'",
        is_forbidden=True,
    ),
    Breach(
        "a question is asked in the user's transaction",
        f"SELECT g.g FROM {GROUPS} AS g WHERE EXISTS "
        f"(SELECT g.size + 1 FROM {SUBS} AS s WHERE s.grp = g.g)",
        setup=("BEGIN",), undo=("ROLLBACK",),
    ),
)  # fmt: skip
