"""Statements that end in every way there is: exact rows or an error of ours, and nothing stays."""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from connstat_sql import LiveDatabase
from connstat_sql.bootstrap import Setup, open_engine
from connstat_sql.engine import EngineOptions
from connstat_sql.errors import ConnstatError, Interrupted
from tests.attack.outcome import Outcome
from tests.chaos import CHAOS_PROVIDERS
from tests.soak.asked import ask
from tests.soak.rude import rude_server
from tests.soak.run import HurriedClock, left_of

SHARE = 0.05
TIMEOUT = 0.15
_WORDS = re.compile(r"[A-Za-z_]+|[^\sA-Za-z_0-9]")
_JUNK = ("nowhere", "'", "(", ")", ",", "NULL", "SELECT", "", "", "\x00", "::DATE", "number", "--")


def run(count: int, seed: int) -> Outcome:
    """So many statements; afterwards memory, descriptors and threads are what they were."""
    outcome, source = Outcome(), random.Random(seed)
    with rude_server(seed, SHARE) as server:
        outside = EngineOptions(environment={}, clock=HurriedClock(), timeout=TIMEOUT)
        connections = {"chaos": {"provider": "chaos", "base_url": f"{server.url}/chaos"}}
        setup = Setup(connections=connections, providers=(CHAOS_PROVIDERS,))
        with LiveDatabase(open_engine(setup, outside)) as database:
            _try_some(database, outcome, source, count)
            left = left_of(database)
        requests, hit = server.counted()
    if left.tasks or left.tables:
        outcome.failures.append(f"{left.tasks} tasks and {left.tables} tables are left")
    outcome.figures += f"; {requests:,} requests, {hit.total():,} faults"
    return outcome


def _try_some(database: LiveDatabase, outcome: Outcome, source: random.Random, count: int) -> None:
    for _ in outcome.turns(count):
        way = source.choice(("whole", "partial", "wrong", "interrupted"))
        asked = ask(source)
        sql = _spoilt(asked.sql, source) if way == "wrong" else asked.sql
        seconds = source.random() / 20 if way == "interrupted" else None
        try:
            with _interrupting(database, seconds):
                result = database.sql(sql, partial=way == "partial")
            rows = "wrong rows" if way != "wrong" and not asked.is_right(result) else "exact"
        except ConnstatError as error:
            outcome.ends[type(error).__name__] += 1
            if isinstance(error, Interrupted) and way != "interrupted":
                outcome.failures.append(f"an interrupt of the statement before: {sql}")
        except BaseException as error:
            outcome.failures.append(f"{type(error).__name__}: {error}: {sql!r}")
        else:
            outcome.ends["wrong SQL with rows" if way == "wrong" else rows] += 1
            if rows == "wrong rows":
                outcome.failures.append(f"other rows: {sql}: {result.fetchall()[:20]}")


def _spoilt(sql: str, source: random.Random) -> str:
    """The text with a word or two exchanged; numbers stay, so that it asks for no more."""
    for _ in range(source.randint(1, 2)):
        word = source.choice(list(_WORDS.finditer(sql)))
        sql = sql[: word.start()] + source.choice(_JUNK) + sql[word.end() :]
    return sql


@contextmanager
def _interrupting(database: LiveDatabase, seconds: float | None) -> Iterator[None]:
    """Interrupt what runs in so many seconds, unless it has ended."""
    if seconds is None:
        yield
        return
    timer = threading.Timer(seconds, database.interrupt)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
