"""Charts as SVG and PNG, by matplotlib, which is an extra."""

from __future__ import annotations

import math
import warnings
from datetime import UTC, datetime
from typing import Any, BinaryIO

from connstat_sql.extras import lacking
from connstat_sql.output.series import Series

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
_MOST_BARS = 200
_LONGEST_LABEL = 60


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
        rows = min(len(series.labels), _MOST_BARS)
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
    shown = slice(_MOST_BARS)
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
