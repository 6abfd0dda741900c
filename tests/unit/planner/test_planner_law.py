"""The one law on queries written by hand to break it: names, NULLs, keys of groups, types, feeds.

Each query is tried as the oracle tries its own: the rows are DuckDB's over full copies, no request
is sent twice, none without a reason. `rows` says that the case is not an empty one.
"""

from __future__ import annotations

import pytest

from tests.oracle.law import Court, Verdict
from tests.oracle.pieces import Query
from tests.oracle.world import Row, World
from tests.oracle.zoo import DAYS, LOCALS, NUMBERS, TABLES
from tests.tabled import over

pytestmark = pytest.mark.long

SUBS, GROUPS, ITEMS, LINES, HUES, WARES, CODES, DAY_ROWS, MARKS = (
    f"conn_a.w.{name}"
    for name in ("subs", "groups", "items", "lines", "hues", "wares", "codes", "days", "marks")
)
ALL_SUBS, ALL_GROUPS = "zoo.w.subs", "zoo.w.groups"


def world(*, names_hidden: bool = False) -> World:
    """Groups with parts and without, a filter's value with a comma, and notes with NULLs."""
    copies = {"conn_a": _copies("conn_a", ("5", "7", "a", "b")), "conn_b": _copies("conn_b", "5Ac")}
    notes: list[Row] = [
        {"x": "5", "y": "x", "k": 1, "d": DAYS[0]}, {"x": "zz", "y": "y", "k": 5, "d": None},
        {"x": None, "y": None, "k": None, "d": DAYS[1]}, {"x": "7", "y": "5", "k": 7, "d": DAYS[2]},
        {"x": "5", "y": "x", "k": 1, "d": DAYS[0]},
    ]  # fmt: skip
    mixed: list[Row] = [
        {"x": 5, "y": 5, "d": "2026-01-01 00:00:00", "s": "a"},
        {"x": None, "y": 7, "d": "2026-01-02 10:00:00", "s": "5"},
    ]
    return World(copies, {"notes": notes, "mixed": mixed, "nothing": []}, names_hidden)


def _copies(connection: str, groups: tuple[str, ...] | str) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {name: [] for name in TABLES}
    for index, grp in enumerate(groups):
        found["groups"].append({"g": grp, "size": (1, 1, 2, None)[index]})
        toy: Row = {"toy": f"{grp}{connection}", "colour": "red", "grp": grp}
        found["toys"].append({**toy, "weight": index})
        found["hues"].append(toy)
        found["lines"] += [{"seq": seq, "line": "l", "grp": grp} for seq in range(5)]
        for price, (sort, state) in enumerate((("a,b", "new"), ("a", "used"))):
            ware: Row = {"ware": f"{grp}w{price}", "grp": grp, "state": state, "price": price}
            found["wares"].append({**ware, "kind": sort, "photo": f"{grp}{price}"})
        for part in {"b": "", "c": "", "7": "x5", "A": "x5"}.get(grp, "xy"):
            found["subs"].append({"sub": part, "kind": "k" if part == "x" else None, "grp": grp})
            for number, name in enumerate(("n1", "n2")):
                thing: Row = {"grp": grp, "part": part, "name": name}
                found["items"].append({"n": number, "note": "q" if number else None, **thing})
                found["marks"].append({"mark": "m", "worth": number, **thing})
    found["days"] = [{"amount": i, "tag": "x", "day": day} for i, day in enumerate(DAYS)]
    for code in NUMBERS:
        for lang in "a5":
            found["codes"].append({"label": "L", "day": DAYS[0], "code": code, "lang": lang})
    return found


def tried(court: Court, query: Query, rows: int, *, names_hidden: bool = False) -> None:
    """Assert that a query is answered as DuckDB answers it, with so many rows."""
    court.enter(world(names_hidden=names_hidden))
    trial = court.try_query(query)
    assert (trial.verdict, trial.why) == (Verdict.AGREED, "")
    assert trial.rows == rows


def _query(sql: str, arguments: object = None, setup: tuple[str, ...] = ()) -> Query:
    return Query(sql, arguments, tables=frozenset({*TABLES, *LOCALS}), setup=setup)


NAMES = {
    "quoted names in any case are the same name": (
        'SELECT "S"."GRP" FROM conn_a.w."SUBS" "s" WHERE "S"."Grp" = \'5\'', 2,
    ),
    "a CTE inside hides the CTE around it": (
        f"WITH q AS (FROM {SUBS}) SELECT * FROM q, "
        "(WITH q AS (SELECT '5' AS grp) FROM q) AS one WHERE q.grp = one.grp", 2,
    ),
    "a CTE named like the table that it reads feeds with the rows it has": (
        f"WITH notes AS (FROM notes WHERE x = '5') FROM notes JOIN {SUBS} s ON s.grp = notes.x", 4,
    ),
    "a CTE keeps the names of the place where it is written": (
        "WITH a AS (SELECT '5' v), b AS (FROM a) SELECT s.sub FROM "
        f"{SUBS} s WHERE s.grp = (WITH a AS (SELECT '7' v) SELECT v FROM b)", 2,
    ),
    "a column comes before an alias of its name in WHERE": (
        f"SELECT s.sub, '7' AS grp FROM {SUBS} s WHERE grp = '7'", 2,
    ),
    "an alias of the select list in WHERE is what it stands for": (
        f"SELECT '7' AS g2, s.sub FROM {SUBS} s WHERE g2 = '7' AND s.grp = '5'", 2,
    ),
    "two columns that trade names are taken apart": (
        f"FROM (SELECT sub AS grp, grp AS g2 FROM {SUBS}) WHERE grp = 'x'", 3,
    ),
    "columns renamed by AS t(…) go by their new names": (
        f"FROM {SUBS} AS s(grp, kind, sub) WHERE s.grp = 'x' AND s.sub <> 'q'", 3,
    ),
    "an alias gives a later column's name away, which is then another": (
        f"FROM {SUBS} AS s(grp) WHERE s.grp = 'x' AND s.grp_1 <> 'q'", 3,
    ),
    "an alias in another case gives it away too": (f'FROM {SUBS} s("GRP", k) WHERE grp = \'x\'', 3),
    "an alias given twice is the first column": (f"FROM {SUBS} s(grp, grp) WHERE grp = 'x'", 3),
    "the second of two columns of a name has another": (
        f"FROM (SELECT sub AS grp, grp FROM {SUBS}) WHERE grp_1 = '5'", 2,
    ),
    "a CTE's column list that is shorter gives names away": (
        f"WITH c(grp) AS (SELECT sub, grp FROM {SUBS}) FROM c WHERE grp = 'x' AND grp_1 <> 'q'", 3,
    ),
    "a column list of a LATERAL block gives names away": (
        f"SELECT l.* FROM {GROUPS} g, LATERAL (SELECT sub, grp FROM {SUBS} s WHERE s.grp = g.g) "
        "AS l(grp) WHERE l.grp = 'x'", 3,
    ),
    "values with fewer names than columns keep those of the rest": (
        f"SELECT s.sub FROM {SUBS} s JOIN (VALUES ('x', '5')) v(col1) ON s.grp = v.col1_1", 2,
    ),
    "a CTE's column list is renamed once more where it is mentioned": (
        f"WITH c(grp, kind, sub) AS (FROM {SUBS}) FROM c AS d(p, q, grp) WHERE grp = '5'", 2,
    ),
    "REPLACE makes another column of the name": (
        f"FROM (SELECT * REPLACE ('5' AS grp) FROM {SUBS}) WHERE grp = '5'", 6,
    ),
    "RENAME can trade two columns": (
        f"FROM (SELECT * RENAME (grp AS sub, sub AS grp) FROM {SUBS}) WHERE grp = 'x'", 3,
    ),
    "EXCLUDE leaves room for another column of the name": (
        f"FROM (SELECT COLUMNS(* EXCLUDE grp), sub AS grp FROM {SUBS}) WHERE grp = 'x'", 3,
    ),
    "a star with LIKE is not every column": (
        f"FROM (SELECT * LIKE 'g%', sub FROM {SUBS}) WHERE grp = '5'", 2,
    ),
    "the fields of an unnested struct are columns of their own": (
        f"FROM (SELECT unnest({{'grp': sub, 'z': grp}}) FROM {SUBS}) WHERE grp = 'x'", 3,
    ),
    "a struct named like a table is not the table": (
        f"SELECT q.z FROM (SELECT {{'grp': sub}} AS s, grp AS z FROM {SUBS}) q, {SUBS} s "
        "WHERE s.grp = '5' AND q.z = '5'", 4,
    ),
    "a column beside comes before one of the query around": (
        f"SELECT o.x, (SELECT (SELECT count(*) FROM {ITEMS} i WHERE i.grp = x AND i.part = y) "
        "FROM notes x WHERE x.x = o.x LIMIT 1) FROM notes o", 5,
    ),
    "tables and columns may be named like those of the plan": (
        f"SELECT s.grp FROM {ALL_SUBS} s JOIN (SELECT r1.x AS r2 FROM notes r1) c ON s.grp = c.r2",
        10,
    ),
}  # fmt: skip

NULLS = {
    "what RIGHT JOIN does not find is there after USING": (
        f"FROM {SUBS} s LEFT JOIN {HUES} h USING (grp) RIGHT JOIN {LINES} l USING (grp) "
        "WHERE s.grp = '5'", 10,
    ),
    "a merged column of two FULL JOINs restricts all three tables": (
        f"FROM {SUBS} s FULL JOIN {HUES} h USING (grp) FULL JOIN {LINES} l USING (grp) "
        "WHERE grp = '5'", 10,
    ),
    "the left column alone of FULL JOIN is not the merged one": (
        f"SELECT s.* FROM {SUBS} s FULL JOIN {HUES} h USING (grp) WHERE h.grp = 'b'", 1,
    ),
    "IS NULL after LEFT JOIN restricts nothing on the right": (
        f"FROM {GROUPS} g LEFT JOIN {SUBS} s ON s.grp = g.g AND g.size = 1 "
        "WHERE s.grp IS NULL OR s.sub = 'x'", 4,
    ),
    "a feed from a row that may be missing is none in ON": (
        "SELECT l.x, s.grp FROM notes l LEFT JOIN nothing b ON b.x = l.x "
        f"JOIN {SUBS} s ON s.grp = coalesce(b.x, 'a')", 10,
    ),
    "NULL equals NULL inside a tuple, and then the row is there": (
        f"SELECT o.grp FROM {SUBS} o LEFT JOIN nothing n ON n.x = o.sub AND o.grp = '5' "
        "WHERE (n.x, n.k) = (NULL, NULL)", 6,
    ),
    "NOT of an equality wants all the others": (f"FROM {SUBS} WHERE NOT (grp = '5')", 4),
    "IS NOT TRUE wants all the others": (f"FROM {SUBS} WHERE (grp = '5') IS NOT TRUE", 4),
    "UNION BY NAME fills what a branch lacks with NULL": (
        f"FROM (SELECT grp, sub FROM {SUBS} UNION ALL BY NAME SELECT sub AS z FROM {SUBS}) "
        "WHERE grp IS NULL OR grp = '5'", 8,
    ),
    "POSITIONAL JOIN counts rows before WHERE": (
        f"FROM notes POSITIONAL JOIN (SELECT grp FROM {SUBS} ORDER BY grp) q WHERE q.grp = '7'", 2,
    ),
    "ON of a LEFT JOIN LATERAL leaves the left rows": (
        f"SELECT l.x, q.toy FROM notes l LEFT JOIN LATERAL (FROM {HUES} h WHERE h.grp = l.x) q "
        "ON q.colour = 'red' AND l.k < 7", 5,
    ),
}  # fmt: skip

GROUPED = {
    "a key by position lets through": (
        f"FROM (SELECT count(*) c, grp FROM {SUBS} GROUP BY 2) WHERE grp = '5'", 1,
    ),
    "a key that is an expression is not its column": (
        f"FROM (SELECT count(*) c, upper(grp) grp FROM {SUBS} GROUP BY ALL) WHERE grp = 'A'", 1,
    ),
    "a named window sees whole partitions": (
        "FROM (SELECT grp, row_number() OVER (w ORDER BY grp) AS r "
        f"FROM {SUBS} WINDOW w AS (PARTITION BY sub)) WHERE grp = '7'", 2,
    ),
    "QUALIFY takes a column before an alias": (
        f"FROM (SELECT sub AS grp, grp AS g2 FROM {SUBS} "
        "QUALIFY row_number() OVER (PARTITION BY grp ORDER BY g2) = 1) WHERE g2 = '7'", 1,
    ),
    "a count over all rows sees them through DISTINCT": (
        f"FROM (SELECT DISTINCT grp, count(*) OVER () c FROM {SUBS}) WHERE grp = '7'", 1,
    ),
    "DISTINCT ON by position lets only that column through": (
        f"FROM (SELECT DISTINCT ON (1) sub, grp FROM {SUBS} ORDER BY grp) WHERE grp = '7'", 1,
    ),
    "LIMIT in percent lets nothing through": (
        f"FROM (SELECT grp FROM {SUBS} ORDER BY sub, grp LIMIT 50%) WHERE grp = '7'", 2,
    ),
    "FETCH FIRST lets nothing through": (
        f"FROM (SELECT grp FROM {SUBS} ORDER BY sub, grp FETCH FIRST 2 ROWS ONLY) "
        "WHERE grp = '7'", 1,
    ),
    "an aggregate by a dot wants all pages": (
        f"SELECT l.seq.sum() AS v FROM {LINES} l WHERE grp = '5' LIMIT 1", 1,
    ),
    "an empty group has a row in a subquery": (
        f"SELECT o.grp FROM {SUBS} o WHERE EXISTS "
        "(SELECT count(*) FROM notes n WHERE n.x = o.grp LIMIT 1)", 6,
    ),
    "EXCEPT ALL counts rows on both sides": (
        f"FROM (SELECT grp FROM {SUBS} EXCEPT ALL SELECT x FROM notes) WHERE grp = 'a'", 2,
    ),
    "a branch of UNION of another type is left whole": (
        f"FROM (SELECT grp, sub FROM {SUBS} UNION "
        f"SELECT code, lang FROM {CODES} WHERE lang = 'a' AND code = 5) WHERE grp = '5'", 3,
    ),
    "a recursive CTE is walked with all its rows": (
        f"WITH RECURSIVE r(v, n) AS (SELECT '5', 0 UNION SELECT s.grp, n + 1 FROM r "
        f"JOIN {SUBS} s ON s.grp <> r.v WHERE n < 2) FROM r WHERE v = '7'", 2,
    ),
    "PIVOT groups what is left of the columns": (
        f"FROM (FROM {SUBS}) PIVOT (count(*) FOR sub IN ('x', 'y') GROUP BY grp) WHERE grp = '5'",
        1,
    ),
    "UNPIVOT makes other columns of the names": (
        f"FROM {SUBS} UNPIVOT (grp FOR sub IN (grp, sub)) WHERE grp = 'x'", 3,
    ),
    "an unnested list named like a parameter is not it": (
        f"FROM (SELECT grp AS z, unnest([grp, sub]) AS grp FROM {SUBS}) WHERE grp = 'x'", 3,
    ),
}  # fmt: skip

TYPES = {
    "a text is the number that DuckDB reads in it": (
        f"FROM {CODES} WHERE code IN ('5.4', 7) AND lang = 'a'", 2,
    ),
    "texts in a tuple are compared as texts": (
        f"FROM {CODES} WHERE (code, lang) IN (('5', 'a'), ('07', '5'))", 1,
    ),
    "a date may be written in short": (f"FROM {DAY_ROWS} WHERE day = '2026-1-1'", 1),
    "a time of day on a date's text is dropped": (
        f"FROM {DAY_ROWS} WHERE day = '2026-01-01 00:00:00'", 1,
    ),
    "a timestamp cast to a date feeds a date": (
        f"SELECT t.* FROM {DAY_ROWS} t, mixed m WHERE t.day = CAST(m.d AS DATE)", 2,
    ),
    "a collation in an IN list wants every spelling": (
        f"FROM {ALL_SUBS} WHERE grp COLLATE NOCASE IN ('A', 'q')", 4,
    ),
    "a collation in a subquery wants every spelling": (
        f"FROM {ALL_SUBS} s WHERE s.grp = (SELECT 'a' COLLATE NOCASE)", 4,
    ),
    "a BIGINT feeds an INTEGER": (
        f"SELECT s.code FROM {CODES} s JOIN mixed n ON n.y = s.code WHERE lang = 'a'", 2,
    ),
    "a value with a comma is not two of a filter": (
        f"FROM {WARES} WHERE state = 'new' AND kind IN ('a,b', 'q')", 4,
    ),
    "a default does not stand where a join speaks of the column": (
        f"FROM {WARES} JOIN (SELECT 'used' AS state) USING (state)", 4,
    ),
    "a default does not stand where a renamed column is spoken of": (
        f"SELECT ware FROM {WARES} AS w(a, b, c, d, ware, f) WHERE f = 'used'", 4,
    ),
    "parents three levels up are pruned by what is said": (
        f"FROM {MARKS} m JOIN {ITEMS} i USING (grp, part, name) WHERE i.note = 'q'", 6,
    ),
}  # fmt: skip

CHANGES = {
    "INSERT feeds from the rows before it": (
        f"INSERT INTO notes SELECT s.grp, s.sub, 1, NULL FROM {SUBS} s "
        "JOIN notes n ON n.x = s.grp RETURNING *", 6,
    ),
    "UPDATE FROM finds every partner": (
        f"UPDATE notes SET y = s.sub FROM {SUBS} s "
        "WHERE s.grp = notes.x AND s.sub = 'x' RETURNING *", 3,
    ),
    "DELETE USING finds every partner": (
        f"DELETE FROM notes USING {SUBS} s WHERE s.grp = notes.x AND s.grp = '5' RETURNING *", 2,
    ),
    "a subquery in UPDATE counts for each row": (
        f"UPDATE notes SET k = (SELECT count(*) FROM {SUBS} s WHERE s.grp = notes.x) RETURNING *",
        5,
    ),
    "MERGE inserts what it does not find": (
        f"MERGE INTO notes USING (SELECT DISTINCT grp FROM {SUBS} WHERE grp IN ('5', 'a')) s "
        "ON s.grp = notes.x WHEN MATCHED THEN UPDATE SET k = 9 "
        "WHEN NOT MATCHED THEN INSERT VALUES (s.grp, 'n', 0, NULL) RETURNING x, k", 3,
    ),
}  # fmt: skip

CASES = {**NAMES, **NULLS, **GROUPED, **TYPES, **CHANGES}


@over(("sql", "rows"), CASES.values(), ids=CASES.keys())
def test_an_answer_is_duckdbs_where(court: Court, sql: str, rows: int) -> None:
    tried(court, _query(sql), rows)


CROSSING = {
    "values cross from one connection to the other": (
        f"SELECT s._connection, g._connection FROM {ALL_SUBS} s "
        f"JOIN {ALL_GROUPS} g ON g.g = s.grp WHERE g.size = 2", 2,
    ),
    "connections that are equal stay apart": (
        f"SELECT s._connection, s.grp FROM {ALL_SUBS} s JOIN {ALL_GROUPS} g "
        "ON g.g = s.grp AND g._connection = s._connection WHERE g.size = 1", 8,
    ),
    "a tuple names a connection with its value": (
        f"SELECT s.grp FROM {ALL_SUBS} s "
        "WHERE (s._connection, s.grp) IN (('conn_a', '5'), ('conn_b', 'A'))", 4,
    ),
    "USING may name the connection": (
        f"SELECT s._connection FROM {ALL_SUBS} s "
        "JOIN (SELECT 'conn_a' AS _connection, '5' AS grp) q USING (_connection, grp)", 2,
    ),
}  # fmt: skip


@over(("sql", "rows"), CROSSING.values(), ids=CROSSING.keys())
def test_an_answer_over_connections_is_duckdbs_where(court: Court, sql: str, rows: int) -> None:
    tried(court, _query(sql), rows, names_hidden=True)


BOUND: dict[str, tuple[str, object, int]] = {
    "a value bound inside a source feeds": (
        f"SELECT s.sub FROM {SUBS} s JOIN (FROM notes WHERE x = ?) q ON q.x = s.grp "
        "WHERE s.sub = ?", ["5", "x"], 2,
    ),
    "numbered and plain marks stand together": (
        f"SELECT s.sub FROM {SUBS} s WHERE grp IN (?, ?) AND sub = $3", ["5", "a", "x"], 2,
    ),
    "one name binds in two places": (
        f"SELECT s.sub FROM {SUBS} s WHERE grp = $g AND EXISTS (FROM notes WHERE x = $g)",
        {"g": "5"}, 2,
    ),
}  # fmt: skip


@over(("sql", "arguments", "rows"), BOUND.values(), ids=BOUND.keys())
def test_bound_values_count_where(court: Court, sql: str, arguments: object, rows: int) -> None:
    tried(court, _query(sql, arguments), rows)


SETTINGS = {
    "default_null_order moves the first rows of a feed": (
        "default_null_order = 'nulls_first'",
        f"WITH q AS (SELECT x FROM notes ORDER BY x LIMIT 2) FROM q JOIN {SUBS} s ON s.grp = q.x",
        2,
    ),
    "integer_division folds a constant": (
        "integer_division = true",
        f"FROM {CODES} WHERE lang = 'a' AND code = 11 / 2", 1,
    ),
    "scalar_subquery_error_on_multiple_rows leaves a value of one row": (
        "scalar_subquery_error_on_multiple_rows = false",
        f"FROM {SUBS} s WHERE s.grp = (SELECT x FROM notes WHERE x = '5')", 2,
    ),
    "TimeZone folds the date of a moment": (
        "TimeZone = 'Asia/Tokyo'",
        f"FROM {DAY_ROWS} WHERE day = CAST(TIMESTAMPTZ '2026-01-01 20:00:00+00' AS DATE)", 1,
    ),
}  # fmt: skip


@over(("setting", "sql", "rows"), SETTINGS.values(), ids=SETTINGS.keys())
def test_a_setting_means_what_it_means_to_duckdb_where(
    court: Court, setting: str, sql: str, rows: int
) -> None:
    name = setting.partition(" ")[0]
    back = "SET TimeZone = 'UTC'" if name == "TimeZone" else f"RESET {name}"
    try:
        tried(court, _query(sql, setup=(f"SET {setting}",)), rows)
    finally:
        list(court.engine.run(back))
        court.judge.execute(back)


REFUSED = {
    "a date is compared with a time in some zone": f"FROM {DAY_ROWS} t JOIN mixed m ON t.day = "
    "m.d::TIMESTAMPTZ",
    "a tuple of the list has a NULL": f"FROM {CODES} WHERE (code, lang) IN ((5, 'a'), (7, NULL))",
    "the truth of an equality is compared": f"FROM {CODES} WHERE lang = 'a' AND (code = 5) = true",
}  # fmt: skip


@over("sql", REFUSED.values(), ids=REFUSED.keys())
def test_nothing_is_sent_where(court: Court, sql: str) -> None:
    court.enter(world())
    trial = court.try_query(_query(sql))
    assert (trial.verdict, trial.requests) == (Verdict.REFUSED, 0)
