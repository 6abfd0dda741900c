"""Answers of one statement: each asked for once, out of its budget, and of no host that is down."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import NamedTuple

from msgspec.structs import replace

from connstat_sql.errors import ConnectionFailed, FetchError, PlanError
from connstat_sql.fetch.circuit_breaker import CircuitBreaker
from connstat_sql.transport import Client, Confirm, Request, Response

_BACK = "a list of a server that had failed before"


class RequestKey(NamedTuple):
    """A request as it is sent, whichever table it is for: equal ones need sending only once."""

    connection: str
    method: str
    url: str
    query: tuple[tuple[str, str], ...]
    raw_query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes | None

    @classmethod
    def of(cls, connection: str, request: Request) -> RequestKey:
        """What a request of a connection asks."""
        return cls(
            connection, request.method, request.url, request.query, request.raw_query,
            request.headers, request.body,
        )  # fmt: skip


@dataclass
class RequestBudget:
    """Requests that a statement may send; counts what was sent. Retries are not counted.

    `promised` are those that are known to be needed, sent by now or not.
    """

    limit: int
    sent: int = 0
    promised: int = 0

    @property
    def taken(self) -> int:
        """Requests that were sent or are sure to be."""
        return max(self.sent, self.promised)

    def fits(self, count: int) -> bool:
        """Whether so many more may be sent."""
        return self.taken + count <= self.limit

    def promise(self, count: int) -> None:
        """So many more will be sent."""
        self.promised = self.taken + count

    def spend(self, table: str) -> None:
        """Count one request, or raise PlanError when the budget is used up."""
        if self.sent >= self.limit:
            raise PlanError(
                f"the budget of {self.limit:,} requests is used up, and {table} needs more",
                hint=f"narrow the query, or raise it:  --max-requests {self.limit * 10}",
                requests_sent=self.sent,
            )
        self.sent += 1


@dataclass
class Responses:
    """Asks for the answers of one statement; equal requests share one, also while it is awaited.

    `until` is when the statement must have ended, by the clients' clock (None: no limit).
    Failures are not kept: whoever asks later asks again. A list without rows, or of a server that
    had failed before, counts once that has said that it is well: what starts knows not all its rows
    yet. What it had listed until then is asked once more.
    """

    budget: RequestBudget
    until: float | None = None
    breaker: CircuitBreaker = field(default_factory=CircuitBreaker)
    _cache: dict[RequestKey, Response] = field(default_factory=dict)
    _awaited: dict[RequestKey, asyncio.Future[Response] | None] = field(default_factory=dict)
    _confirming: dict[str, str] = field(default_factory=dict)
    """Servers that have been asked how they are, and why that is not known ("": they are well)."""

    def has(self, key: RequestKey, request: Request) -> bool:
        """Whether asking costs nothing; may be asked from any thread."""
        return key in self._awaited or self._find(key, request) is not None

    async def ask(
        self,
        connection: str,
        request: Request,
        client: Client,
        *,
        keep: bool = False,
        again: bool = False,
    ) -> Response:
        """The answer to a request, with `attempts` 0 where another had asked for it already.

        With `keep`, it is there for later requests too; with `again`, what was kept does not do.
        Raises FetchError, and PlanError when the budget is used up.
        """
        key = RequestKey.of(connection, request)
        if again:
            self._cache.pop(key, None)
        shared = await self._shared(key, request)
        if shared is not None:
            return shared
        mark = self.breaker.check(request)
        self.budget.spend(request.table)
        self._awaited[key] = None
        try:
            answer = await self._confirmed(connection, request, client, mark)
        except BaseException as error:
            self._settle(key, error)
            raise
        if keep:
            self._cache[key] = replace(answer, attempts=0, confirming=0)
        self._settle(key, answer)
        return answer

    async def _confirmed(
        self, connection: str, request: Request, client: Client, mark: int
    ) -> Response:
        """The answer; one without rows, or of a server that had failed, once that is well."""
        confirm, base_urls = request.confirm, client.base_urls
        if confirm is None:
            return await self._send(request, client, mark)
        asked: set[str] = set()
        before = 0
        while True:
            try:
                if base_urls.routed(request, base_urls.url).origin in base_urls.doubted:
                    server, sent = await self._ask_how(connection, confirm, client)
                    asked.add(server)
                    before += sent
                doubted = set(base_urls.doubted)
                well = {server for server, why in self._confirming.items() if not why}
                answer = await self._send(request, client, mark)
                server = (answer.sent or request).origin
                is_doubted = server in doubted or server in base_urls.doubted
                is_empty = confirm.is_empty(answer.body)
                if is_doubted or (is_empty and server not in self._confirming):
                    if server in base_urls.doubted or server not in self._confirming:
                        server, sent = await self._ask_how(connection, confirm, client)
                        before += sent
                    asked.add(server)
                    well.discard(server)
                why = self._confirming.get(server, "") if is_empty or server in asked else ""
                if why or server in well or not (is_empty or is_doubted):
                    what = "a list without rows" if is_empty else _BACK
                    why = f"{what}, and {why}" if why else ""
                    is_later = bool(asked) and not is_empty
                    return replace(answer, confirming=before, unconfirmed=why, has_filled=is_later)
                before += 1
                self.budget.spend(request.table)
                mark = self.breaker.check(request)
            except FetchError as error:
                error.confirming = before
                raise

    async def _ask_how(self, connection: str, confirm: Confirm, client: Client) -> tuple[str, int]:
        """Ask a server how it is: its origin, and how many requests that took."""
        answer = await self.ask(connection, confirm.request, client)
        server = (answer.sent or confirm.request).origin
        self._confirming[server] = _unconfirmed(answer, confirm, client)
        client.base_urls.doubted.discard(server)
        return server, answer.attempts > 0

    async def _send(self, request: Request, client: Client, mark: int) -> Response:
        try:
            answer = await client.send(request, until=self.until)
        except ConnectionFailed as error:
            self.breaker.failed(request, error, mark)
            _say_what_for(error, request)
            raise
        except FetchError as error:
            self.breaker.answered(request)
            _say_what_for(error, request)
            raise
        self.breaker.answered(request)
        return answer

    async def _shared(self, key: RequestKey, request: Request) -> Response | None:
        """An answer that was kept, or is being awaited by another, whose failure is ours too."""
        while True:
            cached = self._find(key, request)
            if cached is not None:
                await asyncio.sleep(0)  # so that what is on the way elsewhere is not held up
                return cached
            if key not in self._awaited:
                return None
            awaited = self._awaited[key]
            if awaited is None:
                awaited = self._awaited[key] = asyncio.get_running_loop().create_future()
            await asyncio.wait({awaited})
            if not awaited.cancelled() and _is_for(request, awaited.result()):
                return awaited.result()

    def _settle(self, key: RequestKey, outcome: Response | BaseException) -> None:
        """Tell those who wait for the same."""
        awaited = self._awaited.pop(key)
        if awaited is None:
            return
        if isinstance(outcome, Response):
            awaited.set_result(replace(outcome, attempts=0, confirming=0))
        elif isinstance(outcome, Exception):
            awaited.set_exception(outcome)
            awaited.exception()  # those who wait for it may have gone
        else:
            awaited.cancel()

    def _find(self, key: RequestKey, request: Request) -> Response | None:
        cached = self._cache.get(key)
        return cached if cached is not None and _is_for(request, cached) else None


def _unconfirmed(answer: Response, confirm: Confirm, client: Client) -> str:
    """Why nobody knows how a server is that does not know the question; "" where it is well.

    Raises Status where somebody before the server says that there is no such path.
    """
    if answer.status < 300:
        return ""
    if client.provider.error_mark and not client.is_own(answer.body):
        error = client.refused(confirm.request, answer)
        _say_what_for(error, confirm.request)
        raise error
    return (
        f"{client.connection.name} does not know "
        f"{_line(confirm.request)} ({answer.status}), which tells whether it is starting"
    )


def _say_what_for(error: FetchError, request: Request) -> None:
    """Put into the error of a server that was asked how it is what that is for."""
    if request.is_of_worker and error.status is not None:
        error.message = f"its list does not count yet: to {_line(request)} {error.message}"
        error.args = (error.message,)
        error.hint = error.hint or "ask again once it is well"


def _line(request: Request) -> str:
    """The verb and the path."""
    return f"{request.method} /{request.url.partition('://')[2].partition('/')[2]}"


def _is_for(request: Request, answer: Response) -> bool:
    """A 404 is an answer only for those to whom it means "no such row".

    Others ask for themselves, and get the error that they would have got.
    """
    return 200 <= answer.status < 300 or answer.status in request.accepts
