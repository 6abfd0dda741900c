"""The columns of the list: their texts, how they sort, and how wide they are in a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connstat_sql.monitor.changes import ChangeKind
from connstat_sql.output.cells import fit
from connstat_sql.top.model import FleetConnector, badness

MARKS = {ChangeKind.APPEARED: "+", ChangeKind.CHANGED: "*", ChangeKind.GONE: "-"}
STALE_MARK = "?"


@dataclass(frozen=True, slots=True)
class ListColumn:
    """A column: `least` cells wide, and of what is left over a share of `weight`, up to `most`.

    `from_width` is the width of the list from which on there is room for it. `order` sorts.
    """

    title: str
    text: Callable[[FleetConnector], str]
    order: Callable[[FleetConnector], Any]
    least: int
    weight: int = 0
    most: int = 10_000
    from_width: int = 0
    is_number: bool = False


def tasks(connector: FleetConnector) -> str:
    """Tasks that run, that failed, and all; "" where nobody knows of tasks."""
    if connector.tasks_total is None:
        return ""
    return f"{connector.tasks_running or 0}/{connector.tasks_failed or 0}/{connector.tasks_total}"


def since(connector: FleetConnector) -> str:
    """When it came into its state, or before when; "" of what is not there."""
    if not connector.since or connector.is_unreachable:
        return ""
    return f"{'' if connector.is_since_known else '<'}{clock(connector.since)}"


def clock(at: float) -> str:
    """The time of day, of seconds since the epoch, in the zone of this machine."""
    return datetime.fromtimestamp(at).astimezone().strftime("%H:%M:%S")


def cause(connector: FleetConnector) -> str:
    """The root cause; of a cluster that could not be asked, why."""
    return connector.cause


def _failed_first(connector: FleetConnector) -> tuple[int, int]:
    return -(connector.tasks_failed or 0), -(connector.tasks_total or 0)


COLUMNS = (
    ListColumn("HEALTH", lambda row: row.health, badness, 11),
    ListColumn("PROVIDER", lambda row: row.provider, lambda row: row.provider, 13, from_width=150),
    ListColumn("CONNECTION", lambda row: row.connection, lambda row: row.connection, 8, 1, 20),
    ListColumn("SCOPE", lambda row: row.scope, lambda row: row.scope, 14, 2, 36, from_width=130),
    ListColumn("CONNECTOR", lambda row: row.name, lambda row: row.name, 18, 5, 48),
    ListColumn("STATE", lambda row: row.state, lambda row: row.state, 10, 1, 13, from_width=100),
    ListColumn("TASKS", tasks, _failed_first, 7, is_number=True),
    ListColumn("SINCE", since, lambda row: -row.since, 9, from_width=118),
    ListColumn("ROOT CAUSE", cause, lambda row: (not row.cause, row.cause), 24, 7),
)
MARK_WIDTH = 2


@dataclass(frozen=True, slots=True)
class Sorting:
    """By which column the list is sorted (a place in `COLUMNS`); `is_reversed` turns it round."""

    column: int = 0
    is_reversed: bool = False

    def moved(self, by: int) -> Sorting:
        """Sorted by another column, so many to the right."""
        return Sorting((self.column + by) % len(COLUMNS))

    def chosen(self, column: int) -> Sorting:
        """Sorted by that column; the other way round when it was chosen already."""
        return Sorting(column, self.column == column and not self.is_reversed)

    def turned(self) -> Sorting:
        """The other way round."""
        return Sorting(self.column, not self.is_reversed)

    def sort(self, connectors: Iterable[FleetConnector]) -> tuple[FleetConnector, ...]:
        """The connectors in order; those that are equal in it go worst first.

        They are expected worst first, as a `Fleet` has them.
        """
        if self == Sorting():
            return tuple(connectors)
        order = COLUMNS[self.column].order
        return tuple(sorted(connectors, key=order, reverse=self.is_reversed))


@dataclass(frozen=True, slots=True)
class ColumnPlace:
    """A column on the screen, from a cell on, so many cells wide."""

    column: int
    start: int
    width: int


def placed(width: int) -> tuple[ColumnPlace, ...]:
    """Where the columns stand in a list so many cells wide; those that do not fit are left out."""
    chosen = [number for number, column in enumerate(COLUMNS) if column.from_width <= width]
    widths = _shared(chosen, width - MARK_WIDTH - len(chosen) + 1)
    places, start = [], MARK_WIDTH
    for number, wide in zip(chosen, widths, strict=True):
        if start >= width:
            break
        places.append(ColumnPlace(number, start, min(wide, width - start)))
        start += wide + 1
    return tuple(places)


def _shared(chosen: Sequence[int], room: int) -> list[int]:
    """The least width of each column, and what is left over by weight."""
    widths = [COLUMNS[number].least for number in chosen]
    growing = {place for place, number in enumerate(chosen) if COLUMNS[number].weight}
    while growing and (left := room - sum(widths)) > 0:
        total = sum(COLUMNS[chosen[place]].weight for place in growing)
        for place in sorted(growing):
            column = COLUMNS[chosen[place]]
            widths[place] += min(-(-left * column.weight // total), room - sum(widths))
            if widths[place] >= column.most:
                widths[place] = column.most
                growing.discard(place)
    return widths


def fitted(text: str, width: int, *, is_right: bool = False, more: str = "…") -> str:
    """A text in exactly so many cells; what a terminal would not print as it is is a `?`.

    `more` stands for what was cut off.

    >>> fitted("orders-sink", 8, more="~"), fitted("sink", 6)
    ('orders-~', 'sink  ')
    """
    if not (text.isascii() and text.isprintable()):
        text = printable(text)
        if not text.isascii():
            return fit(text, width, more)
    if len(text) > width:
        return text[: max(0, width - len(more))] + more[:width]
    return text.rjust(width) if is_right else text.ljust(width)


def printable(text: str) -> str:
    """The text in one line, with nothing in it that a terminal would obey."""
    return "".join(letter if letter.isprintable() else _shown(letter) for letter in text)


def _shown(letter: str) -> str:
    return " " if letter in "\n\t" else "?"


def mark(connector: FleetConnector) -> str:
    """What happened to it, in one letter."""
    if connector.is_stale:
        return STALE_MARK
    return " " if connector.change is None else MARKS[connector.change]
