"""Rows that come again while a list is paged: left out by their key, where one is declared."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st

from connstat_sql.definitions.model import KEY, Path, RowsPath, Shape
from tests.examples import examples
from tests.unit.fetch.test_paging import (
    FLAGGED_OFFSETS,
    SIZE,
    TOKENS,
    TOTALS,
    World,
    body,
    listing,
    numbers,
)


@settings(max_examples=examples(100), deadline=None)
@given(
    pages=st.lists(st.lists(st.integers(0, 30), unique=True, min_size=1), min_size=1, max_size=8),
    path=st.sampled_from([("n",), ("id", "k"), ("id",), ()]),
)
def test_of_rows_with_the_same_key_the_first_is_kept(pages: list[list[int]], path: Path) -> None:
    last = len(pages)
    world = World(lambda _: body(pages[len(world.asked) - 1], next=str(len(world.asked))
                                 if len(world.asked) < last else None))  # fmt: skip
    found = world.pages(listing(replace(TOKENS, key=path)))
    assert numbers(found) == list(dict.fromkeys(one for page in pages for one in page))
    assert len(found) == last


def test_a_row_that_comes_again_is_not_counted_as_missing_from_an_offset() -> None:
    shown = [[0, 1, 2], [2, 3, 4], [4, 5], []]
    world = World(lambda _: body(shown[len(world.asked) - 1], more=len(world.asked) < 3))
    paging = replace(FLAGGED_OFFSETS, key=("n",))
    assert numbers(world.pages(listing(paging))) == [0, 1, 2, 3, 4, 5]
    assert world.asked == ["", "from=3", "from=6"]


def test_the_key_of_a_map_is_its_name() -> None:
    rows = RowsPath(Shape.MAP, (("rows",),))
    pages: list[dict[str, Any]] = [
        {"rows": {"a": {"n": 1}, "b": {"n": 2}}, "next": "x"},
        {"rows": {"b": {"n": 3}, "c": {"n": 4}}},
    ]
    world = World(lambda _: httpx.Response(200, json=pages[len(world.asked) - 1]))
    found = world.pages(listing(replace(TOKENS, key=KEY), rows))
    texts = [row for page in found for text in page.texts for row in json.loads(text)]
    assert [row["$key"] for row in texts] == ["a", "b", "c"]


def test_a_limit_counts_only_rows_that_are_new() -> None:
    world = World(lambda _: body([0, len(world.asked)], next=str(len(world.asked))))
    found = world.pages(listing(replace(TOKENS, key=("n",))), limit=4)
    assert numbers(found) == [0, 1, 2, 3]
    assert len(world.asked) == 3


def test_a_whole_page_of_rows_that_came_before_is_not_an_empty_page() -> None:
    shown = [[0, 1], [0, 1], [2]]
    world = World(lambda _: body(shown[len(world.asked) - 1],
                                 next="xy"[len(world.asked) - 1: len(world.asked)]))  # fmt: skip
    assert numbers(world.pages(listing(replace(TOKENS, key=("n",))))) == [0, 1, 2]


@settings(max_examples=examples(60), deadline=None)
@given(total=st.integers(1, 40), limit=st.integers(1, 40), again=st.integers(1, 3))
def test_pages_are_asked_for_until_a_limit_is_met_by_rows_that_are_new(
    total: int, limit: int, again: int
) -> None:
    """Each page begins with rows of the one before, as when rows are put in and taken out."""

    def answer(request: httpx.Request) -> httpx.Response:
        start = int(request.url.params.get("from", "0"))
        rows = range(start, min(start + SIZE, total))
        shift = min(again, len(rows) - 1) if start else 0
        return body([row - shift for row in rows], total=total)

    world = World(answer)
    found = numbers(world.pages(listing(replace(TOTALS, key=("n",))), limit))
    assert len(found) == len(set(found))
    pages = -(-total // SIZE)
    assert len(found) >= limit or len(world.asked) == pages
    without_last = len(found) - SIZE
    assert len(world.asked) == 1 or without_last < limit
