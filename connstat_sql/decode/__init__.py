"""Bytes of an API's answer → rows: checked against the declared types, ready for DuckDB.

A body is split into the texts of its rows without building values, each row is checked by msgspec
(strict: a value that does not fit is an error that names its path), and the texts are handed on
as JSON arrays in an Arrow string column. DuckDB decodes those (`select_list` says how), so values
never become Python objects. A body is cut into arrays of `ROWS_PER_TEXT` rows, because DuckDB
slows down on longer ones.

What is kept of a value: a DECIMAL is rounded to its scale, a time to microseconds, numbers inside
JSON to doubles; of a key that stands twice in a STRUCT the first counts, in a MAP it is an error.
"""

from __future__ import annotations

import json
import re
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice
from typing import Any

import msgspec
import pyarrow as pa
from msgspec import Raw

from connstat_sql.decode.body import OpenBody, decoded, descend, kind, unreadable
from connstat_sql.decode.layout import (
    KEY_PLACE,
    FieldLayout,
    checked_field,
    checked_object,
    lay_out,
    structure,
)
from connstat_sql.decode.misfits import ANY_KEY, Keys, locate, outline, sample, shown
from connstat_sql.decode.msgspec_types import (
    KeyTwice,
    checking_decoder,
    or_null,
    refuse_odd_number,
)
from connstat_sql.decode.seen_rows import SeenRows
from connstat_sql.decode.spellings import next_step, reading
from connstat_sql.definitions.model import KEY, Mismatch, RowsPath
from connstat_sql.definitions.quoting import member, own
from connstat_sql.errors import UnexpectedShape

__all__ = [
    "ROWS", "ROWS_PER_TEXT", "Body", "FieldLayout", "OpenBody", "RowReader", "SeenRows",
    "pages_table",
]  # fmt: skip

ROWS = own("rows")
"""The column of a table of pages that holds the texts of their rows."""
ROWS_PER_TEXT = 1000
_LARGEST_TEXT = 2**31 - 1
_SMALL_BATCH = 500_000
_LOWER_T = re.compile(rb"t[0-9]{2}:")  # patterns that begin with a letter are searched fast
_EXPONENTS = (re.compile(rb"e-[0-9]"), re.compile(rb"E-[0-9]"))


class RowReader:
    """Reads the bodies of one method for the columns that a query uses.

    `rows` says where rows are in a body, `fields` where values are in a row. Thread-safe.

    >>> from connstat_sql.definitions.model import Scalar
    >>> reader = RowReader(
    ...     RowsPath(at=(("orders",),)),
    ...     [FieldLayout("id", Scalar("BIGINT"), ("id",)),
    ...      FieldLayout("town", Scalar("VARCHAR"), ("to", "town"))],
    ... )
    >>> reader.read(b'{"orders": [{"id": 7, "to": {"town": "Ghent"}}], "next": null}').texts
    (b'[{"id": 7, "to": {"town": "Ghent"}}]',)
    >>> reader.structure
    '{"id": "BIGINT", "to": {"town": "VARCHAR"}}'
    >>> dict(reader.select_list("row"))["id"]
    "system.main.struct_extract(row, 'id')"
    >>> reader.read(b'{"orders": [{"id": "x"}]}')
    Traceback (most recent call last):
    connstat_sql.errors.UnexpectedShape: column id is BIGINT, but $.id holds "x"
    """

    def __init__(self, rows: RowsPath, fields: Sequence[FieldLayout]) -> None:
        self.rows = rows
        self.fields = tuple(fields)
        self._layout = lay_out(rows, self.fields)
        self._made_checks: dict[bool, _Checks] = {}
        self._encoder = msgspec.json.Encoder(enc_hook=str)
        self._fits = {
            place: checking_decoder(or_null(checked_field(field, lower_times=True)))
            for place, field in self._layout.converted
            if field.mismatch is Mismatch.NULL
        }
        self.structure = json.dumps(structure(self._layout.tree) or "JSON")
        self._has_times = "TIMESTAMP" in self.structure
        self._has_decimals = "DECIMAL(" in self.structure

    def read(self, body: bytes, seen: SeenRows | None = None) -> Body:
        """Split a body into texts of rows, each row checked.

        Rows that were `seen` on an earlier page are left out (None: each row stands for itself).
        Raises UnexpectedShape, naming the place, when it is not what the definition declares.
        """
        _check_utf8(body)  # parts that are skipped are otherwise not looked at
        opened = OpenBody(body)
        lower_times = self._has_times and (b'z"' in body or _LOWER_T.search(body) is not None)
        checks = self._checks(lower_times)
        may_be_odd = self._has_decimals and any(exponent.search(body) for exponent in _EXPONENTS)
        rows = iter(opened.rows(self.rows))
        texts, count, received = [], 0, 0
        if seen is not None:
            seen.next_page()
        while batch := list(islice(rows, ROWS_PER_TEXT)):
            received += len(batch)
            if seen is not None and not (batch := seen.left(batch)):
                continue
            texts.append(self._checked_text(batch, checks))
            count += len(batch)
            if may_be_odd:
                _check_numbers(texts[-1])
        return Body(tuple(texts), count, opened, received)

    def select_list(self, row: str) -> Iterator[tuple[str, str]]:
        """Pairs of column name and SQL expression over the decoded row called `row`."""
        for field, place in zip(self.fields, self._layout.places, strict=True):
            value = member(row, *place)
            yield (
                field.name,
                reading(value, field.type, field.spelling) if field.spelling else value,
            )

    def values(self, text: bytes) -> Iterator[dict[str, bytes]]:
        """Of each row in a text of rows, the JSON text of each field that stands there."""
        pairs = list(zip(self.fields, self._layout.places, strict=True))
        for row in decoded(text, list[Raw]):
            values = ((field.name, descend(row, place)) for field, place in pairs)
            yield {name: bytes(value) for name, value in values if value is not None}

    # --- texts of rows -----------------------------------------------------------------------

    def _checked_text(self, batch: list[_KeyedRow], checks: _Checks) -> bytes:
        """Rows as one JSON array, checked at once; one by one when something does not fit."""
        rows = self._wrapped_rows(batch) if self._layout.is_wrapped else [row for _, row in batch]
        text = b"[" + b",".join(rows) + b"]"
        try:
            checks.rows.decode(text)
        except (msgspec.DecodeError, KeyTwice, RecursionError, UnicodeDecodeError):
            for row in rows:
                self._check_row(row, checks.row)
            raise
        return text

    def _checks(self, lower_times: bool) -> _Checks:
        if lower_times not in self._made_checks:
            row: Any = checked_object(self._layout.tree, lower_times)
            rows = list[row]
            checks = _Checks(checking_decoder(row), checking_decoder(rows))
            self._made_checks[lower_times] = checks
        return self._made_checks[lower_times]

    def _wrapped_rows(self, batch: list[_KeyedRow]) -> list[bytes]:
        encode = self._encoder.encode
        keys = [b"null" if key is None else encode(key) for key, _ in batch]
        if self._layout.converted or len(self._layout.copies) != 1:
            pairs = zip(keys, batch, strict=True)
            return [self._wrapped(key, bytes(row)) for key, (_, row) in pairs]
        name = self._layout.copies[0].encode()
        shape = b'{"' + KEY_PLACE.encode() + b'":%b,"' + name + b'":%b}'
        return [shape % (key, row) for key, (_, row) in zip(keys, batch, strict=True)]

    def _wrapped(self, key: bytes, row: bytes) -> bytes:
        text = b'{"' + KEY_PLACE.encode() + b'":' + key
        for name in self._layout.copies:
            text += b',"' + name.encode() + b'":' + row
        for name, field in self._layout.converted:
            value = key if field.path == KEY else descend(row, field.path)
            text += b',"' + name.encode() + b'":' + self._made_fit(name, value)
        return text + b"}"

    def _made_fit(self, place: str, value: bytes | Raw | None) -> bytes:
        """The value, as a text when that is declared; null when it does not fit."""
        if value is None:
            return b"null"
        if place not in self._fits:
            if kind(value) in ("a string", "null"):
                return bytes(value)
            compact = msgspec.json.format(bytes(value), indent=-1)
            return msgspec.json.encode(compact.decode("utf-8"))
        try:
            self._fits[place].decode(value)
        except (msgspec.ValidationError, KeyTwice):
            return b"null"
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            raise unreadable(error, bytes(value)) from error
        return bytes(value)

    # --- faults ------------------------------------------------------------------------------

    def _check_row(self, text: bytes | Raw, check: msgspec.json.Decoder[Any]) -> None:
        try:
            check.decode(text)
        except msgspec.ValidationError as error:
            message, hint = self._explain(str(error), bytes(text))
            raise UnexpectedShape(message, hint=hint) from error
        except KeyTwice as error:
            raise UnexpectedShape(self._explain_twice(str(error))) from error
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            raise unreadable(error, bytes(text)) from error

    def _explain(self, message: str, text: bytes) -> tuple[str, str]:
        """Msgspec's words for a misfit → column, path, expected type and a sample; what to do."""
        expected, _, place = message.partition(" - at `")
        try:
            keys, value = locate(text, place.removesuffix("`"))
        except (LookupError, ValueError, RecursionError):
            return f"a value of the row does not fit: {expected}", ""
        pairs = zip(self.fields, self._layout.places, strict=True)
        touched = [(field, at) for field, at in pairs if _touches(at, keys)]
        there = shown(keys[1:] if self._layout.is_wrapped and keys[:1] != KEY else keys)
        lacking = _LACKING.fullmatch(expected)
        if lacking:
            names = [
                field.name for field, at in touched if at[: len(keys) + 1] == (*keys, lacking[1])
            ]
            effect = f", which gives the parameter {names[0]}" if names else ""
            return f"{there} has no `{lacking[1]}`{effect}", ""
        if not touched:
            return f"expected an object in place of each row, found {outline(value)}", ""
        field, at = touched[0]
        what = "parameter" if field.is_required else "column"
        if len(at) > len(keys):
            at_all = f"{what} {field.name} is at {shown(field.path)}"
            return f"{at_all}, but {there} holds {outline(value)}", ""
        is_secret = any(field.is_redacted for field, _ in touched)
        seen = "a redacted value" if is_secret else sample(value)
        spelt = f" {field.spelling}" if field.spelling else ""
        message = f"{what} {field.name} is {field.type}{spelt}, but {there} holds {seen}"
        return message, next_step(field.type, field.spelling, value)

    def _explain_twice(self, message: str) -> str:
        names = [field.name for field in self.fields if "MAP(" in str(field.type)]
        return f"column {names[0]}: {message}" if len(names) == 1 else message


_LACKING = re.compile(r"Object missing required field `(.*)`")


def _touches(place: Keys, keys: Keys) -> bool:
    """Whether a field's value is at, above or below some keys."""
    known = keys[: keys.index(ANY_KEY)] if ANY_KEY in keys else keys
    return known[: len(place)] == place[: len(known)]


def _check_numbers(text: bytes) -> None:
    try:
        json.loads(text, parse_float=refuse_odd_number)
    except ValueError as error:
        raise UnexpectedShape(str(error)) from error


_KeyedRow = tuple["str | None", "Raw | bytes"]


@dataclass(frozen=True, slots=True)
class _Checks:
    """Decoders that check a row, and an array of rows."""

    row: msgspec.json.Decoder[Any]
    rows: msgspec.json.Decoder[Any]


@dataclass(frozen=True, slots=True)
class Body:
    """A body's rows: `texts` are JSON arrays, `count` their rows in all.

    `received` is how many rows the body holds, those that were seen before included.
    """

    texts: tuple[bytes, ...]
    count: int
    opened: OpenBody
    received: int


def pages_table(texts: Sequence[tuple[bytes, Mapping[str, str]]], names: Sequence[str]) -> pa.Table:
    """Texts of rows with the arguments they were fetched with → an Arrow table.

    Columns: `ROWS` (JSON arrays), then each of `names`, all strings. Record batches are of a size
    that lets DuckDB read them in parallel, and large texts are not copied.
    """
    schema = pa.schema([(ROWS, pa.string()), *((name, pa.string()) for name in names)])
    batches = [
        pa.record_batch(
            [
                _text_array([text for text, _ in part]),
                *(
                    _text_array([arguments[name].encode() for _, arguments in part])
                    for name in names
                ),
            ],
            schema=schema,
        )
        for part in _parts(texts)
    ]
    return pa.Table.from_batches(batches, schema=schema)


def _parts(
    texts: Sequence[tuple[bytes, Mapping[str, str]]],
) -> Iterator[Sequence[tuple[bytes, Mapping[str, str]]]]:
    """Small texts together, each large one by itself."""
    start, size = 0, 0
    for end, (text, _) in enumerate(texts):
        size += len(text)
        if size > _SMALL_BATCH and end > start:
            yield texts[start:end]
            start, size = end, len(text)
    if start < len(texts):
        yield texts[start:]


def _text_array(texts: Sequence[bytes]) -> pa.Array:
    """An array of strings over the bytes as they are (`pa.array` would import pandas)."""
    ends = array("i", accumulate(map(len, texts), initial=0))
    whole = texts[0] if len(texts) == 1 else b"".join(texts)
    return pa.StringArray.from_buffers(len(texts), pa.py_buffer(ends), pa.py_buffer(whole))


def _check_utf8(body: bytes) -> None:
    if len(body) >= _LARGEST_TEXT:
        raise UnexpectedShape(f"the body is larger than {_LARGEST_TEXT:,} bytes")
    if body.isascii():
        return
    try:
        _text_array([body]).validate(full=True)
    except pa.ArrowInvalid as error:
        raise UnexpectedShape(
            "the body is not JSON that can be read: it is not UTF-8 text"
        ) from error
