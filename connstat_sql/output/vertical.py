"""A line for each value, for rows that are wider than any screen, as in psql and MySQL."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from connstat_sql.errors import counted
from connstat_sql.output.cells import cell_width, fit, fold
from connstat_sql.output.rows import (
    CellKind,
    OutputField,
    columns_of,
    outline,
    reader_of,
    texts_of,
)
from connstat_sql.output.sanitize import lines, one_line
from connstat_sql.output.state_colors import colored, colored_inside, tells_state
from connstat_sql.output.terminal import TerminalStyle

_WIDEST_NAME = 40
_NARROWEST = 20
"""Cells that a value has at least, also where the terminal is narrower than that."""
_RULE = 60
"""Cells of the line above each row, where there is no terminal to fit."""


def write_lines(table: pa.Table, style: TerminalStyle) -> Iterator[str]:
    """The lines; values are folded to the terminal's width, and in full without one."""
    columns = columns_of(table)
    names = [one_line(column.name, ascii_=style.ascii) for column in columns]
    label = min(max(map(cell_width, names), default=0), _WIDEST_NAME)
    names = [fit(name, label, "" if style.ascii else "…") for name in names]
    width = None if style.width is None else max(style.width - label - 3, _NARROWEST)
    texts = texts_of(table)
    readers = [reader_of(column) if column.kind is CellKind.NESTED else None for column in columns]
    bar = "|" if style.ascii else "│"
    for number in range(table.num_rows):
        yield _rule(number + 1, label, style)
        for index, (column, name) in enumerate(zip(columns, names, strict=True)):
            text, read = texts[index][number], readers[index]
            parts = _whole(text, width, style)
            if read is not None and text is not None and parts != [text]:
                value = read(table.column(index)[number].as_py())
                parts = [part for line in outline(value) for part in _whole(line, width, style)]
            if style.color:
                parts = _colored(parts, text, column)
            for at, line in enumerate(parts):
                yield f"{name if at == 0 else ' ' * label} {bar} {line}".rstrip()
    if style.footer and style.is_terminal:
        count = counted(table.num_rows, "row")
        yield f"\033[2m{count}\033[0m" if style.color else count


def _rule(number: int, label: int, style: TerminalStyle) -> str:
    dash, cross = ("-", "+") if style.ascii else ("─", "┬")
    title = f"{dash}[ ROW {number:,} ]"
    width = _RULE if style.width is None else style.width
    line = title.ljust(label + 1, dash)
    if len(line) == label + 1:
        line += cross
    line = line.ljust(width, dash)[: max(width, len(title))]
    return f"\033[1m{line}\033[0m" if style.color else line


def _whole(text: str | None, width: int | None, style: TerminalStyle) -> list[str]:
    """A text in lines of that width, nothing of it lost."""
    if text is None:
        return ["NULL"]
    parts = lines(text, ascii_=style.ascii)
    return parts if width is None else [part for line in parts for part in fold(line, width)]


def _colored(parts: list[str], text: str | None, column: OutputField) -> list[str]:
    if text is None:
        return [f"\033[2m{parts[0]}\033[0m"]
    if column.kind is CellKind.NESTED:
        return [colored_inside(line) for line in parts]
    return [colored(line) for line in parts] if tells_state(column.name) else parts
