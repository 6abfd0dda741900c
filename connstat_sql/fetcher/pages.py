"""A fetch → its pages, one after the other: each answer read, checked and handed on whole."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from connstat_sql.arrow import Body, RowReader
from connstat_sql.errors import PlanError, Status, UnexpectedShape
from connstat_sql.fetcher.answers import Answers
from connstat_sql.fetcher.paging import next_cursor
from connstat_sql.fetcher.requests import Fetch, build_request, size_asked
from connstat_sql.transport import Answer, Client, Request


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of one answer: `texts` are JSON arrays of `count` rows in all; `size` is in bytes.

    When `is_reused`, the answer was there already: `attempts` and `size` are 0.
    """

    fetch: Fetch
    texts: tuple[bytes, ...]
    count: int
    size: int
    url: str
    observed_at: float
    attempts: int
    is_no_row: bool = False
    is_reused: bool = False


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


@dataclass(frozen=True, slots=True)
class Walk:
    """Goes through the pages of fetches with one reader.

    `answers` are those of the statement so far (None: it remembers none); with `keep`, what is
    fetched now is added to them.
    """

    reader: RowReader
    budget: Budget
    answers: Answers | None
    keep: bool

    async def pages(self, fetch: Fetch, client: Client) -> AsyncGenerator[Page, None]:
        """The pages of a fetch; the next one is asked for when the last has been taken."""
        paging, cursor = fetch.method.paging, None
        seen: set[str] = set()
        rows_so_far = 0
        while True:
            request = build_request(fetch, client.base_url, cursor)
            answer = await self._answer(fetch, request, client)
            if answer.status in fetch.method.no_row:
                _check_no_row(request, answer, client)
                self._keep(fetch, request, answer)
                yield _page(fetch, request, answer, None)
                return
            body = _read(self.reader, answer, request, fetch)
            self._keep(fetch, request, answer)
            rows_so_far += body.count
            yield _page(fetch, request, answer, body)
            if paging is None:
                return
            try:
                size = size_asked(fetch)
                cursor = next_cursor(paging, body, answer, cursor, rows_so_far, size)
                if cursor in seen:
                    raise UnexpectedShape(f"the API repeats its {paging.request}")
            except UnexpectedShape as error:
                raise _placed(error, request, fetch, answer) from error
            if cursor is None:
                return
            seen.add(cursor)

    async def _answer(self, fetch: Fetch, request: Request, client: Client) -> Answer:
        """From memory, or over the wire and out of the budget."""
        if self.answers is not None:
            kept = self.answers.find(fetch.connection, request)
            if kept is not None:
                await asyncio.sleep(0)  # so that what is on the way elsewhere is not held up
                return kept
        self.budget.spend(request.table)
        return await client.send(request)

    def _keep(self, fetch: Fetch, request: Request, answer: Answer) -> None:
        if self.keep and self.answers is not None and answer.attempts > 0:
            self.answers.keep(fetch.connection, request, answer)


def _page(fetch: Fetch, request: Request, answer: Answer, body: Body | None) -> Page:
    """The page of an answer; `body` None means "no such row"."""
    is_reused = answer.attempts == 0
    return Page(
        fetch=fetch,
        texts=() if body is None else body.texts,
        count=0 if body is None else body.count,
        size=0 if is_reused else len(answer.body),
        url=str(request.line),
        observed_at=answer.observed_at,
        attempts=answer.attempts,
        is_no_row=body is None,
        is_reused=is_reused,
    )


def _check_no_row(request: Request, answer: Answer, client: Client) -> None:
    """A status that means "no such row"; a web page with that status means something else."""
    if answer.body.lstrip()[:1] == b"<":
        raise Status(
            f"{client.connection.name} answered {answer.status} with a web page: it may be "
            "starting, or something else answers at its address",
            table=request.table, connection=client.connection.name, request=request.line,
            status=answer.status, attempts=answer.attempts, hint="check the connection's base_url",
        )  # fmt: skip


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
