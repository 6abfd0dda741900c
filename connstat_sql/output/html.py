"""A page of HTML that needs nothing beside itself: rows to sort and filter, and how they came.

Nothing is loaded and nothing of a value is run: each is escaped, and a policy in the page allows
no script and no style but the two that are in it, by their digests.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any, BinaryIO

import pyarrow as pa

from connstat_sql.errors import counted
from connstat_sql.output.rows import (
    CellKind,
    OutputField,
    columns_of,
    outline,
    texts_of,
    values_of,
)
from connstat_sql.output.sanitize import lines, one_line
from connstat_sql.output.state_colors import Tone, tells_name, tells_reason, tells_state, tone_of
from connstat_sql.output.terminal import About

_TITLE = "connstat"
_SHORT = 160
"""Letters of a value that stand in a cell; more of it, and more lines, open by a click."""
_LONG = 2000
"""The same for names, and for what says why something is so."""
_Cell = Callable[[int], str]


class HtmlPage:
    """A page that is written section by section: one for each statement that has rows."""

    def __init__(self, out: BinaryIO, title: str = "") -> None:
        """Write what comes before the first section; `title` "" is a general one."""
        self._out = out
        self._put(_head(title or _TITLE))

    def section(self, table: pa.Table, about: About | None = None) -> None:
        """Write a table's rows and what is to be told of them."""
        self._put("<section>\n")
        if about is not None:
            self._put("".join(_told(table, about)))
        if table.num_columns:
            self._put(_before_rows(columns_of(table), table.num_rows))
            for row in _rows(table):
                self._put(row)
            self._put("</tbody>\n</table>\n</div>\n")
            if not table.num_rows:
                self._put('<p class="nothing">No rows.</p>\n')
        self._put("</section>\n")

    def close(self) -> None:
        """Write what comes after the last section."""
        self._put(f"<script>{_own('page.js')}</script>\n</body>\n</html>\n")

    def _put(self, text: str) -> None:
        self._out.write(text.encode())


# --- around the rows -----------------------------------------------------------------------------


def _head(title: str) -> str:
    style, script = _own("page.css"), _own("page.js")
    policy = (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<link rel="icon" href="data:,">
<title>{_text(title)}</title>
<style>{style}</style>
</head>
<body>
<header><h1>{_text(title)}</h1></header>
"""


def _told(table: pa.Table, about: About) -> Iterator[str]:
    """The verdict, the cost, what is missing and the SQL."""
    tone, word = (Tone.GOOD, "complete") if about.complete else (Tone.BAD, "partial")
    yield f'<div class="told">{_pill(tone, word)}'
    yield f"<span>{_bold(counted(table.num_rows, 'row'))}</span>"
    yield f"<span>{_bold(counted(about.requests, 'request'))}</span>"
    yield f"<span><b>{about.seconds:.3g}</b> s</span>"
    if about.at is not None:
        moment = about.at.isoformat(sep=" ", timespec="seconds").replace("+00:00", " UTC")
        yield f'<time datetime="{_text(about.at.isoformat())}">{_text(moment)}</time>'
    yield "</div>\n"
    if about.errors:
        yield f'<div class="missing" role="note">{_lined(about.errors)}</div>\n'
    if about.notes:
        yield f'<ul class="notes">{"".join(f"<li>{_text(n)}</li>" for n in about.notes)}</ul>\n'
    if about.sql:
        sql = _lined(lines(about.sql.strip().rstrip("; \n")))
        yield f'<details class="sql"><summary>SQL</summary><pre>{sql}</pre></details>\n'


def _before_rows(columns: list[OutputField], rows: int) -> str:
    heads = "".join(
        f'<th scope="col" aria-sort="none" data-kind="{column.kind.value}"'
        f' class="{column.kind.value}">'
        f'<button type="button" title="{_text(column.type)}">{_text(column.name)}</button></th>'
        for column in columns
    )
    search = (
        '<div class="filter" hidden><input type="search" placeholder="Filter rows" '
        'aria-label="Filter rows" autocomplete="off" spellcheck="false">'
        '<output aria-live="polite"></output></div>\n'
    )
    return (
        f'{search if rows > 1 else ""}<div class="frame" tabindex="0" role="region" '
        f'aria-label="Rows">\n<table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n'
    )


# --- rows ----------------------------------------------------------------------------------------


def _rows(table: pa.Table) -> Iterator[str]:
    cells = [
        _cells(table, index, column, texts)
        for index, (column, texts) in enumerate(
            zip(columns_of(table), texts_of(table), strict=True)
        )
    ]
    for number in range(table.num_rows):
        yield f"<tr>{''.join(cell(number) for cell in cells)}</tr>\n"


def _cells(table: pa.Table, index: int, column: OutputField, texts: list[str | None]) -> _Cell:
    """What writes the cells of a column, by the number of the row."""
    nested = values_of(table, index, column) if column.kind is CellKind.NESTED else []
    is_state = tells_state(column.name)
    most = _LONG if tells_name(column.name) or tells_reason(column.name) else _SHORT
    of_kind = (
        "" if column.kind in (CellKind.TEXT, CellKind.NESTED) else f' class="{column.kind.value}"'
    )

    def cell(number: int) -> str:
        text = texts[number]
        if text is None:
            return '<td class="null">NULL</td>'
        tone = tone_of(text) if is_state else None
        if tone is not None:
            return f"<td>{_pill(tone, text)}</td>"
        if len(text) <= most and "\n" not in text:
            return f"<td{of_kind}>{_text(text)}</td>"
        return f"<td>{_opened_by_click(text, nested[number] if nested else None)}</td>"

    return cell


def _opened_by_click(text: str, value: Any) -> str:
    """The beginning of a long value, and all of it laid out below."""
    short = text if len(text) <= _SHORT else text[:_SHORT] + "…"
    whole = lines(text) if value is None else [p for line in outline(value) for p in lines(line)]
    return f"<details><summary>{_text(short)}</summary><pre>{_lined(whole)}</pre></details>"


def _pill(tone: Tone, text: str) -> str:
    return f'<span class="pill {tone.value}">{_text(text)}</span>'


def _bold(counted_: str) -> str:
    number, _, noun = counted_.partition(" ")
    return f"<b>{number}</b> {noun}"


def _lined(texts: list[str] | tuple[str, ...]) -> str:
    return "\n".join(_text(line) for line in texts)


def _text(text: str) -> str:
    return escape(one_line(text))


# --- the parts that are always the same ----------------------------------------------------------


@cache
def _own(name: str) -> str:
    return files("connstat_sql.output").joinpath(name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
