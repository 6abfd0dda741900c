"""No recorded query needs more requests than it did (`tests/oracle/prices.py`)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.oracle.law import Court
from tests.oracle.prices import dearer, recorded

SHORT = slice(0, None, 4)


def test_no_query_has_become_dearer(court: Court) -> None:
    prices = recorded()[SHORT]
    assert len(prices) >= 20
    assert [*dearer(court, prices)] == []


@pytest.mark.long
def test_no_query_of_all_has_become_dearer(court: Court) -> None:
    assert [*dearer(court, recorded())] == []


def test_a_query_that_has_become_dearer_is_noticed(court: Court) -> None:
    price = next(one for one in recorded() if one.requests > 1)
    assert len([*dearer(court, [replace(price, requests=price.requests - 1)])]) == 1
