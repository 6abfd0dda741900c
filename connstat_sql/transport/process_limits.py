"""Limits that all requests of a process share: how many at once, how often, and not before when.

A request passes several scopes (of its connection, its host, its family of methods) and takes its
places in all of them at once, or waits in line at the first that stands in its way, holding
nothing. Places are handed over by whoever leaves. While a scope is shut, by its rate or because
an API asked to wait, one of those in line sleeps for all of them, its sentry; on each event loop
another one.

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
    """What came of a request, for the scopes that it has passed.

    `throttled` is the scope that is to have fewer places (None: none is). `paced` is the scope
    that learns how long answers take, or None: for this `kind` it took `seconds`.
    """

    is_success: bool = False
    throttled: ConcurrencyLimit | None = None
    paced: ConcurrencyLimit | None = None
    kind: Hashable = None
    seconds: float = 0.0


class ProcessLimits:
    """The scopes of a process, or of a test, by what they are for; the room for answers.

    `sockets` is how many the process can afford (None: any number).
    """

    def __init__(self) -> None:
        self.room = MemoryBudget()
        self.sockets = Sockets.of_process()
        self._lock = threading.Lock()
        self._scopes: dict[Hashable, ConcurrencyLimit] = {}
        self._tickets = itertools.count()
        self._due: deque[Callable[[], None]] = deque()

    def scope(self, key: Hashable, concurrency: int, rate: float | None = None) -> ConcurrencyLimit:
        """The scope of that key; what is said last of its size holds. `rate` is in a second."""
        gap = 1 / rate if rate else 0.0
        with self._lock:
            found = self._scopes.setdefault(key, ConcurrencyLimit(concurrency, gap))
            found.resize(concurrency, gap)
        self._settle()
        return found

    async def enter(
        self, scopes: tuple[ConcurrencyLimit, ...], clock: Clock, patience: Patience
    ) -> Permit:
        """Take a place in each of the scopes, when all have one; first come, first served.

        The permit must be handed to `leave`, whatever happens. Raises HeldBack.
        """
        waiter = None
        with self._lock:
            now = clock.now()
            obstacle = _obstacle(scopes, now)
            if obstacle is None:
                permit = _take(scopes, now)
            else:
                patience.check(scopes, now)
                waiter = Waiter(scopes, asyncio.get_running_loop(), patience)
                obstacle.join(next(self._tickets), waiter, now)
        if self._due:
            self._settle()
        return permit if waiter is None else await self._wait(waiter, clock)

    def leave(self, permit: Permit, clock: Clock, verdict: RateFeedback) -> None:
        """Give the places back, once, and let the scopes learn from what came of the request."""
        self._do(partial(self._leave, permit, clock.now(), verdict))

    def hold(self, scope: ConcurrencyLimit, seconds: float, clock: Clock) -> None:
        """Let nobody in the scope start within so many seconds."""
        self._do(partial(self._hold, scope, seconds, clock.now()))

    # --- waiting -----------------------------------------------------------------------------

    async def _wait(self, waiter: Waiter, clock: Clock) -> Permit:
        try:
            while True:
                with self._lock:
                    pause = self._look(waiter, clock.now())
                self._settle()
                if waiter.permit is not None:
                    return waiter.permit
                if pause is not None:
                    await clock.sleep(pause)
                elif waiter.bell is not None:
                    await waiter.bell
        except BaseException:
            self._do(partial(self._withdraw, waiter, clock.now()))
            raise

    def _look(self, waiter: Waiter, now: float) -> float | None:
        """What to do next: sleep so long as a sentry, or wait for the bell; raises HeldBack."""
        now = max(now, waiter.woken_at)  # it has slept so long, whatever the clock says
        waiter.bell = None
        scope = waiter.guarded
        if scope is not None and scope.opens_at(now) <= now:
            scope.dismiss(waiter)
            self._admit(scope, now)
            scope = waiter.guarded  # the same again, when others went first
        if waiter.refused is not None:
            raise waiter.refused
        if scope is not None:
            waiter.patience.check((scope,), now)
            waiter.woken_at = scope.opens_at(now)
            return waiter.woken_at - now
        waiter.bell = waiter.loop.create_future()
        return None

    def _withdraw(self, waiter: Waiter, now: float) -> None:
        """Leave the line, or pass on what came too late."""
        waiter.is_gone = True
        scope = waiter.guarded
        if scope is not None:
            scope.dismiss(waiter)
            self._admit(scope, now)
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

    def _leave(self, permit: Permit, now: float, verdict: RateFeedback) -> None:
        for scope, cuts in zip(permit.scopes, permit.cuts, strict=True):
            scope.busy -= 1
            if cuts != scope.cuts:
                continue  # it tells of the time before the scope was cut
            if scope is verdict.throttled:
                scope.cut()
            elif verdict.is_success:
                is_slower = scope is verdict.paced and scope.paced(verdict.kind, verdict.seconds)
                if not is_slower:
                    scope.succeeded()
        for scope in permit.scopes:
            if scope.line:
                self._admit(scope, now)

    def _hold(self, scope: ConcurrencyLimit, seconds: float, now: float) -> None:
        scope.held_until = max(scope.held_until, now + seconds)
        for _, waiter in scope.line:
            try:
                waiter.patience.check((scope,), now)
            except HeldBack as refused:
                waiter.refused = refused
                waiter.wake()

    def _admit(self, scope: ConcurrencyLimit, now: float) -> None:
        """Hand places to those first in line, as long as there are any."""
        while scope.first() is not None and scope.busy < scope.allowed:
            if scope.opens_at(now) > now:
                scope.appoint()
                return
            ticket, waiter = scope.pop()
            other = _obstacle(waiter.scopes, now, passed=scope)
            if other is not None:
                other.join(ticket, waiter, now)
                continue
            if waiter.wake():
                waiter.permit = _take(waiter.scopes, now)


def _obstacle(
    scopes: tuple[ConcurrencyLimit, ...], now: float, passed: ConcurrencyLimit | None = None
) -> ConcurrencyLimit | None:
    """The first scope at which one has to wait in line; in `passed` one has done so."""
    for scope in scopes:
        if scope is not passed and scope.stops(now):
            return scope
    return None


def _take(scopes: tuple[ConcurrencyLimit, ...], now: float) -> Permit:
    for scope in scopes:
        scope.take(now)
    return Permit(scopes, tuple([scope.cuts for scope in scopes]))


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
