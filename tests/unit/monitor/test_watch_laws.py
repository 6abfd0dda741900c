"""Any sequence of looks is told as a simple oracle tells it, and replays to the last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connstat_sql.monitor.changes import ChangeKind
from connstat_sql.monitor.diff import Memory
from connstat_sql.monitor.rows import Identity
from tests.examples import examples
from tests.fakes.watched import KEYED, NAMES, look

CONNECTIONS = ("a", "b")
_row = st.tuples(
    st.sampled_from(CONNECTIONS), st.sampled_from("xyz"), st.sampled_from(["RUNNING", "FAILED"]),
    st.sampled_from([None, "w1"]),
)  # fmt: skip
_look = st.tuples(st.lists(_row, max_size=6), st.sets(st.sampled_from(CONNECTIONS)))
Row = tuple[Any, ...]


class Oracle:
    """The same, told simply: what is known of each connection, and how groups of rows differ."""

    def __init__(self, key: Sequence[str]) -> None:
        self._key = [NAMES.index(name) for name in key or NAMES]
        self.known: dict[str, Counter[Row]] = {}

    def take(self, found: Sequence[Row], failing: set[str]) -> Counter[tuple[ChangeKind, Any, Any]]:
        expected: Counter[tuple[ChangeKind, Any, Any]] = Counter()
        old, new = Counter[Row](), Counter[Row]()
        for name in set(CONNECTIONS) - failing:
            rows_now = Counter(row for row in found if row[0] == name)
            if name in self.known:
                new += rows_now
                old += self.known[name]
            else:
                for row, count in rows_now.items():
                    expected[ChangeKind.PRESENT, None, row] += count
            self.known[name] = rows_now
        for group in self._groups(old - new, new - old):
            gone, came = group
            if len(gone) == len(came) == 1:
                expected[ChangeKind.CHANGED, gone[0], came[0]] += 1
                continue
            expected.update((ChangeKind.GONE, row, None) for row in gone)
            expected.update((ChangeKind.APPEARED, None, row) for row in came)
        return expected

    def _groups(self, gone: Counter[Row], came: Counter[Row]) -> Iterator[tuple[list[Row], ...]]:
        def key_of(row: Row) -> Row:
            return tuple(row[place] for place in self._key)

        for key in {key_of(row) for row in (*gone, *came)}:
            yield tuple(
                [row for row in rows_.elements() if key_of(row) == key] for rows_ in (gone, came)
            )


def as_tuple(row: Mapping[str, Any] | None) -> Row | None:
    return None if row is None else tuple(row[name] for name in NAMES)


@pytest.mark.parametrize("key", [(), ("_connection", "name")])
@given(looks=st.lists(_look, max_size=8))
@settings(max_examples=examples(120), deadline=None)
def test_any_looks_are_told_as_the_oracle_tells_them_and_replay_to_the_last(
    key: tuple[str, ...], looks: list[tuple[list[Row], set[str]]]
) -> None:
    memory, oracle, replayed = Memory(Identity(key)), Oracle(key), Counter[Row | None]()
    for found, failing in looks:
        changes = [
            change
            for change in memory.take(look(*found, failing=sorted(failing)))
            if change.kind not in (ChangeKind.REACHABLE, ChangeKind.UNREACHABLE)
        ]
        assert oracle.take(found, failing) == Counter(
            (change.kind, as_tuple(change.before), as_tuple(change.row)) for change in changes
        )
        for change in changes:
            assert not {one["_connection"] for one in (change.row, change.before) if one} & failing
            if change.before is not None:
                assert replayed[as_tuple(change.before)] > 0
                replayed[as_tuple(change.before)] -= 1
            if change.row is not None:
                replayed[as_tuple(change.row)] += 1
        assert +replayed == sum(oracle.known.values(), Counter())
        assert memory.count == replayed.total()


@given(st.lists(st.lists(_row, max_size=6, unique_by=lambda row: row[:2]), max_size=8))
@settings(deadline=None)
def test_with_a_state_the_changes_replay_to_the_last_states(looks: list[list[Row]]) -> None:
    memory, states = Memory(Identity(("_connection", "name"), "state")), dict[Row, Any]()
    for found in looks:
        for change in memory.take(look(*found)):
            assert change.key is not None
            key = tuple(change.key.values())
            assert states.get(key) == (change.before and change.before["state"])
            states[key] = change.row and change.row["state"]
        known = {key: state for key, state in states.items() if state is not None}
        assert known == {row[:2]: row[2] for row in found}


@given(looks=st.lists(st.sets(st.sampled_from(CONNECTIONS)), max_size=10))
@settings(deadline=None)
def test_a_connection_is_unreachable_and_reachable_by_turns(looks: list[set[str]]) -> None:
    memory, down = Memory(KEYED), set[str]()
    for failing in looks:
        for change in memory.take(look(failing=sorted(failing))):
            assert change.key is not None
            name = change.key["_connection"]
            assert (change.kind is ChangeKind.REACHABLE) == (name in down)
            down ^= {name}
        assert down == failing
