"""Rows → bytes: the formats of the command line. DuckDB writes CSV, Parquet and plain tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import BinaryIO

import pyarrow as pa

from connstat_sql.output.box import DRAWN_BY_DUCKDB, box
from connstat_sql.output.terminal import About, TerminalStyle

__all__ = ["BINARY", "BY_EXTENSION", "FORMATS", "About", "TerminalStyle", "render"]

FORMATS = ("table", "vertical", "json", "jsonl", "csv", "markdown", "html", "parquet", "arrow")
BINARY = ("parquet", "arrow")
BY_EXTENSION = {
    ".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".md": "markdown",
    ".html": "html", ".htm": "html", ".parquet": "parquet", ".arrow": "arrow",
    ".feather": "arrow", ".txt": "table",
}  # fmt: skip


def render(
    table: pa.Table,
    format_: str,
    out: BinaryIO,
    *,
    style: TerminalStyle = TerminalStyle(),  # noqa: B008  # frozen
    about: About | None = None,
) -> None:
    r"""Write a table's rows in a format, as the place can show them.

    `json` is one array of objects, `jsonl` an object a line; nested values stay nested, times are
    ISO 8601 in UTC, and numbers of any size are printed exactly. `html` is a page of its own,
    which tells what `about` holds; the other formats are rows and nothing else. On a terminal no
    character of a value is obeyed; otherwise values are written as they are.

    >>> import io
    >>> out = io.BytesIO()
    >>> render(pa.table({"name": ["orders"], "tasks": [3]}), "jsonl", out)
    >>> out.getvalue()
    b'{"name":"orders","tasks":3}\n'
    """
    if format_ in ("table", "vertical"):
        _draw(table, format_, out, style)
    elif format_ == "html":
        from connstat_sql.output.html import HtmlPage

        page = HtmlPage(out, (about or About()).title)
        page.section(table, about)
        page.close()
    else:
        from connstat_sql.output import formats

        getattr(formats, f"write_{format_}")(table, out, style)


def _draw(table: pa.Table, format_: str, out: BinaryIO, style: TerminalStyle) -> None:
    lines: Iterable[str] | None = None
    if format_ == "table" and style.expanded is not True:
        if style.width is None and table.num_rows <= DRAWN_BY_DUCKDB:
            out.write(box(table).encode())
            return
        from connstat_sql.output.table import fitted, framed

        if not table.num_columns:
            lines = ()
        else:
            lines = framed(table) if style.width is None else fitted(table, style, style.width)
    if lines is None:
        from connstat_sql.output.vertical import write_lines

        lines = write_lines(table, style)
    _write(lines, out)


def _write(lines: Iterable[str], out: BinaryIO) -> None:
    """Some lines at a time: a screen of a hundred thousand is one of megabytes."""
    some: list[str] = []
    for line in lines:
        some.append(line)
        if len(some) == 1000:
            out.write(("\n".join(some) + "\n").encode())
            some.clear()
    if some:
        out.write(("\n".join(some) + "\n").encode())
