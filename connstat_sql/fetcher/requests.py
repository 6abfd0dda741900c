"""A fetch → its requests: every argument stays inside its own path segment or query value."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from connstat_sql.definitions import (
    ArrayStyle,
    Filter,
    Method,
    Paging,
    PagingStyle,
    Resource,
    Template,
)
from connstat_sql.errors import ConnectionFailed, PlanError
from connstat_sql.transport import Request, is_plain_url

_NEVER_QUOTED = re.compile(r"[A-Za-z0-9_~-][A-Za-z0-9_.~-]*")


@dataclass(frozen=True, slots=True)
class Fetch:
    """One request with its following pages: a method asked with one tuple of arguments.

    `arguments` hold every parameter's value, also those that the request does not need: they
    become columns of its rows. `page_size` is how many rows a page need hold at most (None: as
    many as the method can have). `order` are query pairs that ask for an order of the rows.
    """

    connection: str
    resource: Resource
    method: Method
    arguments: Mapping[str, str]
    filters: tuple[tuple[Filter, tuple[str, ...]], ...] = ()
    page_size: int | None = None
    order: tuple[tuple[str, str], ...] = ()


def size_asked(fetch: Fetch) -> int | None:
    """How many rows a page are asked for: no more than the API gives; None: it is not asked."""
    paging = fetch.method.paging
    if paging is None or paging.size_key is None or paging.size is None:
        return None
    return paging.size if fetch.page_size is None else max(1, min(fetch.page_size, paging.size))


def build_request(fetch: Fetch, base_url: str, cursor: str | None) -> Request:
    """The request for one page.

    "No such row" is an answer to the first one alone: later, rows have been seen already.
    """
    method = fetch.method
    base = base_url
    if method.base_url is not None:
        base = _base(fetch, method.base_url)
    path = "".join(
        _segment(fetch.arguments[part]) if index % 2 else part
        for index, part in enumerate(method.path.parts)
    )
    query: list[tuple[str, str]] = []
    for item in method.query:
        values = [_plain(value, fetch.arguments) for value in item.values]
        query += _pairs(item.key, values, item.style)
    for one, wanted in fetch.filters:
        query += _pairs(
            one.key, [_sendable(value) for value in wanted], one.several or ArrayStyle.REPEATED
        )
    query += fetch.order
    query += _page_pairs(method.paging, size_asked(fetch), cursor)
    headers = [(name, _header(name, value, fetch.arguments)) for name, value in method.headers]
    body = None
    if method.body is not None:
        headers.append(("Content-Type", "application/json"))
        body = method.body.encode()
    return Request(
        table=str(fetch.resource.table),
        method=method.verb,
        url=base + path,
        query=tuple(query),
        headers=tuple(headers),
        body=body,
        accepts=method.no_row if cursor is None else frozenset(),
        method_name=method.name,
        family=method.limit,
    )


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
    return quote(_sendable(value), safe="")


def _header(name: str, template: Template, arguments: Mapping[str, str]) -> str:
    value = _plain(template, arguments)
    if not (value.isascii() and value.isprintable()):
        raise PlanError(f"{value!r} cannot be sent in the header {name}")
    return value


def _plain(template: Template, arguments: Mapping[str, str]) -> str:
    return "".join(
        _sendable(arguments[part]) if index % 2 else part
        for index, part in enumerate(template.parts)
    )


def _sendable(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise PlanError(f"{value!r} is not text that can be sent") from None
    return value


def _pairs(key: str, values: Sequence[str], style: ArrayStyle) -> list[tuple[str, str]]:
    if style is ArrayStyle.COMMA:
        return [(key, ",".join(values))]
    return [(key, value) for value in values]


def _page_pairs(
    paging: Paging | None, size: int | None, cursor: str | None
) -> list[tuple[str, str]]:
    if paging is None:
        return []
    pairs = []
    if paging.size_key is not None and size is not None:
        pairs.append((paging.size_key, str(size)))
    if cursor is not None:
        pairs.append((paging.request, cursor))
    elif paging.style is PagingStyle.PAGE:
        pairs.append((paging.request, str(paging.first)))
    return pairs
