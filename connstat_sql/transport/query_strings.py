"""Query strings of requests: with the keys that prove who we are, and without."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import unquote_plus

from connstat_sql.transport.messages import Request


def without(request: Request, pairs: Sequence[tuple[str, str]]) -> Request:
    """The request without the keys of the pairs, whatever values they have in it.

    >>> request = Request("p.s.t", "GET", "http://a.test/x", raw_query="key=k1&page=2")
    >>> without(request, [("key", "k2")]).full_url
    'http://a.test/x?page=2'
    """
    if not pairs:
        return request
    names = {name for name, _ in pairs}
    return replace(
        request,
        query=tuple(pair for pair in request.query if pair[0] not in names),
        raw_query="&".join(
            part
            for part in request.raw_query.split("&")
            if unquote_plus(part.partition("=")[0]) not in names
        ),
    )


def with_query(request: Request, pairs: Sequence[tuple[str, str]]) -> Request:
    """The request with the pairs in its query, each key once."""
    if not pairs:
        return request
    public = without(request, pairs)
    return replace(public, query=(*public.query, *pairs))


def with_shown(request: Request, shown: str) -> Request:
    """The request with another text for people than the URL that is sent."""
    return replace(request, shown=shown)
