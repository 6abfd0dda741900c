"""Bytes of an API's answer → rows: checked against the declared types, ready for DuckDB.

A body is split into the texts of its rows without building values, each row is checked by msgspec
(strict: a value that does not fit is an error that names its path), and the texts are handed on
as JSON arrays in an Arrow string column. DuckDB decodes those (`select_list` says how), so values
never become Python objects. A body is
cut into arrays of `ROWS_PER_TEXT` rows, because DuckDB slows down on longer ones.
"""

from __future__ import annotations

import datetime
import json
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Annotated, Any, Union

import msgspec
import pyarrow as pa
from msgspec import Meta, Raw

from connstat_sql.definitions import (
    KEY,
    Column,
    ListOf,
    MapOf,
    Mismatch,
    Param,
    Path,
    Rows,
    Scalar,
    Shape,
    SqlType,
    Struct,
    quote,
)
from connstat_sql.errors import UnexpectedShape

ROWS_PER_TEXT = 200
SAMPLE_LENGTH = 80
_ROW = "$row"
_WHOLE = "$whole"


@dataclass(frozen=True, slots=True)
class Field:
    """A column (or filled parameter) of the rows that one method answers with."""

    name: str
    type: SqlType
    path: Path
    mismatch: Mismatch = Mismatch.ERROR
    is_redacted: bool = False
    is_required: bool = False

    @staticmethod
    def of_column(column: Column, path: Path) -> Field:
        """A column where a method has it."""
        redacted = column.redaction.value != "none"
        return Field(column.name, column.type, path, column.mismatch, redacted)

    @staticmethod
    def of_param(param: Param, path: Path) -> Field:
        """A parameter that is filled from the row; it is never NULL (semantics, rule 11)."""
        return Field(param.name, param.type, path, is_required=True)


class RowReader:
    """Reads the bodies of one method for the columns that a query uses.

    `rows` says where rows are in a body, `fields` where values are in a row. Thread-safe.
    """

    def __init__(self, rows: Rows, fields: Sequence[Field]) -> None:
        self.rows = rows
        self.fields = tuple(fields)
        self.is_wrapped = rows.shape in (Shape.MAP, Shape.SCALARS) or any(
            one.path in ((), KEY) for one in fields
        )
        tree = _tree((self._place(one), one) for one in self.fields)
        self._wrappings = [name for name in (_ROW, _WHOLE) if name in tree]
        self._check = msgspec.json.Decoder(_checked_struct(tree))
        self.structure = json.dumps(_structure(tree) or "JSON")

    def read(self, body: bytes) -> Body:
        """Split a body into texts of rows, each row checked.

        Raises UnexpectedShape, naming the place, when it is not what the definition declares.
        """
        opened = OpenBody(body)
        texts, count, batch = [], 0, []
        for text in self._row_texts(opened):
            self._check_row(text)
            batch.append(text)
            count += 1
            if len(batch) == ROWS_PER_TEXT:
                texts.append(b"[" + b",".join(batch) + b"]")
                batch = []
        if batch:
            texts.append(b"[" + b",".join(batch) + b"]")
        return Body(tuple(texts), count, opened)

    def select_list(self, row: str) -> Iterator[tuple[str, str]]:
        """Pairs of column name and SQL expression over the decoded row called `row`."""
        for one in self.fields:
            keys = ".".join(quote(key) for key in self._place(one))
            value = f"{row}.{keys}"
            if one.mismatch is Mismatch.TEXT:
                value = f"json_extract_string({value}, '$')"
            yield one.name, value

    def _place(self, one: Field) -> Path:
        """Where a field's value is in the text of a row; a whole row stands beside its parts."""
        if not self.is_wrapped or one.path == KEY:
            return one.path
        return (_ROW, *one.path) if one.path else (_WHOLE,)

    def _row_texts(self, body: OpenBody) -> Iterator[bytes | Raw]:
        rows = self.rows
        found = body.rows(rows)
        for key, element in found:
            row = _descend(element, rows.item)
            if row is None:
                place = f"`{key}` " if key is not None else ""
                raise UnexpectedShape(f"an element {place}has no `{'.'.join(rows.item)}`")
            if self.is_wrapped:
                yield self._wrapped(key, bytes(row))
            else:
                yield row

    def _wrapped(self, key: str | None, row: bytes) -> bytes:
        text = b'{"$key":' + (b"null" if key is None else msgspec.json.encode(key))
        for name in self._wrappings:
            text += b',"' + name.encode() + b'":' + row
        return text + b"}"

    def _check_row(self, text: bytes | Raw) -> None:
        try:
            self._check.decode(text)
        except msgspec.ValidationError as error:
            raise UnexpectedShape(self._explain(str(error), bytes(text))) from error
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            raise UnexpectedShape(f"the body is not JSON that can be read: {error}") from error

    def _explain(self, message: str, text: bytes) -> str:
        """Msgspec's words for a misfit → column, path, expected type and a sample."""
        expected, _, place = message.partition(" - at `")
        keys = _keys_of(place.removesuffix("`"))
        sample = _sample(text, keys)
        shown = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys)
        shown = (
            shown.replace(f".{_ROW}", "", 1)
            .replace(f".{_WHOLE}", "", 1)
            .replace(".$key", " (its key)")
            or "."
        )
        for one in self.fields:
            own = self._place(one)
            if tuple(keys[: len(own)]) == own or own[: len(keys)] == tuple(keys):
                value = "a redacted value" if one.is_redacted else sample
                return f"column {one.name} is {one.type}, but ${shown} holds {value}"
        return f"{expected} at ${shown}: {sample}"


@dataclass(frozen=True, slots=True)
class Body:
    """A body's rows: `texts` are JSON arrays, `count` their rows in all."""

    texts: tuple[bytes, ...]
    count: int
    opened: OpenBody


@dataclass(slots=True)
class OpenBody:
    """A body opened just as far as asked for; the levels opened are remembered."""

    content: bytes
    _levels: dict[Path, Mapping[str, Raw] | None] = field(default_factory=dict)

    def at(self, path: Path) -> Raw | bytes | None:
        """The text of the value at a path; None when there is none."""
        if not path:
            return self.content
        above = self._object(path[:-1])
        return None if above is None else above.get(path[-1])

    def value(self, path: Path) -> Any:
        """The value at a path, or None."""
        text = self.at(path)
        return None if text is None else msgspec.json.decode(text)

    def rows(self, rows: Rows) -> Iterator[tuple[str | None, Raw | bytes]]:
        """Each row's key (None unless the shape is `map`) and text."""
        for path in rows.at:
            text = self.at(path)
            if text is None:
                continue
            kind = _kind(text)
            if rows.shape is Shape.OBJECT and kind == "an object":
                return iter([(None, text)])
            if rows.shape is Shape.MAP and kind == "an object":
                return iter(_decoded(text, dict[str, Raw]).items())
            if rows.shape in (Shape.ARRAY, Shape.SCALARS) and kind == "an array":
                return ((None, element) for element in _decoded(text, list[Raw]))
            if kind == "null" and rows.shape is not Shape.OBJECT and path:
                return iter(())
        raise UnexpectedShape(self._missing(rows))

    def _missing(self, rows: Rows) -> str:
        wanted = "an object" if rows.shape in (Shape.OBJECT, Shape.MAP) else "an array"
        places = " or ".join(f"`{'.'.join(path)}`" if path else "the top level" for path in rows.at)
        return f"expected {wanted} at {places}, found {self._outline()}"

    def _outline(self) -> str:
        if not self.content.strip():
            return "an empty body"
        if self.content.lstrip()[:1] == b"<":
            return "HTML or XML, not JSON"
        kind = _kind(self.content)
        if kind == "an object":
            keys = list(self._object(()) or {})[:6]
            return f"an object with the keys {', '.join(keys)}" if keys else "an empty object"
        return kind

    def _object(self, path: Path) -> Mapping[str, Raw] | None:
        if path not in self._levels:
            text = self.at(path)
            if text is not None and _kind(text) == "an object":
                self._levels[path] = _decoded(text, dict[str, Raw])
            else:
                self._levels[path] = None
        return self._levels[path]


def pages_table(
    pages: Iterable[tuple[tuple[bytes, ...], Mapping[str, str]]], names: Sequence[str]
) -> pa.Table:
    """Texts of rows with the arguments they were fetched with → an Arrow table.

    Columns: `rows` (JSON arrays), then each of `names`, all strings. One record batch a page, so
    that DuckDB reads them in parallel. Raises UnexpectedShape when a text is not UTF-8.
    """
    schema = pa.schema([("rows", pa.string()), *((name, pa.string()) for name in names)])
    batches = []
    for texts, arguments in pages:
        try:
            rows = pa.array(texts, type=pa.binary()).cast(pa.string())
        except pa.ArrowInvalid as error:
            raise UnexpectedShape("the body is not UTF-8 text") from error
        values = [pa.repeat(pa.scalar(arguments[name], pa.string()), len(texts)) for name in names]
        batches.append(pa.record_batch([rows, *values], schema=schema))
    return pa.Table.from_batches(batches, schema=schema)


# --- opening bodies ------------------------------------------------------------------------------

_KINDS = {b"{": "an object", b"[": "an array", b'"': "a string", b"n": "null", b"t": "a boolean",
          b"f": "a boolean"}  # fmt: skip


def _kind(text: bytes | Raw) -> str:
    start = bytes(memoryview(text)[:64]).lstrip()[:1]
    if start and start in b"-0123456789":
        return "a number"
    return _KINDS.get(start, "something that is not JSON")


@lru_cache(maxsize=64)
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


def _decoded(text: bytes | Raw, kind: Any) -> Any:
    try:
        return _decoder(kind).decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise UnexpectedShape(f"the body is not JSON that can be read: {error}") from error


def _descend(text: Raw | bytes, path: Path) -> Raw | bytes | None:
    for key in path:
        if _kind(text) != "an object":
            return None
        below = _decoded(text, dict[str, Raw]).get(key)
        if below is None:
            return None
        text = below
    return text


_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|\[\.\.\.\]")


def _keys_of(place: str) -> list[str | int]:
    """`$.tasks[1].id` → ["tasks", 1, "id"]; a map's key is not named by msgspec."""
    steps = _STEP.finditer(place.removeprefix("$"))
    return [int(step[2]) if step[2] else step[1] for step in steps if step[1] or step[2]]


def _sample(text: bytes, keys: Sequence[str | int]) -> str:
    try:
        value = msgspec.json.decode(text)
        for key in keys:
            value = value[key]
    except (msgspec.DecodeError, LookupError, TypeError, RecursionError):
        return "something else"
    shown = json.dumps(value, ensure_ascii=False)
    return shown if len(shown) <= SAMPLE_LENGTH else shown[:SAMPLE_LENGTH] + "…"


# --- types → msgspec types and DuckDB JSON structures --------------------------------------------

_Tree = dict[str, Any]  # key → SqlType at a leaf, or a deeper _Tree


def _tree(places: Iterable[tuple[Path, Field]]) -> _Tree:
    """Where the values are, as a tree; a value inside a STRUCT that is a leaf is not added."""
    tree: _Tree = {}
    for path, one in sorted(places, key=lambda pair: len(pair[0])):
        node = tree
        for key in path[:-1]:
            below = node.setdefault(key, {})
            if not isinstance(below, dict):
                break
            node = below
        else:
            node[path[-1]] = one
    return tree


def _checked_struct(tree: _Tree) -> Any:
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = []
    names: dict[str, str] = {}
    for index, (key, below) in enumerate(tree.items()):
        name = f"f{index}"
        names[name] = key
        if isinstance(below, dict):
            fields.append((name, _or_null(_checked_struct(below)), None))
        elif below.is_required:
            fields.append((name, _checked(below.type)))
        else:
            loose = below.mismatch is not Mismatch.ERROR
            fields.append((name, Raw if loose else _or_null(_checked(below.type)), None))
    return msgspec.defstruct("Row", fields, rename=names, gc=False, kw_only=True)


_INTEGERS = {
    "TINYINT": (-(2**7), 2**7 - 1), "SMALLINT": (-(2**15), 2**15 - 1),
    "INTEGER": (-(2**31), 2**31 - 1), "BIGINT": (-(2**63), 2**63 - 1),
    "UTINYINT": (0, 2**8 - 1), "USMALLINT": (0, 2**16 - 1), "UINTEGER": (0, 2**32 - 1),
    "UBIGINT": (0, 2**64 - 1), "HUGEINT": (-(2**127), 2**127 - 1),
}  # fmt: skip
_PLAIN: dict[str, Any] = {
    "VARCHAR": str,
    "BOOLEAN": bool,
    "DATE": datetime.date,
    "TIMESTAMP": datetime.datetime,
    "TIMESTAMP WITH TIME ZONE": Annotated[datetime.datetime, Meta(tz=True)],
    "UUID": uuid.UUID,
    "FLOAT": float,
    "DOUBLE": float,
    "JSON": Raw,
}


def _checked(of: SqlType) -> Any:
    """The msgspec type whose values DuckDB decodes into `of` without loss."""
    if isinstance(of, Struct):
        return _struct_of(of)
    if isinstance(of, ListOf):
        return list[_or_null(_checked(of.element))]  # type: ignore[misc]
    if isinstance(of, MapOf):
        return dict[str, _or_null(_checked(of.value))]  # type: ignore[misc]
    return _checked_scalar(of)


def _or_null(kind: Any) -> Any:
    """The type or null; `Raw` takes anything as it is."""
    return kind if kind is Raw else Union[kind, None]


def _checked_scalar(of: Scalar) -> Any:
    if of.name in _PLAIN:
        return _PLAIN[of.name]
    if of.name in _INTEGERS:
        low, high = _INTEGERS[of.name]
        digits = len(str(high)) - 1
        number = int
        if low >= -(2**63) and high < 2**63:
            number = Annotated[int, Meta(ge=low, le=high)]  # type: ignore[assignment]
        text = Annotated[str, Meta(pattern=rf"^-?[0-9]{{1,{digits}}}$")]
        return Union[number, text]
    width, scale = (int(part) for part in of.name[len("DECIMAL(") : -1].split(","))
    limit = 10.0 ** (width - scale)
    number_text = Annotated[str, Meta(pattern=rf"^-?[0-9]{{1,{width - scale}}}(\.[0-9]+)?$")]
    return Union[Annotated[float, Meta(gt=-limit, lt=limit)], number_text]


@lru_cache(maxsize=1024)
def _struct_of(of: Struct) -> Any:
    fields = [(f"f{i}", _or_null(_checked(inner)), None) for i, (_, inner) in enumerate(of.fields)]
    names = {f"f{i}": name for i, (name, _) in enumerate(of.fields)}
    return msgspec.defstruct("Struct", fields, rename=names, gc=False, kw_only=True)


def _structure(tree: _Tree) -> dict[str, Any]:
    """The tree as the structure argument of DuckDB's `from_json`."""
    structure: dict[str, Any] = {}
    for key, below in tree.items():
        if isinstance(below, dict):
            structure[key] = _structure(below)
        else:
            structure[key] = "JSON" if below.mismatch is Mismatch.TEXT else str(below.type)
    return structure
