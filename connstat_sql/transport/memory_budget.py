"""How many bytes answers may hold in memory while they are read, all of a process together.

A few hundred bytes can stand for gigabytes, and a fan-out reads many answers at once. Of the bytes
there are, a half is for whoever comes first; the other half is for one at a time of those who found
that first half full, and is as large as an answer may be. So somebody always gets to an end, and
gives back what it had.
"""

from __future__ import annotations

import asyncio
import threading

DEFAULT = 256 * 1024 * 1024


class MemoryBudget:
    """So many bytes, shared by event loops and threads."""

    def __init__(self, most: int = DEFAULT) -> None:
        self.most = most
        self._lock = threading.Lock()
        self._shared = 0
        self._first: MemoryShare | None = None
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = []

    @property
    def longest(self) -> int:
        """How many bytes one answer may have."""
        return self.most // 2

    def share(self) -> MemoryShare:
        """What one answer takes of it, given back at the end of a `with`."""
        return MemoryShare(self)

    async def take(self, share: MemoryShare, size: int) -> None:
        """Give a share some more bytes, as soon as there are."""
        loop = asyncio.get_running_loop()
        while True:
            with self._lock:
                if self._has_room(share, size):
                    return
                wakeup: asyncio.Future[None] = loop.create_future()
                self._waiting.append((loop, wakeup))
            await wakeup

    def give_back(self, share: MemoryShare) -> None:
        """Whoever waits looks again."""
        with self._lock:
            if self._first is share:
                self._first = None
            else:
                self._shared -= share.size
            share.size = 0
            waiting, self._waiting = self._waiting, []
        for loop, wakeup in waiting:
            try:
                loop.call_soon_threadsafe(_set, wakeup)
            except RuntimeError:  # its loop is closed: nobody waits there
                continue

    def _has_room(self, share: MemoryShare, size: int) -> bool:
        if self._first is share:
            share.size += size
            return True
        if self._shared + size <= self.most - self.longest:
            self._shared += size
        elif self._first is None:
            self._first = share
            self._shared -= share.size
        else:
            return False
        share.size += size
        return True


def _set(wakeup: asyncio.Future[None]) -> None:
    if not wakeup.done():
        wakeup.set_result(None)


class MemoryShare:
    """The bytes that one answer holds."""

    def __init__(self, budget: MemoryBudget) -> None:
        self.size = 0
        self._budget = budget

    async def grow(self, size: int) -> None:
        """Take more bytes, and wait for them where others have them all."""
        await self._budget.take(self, size)

    def __enter__(self) -> MemoryShare:
        return self

    def __exit__(self, *_error: object) -> None:
        self._budget.give_back(self)
