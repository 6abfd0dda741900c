"""Tables as text: drawn as DuckDB does for files and pipes, and so that they fit on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

import pyarrow as pa

from connstat_sql.database.python_values import distinct_names
from connstat_sql.errors import counted
from connstat_sql.output.cells import cell_width, fit, wrapped
from connstat_sql.output.rows import CellKind, OutputField, columns_of, registered, texts_of
from connstat_sql.output.sanitize import one_line
from connstat_sql.output.state_colors import (
    colored,
    colored_inside,
    tells_name,
    tells_reason,
    tells_state,
)
from connstat_sql.output.terminal import TerminalStyle

_SIZES = {
    "TINYINT": "int8", "SMALLINT": "int16", "INTEGER": "int32", "BIGINT": "int64",
    "HUGEINT": "int128", "UTINYINT": "uint8", "USMALLINT": "uint16", "UINTEGER": "uint32",
    "UBIGINT": "uint64", "UHUGEINT": "uint128",
}  # fmt: skip
"""What DuckDB's drawing calls whole numbers."""
_FEWEST = 12
"""Cells that a column of text or nested values is given before it is shortened further."""
_MOST_RIGID = 40
"""Cells up to which numbers, times and states are never shortened."""
_MOST_SCREENS = 4
"""Screens that are written expanded unasked; where it takes more, some columns say more."""
_NAMED = 5
"""Columns left out that are told by name."""

# --- without a terminal --------------------------------------------------------------------------


def framed(table: pa.Table) -> Iterator[str]:
    """The lines of DuckDB's drawing, as DuckDB itself draws no more than its first rows."""
    columns = columns_of(table)
    with registered(table) as rows:
        types = [str(of) for of in rows.types]
    heads = [
        (one_line(_escaped(name)), _type_name(of))
        for name, of in zip(distinct_names(table.column_names), types, strict=True)
    ]
    texts = [
        ["NULL" if text is None else one_line(_escaped(text)) for text in column]
        for column in texts_of(table)
    ]
    widths = [
        max(*map(cell_width, head), *map(cell_width, cells))
        for head, cells in zip(heads, texts, strict=True)
    ]

    def between(corners: str) -> str:
        return f"{corners[1]}".join("─" * (width + 2) for width in widths).join(corners[::2])

    yield between("┌┬┐")
    for names in zip(*heads, strict=True):
        centred = (
            fit(" " * ((w - cell_width(name)) // 2) + name, w, "")
            for name, w in zip(names, widths, strict=True)
        )
        yield f"│ {' │ '.join(centred)} │"
    yield between("├┼┤")
    padded = [
        [fit(text, width, "", right=column.kind is CellKind.NUMBER) for text in cells]
        for column, width, cells in zip(columns, widths, texts, strict=True)
    ]
    for row in zip(*padded, strict=True):
        yield f"│ {' │ '.join(row)} │"
    yield between("└┴┘")


def _type_name(type_: str) -> str:
    element, bracket, rest = type_.partition("[")
    return (_SIZES.get(element) or element.lower()) + bracket + rest.lower()


def _escaped(text: str) -> str:
    return text.replace("\r", "\\r").replace("\n", "\\n").replace("\t", "\\t")


# --- on a terminal -------------------------------------------------------------------------------


class Rank(IntEnum):
    """Whose width is kept first: of what says which row it is, of what says why, of all else."""

    NAME = 0
    REASON = 1
    OTHER = 2


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """A column on its way to the screen: `cells` are clean and on one line, None for NULL.

    `natural` is the width that would hold all of it, `least` one that still says something, and
    `wanted` what other columns go without for it. `rank` says who gets more than that first.
    """

    column: OutputField
    name: str
    cells: list[str | None]
    natural: int
    least: int
    wanted: int
    rank: Rank


def fitted(table: pa.Table, style: TerminalStyle, width: int) -> Iterator[str] | None:
    """The lines of a table of at most `width` cells; None: it is better read expanded."""
    columns = [
        _drawn(column, cells, style, width)
        for column, cells in zip(columns_of(table), texts_of(table), strict=True)
    ]
    shown = _as_many_as_fit(columns, width)
    if style.expanded == "auto" and _is_better_expanded(table, columns, shown, style):
        return None
    return _lines(table, columns, shown, style, width)


def _is_better_expanded(
    table: pa.Table, columns: Sequence[Drawn], shown: Sequence[Drawn], style: TerminalStyle
) -> bool:
    if table.num_rows == 1:
        is_wide = _framed(drawn.natural for drawn in columns) > (style.width or 0)
        return is_wide or _has_lines(table, columns)
    lines = table.num_rows * (len(columns) + 1)
    is_short = 0 < lines <= _MOST_SCREENS * (style.height or 24)
    return is_short and len(shown) < len(columns)


def _has_lines(table: pa.Table, columns: Sequence[Drawn]) -> bool:
    """Whether a text of the only row has several lines, such as a plan or a trace."""
    texts = (table.column(i)[0].as_py() for i in range(len(columns)))
    return any(isinstance(text, str) and "\n" in text.strip() for text in texts)


def _drawn(column: OutputField, texts: list[str | None], style: TerminalStyle, width: int) -> Drawn:
    most = 4 * width  # no column is wider than the screen; what is longer need not be looked at
    name = one_line(column.name[:most], ascii_=style.ascii)
    cells = [None if t is None else one_line(t[:most], ascii_=style.ascii) for t in texts]
    content = max((4 if c is None else cell_width(c) for c in cells), default=0)
    natural = max(content, cell_width(name), 1)
    is_rigid = column.kind in (CellKind.NUMBER, CellKind.TIME) or tells_state(column.name)
    least = min(max(content, 4), _MOST_RIGID) if is_rigid else min(natural, _FEWEST)
    rank, most = Rank.OTHER, least
    if column.kind is CellKind.TEXT and tells_name(column.name):
        rank, most = Rank.NAME, width // 2
    elif column.kind is CellKind.TEXT and tells_reason(column.name):
        rank, most = Rank.REASON, width // 2
    least = min(natural, least)
    return Drawn(column, name, cells, natural, least, min(natural, max(least, most)), rank)


def _framed(widths: Iterator[int] | Sequence[int]) -> int:
    """The width of a table with its borders."""
    listed = list(widths)
    return sum(listed) + 3 * len(listed) + 1


def _as_many_as_fit(columns: Sequence[Drawn], width: int) -> Sequence[Drawn]:
    """Those that fit: of what says neither who nor why the last ones go first."""
    shown = [*columns]
    while len(shown) > 1 and _framed([drawn.wanted for drawn in shown]) > width:
        spare = [drawn for drawn in shown[1:] if drawn.rank is Rank.OTHER]
        if not spare:
            break
        shown.remove(spare[-1])
    while len(shown) > 1 and _framed([drawn.least for drawn in shown]) > width:
        shown.pop()
    return shown


def _widths(shown: Sequence[Drawn], available: int) -> list[int]:
    """The width of each column: what is left over goes to names first, and then to reasons."""
    widths = {id(drawn): drawn.least for drawn in shown}
    for rank in sorted({drawn.rank for drawn in shown}):
        ours = [drawn for drawn in shown if drawn.rank is rank]
        others = sum(widths[id(drawn)] for drawn in shown if drawn.rank is not rank)
        granted = shares([(drawn.natural, drawn.least) for drawn in ours], available - others)
        widths.update((id(drawn), width) for drawn, width in zip(ours, granted, strict=True))
    return [widths[id(drawn)] for drawn in shown]


def shares(columns: Sequence[tuple[int, int]], available: int) -> list[int]:
    """Widths for columns of (natural, least) width, of `available` cells in all.

    Who needs little gets it; the others get equally much, and nobody less than the least. One
    column alone is cut to what there is.
    """
    if sum(natural for natural, _ in columns) <= available:
        return [natural for natural, _ in columns]
    low, high = 1, max(natural for natural, _ in columns)
    while low < high:  # the greatest cap under which everything fits
        cap = (low + high + 1) // 2
        fits = sum(_capped(column, cap) for column in columns) <= available
        low, high = (cap, high) if fits else (low, cap - 1)
    widths = [_capped(column, low) for column in columns]
    spare = available - sum(widths)
    for i, (natural, _) in enumerate(columns):
        if spare > 0 and widths[i] < natural:
            widths[i], spare = widths[i] + 1, spare - 1
    return widths if len(columns) > 1 else [max(1, min(widths[0], available))]


def _capped(column: tuple[int, int], cap: int) -> int:
    natural, least = column
    return max(min(natural, cap), least)


# --- lines ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Frame:
    """What a table is drawn with: for each kind of line its left, middle and right, and more."""

    top: str
    middle: str
    bottom: str
    bar: str
    dash: str
    cut: str


_FRAME = _Frame("┌┬┐", "├┼┤", "└┴┘", "│", "─", "…")
_MOST_LINES = 4
"""Lines of a text that says why a row is as it is."""
_ASCII_FRAME = _Frame("+++", "+++", "+++", "|", "-", "..")


def _lines(
    table: pa.Table,
    columns: Sequence[Drawn],
    shown: Sequence[Drawn],
    style: TerminalStyle,
    width: int,
) -> Iterator[str]:
    frame = _ASCII_FRAME if style.ascii else _FRAME
    available = width - 3 * len(shown) - 1
    widths = _widths(shown, max(available, len(shown)))

    def rule(corners: str) -> str:
        inner = corners[1].join(frame.dash * (w + 2) for w in widths)
        return f"{corners[0]}{inner}{corners[2]}"

    heads = [
        fit(drawn.name, w, frame.cut, right=drawn.column.kind is CellKind.NUMBER)
        for drawn, w in zip(shown, widths, strict=True)
    ]
    if style.color:
        heads = [f"\033[1m{head}\033[0m" for head in heads]
    yield rule(frame.top)
    yield f"{frame.bar} {f' {frame.bar} '.join(heads)} {frame.bar}"
    yield rule(frame.middle)
    between = f" {frame.bar} "
    padded = [_padded(drawn, w, frame, style) for drawn, w in zip(shown, widths, strict=True)]
    for row in zip(*padded, strict=True):
        height = max(map(len, row))
        for line in range(height):
            parts = (
                cell[line] if line < len(cell) else " " * w
                for cell, w in zip(row, widths, strict=True)
            )
            yield f"{frame.bar} {between.join(parts)} {frame.bar}"
    yield rule(frame.bottom)
    are_cut = any(_is_cut(drawn, w) for drawn, w in zip(shown, widths, strict=True))
    left_out = [drawn for drawn in columns if drawn not in shown]
    if note := _footer(table.num_rows, left_out, are_cut, style):
        yield note


def _lines_of(drawn: Drawn) -> int:
    """How many lines a cell of a column may take: what says why is there to be read."""
    return _MOST_LINES if drawn.rank is Rank.REASON else 1


def _is_cut(drawn: Drawn, width: int) -> bool:
    most = _lines_of(drawn)
    return drawn.natural > width and (
        most == 1
        or any(len(wrapped(cell, width, most + 1, "")) > most for cell in drawn.cells if cell)
    )


def _padded(drawn: Drawn, width: int, frame: _Frame, style: TerminalStyle) -> Iterator[list[str]]:
    """The cells of a column in lines, each exactly `width` wide, in colour where that is wanted."""
    right = drawn.column.kind is CellKind.NUMBER
    null = fit("NULL", width, frame.cut, right=right)
    null = f"\033[2m{null}\033[0m" if style.color else null
    color = _coloring(drawn.column) if style.color else None
    for text in drawn.cells:
        if text is None:
            yield [null]
        elif _lines_of(drawn) > 1:
            yield wrapped(text, width, _lines_of(drawn), frame.cut)
        else:
            cell = fit(text, width, frame.cut, right=right)
            yield [color(cell) if color else cell]


def _coloring(column: OutputField) -> Callable[[str], str] | None:
    if column.kind is CellKind.NESTED:
        return colored_inside
    return colored if tells_state(column.name) else None


def _footer(rows: int, left_out: Sequence[Drawn], are_cut: bool, style: TerminalStyle) -> str:
    parts = [counted(rows, "row")] if style.footer else []
    if left_out:
        names = ", ".join(drawn.name for drawn in left_out[:_NAMED])
        more = "" if len(left_out) <= _NAMED else ", ..." if style.ascii else ", …"
        then = f": {style.whole} shows them" if style.footer else ""
        parts.append(f"+{counted(len(left_out), 'column')} ({names}{more}){then}")
    elif are_cut and style.footer:
        parts.append(f"{style.whole} shows in full what is cut")
    text = "; ".join(parts)
    return f"\033[2m{text}\033[0m" if style.color and text else text
