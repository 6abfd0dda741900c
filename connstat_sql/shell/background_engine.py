"""The engine, opened beside the prompt: who types does not wait for imports."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from connstat_sql.errors import ConnstatError

log = logging.getLogger(__name__)

if TYPE_CHECKING:
    from connstat_sql.engine import Engine


class Threads:
    """The threads of one shell, which it waits for when it is left: those of others go on."""

    def __init__(self) -> None:
        self._begun: list[threading.Thread] = []
        self._lock = threading.Lock()

    def begin(self, act: Callable[[], None], name: str) -> threading.Thread:
        """Do something beside all else."""
        thread = threading.Thread(target=act, name=name, daemon=True)
        with self._lock:
            thread.start()
            self._begun = [*filter(threading.Thread.is_alive, self._begun), thread]
        return thread

    def wait(self, seconds: float) -> bool:
        """Wait for all, and for those that they begin; False where that takes too long."""
        until = time.monotonic() + seconds
        while alive := [thread for thread in self._begun if thread.is_alive()]:
            left = until - time.monotonic()
            if left <= 0:
                return False
            alive[0].join(left)
        return True


class LateEngine:
    """An engine that is opened when it is first needed, or before that on a thread of its own.

    What goes wrong is raised by `get`, in the thread that asks; the next `get` tries again.
    """

    def __init__(self, open_: Callable[[], Engine], threads: Threads) -> None:
        self._open = open_
        self._threads = threads
        self._prepare: list[Callable[[Engine], None]] = []
        self._afterwards: list[Callable[[Engine], None]] = []
        self._engine: Engine | None = None
        self._failure: Exception | None = None
        self._opening: threading.Thread | None = None
        self._is_out = threading.Event()
        """Set once the thread that opens has an engine, or has failed."""

    def then(self, prepare: Callable[[Engine], None]) -> None:
        """What else to do with a new engine, before it is handed out, by the thread that opens."""
        self._prepare.append(prepare)

    def afterwards(self, act: Callable[[Engine], None]) -> None:
        """What to do beside the first statements with an engine that `begin` has opened.

        It shares the engine with whoever has got it by then, and keeps off what needs a lock.
        """
        self._afterwards.append(act)

    def begin(self, tell: Callable[[], None]) -> None:
        """Open it beside whatever else is done; `tell` is called there when that has ended."""
        if self._opening is None:
            self._opening = self._threads.begin(partial(self._try, tell), "connstat-opening")

    @property
    def is_opening(self) -> bool:
        """Whether it is being opened, or has yet to be."""
        return self._engine is None and self._failure is None

    def ready(self) -> Engine | None:
        """The engine, if it has been opened."""
        return self._engine

    def get(self) -> Engine:
        """The engine; waits for it. Raises what opening it raised: a ConnstatError, as a rule."""
        if self._opening is not None:
            self._is_out.wait()
            self._opening = None
            failure, self._failure = self._failure, None
            if failure is not None:
                raise failure
        if self._engine is None:
            self._engine = self._opened()
        return self._engine

    def _try(self, tell: Callable[[], None]) -> None:
        try:
            self._engine = self._opened()
        except Exception as error:  # whoever asks for the engine is told
            self._failure = error
        finally:
            self._is_out.set()
        try:
            if self._engine is not None:
                for act in self._afterwards:
                    act(self._engine)
        except Exception as error:  # the shell is being left, or goes on without
            log.debug("what makes typing easier is not there: %s", error)
        tell()

    def _opened(self) -> Engine:
        engine = self._open()
        with suppress(ConnstatError):  # the statement that needs what is broken will say it
            for prepare in self._prepare:
                prepare(engine)
        return engine
