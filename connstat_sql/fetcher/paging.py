"""An answer → what to ask the next page with."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import msgspec

from connstat_sql.arrow import Body
from connstat_sql.definitions import Paging, PagingStyle, Path
from connstat_sql.errors import UnexpectedShape
from connstat_sql.transport import Answer


def next_cursor(
    paging: Paging,
    body: Body,
    answer: Answer,
    cursor: str | None,
    rows_so_far: int,
    size: int | None,
) -> str | None:
    """What to ask the next page with; None after the last one.

    `size` is how many rows were asked for (None: as many as the API likes).
    """
    more = None if paging.more is None else _value(body, paging.more)
    if paging.more is not None and not isinstance(more, bool):
        raise UnexpectedShape(f"`{'.'.join(paging.more)}` says neither true nor false")
    if more is False:
        return None
    if paging.style is PagingStyle.TOKEN:
        return _token(paging, _value(body, paging.response), must_exist=more is True)
    if paging.style is PagingStyle.LINK:
        return _from_link(paging, _value(body, paging.response))
    if paging.style is PagingStyle.LINK_HEADER:
        return _from_link(paging, _next_link(answer.headers.get("Link", "")))
    if more is None and (body.count == 0 or (size is not None and body.count < size)):
        return None
    if paging.style is PagingStyle.OFFSET:
        return str(paging.first + rows_so_far)
    return str(int(cursor if cursor is not None else paging.first) + 1)


def _value(body: Body, path: Path) -> object:
    """The value at a path of the body; what pages are asked with must be text that can be sent."""
    try:
        value = body.opened.value(path)
        if isinstance(value, str):
            value.encode()
    except (msgspec.DecodeError, UnicodeError) as error:
        raise UnexpectedShape(f"`{'.'.join(path)}` cannot be read: {error}") from error
    return value


def _token(paging: Paging, value: object, *, must_exist: bool) -> str | None:
    if value in (None, "") and not must_exist:
        return None
    if isinstance(value, (str, int)) and not isinstance(value, bool) and value != "":
        return str(value)
    raise UnexpectedShape(f"there are more pages, but `{'.'.join(paging.response)}` holds no token")


def _from_link(paging: Paging, url: object) -> str | None:
    """Only the token is taken from a link: requests go where the connection says."""
    if url in (None, ""):
        return None
    found = parse_qs(urlsplit(url).query).get(paging.request) if isinstance(url, str) else None
    if not found:
        raise UnexpectedShape(f"the link to the next page has no {paging.request}")
    return found[0]


def _next_link(header: str) -> str | None:
    for url, attributes in re.findall(r"<([^>]*)>([^,<]*)", header):
        if re.search(r"""rel\s*=\s*"?[^";]*\bnext\b""", attributes):
            return str(url)
    return None
