"""The wire: one request out, one whole answer in. What is sent, and how, is decided elsewhere."""

from __future__ import annotations

import asyncio
import re
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Protocol

from connstat_sql.config.connections import Connection
from connstat_sql.config.urls import tidied
from connstat_sql.errors import UnexpectedShape
from connstat_sql.transport.decompression import MACHINES, STEP, Unpacker, window_of
from connstat_sql.transport.errors import TimedOut
from connstat_sql.transport.memory_budget import MemoryBudget
from connstat_sql.transport.messages import ClientOptions, Request
from connstat_sql.transport.responses import RawResponse
from connstat_sql.transport.sockets import Sockets

OWN_HEADERS = {
    "User-Agent": "connstat-sql",
    "Accept": "application/json",
    "Accept-Encoding": ", ".join(MACHINES),
}
TIMEOUT = 30.0
CONNECT_TIMEOUT = 10.0

_SENDABLE = re.compile(
    r"https?://[a-z0-9._\-\[\]:]+(?:/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/?]|%[0-9A-F]{2})*)?"
)


class Backend(Protocol):
    """Sends requests: redirects lead nowhere, cookies are not kept, time and size are bounded."""

    async def send(self, request: Request, headers: Mapping[str, str]) -> RawResponse:
        """Send a request with further headers, and read its answer to the end.

        Raises UnexpectedShape for an answer that is too large or packed in an unknown way, and
        else what `errors.wire_errors` lists. Cancelled, it lets go of its connection at once.
        """

    async def close(self) -> None:
        """Close every connection."""


@dataclass(frozen=True, slots=True)
class ExchangeLimits:
    """How long and how large an exchange may be.

    `timeout` is for all of it, `connect_timeout` for its connection, in seconds; `max_body` is in
    bytes, unpacked, and all answers under way share the memory.
    """

    timeout: float
    connect_timeout: float
    max_body: int
    memory: MemoryBudget = field(default_factory=MemoryBudget)
    sockets: Sockets | None = None

    @classmethod
    def of(cls, connection: Connection, options: ClientOptions) -> ExchangeLimits:
        """What was asked for, else what the connection says, else what is usual."""
        timeout = options.timeout or connection.timeout or TIMEOUT
        connect = options.connect_timeout or connection.connect_timeout or CONNECT_TIMEOUT
        memory = options.limits.memory
        longest = memory.longest if options.max_body is None else options.max_body
        return cls(timeout, min(connect, timeout), longest, memory, options.limits.sockets)


@dataclass(slots=True)
class Exchange:
    """An exchange under way: `answered` says whether the head of its answer has come."""

    answered: bool = False


def target(request: Request) -> str:
    """The URL that is sent: to the letter what the request says, where that can be sent at all.

    Raises ValueError when it is none.
    """
    url = request.full_url
    return url if _SENDABLE.fullmatch(url) and "/." not in url else tidied(url)


class TimedBackend(ABC):
    """A backend whose exchanges end in time."""

    def __init__(self, limits: ExchangeLimits) -> None:
        self._limits = limits

    async def send(self, request: Request, headers: Mapping[str, str]) -> RawResponse:
        """Send and read, as `Backend` says; TimedOut when it takes too long."""
        exchange = Exchange()
        try:
            async with asyncio.timeout(self._limits.timeout):
                return await self._exchange(request, headers, exchange)
        except TimedOut:
            raise
        except TimeoutError as error:
            raise no_answer(self._limits, exchange) from error

    @abstractmethod
    async def _exchange(
        self, request: Request, headers: Mapping[str, str], exchange: Exchange
    ) -> RawResponse:
        """Send and read, however long it takes; say on the exchange when an answer has begun."""


def no_answer(limits: ExchangeLimits, exchange: Exchange) -> TimedOut:
    """The error of an exchange that took too long."""
    what = "no whole answer" if exchange.answered else "no answer"
    return TimedOut(f"{what} within {limits.timeout:g} s", answered=exchange.answered)


def no_connection(limits: ExchangeLimits) -> TimedOut:
    """The error of a connection that took too long."""
    return TimedOut(f"no connection within {limits.connect_timeout:g} s", answered=False)


async def read_whole(
    status: int, headers: Mapping[str, str], chunks: AsyncIterator[bytes], limits: ExchangeLimits
) -> bytes:
    """The body, unpacked, up to a limit in bytes that holds while it is read.

    What is packed counts as well, so that a body which stands for nothing has an end too. Where
    other answers have all the memory that there is, it waits for some.
    """
    limit = limits.max_body
    packing = headers.get("Content-Encoding", "").strip().lower()
    unpacker = _unpacker(status, packing)
    declared = headers.get("Content-Length", "")
    if declared.isdecimal() and (len(declared) >= 20 or int(declared) > limit):
        raise _too_long(status, limit)
    size = packed = 0
    with limits.memory.share() as share, BytesIO() as body:  # closed: an error may hold this frame
        async for chunk in chunks:
            if not packed:
                await share.grow(window_of(packing, chunk))
            packed += len(chunk)
            for part in unpacker.feed(chunk) if unpacker else (chunk,):
                size += len(part)
                if max(size, packed) > limit:
                    raise _too_long(status, limit)
                await share.grow(len(part))
                body.write(part)
                if len(part) >= STEP:
                    await asyncio.sleep(0)  # a little that stands for much holds up nobody else
        if unpacker:
            unpacker.end()
        return body.getvalue()


def _too_long(status: int, limit: int) -> UnexpectedShape:
    return UnexpectedShape(
        f"the answer is larger than the limit of {limit:,} bytes",
        status=status,
        hint="narrow the query, or set  [limits] answer_memory  to more than twice as much",
    )


def _unpacker(status: int, name: str) -> Unpacker | None:
    """What unpacks a body; None when it is not packed."""
    if name in ("", "identity"):
        return None
    if name not in MACHINES:
        raise UnexpectedShape(
            f"the answer is packed as {name[:40]!r}, which was not asked for", status=status
        )
    return Unpacker(MACHINES[name])
