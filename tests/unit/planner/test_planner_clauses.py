"""The one law on clauses and names that few use, and on statements that only DuckDB can read.

Each query is tried as in `test_planner_law`. `rows` are those of the answer, `most` the requests.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from connstat_sql.errors import ConnstatError
from connstat_sql.sql.duckdb_only import Unread
from connstat_sql.sql.statement import parse
from tests.oracle.law import Court, Verdict
from tests.oracle.pieces import Query
from tests.oracle.world import World, open_zoo
from tests.oracle.zoo import LOCALS, TABLES
from tests.tabled import over
from tests.unit.planner.test_planner_law import CODES, DAY_ROWS, ITEMS, LINES, SUBS, world

pytestmark = pytest.mark.long

Case = tuple[str, int, int]


def tried(court: Court, sql: str, rows: int, most: int, arguments: object = None) -> None:
    """Assert that a query is answered as DuckDB answers it, with no more requests than that."""
    court.enter(world())
    trial = court.try_query(Query(sql, arguments, tables=frozenset({*TABLES, *LOCALS})))
    assert (trial.verdict, trial.why) == (Verdict.AGREED, "")
    assert (trial.rows, trial.requests) == (rows, most), sorted(court.world.asked)


NAMES: dict[str, Case] = {
    "a CTE that is hidden inside is not needed there": (
        f"WITH q AS (SELECT grp, sub FROM {SUBS}) SELECT * FROM q, "
        "(WITH q AS (SELECT '5' AS grp), p AS (FROM q) FROM p) AS one WHERE q.grp = one.grp", 2, 1,
    ),
    "CTEs that name each other in many ways are read in their order": (
        "WITH c AS (SELECT '5' AS v), b AS (FROM c), a AS (SELECT b.v FROM b, c), "
        f"d AS (SELECT a.v FROM a, b) SELECT s.sub FROM {SUBS} s JOIN d ON s.grp = d.v", 2, 1,
    ),
}  # fmt: skip


@over(("sql", "rows", "most"), NAMES.values(), ids=NAMES.keys())
def test_a_name_leads_to_its_own_rows_where(court: Court, sql: str, rows: int, most: int) -> None:
    tried(court, sql, rows, most)


FORMS: dict[str, Case] = {
    "SOME is ANY": (f"FROM {SUBS} WHERE grp = SOME (['5', 'a'])", 4, 2),
    "what is not unequal is equal": (f"FROM {SUBS} WHERE NOT (grp <> '5')", 2, 1),
    "NOT takes itself back": (f"FROM {SUBS} WHERE NOT NOT grp = '5'", 2, 1),
    "NOT of OR is AND": (f"FROM {ITEMS} WHERE NOT (grp <> '5' OR part <> 'x')", 2, 1),
    "NOT of AND is OR": (f"FROM {ITEMS} WHERE NOT (grp <> '5' AND part <> 'x')", 8, 5),
    "what is unequal to none of no values is everything": (
        f"FROM {SUBS} WHERE NOT (grp <> ANY (SELECT x FROM notes WHERE false))", 6, 5,
    ),
    "NOT of a tuple": (f"FROM {ITEMS} WHERE NOT ((grp, part) <> ('5', 'x'))", 2, 1),
    "BETWEEN whole numbers": (f"FROM {CODES} WHERE code BETWEEN 5 AND 7 AND lang = 'a'", 2, 3),
    "BETWEEN in a branch of OR": (
        f"FROM {CODES} WHERE (code BETWEEN 5 AND 6 OR code = 1) AND lang = 'a'", 2, 3,
    ),
    "BETWEEN nothing": (f"FROM {CODES} WHERE code BETWEEN 7 AND 5 AND lang = 'a'", 0, 0),
    "bounds from both sides": (f"FROM {CODES} WHERE 4 <= code AND 6 > code AND lang = 'a'", 1, 2),
    "bounds as texts": (f"FROM {CODES} WHERE code >= '5' AND code <= '7' AND lang = 'a'", 2, 3),
    "bounds of a column that equals": (
        f"FROM {CODES} c JOIN notes n ON c.code = n.k WHERE n.k BETWEEN 5 AND 6 AND lang = 'a'",
        1, 2,
    ),
    "days between two": (
        f"FROM {DAY_ROWS} WHERE day >= DATE '2026-01-01' AND day < '2026-01-03'", 2, 2,
    ),
    "ROW is a tuple": (f"FROM {SUBS} WHERE (grp, sub) = ROW('5', 'x')", 1, 1),
    "NULL in a ROW equals NULL": (f"FROM {ITEMS} WHERE (grp, note) = ROW('5', NULL)", 2, 1),
    "a ROW of one is none": (f"FROM {ITEMS} WHERE ROW(note) = ROW(NULL)", 6, 5),
    "structs with the same fields": (
        f"FROM {ITEMS} WHERE {{'a': grp, 'b': note}} = {{'a': '5', 'b': NULL}}", 2, 1,
    ),
    "structs with fields in another order": (
        f"FROM {ITEMS} WHERE {{'b': grp, 'a': part}} = {{'a': 'x', 'b': '5'}}", 2, 5,
    ),
    "a ROW of another source": (
        f"FROM {SUBS} s, notes n WHERE (s.grp, s.sub) = ROW(n.x, n.y)", 3, 3,
    ),
    "HAVING on a key by its place": (
        f"SELECT grp, count(*) FROM {SUBS} GROUP BY 1 HAVING grp = '5'", 1, 1,
    ),
    "HAVING on a key of GROUP BY ALL": (
        f"SELECT grp, count(*) FROM {SUBS} GROUP BY ALL HAVING grp = '5'", 1, 1,
    ),
    "HAVING by another name": (
        f"SELECT grp AS g2, count(*) FROM {SUBS} GROUP BY g2 HAVING g2 = '5'", 1, 1,
    ),
    "HAVING where names are traded": (
        f"SELECT grp AS sub, sub AS grp, count(*) FROM {SUBS} GROUP BY 1, 2 HAVING grp = '5'", 2, 5,
    ),
    "HAVING on a name that is a column as well, and which it is differs by version": (
        f"SELECT grp AS sub, sub AS grp, count(*) FROM {SUBS} GROUP BY ALL HAVING grp > ''", 6, 5,
    ),
    "HAVING on a name that is a column as well": (
        f"SELECT sub AS grp, count(*) FROM {SUBS} GROUP BY 1 HAVING grp = 'x'", 1, 5,
    ),
    "WHERE by a name of the select list": (f"SELECT grp AS g2 FROM {SUBS} WHERE g2 = '5'", 2, 1),
    "WHERE by a name that is given twice": (
        f"SELECT grp AS a, sub AS a FROM {SUBS} WHERE a = 'x'", 3, 5,
    ),
    "WHERE by a name of a name": (f"SELECT grp AS a, a AS b FROM {SUBS} WHERE b = '5'", 2, 5),
}  # fmt: skip


@over(("sql", "rows", "most"), FORMS.values(), ids=FORMS.keys())
def test_a_predicate_restricts_where(court: Court, sql: str, rows: int, most: int) -> None:
    tried(court, sql, rows, most)


@pytest.mark.parametrize(("value", "rows", "most"), [("5", 2, 1), (None, 6, 5)])
def test_a_parameter_that_is_null_restricts_nothing(
    court: Court, value: object, rows: int, most: int
) -> None:
    sql = f"FROM {SUBS} WHERE $g IS NULL OR grp = $g"
    tried(court, sql, rows, most, {"g": value})


FLAGS = """
service: w
resources:
  flags:
    description: Flags
    columns: {name: VARCHAR}
    params: {flag: {type: BOOLEAN}, level: {type: INTEGER}}
    methods:
      list: {path: /flags, query: {flag: "{flag}", level: "{level}"}}
"""


@over(
    ("where", "expected"),
    [
        ("flag", {("true",)}), ("NOT flag", {("false",)}), ("flag IS TRUE", {("true",)}),
        ("NOT NOT flag", {("true",)}), ("flag OR NOT flag", {("true",), ("false",)}),
        ("flag = false", {("false",)}), ("(flag AND level = 7)", {("true",)}),
        ("NOT (flag OR level <> 7)", {("false",)}), ("flag AND NOT flag", set()),
    ],
)  # fmt: skip
def test_a_truth_value_stands_alone(tmp_path: Path, where: str, expected: set[object]) -> None:
    with closing(open_zoo(tmp_path, World({}).answer, service=FLAGS)) as engine:
        found = engine.explain(f"FROM conn_a.w.flags WHERE level = 7 AND ({where})")
        assert found is not None
        (scan,) = found.scans
        place = scan.constants.columns.index("flag") if "flag" in scan.constants.columns else 0
        assert {(row[place],) for row in scan.constants.rows} == expected


PIVOTED = f"PIVOT (SELECT sub, kind, grp FROM {SUBS} WHERE grp = '5') ON kind IN ('k')"
UNREAD: dict[str, Case] = {
    "PIVOT is sorted, every row of its table counts": (
        f"PIVOT {SUBS} ON kind IN ('k') USING count(*) GROUP BY grp ORDER BY grp LIMIT 2",
        2, 5,
    ),
    "PIVOT is over a query, which is read by itself": (
        f"{PIVOTED} USING count(*) GROUP BY grp ORDER BY grp", 1, 1,
    ),
    "a recursive CTE keeps the best of each key": (
        f"WITH RECURSIVE r(a, b) USING KEY (a, max(b)) AS (SELECT grp, 1 FROM {SUBS} "
        "UNION SELECT a, b + 1 FROM r WHERE b < 3) FROM r", 3, 5,
    ),
    "WHERE restricts beside a select list that cannot be read": (
        f"SELECT n!, part FROM {ITEMS} WHERE grp = '5' AND part = 'x'", 2, 1,
    ),
    "a select list that cannot be read may make one row of many": (
        f"SELECT sum(seq!) FROM {LINES} WHERE grp = '5' LIMIT 1", 1, 2,
    ),
    "a subquery of such a select list is read by itself": (
        f"SELECT n!, (SELECT count(*) FROM {SUBS} s WHERE s.grp = '7') FROM {ITEMS} "
        "WHERE grp = '5'", 4, 2,
    ),
    "a CTE is read once more where nobody can see how": (
        f"WITH c AS (FROM {ITEMS}) SELECT n!, (SELECT count(*) FROM c) FROM c WHERE grp = '5'",
        4, 5,
    ),
    "a CTE of the name of a table is what feeds": (
        f"WITH notes AS (SELECT 'a' AS x), q AS (SELECT s.sub FROM {SUBS} s JOIN notes ON "
        "notes.x = s.grp) SELECT (ascii(sub) - 118)! FROM q", 2, 1,
    ),
    "a correlated subquery knows its own table alone": (
        f"SELECT n! FROM {ITEMS} i WHERE i.grp = '5' "
        f"AND EXISTS (FROM {SUBS} s WHERE s.grp = i.grp AND s.sub = i.part)", 4, 2,
    ),
    "a required parameter has its value in WHERE": (
        f"SELECT amount! FROM {DAY_ROWS} WHERE day = DATE '2026-01-01'", 1, 1,
    ),
    "branches of a union are restricted each by its own": (
        f"SELECT n! FROM {ITEMS} WHERE grp = '5' AND part = 'x' UNION ALL "
        f"SELECT seq! FROM {LINES} WHERE grp = 'a'", 7, 3,
    ),
    "a column is named with its table's whole name": (
        f"SELECT {ITEMS}.n! AS f, items.grp FROM {ITEMS} WHERE {ITEMS}.grp = '5'", 4, 1,
    ),
    "letters beyond ASCII and comments stand before a name": (
        f"SELECT 'é ü', n! /* {SUBS} */ FROM conn_a /* é */ . w . \"ITEMS\" WHERE grp = '5'", 4, 1,
    ),
    "IS DISTINCT FROM is no FROM": (
        f"SELECT n!, note IS NOT DISTINCT FROM 'q' FROM {ITEMS} WHERE grp = '5'", 4, 1,
    ),
}  # fmt: skip


@over(("sql", "rows", "most"), UNREAD.values(), ids=UNREAD.keys())
def test_what_only_duckdb_reads_is_answered_where(
    court: Court, sql: str, rows: int, most: int
) -> None:
    tree = parse(sql, syntax_of=court.engine.session.syntax_of).tree
    assert isinstance(tree, Unread)
    tried(court, sql, rows, most)


@pytest.mark.parametrize(("arguments", "mark"), [(["5"], "?"), (["5"], "$1"), ({"g": "5"}, "$g")])
def test_bound_values_reach_what_only_duckdb_reads(
    court: Court, arguments: object, mark: str
) -> None:
    sql = f"SELECT n! FROM {ITEMS} WHERE grp = {mark}"
    tried(court, sql, 4, 5 if mark == "?" else 1, arguments)


@over(
    ("sql", "message"),
    [
        (f"SELECT amount! FROM {DAY_ROWS}", "needs day"),
        (f"SELECT n!, _connection FROM {ITEMS}", "_connection"),
        (f"PIVOT {SUBS} ON _connection IN ('a') USING count(*) ORDER BY ALL", "_connection"),
        (f"PIVOT {SUBS} ON rowid IN (1) USING count(*) ORDER BY ALL", "rowid"),
        (f"INSERT INTO {SUBS} BY POSITION FROM notes", "cannot be planned"),
        (f"WITH w AS (INSERT INTO {SUBS} BY POSITION FROM notes RETURNING *) FROM w", ""),
    ],
)
def test_nothing_is_sent_for_what_only_duckdb_reads(court: Court, sql: str, message: str) -> None:
    court.enter(world())
    court.world.asked.clear()
    with pytest.raises(ConnstatError) as caught:
        list(court.engine.run(sql))
    assert message in caught.value.message
    assert court.world.asked == []


def test_the_rows_of_what_only_duckdb_reads_are_kept(court: Court) -> None:
    court.enter(world())
    for sql in (
        f"CREATE OR REPLACE TEMP TABLE mine AS {PIVOTED} USING count(*) GROUP BY grp",
        "CREATE OR REPLACE TEMP TABLE ours (a VARCHAR, b VARCHAR, c VARCHAR)",
        f"INSERT INTO ours BY POSITION FROM {SUBS} WHERE grp = '5'",
    ):
        list(court.engine.run(sql))
    (result,) = court.engine.run("SELECT (FROM mine SELECT k), count(*) FROM ours")
    assert [column.to_pylist() for column in result.table.columns] == [[1], [2]]


@pytest.mark.parametrize("value", ["5", "x"])
def test_which_of_two_meanings_having_goes_by_is_duckdbs_business(court: Court, value: str) -> None:
    sql = f"SELECT grp AS sub, sub AS grp, count(*) FROM {SUBS} GROUP BY ALL HAVING grp = '{value}'"
    court.enter(world())
    trial = court.try_query(Query(sql, None, tables=frozenset(TABLES)))
    assert (trial.verdict, trial.why) == (Verdict.AGREED, "")


HIDDEN_WITH = (
    f"WITH s AS (SELECT * FROM {SUBS}) (WITH s AS (FROM s WHERE grp = '5') SELECT * FROM s)",
    f"WITH s AS (SELECT * FROM {SUBS}) ((WITH s AS (SELECT 1 AS grp) SELECT * FROM s)) LIMIT 50",
    f"SELECT * FROM (WITH s AS (FROM {SUBS}) (WITH s AS (FROM s WHERE grp = '5') FROM s)) AS t",
)


@over("sql", HIDDEN_WITH)
def test_a_with_that_duckdb_forgets_restricts_nothing(court: Court, sql: str) -> None:
    """DuckDB drops the inner of two WITH that stand right behind each other."""
    court.enter(world())
    trial = court.try_query(Query(sql, None, tables=frozenset({*TABLES, *LOCALS})))
    assert trial.verdict in (Verdict.AGREED, Verdict.REFUSED), trial
    assert trial.verdict is Verdict.AGREED or trial.requests == 0


def test_bounds_that_are_no_whole_numbers_bind_nothing_and_break_nothing(court: Court) -> None:
    court.enter(world())
    sql = f"SELECT * FROM {CODES} WHERE code BETWEEN 4.5 AND 7.2 AND lang = '5'"
    trial = court.try_query(Query(sql, None, tables=frozenset({*TABLES, *LOCALS})))
    assert trial.verdict in (Verdict.AGREED, Verdict.REFUSED), trial


def test_a_cte_of_the_same_name_inside_reads_the_one_outside(court: Court) -> None:
    court.enter(world())
    sql = (
        f"WITH s AS (SELECT * FROM {SUBS} WHERE grp = '5') SELECT * FROM (WITH s AS "
        "(SELECT * FROM s WHERE sub = 'A') SELECT * FROM s) UNION ALL SELECT * FROM s"
    )
    trial = court.try_query(Query(sql, None, tables=frozenset({*TABLES, *LOCALS})))
    assert trial.verdict is Verdict.AGREED, trial
