"""Rows as they are remembered from one run to the next: short, exact, and easy to compare."""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from hashlib import blake2b
from typing import Any

import msgspec
import pyarrow as pa

from connstat_sql.database.python_values import distinct_names, shaped_rows
from connstat_sql.database.session import noted_types
from connstat_sql.errors import QueryError

CONNECTION = "_connection"
WHEN_FETCHED = ("_observed_at", "observed_at")
"""Columns that are different each time, and never a change."""

_ROW = msgspec.json.Encoder(decimal_format="number", enc_hook=str)
_SORTED = msgspec.json.Encoder(decimal_format="number", enc_hook=str, order="sorted")


@dataclass(frozen=True, slots=True)
class Identity:
    """What tells rows apart, and what is worth telling of them; names of columns, in any case.

    `key` empty means that the whole row is its key. `state` is the one column whose changes are
    told (None: those of every column). `ignored` are columns that never count.
    """

    key: tuple[str, ...] = ()
    state: str | None = None
    ignored: tuple[str, ...] = ()

    def counts(self, column: str) -> bool:
        """Whether a change of a column is worth telling."""
        name = column.lower()
        if self.state is not None:
            return name == self.state.lower()
        return name not in WHEN_FETCHED and name not in map(str.lower, self.ignored)

    def __post_init__(self) -> None:
        """Raise QueryError for what could tell nothing."""
        if self.state is not None and not self.key:
            raise QueryError(
                f"the state column {self.state} says nothing without a key: a row is known again "
                "by its key",
                hint="say which columns tell rows apart:  --key connector_name",
            )


@dataclass(frozen=True, slots=True)
class RememberedRow:
    """One row: `text` is the row as a JSON object, `key` the same of its key columns.

    Rows with equal `key` are the same row seen again, and with an equal `face` unchanged too.
    """

    key: bytes
    face: bytes
    text: bytes
    connection: str | None


def read(table: pa.Table, identity: Identity) -> Iterator[RememberedRow]:
    """The rows of a table. Raises QueryError when it has no such key, state or ignored column."""
    names = distinct_names(table.column_names)
    columns = _Columns.of(names, identity)
    for row in shaped_rows(table, noted_types(table), _exact, _finite):
        yield _kept(row, names, columns)


def check_columns(names: Sequence[str], identity: Identity) -> None:
    """Raise QueryError when a result of such columns has no such key, state or ignored column."""
    _Columns.of(names, identity)


def decoded(text: bytes) -> dict[str, Any]:
    """A remembered row (or key) as a mapping; numbers are exact."""
    row: dict[str, Any] = json.loads(text, parse_float=Decimal)
    return row


def written(value: object) -> str:
    """A value as JSON; numbers are exact."""
    return _ROW.encode(value).decode()


def differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """The columns that two rows do not agree on."""
    for name in dict.fromkeys((*before, *after)):
        old, new = (_SORTED.encode((row.get(name), name in row)) for row in (before, after))
        if old != new:
            yield name


# --- which columns count -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Columns:
    """Places of columns: those of the key, those that are compared, that of the connection."""

    key: tuple[int, ...]
    face: tuple[int, ...]
    connection: int | None

    @classmethod
    def of(cls, names: Sequence[str], identity: Identity) -> _Columns:
        ignored = {_place(names, name, "--ignore") for name in identity.ignored}
        ignored |= {place for place, name in enumerate(names) if name.lower() in WHEN_FETCHED}
        compared = tuple(place for place in range(len(names)) if place not in ignored)
        key = tuple(_place(names, name, "key") for name in identity.key)
        state = None if identity.state is None else (_place(names, identity.state, "state"),)
        lower = [name.lower() for name in names]
        connection = lower.index(CONNECTION) if CONNECTION in lower else None
        return cls(key or compared, state or compared, connection)


def _place(names: Sequence[str], name: str, what: str) -> int:
    lower = [column.lower() for column in names]
    if name.lower() in lower:
        return lower.index(name.lower())
    close = difflib.get_close_matches(name.lower(), lower, n=1)
    nearest = f"did you mean {close[0]}?  " if close else ""
    raise QueryError(
        f"the {what} column {name} is not among the columns of the result",
        hint=f"{nearest}It has: {', '.join(names)}",
    )


def _kept(row: Sequence[Any], names: Sequence[str], columns: _Columns) -> RememberedRow:
    key = _SORTED.encode({names[place]: row[place] for place in columns.key})
    if columns.face == columns.key:
        face = _digest(key)
    else:
        face = _digest(_SORTED.encode({names[place]: row[place] for place in columns.face}))
    connection = None if columns.connection is None else row[columns.connection]
    text = _ROW.encode(dict(zip(names, row, strict=True)))
    return RememberedRow(key, face, text, None if connection is None else str(connection))


def _digest(text: bytes) -> bytes:
    return blake2b(text, digest_size=16).digest()


# --- values out of Arrow -------------------------------------------------------------------------


def _exact(text: str) -> Any:
    return json.loads(text, parse_float=Decimal)


def _finite(number: Any) -> Any:
    """JSON has no word for what is not a number, and it is not the same as nothing."""
    return number if math.isfinite(number) else str(number)
