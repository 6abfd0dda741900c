"""TPC-H over paged REST resources (see `tests/tpch`): the answers, and what was asked for them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import pytest

from connstat_sql.definitions.loader import Library, validate
from tests.shop.bench import Bench
from tests.tabled import over
from tests.tpch.bench import NUMBERS, bench_of, sql_of
from tests.tpch.data import SHOP

pytestmark = pytest.mark.long

AS_BY_HAND = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 17, 18, 19, 20, 21, 22}
"""Queries that cost no more requests than a careful engineer would send; none may leave.

14 costs one of 205 more, to find out that there are many orders.
"""


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    opened = bench_of()
    yield opened
    opened.close()


def test_the_definitions_are_sound() -> None:
    assert validate([SHOP.providers], Library([SHOP.providers])) == ()


@over("number", NUMBERS)
def test_a_query_answers_as_duckdb_does_over_full_copies(bench: Bench, number: int) -> None:
    assert bench.trial(number).fault == ""


@over("number", NUMBERS)
def test_a_query_finds_something(bench: Bench, number: int) -> None:
    """Otherwise an empty answer would pass for the right one."""
    rows = bench.trial(number).expected.to_pylist()
    assert any(value is not None for value in chain.from_iterable(row.values() for row in rows))


@over("number", NUMBERS)
def test_planning_a_query_sends_nothing(bench: Bench, number: int) -> None:
    assert bench.trial(number).sent_by_planning == ()


@over("number", NUMBERS)
def test_a_query_asks_nothing_twice(bench: Bench, number: int) -> None:
    asked = bench.trial(number).asked
    assert len(asked) == len(set(asked))


def test_a_query_costs_what_it_costs_by_hand(bench: Bench) -> None:
    trials = {number: bench.trial(number) for number in NUMBERS}
    reached = {
        number
        for number, (requests, _) in bench.by_hand().items()
        if not trials[number].fault and len(trials[number].asked) <= requests
    }
    assert reached >= AS_BY_HAND


def test_query_15_may_be_written_with_a_view(bench: Bench) -> None:
    """As the benchmark itself writes it."""
    common, found, rest = sql_of(15).partition("SELECT s_suppkey")
    name, body = common.partition("WITH ")[2].split(" AS (", 1)
    view = f"CREATE VIEW {name} AS {body.rstrip().removesuffix(')')}"
    _, result, _ = bench.engine.run(f"{view}; {found}{rest}; DROP VIEW revenue")
    assert result.table.to_pylist() == bench.trial(15).expected.to_pylist()


def test_lines_are_reached_by_a_key_alone(bench: Bench) -> None:
    """There is no list of them, so their keys come from somewhere, or are refused."""
    trial = bench.try_sql("SELECT count(*) FROM tpch.sales.lineitem WHERE l_orderkey IN (1, 2, 3)")
    assert trial.fault == ""
    assert sorted(trial.asked) == [f"http://tpch.test/orders/{key}/lines" for key in (1, 2, 3)]
