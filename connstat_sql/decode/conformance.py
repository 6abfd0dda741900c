"""A body beside the columns that a definition declares: what is there, what is not, what misfits.

Values are looked at and never told: only where they are, and what kind of thing they are.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from connstat_sql.decode import FieldLayout, OpenBody, RowReader
from connstat_sql.decode.spellings import next_step
from connstat_sql.definitions.model import KEY, ListOf, Path, RowsPath, SqlType, Struct
from connstat_sql.errors import UnexpectedShape

MOST_ROWS = 1_000
"""Rows of a body that are looked at."""
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_TIMELY = re.compile(r"(?i)(time|date|_at$|At$|created|updated|expires|started|finished|since)")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Undeclared:
    """A place in rows that no column reads; `rows` of them have it, and `line` would declare it."""

    rows: int
    line: str


@dataclass(frozen=True, slots=True)
class Misfit:
    """A column whose type a value does not fit; `hint` is a line that its definition could have."""

    column: str
    words: str
    hint: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """What one body shows of a definition; `beside` are keys of the body beside the rows."""

    rows: int
    undeclared: tuple[Undeclared, ...]
    unseen: tuple[str, ...]
    misfits: tuple[Misfit, ...]
    beside: tuple[str, ...]


def compare(body: bytes, rows: RowsPath, fields: Sequence[FieldLayout]) -> Comparison:
    """Compare a body with fields. Raises UnexpectedShape where it has no such rows.

    >>> from connstat_sql.definitions.model import Scalar
    >>> fields = [FieldLayout("town", Scalar("VARCHAR"), ("town",))]
    >>> comparison = compare(b'[{"town": "Ghent", "kilos": 7}]', RowsPath(), fields)
    >>> [undeclared.line for undeclared in comparison.undeclared]
    ['kilos: BIGINT']
    """
    opened = OpenBody(body)
    texts = list(islice(opened.rows(rows), MOST_ROWS))
    values = [json.loads(bytes(text)) for _, text in texts]
    tree = _Tree.of(fields)
    seen: dict[Path, list[Any]] = {}
    for value in values:
        for path, below in _undeclared(value, tree, ()):
            seen.setdefault(path, []).append(below)
    undeclared = tuple(
        Undeclared(len(examples), _line(path, examples)) for path, examples in seen.items()
    )
    unseen = tuple(
        f"{field.name}, at {'.'.join(field.path) or '$'}"
        for field in fields
        if values and field.path != KEY and not any(_has(value, field.path) for value in values)
    )
    misfits = tuple(misfit for field in fields for misfit in _misfits(field, rows, values, body))
    return Comparison(len(values), undeclared, unseen, misfits, _beside(opened, rows))


@dataclass(frozen=True, slots=True)
class _Tree:
    """What is declared below a place: `whole` when a column reads all of it."""

    whole: bool
    below: Mapping[str, _Tree]

    @staticmethod
    def of(fields: Sequence[FieldLayout]) -> _Tree:
        """The places of fields, with those inside of their STRUCTs."""
        paths = [(field.path, field.type) for field in fields if field.path != KEY]
        return _Tree._made([(path, of) for path, of in paths])

    @staticmethod
    def _made(places: Sequence[tuple[Path, SqlType]]) -> _Tree:
        here = [of for path, of in places if not path]
        structs = [inner for of in here if (inner := _fields_of(of)) is not None]
        if len(structs) < len(here):
            return _Tree(True, {})
        places = [
            *(place for place in places if place[0]),
            *(place for inner in structs for place in inner),
        ]
        keys = dict.fromkeys(path[0] for path, _ in places)
        return _Tree(
            False,
            {
                key: _Tree._made([(path[1:], of) for path, of in places if path[0] == key])
                for key in keys
            },
        )


def _fields_of(of: SqlType) -> list[tuple[Path, SqlType]] | None:
    """The places inside of a STRUCT, or of those in a list; None for any other type."""
    if isinstance(of, ListOf):
        return _fields_of(of.element)
    return [((name,), inner) for name, inner in of.fields] if isinstance(of, Struct) else None


def _undeclared(value: Any, tree: _Tree, path: Path) -> Iterator[tuple[Path, Any]]:
    if tree.whole:
        return
    if isinstance(value, list):
        merged: dict[str, Any] = {}
        for element in value:
            merged |= element if isinstance(element, dict) else {}
        value = merged
    if not isinstance(value, dict):
        return
    for key, below in value.items():
        inner = tree.below.get(key)
        if inner is None:
            yield (*path, key), below
        else:
            yield from _undeclared(below, inner, (*path, key))


def _has(value: Any, path: Path) -> bool:
    for key in path:
        if not isinstance(value, dict) or key not in value:
            return False
        value = value[key]
    return True


def _misfits(
    field: FieldLayout, rows: RowsPath, values: Sequence[Any], body: bytes
) -> Iterator[Misfit]:
    """How values do not fit a field: one fault of each column is told."""
    alone = replace(field, is_redacted=True)
    try:
        RowReader(rows, [alone]).read(body)
    except UnexpectedShape as error:
        hint = error.hint
        examples = [_at(row, field.path) for row in values]
        misfit = next(
            (example for example in examples if example is not None and not _fits(alone, example)),
            None,
        )
        if misfit is not None and not isinstance(misfit, (dict, list)):
            hint = hint or next_step(field.type, field.spelling, misfit)
        words = error.message.replace("a redacted value", _kind(misfit))
        yield Misfit(field.name, words, _instead(field, hint.partition(":  ")[2], examples))


def _fits(field: FieldLayout, value: Any) -> bool:
    try:
        reader = RowReader(RowsPath(), [replace(field, path=("v",))])
        reader.read(json.dumps([{"v": value}]).encode())
    except UnexpectedShape:
        return False
    return True


def _at(value: Any, path: Path) -> Any:
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _instead(field: FieldLayout, words: str, examples: Sequence[Any]) -> str:
    """A line that the values would fit, by more words or another type; "" where none is known."""
    kind = str(field.type).replace("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ")
    if words and "…" not in words:
        return f"{field.name}: {{type: {kind}, {words}}}"
    other = type_of(examples)
    return f"{field.name}: {_quoted(other)}" if other not in ("", kind) else words


def _beside(opened: OpenBody, rows: RowsPath) -> tuple[str, ...]:
    if () in rows.at:
        return ()
    body = json.loads(opened.content)
    heads = {path[0] for path in rows.at}
    return tuple(key for key in body if key not in heads) if isinstance(body, dict) else ()


# --- what a line would say -----------------------------------------------------------------------


def _line(path: Path, examples: Sequence[Any]) -> str:
    name, kind = path[-1], type_of(examples)
    shown = name if _WORD.fullmatch(name) else json.dumps(name)
    form = _epoch(name, examples)
    words = [f"type: {_quoted(kind)}"]
    if len(path) > 1 or "." in name:
        plain = not any("." in key for key in path)
        words.append(f"path: {'.'.join(path) if plain else json.dumps(list(path))}")
    if form:
        words = ["type: TIMESTAMPTZ", *words[1:], f"format: {form}"]
    if len(words) == 1:
        return f"{shown}: {_quoted(kind)}"
    return f"{shown}: {{{', '.join(words)}}}"


def _quoted(kind: str) -> str:
    return json.dumps(kind) if any(letter in kind for letter in "[],") else kind


def _epoch(name: str, examples: Sequence[Any]) -> str:
    """The format of numbers that look like times, by their name and size."""
    numbers = [
        value
        for value in examples
        if isinstance(value, (int, float)) and not isinstance(value, bool)
    ]
    there = [value for value in examples if value is not None]
    if not _TIMELY.search(name) or not numbers or len(numbers) < len(there):
        return ""
    for form, unit in (("epoch", 1), ("epoch_ms", 10**3), ("epoch_us", 10**6), ("epoch_ns", 10**9)):
        if all(6e8 <= number / unit < 5e9 for number in numbers):
            return form
    return ""


def type_of(values: Sequence[Any]) -> str:
    """The DuckDB type that holds such JSON values; JSON where they have none in common."""
    kinds = Counter(map(_type, (value for value in values if value is not None)))
    kinds.pop("", None)
    if not kinds:
        return "JSON"
    if len(kinds) == 1:
        return next(iter(kinds))
    if set(kinds) <= {"BIGINT", "DOUBLE"}:
        return "DOUBLE"
    if set(kinds) <= {"VARCHAR", "TIMESTAMPTZ", "TIMESTAMP", "DATE", "UUID"}:
        return "VARCHAR"
    return "JSON"


def _type(value: Any) -> str:
    if isinstance(value, bool):
        return "BOOLEAN"
    if isinstance(value, int):
        return "BIGINT" if -(2**63) <= value < 2**63 else "HUGEINT"
    if isinstance(value, float):
        return "DOUBLE"
    if isinstance(value, str):
        if _MOMENT.fullmatch(value):
            return "TIMESTAMPTZ"
        return "DATE" if _DAY.fullmatch(value) else "UUID" if _UUID.fullmatch(value) else "VARCHAR"
    if isinstance(value, list):
        inner = type_of([element for element in value if element is not None]) if value else ""
        return "JSON" if inner == "JSON" else f"{inner}[]" if inner else ""
    return _struct(value)


def _struct(value: dict[str, Any]) -> str:
    """A STRUCT of few plain keys; JSON for what is deeper, or free in form."""
    kinds = {key: _type(below) if below is not None else "VARCHAR" for key, below in value.items()}
    is_plain = all(_WORD.fullmatch(key) and kind and "(" not in kind and kind != "JSON"
                   for key, kind in kinds.items())  # fmt: skip
    if not value or len(value) > 8 or not is_plain:
        return "JSON"
    return f"STRUCT({', '.join(f'{key} {kind}' for key, kind in kinds.items())})"


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, str):
        return "a text" if value else "an empty text"
    return "null" if value is None else "an object" if isinstance(value, dict) else "an array"
