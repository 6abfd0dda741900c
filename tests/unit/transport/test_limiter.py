"""How the places of a scope become fewer, and more again."""

import asyncio

from connstat_sql.transport.limiter import WINDOW, ConcurrencyLimit
from connstat_sql.transport.process_limits import ProcessLimits, RateFeedback
from tests.conftest import FakeClock
from tests.unit.transport.test_limits import FINE, PATIENT, run


def passes(
    limits: ProcessLimits, limit: ConcurrencyLimit, verdict: RateFeedback, count: int = 1
) -> list[int]:
    """How many places there are after each of so many requests, one after the other."""
    clock, allowed = FakeClock(), []
    for _ in range(count):
        permit = run(limits.enter((limit,), clock, PATIENT))
        limits.leave(permit, clock, verdict)
        allowed.append(limit.allowed)
    return allowed


def test_places_halve_down_to_one_and_grow_by_one_after_each_round() -> None:
    limits = ProcessLimits()
    limit = limits.limit("one", 5)
    assert passes(limits, limit, RateFeedback(throttled=limit), 4) == [2, 1, 1, 1]
    assert passes(limits, limit, FINE, 12) == [2, 2, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5]


def test_requests_that_began_before_a_cut_do_not_cut_again() -> None:
    limits, clock = ProcessLimits(), FakeClock()
    limit = limits.limit("one", 16)

    async def main() -> None:
        permits = [await limits.enter((limit,), clock, PATIENT) for _ in range(16)]
        for permit in permits:
            limits.leave(permit, clock, RateFeedback(throttled=limit))

    run(main())
    assert (limit.allowed, limit.backoffs) == (8, 1)


def test_a_scope_that_was_cut_lets_no_more_in_until_there_are_fewer() -> None:
    limits, clock = ProcessLimits(), FakeClock()
    limit = limits.limit("one", 4)

    async def main() -> None:
        permits = [await limits.enter((limit,), clock, PATIENT) for _ in range(4)]
        waiting = asyncio.ensure_future(limits.enter((limit,), clock, PATIENT))
        await asyncio.sleep(0)
        seen = []
        for permit in permits:
            limits.leave(permit, clock, RateFeedback(throttled=limit))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            seen.append(waiting.done())
        assert seen == [False, False, True, True]

    run(main())


def windows(*means: float) -> list[int]:
    """The places that are left after windows of answers that took so long, in seconds."""
    limits, allowed = ProcessLimits(), []
    limit = limits.limit("one", 64)
    for mean in means:
        verdict = RateFeedback(is_success=True, paced=limit, kind="table", seconds=mean)
        allowed.append(passes(limits, limit, verdict, WINDOW)[-1])
    return allowed


def test_answers_that_take_much_longer_than_the_best_halve_the_places() -> None:
    assert windows(0.2, 0.2, 0.7) == [64, 64, 32]
    assert windows(1.0, 2.9) == [64, 64]
    assert windows(1.0, 3.1) == [64, 32]


def test_a_fast_server_may_become_many_times_slower_without_being_slowed_down() -> None:
    assert windows(0.0003, 0.1, 0.2, 0.25) == [64] * 4


def test_what_is_slow_for_good_becomes_the_usual() -> None:
    allowed = windows(0.1, *[0.5] * 60)
    assert min(allowed) < 32
    assert allowed[-1] > min(allowed)


def test_what_is_said_last_of_a_scope_holds() -> None:
    limits = ProcessLimits()
    limit = limits.limit("one", 8)
    assert limits.limit("one", 3) is limit
    assert (limit.most, limit.allowed) == (3, 3)
    passes(limits, limit, RateFeedback(throttled=limit))
    assert limits.limit("one", 8).allowed == 1
