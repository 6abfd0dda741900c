"""Rows of a server that is older than a method: by the methods that its definition falls back to.

The first of them lists the rows; each other is asked once for each row, for the columns that those
before it do not serve. Where an answer says that there is no such row, the next one is asked.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
from msgspec.structs import replace as with_changes

from connstat_sql.decode import FieldLayout, RowReader
from connstat_sql.decode.body import decoded
from connstat_sql.definitions.model import Method, RowsPath, Shape
from connstat_sql.definitions.segments import refusal
from connstat_sql.errors import FetchError, NotAsked, PlanError, UnexpectedShape, counted
from connstat_sql.fetch.completeness import request_of
from connstat_sql.fetch.configurations import owner_of
from connstat_sql.fetch.declared_secrets import Learnt, owned, together
from connstat_sql.fetch.pages import FailedFetch, Page, PageReader
from connstat_sql.fetch.request import Fetch, base_of, build_request
from connstat_sql.fetch.responses import RequestKey
from connstat_sql.fetch.server_versions import ask_version, is_older
from connstat_sql.transport import Client, Request, Response

_SIGNS = (400, 404, 405, 410, 422, 501)
"""With what a server may answer that does not know a path, a verb or a key of the query."""
Row = dict[str, bytes]
"""The JSON texts of a row's values, by the names of columns and parameters."""


class SomeRowsFailed(FetchError):
    """Requests for single rows failed, of a statement that goes on without those rows."""

    def __init__(self, failures: Sequence[FailedFetch]) -> None:
        super().__init__(f"{counted(len(failures), 'row')} could not be asked for")
        self.failures = tuple(failures)


async def begin(
    page_reader: PageReader, fetch: Fetch, client: Client, request: Request | None = None
) -> tuple[Page, AsyncGenerator[Page, None] | None]:
    """As `PageReader.begin`; of an older server, by what its definition falls back to.

    Its version is asked for when an answer looks like one that is: of a server that heeds the
    method nothing more is asked.
    """
    if not fetch.method.fallback:
        return await page_reader.begin(fetch, client, request)
    spent: list[Page] = []
    if not is_older(fetch, client):
        try:
            first, following = await page_reader.begin(fetch, client, request)
        except FetchError as error:
            if not _looks_old(error, client):
                raise
            spent = await _asked(fetch, page_reader, client)
            if not is_older(fetch, client):
                raise _with_version_hint(error, fetch, client) from error
            spent.append(_unread(fetch, error))
        else:
            if first.is_no_row and _is_open(fetch, client):
                spent = await _asked(fetch, page_reader, client)
            if not is_older(fetch, client):
                return first, _all(spent, following) if spent else following
            if following is not None:
                await following.aclose()
            spent.append(with_changes(first, texts=(), count=0, is_no_row=False, may_go_on=""))
    pages = Fallback(page_reader, fetch, client).pages(spent)
    return await anext(pages), pages


def _looks_old(error: FetchError, client: Client) -> bool:
    """Whether an older server may have answered so.

    Of an error in other words than its own only where nobody knows what its own would be.
    """
    if error.is_own and isinstance(error, UnexpectedShape):
        return True
    return error.status in _SIGNS and (error.is_own or not client.provider.error_mark)


def _is_open(fetch: Fetch, client: Client) -> bool:
    """Whether "no such row" may be said by a server that does not know the path as well."""
    says = fetch.method.no_row_says or client.provider.no_row_says
    return not says and not client.version(base_of(fetch, client.base_url))


async def _all(
    pages: Iterable[Page], following: AsyncGenerator[Page, None] | None
) -> AsyncGenerator[Page, None]:
    for page in pages:
        yield page
    if following is not None:
        async with aclosing(following):
            async for page in following:
                yield page


async def _asked(fetch: Fetch, page_reader: PageReader, client: Client) -> list[Page]:
    """Ask for the version; pages without rows, for the requests that it took."""
    answer = await ask_version(fetch, page_reader.responses, client)
    return [] if answer is None else [_page_of(fetch, answer)]


def _page_of(fetch: Fetch, answer: Response) -> Page:
    is_reused = answer.attempts == 0
    return Page(
        fetch, (), 0, 0 if is_reused else len(answer.body), "", answer.observed_at,
        answer.attempts, is_reused=is_reused, waited=0.0 if is_reused else answer.waited,
    )  # fmt: skip


def _unread(fetch: Fetch, error: FetchError) -> Page:
    """A request whose answer could not be read."""
    return Page(fetch, (), 0, 0, "", 0.0, error.attempts, is_reused=error.attempts == 0)


def _with_version_hint(error: FetchError, fetch: Fetch, client: Client) -> FetchError:
    """The error, of a server that says it is not too old."""
    version = client.version(base_of(fetch, client.base_url))
    if version:
        error.hint = f"the server says that it is {version}, and {request_of(fetch)} came with "
        error.hint += f'{fetch.method.since}; a connection may say  server_version = "…"  itself'
    return error


@dataclass
class Fallback:
    """One fetch of an older server."""

    page_reader: PageReader
    fetch: Fetch
    client: Client
    _failures: list[FailedFetch] = field(default_factory=list)
    _spent: list[Page] = field(default_factory=list)
    _learnt: list[Learnt] = field(default_factory=list)

    def __post_init__(self) -> None:
        resource, fields = self.fetch.resource, self.page_reader.row_reader.fields
        self._lister, *self._others = map(resource.method, self.fetch.method.fallback)
        self._wanted = {field.name: field for field in fields}
        self._reader = RowReader(
            RowsPath(), [replace(field, path=(field.name,)) for field in fields]
        )
        """Reads rows in which each value stands under the name of its column."""
        self._readers = {
            method.name: self._reader_of(method) for method in (self._lister, *self._others)
        }

    def _reader_of(self, method: Method) -> RowReader:
        """Reads the rows of another method for the same columns, and the parameters it fills."""
        resource = self.fetch.resource
        fields = [
            replace(field, path=path)
            for field in self._wanted.values()
            if (path := _place(method, self.fetch, field)) is not None
        ]
        names = {field.name for field in fields}
        for name, path in method.fills.items():
            param = resource.param(name)
            if param is not None and name not in names:
                fields.append(FieldLayout.of_param(param, path))
        return RowReader(method.rows, fields)

    async def pages(self, spent: Sequence[Page]) -> AsyncGenerator[Page, None]:
        """A page without rows for each request that gave none, and one for each of the list."""
        self._check_columns()
        says = self._in_words()
        for page in spent:
            yield with_changes(page, fell_back=says)
        left = self.page_reader.limit
        async with aclosing(self._listed()) as listed:
            async for page in listed:
                rows = [
                    row
                    for text in page.texts
                    for row in self._readers[self._lister.name].values(text)
                    if self._is_wanted(row)
                ]
                self._check_budget(rows)
                whole = await self._completed(rows, left)
                for single in self._taken():
                    yield single
                left = None if left is None else left - len(whole)
                yield with_changes(self._page(page, whole), fell_back=says)
                if left is not None and left <= 0:
                    break
        if self._failures:
            raise SomeRowsFailed(self._failures)

    def _in_words(self) -> str:
        version = self.client.version(base_of(self.fetch, self.client.base_url))
        method, name = self.fetch.method, self.fetch.connection
        return f"{name} is {version}, before {method.since}: {method.in_its_place}"

    def _check_columns(self) -> None:
        served = {field.name for reader in self._readers.values() for field in reader.fields}
        lacking = [name for name in self._wanted if name not in served]
        if lacking:
            fetch, client = self.fetch, self.client
            version = client.version(base_of(fetch, client.base_url))
            raise UnexpectedShape(
                f"{fetch.resource.table}: {', '.join(lacking)} came with version "
                f"{fetch.method.since}, and {fetch.connection} is {version}",
                table=str(fetch.resource.table), connection=fetch.connection,
                hint="leave these columns out of the query",
            )  # fmt: skip

    # --- the list ----------------------------------------------------------------------------

    async def _listed(self) -> AsyncGenerator[Page, None]:
        """The pages of the method that lists the rows."""
        is_one_each = not any(map(_lists, self._others))
        limit = self.page_reader.limit if is_one_each and not self.fetch.only else None
        page, following = await self._begin(self._lister, self.fetch.arguments, limit)
        yield page
        if following is not None:
            async with aclosing(following):
                async for page in following:
                    yield page

    async def _begin(
        self, method: Method, arguments: Any, limit: int | None
    ) -> tuple[Page, AsyncGenerator[Page, None] | None]:
        other = replace(
            self.fetch, method=method, arguments=arguments, filters=(), order=(), only={}
        )
        reader = self._readers[method.name]
        return await begin(
            replace(self.page_reader, row_reader=reader, keep=True, limit=limit), other, self.client
        )

    def _is_wanted(self, row: Row) -> bool:
        return all(
            name not in row or _text(row[name]) in values
            for name, values in self.fetch.only.items()
        )

    # --- each row ----------------------------------------------------------------------------

    async def _completed(self, rows: Sequence[Row], left: int | None) -> list[Row]:
        """The rows with what else is asked for each, several at once, in their order."""
        waiting = iter(rows)
        under_way: deque[asyncio.Task[list[Row]]] = deque()
        whole: list[Row] = []
        try:
            while left is None or len(whole) < left:
                room = self.client.concurrency
                room = room if left is None else min(room, left - len(whole))
                while len(under_way) < room and (row := next(waiting, None)) is not None:
                    under_way.append(asyncio.ensure_future(self._whole(row)))
                if not under_way:
                    break
                whole += await under_way[0]
                under_way.popleft()
        finally:
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)
        return whole

    async def _whole(self, row: Row) -> list[Row]:
        """One row as all methods have it: none or several where one lists, as keys of settings."""
        arguments = self._arguments(row)
        rows, lacking = [row], {*self._wanted} - self._served(self._lister)
        for method in self._others:
            serves = lacking & self._served(method)
            if not serves and not _lists(method):
                continue
            try:
                answered = await self._ask(method, arguments)
            except FetchError as error:
                if not self.page_reader.is_partial:
                    raise
                asked = replace(self.fetch, method=method, arguments=arguments)
                self._failures.append(FailedFetch(asked, error, self.client.now()))
                return []
            if answered is None:
                if _lists(method):
                    return []
                continue
            lacking -= serves
            parts = [{name: part[name] for name in serves if name in part} for part in answered]
            rows = [{**begun, **part} for begun in rows for part in parts]
        return rows

    def _served(self, method: Method) -> set[str]:
        return {field.name for field in self._readers[method.name].fields}

    async def _ask(self, method: Method, arguments: dict[str, str]) -> list[Row] | None:
        """What a method says of one row; None where it says that there is none."""
        self._check_path(method, arguments)
        page, following = await self._begin(method, arguments, None)
        pages = [page]
        if following is not None:
            async with aclosing(following):
                pages += [page async for page in following]
        self._spent += pages
        owner = arguments.get(owner_of(self.fetch.method), "")
        self._learnt += [owned(page.learnt, owner) for page in pages]
        if pages[0].is_no_row:
            return None
        reader = self._readers[method.name]
        return [row for page in pages for text in page.texts for row in reader.values(text)]

    def _check_path(self, method: Method, arguments: dict[str, str]) -> None:
        for name in method.path.params:
            why = refusal(self.client.provider, arguments[name])
            if why:
                raise NotAsked(
                    f"{name} = {arguments[name]!r} {why}", table=str(self.fetch.resource.table),
                    connection=self.fetch.connection,
                    hint="say which rows you want, or leave it out with  --partial",
                )  # fmt: skip

    def _check_budget(self, rows: Sequence[Row]) -> None:
        """Raise PlanError where each of the rows needs a request and these are too many."""
        budget = self.page_reader.responses.budget
        left = budget.limit - budget.sent
        lacking = {*self._wanted} - self._served(self._lister)
        wanted = (other for other in self._others if lacking & self._served(other) or _lists(other))
        method = next(wanted, None)
        if method is None or self.page_reader.limit is not None or len(rows) <= left:
            return
        new = sum(not self._is_answered(method, row) for row in rows)
        if new <= left:
            return
        raise PlanError(
            f"{self.fetch.resource.table} needs a request for each of {new:,} rows, as "
            f"{self._in_words()}; {left:,} of the budget of {budget.limit:,} requests are left",
            hint=f"narrow the query, or raise the budget:  --max-requests {budget.sent + new}",
            requests_sent=budget.sent,
        )

    def _is_answered(self, method: Method, row: Row) -> bool:
        """Whether the statement has asked for a row before, or no request can hold its key."""
        arguments = self._arguments(row)
        if any(refusal(self.client.provider, arguments[name]) for name in method.path.params):
            return True
        asked = replace(self.fetch, method=method, arguments=arguments, filters=(), order=())
        request = build_request(asked, self.client.base_url, None)
        return self.page_reader.responses.has(RequestKey.of(asked.connection, request), request)

    def _arguments(self, row: Row) -> dict[str, str]:
        """What the other methods are asked with for a row of the list."""
        filled = {name: _text(row[name]) for name in self._lister.fills if name in row}
        return {**self.fetch.arguments, **filled}

    # --- pages -------------------------------------------------------------------------------

    def _taken(self) -> Iterable[Page]:
        """The requests for single rows: they gave no rows of their own."""
        spent, self._spent = self._spent, []
        for page in spent:
            yield with_changes(
                page, fetch=self.fetch, texts=(), count=0, reader=None, is_no_row=False,
                may_go_on="", fell_back="",
            )  # fmt: skip

    def _page(self, listed: Page, rows: Sequence[Row]) -> Page:
        """The page of a list with the rows that came of it."""
        objects = (
            b",".join(b"%b:%b" % (_encoded(name), value) for name, value in row.items())
            for row in rows
        )
        body = self._reader.read(b"[" + b",".join(b"{%b}" % text for text in objects) + b"]")
        names = together([listed.learnt, *self._learnt]).names
        learnt, self._learnt = with_changes(listed.learnt, names=names), []
        return with_changes(
            listed,
            fetch=self.fetch,
            texts=body.texts,
            count=body.count,
            reader=self._reader,
            learnt=learnt,
        )


def _lists(method: Method) -> bool:
    """Whether it says how many rows there are of one that it is asked for, as settings of one."""
    return method.rows.shape is not Shape.OBJECT


_encoded: Callable[[str], bytes] = msgspec.json.encode


def _text(value: bytes) -> str:
    return str(decoded(value, Any))


def _place(method: Method, fetch: Fetch, field: FieldLayout) -> tuple[str, ...] | None:
    """Where a method has a column or a parameter in its rows; None where it does not serve it."""
    column = fetch.resource.column(field.name)
    if column is None:
        return method.fills.get(field.name)
    return method.columns.get(field.name, column.path)
