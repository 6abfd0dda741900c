"""A query as a check: what its rows say about the state of things, in the words of monitoring.

The rows of a query are a problem, and their number is held against thresholds. The answer is one
line, perfdata and an exit code as plug-ins of Nagios and its kin give them (Monitoring Plugins
Development Guidelines), or metrics in the text format of Prometheus.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum

from connstat_sql.errors import counted
from connstat_sql.monitor.format import shortened
from connstat_sql.saved import Severity

LONGEST_LINE = 200
"""Characters of the first line's rows; what pages and mails show of it is short."""
LONGEST_ROW = 1000
LONGEST_LABEL = 200
MOST_SERIES = 100
"""Rows that have a series of their own among the metrics: each is kept by whoever collects them."""
_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)"
_RANGE = re.compile(
    rf"(?P<inside>@)?(?:(?P<low>~|{_NUMBER})?(?P<colon>:))?(?P<high>{_NUMBER})?", re.ASCII
)


class ServiceState(IntEnum):
    """The state of a service; its number is the exit code."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers that are fine: `low` to `high`, both included. `inside` says they are not fine."""

    low: float
    high: float
    inside: bool
    text: str

    def alerts(self, value: float) -> bool:
        """Whether a value is a problem."""
        return (self.low <= value <= self.high) == self.inside

    def alerts_from(self, value: float) -> bool:
        """Whether it is a problem, and every greater value too."""
        if self.inside:
            return self.low <= value and self.high == math.inf
        return value > self.high


def range_of(text: str) -> Range:
    """A range as plug-ins write it: `10`, `10:`, `~:10`, `10:20` or `@10:20`.

    Raises ValueError with a message that shows how one is written.

    >>> [range_of("10:20").alerts(value) for value in (9, 10, 20, 21)]
    [True, False, False, True]
    """
    match = _RANGE.fullmatch(text.strip())
    if match is None or (match["high"] is None and (match["colon"] is None or not match["low"])):
        raise ValueError(f"{text!r} is no range: write it like 10, 10:, ~:10, 10:20 or @10:20")
    low = -math.inf if match["low"] == "~" else float(match["low"] or 0)
    high = math.inf if match["high"] is None else float(match["high"])
    if low > high:
        raise ValueError(f"{text!r} is no range: it begins above its end")
    return Range(low, high, match["inside"] is not None, text.strip())


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When the number of rows is a WARNING, and when CRITICAL (None: never)."""

    warning: Range | None = None
    critical: Range | None = None

    @classmethod
    def of(cls, warning: Range | None, critical: Range | None, severity: Severity) -> Thresholds:
        """Those given; where none is, any row is as bad as the query says."""
        if warning is not None or critical is not None:
            return cls(warning, critical)
        any_row = range_of("0")
        return cls(any_row) if severity is Severity.WARNING else cls(None, any_row)


def status_of(rows: int, thresholds: Thresholds, *, complete: bool) -> ServiceState:
    """What a number of rows means.

    Of an incomplete result there may be more: it is a problem when it stays one however many are
    missing, and else UNKNOWN, never OK.
    """
    for status, limit in (
        (ServiceState.CRITICAL, thresholds.critical),
        (ServiceState.WARNING, thresholds.warning),
    ):
        if limit is not None and (limit.alerts(rows) if complete else limit.alerts_from(rows)):
            return status
    return ServiceState.OK if complete else ServiceState.UNKNOWN


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a check found out.

    `rows` is None when nothing was; `shown` are the first of them, each as a line. `failures` say
    what could not be found out, the first of them in short. `seconds` is how long it took, and
    `at` when it ended, in seconds since the epoch. `arguments` are those that were given.
    """

    query: str
    status: ServiceState
    thresholds: Thresholds
    rows: int | None = None
    shown: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    requests: int = 0
    seconds: float = 0.0
    at: float = 0.0
    arguments: Mapping[str, str] | None = None
    keys: tuple[Mapping[str, str], ...] = ()
    """What tells the first rows apart, by column: at most `MOST_SERIES`; () without a known key."""

    @property
    def is_complete(self) -> bool:
        """Whether all that belongs to the answer was found out."""
        return self.rows is not None and not self.failures


# --- for plug-ins ---------------------------------------------------------------------------------


def report(outcome: Outcome) -> str:
    """The lines that a plug-in prints: state, query and rows, perfdata; then the rows, one each."""
    first = f"CONNSTAT {outcome.status.name} - {_plain(outcome.query)}: {_found(outcome)}"
    perfdata = _perfdata(outcome)
    lines = [f"{first} | {perfdata}" if perfdata else first]
    lines += [shortened(_plain(row), LONGEST_ROW) for row in outcome.shown]
    left = (outcome.rows or 0) - len(outcome.shown)
    if left and outcome.shown:
        lines.append(f"and {counted(left, 'more row')}")
    failures = [shortened(_plain(failure), LONGEST_ROW) for failure in outcome.failures]
    lines += [failure for failure in failures if failure not in first]
    return "\n".join(lines) + "\n"


def _found(outcome: Outcome) -> str:
    why = shortened(_plain(outcome.failures[0]), LONGEST_LINE) if outcome.failures else ""
    if outcome.rows is None:
        return why
    said = counted(outcome.rows, "row")
    if outcome.shown:
        more = "; ..." if outcome.rows > len(outcome.shown) else ""
        said += f" ({shortened(_plain('; '.join(outcome.shown)), LONGEST_LINE)}{more})"
    return f"{said}, incomplete: {why}" if why else said


def _perfdata(outcome: Outcome) -> str:
    """`label=value[unit];warn;crit;min` pairs; none when nothing was found out."""
    if outcome.rows is None:
        return ""
    warning, critical = (
        "" if limit is None else limit.text
        for limit in (outcome.thresholds.warning, outcome.thresholds.critical)
    )
    rows = f"rows={outcome.rows};{warning};{critical};0"
    return f"{rows} requests={outcome.requests} seconds={outcome.seconds:.2f}s"


def _plain(text: str) -> str:
    """Text on one line without the bar, behind which perfdata begins."""
    return " ".join(
        "".join(letter if letter.isprintable() else " " for letter in text)
        .replace("|", "\N{BROKEN BAR}")
        .split()
    )


# --- for Prometheus -------------------------------------------------------------------------------

_METRICS = (
    ("rows", "Rows that the query found."),
    ("status", "0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN."),
    ("complete", "Whether everything was found out: 1, or 0 when requests failed."),
    ("requests", "Requests that the query sent."),
    ("duration_seconds", "How long the check took."),
    ("timestamp_seconds", "When the check ended, in seconds since the epoch."),
)


def metrics(outcome: Outcome) -> str:
    """The outcome in the text exposition format; there are no rows where none could be counted."""
    values: dict[str, float | None] = {
        "rows": outcome.rows,
        "status": int(outcome.status),
        "complete": int(outcome.is_complete),
        "requests": outcome.requests,
        "duration_seconds": round(outcome.seconds, 6),
        "timestamp_seconds": round(outcome.at, 3),
    }
    labels = _labels(outcome)
    lines: list[str] = []
    for name, help_ in _METRICS:
        value = values[name]
        if value is not None:
            metric = f"connstat_check_{name}"
            lines += [f"# HELP {metric} {help_}", f"# TYPE {metric} gauge"]
            lines.append(f"{metric}{_written(labels)} {value}")
    return "\n".join([*lines, *_series(outcome, labels)]) + "\n"


def _series(outcome: Outcome, labels: Mapping[str, str]) -> Iterator[str]:
    """A series for each of the first rows, labelled with its key; and how many rows have none."""
    if not outcome.keys:
        return
    yield "# HELP connstat_check_row Rows that the query found, by what tells them apart."
    yield "# TYPE connstat_check_row gauge"
    series = Counter(_written({**labels, **_named(key, labels)}) for key in outcome.keys)
    yield from (f"connstat_check_row{key} {count}" for key, count in series.items())
    yield "# HELP connstat_check_rows_left_out Rows that have no connstat_check_row."
    yield "# TYPE connstat_check_rows_left_out gauge"
    left_out = (outcome.rows or 0) - len(outcome.keys)
    yield f"connstat_check_rows_left_out{_written(labels)} {left_out}"


def _named(key: Mapping[str, str], taken: Iterable[str]) -> dict[str, str]:
    """The columns of a key as names and values of labels."""
    labels: dict[str, str] = {}
    for column, value in key.items():
        name = re.sub(r"^__+", "_", re.sub(r"\W", "_", column, flags=re.ASCII))
        if name in taken or not name or name[0].isdigit():
            name = f"key_{name}"
        while name in labels:
            name += "_"
        labels[name] = shortened(value, LONGEST_LABEL)
    return labels


def _labels(outcome: Outcome) -> dict[str, str]:
    """The query, and its arguments where there are some: other arguments are another series."""
    labels = {"query": outcome.query}
    if outcome.arguments:
        pairs = sorted(outcome.arguments.items())
        labels["arguments"] = ",".join(f"{name}={value}" for name, value in pairs)
    return labels


def _written(labels: Mapping[str, str]) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
