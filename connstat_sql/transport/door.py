"""What goes in and out: requests, answers, the attempts between, and what comes from outside."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import httpx

from connstat_sql.errors import RequestLine

MAX_BODY = 512 * 1024 * 1024


class Clock(Protocol):
    """Time, handed in: seconds since the epoch, and waiting."""

    def now(self) -> float:
        """Seconds since the epoch."""

    def sleep(self, seconds: float) -> Awaitable[None]:
        """Wait without holding up other requests."""


@dataclass(frozen=True, slots=True)
class Request:
    """What to ask, free of credentials; `query` values are not yet percent-encoded."""

    table: str
    method: str
    url: str
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = field(default=None, repr=False)
    accepts: frozenset[int] = frozenset()

    @property
    def line(self) -> RequestLine:
        """Method and URL, as people read them."""
        query = str(httpx.QueryParams(self.query))
        return RequestLine(self.method, f"{self.url}?{query}" if query else self.url)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: `status` is 200 to 299 or one that the request accepts."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    observed_at: float
    attempts: int


@dataclass(frozen=True, slots=True)
class Sent:
    """One attempt of one request, for `--trace` and counting. `status` None: no answer came."""

    connection: str
    table: str
    line: RequestLine
    status: int | None
    seconds: float
    size: int
    attempt: int


@dataclass(frozen=True, slots=True)
class Door:
    """What a client takes from outside: the wire, the clock, the environment, an observer.

    `transport` replaces the network (None: the real one); `timeout` is for one request with its
    whole answer, in seconds; `max_body` is in bytes, unpacked.
    """

    clock: Clock
    environment: Mapping[str, str] = field(repr=False)
    transport: httpx.AsyncBaseTransport | None = None
    observe: Callable[[Sent], None] = lambda _: None
    timeout: float = 30.0
    max_body: int = MAX_BODY
