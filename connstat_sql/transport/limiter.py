"""One limit: its slots, how they become fewer and more, and who waits in its queue for them.

Nothing here locks or waits: `process_limits` does both.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import NamedTuple

WINDOW = 16
"""Answers whose mean time is compared with the best mean so far."""
SLOWER, SLOWER_BY = 3.0, 0.25
"""An API is overloaded when answers take so many times the best, and so many seconds more."""
FADES = 1.1
"""The best mean grows by this factor a window: what is slow for good is not overloaded."""


class HeldBack(Exception):
    """An API asked to wait for `seconds`, which is longer than the request may."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class Patience(NamedTuple):
    """How long a request may be held back: so many seconds, and not beyond `until` (or None)."""

    longest: float
    until: float | None = None

    def check(self, limits: tuple[ConcurrencyLimit, ...], now: float) -> None:
        """Raise HeldBack when one of the limits is shut for too long."""
        for limit in limits:
            seconds = limit.held_until - now
            is_late = self.until is not None and limit.held_until > max(now, self.until)
            if seconds > self.longest or is_late:
                raise HeldBack(seconds)


class Permit(NamedTuple):
    """Slots in limits; `backoffs` are how often each had backed off when they were taken."""

    limits: tuple[ConcurrencyLimit, ...]
    backoffs: tuple[int, ...]


@dataclass(eq=False, repr=False, slots=True)
class Waiter:
    """A request in the queue of one of its limits. `timed` is the limit whose timer it is."""

    limits: tuple[ConcurrencyLimit, ...]
    loop: asyncio.AbstractEventLoop
    patience: Patience
    wakeup: asyncio.Future[None] | None = None
    timed: ConcurrencyLimit | None = None
    woken_at: float = 0.0
    permit: Permit | None = None
    refused: HeldBack | None = None
    is_gone: bool = False

    def wake(self) -> bool:
        """Wake it, if it waits, on its own loop; False when nobody will ever hear of it."""
        try:
            if self.wakeup is None or asyncio.get_running_loop() is self.loop:
                _set(self.wakeup)
                return not self.loop.is_closed()
        except RuntimeError:
            pass  # we are on no loop
        try:
            self.loop.call_soon_threadsafe(_set, self.wakeup)
        except RuntimeError:
            return False
        return True


def _set(wakeup: asyncio.Future[None] | None) -> None:
    if wakeup is not None and not wakeup.done():
        wakeup.set_result(None)


@dataclass
class _Pace:
    """How long answers of one kind take: means over windows, in seconds."""

    best: float | None = None
    seconds: float = 0.0
    count: int = 0

    def is_overloaded(self, seconds: float) -> bool:
        """Count one more answer; whether a window has ended that was much slower than the best."""
        self.seconds += seconds
        self.count += 1
        if self.count < WINDOW:
            return False
        mean, self.seconds, self.count = self.seconds / WINDOW, 0.0, 0
        best = mean if self.best is None else self.best
        self.best = min(mean, best * FADES)
        return mean > max(best * SLOWER, best + SLOWER_BY)


@dataclass(eq=False, repr=False, slots=True)
class ConcurrencyLimit:
    """How many requests at once, and how often: `most` slots, of which `allowed` are open now.

    It is shut until `held_until`, when an API asked to wait, and for `gap` seconds after each
    start, when it has a rate. `queue` holds who waits, by ticket; one of them on each loop is a
    timer while the limit is shut, so that no loop depends on another one's staying alive.
    """

    most: int
    gap: float = 0.0
    allowed: int = field(init=False)
    busy: int = 0
    backoffs: int = 0
    held_until: float = 0.0
    queue: list[tuple[int, Waiter]] = field(default_factory=list)
    timers: dict[asyncio.AbstractEventLoop, Waiter] = field(default_factory=dict)
    _next_start: float = 0.0
    _successes: int = 0
    _paces: dict[Hashable, _Pace] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.allowed = self.most

    def resize(self, most: int, gap: float) -> None:
        """Say anew how large it is."""
        self.allowed = most if self.allowed == self.most else min(self.allowed, most)
        self.most, self.gap = most, gap

    def opens_at(self, now: float) -> float:
        """When somebody may start, if there is a slot."""
        self._next_start = min(self._next_start, now + self.gap)  # the clock was set back
        return max(self.held_until, self._next_start)

    def stops(self, now: float) -> bool:
        """Whether who comes now must wait in the queue."""
        if self.busy >= self.allowed or self.opens_at(now) > now:
            return True
        return bool(self.queue) and self.first() is not None

    def take(self, now: float) -> None:
        """Take a slot."""
        self.busy += 1
        if self.gap:
            self._next_start = now + self.gap

    # --- fewer and more ----------------------------------------------------------------------

    def back_off(self) -> None:
        """Halve the slots; what is on the way has no say in the next time."""
        self.allowed = max(1, self.allowed // 2)
        self.backoffs += 1
        self._successes = 0
        for pace in self._paces.values():
            pace.seconds, pace.count = 0.0, 0

    def succeeded(self) -> None:
        """Add a slot after each round of successes, one for each slot."""
        if self.allowed < self.most:
            self._successes += 1
            if self._successes >= self.allowed:
                self.allowed += 1
                self._successes = 0

    def paced(self, kind: Hashable, seconds: float) -> bool:
        """Learn how long an answer of a kind took; whether that made the slots fewer."""
        pace = self._paces.get(kind)
        if pace is None:
            pace = self._paces[kind] = _Pace()
        if not pace.is_overloaded(seconds):
            return False
        self.back_off()
        return True

    # --- the queue ---------------------------------------------------------------------------

    def first(self) -> Waiter | None:
        """Who is first in the queue; those whose loop was closed are not in it any more."""
        while self.queue:
            waiter = self.queue[0][1]
            if not (waiter.is_gone or waiter.loop.is_closed()):
                return waiter
            self.pop()
        return None

    def join(self, ticket: int, waiter: Waiter, now: float) -> None:
        """Wait in the queue, behind those with lower tickets."""
        heapq.heappush(self.queue, (ticket, waiter))
        if waiter.loop not in self.timers and self.opens_at(now) > now:
            self.start_timers()

    def pop(self) -> tuple[int, Waiter]:
        """Take the first out of the queue."""
        ticket, waiter = heapq.heappop(self.queue)
        self.stop_timer(waiter)
        return ticket, waiter

    def start_timers(self) -> None:
        """Let one of the queue, on each loop that is alive, sleep until the limit opens."""
        for _, waiter in self.queue:
            if waiter.is_gone or waiter.loop in self.timers:
                continue
            if waiter.wake():
                self.timers[waiter.loop], waiter.timed = waiter, self
            else:
                waiter.is_gone = True

    def stop_timer(self, waiter: Waiter) -> None:
        """It is the timer no more, if it was."""
        if self.timers.get(waiter.loop) is waiter:
            del self.timers[waiter.loop]
            waiter.timed = None
