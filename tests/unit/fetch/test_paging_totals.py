"""Lists whose length is known: pages side by side, each held against the total."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

import httpx
import pytest

from connstat_sql.definitions.model import Paging
from connstat_sql.errors import PlanError, Status, UnexpectedShape
from connstat_sql.fetch import Page, RequestBudget, Responses
from connstat_sql.fetch.pages import PageReader
from tests.tabled import over
from tests.unit.fetch.test_paging import (
    NUMBER_TOTALS,
    OFFSET_PAGES,
    OFFSETS,
    PAGES,
    SIZE,
    TOTALS,
    World,
    all_pages,
    body,
    honest,
    listing,
    numbers,
    reader,
)

KNOWN = {
    "rows by offset": TOTALS, "rows by number": NUMBER_TOTALS,
    "pages by offset": OFFSET_PAGES, "pages by number": PAGES,
}  # fmt: skip


class Slow:
    """An honest list whose pages come when they are let go; counts what is on the way."""

    def __init__(self, paging: Paging, total: int) -> None:
        self.list = honest(paging, total)
        self.under_way = self.most = self.answered = self.given_up = 0
        self.gates: dict[str, asyncio.Event] = {}
        self.is_open = True

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        gate = self.gates.setdefault(request.url.query.decode(), asyncio.Event())
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            for _ in range(3):
                await asyncio.sleep(0)
            if not self.is_open and self.answered:
                await asyncio.wait_for(gate.wait(), 60)
            self.answered += 1
            answer = self.list(request)
            assert isinstance(answer, httpx.Response)
            return answer
        except asyncio.CancelledError:
            self.given_up += 1
            raise
        finally:
            self.under_way -= 1


async def settle() -> None:
    """Let everything go on that can."""
    for _ in range(50):
        await asyncio.sleep(0)


@over("paging", KNOWN.values(), ids=KNOWN)
@over("concurrency", [1, 3, 8])
def test_pages_after_the_first_are_asked_for_as_many_at_once_as_the_connection_allows(
    paging: Paging, concurrency: int
) -> None:
    server = Slow(paging, 20 * SIZE)
    world = World(server, concurrency=concurrency)
    assert sorted(numbers(world.pages(listing(paging)))) == list(range(20 * SIZE))
    assert server.most == concurrency
    assert len(world.asked) == 20


def test_pages_are_handed_on_as_they_arrive() -> None:
    server = Slow(TOTALS, 4 * SIZE)
    server.is_open = False

    async def use(pages: AsyncGenerator[Page, None]) -> list[Any]:
        taken = [await anext(pages)]
        for start in (15, 5, 10):
            coming = asyncio.ensure_future(anext(pages))
            await settle()
            server.gates[f"n=5&from={start}"].set()
            taken.append(await coming)
        return numbers(taken)[::SIZE]

    assert World(server).run(listing(TOTALS), use) == [0, 15, 5, 10]


def test_with_a_limit_pages_come_in_their_order() -> None:
    server = Slow(TOTALS, 20 * SIZE)
    server.is_open = False

    async def use(pages: AsyncGenerator[Page, None]) -> list[Any]:
        taken = [await anext(pages)]
        for starts in ((10, 15, 5), (), ()):
            coming = asyncio.ensure_future(anext(pages))
            await settle()
            for start in starts:
                server.gates[f"n=5&from={start}"].set()
                await settle()
            taken.append(await coming)
        with pytest.raises(StopAsyncIteration):
            await anext(pages)
        return numbers(taken)[::SIZE]

    assert World(server).run(listing(TOTALS), use, limit=4 * SIZE - 1) == [0, 5, 10, 15]
    assert server.answered == 4


def test_no_more_pages_wait_to_be_taken_than_the_connection_allows_at_once() -> None:
    server = Slow(TOTALS, 100 * SIZE)
    world = World(server, concurrency=4)

    async def use(pages: AsyncGenerator[Page, None]) -> list[int]:
        asked = []
        for _ in range(10):
            await anext(pages)
            await settle()
            asked.append(len(world.asked))
        return asked

    assert world.run(listing(TOTALS), use) == [1, *range(6, 15)]


@over("concurrency", [1, 4])
def test_closing_the_walk_gives_up_what_is_on_the_way(concurrency: int) -> None:
    server = Slow(TOTALS, 100 * SIZE)
    world = World(server, concurrency=concurrency)

    async def use(pages: AsyncGenerator[Page, None]) -> None:
        await anext(pages)
        server.is_open = False
        coming = asyncio.ensure_future(anext(pages))
        await settle()
        server.gates["n=5&from=5"].set()
        await coming
        await settle()
        assert server.under_way == concurrency
        await pages.aclose()
        assert server.under_way == 0
        assert server.given_up == concurrency

    world.run(listing(TOTALS), use)


def test_whoever_waits_for_a_page_can_be_cancelled_and_nothing_is_left() -> None:
    server = Slow(TOTALS, 100 * SIZE)
    server.is_open = False

    async def use(pages: AsyncGenerator[Page, None]) -> None:
        async def collect() -> None:
            async with aclosing(pages):
                async for _ in pages:
                    pass

        reading = asyncio.ensure_future(collect())
        await settle()
        assert server.under_way == 4
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert server.under_way == 0

    World(server).run(listing(TOTALS), use)


def test_one_page_that_fails_stops_the_others() -> None:
    server = Slow(TOTALS, 100 * SIZE)

    async def answer(request: httpx.Request) -> httpx.Response:
        if request.url.params.get("from") == "15":
            await settle()
            return httpx.Response(400)
        return await server(request)

    world = World(answer)

    async def use(pages: AsyncGenerator[Page, None]) -> None:
        await anext(pages)
        server.is_open = False
        with pytest.raises(Status):
            await anext(pages)
        assert (server.under_way, server.given_up) == (0, 3)

    world.run(listing(TOTALS), use)
    assert len(world.asked) == 5


def test_many_pages_that_fail_at_once_are_one_error() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(400) if "from" in request.url.params else body(range(5), total=90)

    world = World(answer, concurrency=8)
    with pytest.raises(Status):
        world.pages(listing(TOTALS))


# --- the budget ----------------------------------------------------------------------------------


@over("paging", KNOWN.values(), ids=KNOWN)
def test_pages_that_the_budget_does_not_suffice_for_are_refused_after_the_first(
    paging: Paging,
) -> None:
    world = World(honest(paging, 60), RequestBudget(11))
    with pytest.raises(PlanError) as caught:
        world.pages(listing(paging))
    assert caught.value.message == (
        "p.s.t needs 12 of the 12 pages of a list, and 10 of the budget of 11 requests are left"
    )
    assert "--max-requests 12" in caught.value.hint
    assert caught.value.requests_sent == len(world.asked) == 1


@over(("total", "limit"), [(55, None), (55_000, 55), (55_000, 51)])
def test_pages_that_the_budget_just_suffices_for_are_read(total: int, limit: int | None) -> None:
    world = World(honest(TOTALS, total), RequestBudget(11))
    assert len(world.pages(listing(TOTALS), limit)) == len(world.asked) == 11


def test_a_limit_beyond_the_budget_names_what_it_needs() -> None:
    world = World(honest(TOTALS, 55_000), RequestBudget(11))
    with pytest.raises(PlanError, match="needs 12 of the 11,000 pages of a list"):
        world.pages(listing(TOTALS), 56)
    assert len(world.asked) == 1


def test_a_total_without_measure_is_no_long_loop() -> None:
    world = World(lambda _: body(range(5), total=10**15), RequestBudget(50))
    with pytest.raises(PlanError, match="200,000,000,000,000 pages"):
        world.pages(listing(TOTALS))
    assert len(world.asked) == 1


def test_pages_that_were_answered_before_cost_no_budget() -> None:
    world = World(honest(TOTALS, 50), RequestBudget(10))

    async def twice() -> tuple[list[Page], list[Page]]:
        client = world.client()
        answers, fetch = Responses(world.budget), listing(TOTALS)
        page_reader = PageReader(reader(fetch.method), answers, keep=True)
        try:
            first = [page async for page in all_pages(page_reader, fetch, client)]
            return first, [page async for page in all_pages(page_reader, fetch, client)]
        finally:
            await client.close()

    first, second = asyncio.run(twice())
    assert sorted(numbers(first)) == sorted(numbers(second)) == list(range(50))
    assert all(page.is_reused for page in second)
    assert len(world.asked) == 10


def test_a_budget_that_others_use_up_tells_how_far_the_list_was_read() -> None:
    world = World(honest(TOTALS, 50), RequestBudget(10), concurrency=1)

    async def use(pages: AsyncGenerator[Page, None]) -> None:
        await anext(pages)
        await anext(pages)
        world.budget.sent = 10
        with pytest.raises(PlanError, match=r"[23] pages of one list were read"):
            async for _ in pages:
                pass

    world.run(listing(TOTALS), use)


# --- totals that do not hold ---------------------------------------------------------------------


def changed(change: Callable[[int, dict[str, Any]], None], paging: Paging = TOTALS) -> World:
    """A list of 23 rows, of whose pages the bodies are changed, by number from one."""
    original = honest(paging, 23)

    def answer(request: httpx.Request) -> httpx.Response:
        response = original(request)
        assert isinstance(response, httpx.Response)
        content = response.json()
        change(content["rows"][0]["n"] // SIZE + 1, content)
        return httpx.Response(200, json=content)

    return World(answer, concurrency=1)


def said(world: World, paging: Paging = TOTALS) -> str:
    with pytest.raises(UnexpectedShape) as caught:
        world.pages(listing(paging))
    assert caught.value.hint
    return caught.value.message


@over(("total", "shown"), [(24, "24"), (22, "22"), (0, "0"), (2300, "2,300")])
def test_a_total_that_changes_is_an_error(total: int, shown: str) -> None:
    world = changed(lambda page, content: content.update(total=total if page == 3 else 23))
    assert said(world) == f"p.s.t, page 3: `total` is {shown} now, and was 23 on page 1"


@over("page", [2, 4])
@over("paging", KNOWN.values(), ids=KNOWN)
def test_a_short_page_in_the_middle_is_an_error(paging: Paging, page: int) -> None:
    world = changed(lambda n, content: content["rows"].pop() if n == page else None, paging)
    assert f"p.s.t, page {page}: it holds 4 rows, though page 1 holds 5 and `" in said(
        world, paging
    )


def test_a_last_page_that_is_too_short_or_too_long_is_an_error() -> None:
    world = changed(lambda n, content: content["rows"].pop() if n == 5 else None)
    assert said(world) == "p.s.t, page 5: it holds 2 rows, though page 1 holds 5 and `total` is 23"
    world = changed(lambda n, content: content["rows"].append({"n": 99}) if n == 5 else None)
    assert "it holds 4 rows" in said(world)
    world = changed(lambda n, content: content["rows"].clear() if n == 5 else None, PAGES)
    world.answer = lambda request: (
        body([], pages=5) if request.url.params["page"] == "5" else honest(PAGES, 23)(request)
    )
    assert "it holds 0 rows" in said(world, PAGES)


@over(
    ("paging", "rows", "total", "says"),
    [
        (TOTALS, 0, 9, "p.s.t: it holds 0 rows, though `total` is 9"),
        (TOTALS, 5, 4, "p.s.t: it holds 5 rows, though `total` is 4"),
        (TOTALS, 1, 0, "p.s.t: it holds 1 row, though `total` is 0"),
        (PAGES, 0, 2, "p.s.t: it holds 0 rows, though `pages` is 2"),
        (PAGES, 1, 0, "p.s.t: it holds 1 row, though `pages` is 0"),
        (TOTALS, 5, None, "p.s.t: `total` holds no number of rows or pages"),
        (TOTALS, 5, True, "p.s.t: `total` holds no number of rows or pages"),
        (TOTALS, 5, -1, "p.s.t: `total` holds no number of rows or pages"),
        (TOTALS, 5, 9.0, "p.s.t: `total` holds no number of rows or pages"),
        (TOTALS, 5, 10**16, "p.s.t: `total` holds no number of rows or pages"),
        (TOTALS, 5, 10**30, "p.s.t: `total` holds no number of rows or pages"),
        (TOTALS, 5, "many", "p.s.t: `total` holds no number of rows or pages"),
        (TOTALS, 5, "\u0665", "p.s.t: `total` holds no number of rows or pages"),
    ],
)
def test_a_first_page_that_does_not_fit_its_total_is_an_error(
    paging: Paging, rows: int, total: object, says: str
) -> None:
    word = "total" if paging is TOTALS else "pages"
    world = World(lambda _: body(range(rows), **{word: total}))
    assert said(world, paging) == says
    assert len(world.asked) == 1


@over(("paging", "word"), [(TOTALS, "total"), (PAGES, "pages")])
@over("total", [0, "0"])
def test_an_empty_list_is_one_request(paging: Paging, word: str, total: object) -> None:
    world = World(lambda _: body([], **{word: total}))
    assert numbers(world.pages(listing(paging))) == []
    assert len(world.asked) == 1


def test_an_empty_list_may_have_one_page() -> None:
    assert numbers(World(lambda _: body([], pages=1)).pages(listing(PAGES))) == []


def test_an_offset_without_a_total_goes_step_by_step() -> None:
    server = Slow(OFFSETS, 20 * SIZE)
    world = World(server, concurrency=8)
    assert numbers(world.pages(listing(OFFSETS))) == list(range(20 * SIZE))
    assert server.most == 1
