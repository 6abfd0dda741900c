"""Branches of unions that no wanted row can come from send nothing, and never too few rows come."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.oracle.breaches import hand_made_world
from tests.oracle.law import Court, Verdict
from tests.oracle.pieces import Query
from tests.oracle.stages import Restriction, Stages, open_stages
from tests.oracle.zoo import TABLES
from tests.tabled import over

VALUES = frozenset({"5", "05", "7", "1", "a", "A", "x", "y", "z", "q", "k"})
PETS = """SELECT 'a' AS kind, grp, sub AS name, CAST(NULL AS VARCHAR) AS note, 1 AS rank
    FROM zoo.w.subs
    UNION ALL SELECT 'b', grp, name, note, 2 FROM zoo.w.items WHERE part = 'x'"""
BY_NAME = """SELECT 'a' AS kind, grp, sub AS name, 1 AS rank FROM zoo.w.subs
    UNION ALL BY NAME
    SELECT 2 AS rank, note, 'b' AS kind, grp, name FROM zoo.w.items WHERE part = 'x'"""
VIEW = f"""SELECT *, CASE kind WHEN 'a' THEN 'own' ELSE 'other' END AS whose,
    CASE WHEN name = 'x' THEN 'bad' ELSE 'good' END AS health FROM (SELECT * FROM ({PETS}) AS p)"""
NOTHING: Restriction = []


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stages]:
    with open_stages(tmp_path_factory.mktemp("zoo")) as opened:
        yield opened


@pytest.fixture(scope="module")
def court(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Court]:
    opened = Court(tmp_path_factory.mktemp("zoo"))
    opened.enter(hand_made_world())
    yield opened
    opened.close()


def left(stages: Stages, sql: str, arguments: Any = None) -> str:
    """The branches, a or b, of which rows are wanted."""
    bound = stages.bind(sql, arguments).tables
    wanted = {
        one.live.resource.table.resource
        for one in bound
        for access in one.accesses
        if access.rows != ()
    }
    return "".join(sorted({"subs": "a", "items": "b"}[name] for name in wanted))


def agreed(court: Court, sql: str, most: int | None = None) -> None:
    tables = frozenset(name for name in TABLES if f".w.{name}" in sql)
    trial = court.try_query(Query(sql, None, VALUES, tables, most=most))
    assert trial.verdict is Verdict.AGREED, trial.why


# --- what rules a branch out ---------------------------------------------------------------------

RULED_OUT = [
    ("kind = 'b'", "b"), ("kind <> 'b'", "a"), ("kind IN ('b', 'c')", "b"), ("kind = 'c'", ""),
    ("kind NOT IN ('a')", "b"), ("NOT kind = 'a'", "b"), ("kind = ANY(['b'])", "b"),
    ("list_contains(['b'], kind)", "b"), ("kind LIKE 'B'", ""), ("upper(kind) = 'B'", "b"),
    ("kind = (SELECT 'b')", "b"), ("kind IN (SELECT unnest(['b']))", "b"), ("kind IS NULL", ""),
    ("kind = 'b' OR kind = 'c'", "b"), ("kind = 'b' AND name = 'x'", "b"), ("kind > 'a'", "b"),
    ("rank = 2", "b"), ("rank BETWEEN 2 AND 3", "b"), ("rank = '2'", "b"), ("rank + 1 = 2", "a"),
    ("note = 'q'", "b"), ("note IS NOT NULL", "b"), ("coalesce(note, 'z') = 'q'", "b"),
    ("(kind, name) = ('b', 'x')", "b"), ("(kind, grp) IN (('b', '5'), ('c', '7'))", "b"),
    ("kind || '' = 'b'", "b"), ("CASE kind WHEN 'b' THEN rank END = 2", "b"),
    ("(kind = 'b' AND name = 'x') OR (kind = 'c' AND name = 'y')", "b"),
    ("(kind = 'b' AND lower(name) = 'x') OR kind = 'c'", "b"),
    # what both may satisfy
    ("kind IN ('a', 'b')", "ab"), ("kind = 'b' OR name = 'x'", "ab"), ("note IS NULL", "ab"),
    ("kind || name = 'bx'", "ab"), ("random() < 2 OR kind = 'b'", "ab"), ("true", "ab"),
]  # fmt: skip


@over("union", [PETS, BY_NAME], ids=["by place", "by name"])
@over(("predicate", "wanted"), RULED_OUT)
def test_a_branch_whose_constants_rule_it_out_wants_no_row(
    stages: Stages, predicate: str, wanted: str, union: str
) -> None:
    assert left(stages, f"SELECT 1 FROM ({union}) AS p WHERE {predicate}") == wanted


@over(("predicate", "wanted"), RULED_OUT)
def test_so_it_does_through_derived_tables_and_ctes(
    stages: Stages, predicate: str, wanted: str
) -> None:
    sql = f"WITH p AS (SELECT * FROM ({VIEW})) SELECT 1 FROM p AS v WHERE {predicate}"
    assert left(stages, sql) == wanted


@over(
    ("predicate", "wanted"),
    [
        ("whose = 'other'", "b"), ("whose <> 'other'", "a"), ("whose = 'nobody'", ""),
        ("whose = 'other' AND health = 'bad'", "b"), ("health = 'bad'", "ab"),
        ("(whose = 'other' AND health = 'bad') OR kind = 'c'", "b"),
        ("whose = 'other' OR health = 'bad'", "ab"),
    ],
)  # fmt: skip
def test_what_is_made_of_constants_alone_is_constant(
    stages: Stages, predicate: str, wanted: str
) -> None:
    assert left(stages, f"SELECT 1 FROM ({VIEW}) AS v WHERE {predicate}") == wanted


@over(
    ("predicate", "arguments", "wanted"),
    [
        ("kind = $k", {"k": "b"}, "b"), ("kind IN ($k)", {"k": "b"}, "b"),
        ("kind IN $k", {"k": ["b"]}, "b"), ("kind = ANY($k)", {"k": ["b", "c"]}, "b"),
        ("$k IS NULL OR kind = $k", {"k": "b"}, "b"),
        ("$k IS NULL OR kind = $k", {"k": None}, "ab"),
        ("kind = ?", ["b"], "b"), ("list_contains($k, kind)", {"k": ["b"]}, "b"),
    ],
)  # fmt: skip
def test_arguments_rule_branches_out(
    stages: Stages, predicate: str, arguments: Any, wanted: str
) -> None:
    assert left(stages, f"SELECT 1 FROM ({PETS}) AS p WHERE {predicate}", arguments) == wanted


@over(
    ("clauses", "wanted"),
    [
        ("JOIN (VALUES ('b')) AS w(k) ON w.k = p.kind", "b"),
        ("JOIN (VALUES ('b'), ('c')) AS w(kind) USING (kind)", "b"),
        ("JOIN (VALUES ('a', 1), ('b', 2)) AS w(k, n) ON w.k = p.kind WHERE w.n = 2", "b"),
        ("JOIN unnest(['b']) AS w(k) ON w.k = p.kind", "b"),
        ("JOIN (SELECT 'b' AS k) AS w ON w.k = p.kind", "b"),
        (", (VALUES ('b')) AS w(k) WHERE w.k = p.kind", "b"),
        ("SEMI JOIN (VALUES ('b')) AS w(k) ON w.k = p.kind", "b"),
        ("RIGHT JOIN (VALUES ('b')) AS w(k) ON w.k = p.kind", "b"),
        ("LEFT JOIN (VALUES ('b')) AS w(k) ON w.k = p.kind WHERE w.k <> 'c'", "b"),
        ("LEFT JOIN (VALUES ('b')) AS w(k) ON w.k = p.kind", "ab"),
        ("LEFT JOIN (VALUES ('b')) AS w(k) ON w.k = p.kind WHERE w.k IS NULL", "ab"),
        ("FULL JOIN (VALUES ('b')) AS w(k) ON w.k = p.kind", "ab"),
        ("ANTI JOIN (VALUES ('b')) AS w(k) ON w.k = p.kind", "ab"),
        ("JOIN (VALUES ('b'), (NULL)) AS w(k) ON w.k IS NOT DISTINCT FROM p.kind", "b"),
        ("JOIN (VALUES ('b')) AS w(k) ON w.k = p.kind OR random() < 2", "ab"),
    ],
)
def test_a_list_of_constants_rules_out_the_branches_it_does_not_name(
    stages: Stages, clauses: str, wanted: str
) -> None:
    assert left(stages, f"SELECT 1 FROM ({PETS}) AS p {clauses}") == wanted


@over(
    ("inner", "wanted"),
    [
        ("SELECT kind, count(*) AS k FROM ({}) GROUP BY kind", "b"),
        ("SELECT kind, count(*) AS k FROM ({}) GROUP BY ALL", "b"),
        ("SELECT DISTINCT kind FROM ({})", "b"),
        ("SELECT kind, row_number() OVER (PARTITION BY kind) AS n FROM ({})", "b"),
        ("SELECT kind, row_number() OVER () AS n FROM ({})", "ab"),
        ("SELECT kind FROM ({}) ORDER BY ALL LIMIT 3", "ab"),
        ("SELECT max(kind) AS kind FROM ({})", "ab"),
        ("SELECT kind, count(*) AS k FROM ({}) GROUP BY ROLLUP (kind)", "ab"),
        ("SELECT kind FROM ({}) EXCEPT SELECT 'c'", "b"),
        ("SELECT kind FROM ({}) INTERSECT SELECT 'b'", "b"),
        ("SELECT kind, name FROM ({}) UNION SELECT 'c', 'd'", "b"),
    ],
)
def test_clauses_between_let_it_through_where_they_let_columns_through(
    stages: Stages, inner: str, wanted: str
) -> None:
    assert left(stages, f"SELECT 1 FROM ({inner.format(PETS)}) AS p WHERE kind = 'b'") == wanted


@over(
    "tail",
    [
        "", "LIMIT 2", "ORDER BY grp LIMIT 2 OFFSET 1", "GROUP BY ALL",
        "QUALIFY row_number() OVER (ORDER BY grp) = 1",
    ],
)  # fmt: skip
def test_a_constant_goes_below_what_other_columns_do_not(stages: Stages, tail: str) -> None:
    sql = f"SELECT 1 FROM (SELECT 'a' AS kind, grp FROM zoo.w.subs {tail}) WHERE kind = 'b'"
    assert stages.reaching(sql, "subs") == [NOTHING]


@over(
    "inner",
    [
        "SELECT 'a' AS kind, grp, count(*) AS k FROM zoo.w.subs GROUP BY ROLLUP (kind, grp)",
        "SELECT 'a' COLLATE NOCASE AS kind FROM zoo.w.subs",
        "SELECT CASE WHEN random() < 2 THEN 'b' END AS kind FROM zoo.w.subs",
        "SELECT 'a' AS kind, random() AS r FROM zoo.w.subs",
        "SELECT unnest(['a', 'b']) AS kind FROM zoo.w.subs",
        "SELECT 'a' AS kind FROM zoo.w.subs TABLESAMPLE 100 PERCENT",
    ],
)
def test_what_is_not_the_same_in_every_row_rules_nothing_out(stages: Stages, inner: str) -> None:
    assert stages.reaching(f"SELECT 1 FROM ({inner}) WHERE kind = 'b'", "subs") != [NOTHING]


def test_a_constant_gives_a_value_to_what_it_equals(stages: Stages) -> None:
    sql = "SELECT 1 FROM (SELECT 'x' AS kind, grp, sub FROM zoo.w.subs) WHERE grp = kind"
    assert stages.reaching(sql, "subs") == [[{"grp": "x"}]]
    tied = f"SELECT 1 FROM ({PETS}) AS p JOIN zoo.w.subs AS s ON s.grp = p.kind WHERE p.kind = 'b'"
    assert [{"grp": "b"}] in stages.reaching(tied, "subs")


# --- what stands beside --------------------------------------------------------------------------


def test_a_subquery_in_the_select_list_leaves_its_branch_what_restricts_it(stages: Stages) -> None:
    beside = """(SELECT any_value(i.note) FROM zoo.w.items AS i
        WHERE i.grp = s.grp AND i.part = s.sub AND i.name = 'x') AS note"""
    union = f"""SELECT 'a' AS kind, s.grp, {beside} FROM zoo.w.subs AS s
        UNION ALL SELECT 'b', g, NULL FROM zoo.w.groups"""
    sql = f"SELECT * FROM ({union}) AS u WHERE grp = '5'"
    assert stages.reaching(sql, "subs") == [[{"grp": "5"}]]
    assert stages.reaching(sql, "items") == [[{"grp": "5", "name": "x"}]]
    ruled_out = f"SELECT * FROM ({union}) AS u WHERE kind = 'b'"
    assert stages.reaching(ruled_out, "subs") == [NOTHING]
    assert stages.reaching(ruled_out, "items") == [NOTHING]


@over("beside", ["any_value(grp)", "list(sub)", "first(sub)"])
def test_what_is_not_the_same_twice_has_a_type_all_the_same(stages: Stages, beside: str) -> None:
    union = f"""SELECT grp, {beside} AS v FROM zoo.w.subs GROUP BY grp
        UNION ALL SELECT grp, NULL FROM zoo.w.items WHERE part = 'x'"""
    sql = f"SELECT 1 FROM ({union}) AS u WHERE grp = 'x'"
    assert stages.reaching(sql, "subs") == [[{"grp": "x"}]]
    assert stages.reaching(sql, "items") == [[{"grp": "x", "part": "x"}]]


@over("beside", ["'A' COLLATE NOCASE", "grp COLLATE NOCASE"])
def test_a_collation_in_another_branch_is_minded(stages: Stages, beside: str) -> None:
    sql = f"""SELECT 1 FROM (SELECT 'a' AS v FROM zoo.w.subs
        UNION ALL SELECT {beside} FROM zoo.w.items WHERE part = 'x') AS u WHERE v = 'A'"""
    assert stages.reaching(sql, "subs") != [NOTHING]


# --- by name -------------------------------------------------------------------------------------


def test_a_chain_by_name_is_looked_into_from_end_to_end(stages: Stages) -> None:
    chain = """SELECT grp, sub FROM zoo.w.subs UNION ALL BY NAME SELECT name, grp FROM zoo.w.items
        UNION ALL BY NAME SELECT 'c' AS name, grp, part AS sub FROM zoo.w.items"""
    sql = f"SELECT 1 FROM ({chain}) AS u WHERE grp = 'x' AND name = 'b'"
    assert stages.reaching(sql, "subs") == [NOTHING]
    assert sorted(stages.reaching(sql, "items"), key=str) == [NOTHING, [{"grp": "x", "name": "b"}]]


def test_by_name_new_names_are_minded(stages: Stages) -> None:
    union = """SELECT grp, sub FROM zoo.w.subs UNION ALL BY NAME
        SELECT part AS sub, grp FROM zoo.w.items"""
    sql = f"SELECT 1 FROM ({union}) AS u(sub, grp) WHERE sub = 'x'"
    assert stages.reaching(sql, "subs") == [[{"grp": "x"}]]
    assert stages.reaching(sql, "items") == [[{"grp": "x"}]]


# --- the law -------------------------------------------------------------------------------------

SUBS, GROUPS = "conn_a.w.subs", "conn_a.w.groups"


@over(
    ("sql", "most"),
    [
        (f"SELECT * FROM (SELECT 'a' AS k, g FROM {GROUPS} UNION ALL SELECT 'b', grp FROM {SUBS}) "
         "WHERE k = 'a'", 1),
        (f"SELECT * FROM (SELECT 'a' AS k, count(*) AS n FROM {GROUPS}) WHERE k = 'b'", 0),
        (f"SELECT * FROM (SELECT 'a' AS k, count(*) AS n FROM {GROUPS}) WHERE k = 'b' OR n > 1", 1),
        (f"SELECT count(*) FROM (SELECT 'a' AS k, g FROM {GROUPS}) WHERE k = 'b'", 0),
        (f"SELECT v.* FROM (VALUES (1), (2)) AS v(n) LEFT JOIN (SELECT 'a' AS k, g FROM {GROUPS}) "
         "AS d ON d.k = 'b'", 0),
        (f"SELECT v.*, d.k FROM (VALUES (1)) AS v(n) LEFT JOIN (SELECT 'a' AS k, g FROM {GROUPS}) "
         "AS d ON true WHERE d.k IS NULL OR d.k = 'a'", 1),
        (f"SELECT * FROM (SELECT 'a' AS k, g FROM {GROUPS} EXCEPT SELECT 'a', 'x') "
         "WHERE k = 'a'", 1),
        (f"SELECT * FROM (SELECT 'a' AS k EXCEPT SELECT 'b' FROM {GROUPS}) WHERE k = 'a'", 0),
        (f"SELECT * FROM (SELECT 'a' AS k EXCEPT SELECT 'a' FROM {GROUPS}) WHERE k = 'a'", 1),
        (f"SELECT 1 WHERE 'b' NOT IN (SELECT k FROM (SELECT 'a' AS k FROM {GROUPS}))", None),
        (f"SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM (SELECT 'a' AS k FROM {GROUPS}) WHERE k = 'b')",
         0),
        (f"SELECT (SELECT count(*) FROM (SELECT 'a' AS k FROM {GROUPS}) WHERE k = v.k) AS n "
         "FROM (VALUES ('a'), ('b')) AS v(k)", None),
        (f"SELECT k FROM (SELECT 10 AS k FROM {GROUPS} UNION ALL SELECT 'z') WHERE k < '3'", None),
        (f"SELECT k FROM (SELECT 1 AS k FROM {GROUPS} UNION ALL SELECT 1.5 UNION ALL SELECT 'z') "
         "WHERE k = '1.0'", None),
        (f"SELECT k FROM (SELECT 'abc' AS k FROM {GROUPS} UNION ALL SELECT 'xyz') "
         "WHERE k[1] = 'a'", 1),
        (f"SELECT k FROM (SELECT 'abc' AS k FROM {GROUPS} UNION ALL SELECT 'xyz') "
         "WHERE k[-1] = 'c'", 1),
        (f"SELECT typeof(k) FROM (SELECT NULL AS k FROM {GROUPS}) "
         "WHERE typeof(k) = 'INTEGER'", None),
        (f"SELECT k FROM (SELECT NULL AS k FROM {GROUPS} UNION ALL SELECT 'z') WHERE k IS NULL", 1),
        (f"WITH c AS (SELECT 'a' AS k, g FROM {GROUPS}) SELECT count(*) FROM c AS x FULL JOIN "
         "c AS y USING (k) WHERE k = 'a'", 1),
        (f"SELECT u.k FROM (SELECT g AS k FROM {GROUPS} UNION ALL BY NAME "
         f"SELECT sub AS j FROM {SUBS}) AS u(j, k) WHERE u.j = '5'", 1),
        (f"SELECT * FROM (SELECT g AS a, 'k' AS b FROM {GROUPS} UNION ALL BY NAME SELECT grp AS b, "
         f"sub AS a FROM {SUBS}) AS u(b, a) WHERE u.b = 'x'", None),
    ],
)  # fmt: skip
def test_the_answer_is_that_over_full_copies(court: Court, sql: str, most: int | None) -> None:
    agreed(court, sql, most)
