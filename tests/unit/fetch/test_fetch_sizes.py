"""How much is asked for: page sizes by need, the last page by what was asked, the API's order."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connstat_sql.definitions.loader.builder import template_of
from connstat_sql.definitions.model import Paging, PagingStyle, QueryItem
from connstat_sql.errors import UnexpectedShape
from connstat_sql.fetch import Fetch
from tests.examples import examples
from tests.streaming import batches, unanswered
from tests.unit.fetch.test_fetch_answers import fetch, get, reader, rows_at, values, world

OFFSETS = Paging(PagingStyle.OFFSET, "from", size_key="n", size=5, short_is_last=True)
PAGES = Paging(PagingStyle.PAGE, "page", size_key="n", size=5, first=1, short_is_last=True)
TOKENS = Paging(PagingStyle.TOKEN, "after", ("next",), size_key="n", size=5)
STYLES = [OFFSETS, PAGES, TOKENS]


def listing(paging: Paging, **more: Any) -> Fetch:
    return fetch(get("/t", rows=rows_at("rows"), paging=paging, **more))


def table(count: int) -> list[dict[str, str]]:
    return [{"id": f"r{n}"} for n in range(count)]


def served(request: httpx.Request, count: int) -> httpx.Response:
    """Rows as each of the styles has it; five a page when not asked otherwise."""
    asked = request.url.params
    size = int(asked.get("n", "5"))
    if "page" in asked:
        start = (int(asked["page"]) - 1) * size
    else:
        start = int(asked.get("from", asked.get("after", "0")))
    body: dict[str, Any] = {"rows": table(count)[start : start + size]}
    if start + size < count:
        body["next"] = str(start + size)
    return httpx.Response(200, json=body)


@pytest.mark.parametrize(
    ("paging", "size", "sent"),
    [
        (OFFSETS, None, "n=5"),
        (OFFSETS, 2, "n=2"),
        (PAGES, 3, "n=3&page=1"),
        (TOKENS, 1, "n=1"),
        (TOKENS, 5, "n=5"),
        (TOKENS, 4_000, "n=5"),
        (TOKENS, 0, "n=1"),
        (replace(TOKENS, size_key=None, size=None), 2, ""),
    ],
)
def test_a_page_is_asked_for_as_large_as_needed_and_no_larger_than_allowed(
    paging: Paging, size: int | None, sent: str
) -> None:
    asked = replace(listing(paging), page_size=size)
    with world(lambda request: served(request, 1)) as api:
        api.pages([asked], reader(asked.method))
        assert api.seen == [f"one/t?{sent}" if sent else "one/t"]


def test_a_method_without_pages_has_no_size() -> None:
    asked = fetch(get("/t", paging=None, rows=rows_at("rows")))
    with world(lambda request: served(request, 1)) as api:
        api.pages([replace(asked, page_size=3)], reader(asked.method))
        assert api.seen == ["one/t"]


@pytest.mark.parametrize("paging", [OFFSETS, PAGES])
def test_the_last_page_is_the_one_that_is_shorter_than_was_asked_for(paging: Paging) -> None:
    asked = replace(listing(paging), page_size=2)
    with world(lambda request: served(request, 3)) as api:
        pages = api.pages([asked], reader(asked.method))
        assert [page.count for page in pages] == [2, 1]
        assert values(pages) == ["r0", "r1", "r2"]


@settings(max_examples=examples(30), deadline=None)
@given(
    st.sampled_from(STYLES), st.integers(0, 12), st.none() | st.integers(1, 7), st.integers(0, 14)
)
def test_every_row_comes_once_whatever_the_size_and_a_limit_costs_the_fewest_pages(
    paging: Paging, count: int, size: int | None, limit: int
) -> None:
    asked = replace(listing(paging), page_size=size)
    with world(lambda request: served(request, count)) as api:
        pages = api.pages([asked], reader(asked.method))
        assert values(pages) == [row["id"] for row in table(count)]
        api.seen.clear()
        pages = api.pages([asked], reader(asked.method), limit=limit)
        each = min(size or 5, 5)
        assert len(pages) == len(api.seen)
        received = values(pages)
        assert received == [row["id"] for row in table(count)][: len(received)]
        if limit <= count:
            assert len(api.seen) == -(-limit // each)
        else:
            assert len(received) == count


def test_an_api_that_may_cut_empty_pages_is_believed_when_it_says_there_is_more() -> None:
    paging = replace(PAGES, more=("more",), empty_pages=1)
    bodies = [
        {"rows": table(2), "more": True},
        {"rows": [], "more": True},
        {"rows": [{"id": "last"}], "more": False},
    ]
    asked = listing(paging)
    with world(lambda _: httpx.Response(200, json=bodies.pop(0))) as api:
        pages = api.pages([asked], reader(asked.method))
        assert values(pages) == ["r0", "r1", "last"]
        assert [url[-1] for url in api.seen] == ["1", "2", "3"]


def test_an_offset_that_does_not_move_on_is_an_error() -> None:
    asked = listing(replace(OFFSETS, more=("more",)))
    bodies = [{"rows": table(2), "more": True}, {"rows": [], "more": True}]
    with (
        world(lambda _: httpx.Response(200, json=bodies.pop(0))) as api,
        pytest.raises(UnexpectedShape, match="without rows, and the API says that there are more"),
    ):
        api.pages([asked], reader(asked.method))
    assert bodies == []


def test_an_order_is_asked_for_with_every_page() -> None:
    asked = listing(TOKENS, query=(QueryItem("a", (template_of("b"),)),))
    order = (("sort", "made"), ("direction", "desc & down"))
    with world(lambda request: served(request, 6)) as api:
        pages = api.pages([replace(asked, order=order, page_size=3)], reader(asked.method))
        assert len(values(pages)) == 6
        pairs = "a=b&sort=made&direction=desc+%26+down&n=3"
        assert api.seen == [f"one/t?{pairs}", f"one/t?{pairs}&after=3"]


def test_pages_of_another_size_or_order_are_others() -> None:
    asked = listing(TOKENS)
    with world(lambda request: served(request, 6)) as api:
        api.pages([asked], reader(asked.method), keep=True)
        same = [asked, replace(asked, page_size=5), replace(asked, page_size=9)]
        other = [replace(asked, page_size=4), replace(asked, order=(("sort", "id"),))]
        assert [unanswered(api.stream, [each]) for each in (*same, *other)] == [0, 0, 0, 1, 1]


def test_batches_stay_small_when_nothing_is_on_the_way() -> None:
    long = json.dumps({"rows": [{"id": "x" * 3_000_000}]}).encode()
    asked = [fetch(get("/{n}", paging=None, rows=rows_at("rows")), n=str(n)) for n in range(9)]
    with world(lambda _: httpx.Response(200, content=long)) as api:
        method = asked[0].method
        api.pages(asked, reader(method), keep=True)
        sizes = [
            sum(len(text) for page in batch for text in page.texts)
            for batch in batches(api.stream, asked, reader(method))
        ]
        assert sum(sizes) > 27_000_000
        assert max(sizes) < 12_000_000
