"""The mailbox between the loop and the thread that asked: in order, nothing lost, few wake-ups."""

import asyncio
import threading
from collections.abc import Callable

import pytest

from connstat_sql.fetch import queue as mailbox
from connstat_sql.fetch.queue import PageQueue

PATIENCE = 10.0


def on_loop(put: Callable[[PageQueue[int]], "asyncio.Future[None]"], until: int) -> list[list[int]]:
    """What another thread takes, each time, of what is put on a loop, up to and with `until`."""
    taken: list[list[int]] = []

    async def main() -> None:
        box: PageQueue[int] = PageQueue(asyncio.get_running_loop())

        def take() -> None:
            while not taken or until not in taken[-1]:
                taken.append(box.take(PATIENCE))

        thread = threading.Thread(target=take)
        thread.start()
        await put(box)
        await asyncio.to_thread(thread.join, PATIENCE)
        assert not thread.is_alive()

    asyncio.run(main())
    return taken


def test_what_comes_in_one_turn_of_the_loop_wakes_the_other_thread_once() -> None:
    async def put(box: PageQueue[int]) -> None:
        for number in range(100):
            await box.put(number, 10)

    taken = [items for items in on_loop(lambda box: asyncio.ensure_future(put(box)), 99) if items]
    assert taken == [list(range(100))]


@pytest.mark.parametrize("size", [1, mailbox.BATCH // 3, mailbox.BATCH, mailbox.MOST_HELD * 2])
def test_everything_arrives_in_order_however_large_it_is(size: int) -> None:
    async def put(box: PageQueue[int]) -> None:
        for number in range(50):
            await box.put(number, size)
            if number % 7 == 0:
                await asyncio.sleep(0)

    taken = on_loop(lambda box: asyncio.ensure_future(put(box)), 49)
    assert [item for items in taken for item in items] == list(range(50))
    assert all(len(items) <= max(1, -(-mailbox.BATCH // size)) for items in taken)


def test_an_item_from_another_thread_comes_before_all_others() -> None:
    loop = asyncio.new_event_loop()
    box: PageQueue[str] = PageQueue(loop)
    box.post("page")
    box.post_first("interrupt")
    assert box.take(PATIENCE) == ["interrupt", "page"]
    loop.close()


def test_what_was_put_is_there_when_time_is_up_though_nobody_rang() -> None:
    loop = asyncio.new_event_loop()
    box: PageQueue[str] = PageQueue(loop)
    assert box.take(0) == []
    box.post("page")
    assert box.take(0) == ["page"]
    loop.close()
