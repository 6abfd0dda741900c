"""An answer → what to ask the next page with, or with which numbers all the others are asked.

Why every list ends, whatever the server answers:

- Each step asks with a cursor that this list was not asked with before, or raises. A token, also
  one out of a link, is compared with all earlier ones, and so is a link. An offset grows by the
  rows of each page, and a page without rows is the last or an error. A page number grows by one.
- A list whose total is known has a fixed number of pages after the first, each asked for once;
  a later answer that tells of another total is an error.
- So no request of a list is like another of it. Each is either answered already in the
  statement, of which there are finitely many, or spends one of the statement's budget, which is
  finite and is never given back.

Nothing here sends anything: where requests go, the connection alone says. Of a link only the token
is used, or it is followed as it is where the definition says so. One that leads to another host is
refused, here or by the connection, unless the definition expects it or the host is trusted.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, urljoin, urlsplit

import msgspec

from connstat_sql.definitions.model import InBody, InLastRow, Paging, PagingStyle, Source
from connstat_sql.errors import UnexpectedShape, counted
from connstat_sql.fetch.cursor import PageCursor
from connstat_sql.fetch.link_header import next_link
from connstat_sql.fetch.page_facts import USUAL_SIZES, PageFacts, place_of
from connstat_sql.fetch.request import first_cursor

LONGEST_CURSOR = 16 * 1024
"""Characters of a token, or of the link that holds it; more could not be sent in a URL."""
_MOVED = (
    "rows came or went while the pages were read: run the query again; where that happens all the "
    "time, the definition is better off without `total`"
)
_STUCK = "an offset moves on by rows, so the same page would be asked for again: run it again later"
_REPEATED = (
    "where that is how it says the end, the definition needs  ends: [0]  with what it sends there, "
    "or  repeat_ends: true  under `paging`"
)
_FILTERED = (
    "the definition says what that means, under `paging`:  empty_pages: 10  where rows are left "
    "out after pages are cut,  last_page: empty  where it is the end,  ends: [0]  where the cursor "
    "before it said so"
)
_HEEDLESS = "where it takes none, `paging: null`; where pages count from 1, `first: 1`"


class Paginator(ABC):
    """Goes from page to page of one list, by what its pages say of the next; made by `of`.

    `size` is how many rows a page were asked for (None: as many as the API likes).

    >>> from connstat_sql.decode import RowReader
    >>> from connstat_sql.definitions.model import RowsPath
    >>> rows = RowsPath(at=(("parts",),))
    >>> def page(body: bytes) -> PageFacts:
    ...     return PageFacts(RowReader(rows, ()).read(body), {}, rows)
    >>> paging = Paging(PagingStyle.TOKEN, request="after", response=("next",))
    >>> paginator = Paginator.of(paging, None)
    >>> paginator.after(page(b'{"parts": [{}, {}], "next": "p-2"}'), "http://plant.test/parts").text
    'p-2'
    >>> paginator.after(page(b'{"parts": [{}], "next": null}'), "http://plant.test/parts?after=p-2")
    """

    hint_of_repetition = ""

    def __init__(self, paging: Paging, size: int | None) -> None:
        self.paging = paging
        self.size = size
        self._pages = 0
        self._empty_pages = 0
        self._last = first_cursor(paging)
        self._asked: set[PageCursor] = set() if self._last is None else {self._last}

    @staticmethod
    def of(paging: Paging, size: int | None) -> Paginator:
        """The paginator of a style."""
        return _PAGINATORS[paging.style](paging, size)

    def after(self, page: PageFacts, url: str) -> PageCursor | None:
        """What to ask the page after this one with, None after the last; `url` was asked for it.

        Raises UnexpectedShape where no page can follow, though the answer says so.
        """
        self._pages += 1
        more = self._says_more(page)
        is_end = more is None and ((self.ends_empty and not page.received) or self._is_short(page))
        cursor = None if is_end or more is False else self.next(page, url, must_exist=more is True)
        if cursor is None or (self.paging.repeat_ends and cursor == self._last):
            return None
        self._check_rows(page)
        self._asked.add(PageCursor(link=url))  # a link may lead to the page that it stands on
        if cursor in self._asked:
            name = self.paging.request or "link"
            raise UnexpectedShape(
                f"the API repeats its {name}, which would lead round in a circle",
                hint=self.hint_of_repetition,
            )
        self._asked.add(cursor)
        self._last = cursor
        return cursor

    # --- what styles differ in ---------------------------------------------------------------

    @abstractmethod
    def next(self, page: PageFacts, url: str, *, must_exist: bool) -> PageCursor | None:
        """What a page leads on with; None where it leads nowhere, unless something must exist."""

    @property
    def ends_empty(self) -> bool:
        """Whether a page without rows is the last where nothing says so."""
        return self.paging.empty_is_last or isinstance(self.paging.response, InLastRow)

    @property
    def empty_pages(self) -> tuple[int, str]:
        """How many pages without rows may come in a row, and what to do about more."""
        return self.paging.empty_pages, _FILTERED

    # --- what they share ---------------------------------------------------------------------

    def _is_short(self, page: PageFacts) -> bool:
        """Whether a page is the last by its length; some servers give fewer than were asked for.

        So a first page that is as long as pages usually are shows what the server gives at most.
        """
        if not self.paging.short_is_last or self.size is None:
            return False
        if self._pages == 1 and page.received < self.size and page.received in USUAL_SIZES:
            self.size = page.received
        return page.received < self.size

    def _says_more(self, page: PageFacts) -> bool | None:
        """Whether there are more pages; None where nothing but the cursor tells."""
        if self.paging.more is not None:
            return page.flag(self.paging.more)
        return None if self.paging.done is None else not page.flag(self.paging.done)

    def _check_rows(self, page: PageFacts) -> None:
        """A page without rows may be a server that has lost its way, and would go on for long."""
        self._empty_pages = 0 if page.received else self._empty_pages + 1
        most, hint = self.empty_pages
        if self._empty_pages > most:
            raise UnexpectedShape(
                f"{counted(self._empty_pages, 'page')} without rows, and the API says that there "
                "are more",
                hint=hint,
            )


class TokenPaginator(Paginator):
    """By a token in the body, in a header or in the last row."""

    hint_of_repetition = _REPEATED

    def next(self, page: PageFacts, _url: str, *, must_exist: bool) -> PageCursor | None:
        """The token."""
        return _token(self.paging, page, must_exist=must_exist)


class LinkPaginator(Paginator):
    """By a link in the body: the token in it, or the link as it is."""

    def next(self, page: PageFacts, url: str, *, must_exist: bool) -> PageCursor | None:
        """Where the link leads."""
        return _from_link(self.paging, self.link(page), url, must_exist=must_exist)

    def link(self, page: PageFacts) -> object:
        """What stands where the link to the next page is."""
        return page.value(self.paging.response)


class LinkHeaderPaginator(LinkPaginator):
    """By a link in the Link header (RFC 8288)."""

    def link(self, page: PageFacts) -> object:
        """The URL of the link; None where its attributes say no."""
        return _header_link(self.paging, page)


class CountingPaginator(Paginator):
    """By a number of ours, which grows with each page: no answer need lead to the next."""

    def __init__(self, paging: Paging, size: int | None) -> None:
        super().__init__(paging, size)
        self._mark: int | None = None
        self._count = 0

    def after(self, page: PageFacts, url: str) -> PageCursor | None:
        """As `Paginator` says; who does not heed the number would give one page for ever."""
        self._count += self.step(page)
        is_same = page.received > 0 and page.mark == self._mark and self.paging.key is None
        self._mark = page.mark
        if is_same:
            raise UnexpectedShape(_same_rows(self.paging), hint=_HEEDLESS)
        return super().after(page, url)

    @abstractmethod
    def step(self, page: PageFacts) -> int:
        """By how much a page makes the number grow."""

    def next(self, _page: PageFacts, _url: str, *, must_exist: bool) -> PageCursor:  # noqa: ARG002
        """The number."""
        return PageCursor.of(self.paging.first + self._count)

    @property
    def ends_empty(self) -> bool:
        """It is."""
        return True


class OffsetPaginator(CountingPaginator):
    """By how many rows came before."""

    def step(self, page: PageFacts) -> int:
        """The rows of the page."""
        return page.received

    @property
    def empty_pages(self) -> tuple[int, str]:
        """None may: the same would be asked for again."""
        return 0, _STUCK


class PageNumberPaginator(CountingPaginator):
    """By the number of the page."""

    def step(self, _page: PageFacts) -> int:
        """One."""
        return 1


_PAGINATORS: Mapping[PagingStyle, type[Paginator]] = {
    PagingStyle.TOKEN: TokenPaginator,
    PagingStyle.LINK: LinkPaginator,
    PagingStyle.LINK_HEADER: LinkHeaderPaginator,
    PagingStyle.OFFSET: OffsetPaginator,
    PagingStyle.PAGE: PageNumberPaginator,
}


@dataclass(frozen=True, slots=True)
class TotalPages:
    """The pages of a list whose length its first page tells: `pages` of `stride` rows each.

    `total` is what stands at `path`: rows, or pages where the definition says `total_pages`.
    """

    paging: Paging
    path: Source
    total: int
    stride: int
    pages: int
    mark: int = 0

    @staticmethod
    def of(paging: Paging, page: PageFacts) -> TotalPages | None:
        """What the first page tells; None where the definition knows no total."""
        path = paging.total if paging.total is not None else paging.total_pages
        if path is None:
            return None
        total, stride = page.number(path), page.received
        counts_rows = paging.total is not None
        pages = -(-total // max(stride, 1)) if counts_rows else total
        known = TotalPages(paging, path, total, stride, pages, page.mark)
        known._check_count(1, page)
        return known

    def cursor(self, number: int) -> PageCursor:
        """What the page of that number, from one, is asked for with."""
        step = self.stride if self.paging.style is PagingStyle.OFFSET else 1
        return PageCursor.of(self.paging.first + (number - 1) * step)

    def least(self, limit: int | None) -> int:
        """How many pages hold so many rows (None: all)."""
        if limit is None or self.stride == 0:
            return self.pages
        return min(self.pages, -(-limit // self.stride))

    def check(self, number: int, page: PageFacts) -> None:
        """Raise UnexpectedShape when a page does not fit the others."""
        total = page.number(self.path)
        if total != self.total:
            raise UnexpectedShape(
                f"{place_of(self.path)} is {total:,} now, and was {self.total:,} on page 1",
                hint=_MOVED,
            )
        if page.received and page.mark == self.mark and self.paging.key is None:
            raise UnexpectedShape(_same_rows(self.paging), hint=_HEEDLESS)
        self._check_count(number, page)

    def _check_count(self, number: int, page: PageFacts) -> None:
        if not self._fits(number, page.received):
            others = f"page 1 holds {self.stride:,} and " if number > 1 else ""
            raise UnexpectedShape(
                f"it holds {counted(page.received, 'row')}, though {others}"
                f"{place_of(self.path)} is {self.total:,}",
                hint=_MOVED,
            )

    def _fits(self, number: int, received: int) -> bool:
        counts_rows = self.paging.total is not None
        if number == 1 and counts_rows:
            return received <= self.total and (received > 0) == (self.total > 0)
        if number == 1:
            return self.total == 1 or (received > 0) == (self.total > 0)
        if counts_rows:
            return received == min(self.stride, self.total - (number - 1) * self.stride)
        return received == self.stride or (number == self.pages and 0 < received < self.stride)


def _same_rows(paging: Paging) -> str:
    return f"it holds the same rows as a page before, as if the API did not heed `{paging.request}`"


def _token(paging: Paging, page: PageFacts, *, must_exist: bool) -> PageCursor | None:
    place = place_of(paging.response)
    value = page.value(paging.response)
    is_end = not isinstance(value, bool) and str(value) in paging.ends
    if is_end or value in (None, "") or value is False or value in ([], {}):
        if must_exist:
            raise UnexpectedShape(f"there are more pages, but {place} holds no token")
        return None
    cursor = PageCursor(_compact(page.json(paging.response) or b""))
    if isinstance(value, bool):
        raise UnexpectedShape(f"{place} holds something that is no token")
    if not cursor.is_plain and not isinstance(paging.request, InBody):
        raise UnexpectedShape(
            f"{place} holds something that is no token of a query string",
            hint="an object or a list goes into a body:  request: {body: KEY}  under `paging`",
        )
    _check_length(cursor.text, paging)
    return cursor


def _compact(text: bytes) -> bytes:
    """JSON as it is always written, so that equal tokens are known; numbers keep their digits."""
    if text[:1] == b'"':
        return msgspec.json.encode(msgspec.json.decode(text))
    return msgspec.json.format(text, indent=-1)


def _check_length(text: str, paging: Paging) -> None:
    if len(text) > LONGEST_CURSOR:
        raise UnexpectedShape(
            f"the {paging.request or 'link'} of the next page comes in {len(text):,} characters; "
            f"more than {LONGEST_CURSOR:,} cannot be sent"
        )


def _header_link(paging: Paging, page: PageFacts) -> str | None:
    """The URL that a Link header gives for the next page; None where its attributes say no."""
    link = next_link(page.headers.get("Link", ""))
    if link is None:
        return None
    for name, wanted in paging.attributes:
        value = link.attributes.get(name.lower())
        if value is None:
            raise UnexpectedShape(f"the link to the next page does not say its `{name}`")
        if value.lower() != wanted.lower():
            return None
    return link.url


def _from_link(paging: Paging, link: object, url: str, *, must_exist: bool) -> PageCursor | None:
    """A link to the next page, or the token in it."""
    if link is False or link in (None, "", [], {}):
        if must_exist:
            raise UnexpectedShape("there are more pages, but no link leads to the next")
        return None
    if not isinstance(link, str):
        keys = [key for key in ("href", "url", "uri") if isinstance(link, dict) and key in link]
        hint = f"the definition needs  response: {_below(paging, keys[0])}" if keys else ""
        raise UnexpectedShape("the link to the next page is no text", hint=hint)
    _check_length(link, paging)
    try:
        target = urljoin(url, link.strip())
        origin, own = _origin(target), _origin(url)
        values = parse_qs(urlsplit(target).query).get(str(paging.request))
    except ValueError as error:
        raise UnexpectedShape("the link to the next page is no URL") from error
    if paging.request is None:
        return PageCursor(link=_whole(target, url if origin == own or paging.any_host else ""))
    if origin != own and not paging.any_host:
        raise UnexpectedShape(
            f"the link to the next page leads to {origin[:200]!a}, not to {own}",
            hint="nothing was sent there; where links always name that host, the definition needs "
            "`any_host: true` under `paging`, and requests go to the connection's own host",
        )
    if not values:
        raise UnexpectedShape(f"the link to the next page has no {paging.request}")
    return PageCursor.of(values[0])


def _below(paging: Paging, key: str) -> str:
    return ".".join((*paging.response, key)) if isinstance(paging.response, tuple) else key


def _whole(target: str, base: str) -> str:
    """A link without login and fragment, on the host of `base` where one is given."""
    parts, own = urlsplit(target), urlsplit(base or target)
    host = own.netloc.rpartition("@")[2]
    query = f"?{parts.query}" if parts.query else ""
    return f"{own.scheme}://{host}{parts.path or '/'}{query}"


def _origin(url: str) -> str:
    """Scheme, host and port, without a login. Raises ValueError."""
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return f"{parts.scheme}://{parts.hostname or ''}:{port}"
