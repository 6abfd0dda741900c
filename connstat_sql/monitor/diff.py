"""What changed between one run and the next; what is not known is never taken for gone."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import pyarrow as pa

from connstat_sql.monitor.rows import CONNECTION, Identity, RememberedRow, decoded, differing, read

_Connections = frozenset[str | None]
"""Names of connections; None stands for rows that do not tell theirs."""


class ChangeKind(str, Enum):
    """What happened to a row, or to a connection."""

    PRESENT = "present"  # found when its connection was looked at for the first time
    APPEARED = "appeared"
    CHANGED = "changed"
    GONE = "gone"
    UNREACHABLE = "unreachable"
    REACHABLE = "reachable"


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
        self._known: dict[bytes, list[RememberedRow]] = {}
        self._failing: dict[str, tuple[float, str]] = {}
        self._unseen: _Connections | None = None
        self._shared: bytes | None = None

    @property
    def count(self) -> int:
        """How many rows are known."""
        return sum(map(len, self._known.values()))

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

        A row is told as changed where one row of a key took the place of one; of several with the
        same key, those that are no longer there are gone and the others have appeared.
        """
        of_connections = tuple(self._connections(snapshot))
        if snapshot.table is None or (snapshot.failures and not snapshot.is_independent):
            return of_connections
        silent = frozenset((*snapshot.failures, None)) if snapshot.failures else frozenset()
        now = _by_key(
            row for row in read(snapshot.table, self._identity) if not _is_of(row, silent)
        )
        known, silent_rows = self._split(silent)
        changes = (*of_connections, *self._compare(snapshot.at, known, now))
        self._unseen = silent if self._unseen is None else self._unseen & silent
        self._remember(now, silent_rows)
        return changes

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

    def _split(
        self, silent: _Connections
    ) -> tuple[dict[bytes, list[RememberedRow]], list[RememberedRow]]:
        """The known rows to compare with, and those that stay as they are."""
        if not silent:
            return self._known, []
        rows = [row for group in self._known.values() for row in group]
        known = _by_key(row for row in rows if not _is_of(row, silent))
        return known, [row for row in rows if _is_of(row, silent)]

    def _compare(
        self,
        at: float,
        known: Mapping[bytes, list[RememberedRow]],
        now: Mapping[bytes, list[RememberedRow]],
    ) -> Iterator[RowChange]:
        for key, rows in now.items():
            before = known.get(key, [])
            if len(before) == len(rows) == 1 and before[0].face == rows[0].face:
                continue
            yield from self._between(at, before, rows)
        for key, before in known.items():
            if key not in now:
                yield from self._between(at, before, [])

    def _between(
        self, at: float, before: list[RememberedRow], rows: list[RememberedRow]
    ) -> Iterator[RowChange]:
        new, old = _without(rows, before), _without(before, rows)
        if len(new) == len(old) == 1:
            yield self._changed(at, old[0], new[0])
            return
        for row in new:
            is_first = self._unseen is None or row.connection in self._unseen
            if self._tells_present or not is_first:
                kind = ChangeKind.PRESENT if is_first else ChangeKind.APPEARED
                yield RowChange(at, kind, self._key(row), decoded(row.text))
        for row in old:
            yield RowChange(at, ChangeKind.GONE, self._key(row), None, decoded(row.text))

    def _changed(self, at: float, old: RememberedRow, new: RememberedRow) -> RowChange:
        row, before = decoded(new.text), decoded(old.text)
        counts = self._identity.counts
        changed = tuple(name for name in differing(before, row) if counts(name))
        return RowChange(at, ChangeKind.CHANGED, self._key(new), row, before, changed)

    def _key(self, row: RememberedRow) -> Mapping[str, Any] | None:
        if not self._identity.key:
            return None
        values = {name.lower(): (name, value) for name, value in decoded(row.key).items()}
        return dict(values[name.lower()] for name in self._identity.key)

    def _remember(
        self, now: dict[bytes, list[RememberedRow]], silent_rows: list[RememberedRow]
    ) -> None:
        if self._identity.key and self._shared is None:
            self._shared = next((key for key, rows in now.items() if len(rows) > 1), None)
        for row in silent_rows:
            now.setdefault(row.key, []).append(row)
        self._known = now


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


def _is_of(row: RememberedRow, connections: _Connections) -> bool:
    return row.connection in connections


def _by_key(rows: Iterable[RememberedRow]) -> dict[bytes, list[RememberedRow]]:
    groups: defaultdict[bytes, list[RememberedRow]] = defaultdict(list)
    for row in rows:
        groups[row.key].append(row)
    return dict(groups)


def _without(rows: list[RememberedRow], others: list[RememberedRow]) -> list[RememberedRow]:
    """The rows that have no counterpart among the others, each of which is one for one row."""
    counts, left = Counter(row.face for row in others), []
    for row in rows:
        if counts[row.face]:
            counts[row.face] -= 1
        else:
            left.append(row)
    return left
