"""Fetches → pages of rows, as many at once as the connections allow.

Everything here runs on one event loop. Pages are handed on as they arrive; a page is handed on
whole or not at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from connstat_sql.arrow import Body, RowReader
from connstat_sql.errors import FetchError, PlanError, Status, UnexpectedShape
from connstat_sql.fetcher.paging import next_cursor
from connstat_sql.fetcher.requests import Fetch, build_request
from connstat_sql.transport import Answer, Client, Request


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of one answer: `texts` are JSON arrays of `count` rows in all; `size` is in bytes."""

    fetch: Fetch
    texts: tuple[bytes, ...]
    count: int
    size: int
    url: str
    observed_at: float
    attempts: int
    is_no_row: bool = False


@dataclass(frozen=True, slots=True)
class Failure:
    """A fetch that failed, of a statement that goes on without it."""

    fetch: Fetch
    error: FetchError
    at: float


@dataclass
class Budget:
    """Requests that a statement may send; counts what was sent. Retries are not counted."""

    limit: int
    sent: int = 0

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
class Fetcher:
    """Runs fetches over the clients of their connections."""

    client: Callable[[str], Client]
    budget: Budget
    failures: list[Failure] | None = None

    async def run(
        self,
        fetches: Sequence[Fetch],
        reader: RowReader,
        deliver: Callable[[Page], Awaitable[None]],
    ) -> None:
        """Run all fetches, as many at once as their connections allow.

        Raises the first error, after stopping the others; with `failures` set, a FetchError is
        kept there and the others go on.
        """
        workers = [
            asyncio.ensure_future(self._work(waiting, reader, deliver))
            for waiting, places in self._queues(fetches)
            for _ in range(places)
        ]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)

    def _queues(self, fetches: Sequence[Fetch]) -> Iterator[tuple[Iterator[Fetch], int]]:
        """Each connection's fetches, and how many workers: a slow one holds up no other."""
        queues: dict[str, list[Fetch]] = {}
        for fetch in fetches:
            queues.setdefault(fetch.connection, []).append(fetch)
        for name, waiting in queues.items():
            yield iter(waiting), min(self.client(name).concurrency, len(waiting))

    async def _work(
        self,
        waiting: Iterable[Fetch],
        reader: RowReader,
        deliver: Callable[[Page], Awaitable[None]],
    ) -> None:
        for fetch in waiting:
            try:
                async with aclosing(self._pages(fetch, reader)) as pages:
                    async for page in pages:
                        await deliver(page)
            except FetchError as error:
                if self.failures is None:
                    raise
                now = self.client(fetch.connection).now()
                self.failures.append(Failure(fetch, error, now))

    async def _pages(self, fetch: Fetch, reader: RowReader) -> AsyncGenerator[Page, None]:
        client = self.client(fetch.connection)
        paging, cursor = fetch.method.paging, None
        seen: set[str] = set()
        rows_so_far = 0
        while True:
            request = build_request(fetch, client.base_url, cursor)
            self.budget.spend(str(fetch.resource.table))
            answer = await client.send(request)
            if answer.status in fetch.method.no_row:
                yield _no_row(fetch, request, answer, client)
                return
            body = _read(reader, answer, request, fetch)
            rows_so_far += body.count
            yield Page(
                fetch, body.texts, body.count, len(answer.body), str(request.line),
                answer.observed_at, answer.attempts,
            )  # fmt: skip
            if paging is None:
                return
            try:
                cursor = next_cursor(paging, body, answer, cursor, rows_so_far)
                if cursor in seen:
                    raise UnexpectedShape(f"the API repeats its {paging.request}")
            except UnexpectedShape as error:
                raise _placed(error, request, fetch, answer) from error
            if cursor is None:
                return
            seen.add(cursor)


def _no_row(fetch: Fetch, request: Request, answer: Answer, client: Client) -> Page:
    """A status that means "no such row"; a web page with that status means something else."""
    if answer.body.lstrip()[:1] == b"<":
        raise Status(
            f"{client.connection.name} answered {answer.status} with a web page: it may be "
            "starting, or something else answers at its address",
            table=request.table, connection=fetch.connection, request=request.line,
            status=answer.status, attempts=answer.attempts, hint="check the connection's base_url",
        )  # fmt: skip
    size = len(answer.body)
    return Page(fetch, (), 0, size, str(request.line), answer.observed_at, answer.attempts, True)


def _read(reader: RowReader, answer: Answer, request: Request, fetch: Fetch) -> Body:
    try:
        return reader.read(answer.body)
    except UnexpectedShape as error:
        raise _placed(error, request, fetch, answer) from error


def _placed(
    error: UnexpectedShape, request: Request, fetch: Fetch, answer: Answer
) -> UnexpectedShape:
    return UnexpectedShape(
        f"{request.table}: {error.message}",
        table=request.table,
        connection=fetch.connection,
        request=request.line,
        status=answer.status,
        attempts=answer.attempts,
        hint="if the API has changed, the definition must follow:  connstat providers show "
        + request.table,
    )
