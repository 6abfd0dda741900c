"""The fleet as values: nothing is lost, nothing is invented, the worst stands first."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connstat_sql.database.macros import Macros
from connstat_sql.monitor.changes import ChangeKind
from connstat_sql.top.columns import COLUMNS, MARK_WIDTH, Sorting, fitted, placed, since, tasks
from connstat_sql.top.filter import FleetFilter
from connstat_sql.top.model import (
    HEALTHS,
    UNREACHABLE,
    Fleet,
    FleetConnector,
    Outage,
    causes,
    compared,
    counted,
    read,
)
from connstat_sql.top.query import FleetQuery
from tests.examples import examples
from tests.fakes.top_fleets import connector, fleet, table

CONNECTIONS = ("plant_a", "plant_b", "cloud")
DOWN = Outage("plant_b", "kafka_connect", "refused the connection")
DUCKDB = duckdb.connect()
CASED = "aB %_'\\ß"
"""Letters of which Python and DuckDB make the same small ones, and those that LIKE would read."""

connectors = st.lists(
    st.builds(
        connector,
        name=st.text("ab/ é", min_size=1, max_size=3),
        health=st.sampled_from([*HEALTHS[1:], "ODD"]),
        connection=st.sampled_from(CONNECTIONS),
        provider=st.sampled_from(["kafka_connect", "confluent"]),
        tasks_failed=st.integers(0, 3),
        cause=st.sampled_from(["", "no answer", "no room"]),
    ),
    max_size=12,
    unique_by=lambda one: one.key,
)
outages = st.lists(
    st.builds(Outage, st.sampled_from(CONNECTIONS), st.just("kafka_connect"), st.text()), max_size=2
)


def living(found: Fleet) -> list[FleetConnector]:
    return [
        one
        for one in found.connectors
        if not one.is_unreachable and one.change is not ChangeKind.GONE
    ]


# --- reading -------------------------------------------------------------------------------------


def test_a_table_is_read_whole_and_nulls_become_blanks() -> None:
    bare = pa_row(health=None, provider="p", _connection="c", connector_name="n")
    (one,) = read(bare)
    assert (one.health, one.state, one.scope, one.cause) == ("UNKNOWN", "", "", "")
    assert (one.tasks_total, one.observed_at) == (None, None)
    assert (tasks(one), since(one)) == ("", "")


def pa_row(**values: object) -> pa.Table:
    schema = table([]).schema
    return pa.Table.from_pylist([dict.fromkeys(schema.names) | values], schema=schema)


def test_rows_of_one_name_stay_apart() -> None:
    twins = read(table([connector("x"), connector("x"), connector("y")]))
    assert len({one.key for one in twins}) == 3


@settings(max_examples=examples(50), deadline=None)
@given(connectors)
def test_what_is_written_to_a_table_is_what_is_read(found: list[FleetConnector]) -> None:
    again = read(table(found))
    assert [one.key for one in again] == [one.key for one in found]
    assert [one.health for one in again] == [one.health for one in found]
    assert [one.tasks_failed or 0 for one in again] == [one.tasks_failed for one in found]


# --- order and counts ----------------------------------------------------------------------------


@settings(max_examples=examples(50), deadline=None)
@given(connectors, outages)
def test_the_worst_stands_first_and_every_connector_once(
    found: list[FleetConnector], down: list[Outage]
) -> None:
    shown = fleet(found, down).connectors
    ranks = [HEALTHS.index(one.health if one.health in HEALTHS else "UNKNOWN") for one in shown]
    assert ranks == sorted(ranks)
    assert Counter(one.key for one in shown if not one.is_unreachable) == Counter(
        one.key for one in found
    )
    assert sum(one.is_unreachable for one in shown) == len({(o.connection, o.scope) for o in down})


@settings(max_examples=examples(50), deadline=None)
@given(connectors, outages)
def test_counts_add_up_in_both_directions(found: list[FleetConnector], down: list[Outage]) -> None:
    shown = fleet(found, down).connectors
    counts = counted(shown)
    assert counts.of() == len(shown)
    assert counts.of() == sum(counts.of(health) for health in HEALTHS)
    assert counts.of() == sum(counts.of(None, provider) for provider in counts.providers)


@settings(max_examples=examples(50), deadline=None)
@given(connectors)
def test_causes_are_those_of_the_connectors_the_most_frequent_first(
    found: list[FleetConnector],
) -> None:
    grouped = causes(found)
    assert sum(one.connectors for one in grouped) == sum(bool(one.cause) for one in found)
    assert [one.connectors for one in grouped] == sorted(
        (one.connectors for one in grouped), reverse=True
    )


def test_alike_causes_are_one_with_the_most_frequent_as_its_example() -> None:
    texts = ["no host a", "no host b", "no host b", "full"]
    found = [
        connector(str(number), "UNHEALTHY", cause=text, cause_group=text[:7])
        for number, text in enumerate(texts)
    ]
    assert [(one.text, one.example, one.connectors) for one in causes(found)] == [
        ("no host", "no host b", 3),
        ("full", "full", 1),
    ]


@pytest.mark.parametrize("width", [78, 100, 140])
def test_the_root_cause_and_the_name_have_the_most_room(width: int) -> None:
    widths = {COLUMNS[place.column].title: place.width for place in placed(width)}
    cause, name = widths.pop("ROOT CAUSE"), widths.pop("CONNECTOR")
    assert cause >= 24
    assert cause >= name >= 18
    assert max(widths.values()) < name


@settings(max_examples=examples(50), deadline=None)
@given(connectors, st.integers(0, len(COLUMNS) - 1), st.booleans())
def test_sorting_by_any_column_loses_nothing(
    found: list[FleetConnector], column: int, is_reversed: bool
) -> None:
    shown = fleet(found).connectors
    by = Sorting(column, is_reversed).sort(shown)
    assert sorted(one.key for one in by) == sorted(one.key for one in shown)
    orders = [COLUMNS[column].order(one) for one in by]
    assert orders == sorted(orders, reverse=is_reversed)


def test_choosing_a_column_twice_turns_it_round() -> None:
    once = Sorting().chosen(4)
    assert (once, once.chosen(4)) == (Sorting(4), Sorting(4, is_reversed=True))
    assert once.chosen(4).chosen(4) == once


# --- from one refresh to the next ----------------------------------------------------------------


@settings(max_examples=examples(50), deadline=None)
@given(connectors, connectors, outages)
def test_between_refreshes_nothing_is_lost_and_nothing_of_a_lost_cluster_is_gone(
    before: list[FleetConnector], after: list[FleetConnector], down: list[Outage]
) -> None:
    first = fleet(before)
    second = fleet(after, down, first, at=2000.0)
    lost = {one.connection for one in down}
    new = {one.key for one in after}
    for one in second.connectors:
        if one.change is ChangeKind.GONE:
            assert one.key not in new
            assert one.connection not in lost
        if one.is_stale:
            assert one.connection in lost
            assert one.key not in new
    keys = {one.key for one in second.connectors if not one.is_unreachable}
    assert keys == {one.key for one in before} | new


@settings(max_examples=examples(50), deadline=None)
@given(connectors, outages)
def test_a_fleet_that_stays_as_it_is_has_no_changes(
    found: list[FleetConnector], down: list[Outage]
) -> None:
    first = fleet(found, down)
    assert not fleet(found, down, first, at=2000.0).changes


@settings(max_examples=examples(50), deadline=None)
@given(connectors, connectors, outages)
def test_a_moment_later_marks_have_faded_and_what_has_gone_is_gone(
    before: list[FleetConnector], after: list[FleetConnector], down: list[Outage]
) -> None:
    found = fleet(after, down, fleet(before), at=2000.0)
    settled = found.settled()
    assert not settled.changes
    assert all(one.change is None for one in settled.connectors)
    assert [one.key for one in living(settled)] == [one.key for one in living(found)]


def test_what_came_what_changed_and_what_went_is_told_apart() -> None:
    first = fleet([connector("stays"), connector("breaks"), connector("goes")])
    second = fleet(
        [connector("stays"), connector("breaks", "UNHEALTHY"), connector("comes")],
        before=first,
        at=2000.0,
    )
    told = {one.name: one.change for one in second.connectors}
    assert told == {
        "stays": None, "breaks": ChangeKind.CHANGED, "comes": ChangeKind.APPEARED,
        "goes": ChangeKind.GONE,
    }  # fmt: skip
    assert second.changes == {
        ChangeKind.CHANGED: 1,
        ChangeKind.APPEARED: 1,
        ChangeKind.GONE: 1,
    }
    assert fleet([connector("goes")], before=second).connectors[-1].change is not None


def test_a_state_is_dated_when_it_is_seen_to_begin() -> None:
    first = fleet([connector("orders")], at=1000.0)
    assert since(first.connectors[0]).startswith("<")
    second = fleet([connector("orders", "UNHEALTHY")], before=first, at=2000.0)
    third = fleet([connector("orders", "UNHEALTHY")], before=second, at=3000.0)
    (one,) = third.connectors
    assert (one.since, one.is_since_known, one.change) == (2000.0, True, None)
    assert not since(one).startswith("<")


def test_an_unreachable_cluster_is_shown_with_its_last_rows_and_never_as_an_empty_list() -> None:
    first = fleet([connector("orders", connection="plant_b"), connector("bills")])
    second = fleet([connector("bills")], [DOWN], first)
    top, *others = second.connectors
    assert (top.health, top.connection, top.cause) == (UNREACHABLE, "plant_b", DOWN.message)
    assert {one.name: one.is_stale for one in others} == {"orders": True, "bills": False}
    assert not second.complete
    back = fleet([connector("orders", connection="plant_b"), connector("bills")], (), second)
    assert {one.is_stale for one in back.connectors} == {False}
    assert not back.changes


def test_connectors_of_a_cluster_that_answers_for_the_first_time_are_not_new() -> None:
    first = fleet([connector("bills")], [DOWN])
    second = fleet([connector("bills"), connector("orders", connection="plant_b")], (), first)
    assert not second.changes


def test_one_cluster_is_down_once_however_many_requests_failed() -> None:
    found = compared(None, [], [DOWN, replace(DOWN, message="not asked")], 0.0)
    assert [one.cause for one in found] == [DOWN.message]


# --- what is wanted ------------------------------------------------------------------------------


wanted = st.builds(
    FleetFilter,
    text=st.text(CASED, max_size=3),
    healths=st.frozensets(st.sampled_from(HEALTHS)),
    providers=st.frozensets(st.sampled_from(["kafka_connect", "confluent"])),
    cause=st.sampled_from(["", "It's A%"]),
)


@settings(max_examples=examples(60), deadline=None)
@given(
    wanted,
    st.lists(
        st.builds(
            connector,
            name=st.text(CASED, max_size=4),
            health=st.sampled_from(HEALTHS[1:]),
            cause=st.sampled_from(["", "It's A%", "other"]),
        ),
        max_size=6,
    ),
)
def test_the_sql_that_is_shown_takes_the_rows_that_are_shown(
    want: FleetFilter, found: list[FleetConnector]
) -> None:
    rows = table(found)
    predicates = " AND ".join(("true", *want.predicates()))
    with DUCKDB.cursor() as con:
        Macros(con).make(predicates, is_lasting=False)
        con.register("rows", rows)
        names = con.sql(f"SELECT connector_name FROM rows WHERE {predicates}").fetchall()
    assert Counter(name or "" for (name,) in names) == Counter(
        one.name for one in found if want.takes(one)
    )


def test_the_statement_holds_the_predicate_of_its_user_as_it_is() -> None:
    sql = FleetQuery(("plant_a",), ("kafka_connect",), "state = 'FAILED' -- only").sql()
    assert "\"_connection\" IN ('plant_a')" in sql
    assert "(state = 'FAILED' -- only\n)" in sql
    shown = FleetQuery(where="true").shown(FleetFilter(text="o'r"))
    assert shown.index("'o''r'") > shown.index("(true\n)")
    assert shown.endswith(";")


@pytest.mark.parametrize("value", ["x'; DROP TABLE t; --", "${name}"])
def test_the_name_of_a_connector_is_only_ever_a_value(value: str) -> None:
    sql, arguments = FleetQuery().of(connector(value))
    assert value not in sql
    assert arguments["name"] == value


# --- on the screen -------------------------------------------------------------------------------


@settings(max_examples=examples(50), deadline=None)
@given(st.integers(0, 400))
def test_columns_never_overlap_and_never_leave_the_screen(width: int) -> None:
    end = MARK_WIDTH
    for place in placed(width):
        assert place.start >= end
        assert place.width > 0
        end = place.start + place.width
        assert end <= max(width, MARK_WIDTH)


@settings(max_examples=examples(50), deadline=None)
@given(st.text(max_size=12), st.integers(0, 12), st.booleans())
def test_a_text_fits_its_cells_and_obeys_nothing(text: str, width: int, is_right: bool) -> None:
    from rich.cells import cell_len

    shown = fitted(text, width, is_right=is_right)
    assert cell_len(shown) == width
    assert "\x1b" not in shown
    assert "\n" not in shown


def test_what_is_cut_off_is_seen_to_be() -> None:
    assert fitted("orders-sink", 6) == "order…"
    assert fitted("orders-sink", 6, more="~") == "order~"
    assert fitted("日本語テキスト", 7).rstrip().endswith("…")
    assert fitted("a\x1b[31mb", 8) == "a?[31mb "
