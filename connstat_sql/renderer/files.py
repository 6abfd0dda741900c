"""CSV, Parquet, Arrow and Markdown: what other programs read. DuckDB writes what it knows."""

from __future__ import annotations

import io
import shutil
import tempfile
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from connstat_sql.renderer.clean import UNSAFE, for_terminal, one_line
from connstat_sql.renderer.looks import Look
from connstat_sql.renderer.rows import registered, texts_of


def write_csv(table: pa.Table, out: BinaryIO, look: Look) -> None:
    """CSV with a header; exact, but on a terminal, which would obey what it holds."""
    if not look.is_terminal:
        _through_file(table, out, "(FORMAT csv, HEADER)")
        return
    whole = io.BytesIO()
    _through_file(table, whole, "(FORMAT csv, HEADER)")
    out.write(for_terminal(whole.getvalue().decode()).encode())


def write_markdown(table: pa.Table, out: BinaryIO, look: Look) -> None:
    """A table of GitHub's Markdown; NULL is an empty cell."""
    names = [_cell(name, look) for name in table.column_names]
    out.write(f"| {' | '.join(names)} |\n|{'|'.join(' --- ' for _ in names)}|\n".encode())
    for row in zip(*texts_of(table), strict=True):
        out.write(f"| {' | '.join(_cell(text or '', look) for text in row)} |\n".encode())


def _cell(text: str, look: Look) -> str:
    text = text.replace("\\", "\\\\").replace("|", "\\|").replace("\r", "").replace("\n", "<br>")
    return one_line(text) if look.is_terminal and UNSAFE.search(text) else text


def write_parquet(table: pa.Table, out: BinaryIO, _look: Look) -> None:
    """A Parquet file."""
    _through_file(table, out, "(FORMAT parquet)")


def write_arrow(table: pa.Table, out: BinaryIO, _look: Look) -> None:
    """A stream of Arrow's IPC."""
    with pa.ipc.new_stream(out, table.schema) as writer:
        writer.write_table(table)


def _through_file(table: pa.Table, out: BinaryIO, options: str) -> None:
    """Let DuckDB write the format; it writes to files."""
    with tempfile.TemporaryDirectory() as folder, registered(table) as rows:
        path = Path(folder) / "rows"
        rows.query("answer", f"COPY answer TO '{path}' {options}")
        with path.open("rb") as written:
            shutil.copyfileobj(written, out)
