"""Requests of one connection: sent with its credentials, tried again where declared, translated.

This is the one place where errors of httpx and aiohttp become ours.
"""

from __future__ import annotations

import asyncio
import fnmatch
import logging
import random
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Protocol
from urllib.parse import urlsplit

import httpx
import msgspec
import tenacity

from connstat_sql.definitions import Path, Provider
from connstat_sql.errors import (
    ConfigError,
    ConnectionFailed,
    FetchError,
    RateLimited,
    RequestLine,
    Status,
    Unauthorized,
    UnexpectedShape,
)
from connstat_sql.transport.auth import fill, make_auth
from connstat_sql.transport.configuration import Connection, Resolver

log = logging.getLogger("connstat_sql.transport")

USER_AGENT = "connstat-sql"
MAX_BODY = 512 * 1024 * 1024
ATTEMPTS = 4
FIRST_DELAY = 0.5
LONGEST_DELAY = 8.0
LONGEST_RETRY_AFTER = 60.0


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
    body: bytes | None = None
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


@dataclass(slots=True)
class _Attempt:
    number: int = 0
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Door:
    """What a client takes from outside: the wire, the clock, the environment, an observer.

    `transport` replaces the network (None: the real one); `timeout` is for one request, seconds.
    """

    clock: Clock
    environment: Mapping[str, str] = field(repr=False)
    transport: httpx.AsyncBaseTransport | None = None
    observe: Callable[[Sent], None] = lambda _: None
    timeout: float = 30.0
    max_body: int = MAX_BODY


class Client:
    """Sends the requests of one connection. Made, used and closed on one event loop."""

    def __init__(self, provider: Provider, connection: Connection, door: Door) -> None:
        self.provider = provider
        self.connection = connection
        self._door = door
        resolver = Resolver(provider, connection, door.environment)
        self.base_url = resolver.base_url()
        self._auth = make_auth(resolver, door.clock.now)
        headers = {name: fill(template, resolver) for name, template in provider.headers}
        headers |= {name: resolver.resolve(value) for name, value in connection.headers.items()}
        self.concurrency = connection.max_concurrency or provider.concurrency
        self._places = asyncio.Semaphore(self.concurrency)
        self._http = httpx.AsyncClient(
            transport=door.transport or _network(connection, self.concurrency, resolver),
            timeout=httpx.Timeout(door.timeout, pool=None),
            follow_redirects=False,
            cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
            headers={"User-Agent": USER_AGENT, "Accept": "application/json", **headers},
        )

    def now(self) -> float:
        """Seconds since the epoch, by the clock handed in."""
        return self._door.clock.now()

    async def close(self) -> None:
        """Close the pool."""
        await self._http.aclose()

    async def send(self, request: Request) -> Answer:
        """Send until an answer is final; raises a FetchError that says what came of it."""
        self._check_host(request)
        state = _Attempt()
        retrying = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception(_is_worth_retrying),
            stop=tenacity.stop_after_attempt(ATTEMPTS),
            wait=lambda _: _delay(state),
            sleep=self._door.clock.sleep,
            reraise=True,
        )
        return await retrying(self._attempt, request, state)

    async def _attempt(self, request: Request, state: _Attempt) -> Answer:
        state.number += 1
        state.retry_after = None
        started = asyncio.get_running_loop().time()
        response: httpx.Response | None = None
        body = b""
        try:
            async with self._places:
                response, body = await self._exchange(request)
        except FetchError as error:
            error.table, error.request = request.table, error.request or request.line
            raise
        except _WIRE_ERRORS as error:
            raise self._failed(error, request, state) from error
        finally:
            seconds = asyncio.get_running_loop().time() - started
            status = None if response is None else response.status_code
            sent = Sent(
                self.connection.name,
                request.table,
                request.line,
                status,
                seconds,
                len(body),
                state.number,
            )
            log.debug("%s %s %.0f ms %d bytes", sent.line, status, seconds * 1000, len(body))
            self._door.observe(sent)
        return self._judge(request, response, body, state)

    async def _exchange(self, request: Request) -> tuple[httpx.Response, bytes]:
        outgoing = self._http.build_request(
            request.method,
            request.url,
            params=httpx.QueryParams(request.query) if request.query else None,
            headers=dict(request.headers),
            content=request.body,
        )
        response = await self._http.send(outgoing, auth=self._auth, stream=True)
        try:
            return response, await _read(response, self._door.max_body)
        finally:
            await response.aclose()

    def _judge(
        self, request: Request, response: httpx.Response, body: bytes, state: _Attempt
    ) -> Answer:
        status = response.status_code
        if 200 <= status < 300 or status in request.accepts:
            now = self._door.clock.now()
            return Answer(status, response.headers, body, now, state.number)
        state.retry_after = _retry_after(response.headers, self._door.clock.now())
        error = self._refused(request, status, body, state)
        text = body[:4096].decode("utf-8", "replace")
        worth = any(
            status in rule.statuses and rule.message in text for rule in self.provider.retries
        )
        waits = state.retry_after or 0.0
        error.is_worth_retrying = worth and waits <= LONGEST_RETRY_AFTER
        raise error

    def _refused(self, request: Request, status: int, body: bytes, state: _Attempt) -> FetchError:
        kind: type[FetchError] = Status
        hint = ""
        if status in (401, 403):
            kind = Unauthorized
            hint = f"check the credentials of the connection {self.connection.name}"
        elif status == 429:
            kind, hint = RateLimited, "ask for less at a time, or wait"
            if state.retry_after:
                hint = f"the API asks to wait {state.retry_after:.0f} s"
        elif 300 <= status < 400:
            hint = "redirects are not followed: check the connection's base_url"
        said = error_message(body, self.provider.errors)
        message = f"{self.connection.name} answered {status}" + (f": {said}" if said else "")
        return kind(
            message, table=request.table, connection=self.connection.name, request=request.line,
            status=status, attempts=state.number, hint=hint,
        )  # fmt: skip

    def _failed(self, error: Exception, request: Request, state: _Attempt) -> ConnectionFailed:
        failed = ConnectionFailed(
            f"{self.connection.name} did not answer: {_words(error, self._door.timeout)}",
            table=request.table,
            connection=self.connection.name,
            request=request.line,
            attempts=state.number,
            hint="connstat doctor  tests each connection",
        )
        failed.is_worth_retrying = not _is_hopeless(error)
        return failed

    def _check_host(self, request: Request) -> None:
        """Our credentials go to the connection's own origin and to trusted hosts, nowhere else."""
        own, other = urlsplit(self.base_url), urlsplit(request.url)
        if (own.scheme, own.netloc) == (other.scheme, other.netloc):
            return
        host = other.hostname or ""
        safe_scheme = other.scheme == "https" or (other.scheme == own.scheme == "http")
        if safe_scheme and any(fnmatch.fnmatchcase(host, g) for g in self.connection.trusted_hosts):
            return
        raise ConnectionFailed(
            f"{host or request.url} is not a host that may get the credentials of "
            f"{self.connection.name}",
            table=request.table,
            connection=self.connection.name,
            request=request.line,
            hint=f'add  trusted_hosts = ["{host}"]  to the connection if it is yours',
        )


def error_message(body: bytes, paths: tuple[Path, ...]) -> str:
    """The message in an error body: at the first declared path that holds text, else its start."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        value = None
    for path in paths:
        found = value
        for key in path:
            if isinstance(found, dict):
                found = found.get(key)
            elif isinstance(found, list) and key.isdigit() and int(key) < len(found):
                found = found[int(key)]
            else:
                found = None
        if isinstance(found, str) and found:
            return found[:500]
    if body.lstrip()[:1] == b"<":
        return "(an HTML page)"
    return " ".join(body[:200].decode("utf-8", "replace").split()) if value is None else ""


# --- the wire ------------------------------------------------------------------------------------

_WIRE_ERRORS = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, asyncio.TimeoutError)


def _network(
    connection: Connection, concurrency: int, resolver: Resolver
) -> httpx.AsyncBaseTransport:
    import aiohttp
    from httpx_aiohttp import AiohttpTransport

    context = _tls(connection)
    proxy = httpx.Proxy(resolver.resolve(connection.proxy)) if connection.proxy else None

    def session() -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=concurrency, ssl=context, keepalive_timeout=30),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=connection.proxy is None,
            max_line_size=65536,
            max_field_size=65536,
        )

    return AiohttpTransport(client=session, verify=context, proxy=proxy)


def _tls(connection: Connection) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=connection.ca_file)
        if connection.client_cert:
            context.load_cert_chain(connection.client_cert, connection.client_key)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"connection {connection.name}: TLS files cannot be used: {error}"
        ) from error
    if not connection.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


async def _read(response: httpx.Response, limit: int) -> bytes:
    declared = response.headers.get("Content-Length", "")
    if declared.isdigit() and int(declared) > limit:
        raise UnexpectedShape(f"the answer is larger than the limit of {limit:,} bytes")
    chunks, size = [], 0
    async for chunk in response.aiter_bytes():
        size += len(chunk)
        if size > limit:
            raise UnexpectedShape(f"the answer is larger than the limit of {limit:,} bytes")
        chunks.append(chunk)
    return b"".join(chunks)


def _is_worth_retrying(error: BaseException) -> bool:
    return isinstance(error, FetchError) and error.is_worth_retrying


def _delay(state: _Attempt) -> float:
    if state.retry_after is not None:
        return state.retry_after
    return random.uniform(0, min(LONGEST_DELAY, FIRST_DELAY * 2 ** (state.number - 1)))


def _retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds that a Retry-After header asks for, as a number or a date; None without one."""
    text = headers.get("Retry-After", "").strip()
    if not text:
        return None
    try:
        return max(
            0.0, float(text) if text.isdigit() else parsedate_to_datetime(text).timestamp() - now
        )
    except (TypeError, ValueError):
        return None


def _is_hopeless(error: BaseException) -> bool:
    return any(isinstance(one, (ssl.SSLError, httpx.InvalidURL)) for one in _causes(error))


def _causes(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


def _words(error: Exception, timeout: float) -> str:
    causes = _causes(error)
    names = " ".join(type(one).__name__ for one in causes)
    deepest = next((str(one) for one in reversed(causes) if str(one)), type(error).__name__)
    if "Timeout" in names and "ServerDisconnected" not in names:
        return f"no answer within {timeout:g} s"
    if "CertificateError" in names or "SSL" in names:
        return f"TLS: {deepest}"
    if "ServerDisconnected" in names:
        return "the connection was closed before the answer"
    if "Payload" in names or "ReadError" in names:
        return f"the answer was cut short ({deepest})"
    return deepest
