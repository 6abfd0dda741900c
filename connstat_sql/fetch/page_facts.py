"""What a page says of the list it is of: in its body, in its headers, or in its last row."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from connstat_sql.decode import Body
from connstat_sql.decode.body import decoded, descend
from connstat_sql.definitions.model import KEY, InHeader, InLastRow, RowsPath, Source
from connstat_sql.errors import UnexpectedShape

LARGEST_TOTAL = 10**15
USUAL_SIZES = frozenset({10, 20, 25, 30, 50, 100, 200, 250, 500, 1000, 2000, 5000, 10_000})
"""Rows of a page where nobody asks for another number, or the server heeds none."""
_ABSENT = (
    "where the API leaves it out on the last page, the definition is better off without it: a "
    "missing cursor or link is the end too"
)


@dataclass(frozen=True, slots=True)
class PageFacts:
    """A page's body and headers, opened as far as asked for; `rows` says where its rows are."""

    body: Body
    headers: Mapping[str, str]
    rows: RowsPath

    @property
    def received(self) -> int:
        """How many rows the page holds."""
        return self.body.received

    @property
    def mark(self) -> int:
        """What equal rows have in common."""
        return hash(self.body.texts)

    def json(self, source: Source) -> bytes | None:
        """The JSON text of a value; None when there is none.

        Raises UnexpectedShape where nothing could stand at such a place, and for a last row
        without the value.
        """
        if isinstance(source, InHeader):
            text = self.headers.get(source.name)
            return None if text is None else msgspec.json.encode(text)
        if isinstance(source, InLastRow):
            return self._of_last_row(source)
        stands = self.body.opened.find(source)
        if stands is not None:
            return bytes(stands)
        obstacle = self.body.opened.in_the_way(source)
        if obstacle:
            raise UnexpectedShape(
                f"nothing can stand at {place_of(source)}, for {obstacle}",
                hint="`response` under `paging` may name a header, {header: X-Next}, or a place "
                "in the last row, {last_row: id}",
            )
        return None

    def value(self, source: Source) -> Any:
        """The value; None when there is none, or null."""
        text = self.json(source)
        if text is None:
            return None
        try:
            value = decoded(text, Any)
            if isinstance(value, str):
                value.encode()
        except (UnexpectedShape, UnicodeError) as error:
            raise UnexpectedShape(f"{place_of(source)} cannot be read: {error}") from error
        return value

    def flag(self, source: Source) -> bool:
        """What a boolean says; some APIs write it as a text or a number."""
        value = self.value(source)
        by_text = {"true": True, "false": False, "1": True, "0": False}
        flag = by_text.get(str(value).lower())
        if flag is None:
            said = "is not there" if value is None else "says neither true nor false"
            hint = _ABSENT if value is None else ""
            raise UnexpectedShape(f"{place_of(source)} {said}", hint=hint)
        return flag

    def number(self, source: Source) -> int:
        """A count; 64-bit numbers are sent as text by some."""
        value = self.value(source)
        if isinstance(value, str) and re.fullmatch("[0-9]{1,15}", value):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST_TOTAL:
            raise UnexpectedShape(f"{place_of(source)} holds no number of rows or pages")
        return value

    def _of_last_row(self, source: InLastRow) -> bytes | None:
        last = self.body.opened.last(self.rows)
        if last is None:
            return None
        key, element = last
        if source.path == KEY:
            return msgspec.json.encode(str(key))
        text = descend(element, source.path)
        if text is None:
            raise UnexpectedShape(
                f"the last row has no {place_of(source)}, with which the next page is asked for",
                hint="`last_row` leads from an element of the array to the value: with `item`, "
                "the element is what holds the row",
            )
        return bytes(text)


def place_of(source: Source) -> str:
    """A place of an answer, for messages."""
    if isinstance(source, InHeader):
        return f"the header `{source}`"
    return f"`{'.'.join(source)}`" if isinstance(source, tuple) else f"`{source}`"
