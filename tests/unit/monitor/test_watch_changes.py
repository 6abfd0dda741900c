"""What changed between two looks: exactly that, and nothing of what could not be looked at."""

from __future__ import annotations

import gc
import json
import tracemalloc
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connstat_sql.database.session import Session
from connstat_sql.database.source_map import SourceText
from connstat_sql.errors import QueryError
from connstat_sql.monitor.changes import ChangeKind
from connstat_sql.monitor.diff import Memory, RowChange, Snapshot
from connstat_sql.monitor.format import jsonl, text
from connstat_sql.monitor.rows import Identity
from tests.fakes.watched import KEYED, NAMES, START, look, rows


def told(changes: Sequence[RowChange]) -> list[str]:
    """Changes without their time."""
    return [" ".join(text(change).split()[1:]) for change in changes]


def kinds(changes: Sequence[RowChange]) -> list[ChangeKind]:
    return [change.kind for change in changes]


def test_appeared_gone_and_changed_are_told_by_the_key() -> None:
    memory = Memory(KEYED)
    first = memory.take(look(("a", "orders", "RUNNING", "w1"), ("a", "bills", "RUNNING", "w1")))
    assert kinds(first) == [ChangeKind.PRESENT, ChangeKind.PRESENT]
    second = memory.take(look(("a", "orders", "FAILED", "w2"), ("a", "new", "RUNNING", "w1")))
    assert told(second) == [
        "changed _connection=a name=orders state: RUNNING -> FAILED, worker: w1 -> w2",
        "appeared _connection=a name=new state=RUNNING worker=w1",
        "gone _connection=a name=bills",
    ]


def test_the_same_rows_in_another_order_are_no_change() -> None:
    memory = Memory(Identity())
    some = [("a", "orders", "RUNNING", "w1"), ("a", "bills", "RUNNING", "w1")]
    memory.take(look(*some))
    assert memory.take(look(*reversed(some))) == ()


def test_without_a_key_copies_of_a_row_are_counted() -> None:
    memory = Memory(Identity())
    one, other = ("a", "orders", "RUNNING", "w1"), ("a", "bills", "RUNNING", "w1")
    memory.take(look(one, one, one, other))
    kinds = Counter(change.kind for change in memory.take(look(one, other, other)))
    assert kinds == {ChangeKind.GONE: 2, ChangeKind.APPEARED: 1}


def test_with_a_state_only_its_changes_are_told() -> None:
    memory = Memory(Identity(("NAME",), state="State"))
    memory.take(look(("a", "orders", "RUNNING", "w1")))
    assert memory.take(look(("a", "orders", "RUNNING", "w2"))) == ()
    (change,) = memory.take(look(("a", "orders", "FAILED", "w3")))
    assert change.changed == ("state",)
    assert change.before is not None
    assert change.before["worker"] == "w2"


def test_ignored_columns_and_the_time_of_fetching_never_count() -> None:
    names = ("name", "_observed_at", "observed_at", "lag")
    for identity in (Identity(("name",), ignored=("LAG",)), Identity(ignored=("lag",))):
        memory = Memory(identity)
        memory.take(Snapshot(START, rows(names, ("orders", "1", "1", 5))))
        assert memory.take(Snapshot(START, rows(names, ("orders", "2", "2", 9)))) == ()


def test_several_rows_of_one_key_are_gone_and_appear_and_the_key_is_named() -> None:
    memory = Memory(Identity(("name",)))
    memory.take(look(("a", "orders", "RUNNING", "w1")))
    assert memory.shared_key is None
    changes = memory.take(look(("a", "orders", "FAILED", "w1"), ("b", "orders", "RUNNING", "w9")))
    assert Counter(change.kind for change in changes) == {
        ChangeKind.APPEARED: 2,
        ChangeKind.GONE: 1,
    }
    assert memory.shared_key == {"name": "orders"}


@pytest.mark.parametrize(
    ("identity", "words"),
    [
        (Identity(("nam",)), "did you mean name"),
        (Identity(("name",), "stat"), "did you mean state"),
        (Identity(ignored=("lag",)), "_connection, name, state, worker"),
    ],
)
def test_a_column_that_is_not_there_is_an_error_with_those_that_are(
    identity: Identity, words: str
) -> None:
    with pytest.raises(QueryError) as error:
        Memory(identity).take(look(("a", "orders", "RUNNING", "w1")))
    assert words in error.value.hint


def test_a_state_needs_a_key() -> None:
    with pytest.raises(QueryError, match="says nothing without a key"):
        Identity(state="state")


# --- connections that do not answer ---------------------------------------------------------------


def test_an_unreachable_connection_is_told_once_and_its_rows_stay() -> None:
    memory = Memory(KEYED)
    a, b = ("a", "orders", "RUNNING", "w1"), ("b", "bills", "RUNNING", "w2")
    memory.take(look(a, b))
    (change,) = memory.take(look(a, failing=["b"], at=START + 60))
    assert told([change]) == ["unreachable b since 2027-01-15T08:01:00Z: answered 503"]
    assert memory.take(look(a, failing=["b"], at=START + 120)) == ()
    assert told(memory.take(look(a, b, at=START + 180))) == ["reachable b again, after 2m"]


def test_what_happened_meanwhile_is_told_when_the_connection_answers_again() -> None:
    memory = Memory(KEYED)
    memory.take(look(("b", "bills", "RUNNING", "w2"), ("b", "old", "RUNNING", "w2")))
    memory.take(look(("b", "other", "FAILED", "w2"), failing=["b"]))
    after = memory.take(look(("b", "bills", "FAILED", "w2"), ("b", "other", "FAILED", "w2")))
    kind = ChangeKind
    assert kinds(after) == [kind.REACHABLE, kind.CHANGED, kind.APPEARED, kind.GONE]


def test_the_others_are_told_while_one_does_not_answer() -> None:
    memory = Memory(KEYED)
    memory.take(look(("a", "orders", "RUNNING", "w1"), ("b", "bills", "RUNNING", "w2")))
    changes = memory.take(look(("a", "orders", "FAILED", "w1"), failing=["b"]))
    assert kinds(changes) == [ChangeKind.UNREACHABLE, ChangeKind.CHANGED]


def test_rows_first_seen_late_are_present_and_have_not_appeared() -> None:
    memory = Memory(KEYED)
    memory.take(look(("a", "orders", "RUNNING", "w1"), failing=["b"]))
    found = memory.take(look(("a", "orders", "RUNNING", "w1"), ("b", "bills", "RUNNING", "w2")))
    assert kinds(found) == [ChangeKind.REACHABLE, ChangeKind.PRESENT]
    more = memory.take(look(("a", "orders", "RUNNING", "w1"), ("b", "x", "RUNNING", "w2")))
    assert kinds(more) == [ChangeKind.APPEARED, ChangeKind.GONE]


@pytest.mark.parametrize("names", [NAMES, ("where", "name", "state", "worker")])
def test_where_rows_depend_on_all_or_do_not_tell_nothing_is_said_of_any(
    names: Sequence[str],
) -> None:
    is_independent = names is not NAMES
    memory = Memory(Identity(("name",)))
    row = ("a", "orders", "RUNNING", "w1")
    memory.take(Snapshot(START, rows(names, row), is_independent=is_independent))
    down = Snapshot(START, rows(names), {"b": "refused"}, is_independent)
    assert kinds(memory.take(down)) == [ChangeKind.UNREACHABLE]
    back = memory.take(Snapshot(START, rows(names)))
    assert kinds(back) == [ChangeKind.REACHABLE, ChangeKind.GONE]


def test_a_run_without_a_result_changes_no_row() -> None:
    memory = Memory(KEYED)
    memory.take(look(("a", "orders", "RUNNING", "w1")))
    assert kinds(memory.take(Snapshot(START, None, {"a": "refused"}))) == [ChangeKind.UNREACHABLE]
    assert memory.take(Snapshot(START, None)) == ()
    assert memory.count == 1
    before = memory.take(look(("a", "orders", "RUNNING", "w1")))
    assert kinds(before) == [ChangeKind.REACHABLE]


# --- values ---------------------------------------------------------------------------------------


def asked(sql: str) -> pa.Table:
    session = Session()
    try:
        return session.run(SourceText(sql), None)
    finally:
        session.close()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("MAP {'a': 1, 'b': 2}", "MAP {'b': 2, 'a': 1}"),
        ("""'{"a": 1, "b": [1.50]}'::JSON""", """'{"b": [1.50], "a": 1}'::JSON"""),
        ("[{'m': MAP {'a': 1, 'b': 2}}]", "[{'m': MAP {'b': 2, 'a': 1}}]"),
        ("'nan'::DOUBLE", "'nan'::DOUBLE"),
    ],
)
def test_the_order_within_maps_and_json_is_no_change(first: str, second: str) -> None:
    memory = Memory(Identity(("n",)))
    memory.take(Snapshot(START, asked(f"SELECT 1 AS n, {first} AS v")))
    assert memory.take(Snapshot(START, asked(f"SELECT 1 AS n, {second} AS v"))) == ()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("NULL::DOUBLE", "'nan'::DOUBLE"),
        ("NULL::VARCHAR", "''"),
        ("9007199254740993", "9007199254740992"),
        ("'{\"a\": true}'::JSON", "'{\"a\": 1}'::JSON"),
        ("'{\"a\": null}'::JSON", "'{}'::JSON"),
        ("1.10::DECIMAL(20, 2)", "1.11::DECIMAL(20, 2)"),
        ("[1, 2]", "[2, 1]"),
        ("'a'", "'a '"),
        ("TIMESTAMPTZ '2026-01-01 00:00:00.000001Z'", "TIMESTAMPTZ '2026-01-01 00:00:00Z'"),
    ],
)
def test_values_that_differ_in_the_least_are_a_change(first: str, second: str) -> None:
    memory = Memory(Identity(("n",)))
    memory.take(Snapshot(START, asked(f"SELECT 1 AS n, {first} AS v")))
    (change,) = memory.take(Snapshot(START, asked(f"SELECT 1 AS n, {second} AS v")))
    assert (change.kind, change.changed) == (ChangeKind.CHANGED, ("v",))


def test_columns_of_one_name_are_both_compared() -> None:
    memory = Memory(Identity(("n",)))
    memory.take(Snapshot(START, asked("SELECT 1 AS n, 2 AS v, 3 AS v")))
    (change,) = memory.take(Snapshot(START, asked("SELECT 1 AS n, 2 AS v, 4 AS v")))
    assert change.changed == ("v_1",)


def test_rows_of_a_first_look_need_not_be_told() -> None:
    memory = Memory(KEYED, tells_present=False)
    assert memory.take(look(("a", "orders", "RUNNING", "w1"))) == ()
    assert memory.count == 1
    assert kinds(memory.take(look())) == [ChangeKind.GONE]


def test_rows_that_come_and_go_for_ever_leave_nothing_behind() -> None:
    memory, sizes = Memory(KEYED, tells_present=False), []
    tracemalloc.start()
    try:
        for run in range(150):
            memory.take(look(*(("a", f"{run}-{n}", "RUNNING", "w1") for n in range(20))))
            if run in (49, 149):
                gc.collect()
                sizes.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert sizes[1] - sizes[0] < 50_000


# --- what is printed ------------------------------------------------------------------------------


def test_a_key_that_is_null_in_part_is_told_by_the_rest() -> None:
    memory = Memory(Identity(("_connection", "worker")))
    (change,) = memory.take(look(("a", "orders", "RUNNING", None)))
    assert told([change]) == ["present _connection=a name=orders state=RUNNING"]
    assert change.key == {"_connection": "a", "worker": None}


def test_a_line_of_json_has_the_same_keys_whatever_happened() -> None:
    memory = Memory(Identity(("name",)))
    looks = [
        look(("a", "orders", "RUNNING", "w1")), look(("a", "orders", "FAILED", "w1")),
        look(("a", "x", "RUNNING", None)), look(failing=["a"]), look(("a", "x", "RUNNING", None)),
    ]  # fmt: skip
    lines = [json.loads(jsonl(change)) for one in looks for change in memory.take(one)]
    assert {tuple(line) for line in lines} == {("at", "change", "key", "row", "before", "changed")}
    assert {line["change"] for line in lines} == {kind.value for kind in ChangeKind}
    assert lines[0]["at"] == "2027-01-15T08:00:00Z"
    assert lines[1]["changed"] == ["state"]
    assert lines[-1] == {
        "at": "2027-01-15T08:00:00Z", "change": "reachable", "key": {"_connection": "a"},
        "row": None, "changed": [],
        "before": {"_connection": "a", "message": "answered 503", "since": "2027-01-15T08:00:00Z"},
    }  # fmt: skip


def test_numbers_and_times_are_printed_exactly() -> None:
    sql = """SELECT 1180591620717411303424::HUGEINT AS h,
        12345678901234567890.12::DECIMAL(22, 2) AS d,
        TIMESTAMPTZ '2026-01-01 00:00:00Z' AS t, '{"x": 0.1000}'::JSON AS j, MAP {'k': [1]} AS m"""
    (change,) = Memory(Identity()).take(Snapshot(START, asked(sql)))
    row = json.loads(jsonl(change), parse_float=Decimal)["row"]
    assert row["h"] == 2**70
    assert row["d"] == Decimal("12345678901234567890.12")
    assert row["t"] == "2026-01-01T00:00:00Z"
    assert (row["j"], row["m"]) == ({"x": Decimal("0.1000")}, {"k": [1]})


@given(st.text(max_size=200))
def test_a_line_for_people_is_one_line_that_cannot_steer_a_terminal(value: str) -> None:
    (change,) = Memory(Identity()).take(Snapshot(START, rows(("v",), (value,))))
    line = text(change)
    assert line.isprintable()
    assert len(line) < 200
