"""The one law on clauses and names that few use, and on statements that only DuckDB can read.

Each query is tried as in `test_planner_law`. `rows` are those of the answer, `most` the requests.
"""

from __future__ import annotations

import pytest

from tests.oracle.law import Court, Verdict
from tests.oracle.pieces import Query
from tests.oracle.zoo import LOCALS, TABLES
from tests.tabled import over
from tests.test_planner_law import SUBS, world

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
