"""The table of faults: lists that never end, repeat themselves, move, or lead elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connstat_sql import ConnstatError, LiveDatabase, PlanError, UnexpectedShape
from connstat_sql.demo import DemoServers
from tests.chaos import chaos_of
from tests.fault_table import live

BUDGET = 20

TABLE: tuple[tuple[str, type[ConnstatError], str, int], ...] = (
    ("endless", PlanError, f"budget of {BUDGET} requests is used up", BUDGET),
    ("repeating", UnexpectedShape, "repeats", 3),
    ("lost_tokens", UnexpectedShape, "holds no token", 1),
    ("foreign_links", UnexpectedShape, "leads to 'https://elsewhere.example", 1),
    ("foreign_link_headers", UnexpectedShape, "leads to 'https://elsewhere.example", 1),
    ("empty_pages", UnexpectedShape, "without rows", 2),
    ("shifting_totals", UnexpectedShape, "is 2[67] now, and was 25", 3),
    ("short_pages", UnexpectedShape, "holds 9 rows", 3),
    ("long_tokens", UnexpectedShape, "cannot be sent", 1),
)
"""What each list does is the description of its table; its error, and how many requests it costs
at most (pages side by side may be given up before they are sent)."""


@pytest.fixture(scope="module")
def database(sandbox: DemoServers) -> Iterator[LiveDatabase]:
    with live({"chaos": chaos_of(sandbox)}) as opened:
        yield opened


@pytest.mark.parametrize(("table", "kind", "says", "requests"), TABLE, ids=[t[0] for t in TABLE])
def test_a_list_that_does_not_end_well_is_said(
    database: LiveDatabase, sandbox: DemoServers, table: str, kind: type[ConnstatError], says: str,
    requests: int,
) -> None:  # fmt: skip
    with pytest.raises(kind, match=says):
        database.sql(f"SELECT number FROM chaos.paging_faults.{table}", max_requests=BUDGET)
    assert sandbox.count() <= requests


def test_rows_that_are_inserted_meanwhile_cost_none_where_tokens_name_the_next_row(
    database: LiveDatabase,
) -> None:
    sql = "SELECT number FROM chaos.paging_faults.shifting_tokens ORDER BY number"
    assert database.sql(sql).fetchall() == [(number,) for number in range(25)]
