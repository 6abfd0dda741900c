"""A server of the loopback that says what it is told, to the byte, and a wire to it."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, TypeVar

from connstat_sql.bootstrap import Setup
from connstat_sql.bootstrap.assembly import find_connections
from connstat_sql.config.secrets import Resolver
from connstat_sql.definitions.loader import Library, shipped_providers
from connstat_sql.transport.aiohttp_backend import open_network
from connstat_sql.transport.messages import Request
from connstat_sql.transport.wire import Backend, ExchangeLimits

T = TypeVar("T")
LIBRARY = Library([shipped_providers()])
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]"

Behave = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Script:
    """Answers every request with the same bytes; `heads` are the requests, `count` connections."""

    def __init__(self, answer: bytes = OK, *, close: bool = False) -> None:
        self.answer, self.close = answer, close
        self.heads: list[list[bytes]] = []
        self.bodies: list[bytes] = []
        self.count = self.ended = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.count += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.heads.append(head.removesuffix(b"\r\n\r\n").split(b"\r\n"))
                self.bodies.append(await reader.readexactly(_length(self.heads[-1])))
                writer.write(self.answer)
                if self.close:
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            self.ended += 1

    @property
    def headers(self) -> dict[str, str]:
        """Headers of the last request, names in lower case."""
        pairs = (line.decode().split(": ", 1) for line in self.heads[-1][1:])
        return {name.lower(): value for name, value in pairs}

    @property
    def target(self) -> str:
        """What the last request asked for."""
        return self.heads[-1][0].decode().split(" ")[1]


def _length(head: list[bytes]) -> int:
    lengths = [line for line in head if line.lower().startswith(b"content-length:")]
    return int(lengths[0].split(b":")[1]) if lengths else 0


def resolver_of(base: str, environment: Mapping[str, str], **table: Any) -> Resolver:
    """What a connection to a base URL takes from its table and the environment."""
    settings = {"provider": "kafka_connect", "base_url": base, **table}
    connection = find_connections(Setup(connections={"one": settings}), LIBRARY, {})["one"]
    provider = LIBRARY.provider("kafka_connect")
    assert provider is not None
    return Resolver(provider, connection, environment)


def with_network(
    behave: Behave,
    use: Callable[[Backend, str], Coroutine[Any, Any, T]],
    *,
    tls: ssl.SSLContext | None = None,
    base: str = "",
    environment: Mapping[str, str] | None = None,
    exchange_limits: ExchangeLimits | None = None,
    **table: Any,
) -> T:
    """What `use` makes of a wire over the real network and the server's URL.

    `base` replaces that URL in the connection (`{port}` in it is the server's).
    """

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await behave(reader, writer)
        finally:
            writer.close()

    async def main() -> T:
        server = await asyncio.start_server(served, "127.0.0.1", 0, ssl=tls, backlog=1024)
        port = server.sockets[0].getsockname()[1]
        url = base.format(port=port) or f"{'https' if tls else 'http'}://127.0.0.1:{port}"
        filled = {key: text.format(port=port) for key, text in (environment or {}).items()}
        more = {k: v.format(port=port) if isinstance(v, str) else v for k, v in table.items()}
        resolver = resolver_of(url, filled, **more)
        wire = open_network(resolver, filled, exchange_limits or ExchangeLimits(30, 10, 1_000_000))
        try:
            return await use(wire, url)
        finally:
            await wire.close()
            server.close()

    return asyncio.run(main())


def asked(url: str, **more: Any) -> Request:
    """A GET, unless something else is said."""
    return Request(**{"table": "p.s.t", "method": "GET", "url": url, **more})
