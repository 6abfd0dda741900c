"""The real network of one connection: a pool of sockets, over TLS and proxies where it says so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from connstat_sql.config.secrets import Resolver
from connstat_sql.transport.messages import Request
from connstat_sql.transport.proxies import Proxies, proxies_of
from connstat_sql.transport.responses import RawResponse
from connstat_sql.transport.sockets import Sockets
from connstat_sql.transport.tls import tls_of
from connstat_sql.transport.wire import (
    OWN_HEADERS,
    Backend,
    Exchange,
    ExchangeLimits,
    TimedBackend,
    no_connection,
    read_whole,
    target,
)

KEEP_ALIVE = 30.0
LONGEST_HEADER = 65536
MOST_HEADERS = 256


class ConnectionPool(aiohttp.TCPConnector):
    """A pool that keeps no idle socket beyond those that the process can afford."""

    def __init__(self, sockets: Sockets | None, **options: Any) -> None:
        super().__init__(**options)
        self._sockets = sockets

    def _release(self, key: Any, protocol: Any, *, should_close: bool = False) -> None:
        if self._sockets is not None and protocol.transport is not None:
            socket = protocol.transport.get_extra_info("socket")
            is_beyond = socket is not None and socket.fileno() > self._sockets.last_kept
            should_close = should_close or is_beyond
        super()._release(key, protocol, should_close=should_close)


def open_network(
    resolver: Resolver,
    environment: Mapping[str, str],
    limits: ExchangeLimits,
    connector: Callable[..., ConnectionPool] = ConnectionPool,
) -> Backend:
    """The network as a connection wants it, on the running loop. Raises ConfigError.

    How many requests there are at once is for others to say.
    """
    proxies, context = proxies_of(resolver, environment), tls_of(resolver)

    def pool(**options: Any) -> ConnectionPool:
        return connector(limits.sockets, limit=0, ssl=context, **options)

    pooled = _session(pool(keepalive_timeout=KEEP_ALIVE), limits)
    return AiohttpBackend(pooled, lambda: _session(pool(force_close=True), limits), proxies, limits)


def _session(pool: ConnectionPool, limits: ExchangeLimits) -> aiohttp.ClientSession:
    session = aiohttp.ClientSession(
        connector=pool,
        headers=OWN_HEADERS,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, connect=limits.connect_timeout),
        trust_env=False,
        auto_decompress=False,
        max_line_size=LONGEST_HEADER,
        max_field_size=LONGEST_HEADER,
        max_headers=MOST_HEADERS,
    )
    session._retry_connection = False  # tries again unseen and uncounted; that is for us to do
    return session


class AiohttpBackend(TimedBackend):
    """Sends over aiohttp. Made, used and closed on one event loop."""

    def __init__(
        self,
        pooled: aiohttp.ClientSession,
        open_fresh: Callable[[], aiohttp.ClientSession],
        proxies: Proxies,
        limits: ExchangeLimits,
    ) -> None:
        """Over a pool of connections that are kept, and one that keeps none, made when needed."""
        super().__init__(limits)
        self._pooled = pooled
        self._open_fresh = open_fresh
        self._fresh: aiohttp.ClientSession | None = None
        self._proxies = proxies
        self._reading: set[aiohttp.ClientResponse] = set()

    async def close(self) -> None:
        """Close the pool, and give its sockets the turn of the loop in which they end."""
        for response in tuple(self._reading):
            response.close()  # or whoever reads it would wait for the time-out
        for session in filter(None, (self._pooled, self._fresh)):
            await session.close()
        await asyncio.sleep(0)

    async def _exchange(
        self, request: Request, headers: Mapping[str, str], exchange: Exchange
    ) -> RawResponse:
        try:
            response = await self._request(request, headers)
        except aiohttp.ConnectionTimeoutError as error:
            raise no_connection(self._limits) from error
        exchange.answered = True
        self._reading.add(response)
        try:
            said = _joined(response.headers)
            chunks = response.content.iter_any()
            body = await read_whole(response.status, said, chunks, self._limits)
        except BaseException:
            response.close()  # what is still on the way is not waited for
            raise
        finally:
            self._reading.discard(response)
        return RawResponse(response.status, said, body)

    async def _request(
        self, request: Request, headers: Mapping[str, str]
    ) -> aiohttp.ClientResponse:
        """Send what the request says, to the letter: nothing is quoted anew or tidied up."""
        url = URL(target(request), encoded=True)
        sent = headers
        if request.headers:
            sent = CIMultiDict(headers)
            sent.update(request.headers)
        session = self._session_for(request)
        proxy = self._proxies.find(url.scheme, url.raw_host or "", url.port)
        if proxy is None:
            return await session.request(
                request.method, url, headers=sent, data=request.body, allow_redirects=False
            )
        login = {"Proxy-Authorization": proxy.login} if proxy.login else {}
        if url.scheme == "http":
            sent = {**sent, **login}  # it is the proxy that reads this request
        return await session.request(
            request.method, url, headers=sent, data=request.body, allow_redirects=False,
            proxy=proxy.url, proxy_headers=login,
        )  # fmt: skip

    def _session_for(self, request: Request) -> aiohttp.ClientSession:
        if not request.fresh:
            return self._pooled
        if self._fresh is None:
            self._fresh = self._open_fresh()
        return self._fresh


def _joined(headers: Mapping[str, str]) -> Mapping[str, str]:
    """Headers of which each name is there once, with all its values, as RFC 9110 §5.2 has it."""
    if len(headers) == len({*map(str.lower, headers)}):
        return headers
    joined: CIMultiDict[str] = CIMultiDict()
    for name, value in headers.items():
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined
