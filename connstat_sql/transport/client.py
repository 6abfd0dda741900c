"""Requests of one connection: sent with its credentials, within limits, and tried again."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from codecs import BOM_UTF8
from collections.abc import Callable, Mapping
from functools import partial

from msgspec.structs import replace

from connstat_sql.config.connections import Connection
from connstat_sql.config.secrets import Resolver
from connstat_sql.definitions.model import DEFAULT_RETRIES, Provider, RetryRule
from connstat_sql.errors import DeadlinePassed, FetchError, RateLimited
from connstat_sql.redaction import hidden
from connstat_sql.redaction.credentials import holds, scrubbed
from connstat_sql.transport.auth import ERRORS, make_credentials
from connstat_sql.transport.backend import open_backend
from connstat_sql.transport.base_urls import BaseUrls
from connstat_sql.transport.errors import plain, wire_errors
from connstat_sql.transport.limiter import HeldBack
from connstat_sql.transport.messages import Attempt, ClientOptions, Request, Response, RetryNotice
from connstat_sql.transport.proxies import Proxies, proxies_of
from connstat_sql.transport.query_strings import with_query, with_shown, without
from connstat_sql.transport.rate_limits import RateLimiter, limits_of
from connstat_sql.transport.redirects import redirected
from connstat_sql.transport.responses import (
    SAID_LENGTH,
    RawResponse,
    ResponseErrors,
    is_json,
    retry_after,
    value_at,
)
from connstat_sql.transport.retries import NO_ANSWER, NO_HOST, RetryState, rule_for
from connstat_sql.transport.trusted_hosts import Origin, TrustedHosts
from connstat_sql.transport.wire import Backend, ExchangeLimits

log = logging.getLogger("connstat_sql.transport")

COMPLETE = frozenset({200, 201, 203, 204})
"""Successes that are whole answers; 202 comes later, 206 is a part, 207 and 208 are of many."""
SHORTEST_WAIT = 0.001
"""Seconds; what takes less was no wait."""


class Client:
    """Sends the requests of one connection. Made, used and closed on one event loop."""

    def __init__(
        self,
        provider: Provider,
        connection: Connection,
        options: ClientOptions,
        opened: Callable[[Resolver, ClientOptions, ExchangeLimits], Backend] = open_backend,
    ) -> None:
        self.provider = provider
        self.connection = connection
        self._options = options
        resolver = Resolver(provider, connection, options.environment)
        self.base_urls = BaseUrls(
            connection.name, resolver.base_urls(), tells_own=bool(provider.error_mark)
        )
        self.versions: dict[str, str] = {}
        """What servers have said of their versions, by their base URLs."""
        self._credentials = make_credentials(resolver, options.clock.now)
        exchange_limits = ExchangeLimits.of(connection, options)
        self._patience = exchange_limits.timeout
        self._errors = ResponseErrors(
            connection.name, provider.errors, exchange_limits.timeout, connection.address
        )
        errors = (*provider.errors, *ERRORS)
        self._token_errors = ResponseErrors(
            connection.name, errors, exchange_limits.timeout, connection.address
        )
        self._wire_errors = wire_errors(is_handed_in=options.transport is not None)
        self._hosts = TrustedHosts(connection, self.base_urls.urls)
        limits = limits_of(provider.limits, connection)
        self.concurrency = limits.concurrency
        self._longest_wait = limits.longest_wait
        self._limiter = RateLimiter(
            options.limits,
            limits,
            connection.name,
            resolver.identity(),
            self._hosts.own,
            options.clock,
        )
        self._backend = opened(resolver, options, exchange_limits)
        self._proxies = Proxies()
        if options.transport is None:
            self._proxies = proxies_of(resolver, options.environment)

    @property
    def base_url(self) -> str:
        """Where the API is, without a slash at the end."""
        return self.base_urls.urls[0]

    def version(self, base_url: str) -> str:
        """The version of the server there, as the connection or it has said; "" until one has."""
        return self.connection.server_version or self.versions.get(base_url, "")

    def now(self) -> float:
        """Seconds since the epoch, by the clock handed in."""
        return self._options.clock.now()

    def waits(self) -> float:
        """Seconds until requests may go on where the API asked to wait, else 0."""
        return self._limiter.waits()

    async def close(self) -> None:
        """Close the pool."""
        await self._backend.close()

    async def send(self, request: Request, *, until: float | None = None) -> Response:
        """Send until an answer is final.

        No try begins after `until`, by the clock handed in (None: there is no such time). Raises
        a FetchError that says what came of it, or DeadlinePassed.
        """
        self._hosts.check(request)
        state = RetryState(self._options.random, until, self._longest_wait, self._patience)
        return await self._send_with_retries(request, state)

    async def _send_with_retries(self, request: Request, state: RetryState) -> Response:
        """Send to one base URL after the other, and to all of them again after a pause."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        failed: FetchError | None = None
        tried: set[str] = set()
        while True:
            state.begin()
            url = self.base_urls.url
            routed = self.base_urls.routed(request, url)
            try:
                answer = await self._send_authorized(routed, url, state)
                self.base_urls.answered(url)
                waited = loop.time() - started - state.exchanged
                waited = 0.0 if waited < SHORTEST_WAIT else waited
                sent = None if routed is request else routed
                return replace(answer, waited=waited, sent=sent)
            except HeldBack as held:
                raise failed or self._held_back(routed, held, state) from held
            except FetchError as error:
                failed = error
            self._sign(failed, routed, state)
            self.base_urls.doubt(routed, failed)
            if self.base_urls.next_after(url, request, failed, tried):
                continue
            tried.clear()
            pause = state.pause(self.now())
            if pause is None:
                raise failed
            self._tell(failed, state, pause)
            await self._options.clock.sleep(pause)

    def _tell(self, failed: FetchError, state: RetryState, pause: float) -> None:
        """That a request waits before it is tried again."""
        log.info("%s: try %d in %.1f s", failed.message, state.attempts + 1, pause)
        if state.is_worth_telling(self.now(), pause):
            self._options.waiting(RetryNotice(self.connection.name, failed.message))

    def public(self, request: Request, *, is_led: bool = False) -> Request:
        """The request without what proves who we are, which a link may repeat.

        `is_led`: a server has said where it goes, in words that may hold anything.
        """
        request, secrets = without(request, self._credentials.query), self.secrets()
        if not (is_led or holds(request.full_url, secrets)):
            return request
        shown = scrubbed(request.full_url, secrets)
        return request if shown == request.full_url else with_shown(request, shown)

    def refused(self, request: Request, answer: Response) -> FetchError:
        """The error that an answer is which the request accepts, and its words do not fit."""
        reply = RawResponse(answer.status, answer.headers, answer.body)
        error = self._errors.refused(request, reply, None, self.secrets())
        error.attempts = answer.attempts
        error.is_own = self.is_own(answer.body)
        return error

    def is_own(self, body: bytes) -> bool:
        """Whether the body of an error is in the API's own shape, as its definition tells it."""
        provider = self.provider
        if provider.error_mark:
            return is_json(body) and provider.error_mark.encode() in body
        said = (value_at(body, path) for path in provider.errors)
        return (
            is_json(body) if not provider.errors else any(isinstance(words, str) for words in said)
        )

    def words(self, answer: Response) -> str:
        """What an answer says at the places where the API tells of errors; "" when nothing."""
        values = (value_at(answer.body, path) for path in self.provider.errors)
        said = next((value for value in values if isinstance(value, str) and value), "")
        return hidden(self.plain(said[: 4 * SAID_LENGTH]))[:SAID_LENGTH]

    def secrets(self) -> tuple[str, ...]:
        """What no message may repeat: credentials of the connection, and those of its proxy."""
        return (*self._credentials.secrets(), *self._proxies.secrets())

    def plain(self, text: str) -> str:
        """Words of the API's on one line, without our secrets."""
        return scrubbed(plain(text), self.secrets())

    async def _send_authorized(self, request: Request, url: str, state: RetryState) -> Response:
        """One try, and another with a new proof; credentials are asked of the same worker."""
        origin, ask = self._hosts.check(request), partial(self._send_for_token, url, state)
        proof = await self._credentials.headers(ask, request.table)
        reply = await self._send_within_limits(request, origin, proof, state)
        if reply.status == 401 and self._may_renew(proof, state):
            state.begin()
            proof = await self._credentials.headers(ask, request.table)
            reply = await self._send_within_limits(request, origin, proof, state)
        onward = redirected(request, reply) if self.provider.follows_redirects else None
        if onward is not None:
            state.begin()
            onward = self.public(onward, is_led=True)
            reply = await self._send_within_limits(onward, origin, proof, state)
        is_answer = reply.status in request.accepts or (
            reply.status in COMPLETE and not self._says_failed(reply)
        )
        is_own = reply.status in COMPLETE or self.is_own(reply.body)
        if is_answer and not self.base_urls.is_starting(reply.status, is_own=is_own):
            return Response(reply.status, reply.headers, reply.body, self.now(), state.attempts)
        raise self._refused(request, reply, state, self.provider.retries)

    def _says_failed(self, reply: RawResponse) -> bool:
        """Whether a success says in its body that it is an error."""
        marks = self.provider.failed
        return any(mark.speaks(value_at(reply.body, mark.at)) for mark in marks)

    def _may_renew(self, proof: Mapping[str, str], state: RetryState) -> bool:
        """After a 401, once for a request: whether there is another proof."""
        if state.has_renewed or not self._credentials.renew(proof):
            return False
        state.has_renewed = True
        log.info("%s refused its token: another one is fetched", self.connection.name)
        return True

    async def _send_within_limits(
        self, request: Request, origin: Origin, proof: Mapping[str, str], state: RetryState
    ) -> RawResponse:
        """One exchange within the limits, which learn from it."""
        permit = await self._limiter.enter(request, origin, state.until)
        loop, reply = asyncio.get_running_loop(), None
        started = loop.time()
        try:
            if state.until is not None and self.now() >= state.until:
                raise DeadlinePassed("the statement ran past its deadline")
            proved = with_query(request, self._credentials.query)
            if state.has_lost_connection and not proved.fresh:
                proved = dataclasses.replace(proved, fresh=True)
            reply = await self._exchange(request, proof, state, proved)
        finally:
            state.asked = self._limiter.leave(permit, request, reply, loop.time() - started)
        return reply

    async def _send_for_token(self, url: str, state: RetryState, request: Request) -> bytes:
        """The body of the answer to a request for credentials, which no limits hold up."""
        request = self.base_urls.routed(request, url)
        reply = await self._exchange(request, {}, state, request)
        if reply.status not in COMPLETE:
            state.asked = retry_after(reply.headers, self.now())
            raise self._refused(request, reply, state, DEFAULT_RETRIES, self._token_errors)
        return reply.body

    async def _exchange(
        self, request: Request, headers: Mapping[str, str], state: RetryState, proved: Request
    ) -> RawResponse:
        """One request on the wire, and its answer; `proved` is it with the keys of its query."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        reply: RawResponse | None = None
        failure: Exception | None = None
        try:
            reply = await self._backend.send(proved, headers)
        except FetchError as error:
            error.request = request.line
            error.message = self.plain(error.message)
            error.args = (error.message,)
            raise
        except self._wire_errors as error:
            failure = error
        finally:
            seconds = loop.time() - started
            state.exchanged += seconds
            status, size = (None, 0) if reply is None else (reply.status, len(reply.body))
            name = self.connection.name
            sent = Attempt(name, request.table, request.line, status, seconds, size, state.attempts)
            log.debug("%s %s %.0f ms %d bytes", sent.line, status, seconds * 1000, size)
            self._options.observe(sent)
        if failure is not None:
            raise self._failed(request, failure, state)
        assert reply is not None
        if reply.body.startswith(BOM_UTF8):
            return RawResponse(reply.status, reply.headers, reply.body[len(BOM_UTF8) :])
        return reply

    # --- what went wrong ---------------------------------------------------------------------

    def _failed(self, request: Request, error: BaseException, state: RetryState) -> FetchError:
        """No whole answer. What a library says of one repeats it: that is no cause to be told."""
        failed = self._errors.failed(request, error, self.secrets())
        state.has_lost_connection = True
        if failed.is_worth_retrying:
            state.rule = NO_HOST if failed.is_down else NO_ANSWER
        failed.__cause__ = error if isinstance(error, OSError) else None
        return failed

    def _refused(
        self,
        request: Request,
        reply: RawResponse,
        state: RetryState,
        rules: tuple[RetryRule, ...],
        errors: ResponseErrors | None = None,
    ) -> FetchError:
        state.rule = rule_for(reply.status, reply.body, rules)
        error = (errors or self._errors).refused(request, reply, state.asked, self.secrets())
        error.is_own = self.is_own(reply.body)
        if state.asked and state.rule is not None:
            error.hint = f"the API asks to wait {state.asked:.0f} s"
            if state.until is not None and self.now() + state.asked >= state.until:
                error.hint += ", and the deadline comes before that"
        return error

    def _held_back(self, request: Request, held: HeldBack, state: RetryState) -> RateLimited:
        """Not sent, because an answer to another request asked for too long a wait."""
        error = RateLimited(
            f"{self.connection.name} asks not to be asked for another {held.seconds:.0f} s",
            hint="run it again then",
        )
        state.attempts -= 1
        self._sign(error, request, state)
        return error

    def _sign(self, error: FetchError, request: Request, state: RetryState) -> None:
        """Say on the error which request it is of."""
        error.table, error.connection = request.table, self.connection.name
        error.request = error.request or request.line
        error.attempts = state.attempts
