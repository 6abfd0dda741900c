"""A parameter that equals a subquery told for each row beside it: that row's value is asked for."""

from __future__ import annotations

import pytest

from tests.oracle.law import Court, Verdict
from tests.oracle.pieces import Query
from tests.oracle.zoo import LOCALS, TABLES
from tests.tabled import over
from tests.unit.planner.test_planner_law import CODES, GROUPS, SUBS, world

SAID = frozenset({"5", "7", "a", "1", "2", "zz"})
LARGEST = "(SELECT max(m.k) FROM notes m WHERE m.x = n.x)"


@pytest.fixture(scope="module", autouse=True)
def _entered(court: Court) -> None:
    court.enter(world())


def query(sql: str) -> Query:
    return Query(sql, None, SAID, frozenset({*TABLES, *LOCALS}))


def of_notes(value: str, tail: str = "") -> str:
    return f"SELECT n.k, c.label FROM notes n JOIN {CODES} c ON c.lang = 'a' {tail} AND {value}"


TOLD = {
    "of a local table": (of_notes(f"c.code = {LARGEST}"), 3),
    "of a live table": (
        of_notes(f"c.code = (SELECT max(m.size) FROM {GROUPS} m WHERE m.g = n.x)"), 2,
    ),
    "in an expression": (of_notes(f"c.code = 0 + {LARGEST}"), 3),
    "or a constant": (of_notes(f"(c.code = {LARGEST} OR c.code = 7)"), 3),
    "of names without a table": (
        of_notes(f"c.code = (SELECT max(size) FROM {GROUPS} WHERE g = x)"), 2,
    ),
    "of names that are columns inside first": (
        of_notes("c.code = (SELECT max(k) FROM notes WHERE x = n.x)"), 3,
    ),
    "of the first row": (
        of_notes("c.code = (SELECT m.k FROM notes m WHERE m.x = n.x ORDER BY m.k LIMIT 1)"), 3,
    ),
    "of a count": (of_notes("c.code = (SELECT 4 + count(*) FROM notes m WHERE m.x <> n.x)"), 3),
    "of a CTE": (
        "WITH q AS (FROM notes) " + of_notes(f"c.code = {LARGEST.replace('notes', 'q')}"), 3,
    ),
    "of two sources": (
        f"SELECT c.* FROM notes n, mixed b, {CODES} c WHERE c.lang = 'a' AND c.code = "
        "(SELECT max(m.k) + b.x - 5 FROM notes m WHERE m.x = n.x)", 3,
    ),
    "of a derived table, by its own name": (
        f"SELECT c.* FROM (SELECT x AS z FROM notes) n, {CODES} c WHERE c.lang = 'a' "
        "AND c.code = (SELECT max(m.k) FROM notes m WHERE m.x = n.z)", 3,
    ),
    "of columns that a column list renames": (
        f"SELECT s.sub FROM {GROUPS} AS h(z), {SUBS} s WHERE s.grp = "
        "(SELECT max(n.x) FROM notes n WHERE n.x = h.z)", 3,
    ),
    "on the other side of LEFT JOIN": (
        f"SELECT c.* FROM notes n LEFT JOIN {CODES} c ON c.lang = 'a' AND c.code = {LARGEST}", 3,
    ),
}  # fmt: skip


@over("sql, most", TOLD.values())
def test_the_value_of_each_row_is_asked_for(court: Court, sql: str, most: int) -> None:
    trial = court.try_query(query(sql))
    assert (trial.verdict, trial.why) == (Verdict.AGREED, "")
    assert trial.rows > 0
    assert trial.requests <= most, court.world.asked


@over(
    "value",
    [
        "(SELECT max(m.k) FROM notes m WHERE m.x = c.label)",
        "(SELECT max(m.k) FROM notes m WHERE m.x = n.x AND c.label = 'L')",
        "(SELECT any_value(m.k) FROM notes m WHERE m.x = n.x)",
        "(SELECT max(m.k) FROM notes m WHERE m.x = n.x AND random() >= 0)",
        "(SELECT max(m.k) FROM notes m WHERE m.x = n.x AND n IS NOT NULL)",
    ],
)
def test_what_speaks_of_the_table_itself_or_changes_is_no_value(court: Court, value: str) -> None:
    trial = court.try_query(query(of_notes(f"c.code = {value}")))
    assert trial.verdict is Verdict.REFUSED, trial.why
    assert trial.why.startswith("BindError: zoo.w.codes needs code")


def test_a_count_over_rows_that_an_outer_join_leaves_out_is_no_value(court: Court) -> None:
    sql = f"""SELECT c.* FROM mixed x LEFT JOIN notes n ON n.k = x.x + 100, {CODES} c
        WHERE c.lang = 'a' AND c.code = (SELECT 1 + count(*) FROM notes m WHERE m.x = n.x)"""
    assert court.try_query(query(sql)).verdict is Verdict.REFUSED
