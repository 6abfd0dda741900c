"""The fleet as plain values: read from a table, compared with the last time, counted, ordered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from connstat_sql.monitor.changes import ChangeKind, Difference, differences

if TYPE_CHECKING:
    import pyarrow as pa

UNREACHABLE = "UNREACHABLE"
"""In the place of a health: nobody could ask. Never a reason to show nothing."""
HEALTHS = (
    UNREACHABLE, "UNHEALTHY", "DEGRADED", "TRANSITION", "UNKNOWN", "INACTIVE", "HEALTHY",
)  # fmt: skip
"""Worst first."""
_RANKS = {health: rank for rank, health in enumerate(HEALTHS)}
_UNKNOWN_RANK = _RANKS["UNKNOWN"]

Key = tuple[str, str, str, str, int]


class FleetConnector(msgspec.Struct, frozen=True, gc=False):
    """A connector as it was seen, or in its place a cluster that nobody could ask.

    Texts that the fleet does not give are "", numbers None. `number` tells rows apart that bear
    the same names. `cause_group` is what its cause has in common with alike ones. `since` are
    seconds since the epoch: when it was first seen in this state; `is_since_known` is false
    when it was so from the beginning, and may be longer. `change` is what the last refresh
    changed (None: nothing). `is_stale` rows are those of an earlier refresh, as what they come
    from could not be asked since.
    """

    health: str
    provider: str
    connection: str
    scope_1: str
    scope_2: str
    name: str
    state: str
    tasks_running: int | None = None
    tasks_failed: int | None = None
    tasks_total: int | None = None
    cause: str = ""
    cause_group: str = ""
    trace: str = ""
    type: str = ""
    worker: str = ""
    raw_state: str = ""
    observed_at: datetime | None = None
    number: int = 0
    since: float = 0.0
    is_since_known: bool = False
    change: ChangeKind | None = None
    is_stale: bool = False

    @property
    def key(self) -> Key:
        """What tells it apart from all others, in every refresh."""
        return (self.connection, self.scope_1, self.scope_2, self.name, self.number)

    @property
    def scope(self) -> str:
        """Where it runs: both parts, as far as there are any."""
        return " / ".join(part for part in (self.scope_1, self.scope_2) if part)

    @property
    def is_unreachable(self) -> bool:
        """Whether this stands for a cluster that could not be asked."""
        return self.health == UNREACHABLE

    @property
    def face(self) -> tuple[object, ...]:
        """What counts as a change of it."""
        return (self.health, self.state, self.tasks_failed, self.tasks_total, self.cause)


COLUMNS = (
    "health", "provider", "_connection", "scope_1", "scope_2", "connector_name", "state",
    "tasks_running", "tasks_failed", "tasks_total", "error_summary", "error_group", "error_trace",
    "connector_type", "worker", "raw_state", "observed_at",
)  # fmt: skip
"""Those of the table, in the order of the fields: what costs a cluster one light list."""
_NUMBERS = frozenset({"tasks_running", "tasks_failed", "tasks_total"})


@dataclass(frozen=True, slots=True)
class Outage:
    """A cluster, or a whole connection where `scope` is "", that gave no usable answer.

    `request` is its line, without secrets ("": none was sent).
    """

    connection: str
    provider: str
    message: str
    scope: str = ""
    request: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Fleet:
    """What one refresh found, compared with the one before.

    `connectors` are worst first, those that have gone and those of an outage among them. `asked`
    are the names of connections. `observed` is when the refresh began, in seconds since the epoch;
    `seconds` and `requests` are what it took.
    """

    connectors: tuple[FleetConnector, ...] = ()
    outages: tuple[Outage, ...] = ()
    asked: frozenset[str] = frozenset()
    observed: float = 0.0
    seconds: float = 0.0
    requests: int = 0
    changes: Mapping[ChangeKind, int] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether every cluster answered."""
        return not self.outages

    @property
    def unreachable(self) -> frozenset[str]:
        """The connections of which something gave no answer."""
        return frozenset(outage.connection for outage in self.outages)

    def settled(self) -> Fleet:
        """The same some moments later: marks have faded, and what has gone is gone."""
        if not self.changes:
            return self
        kept = tuple(
            connector
            if connector.change is None
            else msgspec.structs.replace(connector, change=None)
            for connector in self.connectors
            if connector.change is not ChangeKind.GONE
        )
        return replace(self, connectors=kept, changes={})


def read(table: pa.Table) -> list[FleetConnector]:
    """The connectors of a table with `COLUMNS`, in its order."""
    columns = (_values(table, name) for name in COLUMNS)
    return _numbered([FleetConnector(*row) for row in zip(*columns, strict=True)])


def _values(table: pa.Table, name: str) -> list[object]:
    from connstat_sql.database.python_values import (
        python_values,  # with DuckDB, and so when it is used
    )

    values: list[object] = python_values(table.column(name))
    if name in _NUMBERS or name == "observed_at":
        return values
    blank = "UNKNOWN" if name == "health" else ""
    return [blank if value is None else value for value in values]


def _numbered(connectors: list[FleetConnector]) -> list[FleetConnector]:
    seen: Counter[Key] = Counter()
    for place, connector in enumerate(connectors):
        count = seen[connector.key]
        seen[connector.key] += 1
        if count:
            connectors[place] = msgspec.structs.replace(connector, number=count)
    return connectors


# --- from one refresh to the next ----------------------------------------------------------------


def compared(
    before: Fleet | None, connectors: Sequence[FleetConnector], outages: Sequence[Outage], at: float
) -> tuple[FleetConnector, ...]:
    """All there is to show at a time, worst first, with what changed `before` (None: never seen).

    Of a connection with an outage nothing has gone: rows it gave before stay, as stale ones.
    """
    down = frozenset(outage.connection for outage in outages)
    last = [] if before is None else [*_living(before.connectors)]
    unseen = None if before is None else before.unreachable - {row.connection for row in last}
    shown = [_shown(row, at) for row in differences(last, connectors, down, unseen)]
    shown += [_in_place_of(outage, at) for outage in _distinct(outages)]
    return worst_first(shown)


def _living(connectors: Iterable[FleetConnector]) -> Iterator[FleetConnector]:
    """Those that stand for a connector, and were there at the last refresh."""
    for connector in connectors:
        if not connector.is_unreachable and connector.change is not ChangeKind.GONE:
            yield connector


def _shown(difference: Difference[FleetConnector], at: float) -> FleetConnector:
    replaced = msgspec.structs.replace
    kind, before, now = difference.kind, difference.before, difference.now
    if now is None:
        assert before is not None, "a row is of before or of now"
        return replaced(before, change=kind, is_stale=difference.is_kept)
    is_new = kind is ChangeKind.APPEARED
    if before is None:
        return replaced(now, since=at, is_since_known=is_new, change=kind if is_new else None)
    if (now.health, now.state) != (before.health, before.state):
        return replaced(now, since=at, is_since_known=True, change=kind)
    return replaced(now, since=before.since, is_since_known=before.is_since_known, change=kind)


def _in_place_of(outage: Outage, at: float) -> FleetConnector:
    asked = "\n".join(filter(None, (outage.request, outage.hint)))
    return FleetConnector(
        UNREACHABLE, outage.provider, outage.connection, outage.scope, "", "", "",
        cause=outage.message, since=at, trace=asked,
    )  # fmt: skip


def _distinct(outages: Iterable[Outage]) -> Iterable[Outage]:
    return {
        (outage.connection, outage.scope): outage for outage in reversed(tuple(outages))
    }.values()


def changes(connectors: Iterable[FleetConnector]) -> Mapping[ChangeKind, int]:
    """How many connectors of each kind of change there are."""
    return Counter(connector.change for connector in connectors if connector.change is not None)


# --- order, counts, causes -----------------------------------------------------------------------


def badness(connector: FleetConnector) -> tuple[object, ...]:
    """Sorts the worst first: by health, by failed tasks, and then by name."""
    rank = _RANKS.get(connector.health, _UNKNOWN_RANK)
    return (rank, -(connector.tasks_failed or 0), connector.provider, *connector.key)


def worst_first(connectors: Iterable[FleetConnector]) -> tuple[FleetConnector, ...]:
    """The connectors in the order of `badness`."""
    return tuple(sorted(connectors, key=badness))


@dataclass(frozen=True, slots=True)
class Counts:
    """How many connectors there are of each health and provider.

    Clusters that could not be asked are counted as UNREACHABLE, each as one; those that have gone
    are not counted. `providers` are in alphabetical order.
    """

    providers: tuple[str, ...]
    cells: Mapping[tuple[str, str], int]

    def of(self, health: str | None = None, provider: str | None = None) -> int:
        """The number of those; None means all."""
        return sum(
            count
            for (of_health, of_provider), count in self.cells.items()
            if health in (None, of_health) and provider in (None, of_provider)
        )


def counted(connectors: Iterable[FleetConnector]) -> Counts:
    """The connectors by health and provider; a health nobody knows counts as UNKNOWN."""
    cells: Counter[tuple[str, str]] = Counter(
        (connector.health if connector.health in _RANKS else "UNKNOWN", connector.provider)
        for connector in connectors
        if connector.change is not ChangeKind.GONE
    )
    return Counts(tuple(sorted({provider for _, provider in cells})), cells)


@dataclass(frozen=True, slots=True)
class Cause:
    """Root causes that are alike, and how many connectors have one on how many connections.

    `example` is one of them whole, the most frequent.
    """

    text: str
    connectors: int
    connections: int
    example: str


def causes(connectors: Iterable[FleetConnector]) -> tuple[Cause, ...]:
    """The root causes, most frequent first; outages are shown elsewhere."""
    groups: dict[str, list[FleetConnector]] = {}
    for connector in connectors:
        if (
            connector.cause
            and not connector.is_unreachable
            and connector.change is not ChangeKind.GONE
        ):
            groups.setdefault(connector.cause_group, []).append(connector)
    grouped = (_grouped(text, each) for text, each in groups.items())
    return tuple(sorted(grouped, key=lambda cause: (-cause.connectors, cause.text)))


def _grouped(text: str, connectors: Sequence[FleetConnector]) -> Cause:
    connections = {connector.connection for connector in connectors}
    counts = Counter(connector.cause for connector in connectors)
    example = min(counts, key=lambda cause: (-counts[cause], cause))
    return Cause(text, len(connectors), len(connections), example)
