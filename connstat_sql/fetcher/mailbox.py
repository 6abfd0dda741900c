"""From the event loop to the thread that asked: a queue that holds so many bytes, and no more."""

from __future__ import annotations

import asyncio
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

MOST_HELD = 16_000_000
"""Bytes that may wait to be taken; whoever has more waits."""
BATCH = 8_000_000
T = TypeVar("T")


class Mailbox(Generic[T]):
    """Items put on one event loop and taken by one other thread, in order."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._items: SimpleQueue[tuple[T, int]] = SimpleQueue()
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
        self._items.put((item, size))

    def post(self, item: T) -> None:
        """Put an item that takes no room; from any thread."""
        self._items.put((item, 0))

    def take(self, timeout: float | None) -> list[T]:
        """What has arrived, a few MB at most; nothing after `timeout` seconds without any."""
        try:
            item, size = self._items.get(timeout=timeout)
        except Empty:
            return []
        items, total = [item], size
        while total < BATCH:
            try:
                item, size = self._items.get_nowait()
            except Empty:
                break
            items.append(item)
            total += size
        self._taken += total
        if self._is_full:
            self._is_full = False
            self._loop.call_soon_threadsafe(self._room.set)
        return items
