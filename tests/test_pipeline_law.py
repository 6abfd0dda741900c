"""Whatever the order in which things happen, a statement ends, asks little, and answers right."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connstat_sql.fetcher.fan_out import Ended, Group, Item, Run
from connstat_sql.fetcher.mailbox import Mailbox
from connstat_sql.fetcher.pages import Walk
from tests.test_fetcher_answers import LIST, World, fetch, paged, reader, world

PATIENCE = 5.0
"""Seconds after which what has not ended never will."""


def groups(*names: str) -> list[Group]:
    return [Group(("one", ""), (fetch(LIST, cluster=name),)) for name in names]


async def added_in_parts(
    one: World, limit: int | None, parts: list[tuple[int, int]]
) -> list[Item]:
    """What a run posts when so many groups are added, each time after so many turns."""
    mailbox: Mailbox[Item] = Mailbox(asyncio.get_running_loop())
    walk = Walk(reader(LIST), one.answers, limit=limit)
    run = Run("scan", walk, one.clients.made, mailbox, limit=limit)
    for number, (turns, count) in enumerate(parts):
        for _ in range(turns):
            await asyncio.sleep(0)
        names = [f"c{number}-{place}" for place in range(count)]
        run.add(groups(*names), is_last=number == len(parts) - 1)
    items: list[Item] = []
    until = asyncio.get_running_loop().time() + PATIENCE
    while Ended("scan") not in items and asyncio.get_running_loop().time() < until:
        await asyncio.sleep(0)
        items += mailbox.take(0)
    run.stop()
    return items


@given(
    limit=st.sampled_from([None, 1, 3, 7]),
    parts=st.lists(st.tuples(st.integers(0, 12), st.integers(0, 3)), min_size=1, max_size=5),
)
@settings(max_examples=150, deadline=None)
def test_a_run_ends_whenever_its_fetches_are_added(
    limit: int | None, parts: list[tuple[int, int]]
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return paged(request, [{"id": "a"}], 2)

    with world(answer, concurrency=2) as one:
        items = one.clients.loop.call(added_in_parts(one, limit, parts))
    count = sum(count for _, count in parts)
    assert sum(isinstance(item, Ended) for item in items) == 1
    assert len(one.seen) >= min(count, limit or count)
