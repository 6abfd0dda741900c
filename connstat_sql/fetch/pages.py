"""A fetch → its pages, one after the other: each answer read, checked and handed on whole."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass

import msgspec
from msgspec.structs import replace

from connstat_sql.decode import Body, RowReader, SeenRows
from connstat_sql.definitions.model import Column
from connstat_sql.errors import FetchError, Incomplete, PlanError, UnexpectedShape, counted
from connstat_sql.fetch.completeness import (
    check_no_row,
    check_silent_fault,
    incomplete,
    is_own_success,
    stops_at_a_page,
    with_version,
)
from connstat_sql.fetch.cursor import PageCursor
from connstat_sql.fetch.declared_secrets import Inquiry, Learnt
from connstat_sql.fetch.known_rows import (
    KnownRows,
    ask_known_rows,
    body_of,
    is_hollow,
    key_of,
    keys_in,
)
from connstat_sql.fetch.page_facts import PageFacts
from connstat_sql.fetch.paginators import Paginator, TotalPages
from connstat_sql.fetch.request import Fetch, build_request, size_asked
from connstat_sql.fetch.responses import RequestKey, Responses
from connstat_sql.fetch.server_versions import learn_version
from connstat_sql.transport import Client, Request, Response


class Page(msgspec.Struct, frozen=True):
    """Rows of one answer: `texts` are JSON arrays of `count` rows in all; `size` is in bytes.

    When `is_reused`, the answer was there already: `attempts` and `size` are 0. `waited` are the
    seconds that the request waited for limits and between tries. `may_go_on` is why the
    list may have further pages though nothing leads to them, or "". `reader` has read the rows
    where that is not the scan's (None: it is). `fell_back` says by what an older server was asked
    in place of the method, or "". `learnt` is what plugins declare to be secret in it. `confirming`
    requests went besides because it had no rows.
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
    waited: float = 0.0
    may_go_on: str = ""
    reader: RowReader | None = None
    fell_back: str = ""
    learnt: Learnt = Learnt()
    confirming: int = 0


class FailedFetch(msgspec.Struct, frozen=True):
    """A fetch that failed, of a statement that goes on without it."""

    fetch: Fetch
    error: FetchError
    at: float


_UNTOLD = (
    "an answer holds `{}` beside its rows, and its definition does not say whether it is whole "
    "then (`incomplete`)"
)


@dataclass(frozen=True, slots=True)
class PageReader:
    """Goes through the pages of fetches with one reader.

    With `keep`, what is fetched now is kept for later requests of the statement. `limit` is how
    many rows of a fetch are enough (None: all of them): no page is asked for beyond those. With
    `is_partial`, a list of which the API says that a part is missing is read to its end first.
    `inquiry` asks what is secret in the `columns` (None: nobody needs to know).
    """

    row_reader: RowReader
    responses: Responses
    keep: bool = False
    limit: int | None = None
    is_partial: bool = False
    inquiry: Inquiry | None = None
    columns: tuple[Column, ...] = ()

    async def begin(
        self, fetch: Fetch, client: Client, request: Request | None = None
    ) -> tuple[Page, AsyncGenerator[Page, None] | None]:
        """The first page of a fetch, and those after it, or None where there can be none.

        They end whatever the server answers (`paginators.py` says why). The next one is asked for
        when the last has been taken. Where the first page tells how many there are, the others are
        asked for side by side, as many at once as the client allows, and come as they arrive; no
        more than that many wait to be taken. With a limit they come in their order. Closing the
        generator leaves no request behind. `request` is that for the first page, where it has been
        built already. Raises FetchError, and PlanError when the budget does not suffice.
        """
        pages = _ListReader(self, fetch, client)
        read = await pages.read(1, request or pages.first())
        following = pages.following(read)
        return pages.taken(read.page), pages.to_the_end(following, read)


class _Read(msgspec.Struct, frozen=True):
    """A page with what it was made of; `body` None means "no such row"."""

    page: Page
    number: int
    request: Request
    answer: Response
    body: Body | None


class _ListReader:
    """The pages of one fetch while they are read."""

    def __init__(self, page_reader: PageReader, fetch: Fetch, client: Client) -> None:
        self._reader, self._fetch, self._client = page_reader, fetch, client
        self._paging = fetch.method.paging
        key = None if self._paging is None else self._paging.key
        self._seen = None if key is None else SeenRows(key)
        self._pages_read = self._rows_taken = 0
        self._may_lack = bool(client.provider.incomplete or fetch.method.incomplete)
        self.lacking: Incomplete | None = None
        """What the API says is missing, of a list that is read to its end all the same."""
        self._leaves_out_rows = bool(fetch.method.known_by and fetch.method.fills)
        """Whether another method has to say which rows this list leaves out."""
        self._keys: set[str] = set()
        self._known_rows: KnownRows | None = None

    async def read(self, number: int, request: Request, totals: TotalPages | None = None) -> _Read:
        """Ask for a page and read it; the first has the number 1.

        What a row is that the list of keys had not yet when it was read by key is asked once more.
        """
        read, known_rows = await self._read(number, request, totals), self._known_rows
        if known_rows is None or not known_rows.answer.has_filled:
            return read
        if self._fetch.arguments[key_of(self._fetch)] not in known_rows.keys:
            return read
        later = await self._read(number, request, totals, again=True)
        more = later.page.confirming + (not read.page.is_reused)
        return replace(later, page=replace(later.page, confirming=more))

    async def _read(
        self, number: int, request: Request, totals: TotalPages | None, *, again: bool = False
    ) -> _Read:
        fetch, responses = self._fetch, self._reader.responses
        try:
            answer = await responses.ask(
                fetch.connection, request, self._client, keep=self._reader.keep, again=again
            )
        except PlanError as error:
            raise self._with_progress(error) from error
        except FetchError as error:
            with_version(error, fetch)
            raise
        learn_version(fetch, answer, self._client)
        request = answer.sent or request
        body, fault = None, ""
        if answer.status in fetch.method.no_row:
            check_no_row(fetch, request, answer, self._client)
            body = await self._without_answer()
        else:
            try:
                self._note_missing(incomplete(fetch, request, answer, self._client))
                body = self._reader.row_reader.read(answer.body, self._seen)
                fault = check_silent_fault(fetch, request, answer, self._client)
                if totals is not None:
                    totals.check(number, self._facts(body, answer))
                if not await self._is_there(answer.body):
                    body = None
            except UnexpectedShape as error:
                placed: UnexpectedShape = _placed(error, self._client, request, answer, number)
                placed.is_own = error.lacks_rows and is_own_success(answer, self._client)
                with_version(placed, fetch)
                raise self.lacking or placed from None
        self._pages_read += 1
        page = _page(fetch, request, answer, body)
        if number == 1 and body is not None:
            ends = answer.unconfirmed or stops_at_a_page(fetch, request, answer, body)
            page = replace(page, may_go_on=ends)
        if fault:
            page = replace(page, may_go_on=_UNTOLD.format(fault))
        page = await self._with_learnt(page, body)
        return _Read(page, number, request, answer, body)

    async def _with_learnt(self, page: Page, body: Body | None) -> Page:
        """The page, with what its plugins declare to be secret in it."""
        page_reader = self._reader
        if page_reader.inquiry is None or not page_reader.columns or body is None or not page.count:
            return page
        about = page_reader.inquiry.about(
            self._fetch, self._client, body.opened, page_reader.columns
        )
        return replace(page, learnt=await about)

    def _note_missing(self, lacking: Incomplete | None) -> None:
        """Of rows that are taken in an order, those that are missing could have come first."""
        if lacking is not None and (not self._reader.is_partial or self._reader.limit is not None):
            raise lacking
        self.lacking = self.lacking or lacking

    def to_the_end(
        self, following: AsyncGenerator[Page, None] | None, first: _Read
    ) -> AsyncGenerator[Page, None] | None:
        """The pages that follow, and what comes after all of them; None where nothing does."""
        may_lack = following is not None and self._may_lack
        if first.body is None and self._known_rows is None:
            return None
        if (
            self.lacking is None
            and self._known_rows is None
            and not may_lack
            and not self._leaves_out_rows
        ):
            return following
        return self._with_the_rest(following)

    async def _with_the_rest(
        self, following: AsyncGenerator[Page, None] | None
    ) -> AsyncGenerator[Page, None]:
        """The pages that follow, rows that they leave out, and what the API says is missing."""
        if following is not None:
            async with aclosing(following):
                async for page in following:
                    yield page
        if self._leaves_out_rows and self._rows_wanted != 0:
            async for page in self._left_out():
                yield self.taken(page)
        elif self._known_rows is not None:
            yield self._empty(self._known_rows)
        if self.lacking is not None:
            raise self.lacking

    async def _left_out(self) -> AsyncGenerator[Page, None]:
        """The rows that a list leaves out, with what another one has of them."""
        fetch, method = self._fetch, self._fetch.method
        known_rows = await ask_known_rows(
            fetch, method.known_by, self._reader.responses, self._client
        )
        keys = [key for key in known_rows.keys if key not in self._keys]
        if not keys:
            yield self._empty(known_rows)
            return
        details = None
        if method.rest_from:
            yield self._empty(known_rows)
            known_rows = await ask_known_rows(
                fetch, method.rest_from, self._reader.responses, self._client
            )
            details = known_rows if known_rows.keys else None
        content = body_of(fetch, keys, details)
        try:
            body = self._reader.row_reader.read(content)
        except UnexpectedShape as error:
            raise _placed(error, self._client, known_rows.request, known_rows.answer, 1) from None
        yield await self._with_learnt(
            _page(fetch, known_rows.request, known_rows.answer, body), body
        )

    def _empty(self, known_rows: KnownRows) -> Page:
        """A request that gave no row of its own."""
        return _page(self._fetch, known_rows.request, known_rows.answer, None, is_no_row=False)

    async def _is_there(self, content: bytes) -> bool:
        """Whether what a read by key says is of a row that there is; note the keys of a list."""
        fetch = self._fetch
        if self._leaves_out_rows:
            param = key_of(fetch)
            self._keys.update(keys_in(content, fetch.method.rows, fetch.method.fills[param]))
        elif fetch.method.known_by and is_hollow(content, fetch.method.rows):
            param = key_of(fetch)
            return fetch.arguments[param] in (await self._rows_known()).keys
        return True

    async def _without_answer(self) -> Body | None:
        """The row of a read by key that says there is none, where a list has its key all the same.

        Its parts may not be there yet: it holds nothing but its key.
        """
        fetch = self._fetch
        if not fetch.method.known_by or self._leaves_out_rows:
            return None
        known_rows, key = await self._rows_known(), fetch.arguments[key_of(fetch)]
        if key not in known_rows.keys:
            return None
        return self._reader.row_reader.read(body_of(fetch, [key], known_rows))

    async def _rows_known(self) -> KnownRows:
        """The list of keys that a read by key is held against."""
        if self._known_rows is None:
            method, responses = self._fetch.method, self._reader.responses
            self._known_rows = await ask_known_rows(
                self._fetch, method.known_by, responses, self._client
            )
        return self._known_rows

    def taken(self, page: Page) -> Page:
        """The page, which now counts for the limit."""
        self._rows_taken += page.count
        return page

    def following(self, first: _Read) -> AsyncGenerator[Page, None] | None:
        """The pages after the first; None where there is only one."""
        if self._paging is None or first.body is None:
            return None
        try:
            totals = TotalPages.of(self._paging, self._facts(first.body, first.answer))
        except UnexpectedShape as error:
            raise _placed(error, self._client, first.request, first.answer, 1) from None
        if totals is None:
            return self._one_by_one(Paginator.of(self._paging, size_asked(self._fetch)), first)
        return self._side_by_side(totals)

    async def _one_by_one(self, paginator: Paginator, read: _Read) -> AsyncGenerator[Page, None]:
        """Each page after the first, as the one before it tells."""
        while read.body is not None and self._rows_wanted != 0:
            try:
                facts = self._facts(read.body, read.answer)
                cursor = paginator.after(facts, read.request.full_url)
            except UnexpectedShape as error:
                raise _placed(error, self._client, read.request, read.answer, read.number) from None
            if cursor is None:
                return
            read = await self.read(read.number + 1, self._request(cursor))
            yield self.taken(read.page)

    async def _side_by_side(self, totals: TotalPages) -> AsyncGenerator[Page, None]:
        """Each page after the first, several at once: their numbers are known."""
        self._check_budget(totals)
        numbers = iter(range(2, totals.pages + 1))
        under_way: list[asyncio.Task[Page]] = []
        is_ordered = self._reader.limit is not None
        try:
            self._begin(totals, numbers, under_way)
            while under_way:
                first = under_way[:1] if is_ordered else under_way
                done, _ = await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
                ready = done.pop()
                page = self.taken(ready.result())
                under_way.remove(ready)
                self._begin(totals, numbers, under_way)
                yield page
        finally:
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)

    def _begin(
        self, totals: TotalPages, numbers: Iterator[int], under_way: list[asyncio.Task[Page]]
    ) -> None:
        """Ask for as many more pages as may be under way, and rows wanted of them."""
        while len(under_way) < self._client.concurrency:
            wanted = self._rows_wanted
            if wanted is not None and wanted <= len(under_way) * totals.stride:
                return
            number = next(numbers, None)
            if number is None:
                return
            under_way.append(asyncio.ensure_future(self._numbered(totals, number)))

    async def _numbered(self, totals: TotalPages, number: int) -> Page:
        return (await self.read(number, self._request(totals.cursor(number)), totals)).page

    def _facts(self, body: Body, answer: Response) -> PageFacts:
        return PageFacts(body, answer.headers, self._fetch.method.rows)

    def first(self) -> Request:
        """The request for the first page."""
        return self._request(None)

    def _request(self, cursor: PageCursor | None) -> Request:
        request = build_request(self._fetch, self._client.base_url, cursor)
        return self._client.public(request, is_led=cursor is not None and cursor.is_from_server)

    @property
    def _rows_wanted(self) -> int | None:
        """How many rows are still wanted; None: all."""
        limit = self._reader.limit
        return None if limit is None else max(0, limit - self._rows_taken)

    def _check_budget(self, totals: TotalPages) -> None:
        """Raise PlanError when the pages cannot all be asked for, before any of them is."""
        responses, fetch = self._reader.responses, self._fetch
        left = responses.budget.limit - responses.budget.sent
        needed = totals.least(self._reader.limit)
        if needed - 1 <= left:
            return
        new = 0
        for number in range(2, needed + 1):  # ends soon: what was answered before is not much
            request = self._request(totals.cursor(number))
            new += not responses.has(RequestKey.of(fetch.connection, request), request)
            if new > left:
                raise PlanError(
                    f"{fetch.resource.table} needs {needed:,} of the {totals.pages:,} pages "
                    f"of a list, and {left:,} of the budget of {responses.budget.limit:,} "
                    "requests are left",
                    hint="narrow the query, or raise the budget:  --max-requests "
                    f"{responses.budget.sent + needed - 1}",
                    requests_sent=responses.budget.sent,
                )

    def _with_progress(self, error: PlanError) -> PlanError:
        """The error, with how far this list had been read when the budget was used up."""
        if not self._pages_read:
            return error
        pages = counted(self._pages_read, "page")
        return PlanError(
            f"{error.message}: {pages} of one list were read, and it goes on",
            hint=error.hint,
            requests_sent=error.requests_sent,
        )


def _page(
    fetch: Fetch, request: Request, answer: Response, body: Body | None, *, is_no_row: bool = True
) -> Page:
    """The page of an answer; `body` None means "no such row", or with `is_no_row` false no rows."""
    is_reused = answer.attempts == 0
    return Page(
        fetch=fetch,
        texts=() if body is None else body.texts,
        count=0 if body is None else body.count,
        size=0 if is_reused else len(answer.body),
        url=str(request.line),
        observed_at=answer.observed_at,
        attempts=answer.attempts,
        is_no_row=is_no_row and body is None,
        is_reused=is_reused,
        waited=0.0 if is_reused else answer.waited,
        confirming=answer.confirming,
    )


def _placed(
    error: UnexpectedShape, client: Client, request: Request, answer: Response, number: int
) -> UnexpectedShape:
    """What is wrong with a page, with the table, the page's number and the request.

    It is raised from None: the error itself may repeat secrets that the answer holds.
    """
    page = f", page {number:,}" if number > 1 else ""
    hint = f"the API may have changed:  connstat providers show {request.table}  tells what it gave"
    if answer.body.lstrip()[:1] == b"<":
        hint = f"perhaps a login or a proxy answers: check {client.connection.address}"
    words = client.words(answer) if error.lacks_rows else ""
    said = f"; the API says: {words}" if words else ""
    return UnexpectedShape(
        f"{request.table}{page}: {client.plain(error.message)}{said}",
        table=request.table,
        connection=client.connection.name,
        request=request.line,
        status=answer.status,
        attempts=answer.attempts,
        hint=error.hint or hint,
    )
