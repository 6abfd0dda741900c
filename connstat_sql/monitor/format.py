"""Changes → lines: for people, or an object each for programs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

import pyarrow as pa

from connstat_sql.config.durations import in_words
from connstat_sql.monitor.changes import ChangeKind
from connstat_sql.monitor.diff import RowChange
from connstat_sql.monitor.rows import CONNECTION, WHEN_FETCHED, Identity, decoded, read, written

LONGEST_VALUE = 80
LONGEST_LINE = 1000
_CONNECTIONS = (ChangeKind.UNREACHABLE, ChangeKind.REACHABLE)


def jsonl(change: RowChange) -> str:
    """A change as one object with the keys at, change, key, row, before and changed.

    `row` and `before` are rows as `connstat query -F jsonl` prints them, or null; `changed` is a
    list of columns. Times are ISO 8601 in UTC.
    """
    row, before = change.row, change.before
    if change.kind in _CONNECTIONS:
        row, before = (
            connection and {**connection, "since": moment(connection["since"])}
            for connection in (row, before)
        )
    return written(
        {
            "at": moment(change.at),
            "change": change.kind.value,
            "key": change.key,
            "row": row,
            "before": before,
            "changed": list(change.changed),
        }
    )


def text(change: RowChange, paint: Callable[[ChangeKind, str], str] = lambda _, word: word) -> str:
    """A change as a line for people: when, what, and the columns; long values are cut.

    `paint` colours the word that says what happened.
    """
    said = _of_connection(change) if change.kind in _CONNECTIONS else _of_row(change)
    word = paint(change.kind, f"{change.kind.value:<11}")
    return f"{moment(change.at)}  {word}  {shortened(said, LONGEST_LINE)}"


def first_rows(table: pa.Table, count: int, key: Sequence[str] = ()) -> Iterator[str]:
    """The first rows of a table, each on one line, those columns of the key first that it has."""
    names = [name.lower() for name in key]
    for remembered in read(table.slice(0, count), Identity()):
        row = decoded(remembered.text)
        spellings = {name.lower(): name for name in row}
        first = [spellings[name] for name in names if name in spellings]
        yield row_in_words(row, {name: row[name] for name in first})


def moment(at: float) -> str:
    """Seconds since the epoch as ISO 8601 in UTC, to the second."""
    return datetime.fromtimestamp(at, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _of_connection(change: RowChange) -> str:
    outage = change.row or change.before or {}
    name, since = _value(outage[CONNECTION]), outage["since"]
    if change.kind is ChangeKind.REACHABLE:
        return f"{name} again, after {in_words(max(0.0, change.at - since))}"
    return f"{name} since {moment(since)}: {_value(outage['message'], 4 * LONGEST_VALUE)}"


def _of_row(change: RowChange) -> str:
    key = change.key or {}
    if change.kind is ChangeKind.CHANGED:
        old, new = change.before or {}, change.row or {}
        changed = [f"{n}: {_value(old.get(n))} -> {_value(new.get(n))}" for n in change.changed]
        return "  ".join((_pairs(key.items()), ", ".join(changed)))
    if change.kind is ChangeKind.GONE and key:
        return _pairs(key.items())
    return row_in_words(change.row or change.before or {}, key)


def row_in_words(row: Mapping[str, Any], key: Mapping[str, Any]) -> str:
    """A row on one line: the key, then the other columns that say something; values are cut."""
    rest = {
        name: value
        for name, value in row.items()
        if name not in key and value is not None and name.lower() not in WHEN_FETCHED
    }
    return _pairs({**key, **rest}.items())


def _pairs(columns: Iterable[tuple[str, Any]]) -> str:
    return " ".join(f"{name}={_value(value)}" for name, value in columns if value is not None)


def _value(value: object, longest: int = LONGEST_VALUE) -> str:
    """A value on one line, cut; nothing in it can steer a terminal."""
    said = value if isinstance(value, str) else written(value)
    if any(not letter.isprintable() for letter in said) or said == "":
        said = "".join(letter if letter.isprintable() else _escaped(letter) for letter in said)
        said = said or '""'
    return shortened(said, longest)


def shortened(text: str, longest: int) -> str:
    """A text of at most so many characters.

    >>> shortened("connectors", 8)
    'conne...'
    """
    return text if len(text) <= longest else text[: longest - 3] + "..."


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape").decode()
