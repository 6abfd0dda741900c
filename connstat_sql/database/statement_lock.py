"""Whose turn it is: one statement at a time, and none for longer than it may take."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb

from connstat_sql.database.errors import interruptible
from connstat_sql.errors import DeadlinePassed, ExecuteError, Interrupted

_AGAIN = 0.05
"""Seconds until DuckDB is interrupted once more: it forgets what comes before a query begins."""


@dataclass(slots=True)
class Run:
    """The statements of one text, which an interrupt stops together; they take several turns."""

    is_interrupted: bool = False


class Turns:
    """Lets threads take turns. Whoever has the turn cannot have another."""

    def __init__(self) -> None:
        self._run = Run()
        self._lock = threading.Lock()
        self._owner: int | None = None
        self._process = os.getpid()
        self.is_barred: Callable[[], bool] = lambda: False
        """Whether this thread may have none, as that which sends requests may not."""

    @property
    def is_of_this_process(self) -> bool:
        """Whether the process has not been forked since: a child has none of the threads."""
        return os.getpid() == self._process

    @contextmanager
    def turn(
        self, seconds: float | None = None, run: Run | None = None, *, is_last: bool = False
    ) -> Iterator[None]:
        """Wait for the turn, at most so long (None: however long). Raises DeadlinePassed.

        Raises ExecuteError where the thread is barred, unless nothing `is_last` but to close;
        from within a turn, as in what is told of its progress, and in a process
        that was forked from the one that began.
        """
        if not is_last and self.is_barred():
            raise ExecuteError("whoever observes requests cannot run statements", sql="")
        if not self.is_of_this_process:
            raise ExecuteError(
                "this connection was opened by another process, of which this one is a fork",
                sql="",
                hint="open one in each process, after the fork",
            )
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
        self._owner, self._run = me, run or Run()
        try:
            with interruptible():
                yield
        except KeyboardInterrupt as error:
            if self._run.is_interrupted:  # DuckDB was asked to stop, and nobody has pressed a key
                raise Interrupted("interrupted") from error
            raise
        finally:
            self._owner = None
            self._lock.release()

    def interrupt(self) -> None:
        """Nothing more is wanted of the run whose turn it is; from any thread, and a signal."""
        self._run.is_interrupted = True

    def confirm(self) -> None:
        """Raise Interrupted when nothing more is wanted."""
        if self._run.is_interrupted:
            raise Interrupted("interrupted")


class Watches:
    """What stops a statement that DuckDB runs: an interrupt, or the end of its time.

    DuckDB forgets an interrupt that comes before a query begins, so it is told again and again.
    """

    def __init__(self, interrupt: Callable[[], None]) -> None:
        self._interrupt = interrupt
        self._under_way: list[_Watch] = []
        self.before_running: Callable[[], None] = lambda: None
        """Raises when nothing more is wanted."""

    @contextmanager
    def watched(self, seconds: float | None = None) -> Iterator[None]:
        """Let DuckDB be stopped. Raises DeadlinePassed when it takes longer than these seconds."""
        watch = _Watch(self._interrupt)
        self._under_way.append(watch)
        if seconds is not None:
            watch.begin(seconds)
        try:
            with interruptible():
                self.before_running()
                yield
            if watch.has_passed:
                raise _late()
        except KeyboardInterrupt as error:
            is_duckdb = isinstance(error.__cause__, (duckdb.Error, RuntimeError))
            if is_duckdb and watch.has_passed and not watch.is_hurried:
                raise _late() from error
            raise
        finally:
            self._under_way.remove(watch)
            watch.end()

    def confirm(self) -> None:
        """Raise when there is no time left, or nothing more is wanted."""
        self.before_running()
        if any(watch.has_passed for watch in self._under_way):
            raise _late()

    def interrupt(self) -> None:
        """Stop what is watched, or what DuckDB does for somebody else; from a signal too."""
        for watch in (*self._under_way,):
            watch.hurry()
        self._interrupt()


def _late() -> DeadlinePassed:
    return DeadlinePassed("the statement ran past its deadline", hint="raise --deadline")


class _Watch:
    """Interrupts once the time is over, or when it is told to, and never after `end`."""

    def __init__(self, interrupt: Callable[[], None]) -> None:
        self._interrupt = interrupt
        self._over = threading.Event()
        self._lock = threading.RLock()  # a signal may come while its own thread holds it
        self._threads: list[threading.Thread] = []
        self.has_passed = self.is_hurried = False

    def begin(self, seconds: float, *, is_deadline: bool = True) -> None:
        """Interrupt after so many seconds, again and again."""
        with self._lock:
            if not self._over.is_set():
                thread = threading.Thread(
                    target=self._run,
                    args=(seconds, is_deadline),
                    daemon=True,
                    name="connstat-deadline",
                )
                self._threads.append(thread)
                thread.start()

    def hurry(self) -> None:
        """Interrupt from now on."""
        if not self.is_hurried:
            self.is_hurried = True
            self.begin(_AGAIN, is_deadline=False)

    def _run(self, left: float, is_deadline: bool) -> None:
        while not self._over.wait(min(left, threading.TIMEOUT_MAX)):
            with self._lock:
                if self._over.is_set():
                    return
                self.has_passed = self.has_passed or is_deadline
                self._interrupt()
            left = _AGAIN

    def end(self) -> None:
        """Nothing is interrupted from here on."""
        with self._lock:
            self._over.set()
        for thread in self._threads:
            thread.join()
