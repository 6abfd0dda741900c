"""The engine, opened beside the prompt: who types does not wait for imports."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

log = logging.getLogger(__name__)

if TYPE_CHECKING:
    from connstat_sql.engine import Engine


class Worker:
    """Does one thing after the other, on a thread that lives as long as there is something to do.

    >>> worker, done = Worker(), []
    >>> worker.do(lambda: done.append("first"))
    >>> worker.do(lambda: done.append("second"))
    >>> worker.wait(60), done
    (True, ['first', 'second'])
    """

    def __init__(self) -> None:
        self._acts: deque[Callable[[], None]] = deque()
        self._changed = threading.Condition()
        self._is_at_work = self._is_closed = False

    def do(self, act: Callable[[], None]) -> None:
        """Do something once what was wanted before is done; nothing more after `close`."""
        with self._changed:
            if self._is_closed:
                return
            self._acts.append(act)
            if not self._is_at_work:
                threading.Thread(target=self._work, name="connstat-worker", daemon=True).start()
                self._is_at_work = True

    def wait(self, seconds: float) -> bool:
        """Wait until there is nothing to do; False where that takes too long."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._is_at_work, seconds)

    def close(self, seconds: float) -> bool:
        """Leave what has not begun, and wait for what has; False where that takes too long."""
        with self._changed:
            self._is_closed = True
            self._acts.clear()
        return self.wait(seconds)

    def _work(self) -> None:
        while True:
            with self._changed:
                if not self._acts:
                    self._is_at_work = False
                    self._changed.notify_all()
                    return
                act = self._acts.popleft()
            try:
                act()
            except Exception as error:  # the shell is being left, or goes on without
                log.debug("what makes typing easier is not there: %s", error)


class LateEngine:
    """An engine that is opened when it is first needed, or before that on a worker.

    What goes wrong is raised by `get`, in the thread that asks; the next `get` tries again.
    """

    def __init__(self, open_: Callable[[], Engine], worker: Worker) -> None:
        self._open = open_
        self._worker = worker
        self._engine: Engine | None = None
        self._failure: Exception | None = None
        self._has_begun = False
        self._is_out = threading.Event()
        """Set once the worker has an engine, or has failed."""

    def begin(
        self, tell: Callable[[], None], afterwards: Callable[[Engine], None] = lambda _: None
    ) -> None:
        """Open it beside whatever else is done; `tell` is called there when that has ended.

        What is to be done `afterwards` comes before that, with all that it wants done first of
        all. It shares the engine with whoever has got it by then, and keeps off what needs a lock.
        """

        def do_afterwards() -> None:
            if self._engine is not None:
                afterwards(self._engine)

        if not self._has_begun:
            self._has_begun = True
            for act in (self._try, do_afterwards, lambda: self._worker.do(tell)):
                self._worker.do(act)

    @property
    def is_opening(self) -> bool:
        """Whether it is being opened, or has yet to be."""
        return self._engine is None and self._failure is None

    def ready(self) -> Engine | None:
        """The engine, if it has been opened."""
        return self._engine

    def get(self) -> Engine:
        """The engine; waits for it. Raises what opening it raised: a ConnstatError, as a rule."""
        if self._has_begun:
            self._is_out.wait()
            failure, self._failure = self._failure, None
            if failure is not None:
                raise failure
        if self._engine is None:
            self._engine = self._open()
        return self._engine

    def _try(self) -> None:
        try:
            self._engine = self._open()
        except Exception as error:  # whoever asks for the engine is told
            self._failure = error
        finally:
            self._is_out.set()
