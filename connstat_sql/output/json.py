"""JSON, in both its forms: one array of objects, or an object a line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

import duckdb
import msgspec
import pyarrow as pa

from connstat_sql.database.python_values import distinct_names, python_values, shape_of
from connstat_sql.database.session import noted_types
from connstat_sql.output.sanitize import in_json
from connstat_sql.output.terminal import TerminalStyle


def write_json(table: pa.Table, out: BinaryIO, style: TerminalStyle) -> None:
    """One array, an object a line in it."""
    separator = b"["
    for line in _objects(table, style):
        out.write(separator + b"\n  " + line)
        separator = b","
    out.write(b"[]\n" if separator == b"[" else b"\n]\n")


def write_jsonl(table: pa.Table, out: BinaryIO, style: TerminalStyle) -> None:
    """An object a line."""
    for line in _objects(table, style):
        out.write(line + b"\n")


def _objects(table: pa.Table, style: TerminalStyle) -> Iterator[bytes]:
    encoder = msgspec.json.Encoder(decimal_format="number", enc_hook=str)
    names = distinct_names(table.column_names)
    types = noted_types(table) or ["VARCHAR"] * table.num_columns
    shapes = [shape_of(duckdb.sqltype(text), _raw) for text in types]
    for batch in table.to_batches(max_chunksize=1000):
        columns = [
            [None if value is None else shape(value) for value in python_values(column)]
            for shape, column in zip(shapes, batch.columns, strict=True)
        ]
        for row in zip(*columns, strict=True):
            line = encoder.encode(dict(zip(names, row, strict=True)))
            yield in_json(line.decode()).encode() if style.is_terminal else line


def _raw(text: str) -> Any:
    return msgspec.Raw(text.encode())
