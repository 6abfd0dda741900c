"""A picture of two columns, a label and a number: bars in a terminal, a drawing in a file."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, BinaryIO

import pyarrow as pa

from connstat_sql.errors import QueryError, counted
from connstat_sql.extras import lacking
from connstat_sql.output.cells import cell_width, fit
from connstat_sql.output.rows import CellKind, OutputField, columns_of, texts_of
from connstat_sql.output.sanitize import one_line
from connstat_sql.output.terminal import About, TerminalStyle

MOST_BARS = 50
"""Rows that are drawn as bars; how many are left out is said below."""
_WIDTH = 80
"""Cells of a chart where there is no terminal."""
_COLUMNS_HIGH = 12
_FARTHEST = 60e9
"""Seconds from 1970 to some time before the year 3900; beyond, and for ever, is no course."""
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_LEVELS = " ▁▂▃▄▅▆▇█"
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text: small, and found by a search
    "svg.hashsalt": "connstat",  # equal rows, equal bytes
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#9aa5b3",
    "text.parse_math": False,  # a label is text, also with dollars in it
}
_BAR, _NEGATIVE = "#2f7ed8", "#c8323c"
_MOST_IN_PICTURE = 200
_LONGEST_LABEL = 60


@dataclass(frozen=True, slots=True)
class Series:
    """What a chart shows: a number for each label, in the order of the rows.

    `figures` are the numbers as they are printed; NULL, NaN and what is endless is None in
    `numbers`. `is_time` says that the labels are moments, sorted.
    """

    label: str
    number: str
    labels: tuple[str, ...]
    figures: tuple[str, ...]
    numbers: tuple[float | None, ...]
    moments: tuple[float, ...] = ()

    @property
    def is_time(self) -> bool:
        """Whether it is a course over time."""
        return bool(self.moments)

    @property
    def is_negative(self) -> bool:
        """Whether some number is below zero."""
        return any(number is not None and number < 0 for number in self.numbers)


def chart(
    table: pa.Table,
    out: BinaryIO,
    kind: str = "bars",
    *,
    style: TerminalStyle = TerminalStyle(),  # noqa: B008  # frozen
    about: About | None = None,
) -> None:
    """Draw a table of two columns. `kind` is "bars", as text, or "svg" or "png", of matplotlib.

    Raises a QueryError where the columns are no label and number, and a ConfigError where
    matplotlib is not installed.
    """
    series = series_of(table, about)
    if kind == "bars":
        out.write(("\n".join(drawn(series, style)) + "\n").encode())
    else:
        write_picture(series, out, kind, title=about.title if about else "")


# --- what to draw --------------------------------------------------------------------------------


def series_of(table: pa.Table, about: About | None = None) -> Series:
    """The label and the number of each row. Raises a QueryError that names the columns."""
    columns = columns_of(table)
    label, number = _label_and_number(columns, about or About())
    texts = texts_of(table)
    figures = [text if text is not None else "NULL" for text in texts[number]]
    labels = [one_line(text) if text is not None else "NULL" for text in texts[label]]
    numbers = [_finite(text) for text in texts[number]]
    order: Sequence[int] = range(table.num_rows)
    at = _moments(table, label, columns[label])
    if at:
        order = sorted(at, key=lambda i: at[i])
    return Series(
        one_line(columns[label].name),
        one_line(columns[number].name),
        tuple(labels[i] for i in order),
        tuple(figures[i] for i in order),
        tuple(numbers[i] for i in order),
        tuple(at[i] for i in order) if at else (),
    )


def _moments(table: pa.Table, index: int, column: OutputField) -> dict[int, float]:
    """Seconds since 1970 by row, those without a time left out; empty where they are no course."""
    if not column.type.startswith(("DATE", "TIMESTAMP")):
        return {}
    at = table.column(index).cast(pa.timestamp("us"), safe=False).cast(pa.int64()).to_pylist()
    moments = {i: moment / 1e6 for i, moment in enumerate(at) if moment is not None}
    return moments if all(abs(moment) < _FARTHEST for moment in moments.values()) else {}


def _label_and_number(columns: Sequence[OutputField], about: About) -> tuple[int, int]:
    if len(columns) == 2:
        is_number = [column.kind is CellKind.NUMBER for column in columns]
        if is_number[1] and columns[0].kind is not CellKind.NESTED:
            return 0, 1
        if is_number[0] and columns[1].kind is not CellKind.NESTED:
            return 1, 0
    listed = ", ".join(f"{column.name} {column.type}" for column in columns[:10]) or "none"
    more = ", …" if len(columns) > 10 else ""
    raise QueryError(
        f"a chart shows two columns, a label and a number; the answer has {listed}{more}",
        hint="write  SELECT health, count(*) AS connectors FROM … GROUP BY health",
        requests_sent=about.requests,
    )


def _finite(text: str | None) -> float | None:
    number = math.nan if text is None else float(text)
    return number if math.isfinite(number) else None


# --- as text -------------------------------------------------------------------------------------


def drawn(series: Series, style: TerminalStyle) -> Iterator[str]:
    """The lines of a chart: columns over time, else a bar for each row."""
    width = style.width or _WIDTH
    if not series.labels:
        yield "no rows: there is nothing to draw"
    elif series.is_time and not series.is_negative and len(series.labels) > 2:
        yield from _over_time(series, width, style)
    else:
        yield from _bars(series, width, style)


def _bars(series: Series, width: int, style: TerminalStyle) -> Iterator[str]:
    shown = slice(-MOST_BARS, None) if series.is_time else slice(MOST_BARS)
    labels = [_shown(text, style) for text in series.labels[shown]]
    numbers, figures = series.numbers[shown], series.figures[shown]
    right = max(map(len, figures))
    left = min(max(map(cell_width, labels)), max(8, (width - right) // 2))
    room = max(width - left - right - 4, 4)
    known = [number for number in numbers if number is not None]
    low, high = min([0.0, *known]), max([0.0, *known])
    yield _shown(f"{series.number} by {series.label}", style)
    for label, number, figure in zip(labels, numbers, figures, strict=True):
        bar = _bar(number, low, high, room, style)
        name = fit(label, left, ".." if style.ascii else "…")
        yield f"{name}  {_colored(bar, number, style)}  {figure:>{right}}"
    left_out = len(series.labels) - len(labels)
    if left_out:
        which = "before" if series.is_time else "more"
        yield f"and {counted(left_out, 'row')} {which}: narrow it with WHERE, or ORDER BY and LIMIT"


def _shown(text: str, style: TerminalStyle) -> str:
    return text.encode("ascii", "backslashreplace").decode() if style.ascii else text


def _bar(number: float | None, low: float, high: float, room: int, style: TerminalStyle) -> str:
    """A bar from zero, in exactly `room` cells; zero stands where the least number leaves it."""
    span = (high - low) or 1.0
    zero = round(-low / span * room)
    if number is None:
        return " " * room
    if number < 0:
        length = max(1, round(-number / span * room))
        solid = "#" if style.ascii else "█"
        return (" " * (zero - length) + solid * min(length, zero)).ljust(room)[:room]
    return (" " * zero + _to_the_right(number / span * room, style))[:room].ljust(room)


def _to_the_right(cells: float, style: TerminalStyle) -> str:
    if style.ascii:
        return "#" * max(round(cells), 1 if cells > 0 else 0)
    eighths = max(round(cells * 8), 1 if cells > 0 else 0)
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def _colored(bar: str, number: float | None, style: TerminalStyle) -> str:
    if not style.color:
        return bar
    return f"\033[{31 if number is not None and number < 0 else 36}m{bar}\033[0m"


def _over_time(series: Series, width: int, style: TerminalStyle) -> Iterator[str]:
    """Columns at their moments; where several fall into one cell, the highest of them."""
    known = [number for number in series.numbers if number is not None]
    top = max(known, default=0.0)
    scale = len(f"{top:,.4g}")
    room = max(width - scale - 3, 4)
    tops, crowded = _tops(series, room)
    yield _shown(f"{series.number} over {series.label}", style)
    high = max(3, min(_COLUMNS_HIGH, (style.height or 24) - 6))
    for line in range(high, 0, -1):
        mark = f"{top:,.4g}" if line == high else f"{0:>{scale}}" if line == 1 else ""
        cells = "".join(_level(height, top, line, high, style) for height in tops)
        axis = "|" if style.ascii else "┤"
        yield f"{mark:>{scale}} {axis} {_colored(cells, None, style)}".rstrip()
    first, last = series.labels[0], series.labels[-1]
    blank = " " * (scale + 3)
    yield f"{blank}{first}{last:>{max(len(tops) - len(first), len(last) + 2)}}"
    if crowded:
        yield f"{counted(len(series.labels), 'row')}; each column is the highest of its time"


def _tops(series: Series, room: int) -> tuple[list[float | None], bool]:
    """The height of each cell, and whether several rows share one.

    As many columns as there are steps of time, each as wide as there is room for.
    """
    begin, end = series.moments[0], series.moments[-1]
    gaps = [b - a for a, b in pairwise(series.moments) if b > a]
    steps = round((end - begin) / min(gaps)) + 1 if gaps else 1
    count = min(steps, room)
    heights: list[float | None] = [None] * count
    rows = [0] * count
    for moment, number in zip(series.moments, series.numbers, strict=True):
        at = round((moment - begin) / ((end - begin) or 1) * (count - 1))
        rows[at] += 1
        if number is not None:
            heights[at] = number if heights[at] is None else max(heights[at] or 0.0, number)
    wide = room // count
    column = [True] * (wide - 1) + [wide < 3]  # a blank between columns that are wide enough
    drawn = [height if is_drawn else None for height in heights for is_drawn in column]
    return drawn, max(rows) > 1


def _level(number: float | None, top: float, line: int, high: int, style: TerminalStyle) -> str:
    if number is None or not top:
        return " "
    eighths = round(number / top * high * 8) - (line - 1) * 8
    if line == 1 and number > 0:
        eighths = max(eighths, 1)
    filled = max(0, min(8, eighths))
    return (
        ("#" if filled >= 4 or (line == 1 and filled) else " ") if style.ascii else _LEVELS[filled]
    )


# --- as a picture, by matplotlib, which is an extra ---------------------------------------------


def write_picture(series: Series, out: BinaryIO, kind: str, *, title: str = "") -> None:
    """Write a picture; `kind` is "svg" or "png". Raises a ConfigError without matplotlib."""
    try:
        import matplotlib as mpl
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        otherwise = "; without -o there are bars in the terminal"
        raise lacking(f"a chart as {kind.upper()}", "chart", otherwise) from error
    with mpl.rc_context(_STYLE), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # letters that the font lacks; browsers have others
        rows = min(len(series.labels), _MOST_IN_PICTURE)
        height = 4.5 if series.is_time else max(1.8, 0.32 * rows + 1.2)
        figure = Figure(figsize=(9, height), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        (_draw_course if series.is_time else _draw_bars)(axes, series)
        heading = f"{series.number} {'over' if series.is_time else 'by'} {series.label}"
        axes.set_title(title or heading, loc="left", fontweight="bold")
        metadata: dict[str, Any] = {"Date": None} if kind == "svg" else {}
        figure.savefig(out, format=kind, dpi=150, metadata=metadata)


def _draw_bars(axes: Any, series: Series) -> None:
    shown = slice(_MOST_IN_PICTURE)
    labels = [_short(label) for label in series.labels[shown]]
    numbers = [0.0 if number is None else number for number in series.numbers[shown]]
    places = range(len(labels))
    colors = [_NEGATIVE if number < 0 else _BAR for number in numbers]
    bars = axes.barh(places, numbers, color=colors, height=0.72)
    axes.bar_label(bars, labels=list(series.figures[shown]), padding=4, color="#4a5461")
    axes.set_yticks(places, labels=labels)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.tick_params(length=0)
    axes.xaxis.grid(visible=True, color="#e3e7ec")
    axes.set_axisbelow(True)
    left_out = len(series.labels) - len(labels)
    axes.set_xlabel(series.number + (f" (and {left_out:,} rows more)" if left_out else ""))
    if not labels:
        axes.text(0.5, 0.5, "no rows", transform=axes.transAxes, ha="center", color="#6b7480")


def _draw_course(axes: Any, series: Series) -> None:
    moments = [datetime.fromtimestamp(moment, UTC) for moment in series.moments]
    numbers = [math.nan if number is None else number for number in series.numbers]
    axes.plot(moments, numbers, color=_BAR, linewidth=1.8, marker="o", markersize=3)
    if not series.is_negative:
        axes.fill_between(moments, numbers, color=_BAR, alpha=0.12, linewidth=0)
        axes.set_ylim(bottom=0)
    axes.yaxis.grid(visible=True, color="#e3e7ec")
    axes.set_axisbelow(True)
    axes.set_xlabel(series.label)
    axes.set_ylabel(series.number)


def _short(label: str) -> str:
    return label if len(label) <= _LONGEST_LABEL else label[: _LONGEST_LABEL - 1] + "…"
