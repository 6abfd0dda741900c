"""Time that passes at once, for what watches: every wait is on record, and can do something."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pyarrow as pa

from connstat_sql.monitor.diff import Snapshot
from connstat_sql.monitor.rows import Identity

START = 1_800_000_000.0


class FastPace:
    """A clock that only waiting moves. `then` is called after each wait, with the seconds so far.

    `lag` is what a thoughtless timer adds to every wait.
    """

    def __init__(self, then: Callable[[float], None] = lambda _: None, lag: float = 0.0) -> None:
        self.passed = 0.0
        self.waits: list[float] = []
        self._then, self._lag = then, lag

    def now(self) -> float:
        return START + self.passed

    def elapsed(self) -> float:
        return self.passed

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.passed += seconds + self._lag
        self._then(self.passed)


def rows(names: Sequence[str], *values: Sequence[object]) -> pa.Table:
    """A table of text and numbers."""
    columns = [pa.array([row[place] for row in values]) for place in range(len(names))]
    return pa.table(columns, names=list(names))


NAMES = ("_connection", "name", "state", "worker")
KEYED = Identity(("_connection", "name"))


def look(*values: Sequence[object], failing: Sequence[str] = (), at: float = START) -> Snapshot:
    failures = dict.fromkeys(failing, "answered 503")
    return Snapshot(at, rows(NAMES, *values), failures, is_independent=True)
