"""`paging` of a method → how its pages follow each other, and what cannot be so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import msgspec

from connstat_sql.definitions.loader.bodies import past_the_end, stands_in_body
from connstat_sql.definitions.loader.checks import Findings, is_header_name, keys_sent
from connstat_sql.definitions.loader.documents import (
    PagingDocument,
    SizeDocument,
    SourceDocument,
    SourceText,
    TargetDocument,
)
from connstat_sql.definitions.loader.places import path_faults, path_of
from connstat_sql.definitions.loader.yaml import KeyPath
from connstat_sql.definitions.model import (
    KEY,
    InBody,
    InHeader,
    InLastRow,
    Method,
    Paging,
    PagingStyle,
    RowsPath,
    Shape,
    Source,
    Target,
)

_COUNTING = (PagingStyle.OFFSET, PagingStyle.PAGE)
_LINKS = (PagingStyle.LINK, PagingStyle.LINK_HEADER)
_SOURCES = ("response", "more", "done", "total", "total_pages")
Fault = tuple[str, str, str]
"""A word of `paging`, what is wrong with it, and what to write instead."""


def build_paging(
    document: PagingDocument | None, path: KeyPath, findings: Findings
) -> Paging | None:
    """How pages follow each other, as a document says."""
    if document is None:
        return None
    where = (*path, "paging")
    for word, message, suggestion in _misplaced(document):
        findings.add((*where, word), message, suggestion)
    style = PagingStyle("token" if document.style == "cursor" else document.style)
    first, is_token = document.first, style is PagingStyle.TOKEN
    return Paging(
        style=style,
        request=_target(document.request),
        response=_source(document.response) or (),
        more=_source(document.more),
        done=_source(document.done),
        size_key=_target(document.size),
        size=document.size.max if document.size else None,
        first=first if isinstance(first, int) and not is_token else 0,
        first_token=first if is_token and first is not msgspec.UNSET else None,
        repeat_ends=document.repeat_ends,
        ends=frozenset(map(str, document.ends)),
        attributes=tuple((name, str(value)) for name, value in document.attributes.items()),
        total=_source(document.total),
        total_pages=_source(document.total_pages),
        key=None if document.key is None else path_of(document.key),
        any_host=document.any_host,
        empty_pages=document.empty_pages,
        short_is_last=document.last_page == "short",
        empty_is_last=document.last_page is not None,
    )


def _target(document: str | TargetDocument | SizeDocument | None) -> Target | None:
    if document is None or isinstance(document, str):
        return document
    if document.body is not None:
        return InBody(path_of(document.body))
    return document.query if document.header is None else InHeader(document.header)


def _source(document: SourceText | None) -> Source | None:
    if document is None:
        return None
    if not isinstance(document, SourceDocument):
        return path_of(document)
    if document.header is not None:
        return InHeader(document.header)
    return InLastRow(path_of(document.last_row or "$"))


# --- what cannot be so ---------------------------------------------------------------------------


def _misplaced(document: PagingDocument) -> Iterator[Fault]:
    """Places that are none, or several; a header that is no name; a `first` that is no number."""
    for word in ("request", "size"):
        place = getattr(document, word)
        if place is not None and not isinstance(place, str):
            yield from _not_one(word, place, ("query", "body", "header"))
        key = place if isinstance(place, str) else getattr(place, "query", None) or ""
        if "{" in key:
            yield word, f"`{key}` is no parameter of the table", f"the key alone: {key.strip('{}')}"
    for word in (*_SOURCES, "key"):
        place = getattr(document, word)
        if isinstance(place, (str, list)):
            yield from ((word, *fault) for fault in path_faults(place))
        if isinstance(place, SourceDocument):
            yield from _not_one(word, place, ("header", "last_row"))
            if place.last_row is not None and word != "response":
                yield word, "`last_row` holds a cursor alone", "a path in the body, or a header"
    if isinstance(document.first, str) and document.style not in ("token", "cursor"):
        yield "first", f"`{document.first}` is no number", "`token` and `cursor` begin with a text"
    if document.first is not msgspec.UNSET and document.style in ("link", "link_header"):
        yield "first", f"`first` says nothing with `{document.style}`", "leave it out"


def _not_one(word: str, document: Any, kinds: tuple[str, ...]) -> Iterator[Fault]:
    named = [kind for kind in kinds if getattr(document, kind) is not None]
    if len(named) != 1:
        yield word, f"names {len(named)} places", f"name one of {', '.join(kinds)}"
    header = document.header
    if header is not None and not is_header_name(header):
        yield word, f"`{header}` is not the name of a header", "such as `X-Next-Page`"


def check_paging(method: Method, path: KeyPath, findings: Findings) -> None:
    """What must hold between a method's paging and its other words."""
    paging, where = method.paging, (*path, "paging")
    if paging is None:
        return
    for faults in (
        _lacking(paging), _of_rows(paging, method.rows), _totals_at_fault(paging),
        _words_at_fault(paging), _unreachable(paging, method.rows), _sent_twice(method),
        _bodiless(method),
    ):  # fmt: skip
        for word, message, suggestion in faults:
            findings.add((*where, word), message, suggestion)


def _lacking(paging: Paging) -> Iterator[Fault]:
    style = paging.style.value
    if paging.style in (PagingStyle.TOKEN, PagingStyle.LINK) and paging.response == ():
        yield "style", f"`{style}` needs `response`, where the next page stands", "its path"
    if paging.request in (None, "") and paging.style not in _LINKS:
        yield "style", f"`{style}` needs `request`, where the next page is asked for", "a query key"
    if isinstance(paging.request, InBody) and not paging.request.path:
        yield "request", "`body` is the whole body", "the path of a value in it"
    if isinstance(paging.response, InLastRow) and paging.style is not PagingStyle.TOKEN:
        yield "response", f"`last_row` holds a cursor, and `{style}` wants none", "`style: cursor`"
    if paging.response != () and paging.style in (*_COUNTING, PagingStyle.LINK_HEADER):
        yield "response", f"`response` says nothing with `{style}`", "leave it out"


def _of_rows(paging: Paging, rows: RowsPath) -> Iterator[Fault]:
    style = paging.style.value
    if rows.entries and paging.style in _COUNTING:
        yield (
            "style",
            f"`{style}` counts rows, but `entries` makes several of one",
            "a style that is told where the next page is",
        )
    is_map = rows.shape is Shape.MAP
    if paging.key == KEY and not is_map:
        yield "key", "`$key` needs rows of the shape `map`", "the path of a value in a row"
    if paging.response == InLastRow(KEY) and not is_map:
        yield "response", "`$key` needs rows of the shape `map`", "the path of a value in a row"


def _unreachable(paging: Paging, rows: RowsPath) -> Iterator[Fault]:
    """Places that the rows leave no room for: nothing could ever be found there."""
    for word in _SOURCES:
        if getattr(paging, word) == KEY:
            yield word, "`$key` is in rows alone", "{last_row: $key}, or a path in the body"
    if rows.shape is Shape.OBJECT:
        if isinstance(paging.response, InLastRow):
            yield "response", "`last_row` is of several rows, and this is one", "a path in the body"
        return
    kind = "a map of rows" if rows.shape is Shape.MAP else "an array"
    for word in _SOURCES:
        path = getattr(paging, word)
        if not isinstance(path, tuple) or not path:
            continue
        if all(path[: len(at)] == at for at in rows.at):
            place = f"`{'.'.join(rows.at[0])}`" if rows.at[0] else "the body"
            yield (
                word,
                f"nothing can stand at `{'.'.join(path)}`, for {place} is {kind}",
                "a header, {header: X-Next}, or a place in the last row, {last_row: id}"
                if word == "response"
                else "a path beside the rows, or a header: {header: X-Total-Pages}",
            )


def _sent_twice(method: Method) -> Iterator[Fault]:
    """Keys that paging sends, and that are sent without it too."""
    paging = method.paging
    assert paging is not None
    sent = keys_sent(replace(method, paging=None))
    headers = {name.lower() for name, _ in method.headers}
    for word, target in (("request", paging.request), ("size", paging.size_key)):
        at = ""
        if isinstance(target, str):
            at = sent.get(target, "")
        elif isinstance(target, InHeader):
            at = "headers" if target.name.lower() in headers else ""
        elif isinstance(target, InBody):
            at = stands_in_body(method, target.path)
            at = at or "filters" * any(target in filter_.keys for filter_ in method.filters)
        if at:
            begin = "; `first` says what the first page is asked for with" * (word == "request")
            yield word, f"`{target}` is sent by `{at}` too", f"leave it out of `{at}`{begin}"
    if paging.request is not None and paging.request == paging.size_key:
        yield "size", f"`{paging.request}` is the place of the cursor too", "another place"


def _bodiless(method: Method) -> Iterator[Fault]:
    """Places in a body that the requests have not."""
    paging = method.paging
    assert paging is not None
    for word, target in (("request", paging.request), ("size", paging.size_key)):
        if not isinstance(target, InBody):
            continue
        if method.verb == "GET":
            yield word, f"`{target}` is in a body, and a GET has none", "`verb: POST`"
        elif method.form and len(target.path) != 1:
            yield word, f"`{target}` leads into a form, which has keys alone", "a single key"
        elif past := past_the_end(method, target.path):
            yield word, f"`{target}` leads nowhere: {past}", "a number from 0 leads to an element"


def _totals_at_fault(paging: Paging) -> Iterator[Fault]:
    """What `total` and `total_pages` cannot be with."""
    totals = {"total": paging.total, "total_pages": paging.total_pages}
    named = [word for word, place in totals.items() if place is not None]
    for word in named:
        if paging.style not in _COUNTING:
            yield (
                word,
                f"`{word}` says nothing with `{paging.style.value}`, whose pages are found one by "
                "one",
                "leave it out; it goes with `offset` and `page`",
            )
        if totals[word] == ():
            yield word, f"`{word}` is the whole body", "the path of a number"
    for word in ("more", "done"):
        if getattr(paging, word) == ():
            yield word, f"`{word}` is the whole body", "the path of true or false"
    if len(named) == 2:
        yield "total_pages", "`total_pages` says nothing beside `total`", "leave it out"
    others = {
        "more": paging.more is not None,
        "done": paging.done is not None,
        "empty_pages": paging.empty_pages > 0,
    }
    for word in (word for word, is_given in others.items() if named and is_given):
        yield word, f"`{word}` says nothing beside `{named[0]}`", "leave it out"


def _words_at_fault(paging: Paging) -> Iterator[Fault]:
    """What further words cannot be with."""
    style = paging.style.value
    if paging.any_host and paging.style not in _LINKS:
        yield (
            "any_host",
            f"`any_host` says nothing with `{style}`",
            "it goes with `link` and `link_header`",
        )
    if paging.repeat_ends and paging.style is not PagingStyle.TOKEN:
        yield "repeat_ends", f"`repeat_ends` says nothing with `{style}`", "it goes with `cursor`"
    if paging.ends and paging.style is not PagingStyle.TOKEN:
        yield "ends", f"`ends` say nothing with `{style}`", "they go with `token` and `cursor`"
    if paging.attributes and paging.style is not PagingStyle.LINK_HEADER:
        yield "attributes", f"`attributes` say nothing with `{style}`", "they go with `link_header`"
    yield from _last_page_at_fault(paging)
    if paging.more is not None and paging.done is not None:
        yield "done", "`done` says nothing beside `more`", "one of them"
    if paging.empty_pages and paging.style is PagingStyle.OFFSET:
        yield (
            "empty_pages",
            "`empty_pages` cannot be with `offset`, which would not move on",
            "leave it out",
        )
    ends = (paging.more, paging.done, paging.total, paging.total_pages)
    has_end = any(end is not None for end in ends)
    if paging.empty_pages and paging.style is PagingStyle.PAGE and not has_end:
        yield (
            "empty_pages",
            "an empty page ends the list, so none comes before others",
            "`more` says when it ends",
        )


def _last_page_at_fault(paging: Paging) -> Iterator[Fault]:
    """What `last_page` cannot be with."""
    if not paging.empty_is_last:
        return
    ends = {
        "more": paging.more, "done": paging.done,
        "total": paging.total, "total_pages": paging.total_pages,
    }  # fmt: skip
    for word in (word for word, place in ends.items() if place is not None):
        yield "last_page", f"`last_page` says nothing beside `{word}`", "one of them"
    if paging.short_is_last and not paging.size_key:
        message = "`last_page: short` needs to know how many rows were asked for"
        yield "last_page", message, "`size`, with `max`"
    if paging.empty_pages:
        message = "an empty page is the last, so none comes before others"
        yield "empty_pages", message, "leave `last_page` out"
