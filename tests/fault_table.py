"""Rows of the table of faults: what a server does, and what must come of it.

Either the fault is survived, with exactly the rows that there are, or it is said. How many requests
the server counts is part of it: the first try, and those that the fault is worth.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from connstat_sql import FetchError, LiveDatabase
from connstat_sql.bootstrap import Setup
from connstat_sql.demo import DemoServers
from connstat_sql.engine import Engine, EngineOptions
from connstat_sql.engine.live import LiveTables
from connstat_sql.transport import ClientOptions
from connstat_sql.transport.process_limits import ProcessLimits
from tests.chaos.rows import row
from tests.conftest import FakeClock, SharedWiring

LIMIT = 1_000_000
"""The size limit of an answer in these tests, in bytes."""


class SmallAnswers(LiveTables):
    """Live tables that take no answer larger than `LIMIT`, and share no limits with others."""

    def _client_options(self, *of_engine: Any) -> ClientOptions:
        options = super()._client_options(*of_engine)
        return replace(options, max_body=LIMIT, limits=ProcessLimits())


@contextmanager
def live(
    connections: Mapping[str, Mapping[str, Any]], providers: tuple[Path, ...] = (), **outside: Any
) -> Iterator[LiveDatabase]:
    """An open database over connections as in `connstat.toml`; waits take no time."""
    given: dict[str, Any] = {"environment": {}, "clock": FakeClock(), **outside}
    wiring = SharedWiring(Setup(connections=connections, providers=providers), given["environment"])
    database = LiveDatabase(Engine(wiring, EngineOptions(**given), live=SmallAnswers))
    try:
        yield database
    finally:
        database.close()


@dataclass(frozen=True, slots=True)
class Survived:
    """All rows come, after so many requests and waits of so many seconds in all (None: any)."""

    requests: int
    waited: float | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """An error of this kind, whose message or hint holds the words (a pattern)."""

    kind: type[FetchError]
    words: str
    requests: int


@dataclass(frozen=True, slots=True)
class Case:
    """One row of the table: a table of the chaos provider, its arguments, and what comes of it."""

    does: str
    table: str
    arguments: Mapping[str, object]
    comes: Survived | Said
    total: int = 3

    def __str__(self) -> str:
        return self.does

    def sql(self, now: float) -> str:
        """The query that meets the fault; dates are counted from `now`, in seconds."""
        wanted = {**self.arguments, "total": self.total}
        where = " AND ".join(f"{name} = {_literal(value, now)}" for name, value in wanted.items())
        return f"SELECT number, name FROM chaos.{self.table} WHERE {where} ORDER BY number"


@dataclass(frozen=True, slots=True)
class DateIn:
    """A date of HTTP in so many seconds."""

    seconds: int


def _literal(value: object, now: float) -> str:
    if isinstance(value, DateIn):
        value = formatdate(int(now) + value.seconds, usegmt=True)
    return f"'{value}'" if isinstance(value, str) else str(value)


def fault(does: str, table: str, comes: Survived | Said, **arguments: object) -> Case:
    """A case over a table of `chaos.faults`."""
    total = arguments.pop("total", 3)
    assert isinstance(total, int)
    return Case(does, f"faults.{table}", arguments, comes, total)


def rows_of(total: int) -> list[tuple[int, object]]:
    """Number and name of the rows that there are."""
    return [(number, row(7, number)["name"]) for number in range(total)]


def check(
    case: Case, database: LiveDatabase, sandbox: DemoServers, clock: FakeClock | None = None
) -> None:
    """Hold a case: what came is what the table says, and so is the number of requests."""
    sandbox.reset()
    clock = clock or FakeClock()
    clock.slept.clear()
    sql = case.sql(clock.time)
    if isinstance(case.comes, Said):
        with pytest.raises(FetchError) as caught:
            database.sql(sql)
        error = caught.value
        assert type(error) is case.comes.kind, repr(error)
        assert re.search(case.comes.words, f"{error.message} {error.hint}"), repr(error)
        assert (error.connection, error.table) == ("chaos", f"chaos.{case.table}")
        assert error.attempts == case.comes.requests
    else:
        result = database.sql(sql)
        assert result.fetchall() == rows_of(case.total)
        assert result.complete
        waited = case.comes.waited
        assert waited is None or abs(sum(clock.slept) - waited) < 1, clock.slept
    assert sandbox.count() == case.comes.requests
