"""A parameter that equals one of several: other columns, constants, elements of lists."""

from __future__ import annotations

import pytest

from tests.oracle.law import Court, Verdict
from tests.oracle.pieces import Query
from tests.oracle.zoo import LOCALS, TABLES
from tests.tabled import over
from tests.unit.planner.test_planner_law import CODES, GROUPS, SUBS, world

LISTS = """CREATE OR REPLACE TABLE lists AS SELECT ['5', '7'] AS texts, [5, 7] AS numbers, 'a' AS x
    UNION ALL SELECT ['a', NULL, '5'], [NULL], 'b' UNION ALL SELECT NULL, NULL, NULL"""
LARGE = "(SELECT [5::BIGINT, 7, 5000000000] AS z) v"


@pytest.fixture(scope="module", autouse=True)
def _entered(court: Court) -> None:
    court.enter(world())


def agreed(court: Court, sql: str, *setup: str) -> int:
    """How many requests a query needs that is answered as DuckDB answers it."""
    tables, said = frozenset({*TABLES, *LOCALS}), frozenset({"5", "7", "a", "1", "2", "zz"})
    trial = court.try_query(Query(sql, None, said, tables, setup))
    assert (trial.verdict, trial.why) == (Verdict.AGREED, "")
    assert trial.rows > 0
    return trial.requests


ONE_OF = {
    "a column or a constant": (
        f"FROM notes n JOIN {CODES} c ON c.code = n.k OR c.code = 7 WHERE c.lang = 'a'", 3,
    ),
    "pairs, of a column and of constants": (
        f"FROM notes n, {CODES} c WHERE (c.lang = '5' AND c.code = n.k) "
        "OR (c.lang = 'a' AND c.code = 7)", 4,
    ),
    "a list of columns and constants": (
        f"FROM notes n, {CODES} c WHERE c.lang = 'a' AND c.code IN (n.k, 7)", 3,
    ),
    "a list with NULL": (f"FROM notes n JOIN {SUBS} s ON s.grp IN (n.x, NULL)", 3),
    "columns of two sources": (
        f"FROM notes n, mixed m, {CODES} c WHERE c.lang = 'a' AND (c.code = n.k OR c.code = m.x)",
        3,
    ),
    "a column of a live table or a constant": (
        f"FROM {GROUPS} g JOIN {CODES} c ON c.code = g.size OR c.code = 7 WHERE c.lang = 'a'", 4,
    ),
    "a subquery or a constant": (
        f"FROM {CODES} c WHERE c.lang = 'a' AND (c.code = 7 OR c.code IN (SELECT k FROM notes))", 3,
    ),
    "the other side of LEFT JOIN": (
        f"FROM notes n LEFT JOIN {CODES} c ON c.lang = 'a' AND (c.code = n.k OR c.code = 7)", 3,
    ),
    "the outside of EXISTS": (
        f"FROM {CODES} c WHERE c.lang = 'a' AND EXISTS (FROM notes n WHERE n.k = c.code "
        "OR c.code = 7)", 3,
    ),
    "IN a list": (f"FROM lists l JOIN {SUBS} s ON s.grp IN l.texts", 3),
    "list_contains": (f"FROM lists l JOIN {SUBS} s ON list_contains(l.texts, s.grp)", 3),
    "ANY of a list": (f"FROM lists l JOIN {SUBS} s ON s.grp = ANY(l.texts)", 3),
    "SOME of a list": (
        f"FROM lists l JOIN {CODES} c ON c.code = SOME(l.numbers) WHERE c.lang = 'a'", 2,
    ),
    "a list or a column": (
        f"FROM lists l JOIN {SUBS} s ON s.grp IN l.texts OR s.grp = l.x", 4,
    ),
    "a list made of columns": (f"FROM notes n JOIN {SUBS} s ON s.grp = ANY([n.x, n.y])", 5),
    "whole numbers of another type": (
        f"FROM {LARGE} JOIN {CODES} c ON c.code = ANY(v.z) WHERE c.lang = 'a'", 2,
    ),
}  # fmt: skip


@over("sql, most", ONE_OF.values())
def test_each_value_is_asked_for_once(court: Court, sql: str, most: int) -> None:
    assert agreed(court, sql, LISTS) == most, court.world.asked


@over(
    "condition",
    [
        "s.grp = n.x OR n.k = 1",
        "s.grp = n.x OR s.sub = 'x'",
        "s.grp = n.x OR s.grp >= 'b'",
        "s.grp = n.x OR s.grp = s.sub",
        "s.grp = n.x OR s.grp = 'A' COLLATE NOCASE",
        "(s.grp = n.x OR s.grp = 'a') IS NOT FALSE",
        "NOT (s.grp = n.x OR s.grp = 'a')",
        "s.grp = n.x OR list_contains([n.x], s.sub)",
    ],
)
def test_where_other_values_may_do_all_are_asked_for(court: Court, condition: str) -> None:
    assert agreed(court, f"FROM notes n JOIN {SUBS} s ON {condition}") == 5, court.world.asked


def test_rows_that_outer_joins_leave_out_give_no_values(court: Court) -> None:
    sql = f"""FROM (VALUES (8)) v(k) LEFT JOIN notes n ON n.k = v.k, {SUBS} s
        WHERE s.grp = n.x OR s.grp = 'a'"""
    assert agreed(court, sql) == 5


ARGUMENTS = {
    "a text, of which it may be a part": "'a5'",
    "a text that is put together": "'a' || '5'",
    "a text that is calculated": "lower('A5')",
    "a query of one text": "(SELECT 'a5')",
    "a query of one list": "(SELECT ['5', 'zz'])",
    "a list": "['5', 'zz']",
    "a list that is put together": "['5'] || ['zz']",
    "a list of lists, of which one": "[['5'], ['a']][1]",
    "a map": "MAP {'5': 1}",
}


@over("argument", ARGUMENTS.values())
def test_what_a_macro_is_given_is_one_value_that_may_have_others_in_it(
    court: Court, argument: str
) -> None:
    made = f"CREATE OR REPLACE TEMP MACRO inside(p) AS TABLE FROM {SUBS} WHERE grp IN p"
    agreed(court, f"FROM inside({argument})", made)


@over("whole", ["'a5'", "lower('A5')", "MAP {'5': 1}", "'[\"5\"]'::JSON"])
def test_what_is_no_list_is_not_taken_apart(court: Court, whole: str) -> None:
    agreed(court, f"FROM {SUBS} WHERE grp IN {whole}")


@over("compared", ["IN (p)", "NOT IN (p)", "IN (p, 'a')", "= ANY([p])"])
def test_a_query_that_a_macro_is_given_is_one_value(court: Court, compared: str) -> None:
    made = f"CREATE OR REPLACE TEMP MACRO one(p) AS TABLE FROM {SUBS} WHERE grp {compared}"
    agreed(court, "FROM one((SELECT '5'))", made)


def test_no_list_is_made_of_a_query_that_a_macro_is_given(court: Court) -> None:
    made = f"CREATE OR REPLACE TEMP MACRO any_of(p) AS TABLE FROM {SUBS} WHERE grp = ANY(p)"
    trial = court.try_query(Query("FROM any_of((SELECT '5'))", setup=(made,)))
    assert (trial.verdict, trial.requests) == (Verdict.FAULTY, 0)
    agreed(court, "FROM any_of(['5', 'zz'])", made)
    agreed(court, "FROM any_of((SELECT ['5', 'zz']))", made)


def test_a_list_column_that_a_macro_is_given_is_asked_for_by_its_elements(court: Court) -> None:
    made = f"CREATE OR REPLACE TEMP MACRO inside(p) AS TABLE FROM {SUBS} WHERE grp IN p"
    assert agreed(court, "SELECT s.* FROM lists l, LATERAL inside(l.texts) s", LISTS, made) == 3


@over(
    "condition",
    [
        "s.grp = ANY([x FOR x IN l.texts])",
        "s.grp IN [x FOR x IN l.texts]",
        "list_contains([x FOR x IN l.texts], s.grp)",
        "s.grp = [x || '' FOR x IN l.texts IF x <> l.x][1]",
        "s.grp = (SELECT [x FOR x IN l.texts][2])",
        "len([grp FOR grp IN ['5'] IF grp = '7']) = 0",
        "NOT list_contains([grp FOR grp IN ['5']], '7')",
    ],
)
def test_the_variable_of_a_list_is_no_column(court: Court, condition: str) -> None:
    agreed(court, f"SELECT s.* FROM lists l, {SUBS} s WHERE {condition}", LISTS)
    inner = f"SELECT s.*, {condition} AS v FROM lists l, {SUBS} s"
    agreed(court, f"FROM ({inner}) WHERE v", LISTS)
