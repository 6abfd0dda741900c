"""Rows of one look and of the next → what changed; what is not known is never taken for gone.

`connstat watch` and `connstat top` both ask here. Text and numbers alone: no DuckDB, no Arrow.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Hashable, Iterable, Iterator
from enum import Enum
from typing import Generic, NamedTuple, Protocol, TypeVar


class ChangeKind(str, Enum):
    """What happened to a row, or to a connection."""

    PRESENT = "present"  # found when its connection was looked at for the first time
    APPEARED = "appeared"
    CHANGED = "changed"
    GONE = "gone"
    UNREACHABLE = "unreachable"
    REACHABLE = "reachable"


class ComparableRow(Protocol):
    """Rows with equal `key` are one row seen again, and with an equal `face` unchanged too."""

    @property
    def key(self) -> Hashable:
        """What tells it apart."""

    @property
    def face(self) -> Hashable:
        """What is compared of it."""

    @property
    def connection(self) -> str | None:
        """The name of the connection that it depends on; None: it does not tell."""


Row = TypeVar("Row", bound=ComparableRow)


class Difference(NamedTuple, Generic[Row]):
    """What became of a row: as it was known, and as it is now. `kind` is None: nothing."""

    kind: ChangeKind | None
    before: Row | None
    now: Row | None

    @property
    def is_kept(self) -> bool:
        """Whether it stays as it was last known, as its connection did not say."""
        return self.kind is None and self.now is None


def differences(
    before: Iterable[Row],
    now: Collection[Row],
    silent: Collection[str | None],
    unseen: Collection[str | None] | None,
) -> Iterator[Difference[Row]]:
    """What became of the rows that were known, and which are new.

    `silent` are connections that did not give all that they were asked for: nothing of them is
    gone. `unseen` are those that never gave anything (None: all): their rows have not appeared,
    they are present. A row is changed where one row of a key took the place of one; of several
    with the same key, those that are no longer there are gone and the others have appeared.
    """
    came = {(row.key, row.connection) for row in now} if silent else ()
    known: defaultdict[Hashable, list[Row]] = defaultdict(list)
    current: defaultdict[Hashable, list[Row]] = defaultdict(list)
    for row in before:
        if row.connection in silent and (row.key, row.connection) not in came:
            yield Difference(None, row, None)
        else:
            known[row.key].append(row)
    for row in now:
        current[row.key].append(row)
    for key, rows in current.items():
        yield from _of_key(known.pop(key, []), rows, unseen)
    for rows in known.values():
        yield from _of_key(rows, [], unseen)


def _of_key(
    before: list[Row], now: list[Row], unseen: Collection[str | None] | None
) -> Iterator[Difference[Row]]:
    if len(before) == len(now) == 1:
        is_same = before[0].face == now[0].face
        yield Difference(None if is_same else ChangeKind.CHANGED, before[0], now[0])
        return
    same: defaultdict[Hashable, deque[Row]] = defaultdict(deque)
    for row in now:
        same[row.face].append(row)
    gone = list[Row]()
    for row in before:
        if same[row.face]:
            yield Difference(None, row, same[row.face].popleft())
        else:
            gone.append(row)
    new = [row for rows in same.values() for row in rows]
    if len(new) == len(gone) == 1:
        yield Difference(ChangeKind.CHANGED, gone[0], new[0])
        return
    for row in new:
        is_first = unseen is None or row.connection in unseen
        yield Difference(ChangeKind.PRESENT if is_first else ChangeKind.APPEARED, None, row)
    for row in gone:
        yield Difference(ChangeKind.GONE, row, None)
