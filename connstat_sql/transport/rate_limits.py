"""The limits of one connection: which of them a request passes, and what answers say of them."""

from __future__ import annotations

import logging
from collections.abc import Hashable, Mapping

from connstat_sql.config.connections import Connection
from connstat_sql.definitions.limits import RequestLimit, Reset
from connstat_sql.definitions.model import Limits as Declared
from connstat_sql.transport.clock import Clock
from connstat_sql.transport.limiter import ConcurrencyLimit, Patience, Permit
from connstat_sql.transport.messages import Request
from connstat_sql.transport.process_limits import ProcessLimits, RateFeedback
from connstat_sql.transport.responses import RawResponse, retry_after

log = logging.getLogger("connstat_sql.transport")

HOLDING = (429, 503)
"""Statuses whose Retry-After is for all requests, and not for this one alone."""
LONGEST_HOLD = 3600.0
"""Seconds; an answer cannot shut a connection for longer, whatever it says."""


def limits_of(declared: Declared, connection: Connection) -> Declared:
    """What holds for a connection: what it says itself, and else the definition."""
    families = {
        name: _over(connection.families.get(name, RequestLimit()), limit)
        for name, limit in declared.families.items()
    }
    host = _over(RequestLimit(connection.host_concurrency, connection.host_rate), declared.host)
    return Declared(
        concurrency=connection.max_concurrency or declared.concurrency,
        rate=connection.rate or declared.rate,
        host=host,
        families=families,
        reset=declared.reset,
        longest_wait=declared.longest_wait,
    )


def _over(own: RequestLimit, other: RequestLimit) -> RequestLimit:
    return RequestLimit(own.concurrency or other.concurrency, own.rate or other.rate)


class RateLimiter:
    """Lets requests of a connection start. `identity` tells accounts apart, within a process.

    `base_origin` is the connection's own scheme, host and port.
    """

    def __init__(
        self,
        registry: ProcessLimits,
        limits: Declared,
        connection: str,
        identity: str,
        base_origin: Hashable,
        clock: Clock,
    ) -> None:
        self.limits = limits
        self._registry = registry
        self._connection = connection
        self._identity = identity
        self._base_origin = base_origin
        self._clock = clock
        self._passed: dict[tuple[str, Hashable], tuple[ConcurrencyLimit, ...]] = {}
        sockets = registry.sockets
        self._sockets = registry.limit("sockets", sockets.at_once) if sockets else None

    async def enter(self, request: Request, origin: Hashable, until: float | None) -> Permit:
        """Wait until a request may start, first come, first served.

        The permit must be handed to `leave`. Raises HeldBack when the API asks to wait too long.
        """
        limits = self._passed.get((request.family, origin))
        if limits is None:
            limits = self._limits_of(request.family, origin)
            self._passed[request.family, origin] = limits
        patience = Patience(self.limits.longest_wait, until)
        return await self._registry.enter(limits, self._clock, patience)

    def leave(
        self, permit: Permit, request: Request, reply: RawResponse | None, seconds: float
    ) -> float | None:
        """Let the next one start. Answers how many seconds the API asks to wait, or None."""
        if reply is None:
            self._registry.leave(permit, self._clock, RateFeedback())
            return None
        asked = wait_asked(reply, self.limits.reset, self._clock.now())
        status, first = reply.status, permit.limits[0]
        is_success = status < 500 and status != 429
        if asked and (is_success or status in HOLDING):
            pause = min(asked, LONGEST_HOLD)
            log.warning(
                "%s asks to wait %.1f s (%d to %s)", self._connection, pause, status, request.table
            )
            self._registry.hold(first, pause, self._clock)
        is_throttled = status == 429 or (status == 503 and bool(asked))
        if is_throttled:
            log.info("%s: fewer requests at a time after a %d", self._connection, status)
        feedback = RateFeedback(
            is_success=is_success,
            throttled=first if is_throttled else None,
            paced=permit.limits[-2 if self._sockets else -1] if status < 300 else None,
            kind=(request.table, request.method_name),
            seconds=seconds,
        )
        self._registry.leave(permit, self._clock, feedback)
        return asked

    def waits(self) -> float:
        """Seconds until requests may go on where an API asked to wait, else 0; from any thread."""
        passed = list(self._passed.values())  # a copy: others may be added on the loop meanwhile
        until = max((limit.held_until for limits in passed for limit in limits), default=0.0)
        return max(0.0, until - self._clock.now())

    def _limits_of(self, family: str, origin: Hashable) -> tuple[ConcurrencyLimit, ...]:
        """What a request passes, from the limit that is shut when the API asks to wait."""
        own, declared = self._identity, self.limits
        most = declared.concurrency
        limits = [self._registry.limit(("connection", own), most, declared.rate)]
        family_limit = declared.families.get(family)
        if family_limit is not None:
            key = ("family", own, family)
            most_of_family = family_limit.concurrency or most
            limits.insert(0, self._registry.limit(key, most_of_family, family_limit.rate))
        if declared.host != RequestLimit():
            host = self._registry.limit(
                ("host", origin), declared.host.concurrency or most, declared.host.rate
            )
            limits.append(host)
        elif origin != self._base_origin:
            limits.append(self._registry.limit(("host", own, origin), most))
        return (*limits, self._sockets) if self._sockets else tuple(limits)


def wait_asked(reply: RawResponse, reset: Reset | None, now: float) -> float | None:
    """Seconds that an answer asks to wait, in Retry-After or else X-RateLimit-Reset, or None.

    The latter counts, where it is declared, beside a 429 and when nothing remains to be used.

    >>> wait_asked(RawResponse(429, {"Retry-After": "7"}, b""), None, now=0.0)
    7.0
    >>> spent = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "130"}
    >>> wait_asked(RawResponse(200, spent, b""), Reset.EPOCH, now=100.0)
    30.0
    """
    if reply.status >= 400:
        seconds = retry_after(reply.headers, now)
        if seconds is not None or reply.status != 429:
            return seconds
    elif reset is None or reply.headers.get("X-RateLimit-Remaining", "").strip() != "0":
        return None
    return None if reset is None else _reset(reply.headers, reset, now)


def _reset(headers: Mapping[str, str], reset: Reset, now: float) -> float | None:
    try:
        number = float(headers.get("X-RateLimit-Reset", ""))
    except ValueError:
        return None
    seconds = number - now if reset is Reset.EPOCH else number
    return seconds if 0 < seconds < float("inf") else None
