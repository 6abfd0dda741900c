"""A limit: nothing is asked for once there are rows enough, and little before it is known."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connstat_sql.errors import Status
from connstat_sql.fetch import FailedFetch, Fetch
from tests.examples import examples
from tests.streaming import unanswered
from tests.unit.fetch.test_fetch_answers import LIST, fetch, paged, reader, values, world

CONNECTIONS = ("one", "two", "three")


def rows(count: int) -> list[dict[str, str]]:
    return [{"id": f"r{n}"} for n in range(count)]


def clusters(count: int, connections: tuple[str, ...] = ("one",)) -> list[Fetch]:
    return [
        fetch(LIST, connection=connections[n % len(connections)], cluster=f"c{n}")
        for n in range(count)
    ]


class Wire(httpx.AsyncBaseTransport):
    """Answers after some turns of the loop; counts what is under way when a request begins.

    Clusters whose number is in `hanging` never answer, those in `slow` late, and those in
    `failing` with 400.
    """

    def __init__(
        self,
        count: int,
        hanging: tuple[int, ...] = (),
        failing: tuple[int, ...] = (),
        turns: int = 3,
        slow: tuple[int, ...] = (),
    ) -> None:
        self.slow = slow
        self.turns = turns
        self.count, self.hanging, self.failing = count, hanging, failing
        self.asked: list[str] = []
        self.begun: list[tuple[int, int]] = []
        self.under_way = self.answered = 0
        self.at_host: Counter[str] = Counter()
        self.most_at_host: Counter[str] = Counter()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.under_way += 1
        self.asked.append(str(request.url))
        self.begun.append((self.under_way, self.answered))
        host = request.url.host
        self.at_host[host] += 1
        self.most_at_host[host] = max(self.most_at_host[host], self.at_host[host])
        number = int(request.url.path.rpartition("c")[2])
        try:
            for _ in range(self.turns + 50 * (number in self.slow)):
                await asyncio.sleep(0)
            if number in self.hanging:
                await asyncio.Event().wait()
            if number in self.failing:
                return httpx.Response(400)
            return paged(request, rows(self.count), 2)
        finally:
            self.under_way -= 1
            self.at_host[host] -= 1
            self.answered += 1


def test_a_limit_within_the_first_page_costs_one_request() -> None:
    with world(lambda request: paged(request, rows(1000), 100)) as api:
        pages = api.pages(clusters(50), reader(LIST), limit=5)
        assert (len(pages), pages[0].count, api.seen) == (1, 100, ["one/c/c0"])


@pytest.mark.parametrize(("limit", "requests"), [(0, 0), (-1, 0), (1, 1), (100, 1), (101, 2)])
def test_a_limit_costs_as_many_pages_as_its_rows_fill(limit: int, requests: int) -> None:
    with world(lambda request: paged(request, rows(1000), 100)) as api:
        api.pages(clusters(1), reader(LIST), limit=limit)
        assert len(api.seen) == api.budget.sent == requests


def test_a_limit_that_there_are_not_rows_for_gives_them_all() -> None:
    with world(lambda request: paged(request, rows(3), 2), connections=CONNECTIONS) as api:
        asked = clusters(20, CONNECTIONS)
        pages = api.pages(asked, reader(LIST), limit=61)
        assert sorted(values(pages)) == sorted(row["id"] for row in rows(3) for _ in asked)


@pytest.mark.parametrize("connections", [("one",), CONNECTIONS])
def test_each_answer_makes_room_for_one_request_more_up_to_the_connections_own(
    connections: tuple[str, ...],
) -> None:
    wire = Wire(0, turns=100)
    with world(wire, connections=connections, concurrency=8) as api:
        pages = api.pages(clusters(100, connections), reader(LIST), limit=1)
        assert len(pages) == len(wire.asked) == 100
    assert all(under_way <= answered + 1 for under_way, answered in wire.begun)
    assert wire.most_at_host == dict.fromkeys(connections, 8)


def test_without_a_limit_all_places_are_taken_at_once() -> None:
    wire = Wire(0)
    with world(wire, concurrency=8) as api:
        api.pages(clusters(100), reader(LIST))
    assert [under_way for under_way, _ in wire.begun[:8]] == [1, 2, 3, 4, 5, 6, 7, 8]


def test_requests_that_find_no_place_are_not_begun() -> None:
    with world(Wire(1), concurrency=1) as api:
        api.pages(clusters(40), reader(LIST), limit=10)
        assert api.budget.sent == 10


def test_connections_are_asked_side_by_side() -> None:
    wire = Wire(0)
    with world(wire, connections=CONNECTIONS) as api:
        api.pages(clusters(60, CONNECTIONS), reader(LIST), limit=1)
    assert {httpx.URL(url).host for url in wire.asked[:6]} == set(CONNECTIONS)


def test_a_limit_is_for_all_connections_together() -> None:
    wire = Wire(2)
    with world(wire, connections=CONNECTIONS) as api:
        api.pages(clusters(30, CONNECTIONS), reader(LIST), limit=6)
    assert len(wire.asked) <= 5


def test_what_is_on_the_way_when_there_are_rows_enough_is_given_up() -> None:
    wire = Wire(1, hanging=(1,))
    with world(wire) as api:
        pages = api.pages(clusters(40), reader(LIST), limit=20)
        assert sum(page.count for page in pages) >= 20
        assert wire.under_way == 0


def test_what_is_to_be_kept_is_waited_for_so_that_it_is_not_sent_again() -> None:
    wire = Wire(1, slow=(1, 2, 3))
    with world(wire) as api:
        asked = clusters(40)
        api.pages(asked, reader(LIST), limit=4, keep=True)
        sent = len(wire.asked)
        assert unanswered(api.stream, asked) == 40 - sent
        api.pages(asked, reader(LIST))
        assert len(wire.asked) == len(set(wire.asked)) == 40


@pytest.mark.parametrize("failures", [None, []])
def test_an_error_of_what_is_waited_for_only_to_be_kept_is_not_this_runs(
    failures: list[FailedFetch] | None,
) -> None:
    wire = Wire(1, slow=(1,), failing=(1,))
    with world(wire) as api:
        api.failures = failures
        pages = api.pages(clusters(9), reader(LIST), limit=3, keep=True)
        assert sum(page.count for page in pages) >= 3
        assert any("c1" in url for url in wire.asked)
        assert not failures


def test_an_error_counts_only_while_rows_are_wanted() -> None:
    wire = Wire(1, failing=(2,))
    with world(wire) as api:
        assert len(api.pages(clusters(9), reader(LIST), limit=1)) == 1
        with pytest.raises(Status):
            api.pages(clusters(9), reader(LIST), limit=9)


def test_failures_that_are_set_aside_do_not_hold_up_the_others() -> None:
    wire = Wire(1, failing=(0, 1, 2, 5))
    with world(wire, connections=CONNECTIONS) as api:
        api.failures = []
        pages = api.pages(clusters(7, CONNECTIONS), reader(LIST), limit=7)
        assert sum(page.count for page in pages) == 3
        assert len(api.failures) == 4


def test_what_was_answered_before_comes_first_and_makes_no_room() -> None:
    with world(lambda request: paged(request, rows(3), 2), connections=CONNECTIONS) as api:
        asked = clusters(9, CONNECTIONS)
        api.pages(asked[5:], reader(LIST), keep=True)
        api.seen.clear()
        pages = api.pages(asked, reader(LIST), limit=12)
        assert api.seen == []
        assert all(page.is_reused for page in pages)
        pages = api.pages(asked, reader(LIST), limit=13)
        assert 1 <= len(api.seen) <= 2


def test_rows_of_a_shared_answer_count_for_each_fetch() -> None:
    asked = [fetch(LIST, cluster="k", name=f"n{n}") for n in range(4)]
    with world(lambda request: paged(request, rows(6), 2)) as api:
        pages = api.pages(asked, reader(LIST), limit=8)
        assert sum(page.count for page in pages) == 8
        assert len(api.seen) == 1


@settings(max_examples=examples(30), deadline=None)
@given(
    sizes=st.lists(st.integers(0, 5), max_size=12),
    limit=st.integers(0, 30),
    concurrency=st.integers(1, 4),
    spread=st.integers(1, 3),
    keep=st.booleans(),
)
def test_there_are_rows_enough_or_all_of_them_and_never_one_twice(
    sizes: list[int], limit: int, concurrency: int, spread: int, keep: bool
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        number = int(request.url.path.rpartition("c")[2])
        return paged(request, [{"id": f"{number}.{n}"} for n in range(sizes[number])], 2)

    names = CONNECTIONS[:spread]
    with world(answer, connections=names, concurrency=concurrency) as api:
        how: dict[str, Any] = {"limit": limit, "keep": keep}
        received = values(api.pages(clusters(len(sizes), names), reader(LIST), **how))
        every = [f"{number}.{n}" for number, size in enumerate(sizes) for n in range(size)]
        assert len(set(received)) == len(received)
        assert set(received) <= set(every)
        assert len(received) >= min(limit, len(every))
        assert len(set(api.seen)) == len(api.seen)
