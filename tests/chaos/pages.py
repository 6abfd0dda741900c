"""Lists of the chaos API, page by page: every style there is, and what goes wrong with each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from connstat_sql.demo.wire import DemoResponse, Handler, json_answer, offset_of, token_at
from tests.chaos.rows import Row, row
from tests.chaos.wire import Asked, Refused

LARGEST_PAGE = 100
_TOTAL = 25
_SIZE = 10


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a list, which `start` counts from zero."""

    start: int
    rows: Sequence[Row]
    size: int
    has_more: bool

    @property
    def number(self) -> int:
        """Counts the pages, from one."""
        return self.start // self.size + 1

    @property
    def end(self) -> int:
        """Where the next page starts."""
        return self.start + self.size


def page_size(asked: Asked) -> int:
    """The smaller of what the request asks for and what the list is told to give at most."""
    size = asked.whole("size", LARGEST_PAGE, 1)
    return min(size, asked.whole("page_size", LARGEST_PAGE, 1), LARGEST_PAGE)


def page_at(asked: Asked, start: int, total: int | None = None, shift: int = 0) -> Page:
    """The page that starts there; rows before it have moved by `shift`."""
    size, seed = page_size(asked), asked.whole("seed", 7)
    total = asked.whole("total", _TOTAL) if total is None else total
    numbers = range(start - shift, min(start + size - shift, total))
    rows = [row(seed, number) for number in numbers]
    return Page(start, rows, size, start + size < total + shift)


def marked(asked: Asked, page: Page) -> list[Row]:
    """The rows with what was asked: page, page size, call and attempt."""
    marks: Row = {
        "page": page.number,
        "page_size": asked.whole("page_size", 0),
        "call": asked.number,
        "attempt": asked.attempt,
    }
    return [{**each, **marks} for each in page.rows]


def start_of(asked: Asked, kind: str, key: str = "page_token") -> int:
    """Where the page of the request's token starts. Raises Refused for a token of another list."""
    token = asked.argument(key)
    start = offset_of(kind, token) if token else 0
    if start is None:
        raise Refused(f"{key} was not given out by this list")
    return start


def tokens(asked: Asked) -> DemoResponse:
    """The next page's token stands in the body, empty after the last page."""
    page = page_at(asked, start_of(asked, "tokens"))
    token = token_at("tokens", page.end) if page.has_more else ""
    return json_answer({"items": marked(asked, page), "next_page_token": token})


def _cursors(asked: Asked) -> DemoResponse:
    page = page_at(asked, start_of(asked, "cursors", "after"))
    cursor = {"end": token_at("cursors", page.end), "has_more": page.has_more}
    return json_answer({"items": marked(asked, page), "cursor": cursor})


def _links(asked: Asked) -> DemoResponse:
    page = page_at(asked, start_of(asked, "links"))
    link = link_to(asked, token_at("links", page.end)) if page.has_more else None
    return json_answer({"items": marked(asked, page), "links": {"next": link}})


def _link_headers(asked: Asked) -> DemoResponse:
    page = page_at(asked, start_of(asked, "link_headers"))
    link = link_to(asked, token_at("link_headers", page.end))
    headers = {"Link": f'<{link}>; rel="next"'} if page.has_more else {}
    return json_answer(marked(asked, page), headers=headers)


def _offsets(asked: Asked) -> DemoResponse:
    start = asked.whole("offset", 0)
    page = page_at(asked, start)
    return json_answer({"items": marked(asked, page)})


def _page_numbers(asked: Asked) -> DemoResponse:
    number = asked.whole("page", 1, 1)
    page = page_at(asked, (number - 1) * page_size(asked))
    return json_answer({"items": marked(asked, page), "has_more": page.has_more})


def _totals(asked: Asked) -> DemoResponse:
    """By offset, and every page says how many rows there are in all."""
    page = page_at(asked, asked.whole("offset", 0))
    return json_answer(
        {"items": marked(asked, page), "count": {"rows": asked.whole("total", _TOTAL)}}
    )


def _page_totals(asked: Asked) -> DemoResponse:
    """By number, and every page says how many pages there are in all."""
    size = page_size(asked)
    page = page_at(asked, (asked.whole("page", 1, 1) - 1) * size)
    pages = -(-asked.whole("total", _TOTAL) // size)
    return json_answer({"items": marked(asked, page), "count": {"pages": pages}})


def _whole(asked: Asked) -> DemoResponse:
    total = asked.whole("total", _TOTAL)
    seed = asked.whole("seed", 7)
    rows = [row(seed, number) for number in range(total)]
    return json_answer({"items": marked(asked, Page(0, rows, max(total, 1), has_more=False))})


def link_to(asked: Asked, token: str, host: str = "") -> str:
    """The URL of the page of a token, here or at another host."""
    own = f"http://{asked.headers.get('host', '127.0.0.1')}/chaos"
    root = f"https://{host}" if host else own
    return f"{root}{asked.path}?{asked.query_without('page_token', ('page_token', token))}"


# what goes wrong


def _endless(asked: Asked) -> DemoResponse:
    start, pages = start_of(asked, "endless"), asked.whole("pages", 0)
    page = page_at(asked, start, total=start + LARGEST_PAGE)
    is_last = pages and page.number >= pages
    token = "" if is_last else token_at("endless", page.end)
    return json_answer({"items": marked(asked, page), "next_page_token": token})


def _repeating(asked: Asked) -> DemoResponse:
    start, period = start_of(asked, "repeating"), asked.whole("period", 2)
    page = page_at(asked, start)
    end = page.end
    if period and page.number >= period:
        end = start - (period - 1) * page.size
    token = token_at("repeating", end) if period or page.has_more else ""
    return json_answer({"items": marked(asked, page), "next_page_token": token})


def _foreign_links(asked: Asked) -> DemoResponse:
    page = page_at(asked, start_of(asked, "foreign_links"))
    link = link_to(asked, token_at("foreign_links", page.end), _foreign(asked))
    return json_answer(
        {"items": marked(asked, page), "links": {"next": link if page.has_more else None}}
    )


def _foreign_link_headers(asked: Asked) -> DemoResponse:
    page = page_at(asked, start_of(asked, "foreign_link_headers"))
    link = link_to(asked, token_at("foreign_link_headers", page.end), _foreign(asked))
    headers = {"Link": f'<{link}>; rel="next"'} if page.has_more else {}
    return json_answer(marked(asked, page), headers=headers)


def _foreign(asked: Asked) -> str:
    """The host that links lead to, empty for our own."""
    return asked.header("host")


def _empty_pages(asked: Asked) -> DemoResponse:
    """Tokens count half pages: those in between are empty, and have a token all the same."""
    step, every = start_of(asked, "empty_pages"), asked.whole("every", 2)
    page = page_at(asked, (step - (step // every if every else 0)) * page_size(asked))
    is_empty = bool(every) and step % every == every - 1
    shown = Page(page.start, (), page.size, has_more=True) if is_empty else page
    token = token_at("empty_pages", step + 1) if shown.has_more else ""
    return json_answer({"items": marked(asked, shown), "next_page_token": token})


def _shifting_offsets(asked: Asked) -> DemoResponse:
    """Between two pages rows are inserted before the first, so that offsets move on."""
    start = asked.whole("offset", 0)
    inserted = asked.whole("inserted", 1, -LARGEST_PAGE, LARGEST_PAGE)
    page = page_at(asked, start, shift=start // page_size(asked) * inserted)
    return json_answer({"items": marked(asked, page), "has_more": page.has_more})


def _shifting_totals(asked: Asked) -> DemoResponse:
    """As with offsets, and every page says how many rows there are at that moment."""
    start, total = asked.whole("offset", 0), asked.whole("total", _TOTAL)
    inserted = asked.whole("inserted", 1, -LARGEST_PAGE, LARGEST_PAGE)
    shift = start // page_size(asked) * inserted
    page = page_at(asked, start, shift=shift)
    return json_answer({"items": marked(asked, page), "count": {"rows": max(0, total + shift)}})


def _short_pages(asked: Asked) -> DemoResponse:
    """One page in the middle lacks rows that the total counts."""
    page, short = page_at(asked, asked.whole("offset", 0)), asked.whole("short_page", 2)
    lost = asked.whole("lost", 1) if page.number == short else 0
    rows = marked(asked, page)
    kept = rows[: max(0, len(rows) - lost)]
    return json_answer({"items": kept, "count": {"rows": asked.whole("total", _TOTAL)}})


def _long_tokens(asked: Asked) -> DemoResponse:
    """Behind each token stands as much as is told, which means nothing."""
    token, _, _ = asked.argument("page_token").partition(".")
    start = offset_of("long_tokens", token) if token else 0
    if start is None:
        raise Refused("page_token was not given out by this list")
    page, length = page_at(asked, start), asked.whole("length", 20_000, 0, 100_000)
    token = f"{token_at('long_tokens', page.end)}.{'x' * length}" if page.has_more else ""
    return json_answer({"items": marked(asked, page), "next_page_token": token})


def _shifting_tokens(asked: Asked) -> DemoResponse:
    """Tokens name the row that comes next, so what is inserted before it moves nothing."""
    page = page_at(asked, start_of(asked, "shifting_tokens"))
    token = token_at("shifting_tokens", page.end) if page.has_more else ""
    return json_answer({"items": marked(asked, page), "next_page_token": token})


def _lost_tokens(asked: Asked) -> DemoResponse:
    page = page_at(asked, start_of(asked, "lost_tokens"))
    is_lost = page.number >= asked.whole("lost_after", 1)
    token = None if is_lost else token_at("lost_tokens", page.end)
    return json_answer(
        {"items": marked(asked, page), "has_more": page.has_more, "next_page_token": token}
    )


PAGES: dict[str, Handler] = {
    "tokens": tokens,
    "cursors": _cursors,
    "links": _links,
    "link_headers": _link_headers,
    "offsets": _offsets,
    "page_numbers": _page_numbers,
    "totals": _totals,
    "page_totals": _page_totals,
    "whole": _whole,
}
PAGING_FAULTS: dict[str, Callable[[Asked], DemoResponse]] = {
    "endless": _endless,
    "repeating": _repeating,
    "foreign_links": _foreign_links,
    "foreign_link_headers": _foreign_link_headers,
    "empty_pages": _empty_pages,
    "shifting_offsets": _shifting_offsets,
    "shifting_tokens": _shifting_tokens,
    "shifting_totals": _shifting_totals,
    "short_pages": _short_pages,
    "long_tokens": _long_tokens,
    "lost_tokens": _lost_tokens,
}
