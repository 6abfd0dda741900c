"""Limits that a process shares: how many at once, how often, who waits, and that none is lost."""

import asyncio
import random
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connstat_sql.transport.limiter import ConcurrencyLimit, HeldBack, Patience
from connstat_sql.transport.process_limits import ProcessLimits, RateFeedback
from tests.conftest import FakeClock
from tests.examples import examples

T = TypeVar("T")
PATIENT = Patience(60.0)
FINE, SLOW_DOWN = RateFeedback(is_success=True), RateFeedback()


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Its result, or a failure instead of waiting for ever."""

    async def bounded() -> T:
        return await asyncio.wait_for(coroutine, 20)

    return asyncio.run(bounded())


def is_idle(passed: Sequence[ConcurrencyLimit]) -> bool:
    """Whether nobody has a place, nobody waits, and nobody sleeps for others."""
    return all(limit.busy == 0 and limit.first() is None and not limit.timers for limit in passed)


class Endless(FakeClock):
    """Never wakes whoever sleeps."""

    async def sleep(self, seconds: float) -> None:
        assert seconds > 0
        await asyncio.get_running_loop().create_future()


# how many at once


@settings(max_examples=examples(60), deadline=None)
@given(seed=st.integers(0, 2**32), sizes=st.lists(st.integers(1, 4), min_size=1, max_size=3))
def test_never_more_than_allowed_are_under_way_and_all_end(seed: int, sizes: list[int]) -> None:
    dice, limits, clock = random.Random(seed), ProcessLimits(), FakeClock()
    rates = [dice.choice([None, None, 5.0]) for _ in sizes]
    passed = [limits.limit(n, *size) for n, size in enumerate(zip(sizes, rates, strict=True))]
    under_way = dict.fromkeys(passed, 0)
    ends: list[str] = []

    async def passer() -> None:
        wanted = tuple(s for s in passed if dice.random() < 0.7) or (passed[0],)
        try:
            permit = await limits.enter(wanted, clock, PATIENT)
            try:
                for limit in wanted:
                    under_way[limit] += 1
                    assert under_way[limit] <= limit.most
                for _ in range(dice.randrange(4)):
                    await asyncio.sleep(0)
                if dice.random() < 0.1:
                    limits.hold(wanted[0], 3, clock)
            finally:
                for limit in wanted:
                    under_way[limit] -= 1
                throttled = wanted[0] if dice.random() < 0.2 else None
                limits.leave(permit, clock, RateFeedback(throttled is None, throttled))
        finally:
            ends.append("ended")

    async def main() -> None:
        tasks = [asyncio.ensure_future(passer()) for _ in range(40)]
        while not all(task.done() for task in tasks):
            await asyncio.sleep(0)
            if dice.random() < 0.1:
                dice.choice(tasks).cancel()
        for task in tasks:
            assert task.cancelled() or task.exception() is None

    run(main())
    assert len(ends) <= 40
    assert is_idle(passed)


def test_a_place_that_was_handed_over_to_someone_just_cancelled_goes_to_the_next() -> None:
    limits, clock = ProcessLimits(), FakeClock()
    limit = limits.limit("one", 1)

    async def main() -> None:
        permit = await limits.enter((limit,), clock, PATIENT)
        second, third = (
            asyncio.ensure_future(limits.enter((limit,), clock, PATIENT)) for _ in range(2)
        )
        await asyncio.sleep(0)
        limits.leave(permit, clock, FINE)  # the second has it now, but does not know yet
        second.cancel()
        limits.leave(await third, clock, FINE)

    run(main())
    assert is_idle([limit])


def test_whoever_comes_first_is_served_first_and_newcomers_do_not_overtake() -> None:
    limits, clock = ProcessLimits(), FakeClock()
    limit = limits.limit("one", 1, 10.0)
    order: list[int] = []

    async def passer(number: int) -> None:
        permit = await limits.enter((limit,), clock, PATIENT)
        order.append(number)
        await asyncio.sleep(0)
        limits.leave(permit, clock, FINE)

    async def main() -> None:
        tasks = []
        for number in range(20):
            tasks.append(asyncio.ensure_future(passer(number)))
            await asyncio.sleep(0)
        await asyncio.gather(*tasks)

    run(main())
    assert order == list(range(20))


def test_whoever_waits_for_one_scope_holds_no_place_of_another() -> None:
    limits, clock = ProcessLimits(), FakeClock()
    connection, host = limits.limit("connection", 2), limits.limit("host", 1)

    async def main() -> None:
        first = await limits.enter((connection, host), clock, PATIENT)
        waiting = asyncio.ensure_future(limits.enter((connection, host), clock, PATIENT))
        await asyncio.sleep(0)
        elsewhere = await limits.enter((connection,), clock, PATIENT)
        assert connection.busy == 2
        limits.leave(first, clock, FINE)
        limits.leave(elsewhere, clock, FINE)
        limits.leave(await waiting, clock, FINE)

    run(main())
    assert is_idle([connection, host])


# how often


async def starts(
    limits: ProcessLimits, limit: ConcurrencyLimit, clock: FakeClock, count: int
) -> list[float]:
    """When each of so many requests at once starts, from now; each ends at once."""
    begun, at = clock.time, list[float]()

    async def passer() -> None:
        permit = await limits.enter((limit,), clock, PATIENT)
        at.append(clock.time - begun)
        limits.leave(permit, clock, FINE)

    await asyncio.gather(*(passer() for _ in range(count)))
    return at


def test_a_rate_spaces_starts_evenly_and_one_sleeps_for_all() -> None:
    limits, clock = ProcessLimits(), FakeClock()
    limit = limits.limit("one", 16, 4.0)
    assert run(starts(limits, limit, clock, 5)) == [0, 0.25, 0.5, 0.75, 1.0]
    assert clock.slept == [0.25] * 4
    assert is_idle([limit])


def test_time_without_requests_is_not_saved_up() -> None:
    limits, clock = ProcessLimits(), FakeClock()
    limit = limits.limit("one", 16, 4.0)
    run(starts(limits, limit, clock, 1))
    clock.time += 100
    assert run(starts(limits, limit, clock, 3)) == [0, 0.25, 0.5]


def test_a_clock_that_is_set_back_holds_nobody_up() -> None:
    limits, clock = ProcessLimits(), FakeClock()
    limit = limits.limit("one", 16, 4.0)
    run(starts(limits, limit, clock, 1))
    clock.time -= 3600
    assert run(starts(limits, limit, clock, 2)) == [0.25, 0.5]


def test_when_the_one_who_sleeps_goes_another_sleeps_for_the_rest() -> None:
    class Stopped(FakeClock):
        async def sleep(self, seconds: float) -> None:
            self.slept.append(seconds)
            if len(self.slept) == 1:
                await asyncio.get_running_loop().create_future()
            self.time += seconds

    limits, clock = ProcessLimits(), Stopped()
    limit = limits.limit("one", 2, 1.0)

    async def main() -> list[float]:
        await limits.enter((limit,), clock, PATIENT)
        timer = asyncio.ensure_future(limits.enter((limit,), clock, PATIENT))
        await asyncio.sleep(0)
        behind = asyncio.ensure_future(limits.enter((limit,), clock, PATIENT))
        await asyncio.sleep(0)
        timer.cancel()
        await behind
        return clock.slept

    assert run(main()) == [1.0, 1.0]


def test_a_clock_that_stands_still_while_someone_sleeps_holds_nobody_up() -> None:
    class Standing(FakeClock):
        async def sleep(self, seconds: float) -> None:
            self.slept.append(seconds)

    limits, clock = ProcessLimits(), Standing()
    limit = limits.limit("one", 16, 4.0)
    assert run(starts(limits, limit, clock, 2)) == [0, 0]
    assert clock.slept == [0.25]


def test_whoever_comes_just_when_a_scope_opens_waits_behind_those_in_line() -> None:
    limits, clock = ProcessLimits(), FakeClock()
    limit = limits.limit("one", 2)
    limits.hold(limit, 7, clock)

    async def main() -> None:
        timer = asyncio.ensure_future(limits.enter((limit,), Endless(), PATIENT))
        await asyncio.sleep(0)
        clock.time += 7
        newcomer = asyncio.ensure_future(limits.enter((limit,), clock, PATIENT))
        await asyncio.sleep(0)
        assert not newcomer.done()
        timer.cancel()
        limits.leave(await newcomer, clock, FINE)

    run(main())
    assert is_idle([limit])


# not before when


def test_nobody_in_a_scope_that_is_held_starts_before() -> None:
    limits, clock = ProcessLimits(), FakeClock()
    limit, other = limits.limit("one", 4), limits.limit("other", 4)
    limits.hold(limit, 7, clock)
    assert run(starts(limits, other, clock, 3)) == [0, 0, 0]
    assert run(starts(limits, limit, clock, 3)) == [7, 7, 7]
    assert clock.slept == [7]


def test_a_longer_hold_counts_and_a_shorter_one_changes_nothing() -> None:
    limits, clock = ProcessLimits(), FakeClock()
    limit = limits.limit("one", 4)
    for seconds in (5, 9, 2):
        limits.hold(limit, seconds, clock)
    assert run(starts(limits, limit, clock, 2)) == [9, 9]


@pytest.mark.parametrize(
    ("held", "patience", "is_refused"),
    [
        (60, Patience(60.0), False), (61, Patience(60.0), True),
        (9, Patience(60.0, FakeClock().time + 9), False),
        (10, Patience(60.0, FakeClock().time + 9), True),
        (0, Patience(60.0, FakeClock().time - 1), False),
    ],
)  # fmt: skip
def test_a_wait_beyond_patience_is_refused_at_once_with_its_seconds(
    held: float, patience: Patience, is_refused: bool
) -> None:
    limits, clock = ProcessLimits(), FakeClock()
    limit = limits.limit("one", 4)
    limits.hold(limit, held, clock)
    if is_refused:
        with pytest.raises(HeldBack) as caught:
            run(limits.enter((limit,), clock, patience))
        assert caught.value.seconds == held
        assert clock.slept == []
    else:
        limits.leave(run(limits.enter((limit,), clock, patience)), clock, FINE)
    assert is_idle([limit])


def test_who_waits_in_line_already_is_told_of_a_wait_that_is_too_long() -> None:
    limits, clock = ProcessLimits(), FakeClock()
    limit = limits.limit("one", 1)

    async def main() -> None:
        permit = await limits.enter((limit,), clock, PATIENT)
        waiting = [asyncio.ensure_future(limits.enter((limit,), clock, PATIENT)) for _ in range(3)]
        await asyncio.sleep(0)
        limits.hold(limit, 600, clock)
        ends = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(end) for end in ends] == [HeldBack] * 3
        limits.leave(permit, clock, SLOW_DOWN)

    run(main())
    assert clock.slept == []
    assert is_idle([limit])
