"""Rows → bytes: the formats of the command line. DuckDB draws tables and writes CSV and Parquet."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import duckdb
import pyarrow as pa

from connstat_sql.definitions import quote
from connstat_sql.session import TYPES

FORMATS = ("table", "json", "jsonl", "csv", "markdown", "parquet", "arrow")
BINARY = ("parquet", "arrow")
BY_EXTENSION = {
    ".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".md": "markdown",
    ".parquet": "parquet", ".arrow": "arrow", ".feather": "arrow", ".txt": "table",
}  # fmt: skip
_UNLIMITED = 2**31


def render(table: pa.Table, format_: str, out: BinaryIO, *, width: int | None = None) -> None:
    """Write a table's rows in a format. `width` is the terminal's, None where there is none.

    `json` is one array of objects, `jsonl` an object a line; nested values stay nested, times are
    ISO 8601 in UTC, and numbers of any size are printed exactly.
    """
    if format_ == "table":
        out.write(_box(table, width).encode())
    else:
        _WRITERS[format_](table, out)


# --- text ----------------------------------------------------------------------------------------


def _box(table: pa.Table, width: int | None) -> str:
    """DuckDB's own drawing: every row; columns are left out only where a terminal is too narrow."""
    if not table.column_names:
        return ""
    with _registered(table) as rows, contextlib.redirect_stdout(io.StringIO()) as drawn:
        if width is None:
            rows.show(max_rows=_UNLIMITED, max_width=_UNLIMITED, max_col_width=_UNLIMITED)
        else:
            rows.show(max_rows=max(1, table.num_rows), max_width=width)
    return drawn.getvalue().rstrip("\n") + "\n"


def _markdown(table: pa.Table, out: BinaryIO) -> None:
    names = [_cell(name) for name in table.column_names]
    out.write(f"| {' | '.join(names)} |\n|{'|'.join(' --- ' for _ in names)}|\n".encode())
    columns = ", ".join(f"coalesce(CAST({quote(n)} AS VARCHAR), '')" for n in _unique(table))
    with _registered(table.rename_columns(_unique(table))) as rows:
        for row in rows.project(columns).fetchall():
            out.write(f"| {' | '.join(_cell(text) for text in row)} |\n".encode())


def _cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\r", "").replace("\n", "<br>")


def _csv(table: pa.Table, out: BinaryIO) -> None:
    _through_file(table, out, "(FORMAT csv, HEADER)")


# --- JSON ----------------------------------------------------------------------------------------


def _json(table: pa.Table, out: BinaryIO) -> None:
    separator = b"["
    for line in _objects(table):
        out.write(separator + b"\n  " + line)
        separator = b","
    out.write(b"[]\n" if separator == b"[" else b"\n]\n")


def _jsonl(table: pa.Table, out: BinaryIO) -> None:
    for line in _objects(table):
        out.write(line + b"\n")


def _objects(table: pa.Table) -> Iterator[bytes]:
    import msgspec

    encoder = msgspec.json.Encoder(decimal_format="number", enc_hook=str)
    names = _unique(table)
    shapes = [_shape(duckdb.sqltype(text)) for text in _types(table)]
    for batch in table.to_batches(max_chunksize=1000):
        columns = [
            [None if value is None else shape(value) for value in column.to_pylist()]
            for shape, column in zip(shapes, batch.columns, strict=True)
        ]
        for row in zip(*columns, strict=True):
            yield encoder.encode(dict(zip(names, row, strict=True)))


def _types(table: pa.Table) -> list[str]:
    """The DuckDB type of each column, as the session noted it; text where it did not."""
    noted = (table.schema.metadata or {}).get(TYPES)
    return json.loads(noted) if noted else ["VARCHAR"] * table.num_columns


_Shape = Callable[[Any], Any]


def _shape(of: Any) -> _Shape:
    """How a Python value out of Arrow becomes a JSON value, by its DuckDB type."""
    kind = of.id
    if str(of) == "JSON":
        from msgspec import Raw

        return lambda text: Raw(text.encode())
    if kind in ("list", "array"):
        element = _shape(of.children[0][1])
        return lambda values: [None if v is None else element(v) for v in values]
    if kind == "struct":
        fields = {name: _shape(child) for name, child in of.children}
        return lambda row: {k: None if row[k] is None else f(row[k]) for k, f in fields.items()}
    if kind == "map":
        value = _shape(of.children[1][1])
        return lambda pairs: {str(k): None if v is None else value(v) for k, v in pairs}
    return lambda value: value


def _unique(table: pa.Table) -> list[str]:
    """Column names, made distinct: an object has each key once."""
    names: list[str] = []
    for name in table.column_names:
        number, unique = 1, name
        while unique in names:
            unique, number = f"{name}_{number}", number + 1
        names.append(unique)
    return names


# --- files ---------------------------------------------------------------------------------------


def _parquet(table: pa.Table, out: BinaryIO) -> None:
    _through_file(table, out, "(FORMAT parquet)")


def _arrow(table: pa.Table, out: BinaryIO) -> None:
    with pa.ipc.new_stream(out, table.schema) as writer:
        writer.write_table(table)


def _through_file(table: pa.Table, out: BinaryIO, options: str) -> None:
    """Let DuckDB write the format; it writes to files."""
    with tempfile.TemporaryDirectory() as folder, _registered(table) as rows:
        path = Path(folder) / "rows"
        rows.query("answer", f"COPY answer TO '{path}' {options}")
        with path.open("rb") as written:
            shutil.copyfileobj(written, out)


@contextlib.contextmanager
def _registered(table: pa.Table) -> Iterator[duckdb.DuckDBPyRelation]:
    connection = duckdb.connect(config={"python_enable_replacements": False})
    try:
        connection.execute("SET TimeZone = 'UTC'")
        renamed = table.rename_columns(_unique(table)) if table.num_columns else table
        yield connection.from_arrow(renamed)
    finally:
        connection.close()


_WRITERS: dict[str, Callable[[pa.Table, BinaryIO], None]] = {
    "json": _json,
    "jsonl": _jsonl,
    "csv": _csv,
    "markdown": _markdown,
    "parquet": _parquet,
    "arrow": _arrow,
}
