"""Limits that all requests of a process share: how many at once, how often, and not before when.

A request passes several limits (of its connection, its host, its family of methods) and takes its
slots in all of them at once, or waits in the queue of the first that stands in its way, holding
nothing. Slots are handed over by whoever leaves. While a limit is shut, by its rate or because
an API asked to wait, one of those in its queue sleeps for all of them, its timer; on each event
loop another one.

Engines live on event loops of different threads, so everything here is under one lock. Whoever
waits is woken on its own loop; whoever has gone meanwhile passes on what it was given.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import threading
from collections import deque
from collections.abc import Callable, Hashable
from functools import partial
from typing import NamedTuple

from connstat_sql.transport.clock import Clock
from connstat_sql.transport.limiter import ConcurrencyLimit, HeldBack, Patience, Permit, Waiter
from connstat_sql.transport.memory_budget import MemoryBudget
from connstat_sql.transport.sockets import Sockets


class RateFeedback(NamedTuple):
    """What came of a request, for the limits that it has passed.

    `throttled` is the limit that is to have fewer slots (None: none is). `paced` is the limit
    that learns how long answers take, or None: for this `kind` it took `seconds`.
    """

    is_success: bool = False
    throttled: ConcurrencyLimit | None = None
    paced: ConcurrencyLimit | None = None
    kind: Hashable = None
    seconds: float = 0.0


class ProcessLimits:
    """The limits of a process, or of a test, by what they are for; the memory for answers.

    `sockets` is how many the process can afford (None: any number).
    """

    def __init__(self) -> None:
        self.memory = MemoryBudget()
        self.sockets = Sockets.of_process()
        self._lock = threading.Lock()
        self._limits: dict[Hashable, ConcurrencyLimit] = {}
        self._tickets = itertools.count()
        self._due: deque[Callable[[], None]] = deque()

    def limit(self, key: Hashable, concurrency: int, rate: float | None = None) -> ConcurrencyLimit:
        """The limit of that key; what is said last of its size holds. `rate` is in a second."""
        gap = 1 / rate if rate else 0.0
        with self._lock:
            limit = self._limits.setdefault(key, ConcurrencyLimit(concurrency, gap))
            limit.resize(concurrency, gap)
        self._settle()
        return limit

    async def enter(
        self, limits: tuple[ConcurrencyLimit, ...], clock: Clock, patience: Patience
    ) -> Permit:
        """Take a slot in each of the limits, when all have one; first come, first served.

        The permit must be handed to `leave`, whatever happens. Raises HeldBack.
        """
        waiter = None
        with self._lock:
            now = clock.now()
            obstacle = _obstacle(limits, now)
            if obstacle is None:
                permit = _take(limits, now)
            else:
                patience.check(limits, now)
                waiter = Waiter(limits, asyncio.get_running_loop(), patience)
                obstacle.join(next(self._tickets), waiter, now)
        if self._due:
            self._settle()
        return permit if waiter is None else await self._wait(waiter, clock)

    def leave(self, permit: Permit, clock: Clock, feedback: RateFeedback) -> None:
        """Give the slots back, once, and let the limits learn from what came of the request."""
        self._do(partial(self._leave, permit, clock.now(), feedback))

    def hold(self, limit: ConcurrencyLimit, seconds: float, clock: Clock) -> None:
        """Let nobody who passes the limit start within so many seconds."""
        self._do(partial(self._hold, limit, seconds, clock.now()))

    # --- waiting -----------------------------------------------------------------------------

    async def _wait(self, waiter: Waiter, clock: Clock) -> Permit:
        try:
            while True:
                with self._lock:
                    pause = self._next_step(waiter, clock.now())
                self._settle()
                if waiter.permit is not None:
                    return waiter.permit
                if pause is not None:
                    await clock.sleep(pause)
                elif waiter.wakeup is not None:
                    await waiter.wakeup
        except BaseException:
            self._do(partial(self._withdraw, waiter, clock.now()))
            raise

    def _next_step(self, waiter: Waiter, now: float) -> float | None:
        """What to do next: sleep so long as a timer, or wait for the wakeup; raises HeldBack."""
        now = max(now, waiter.woken_at)  # it has slept so long, whatever the clock says
        waiter.wakeup = None
        limit = waiter.timed
        if limit is not None and limit.opens_at(now) <= now:
            limit.stop_timer(waiter)
            self._admit(limit, now)
            limit = waiter.timed  # the same again, when others went first
        if waiter.refused is not None:
            raise waiter.refused
        if limit is not None:
            waiter.patience.check((limit,), now)
            waiter.woken_at = limit.opens_at(now)
            return waiter.woken_at - now
        waiter.wakeup = waiter.loop.create_future()
        return None

    def _withdraw(self, waiter: Waiter, now: float) -> None:
        """Leave the queue, or pass on what came too late."""
        waiter.is_gone = True
        limit = waiter.timed
        if limit is not None:
            limit.stop_timer(waiter)
            self._admit(limit, now)
        if waiter.permit is not None:
            self._leave(waiter.permit, now, RateFeedback())

    # --- under the lock ----------------------------------------------------------------------

    def _do(self, act: Callable[[], None]) -> None:
        """Do something under the lock, or let whoever has it do so.

        It never waits: it also runs where Python clears away what was left lying, which may be
        in the middle of another act of the same thread.
        """
        self._due.append(act)
        self._settle()

    def _settle(self) -> None:
        """Do what others left to whoever had the lock."""
        while self._due and self._lock.acquire(blocking=False):
            try:
                while self._due:
                    self._due.popleft()()
            finally:
                self._lock.release()

    def _leave(self, permit: Permit, now: float, feedback: RateFeedback) -> None:
        for limit, backoffs in zip(permit.limits, permit.backoffs, strict=True):
            limit.busy -= 1
            if backoffs != limit.backoffs:
                continue  # it tells of the time before the limit backed off
            if limit is feedback.throttled:
                limit.back_off()
            elif feedback.is_success:
                is_slower = limit is feedback.paced and limit.paced(feedback.kind, feedback.seconds)
                if not is_slower:
                    limit.succeeded()
        for limit in permit.limits:
            if limit.queue:
                self._admit(limit, now)

    def _hold(self, limit: ConcurrencyLimit, seconds: float, now: float) -> None:
        limit.held_until = max(limit.held_until, now + seconds)
        for _, waiter in limit.queue:
            try:
                waiter.patience.check((limit,), now)
            except HeldBack as refused:
                waiter.refused = refused
                waiter.wake()

    def _admit(self, limit: ConcurrencyLimit, now: float) -> None:
        """Hand slots to those first in the queue, as long as there are any."""
        while limit.first() is not None and limit.busy < limit.allowed:
            if limit.opens_at(now) > now:
                limit.start_timers()
                return
            ticket, waiter = limit.pop()
            other = _obstacle(waiter.limits, now, passed=limit)
            if other is not None:
                other.join(ticket, waiter, now)
                continue
            if waiter.wake():
                waiter.permit = _take(waiter.limits, now)


def _obstacle(
    limits: tuple[ConcurrencyLimit, ...], now: float, passed: ConcurrencyLimit | None = None
) -> ConcurrencyLimit | None:
    """The first limit at which one has to wait in the queue; at `passed` one has done so."""
    for limit in limits:
        if limit is not passed and limit.stops(now):
            return limit
    return None


def _take(limits: tuple[ConcurrencyLimit, ...], now: float) -> Permit:
    for limit in limits:
        limit.take(now)
    return Permit(limits, tuple([limit.backoffs for limit in limits]))


_of_process = ProcessLimits()


def of_process() -> ProcessLimits:
    """The limits that all engines of this process share."""
    return _of_process


def _begin_anew() -> None:
    """In a forked process nobody gives back what was taken in the other."""
    global _of_process  # noqa: PLW0603  # it stands for the process
    _of_process = ProcessLimits()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
