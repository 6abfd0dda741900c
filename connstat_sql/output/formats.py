"""JSON, CSV, Parquet, Arrow, Markdown: for other programs. DuckDB writes what it knows."""

from __future__ import annotations

import errno
import io
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import duckdb
import pyarrow as pa

from connstat_sql.database.python_values import distinct_names, shaped_rows
from connstat_sql.database.session import noted_types
from connstat_sql.definitions.quoting import literal
from connstat_sql.files import make_scratch, remove_scratch
from connstat_sql.output.rows import registered, texts_of
from connstat_sql.output.sanitize import UNSAFE, for_terminal, in_json, one_line
from connstat_sql.output.terminal import TerminalStyle

_DESCRIPTORS = Path("/dev/fd")
"""Where a system has names for what a process has open."""


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
    import msgspec  # CSV does without

    encoder = msgspec.json.Encoder(decimal_format="number", enc_hook=str)
    names = distinct_names(table.column_names)
    for row in shaped_rows(table, noted_types(table), lambda text: msgspec.Raw(text.encode())):
        line = encoder.encode(dict(zip(names, row, strict=True)))
        yield in_json(line.decode()).encode() if style.is_terminal else line


def write_csv(table: pa.Table, out: BinaryIO, style: TerminalStyle) -> None:
    """CSV with a header; exact, but on a terminal, which would obey what it holds."""
    if not style.is_terminal:
        _by_duckdb(table, out, "(FORMAT csv, HEADER)")
        return
    whole = io.BytesIO()
    _by_duckdb(table, whole, "(FORMAT csv, HEADER)")
    out.write(for_terminal(whole.getvalue().decode()).encode())


def write_markdown(table: pa.Table, out: BinaryIO, style: TerminalStyle) -> None:
    """A table of GitHub's Markdown; NULL is an empty cell."""
    names = [_cell(name, style) for name in table.column_names]
    out.write(f"| {' | '.join(names)} |\n|{'|'.join(' --- ' for _ in names)}|\n".encode())
    for row in zip(*texts_of(table), strict=True):
        out.write(f"| {' | '.join(_cell(text or '', style) for text in row)} |\n".encode())


def _cell(text: str, style: TerminalStyle) -> str:
    text = text.replace("\\", "\\\\").replace("|", "\\|").replace("\r", "").replace("\n", "<br>")
    return one_line(text) if style.is_terminal and UNSAFE.search(text) else text


def write_parquet(table: pa.Table, out: BinaryIO, _look: TerminalStyle) -> None:
    """A Parquet file."""
    _by_duckdb(table, out, "(FORMAT parquet)")


def write_arrow(table: pa.Table, out: BinaryIO, _look: TerminalStyle) -> None:
    """A stream of Arrow's IPC."""
    with pa.ipc.new_stream(out, table.schema) as writer:
        writer.write_table(table)


def _by_duckdb(table: pa.Table, out: BinaryIO, options: str) -> None:
    """Let DuckDB write the format; it writes to files, of which a pipe is one that nobody can find.

    Rows may hold what must not be left lying about when the process is killed.
    """
    if not _DESCRIPTORS.is_dir():
        _through_file(table, out, options)
        return
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as written, registered(table) as rows:
        copying = _Copying(rows, f"{_DESCRIPTORS}/{writer}", options, writer)
        copying.start()
        try:
            shutil.copyfileobj(written, out)
        finally:
            written.close()  # nobody reads any more: it ends, wherever it is
            copying.join()
    if copying.error is not None:
        raise copying.error


class _Copying(threading.Thread):
    """Rows on their way into a pipe; `error` is why they did not all get there."""

    def __init__(
        self, rows: duckdb.DuckDBPyRelation, target: str, options: str, writer: int
    ) -> None:
        super().__init__(name="connstat-copying", daemon=True)
        self._rows, self._writer = rows, writer
        self._sql = f"COPY answer TO {literal(target)} {options}"
        self.error: duckdb.Error | None = None

    def run(self) -> None:
        try:
            self._rows.query("answer", self._sql)
        except duckdb.Error as error:
            self.error = error
        finally:
            os.close(self._writer)


def _through_file(table: pa.Table, out: BinaryIO, options: str) -> None:
    folder = make_scratch()
    if folder is None:
        raise OSError(errno.ENOSPC, "there is no folder for temporary files")
    try:
        with registered(table) as rows:
            rows.query("answer", f"COPY answer TO {literal(str(folder / 'rows'))} {options}")
        with (folder / "rows").open("rb") as written:
            shutil.copyfileobj(written, out)
    finally:
        remove_scratch(folder)
