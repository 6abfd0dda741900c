"""Answers that lead elsewhere: followed once, within the same origin, where that is allowed."""

from __future__ import annotations

from dataclasses import replace

from connstat_sql.transport.messages import Request
from connstat_sql.transport.responses import RawResponse, location, origin_of

_REDIRECTS = (301, 302, 303, 307, 308)


def redirected(request: Request, reply: RawResponse) -> Request | None:
    """The request that an answer leads to; None where it leads nowhere that may be followed.

    A GET alone is sent again, and to the origin that it was sent to.

    >>> request = Request("p.s.t", "GET", "http://depot.test/orders")
    >>> redirected(request, RawResponse(307, {"Location": "/v2/orders?all=1"}, b"")).full_url
    'http://depot.test/v2/orders?all=1'
    >>> redirected(request, RawResponse(307, {"Location": "http://other.test/"}, b""))
    """
    if reply.status not in _REDIRECTS or request.method != "GET":
        return None
    place = location(request, reply)
    own = origin_of(request.url)
    if place is None or own is None or origin_of(place) != own:
        return None
    rest = place.partition("#")[0].partition("://")[2]
    path, _, raw_query = rest.partition("?")
    path = path.partition("/")[2]
    url = f"{request.origin}/{path}"
    return replace(request, url=url, query=(), raw_query=raw_query, shown="")
