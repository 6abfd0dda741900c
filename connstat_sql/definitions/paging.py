"""How the pages of a list follow each other."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from connstat_sql.definitions.places import Path, Source, Target


class PagingStyle(str, Enum):
    """How the next page is asked for."""

    TOKEN = "token"  # the answer holds a token; it goes into `request`
    LINK = "link"  # the answer holds a URL; it, or only its `request` parameter, is taken
    OFFSET = "offset"  # `request` is the number of rows so far
    PAGE = "page"  # `request` is a page number
    LINK_HEADER = "link_header"  # a Link header with rel="next"; taken as `link` takes its URL


@dataclass(frozen=True, slots=True)
class Paging:
    """How a method's pages follow each other.

    `request` is where the token, offset or number goes; None where a link is followed as it is.
    `response` leads to the token or URL; `more` to a boolean that says whether there is another
    page, `done` to one that says whether this is the last (None: an absent or empty token does).
    `size_key` asks for `size` rows a page (None: the API has no such parameter). `first` is the
    first page's number or offset, `first_token` what the first page is asked for with (None:
    nothing); with `repeat_ends`, the token that a page was asked for with ends the list when it
    comes back, as do all that are, as texts, among `ends`. A link with other values of `attributes`
    is not followed. `total` and `total_pages` lead to the number of all rows or pages (None: the
    answer does not say), `key` to what tells rows apart (None: a row that comes again is not
    known). With `any_host` links may name another host than the request's; so many `empty_pages`
    in a row may come before more.
    With `short_is_last`, a page with fewer rows than were asked for is the last; with
    `empty_is_last`, one without rows is, whatever leads on from it.
    """

    style: PagingStyle
    request: Target | None
    response: Source = ()
    more: Source | None = None
    size_key: Target | None = None
    size: int | None = None
    first: int = 0
    total: Source | None = None
    total_pages: Source | None = None
    key: Path | None = None
    any_host: bool = False
    empty_pages: int = 0
    done: Source | None = None
    first_token: str | int | None = None
    repeat_ends: bool = False
    ends: frozenset[str] = frozenset()
    attributes: tuple[tuple[str, str], ...] = ()
    short_is_last: bool = False
    empty_is_last: bool = False
