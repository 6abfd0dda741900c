"""A test over a table tries every row, and names those that fail."""

from __future__ import annotations

import inspect

import pytest

from tests.tabled import over


def test_every_row_is_tried_and_those_that_fail_are_named() -> None:
    tried = []

    @over("left, right", [(1, 1), (1, 2), ("a", "b"), (3, 3)])
    def claim(left: object, right: object) -> None:
        tried.append(left)
        assert left == right

    with pytest.raises(AssertionError, match="2 of 4 rows") as caught:
        claim()
    assert tried == [1, 1, "a", 3]
    assert "1: 1, 2: AssertionError" in str(caught.value)
    assert "2: 'a', 'b': AssertionError" in str(caught.value)
    assert isinstance(caught.value.__cause__, AssertionError)


def test_a_row_that_raises_nothing_is_named_too() -> None:
    @over("text", ["x", "1", "y"])
    def claim(text: str) -> None:
        with pytest.raises(ValueError, match="invalid"):
            int(text)

    with pytest.raises(AssertionError, match="1 of 3 rows:\n  1: '1': Failed: DID NOT RAISE"):
        claim()


def test_fixtures_are_asked_for_and_columns_are_not() -> None:
    @over("row", ["x"], ids=str.upper)
    def claim(number: int, row: str) -> None:
        assert (number, row) == (1, "x")

    assert list(inspect.signature(claim).parameters) == ["number"]
    claim(number=1)
    with pytest.raises(AssertionError, match="0: X: AssertionError"):
        claim(number=2)


def test_a_row_may_bring_its_name() -> None:
    @over("left, right", [pytest.param(1, 2, id="unlike"), (3, 3)])
    def claim(left: int, right: int) -> None:
        assert left == right

    with pytest.raises(AssertionError, match="1 of 2 rows:\n  0: unlike: "):
        claim()


def test_a_table_without_rows_is_no_test() -> None:
    with pytest.raises(AssertionError, match="without rows"):
        over("row", [])
