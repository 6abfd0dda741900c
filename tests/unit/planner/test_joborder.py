"""The order in which a query names its tables, and how it joins them, costs nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connstat_sql.definitions.loader import Library, validate
from tests.joborder.bench import SHOP, asked, films
from tests.joborder.questions import QUESTIONS
from tests.shop.bench import Bench
from tests.tabled import over, spread


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with films() as opened:
        yield opened


def test_the_definitions_are_sound() -> None:
    assert validate([SHOP.providers], Library([SHOP.providers])) == ()


@over("name", spread(QUESTIONS, 4))
def test_requests_do_not_depend_on_the_order_of_from(bench: Bench, name: str) -> None:
    are_the_same(bench, name, orders=2)


@pytest.mark.long
@over("name", QUESTIONS)
def test_so_it_is_for_each_question(bench: Bench, name: str) -> None:
    are_the_same(bench, name, orders=4)


def are_the_same(bench: Bench, name: str, orders: int) -> None:
    found = asked(bench, name, orders)
    assert found.faults == ()
    assert len(set(found.requests)) == 1
