"""From the event loop to the thread that asked: a queue that holds so many bytes, and no more."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

MOST_HELD = 16_000_000
"""Bytes that may wait to be taken; whoever has more waits."""
BATCH = 8_000_000
PAUSE = 0.005
"""Seconds between two wakeups: both threads share one interpreter, and being woken for
each item costs more than the item."""
T = TypeVar("T")


class PageQueue(Generic[T]):
    """Items put on one event loop and taken by one other thread, in order.

    Whoever takes is woken once the loop has dealt with what came at the same time, and never later
    than `PAUSE` seconds after something was put.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._items: deque[tuple[T, int]] = deque()
        self._wakeup: SimpleQueue[None] = SimpleQueue()
        self._woken_at = -math.inf
        self._will_wake = False
        self._has_more = False  # the taking thread's own
        self._put = 0  # written on the loop alone, as `_taken` is by the taking thread
        self._taken = 0
        self._is_full = False
        self._room = asyncio.Event()

    async def put(self, item: T, size: int) -> None:
        """Put an item of so many bytes, when there is room."""
        while self._put - self._taken >= MOST_HELD:
            self._room.clear()
            self._is_full = True
            if self._put - self._taken >= MOST_HELD:  # what was taken meanwhile told nobody
                await self._room.wait()
        self._put += size
        self._add(item, size)

    def post(self, item: T) -> None:
        """Put an item that takes no room; on the loop."""
        self._add(item, 0)

    def post_first(self, item: T) -> None:
        """Put an item before all others; from any thread, and from a signal."""
        self._items.appendleft((item, 0))
        self._wakeup.put(None)

    def take(self, timeout: float | None) -> list[T]:
        """What has arrived, a few MB at most; maybe nothing, within `timeout` seconds."""
        if not self._has_more:
            self._wait(timeout)
        items: list[T] = []
        total = 0
        while total < BATCH and self._items:
            item, size = self._items.popleft()
            items.append(item)
            total += size
        self._has_more = total >= BATCH
        self._taken += total
        if self._is_full:
            self._is_full = False
            with suppress(RuntimeError):  # a loop that is closed has nobody who waits for room
                self._loop.call_soon_threadsafe(self._room.set)
        return items

    def _wait(self, timeout: float | None) -> None:
        try:
            self._wakeup.get(timeout=timeout)
            while True:  # one look is enough for all the wakeups before it
                self._wakeup.get_nowait()
        except Empty:
            return

    def _add(self, item: T, size: int) -> None:
        self._items.append((item, size))
        if self._will_wake:
            return
        self._will_wake = True
        at = self._woken_at + PAUSE
        if at <= self._loop.time():
            self._loop.call_soon(self._wake)
        else:
            self._loop.call_at(at, self._wake)

    def _wake(self) -> None:
        self._will_wake = False
        self._woken_at = self._loop.time()
        self._wakeup.put(None)
