"""Rows that have come before: told by their keys, across the pages of one list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Raw

from connstat_sql.decode.body import unreadable
from connstat_sql.definitions.model import KEY, Path
from connstat_sql.errors import UnexpectedShape


class SeenRows:
    """Remembers the keys of the rows of a list, as the bytes that they were sent as.

    `path` leads from a row to its key: `()` is the whole row, `KEY` the row's name in a map.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._place = f"`{'.'.join(path) or '$'}`"
        self._seen: set[bytes] = set()
        self._on_page: set[bytes] = set()
        self._decoder = msgspec.json.Decoder(list[_shape(path)])  # type: ignore[misc]

    def next_page(self) -> None:
        """What comes now may be rows of the pages so far."""
        self._seen |= self._on_page
        self._on_page = set()

    def left(
        self, rows: Sequence[tuple[str | None, Raw | bytes]]
    ) -> list[tuple[str | None, Raw | bytes]]:
        """The rows of a page that came on none before.

        Raises UnexpectedShape for a row without a key, and for two of one page with the same.
        """
        kept = []
        for row, key in zip(rows, self._keys(rows), strict=True):
            if key in self._on_page:
                raise UnexpectedShape(
                    f"two rows of the page have the same {self._place}, so it is not their key",
                    hint="the definition needs another `key` under `paging`, or none",
                )
            self._on_page.add(key)
            if key not in self._seen:
                kept.append(row)
        return kept

    def _keys(self, rows: Sequence[tuple[str | None, Raw | bytes]]) -> list[bytes]:
        if self._path == KEY:
            return [(key or "").encode() for key, _ in rows]
        text = b"[" + b",".join(row for _, row in rows) + b"]"
        try:
            levels = self._decoder.decode(text)
        except msgspec.ValidationError as error:
            raise self._lacking() from error
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            raise unreadable(error, text) from error
        for _ in self._path:
            levels = [level.below for level in levels]
        keys = [bytes(level) for level in levels]
        if b"null" in keys:
            raise self._lacking()
        return keys

    def _lacking(self) -> UnexpectedShape:
        return UnexpectedShape(
            f"a row has no {self._place}, which tells rows apart",
            hint="the definition needs another `key` under `paging`, or none",
        )


def _shape(path: Path) -> Any:
    """What a row must look like to have a key at the path."""
    if path in ((), KEY):
        return Raw
    below = _shape(path[1:])
    return msgspec.defstruct("Row", [("below", below)], rename={"below": path[0]}, gc=False)
