"""What changed between one run and the next; what is not known is never taken for gone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from connstat_sql.monitor.changes import ChangeKind, differences
from connstat_sql.monitor.rows import CONNECTION, Identity, RememberedRow, decoded, differing, read

_Connections = frozenset[str | None]
"""Names of connections; None stands for rows that do not tell theirs."""


@dataclass(frozen=True, slots=True)
class RowChange:
    """One change, seen at a time in seconds since the epoch.

    `key` holds the key columns (None: the whole row is its key), of a connection its name. `row`
    is the row as it is (None: it is gone), `before` as it was last known (None: it was not).
    `changed` are the columns that are worth telling. Of a connection that gave no answer `row`
    says why, and since when in seconds since the epoch; once it answers that is `before`.
    """

    at: float
    kind: ChangeKind
    key: Mapping[str, Any] | None
    row: Mapping[str, Any] | None = None
    before: Mapping[str, Any] | None = None
    changed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one run found, at a time in seconds since the epoch.

    `table` is None when the run had no result. `failures` are the connections that did not give
    all that they were asked for, each with what is wrong. `is_independent` says that a row depends
    on no connection but the one that its column `_connection` names.
    """

    at: float
    table: pa.Table | None
    failures: Mapping[str, str] = field(default_factory=dict)
    is_independent: bool = False


class Memory:
    """The last known rows, and what a further snapshot says of them.

    Where requests failed, the rows of those connections stay as they were last known, and so do
    rows that do not tell their connection; where rows depend on several connections, all do. The
    rows of the first snapshot of a connection are `present`, however late it comes.
    """

    def __init__(self, identity: Identity, *, tells_present: bool = True) -> None:
        """`tells_present` says whether the rows of first snapshots are changes to tell."""
        self._identity = identity
        self._tells_present = tells_present
        self._known: list[RememberedRow] = []
        self._failing: dict[str, tuple[float, str]] = {}
        self._unseen: _Connections | None = None
        self._shared: bytes | None = None

    @property
    def count(self) -> int:
        """How many rows are known."""
        return len(self._known)

    @property
    def shared_key(self) -> Mapping[str, Any] | None:
        """A key that several rows had at once, which says that it is none; None: there was none."""
        return None if self._shared is None else decoded(self._shared)

    @property
    def has_begun(self) -> bool:
        """Whether rows have been looked at, so that there is something to compare with."""
        return self._unseen is not None

    def take(self, snapshot: Snapshot) -> tuple[RowChange, ...]:
        """What a snapshot changes, connections first. Raises QueryError for a missing column.

        What `differences` says of a row is told, of those connections alone that gave all.
        """
        of_connections = tuple(self._connections(snapshot))
        if snapshot.table is None or (snapshot.failures and not snapshot.is_independent):
            return of_connections
        silent = frozenset((*snapshot.failures, None)) if snapshot.failures else frozenset()
        rows = read(snapshot.table, self._identity)
        now = [row for row in rows if row.connection not in silent]
        seen = [*differences(self._known, now, silent, self._unseen)]
        self._unseen = silent if self._unseen is None else self._unseen & silent
        self._remember(now, [row.before for row in seen if row.before and row.is_kept])
        changes = (self._told(snapshot.at, row.kind, row.before, row.now) for row in seen)
        return (*of_connections, *filter(None, changes))

    def _connections(self, snapshot: Snapshot) -> Iterator[RowChange]:
        for name, why in snapshot.failures.items():
            if name not in self._failing:
                self._failing[name] = snapshot.at, why
                row = _of_connection(name, snapshot.at, why)
                yield RowChange(snapshot.at, ChangeKind.UNREACHABLE, {CONNECTION: name}, row)
        if snapshot.table is None or (snapshot.failures and not snapshot.is_independent):
            return  # whether it was asked at all is not known
        for name in [name for name in self._failing if name not in snapshot.failures]:
            before = _of_connection(name, *self._failing.pop(name))
            yield RowChange(snapshot.at, ChangeKind.REACHABLE, {CONNECTION: name}, None, before)

    def _told(
        self,
        at: float,
        kind: ChangeKind | None,
        before: RememberedRow | None,
        now: RememberedRow | None,
    ) -> RowChange | None:
        """What there is to tell of a row; None: nothing."""
        named = now or before
        is_hidden = kind is ChangeKind.PRESENT and not self._tells_present
        if kind is None or named is None or is_hidden:
            return None
        row, old = (None if each is None else decoded(each.text) for each in (now, before))
        changed = () if row is None or old is None else differing(old, row)
        counted = tuple(name for name in changed if self._identity.counts(name))
        return RowChange(at, kind, self._key(named), row, old, counted)

    def _key(self, row: RememberedRow) -> Mapping[str, Any] | None:
        if not self._identity.key:
            return None
        values = {name.lower(): (name, value) for name, value in decoded(row.key).items()}
        return dict(values[name.lower()] for name in self._identity.key)

    def _remember(self, now: list[RememberedRow], kept: Iterable[RememberedRow]) -> None:
        if self._identity.key and self._shared is None:
            counts = Counter(row.key for row in now)
            self._shared = next((key for key, count in counts.items() if count > 1), None)
        self._known = [*now, *kept]


@dataclass(frozen=True, slots=True)
class WatchRun:
    """One run of a query that is watched: the beats missed before it, and what it changes."""

    missed: int
    snapshot: Snapshot
    changes: tuple[RowChange, ...]


def watch(run: Callable[[], Snapshot], memory: Memory, times: Iterable[int]) -> Iterator[WatchRun]:
    """Run a query at each of the times, which say how many were missed before."""
    for missed in times:
        snapshot = run()
        yield WatchRun(missed, snapshot, memory.take(snapshot))


def _of_connection(name: str, since: float, why: str) -> dict[str, Any]:
    return {CONNECTION: name, "message": why, "since": since}
