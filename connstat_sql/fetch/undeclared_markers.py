"""What an answer says of itself in the words of most APIs, where its definition says nothing.

Two things that a definition may lack, and that would pass in silence: that a list goes on, and that
something failed. A body is looked at beside its rows alone: at the objects that lead to them, and
one level below at those that are usual for such words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from connstat_sql.decode import Body, OpenBody
from connstat_sql.decode.body import decoded, kind
from connstat_sql.definitions.model import Method, Path, Resource, RowsPath, Shape

_ABOUT = re.compile(
    "meta(data|info)?|pagination|page(info)?|paging(info)?|links|cursors?|responsemetadata"
    "|resultinfo|listmeta|info"
)
"""Objects that tell of a list; names are held against all of these in small letters alone."""
_NEXT = re.compile(
    "(odata)?next(page)?(records|continuation|starting)?(token|cursor|marker|link|ur[il]|href|id)?"
    "|continuation(token)?"
)
_MORE = re.compile(
    "more|has(more|next)(pages?|items|results|data)?|more(results)?available|moreresults"
    "|(is)?truncated"
)
_DONE = re.compile("(is)?(last|done)(page)?")
_PAGES = re.compile("(total|num|last)pages?|pagecount|pages")
_TOTAL = re.compile("total(count|results|size|items|records|hits|elements|rows)?")
_FAULT = re.compile("errors?|faults?|exception")
_PART = re.compile(
    "(is)?partial(results?|data|response|failures?|errors?)?|(is)?incomplete(results?|data)?"
    "|(is)?timedout|unreachable|failures"
)
_WHOLE = re.compile("jobcomplete|(is)?(results?|data|search)complete")
_SHORT = 2_000
"""Bytes of a value that can be one of these words; longer ones are not opened."""


def sign_of_more(body: Body, rows: RowsPath) -> str:
    """The place in words that says that more rows follow than a page has; "" where none does."""
    for path, value in _beside(body.opened, rows):
        word, place = _plain(path[-1]), f"`{'.'.join(path)}`"
        if _NEXT.fullmatch(word) and _leads(value):
            return place
        if isinstance(value, bool):
            if (_MORE if value else _DONE).fullmatch(word):
                return f"{place}: {str(value).lower()}"
        elif isinstance(value, int):
            few = (
                body.received if _TOTAL.fullmatch(word) else 1 if _PAGES.fullmatch(word) else value
            )
            if value > few:
                return f"{place}: {value:,}"
    return ""


def sign_of_fault(opened: OpenBody, resource: Resource, method: Method) -> str:
    """The key of a body that tells of an error; "" where none does, or it is of the rows."""
    entries = opened.entries(()) or {}
    for key in entries:
        if _FAULT.fullmatch(key.lower()) and not _is_of_rows(key, resource, method):
            text = entries[key]
            if len(bytes(text)) > _SHORT or decoded(text, Any):
                return key
    return ""


def sign_of_part(opened: OpenBody, resource: Resource, method: Method) -> str:
    """The key of a body that tells that it is not whole; "" where none does.

    A number may count anything, and a text may be a name: true says so, a list with something in
    it, and false where the word is that it is whole.
    """
    if () in method.rows.at:  # what stands there is of the rows, or may be one
        return ""
    for key, text in (opened.entries(()) or {}).items():
        word, what, is_said = _plain(key), kind(text), False
        if what == "a boolean":
            is_said = bool((_PART if decoded(text, Any) else _WHOLE).fullmatch(word))
        elif what in ("an array", "an object") and _PART.fullmatch(word):
            is_said = len(bytes(text)) > _SHORT or bool(decoded(text, Any))
        if is_said and not _is_of_rows(key, resource, method):
            return key
    return ""


def has_no_rows(opened: OpenBody, resource: Resource, method: Method) -> bool:
    """Whether a body has no rows, or a single one with nothing of what the table's columns read."""
    rows = [text for _, text in opened.rows(method.rows)]
    if method.rows.shape is not Shape.OBJECT:
        return not rows
    inside = OpenBody(bytes(rows[0]))
    places = [path for path in _places(resource, method) if path]
    return bool(places) and all(inside.value(path) is None for path in places)


def _places(resource: Resource, method: Method) -> Iterator[Path]:
    for column in resource.columns:
        yield method.columns.get(column.name, column.path) or ()


def _is_of_rows(key: str, resource: Resource, method: Method) -> bool:
    rows = method.rows
    if any(at[:1] == (key,) for at in rows.at):
        return True
    if rows.shape is Shape.MAP and () in rows.at:
        return True
    is_whole = rows.shape is Shape.OBJECT and () in rows.at
    return is_whole and any(path[:1] in ((), (key,)) for path in _places(resource, method))


def _beside(opened: OpenBody, rows: RowsPath) -> Iterator[tuple[Path, Any]]:
    """Each short value beside the rows, with its path."""
    depths = {at[:depth] for at in rows.at for depth in range(len(at))}
    for above in sorted(depths, key=len):
        for key, text in (opened.entries(above) or {}).items():
            path = (*above, key)
            if path in depths or path in rows.at or len(bytes(text)) > _SHORT:
                continue
            value = decoded(text, Any)
            yield path, value
            if not _ABOUT.fullmatch(_plain(key)):
                continue
            if isinstance(value, dict):
                yield from (((*path, name), below) for name, below in value.items())
            elif kind(text) == "an array":
                yield from _linked(path, value)


def _linked(path: Path, links: list[Any]) -> Iterator[tuple[Path, Any]]:
    for link in links:
        if isinstance(link, dict) and link.get("rel") == "next":
            yield (*path, "next"), link


def _leads(value: Any) -> bool:
    if isinstance(value, dict):
        return any(isinstance(below, str) and below for below in value.values())
    return isinstance(value, (str, int)) and bool(value)


def _plain(key: str) -> str:
    return re.sub("[^a-z]", "", key.lower())
