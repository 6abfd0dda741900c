"""Whose turn it is: one statement at a time, and none for longer than it may take."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import duckdb

from connstat_sql.errors import DeadlinePassed, ExecuteError

_AGAIN = 0.05
"""Seconds until DuckDB is interrupted once more: it forgets what comes before a query begins."""


class Turns:
    """Lets threads take turns. Whoever has the turn cannot have another."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owner: int | None = None

    @contextmanager
    def turn(self, seconds: float | None = None) -> Iterator[None]:
        """Wait for the turn, at most so long (None: however long). Raises DeadlinePassed.

        Raises ExecuteError from within a turn, as in what is told of its progress.
        """
        me = threading.get_ident()
        if self._owner == me:
            raise ExecuteError(
                "a statement of this connection is running",
                sql="",
                hint="wait for its end, or use a connection of its own",
            )
        if not self._lock.acquire(timeout=-1 if seconds is None else max(seconds, 0)):
            raise DeadlinePassed(
                "the deadline passed while another statement ran", hint="raise --deadline"
            )
        self._owner = me
        try:
            yield
        finally:
            self._owner = None
            self._lock.release()


@contextmanager
def within(seconds: float | None, interrupt: Callable[[], None]) -> Iterator[None]:
    """Interrupt DuckDB when it takes longer. Raises DeadlinePassed in place of that interrupt."""
    if seconds is None:
        yield
        return
    watch = _Watch(seconds, interrupt)
    watch.start()
    try:
        yield
    except KeyboardInterrupt as error:
        if watch.has_passed and isinstance(error.__cause__, (duckdb.Error, RuntimeError)):
            raise DeadlinePassed(
                "the statement ran past its deadline", hint="raise --deadline"
            ) from error
        raise
    finally:
        watch.end()


class _Watch(threading.Thread):
    """Interrupts once the time is over, and never after `end`."""

    def __init__(self, seconds: float, interrupt: Callable[[], None]) -> None:
        super().__init__(daemon=True, name="connstat-deadline")
        self._seconds, self._interrupt = seconds, interrupt
        self._over, self._lock = threading.Event(), threading.Lock()
        self.has_passed = False

    def run(self) -> None:
        """Wait, then interrupt until it is noticed."""
        left = self._seconds
        while not self._over.wait(min(left, threading.TIMEOUT_MAX)):
            with self._lock:
                if self._over.is_set():
                    return
                self.has_passed = True
                self._interrupt()
            left = _AGAIN

    def end(self) -> None:
        """Nothing is interrupted from here on."""
        with self._lock:
            self._over.set()
        self.join()
