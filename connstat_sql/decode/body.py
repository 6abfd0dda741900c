"""A body opened just as far as asked for: where its rows, tokens and flags are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import repeat
from typing import Any

import msgspec
from msgspec import Raw

from connstat_sql.decode.msgspec_types import KeyTwice, MapKey, checking_decoder
from connstat_sql.definitions.model import Path, RowsPath, Shape
from connstat_sql.errors import UnexpectedShape


@dataclass(slots=True)
class OpenBody:
    """A body; the levels opened are remembered."""

    content: bytes
    _levels: dict[Path, Mapping[str, Raw] | None] = field(default_factory=dict)

    def at(self, path: Path) -> Raw | bytes | None:
        """The text of the value at a path; None when there is none.

        A number leads to an element of an array, and `links[rel=next]` to that of `links` whose
        `rel` is `next`.
        """
        if not path:
            return self.content
        key, above = path[-1], self._object(path[:-1])
        if above is not None:
            chosen = _CHOICE.fullmatch(key) if key not in above else None
            return above.get(key) if chosen is None else _chosen(above, *chosen.groups())
        return self._element(path[:-1], int(key)) if key.isdecimal() else None

    def find(self, path: Path) -> Raw | bytes | None:
        """The text at a path, the end of which may be a single key that holds dots."""
        text = self.at(path)
        for place in range(len(path) - 1) if text is None else ():
            text = self.at((*path[:place], ".".join(path[place:])))
            if text is not None:
                break
        return text

    def value(self, path: Path) -> Any:
        """The value at a path, or None."""
        text = self.find(path)
        return None if text is None else decoded(text, Any)

    def entries(self, path: Path) -> Mapping[str, Raw] | None:
        """The keys and texts of the object at a path; None where there is no object."""
        return self._object(path)

    def in_the_way(self, path: Path) -> str:
        """What keeps the body from holding anything at a path, in words; "" when nothing does."""
        for depth in range(len(path)):
            text = self.at(path[:depth])
            if text is None:
                return ""
            is_element = path[depth].isdecimal() and kind(text) == "an array"
            if kind(text) not in ("an object", "null") and not is_element:
                place = f"`{'.'.join(path[:depth])}`" if depth else "the body"
                return f"{place} is {kind(text)}"
        return ""

    def last(self, rows: RowsPath) -> tuple[str | None, Raw | bytes] | None:
        """Key and text of the last element that holds rows; None where there is no element."""
        element: tuple[str | None, Raw | bytes] | None = None
        for element in self._elements(rows, Raw):  # noqa: B007 - the last one is wanted
            pass
        return element

    def rows(self, rows: RowsPath) -> Iterable[tuple[str | None, Raw | bytes]]:
        """Each row's key (None unless the shape is `map`) and text."""
        items = self._items(rows)
        return _entries(items) if rows.entries else items

    def _items(self, rows: RowsPath) -> Iterable[tuple[str | None, Raw | bytes]]:
        if len(rows.item) != 1:
            return self._row_texts(self._elements(rows, Raw), rows.item)
        try:  # the common case in one pass over the body
            elements = self._elements(rows, _item_type(rows.item[0]))
        except UnexpectedShape:
            return self._row_texts(self._elements(rows, Raw), rows.item)
        return ((key, item.row) for key, item in elements)

    def _row_texts(
        self, elements: Iterable[tuple[str | None, Any]], item: Path
    ) -> Iterator[tuple[str | None, Raw | bytes]]:
        for key, element in elements:
            row = descend(element, item)
            if row is None:
                place = f"`{key}` " if key is not None else ""
                raise UnexpectedShape(f"an element {place}has no `{'.'.join(item)}`")
            yield key, row

    def _elements(self, rows: RowsPath, element: Any) -> Iterable[tuple[str | None, Any]]:
        """Each row's key and element, decoded as the given type."""
        for path in rows.at:
            text = self.at(path)
            if text is None:
                continue
            text_kind = kind(text)
            if rows.shape is Shape.OBJECT and text_kind == "an object":
                return [(None, text if element is Raw else decoded(text, element))]
            if rows.shape is Shape.MAP and text_kind == "an object":
                return decoded(text, dict[MapKey, element]).items()  # type: ignore[no-any-return]
            if rows.shape in (Shape.ARRAY, Shape.SCALARS) and text_kind == "an array":
                return zip(repeat(None), decoded(text, list[element]), strict=False)
            if text_kind == "null" and rows.shape is not Shape.OBJECT and path:
                return ()
        error = UnexpectedShape(self._missing(rows))
        error.lacks_rows = True
        raise error

    def _missing(self, rows: RowsPath) -> str:
        wanted = "an object" if rows.shape in (Shape.OBJECT, Shape.MAP) else "an array"
        places = " or ".join(f"`{'.'.join(path)}`" if path else "the top level" for path in rows.at)
        return f"expected {wanted} at {places}, found {self._outline()}"

    def _outline(self) -> str:
        if not self.content.strip():
            return "an empty body"
        if self.content.lstrip()[:1] == b"<":
            return "HTML or XML, not JSON"
        content_kind = kind(self.content)
        if content_kind == "an object":
            keys = list(self._object(()) or {})[:6]
            return f"an object with the keys {', '.join(keys)}" if keys else "an empty object"
        return content_kind

    def _element(self, path: Path, number: int) -> Raw | None:
        text = self.at(path)
        if text is None or kind(text) != "an array":
            return None
        elements = decoded(text, list[Raw])
        return elements[number] if number < len(elements) else None

    def _object(self, path: Path) -> Mapping[str, Raw] | None:
        if path not in self._levels:
            text = self.at(path)
            if text is not None and kind(text) == "an object":
                self._levels[path] = decoded(text, dict[str, Raw])
            else:
                self._levels[path] = None
        return self._levels[path]


_CHOICE = re.compile(r"([^\[\]]+)\[([^\[\]=]+)=([^\[\]]*)\]")
"""A key that leads to one element of an array: `links[rel=next]`."""


def _chosen(above: Mapping[str, Raw], name: str, key: str, wanted: str) -> Raw | None:
    """The first element of an array in which a key has a value; None where none has it."""
    text = above.get(name)
    if text is None or kind(text) == "null":
        return None
    if kind(text) != "an array":
        raise UnexpectedShape(f"`{name}` is {kind(text)}, and no array")
    elements = decoded(text, list[Raw])
    values = [descend(element, (key,)) for element in elements]
    if elements and all(value is None for value in values):
        raise UnexpectedShape(f"no element of `{name}` has `{key}`")
    return next(
        (
            element
            for element, value in zip(elements, values, strict=True)
            if value is not None and decoded(value, Any) == wanted
        ),
        None,
    )


def _entries(
    items: Iterable[tuple[str | None, Raw | bytes]],
) -> Iterator[tuple[str | None, bytes]]:
    """Each entry of each item as a row of its own, under the item's key."""
    encode = msgspec.json.Encoder(enc_hook=str).encode
    for key, item in items:
        if kind(item) != "an object":
            raise UnexpectedShape(f"expected a map of entries, found {kind(item)}")
        for name, value in decoded(item, dict[MapKey, Raw]).items():
            yield key, b'{"key":%b,"value":%b}' % (encode(name), bytes(value))


_KINDS = {
    b"{": "an object", b"[": "an array", b'"': "a string", b"n": "null", b"t": "a boolean",
    b"f": "a boolean",
}  # fmt: skip


def kind(text: bytes | Raw) -> str:
    """What a JSON text is, by how it begins."""
    begin = bytes(memoryview(text)[:1])
    if begin.isspace():
        begin = bytes(memoryview(text)).lstrip()[:1]
    if begin and begin in b"-0123456789":
        return "a number"
    return _KINDS.get(begin, "something that is not JSON")


@lru_cache(maxsize=64)
def _item_type(key: str) -> Any:
    """An element whose row is the value of a key."""
    return msgspec.defstruct("Item", [("row", Raw)], rename={"row": key}, gc=False)


@lru_cache(maxsize=64)
def _decoder(wanted: Any) -> msgspec.json.Decoder[Any]:
    return checking_decoder(wanted)


def decoded(text: bytes | Raw, wanted: Any) -> Any:
    """A JSON text as a value of that type; raises UnexpectedShape when it is not JSON."""
    try:
        return _decoder(wanted).decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError, KeyTwice) as error:
        raise unreadable(error, bytes(text)) from error


_HALF_PAIR = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])"
    rb"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)


def unreadable(error: Exception, text: bytes) -> UnexpectedShape:
    """What is wrong with a text that cannot be read, in words."""
    said = str(error)
    if isinstance(error, RecursionError):
        said = "it is nested too deeply"
    elif isinstance(error, UnicodeDecodeError):
        said = "it is not UTF-8 text"
    elif _HALF_PAIR.search(text):
        said = "a \\u escape is half of a surrogate pair"
    elif "truncated" in said:
        said = "it ends too early"
    return UnexpectedShape(f"the body is not JSON that can be read: {said}")


def descend(text: Raw | bytes, path: Path) -> Raw | bytes | None:
    """The text of the value at a path below a text; None when there is none."""
    for key in path:
        if kind(text) != "an object":
            return None
        below = decoded(text, dict[str, Raw]).get(key)
        if below is None:
            return None
        text = below
    return text
