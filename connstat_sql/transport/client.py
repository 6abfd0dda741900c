"""Requests of one connection: sent with its credentials and tried again where that is declared."""

from __future__ import annotations

import asyncio
import fnmatch
import logging
import random
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from functools import partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, TypeVar

import httpx
import tenacity

from connstat_sql.definitions import DEFAULT_RETRIES, Provider, RetryRule
from connstat_sql.errors import ConnectionFailed, FetchError, UnexpectedShape
from connstat_sql.transport.auth import make_credentials
from connstat_sql.transport.configuration import Connection
from connstat_sql.transport.door import Answer, Door, Request, Sent
from connstat_sql.transport.judge import (
    Judge,
    Reply,
    is_worth_retrying,
    retry_after,
    wire_errors,
)
from connstat_sql.transport.network import Mounts, network
from connstat_sql.transport.resolving import Resolver

T = TypeVar("T")
log = logging.getLogger("connstat_sql.transport")

USER_AGENT = "connstat-sql"
ATTEMPTS = 4
FIRST_DELAY = 0.5
LONGEST_DELAY = 8.0
PACKINGS = ("", "identity", "gzip", "deflate")
"""Content encodings that are unpacked piece by piece, and never one inside another."""


@dataclass(slots=True)
class _Attempt:
    number: int = 0
    retry_after: float | None = None


class Client:
    """Sends the requests of one connection. Made, used and closed on one event loop."""

    def __init__(self, provider: Provider, connection: Connection, door: Door) -> None:
        self.provider = provider
        self.connection = connection
        self.concurrency = connection.max_concurrency or provider.concurrency
        self._door = door
        resolver = Resolver(provider, connection, door.environment)
        self.base_url = resolver.base_url()
        self._credentials = make_credentials(resolver, door.clock.now)
        self._judge = Judge(connection.name, provider.errors, door.timeout)
        self._wire_errors = wire_errors()
        self._places = asyncio.Semaphore(self.concurrency)
        self._next_start = 0.0
        transport, mounts = door.transport, Mounts()
        if transport is None:
            transport, mounts = network(resolver, self.concurrency, door.environment)
        self._http = httpx.AsyncClient(
            transport=transport,
            mounts=mounts,
            trust_env=False,
            timeout=httpx.Timeout(door.timeout, pool=None),
            follow_redirects=False,
            event_hooks={"response": [_lead_nowhere]},
            cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
            headers={
                "User-Agent": USER_AGENT,
                "Accept": "application/json",
                "Accept-Encoding": "gzip, deflate",
            },
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
            retry=tenacity.retry_if_exception(_may_go_again),
            stop=tenacity.stop_after_attempt(ATTEMPTS),
            wait=lambda _: _delay(state),
            sleep=self._door.clock.sleep,
            reraise=True,
        )
        return await retrying(self._attempt, request, state)

    async def _attempt(self, request: Request, state: _Attempt) -> Answer:
        state.number += 1
        state.retry_after = None
        try:
            await self._wait_for_start()
            async with self._places:
                reply = await self._proven(request, state)
            if 200 <= reply.status < 300 or reply.status in request.accepts:
                now = self._door.clock.now()
                return Answer(reply.status, reply.headers, reply.body, now, state.number)
            raise self._refused(request, reply, state, self.provider.retries)
        except FetchError as error:
            error.table, error.connection = request.table, self.connection.name
            error.request = error.request or request.line
            error.attempts = state.number
            raise

    async def _wait_for_start(self) -> None:
        """Keep to the connection's `rate`: each attempt has a time to start."""
        if self.connection.rate is None:
            return
        now = self._door.clock.now()
        start = max(now, self._next_start)
        self._next_start = start + 1 / self.connection.rate
        if start > now:
            await self._door.clock.sleep(start - now)

    async def _proven(self, request: Request, state: _Attempt) -> Reply:
        """The reply to a request with credentials; after a 401 once more if there are others."""
        ask = partial(self._ask, state=state)
        proof = await self._credentials.headers(ask, request.table)
        reply = await self._exchange(request, proof, state)
        if reply.status == 401 and self._credentials.renew(proof):
            proof = await self._credentials.headers(ask, request.table)
            reply = await self._exchange(request, proof, state)
        return reply

    async def _ask(self, request: Request, state: _Attempt) -> bytes:
        """The body of the answer to a request for credentials."""
        reply = await self._exchange(request, {}, state)
        if reply.status != 200:
            raise self._refused(request, reply, state, DEFAULT_RETRIES)
        return reply.body

    async def _exchange(
        self, request: Request, headers: Mapping[str, str], state: _Attempt
    ) -> Reply:
        """One request on the wire, and its answer."""
        started = asyncio.get_running_loop().time()
        reply: Reply | None = None
        try:
            reply = await _within(self._door.timeout, self._talk(request, headers))
        except FetchError as error:
            error.request = request.line
            raise
        except self._wire_errors as error:
            secrets = self._credentials.secrets()
            raise self._judge.failed(request, error, secrets) from error
        finally:
            seconds = asyncio.get_running_loop().time() - started
            status, size = (None, 0) if reply is None else (reply.status, len(reply.body))
            name = self.connection.name
            sent = Sent(name, request.table, request.line, status, seconds, size, state.number)
            log.debug("%s %s %.0f ms %d bytes", sent.line, status, seconds * 1000, size)
            self._door.observe(sent)
        return reply

    async def _talk(self, request: Request, headers: Mapping[str, str]) -> Reply:
        outgoing = self._http.build_request(
            request.method,
            request.url,
            params=httpx.QueryParams(request.query) if request.query else None,
            headers={**headers, **dict(request.headers)},
            content=request.body,
        )
        response = await self._http.send(outgoing, auth=None, stream=True)
        try:
            body = await _read(response, self._door.max_body)
        finally:
            await response.aclose()
        return Reply(response.status_code, response.headers, body)

    def _refused(
        self, request: Request, reply: Reply, state: _Attempt, rules: tuple[RetryRule, ...]
    ) -> FetchError:
        waits = state.retry_after = retry_after(reply.headers, self._door.clock.now())
        error = self._judge.refused(request, reply, waits, self._credentials.secrets())
        error.is_worth_retrying = is_worth_retrying(reply, rules, waits)
        return error

    def _check_host(self, request: Request) -> None:
        """Our credentials go to the connection's own origin and to trusted hosts, nowhere else."""
        problem, hint = self._why_not(request.url)
        if problem:
            raise ConnectionFailed(
                problem,
                table=request.table,
                connection=self.connection.name,
                request=request.line,
                hint=hint,
            )

    def _why_not(self, text: str) -> tuple[str, str]:
        """Why a URL does not get our credentials, with a hint; ("", "") when it does."""
        name, own = self.connection.name, httpx.URL(self.base_url)
        try:
            url = httpx.URL(text)  # read as it will be read when it is sent
        except (httpx.InvalidURL, ValueError):
            return f"a request of {name} would go to something that is not a URL", ""
        if url.scheme not in ("http", "https") or url.userinfo or not url.host:
            return f"a request of {name} would go to something that is not a plain URL", ""
        if _origin(own) == _origin(url):
            return "", ""
        if url.scheme == "http" and own.scheme == "https":
            return f"{url.host} would get the credentials of {name} without encryption", ""
        hosts = (one.lower() for one in self.connection.trusted_hosts)
        if any(fnmatch.fnmatchcase(url.host.lower(), one) for one in hosts):
            return "", ""
        return (
            f"{url.host} is not a host that may get the credentials of {name}",
            f'add  trusted_hosts = ["{url.host}"]  to the connection if it is yours',
        )


def _origin(url: httpx.URL) -> tuple[str, str, int]:
    return url.scheme, url.host.lower(), url.port or {"http": 80, "https": 443}[url.scheme]


async def _lead_nowhere(response: httpx.Response) -> None:
    """Take away where a redirect leads: httpx reads it though it is not to follow, and may fail."""
    response.headers.pop("Location", None)


async def _read(response: httpx.Response, limit: int) -> bytes:
    """The body, unpacked, up to a limit that holds while it is read."""
    packing = response.headers.get("Content-Encoding", "").strip().lower()
    if packing not in PACKINGS:
        raise UnexpectedShape(
            f"the answer is packed as {packing[:40]!r}, which was not asked for",
            status=response.status_code,
        )
    too_long = UnexpectedShape(
        f"the answer is larger than the limit of {limit:,} bytes",
        status=response.status_code,
        hint="narrow the query",
    )
    declared = response.headers.get("Content-Length", "")
    if declared.isdecimal() and len(declared) < 20 and int(declared) > limit:
        raise too_long
    chunks, size = [], 0
    async for chunk in response.aiter_bytes():
        size += len(chunk)
        if size > limit:
            raise too_long
        chunks.append(chunk)
    return b"".join(chunks)


async def _within(seconds: float, coroutine: Coroutine[Any, Any, T]) -> T:
    """Its result, or TimeoutError. (`asyncio.wait_for` may miss being cancelled.)"""
    talk = asyncio.ensure_future(coroutine)
    try:
        done, _ = await asyncio.wait({talk}, timeout=seconds)
        if not done:
            raise asyncio.TimeoutError
        return talk.result()
    finally:
        talk.cancel()
        await asyncio.gather(talk, return_exceptions=True)


def _may_go_again(error: BaseException) -> bool:
    return isinstance(error, FetchError) and error.is_worth_retrying


def _delay(state: _Attempt) -> float:
    if state.retry_after is not None:
        return state.retry_after
    return random.uniform(0, min(LONGEST_DELAY, FIRST_DELAY * 2 ** (state.number - 1)))
