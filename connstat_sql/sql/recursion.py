"""Room for what is nested deeply: reading it calls itself as often as its parentheses stand."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")
_CALLS = 60_000
_STACK = 512 << 20
"""Bytes, of which the system hands out what is used."""
_WAIT = 0.1
_LOCK = threading.Lock()
"""For the limit on calls and the size of stacks, which are those of the process. Nobody waits for
an act while holding it."""
_UNDER_WAY: list[int] = []
"""The limit on calls as it was when each of the acts under way began."""
_INSIDE = threading.local()


def with_room(act: Callable[[], T], stop: Callable[[], None] = lambda: None) -> T:
    """What an act answers; it is tried again on a larger stack where the usual one is too small.

    `stop` is called when the wait for it is interrupted. Raises RecursionError where that is too
    small as well.
    """
    if getattr(_INSIDE, "is_inside", False):
        return act()
    try:
        return act()
    except RecursionError:
        return _Room(act).answer(stop)


class _Room(Generic[T]):
    """A thread for one act."""

    def __init__(self, act: Callable[[], T]) -> None:
        self._act = act
        self._answer: list[T] = []
        self._error: BaseException | None = None

    def answer(self, stop: Callable[[], None]) -> T:
        thread = threading.Thread(target=self._run, name="connstat-depth", daemon=True)
        with _LOCK:
            _UNDER_WAY.append(sys.getrecursionlimit())
            sys.setrecursionlimit(max(_UNDER_WAY[0], _CALLS))
        try:
            _start(thread)
            _wait(thread, stop)
        finally:
            with _LOCK:
                limit = _UNDER_WAY.pop()
                if not _UNDER_WAY:
                    sys.setrecursionlimit(limit)
        if self._error is not None:
            raise self._error
        return self._answer[0]

    def _run(self) -> None:
        _INSIDE.is_inside = True
        try:
            self._answer.append(self._act())
        except BaseException as error:
            self._error = error


def _start(thread: threading.Thread) -> None:
    with _LOCK:
        size = threading.stack_size(_STACK)
        try:
            thread.start()
        except RuntimeError as error:  # there is no room for such a stack
            raise RecursionError(str(error)) from error
        finally:
            threading.stack_size(size)


def _wait(thread: threading.Thread, stop: Callable[[], None]) -> None:
    try:
        while thread.is_alive():
            thread.join(_WAIT)
    except BaseException:
        stop()
        thread.join()
        raise
