"""The base URLs of one connection: workers of a cluster, any of which can answer."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from connstat_sql.errors import ConnectionFailed, FetchError
from connstat_sql.transport.messages import Request

log = logging.getLogger("connstat_sql.transport")
ELSEWHERE = frozenset({502, 503, 504})
"""Statuses of a worker that does not work, where another may."""


class BaseUrls:
    """Which of several base URLs is asked: the first, until it fails, and then the next.

    Requests are built for the first, so that equal ones are equal whoever is asked; `routed` turns
    them to the worker in use. What does not begin with that URL goes where it says.
    """

    def __init__(self, connection: str, urls: Sequence[str], *, tells_own: bool = False) -> None:
        """Those of a connection; `tells_own`: the API's own errors can be told from others."""
        self.urls = tuple(urls)
        self._tells_own = tells_own
        self._connection = connection
        self._place = 0
        self.failures: dict[str, str] = {}
        """What became of the last request to those that did not work, by their URLs."""
        self.doubted: set[str] = set()
        """Origins of those that failed and have not said since that they are well."""

    @property
    def url(self) -> str:
        """The base URL of the worker in use."""
        return self.urls[self._place]

    def routed(self, request: Request, url: str) -> Request:
        """The request as it goes to a worker."""
        first = self.urls[0]
        if url == first or not _is_below(request.url, first):
            return request
        shown = request.shown
        if shown.startswith(first):
            shown = url + shown[len(first) :]
        return replace(request, url=url + request.url[len(first) :], shown=shown)

    def is_starting(self, status: int | None, *, is_own: bool) -> bool:
        """Whether one of several knows no path yet: its 404 is not in the API's own words."""
        return len(self.urls) > 1 and self._tells_own and status == 404 and not is_own

    def doubt(self, request: Request, error: FetchError) -> None:
        """A request has failed: its server may not know all it should for some time."""
        is_not_up = self._tells_own and error.status == 404 and not error.is_own
        if isinstance(error, ConnectionFailed) or error.status in ELSEWHERE or is_not_up:
            self.doubted.add(request.origin)

    def next_after(self, url: str, request: Request, error: FetchError, tried: set[str]) -> bool:
        """Whether another worker than those tried may answer what one of them did not."""
        is_its_fault = isinstance(error, ConnectionFailed) or error.status in ELSEWHERE
        is_its_fault |= request.is_of_worker
        is_its_fault |= self.is_starting(error.status, is_own=error.is_own)
        if not is_its_fault or not _is_below(request.url, self.urls[0]):
            return False
        self.failures[url] = error.message
        tried.add(url)
        if len(tried) >= len(self.urls):
            if len(self.urls) > 1:
                error.hint = f"none of its base URLs works: {', '.join(self.urls)}"
            return False
        if self.url in tried:
            place = self._place
            while self.urls[place] in tried:
                place = (place + 1) % len(self.urls)
            self._place = place
            log.info("%s: %s is asked in place of %s", self._connection, self.url, url)
        return True

    def answered(self, url: str) -> None:
        """A worker has answered."""
        self.failures.pop(url, None)


def _is_below(url: str, base: str) -> bool:
    return url.startswith(base) and url[len(base) : len(base) + 1] in ("", "/")
