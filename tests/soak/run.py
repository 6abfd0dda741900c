"""Queries for some time, and what they left behind."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from connstat_sql import FetchError, LiveDatabase
from connstat_sql.bootstrap import Setup, open_engine
from connstat_sql.engine import EngineOptions
from tests.chaos import CHAOS_PROVIDERS
from tests.fakes.fetch_loops import tasks_of
from tests.soak.asked import Asked, ask
from tests.soak.rude import rude_server

TIMEOUT = 0.5
HURRY = 50
"""So many times faster than the machine's does the clock of the soak run: waits are short."""
SAMPLES = 200
MEGABYTE = 1_000_000


class HurriedClock:
    """A clock on which waits pass quickly."""

    def __init__(self) -> None:
        self._start = time.time()

    def now(self) -> float:
        """Seconds since the epoch, of which there are more than usual."""
        return self._start + (time.time() - self._start) * HURRY

    async def sleep(self, seconds: float) -> None:
        """Wait a part of that time."""
        await asyncio.sleep(seconds / HURRY)


@dataclass(frozen=True, slots=True)
class Left:
    """What a process holds between two statements; `memory` is in bytes."""

    memory: int
    sockets: int
    threads: int
    tasks: int
    tables: int


@dataclass
class Soak:
    """What came of the queries."""

    survived: int = 0
    said: int = 0
    wrong: list[str] = field(default_factory=list)
    requests: int = 0
    hit: Counter[str] = field(default_factory=Counter)
    samples: list[Left] = field(default_factory=list)

    @property
    def queries(self) -> int:
        """How many were asked."""
        return self.survived + self.said + len(self.wrong)

    def summary(self) -> str:
        """A few lines for whoever waited."""
        first, last = self.samples[0], self.samples[-1]
        faults = ", ".join(f"{name} {count:,}" for name, count in self.hit.most_common())
        return "\n".join(
            (
                f"{self.queries:,} queries, {self.requests:,} requests, "
                f"{sum(self.hit.values()):,} faults ({faults})",
                f"{self.survived:,} survived, {self.said:,} said, {len(self.wrong):,} wrong",
                f"memory {first.memory // MEGABYTE:,} MB after the start, "
                f"{last.memory // MEGABYTE:,} MB at the end, "
                f"{max(one.memory for one in self.samples) // MEGABYTE:,} MB at most",
                f"left behind: {last.sockets} sockets (at first {first.sockets}), "
                f"{last.threads} threads ({first.threads}), {last.tasks} tasks ({first.tasks}), "
                f"{last.tables} tables ({first.tables})",
                *self.wrong[:5],
            )
        )


def soak(
    seconds: float,
    seed: int,
    share: float,
    tell: Callable[[str], None] = lambda _: None,
    *,
    least: int = 1,
) -> Soak:
    """Ask for so many seconds and at `least` so often, with a share of the requests going wrong."""
    found = Soak()
    with rude_server(seed, share) as server:
        outside = EngineOptions(environment={}, clock=HurriedClock(), timeout=TIMEOUT)
        told = {"chaos": {"provider": "chaos", "base_url": f"{server.url}/chaos"}}
        with LiveDatabase(
            open_engine(Setup(connections=told, providers=(CHAOS_PROVIDERS,)), outside)
        ) as database:
            _ask_on(database, found, seconds, Random(seed), tell, least)
        found.requests, found.hit = server.counted()
    return found


def _ask_on(
    database: LiveDatabase,
    found: Soak,
    seconds: float,
    random: Random,
    tell: Callable[[str], None],
    least: int,
) -> None:
    started = time.monotonic()
    warm, gap = started + seconds / 5, seconds / SAMPLES
    due = warm
    while time.monotonic() < started + seconds or found.queries < least:
        _judge(database, ask(random), found, is_partial=random.random() < 0.5)
        if time.monotonic() >= due:
            due = time.monotonic() + gap
            found.samples.append(left_of(database))
            if len(found.samples) % 20 == 0:
                tell(f"{found.queries:,} queries, {found.said:,} said, {found.samples[-1]}")
    found.samples.append(left_of(database))


def _judge(database: LiveDatabase, asked: Asked, found: Soak, *, is_partial: bool) -> None:
    try:
        result = database.sql(asked.sql, partial=is_partial)
    except FetchError:
        found.said += 1
        if is_partial:
            found.wrong.append(f"an error of a partial statement: {asked.sql}")
        return
    if not asked.is_right(result):
        found.wrong.append(f"{asked.sql}\n  gave {result.fetchall()[:20]}\n  not {asked.rows[:20]}")
    elif result.complete:
        found.survived += 1
    else:
        found.said += 1


def left_of(database: LiveDatabase) -> Left:
    """What this process holds now."""
    fds = Path("/proc/self/fd")
    links = []
    for one in fds.iterdir():
        try:
            links.append(str(one.readlink()))
        except OSError:  # the listing's own
            continue
    count = database.duckdb.execute(
        "SELECT count(*) FROM duckdb_tables() WHERE table_name LIKE '\\_connstat%' ESCAPE '\\' "
        "AND table_name NOT LIKE '\\_connstat\\_empty%' ESCAPE '\\'"
    ).fetchone()
    resident = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return Left(
        memory=resident * os.sysconf("SC_PAGE_SIZE"),
        sockets=sum(one.startswith("socket:") for one in links),
        threads=threading.active_count(),
        tasks=tasks_of(database._engine.clients.loop),
        tables=int(count[0]) if count else 0,
    )


def problems(found: Soak, places: int) -> list[str]:
    """What should not be: wrong answers, and more left behind than a statement may leave.

    `places` is how many sockets may be kept alive.
    """
    said = [*found.wrong]
    first, last = found.samples[0], found.samples[-1]
    quarter = max(1, len(found.samples) // 4)
    early = max(one.memory for one in found.samples[:quarter])
    late = min(one.memory for one in found.samples[-quarter:])
    if late > early * 1.15 + 10 * MEGABYTE:
        said.append(f"memory has grown from {early:,} to {late:,} bytes")
    if last.sockets > first.sockets + places:
        said.append(f"{last.sockets} sockets are open, {first.sockets} at first")
    if last.threads > first.threads:
        said.append(f"{last.threads} threads run, {first.threads} at first")
    if last.tasks > first.tasks:
        said.append(f"{last.tasks} tasks are on the loop, {first.tasks} at first")
    if last.tables:
        said.append(f"{last.tables} tables were left")
    return said
