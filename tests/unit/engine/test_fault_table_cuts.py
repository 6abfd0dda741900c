"""The table of faults: an answer cut at each place, whatever promised its length."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from connstat_sql import LiveDatabase, Result
from connstat_sql.demo import DemoServers
from tests.chaos import chaos_of
from tests.conftest import FakeClock
from tests.fault_table import live, rows_of


class Noticing(FakeClock):
    """Waits take no time, but whoever waits sees which connections were closed meanwhile."""

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds)
        for _ in range(3):
            await asyncio.sleep(0)


@pytest.fixture(scope="module")
def database(sandbox: DemoServers) -> Iterator[LiveDatabase]:
    with live({"chaos": chaos_of(sandbox)}, clock=Noticing()) as opened:
        yield opened


def cut_at(
    database: LiveDatabase, places: range, *, framing: str, times: int, total: int
) -> Result:
    """Each place is a fetch of its own, whose answer ends there."""
    sql = f"""SELECT bytes, number, name FROM chaos.faults.cut
        WHERE bytes IN ({", ".join(map(str, places))}) AND framing = '{framing}'
        AND times = {times} AND total = {total} AND size = 100 ORDER BY ALL"""
    return database.sql(sql, partial=True, max_requests=2000)


def failed(result: Result) -> set[int]:
    return {int(one.fetch.arguments["bytes"]) for one in result.errors}


ONCE = [(1, range(0, 420)), (100, range(0, 32_000, 431))]
ALWAYS = [(1, range(0, 420, 11)), (100, range(0, 32_000, 1_301))]
NO_LENGTH = [(1, range(0, 420)), (100, range(0, 32_000, 431))]
IDS = ["a small body", "a larger body"]


@pytest.mark.long
@pytest.mark.parametrize(("total", "places"), ONCE, ids=IDS)
@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_wherever_an_answer_is_cut_once_its_rows_are_exact(
    database: LiveDatabase, framing: str, total: int, places: range
) -> None:
    result = cut_at(database, places, framing=framing, times=1, total=total)
    assert result.complete, result.errors
    assert result.fetchall() == [(at, *one) for at in places for one in rows_of(total)]


@pytest.mark.long
@pytest.mark.parametrize(
    ("framing", "total", "places"),
    [("length", *one) for one in ALWAYS] + [("chunks", *one) for one in ALWAYS]
    + [("close", *one) for one in NO_LENGTH],
)  # fmt: skip
def test_wherever_an_answer_is_always_cut_it_has_all_rows_or_is_said(
    database: LiveDatabase, framing: str, total: int, places: range
) -> None:
    result = cut_at(database, places, framing=framing, times=1000, total=total)
    bad = failed(result)
    assert result.fetchall() == [
        (at, *one) for at in places if at not in bad for one in rows_of(total)
    ]
    good = [at for at in places if at not in bad]
    assert max(bad) < min(good)  # from some length on it is whole
