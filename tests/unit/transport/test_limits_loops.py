"""Limits shared by event loops on several threads: none is lost, also when a loop dies."""

import asyncio
import gc
import random
import threading

import pytest

from connstat_sql.transport.limiter import Permit
from connstat_sql.transport.process_limits import ProcessLimits
from tests.conftest import FakeClock
from tests.unit.transport.test_limits import FINE, PATIENT, Endless, is_idle, run, starts


def test_loops_on_several_threads_share_the_places_and_lose_none() -> None:
    limits, clock = ProcessLimits(), FakeClock()
    limit, other = limits.limit("shared", 3), limits.limit("other", 2)
    under_way, most, ended = [0], [0], [0]
    counting = threading.Lock()

    async def passer(dice: random.Random) -> None:
        wanted = (limit, other) if dice.random() < 0.5 else (limit,)
        permit = await limits.enter(wanted, clock, PATIENT)
        try:
            with counting:
                under_way[0] += 1
                most[0] = max(most[0], under_way[0])
            await asyncio.sleep(0)
        finally:
            with counting:
                under_way[0] -= 1
                ended[0] += 1
            limits.leave(permit, clock, FINE)

    async def many(seed: int) -> None:
        dice = random.Random(seed)
        tasks = [asyncio.ensure_future(passer(dice)) for _ in range(150)]
        for task in tasks:
            if dice.random() < 0.3:
                await asyncio.sleep(0)
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    threads = [threading.Thread(target=run, args=(many(seed),)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)
    assert most[0] == 3
    assert 100 < ended[0] <= 600
    assert is_idle([limit, other])


def test_those_who_died_in_line_stand_in_nobodys_way() -> None:
    limits, clock = ProcessLimits(), FakeClock()
    limit = limits.limit("one", 1, 4.0)
    dead = asyncio.new_event_loop()
    dead.set_exception_handler(lambda *_: None)  # it complains of tasks that were left
    limits.leave(dead.run_until_complete(limits.enter((limit,), clock, PATIENT)), clock, FINE)
    left = [dead.create_task(limits.enter((limit,), Endless(), PATIENT)) for _ in range(3)]
    dead.run_until_complete(asyncio.sleep(0))
    dead.close()
    clock.time += 1
    assert not any(task.done() for task in left)
    assert run(starts(limits, limit, clock, 2)) == [0, 0.25]
    assert is_idle([limit])


@pytest.mark.parametrize("is_cancelled_first", [True, False])
def test_whoever_waits_on_a_loop_that_is_closed_does_not_swallow_a_place(
    is_cancelled_first: bool,
) -> None:
    limits, clock = ProcessLimits(), FakeClock()
    limit = limits.limit("one", 1)
    dead = asyncio.new_event_loop()
    dead.set_exception_handler(lambda *_: None)  # it complains of tasks that were left
    task = None

    async def main() -> Permit:
        nonlocal task
        permit = await limits.enter((limit,), clock, PATIENT)

        def wait_on_another_loop() -> None:
            nonlocal task
            task = dead.create_task(limits.enter((limit,), clock, PATIENT))
            dead.run_until_complete(asyncio.sleep(0))
            if is_cancelled_first:
                task.cancel()
            dead.close()

        thread = threading.Thread(target=wait_on_another_loop)
        thread.start()
        thread.join()
        behind = asyncio.ensure_future(limits.enter((limit,), clock, PATIENT))
        await asyncio.sleep(0)
        assert not behind.done()
        limits.leave(permit, clock, FINE)
        return await behind

    limits.leave(run(main()), clock, FINE)
    task = None
    gc.collect()
    assert is_idle([limit])


def test_places_come_back_when_what_holds_them_is_thrown_away() -> None:
    limits, clock = ProcessLimits(), FakeClock()
    limit = limits.limit("one", 1)

    async def abandoned() -> None:
        permit = await limits.enter((limit,), clock, PATIENT)
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            limits.leave(permit, clock, FINE)

    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)  # it complains of tasks that were left
    tasks = [loop.create_task(abandoned()) for _ in range(2)]
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    assert limit.busy == 1
    del tasks
    gc.collect()
    assert is_idle([limit])


def test_when_the_one_who_sleeps_dies_with_its_loop_those_on_other_loops_go_on() -> None:
    limits, clock = ProcessLimits(), FakeClock()
    limit = limits.limit("one", 2)
    limits.hold(limit, 7, clock)
    dead = asyncio.new_event_loop()
    dead.set_exception_handler(lambda *_: None)  # it complains of tasks that were left
    left = dead.create_task(limits.enter((limit,), Endless(), PATIENT))
    dead.run_until_complete(asyncio.sleep(0))
    dead.close()
    assert not left.done()
    assert run(starts(limits, limit, clock, 2)) == [7, 7]
    del left, dead
    gc.collect()
    assert is_idle([limit])
