"""What goes in and out: requests, answers, the attempts between, and what comes from outside."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import msgspec

from connstat_sql.errors import RequestLine
from connstat_sql.transport.clock import Clock
from connstat_sql.transport.process_limits import ProcessLimits

if TYPE_CHECKING:
    import httpx


@dataclass(frozen=True)
class Request:
    """What to ask, free of credentials; `query` values are not yet percent-encoded.

    `raw_query` is a query that is sent as it is, before those: that of a link that is followed.
    `method_name` is that of the definition, and `family` the limits that it names ("": none).
    `shown` is the URL as people may read it, where a server told secrets of ours in it ("": as it
    is sent). `confirm` makes an answer without rows count (None: it does). One that `is_of_worker`
    asks it how it is: whatever goes wrong is its own, and another may be well. One that is `fresh`
    goes over a connection of its own.
    Without slots, so that what is made of it is made once.
    """

    table: str
    method: str
    url: str
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = field(default=None, repr=False)
    accepts: frozenset[int] = frozenset()
    method_name: str = ""
    family: str = ""
    raw_query: str = ""
    shown: str = ""
    confirm: Confirm | None = field(default=None, repr=False, compare=False)
    is_of_worker: bool = False
    fresh: bool = False

    @cached_property
    def line(self) -> RequestLine:
        """Method and URL, as people read them."""
        return RequestLine(self.method, self.shown or self.full_url)

    @cached_property
    def origin(self) -> str:
        """Scheme, host and port of the URL."""
        end = self.url.find("/", len("https://"))
        return self.url if end < 0 else self.url[:end]

    @cached_property
    def full_url(self) -> str:
        """The URL with its query, as it is sent."""
        query = "&".join(filter(None, (self.raw_query, urlencode(self.query))))
        return f"{self.url}?{query}" if query else self.url


@dataclass(frozen=True, slots=True)
class Confirm:
    """A request that a server answers with success once its lists are what they should be.

    `is_empty` says of the body of a list whether it has no rows.
    """

    request: Request
    is_empty: Callable[[bytes], bool]


class Response(msgspec.Struct, frozen=True):
    """What came back: `status` is one of a whole answer, or one that the request accepts.

    `waited` are the seconds of it that were spent on no exchange: until limits let it start, and
    between tries. `sent` is the request that was answered, where it went to another worker of the
    connection than the one it was built for (None: it did not). `confirming` requests went besides
    for the sake of it, and `unconfirmed` is why it is not known that it has no rows. With
    `has_filled` its rows are those of a server that had to say first that it is well.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    observed_at: float
    attempts: int
    waited: float = 0.0
    sent: Request | None = None
    confirming: int = 0
    unconfirmed: str = ""
    has_filled: bool = False


class Attempt(msgspec.Struct, frozen=True):
    """One attempt of one request, for `--trace` and counting. `status` None: no answer came."""

    connection: str
    table: str
    line: RequestLine
    status: int | None
    seconds: float
    size: int
    attempt: int


class RetryNotice(msgspec.Struct, frozen=True):
    """A request is sent again and again, for some seconds by now: told once, with why."""

    connection: str
    message: str


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """What a client takes from outside: the wire, the clock, the environment, observers.

    `transport` replaces the network (None: the real one); `timeout` is for one request with its
    whole answer, `connect_timeout` for its connection (never above `timeout`), in seconds; None
    means as the connection says, else 30 and 10. `max_body` is in bytes, unpacked (None: as
    the limits have memory for). `limits` are
    shared by all clients that are given the same; `random` answers numbers from 0 to 1.
    """

    clock: Clock
    environment: Mapping[str, str] = field(repr=False)
    transport: httpx.AsyncBaseTransport | None = None
    observe: Callable[[Attempt], None] = lambda _: None
    timeout: float | None = None
    connect_timeout: float | None = None
    max_body: int | None = None
    limits: ProcessLimits = field(default_factory=ProcessLimits, repr=False)
    random: Callable[[], float] = random.random
    waiting: Callable[[RetryNotice], None] = lambda _: None
