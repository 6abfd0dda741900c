"""A fetch → its requests: every argument stays inside its own path segment or query value."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from connstat_sql.decode import OpenBody
from connstat_sql.definitions.model import (
    VARCHAR,
    ArrayStyle,
    Filter,
    InBody,
    InHeader,
    Method,
    OrderPairs,
    Paging,
    PagingStyle,
    Path,
    QueryItem,
    Resource,
    RowsPath,
    Scalar,
    Target,
    Template,
)
from connstat_sql.definitions.spellings import EPOCHS
from connstat_sql.errors import ConnectionFailed, PlanError, UnexpectedShape
from connstat_sql.fetch.cursor import PageCursor
from connstat_sql.fetch.request_body import json_body, sendable, typed
from connstat_sql.transport import Confirm, Request, is_plain_url

NO_PATH = frozenset({404, 405, 501})
"""With what a server answers that does not know a path, or not with that verb."""
_NEVER_QUOTED = re.compile(r"[A-Za-z0-9_~-][A-Za-z0-9_.~-]*")


@dataclass(frozen=True, slots=True)
class Fetch:
    """One request with its following pages: a method asked with one tuple of arguments.

    `arguments` hold every parameter's value, also those that the request does not need: they
    become columns of its rows. `page_size` is how many rows a page need hold at most (None: as
    many as the method can have). `order` is what asks for an order of the rows.
    `only` are the values, by parameters that are filled from rows, of the rows that anybody wants;
    others may be left out where each costs a request.
    """

    connection: str
    resource: Resource
    method: Method
    arguments: Mapping[str, str]
    filters: tuple[tuple[Filter, tuple[str, ...]], ...] = ()
    page_size: int | None = None
    order: OrderPairs = ()
    only: Mapping[str, frozenset[str]] = field(default_factory=dict)


def size_asked(fetch: Fetch) -> int | None:
    """How many rows a page are asked for: no more than the API gives; None: it is not asked."""
    paging = fetch.method.paging
    if paging is None or paging.size_key is None or paging.size is None:
        return None
    return paging.size if fetch.page_size is None else max(1, min(fetch.page_size, paging.size))


def build_request(fetch: Fetch, base_url: str, cursor: PageCursor | None) -> Request:
    """The request for one page.

    "No such row" is an answer to the first one alone: later, rows have been seen already.

    >>> from connstat_sql.definitions.names import TableName
    >>> orders = Method(
    ...     "list", Template(("/towns/", "town", "/orders")),
    ...     query=(QueryItem("state", (Template(("", "state", "")),)),),
    ... )
    >>> table = Resource(TableName("depot", "sales", "orders"), "", (), (), (orders,))
    >>> fetch = Fetch("depot_1", table, orders, {"town": "a/b", "state": "due"})
    >>> build_request(fetch, "http://depot.test", None).full_url
    'http://depot.test/towns/a%2Fb/orders?state=due'
    """
    method = fetch.method
    placed = _page_values(method.paging, size_asked(fetch), cursor)
    headers = [
        (name, _header_text(name, _plain(value, fetch.arguments))) for name, value in method.headers
    ]
    headers += [
        (target.name, _header_text(target.name, value.text))
        for target, value in placed
        if isinstance(target, InHeader)
    ]
    in_body = [*_filters_in_body(fetch)]
    in_body += [
        (key.path, PageCursor(value.encode()))
        for key, value in fetch.order
        if isinstance(key, InBody)
    ]
    in_body += [(target.path, value) for target, value in placed if isinstance(target, InBody)]
    body, content_type = _body(fetch, in_body)
    if content_type and not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", content_type))
    if cursor is not None and cursor.link:
        url, _, raw_query = cursor.link.partition("?")
        query: tuple[tuple[str, str], ...] = ()
    else:
        url, raw_query, query = _url(fetch, base_url), "", _query(fetch, placed)
    return Request(
        table=str(fetch.resource.table),
        method=method.verb,
        url=url,
        query=query,
        headers=tuple(headers),
        body=body,
        accepts=method.no_row if cursor is None else frozenset(),
        method_name=method.name,
        family=method.limit,
        raw_query=raw_query,
        confirm=_confirm(fetch, base_url) if cursor is None else None,
    )


def _confirm(fetch: Fetch, base_url: str) -> Confirm | None:
    """What makes a list in doubt count, where it does not by itself."""
    path = fetch.method.confirm_empty
    if path is None:
        return None
    base = base_of(fetch, base_url)
    request = Request(
        str(fetch.resource.table), "GET", base + _path(path, fetch), accepts=NO_PATH,
        family=fetch.method.limit, is_of_worker=True,
    )  # fmt: skip
    return Confirm(request, partial(_is_empty, fetch.method.rows))


def _is_empty(rows: RowsPath, body: bytes) -> bool:
    """Whether a body has no rows; one in another shape is not known to have none."""
    try:
        return next(iter(OpenBody(body).rows(rows)), None) is None
    except UnexpectedShape:
        return False


def _url(fetch: Fetch, base_url: str) -> str:
    return base_of(fetch, base_url) + _path(fetch.method.path, fetch)


def _path(template: Template, fetch: Fetch) -> str:
    return template.filled(lambda param: _segment(fetch.arguments[param]))


def base_of(fetch: Fetch, base_url: str) -> str:
    """Where the API is that a method is of: the connection's, or what the method says."""
    method = fetch.method
    return base_url if method.base_url is None else _base(fetch, method.base_url)


def _query(
    fetch: Fetch, placed: Sequence[tuple[Target, PageCursor]]
) -> tuple[tuple[str, str], ...]:
    query: list[tuple[str, str]] = []
    for item in fetch.method.query:
        query += _item_pairs(item, fetch.arguments)
    for condition, wanted in fetch.filters:
        if isinstance(condition.key, str):
            values = [sendable(value) for value in wanted]
            query += _pairs(condition.key, values, condition.several or ArrayStyle.REPEATED)
    query += [(key, value) for key, value in fetch.order if isinstance(key, str)]
    query += [(target, value.text) for target, value in placed if isinstance(target, str)]
    return tuple(query)


def _filters_in_body(fetch: Fetch) -> Iterator[tuple[Path, PageCursor]]:
    """Values of predicates that go into the body, each as its column's type has it."""
    for condition, wanted in fetch.filters:
        if not isinstance(condition.key, InBody):
            continue
        column = fetch.resource.column(condition.column)
        of = VARCHAR if column is None or not isinstance(column.type, Scalar) else column.type
        of = Scalar("BIGINT") if condition.format in EPOCHS else of
        values = [_json_value(condition.column, text, of) for text in wanted]
        if condition.several is ArrayStyle.COMMA:
            yield condition.key.path, PageCursor.of(",".join(wanted))
        elif condition.several is ArrayStyle.REPEATED:
            yield condition.key.path, PageCursor(msgspec.json.encode(values))
        else:
            yield condition.key.path, PageCursor(msgspec.json.encode(values[0]))


def _json_value(name: str, text: str, of: Scalar) -> Any:
    """A value as JSON has it; what an API writes in words of its own stays a text."""
    is_word = of == Scalar("BOOLEAN") and text not in ("true", "false")
    try:
        return sendable(text) if is_word else typed(name, text, of)
    except PlanError:
        return sendable(text)


def _body(fetch: Fetch, placed: Sequence[tuple[Path, PageCursor]]) -> tuple[bytes | None, str]:
    """The body of a request, and the type of its content; (None, "") without one."""
    method, resource = fetch.method, fetch.resource
    if method.form:
        pairs = [pair for item in method.form for pair in _item_pairs(item, fetch.arguments)]
        pairs += [(path[0], text) for path, value in placed for text in value.texts]
        return urlencode(pairs).encode(), "application/x-www-form-urlencoded"
    if method.body is None and not placed and not _pages_in_body(method.paging):
        return None, ""

    def type_of(name: str) -> Scalar:
        param = resource.param(name)
        return VARCHAR if param is None else param.type

    texts = [(path, value.json) for path, value in placed]
    return json_body(method.body, fetch.arguments, type_of, texts), "application/json"


def _base(fetch: Fetch, template: Template) -> str:
    """A base URL from an argument; it comes from rows or from the query, so it is looked at."""
    base = _plain(template, fetch.arguments)
    if not is_plain_url(base):
        raise ConnectionFailed(
            f"{' and '.join(template.params)} is not a plain http or https URL: {base[:200]!r}",
            table=str(fetch.resource.table),
            connection=fetch.connection,
            hint="it is written like  https://host:8083  without login, ? and #",
        )
    return base.rstrip("/")


def _segment(value: str) -> str:
    if _NEVER_QUOTED.fullmatch(value):
        return value
    if value in ("", ".", ".."):
        raise PlanError(f"{value!r} cannot be a path segment")
    return quote(sendable(value), safe="")


def _header_text(name: str, value: str) -> str:
    if not (value.isascii() and value.isprintable()):
        raise PlanError(f"{value!r} cannot be sent in the header {name}")
    return value


def _plain(template: Template, arguments: Mapping[str, str]) -> str:
    return template.filled(lambda param: sendable(arguments[param]))


def _item_pairs(item: QueryItem, arguments: Mapping[str, str]) -> list[tuple[str, str]]:
    return _pairs(item.key, [_plain(value, arguments) for value in item.values], item.style)


def _pairs(key: str, values: Sequence[str], style: ArrayStyle) -> list[tuple[str, str]]:
    if style is ArrayStyle.COMMA:
        return [(key, ",".join(values))]
    return [(key, value) for value in values]


def _pages_in_body(paging: Paging | None) -> bool:
    """Whether some pages of a list are asked for in a body: then all of them are."""
    return paging is not None and any(
        isinstance(target, InBody) for target in (paging.request, paging.size_key)
    )


def _page_values(
    paging: Paging | None, size: int | None, cursor: PageCursor | None
) -> list[tuple[Target, PageCursor]]:
    """What is sent for the sake of a page, and where it goes."""
    if paging is None:
        return []
    placed: list[tuple[Target, PageCursor]] = []
    if paging.size_key is not None and size is not None:
        placed.append((paging.size_key, PageCursor.of(size)))
    if paging.request is not None:
        value = first_cursor(paging) if cursor is None else cursor
        if value is not None:
            placed.append((paging.request, value))
    return placed


def first_cursor(paging: Paging) -> PageCursor | None:
    """What the first page is asked for with; None where nothing is sent for it."""
    if paging.first_token is not None:
        return PageCursor.of(paging.first_token)
    return PageCursor.of(paging.first) if paging.style is PagingStyle.PAGE else None
