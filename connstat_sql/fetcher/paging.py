"""An answer → what to ask the next page with, or with which numbers all the others are asked.

Why every walk through a list ends, whatever the server answers:

- Each step asks with a cursor that this walk has not asked with before, or raises. A token, also
  one out of a link, is compared with all earlier ones. An offset grows by the rows of each page,
  and a page without rows is the last or an error. A page number grows by one.
- A list whose total is known has a fixed number of pages after the first, each asked for once;
  a later answer that tells of another total is an error.
- So no request of a walk is like another of the walk. Each is either answered already in the
  statement, of which there are finitely many, or spends one of the statement's budget, which is
  finite and is never given back.

Nothing here sends anything: where requests go, the connection alone says. Of a link only the token
is used, and a link that leads to another host is refused unless the definition expects it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urljoin, urlsplit

import msgspec

from connstat_sql.arrow import Body
from connstat_sql.definitions import Paging, PagingStyle, Path
from connstat_sql.errors import UnexpectedShape, counted
from connstat_sql.fetcher.link_header import next_link
from connstat_sql.transport import Answer

LONGEST_CURSOR = 16 * 1024
"""Characters of a token, or of the link that holds it; more could not be sent in a URL."""
LARGEST_TOTAL = 10**15
_MOVED = (
    "rows came or went while the pages were read: run the query again; where that happens all the "
    "time, the definition is better off without `total`"
)
_STUCK = "an offset moves on by rows, so the same page would be asked for again: run it again later"
_FILTERED = (
    "if it leaves rows out after it has cut the pages, the definition needs  empty_pages: 10  "
    "under `paging`"
)


@dataclass(slots=True)
class Steps:
    """Goes from page to page of one list.

    `size` is how many rows a page were asked for (None: as many as the API likes).
    """

    paging: Paging
    size: int | None
    _rows: int = 0
    _pages: int = 0
    _empty_pages: int = 0
    _asked: set[str] = field(default_factory=set)

    def after(self, body: Body, answer: Answer, url: str) -> str | None:
        """What to ask the page after this one with, of a request to `url`; None after the last.

        Raises UnexpectedShape where no page can follow, though the answer says so.
        """
        self._rows += body.given
        self._pages += 1
        cursor = self._next(body, answer, url)
        if cursor is None:
            return None
        self._check_rows(body)
        if cursor in self._asked:
            raise UnexpectedShape(
                f"the API repeats its {self.paging.request}, which would lead round in a circle"
            )
        self._asked.add(cursor)
        return cursor

    def _next(self, body: Body, answer: Answer, url: str) -> str | None:
        paging = self.paging
        more = None if paging.more is None else _flag(body, paging.more)
        if more is False:
            return None
        if paging.style is PagingStyle.TOKEN:
            return _token(paging, _value(body, paging.response), must_exist=more is True)
        if paging.style is PagingStyle.LINK:
            return _from_link(paging, _value(body, paging.response), url, must_exist=more is True)
        if paging.style is PagingStyle.LINK_HEADER:
            link = next_link(answer.headers.get("Link", ""))
            target = None if link is None else link.url
            return _from_link(paging, target, url, must_exist=more is True)
        if more is None and (body.given == 0 or self._is_short(body)):
            return None
        count = self._rows if paging.style is PagingStyle.OFFSET else self._pages
        return str(paging.first + count)

    def _is_short(self, body: Body) -> bool:
        """Whether a page is the last by its length; some servers give fewer than were asked for."""
        return self.paging.short_is_last and self.size is not None and body.given < self.size

    def _check_rows(self, body: Body) -> None:
        """A page without rows may be a server that has lost its way, and would go on for long."""
        self._empty_pages = 0 if body.given else self._empty_pages + 1
        moves_by_rows = self.paging.style is PagingStyle.OFFSET
        if self._empty_pages > (0 if moves_by_rows else self.paging.empty_pages):
            raise UnexpectedShape(
                f"{counted(self._empty_pages, 'page')} without rows, and the API says that there "
                "are more",
                hint=_STUCK if moves_by_rows else _FILTERED,
            )


@dataclass(frozen=True, slots=True)
class Known:
    """The pages of a list whose length its first page tells: `pages` of `stride` rows each.

    `total` is what stands at `path`: rows, or pages where the definition says `total_pages`.
    """

    paging: Paging
    path: Path
    total: int
    stride: int
    pages: int

    @staticmethod
    def of(paging: Paging, body: Body) -> Known | None:
        """What the first page tells; None where the definition knows no total."""
        path = paging.total if paging.total is not None else paging.total_pages
        if path is None:
            return None
        total, stride = _number(body, path), body.given
        counts_rows = paging.total is not None
        pages = -(-total // max(stride, 1)) if counts_rows else total
        known = Known(paging, path, total, stride, pages)
        known._check_count(1, body)
        return known

    def cursor(self, number: int) -> str:
        """What the page of that number, from one, is asked for with."""
        step = self.stride if self.paging.style is PagingStyle.OFFSET else 1
        return str(self.paging.first + (number - 1) * step)

    def least(self, limit: int | None) -> int:
        """How many pages hold so many rows (None: all)."""
        if limit is None or self.stride == 0:
            return self.pages
        return min(self.pages, -(-limit // self.stride))

    def check(self, number: int, body: Body) -> None:
        """Raise UnexpectedShape when a page does not fit the others."""
        total = _number(body, self.path)
        if total != self.total:
            raise UnexpectedShape(
                f"`{'.'.join(self.path)}` is {total:,} now, and was {self.total:,} on page 1",
                hint=_MOVED,
            )
        self._check_count(number, body)

    def _check_count(self, number: int, body: Body) -> None:
        if not self._fits(number, body.given):
            others = f"page 1 holds {self.stride:,} and " if number > 1 else ""
            raise UnexpectedShape(
                f"it holds {counted(body.given, 'row')}, though {others}"
                f"`{'.'.join(self.path)}` is {self.total:,}",
                hint=_MOVED,
            )

    def _fits(self, number: int, given: int) -> bool:
        counts_rows = self.paging.total is not None
        if number == 1 and counts_rows:
            return given <= self.total and (given > 0) == (self.total > 0)
        if number == 1:
            return self.total == 1 or (given > 0) == (self.total > 0)
        if counts_rows:
            return given == min(self.stride, self.total - (number - 1) * self.stride)
        return given == self.stride or (number == self.pages and 0 < given < self.stride)


def _value(body: Body, path: Path) -> object:
    """The value at a path of the body; what pages are asked with must be text that can be sent."""
    try:
        value = body.opened.value(path)
        if isinstance(value, str):
            value.encode()
    except (msgspec.DecodeError, UnicodeError) as error:
        raise UnexpectedShape(f"`{'.'.join(path)}` cannot be read: {error}") from error
    return value


def _flag(body: Body, path: Path) -> bool:
    value = _value(body, path)
    if not isinstance(value, bool):
        raise UnexpectedShape(f"`{'.'.join(path)}` says neither true nor false")
    return value


def _number(body: Body, path: Path) -> int:
    """A count; 64-bit numbers are sent as text by some."""
    value = _value(body, path)
    if isinstance(value, str) and re.fullmatch("[0-9]{1,15}", value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST_TOTAL:
        raise UnexpectedShape(f"`{'.'.join(path)}` holds no number of rows or pages")
    return value


def _token(paging: Paging, value: object, *, must_exist: bool) -> str | None:
    place = f"`{'.'.join(paging.response)}`"
    if value in (None, ""):
        if must_exist:
            raise UnexpectedShape(f"there are more pages, but {place} holds no token")
        return None
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise UnexpectedShape(f"{place} holds something that is no token")
    return _short(str(value), paging)


def _short(text: str, paging: Paging) -> str:
    if len(text) > LONGEST_CURSOR:
        raise UnexpectedShape(
            f"the {paging.request} of the next page comes in {len(text):,} characters; more than "
            f"{LONGEST_CURSOR:,} cannot be sent"
        )
    return text


def _from_link(paging: Paging, link: object, url: str, *, must_exist: bool) -> str | None:
    """The token in a link to the next page."""
    if link in (None, ""):
        if must_exist:
            raise UnexpectedShape("there are more pages, but no link leads to the next")
        return None
    if not isinstance(link, str):
        raise UnexpectedShape("the link to the next page is no text")
    try:
        target = urljoin(url, _short(link, paging))
        origin, own = _origin(target), _origin(url)
        found = parse_qs(urlsplit(target).query).get(paging.request)
    except ValueError as error:
        raise UnexpectedShape("the link to the next page is no URL") from error
    if origin != own and not paging.any_host:
        raise UnexpectedShape(
            f"the link to the next page leads to {origin[:200]!a}, not to {own}",
            hint="nothing was sent there; where links always name that host, the definition needs "
            "`any_host: true` under `paging`, and requests go to the connection's own host",
        )
    if not found:
        raise UnexpectedShape(f"the link to the next page has no {paging.request}")
    return found[0]


def _origin(url: str) -> str:
    """Scheme, host and port, without a login. Raises ValueError."""
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return f"{parts.scheme}://{parts.hostname or ''}:{port}"
