"""When a request is sent once more: by which status, how often, after how long, and until when."""

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connstat_sql.definitions.model import DEFAULT_RETRIES, RetryRule
from connstat_sql.errors import ConnectionFailed, DeadlinePassed, FetchError, Status
from connstat_sql.transport import Client, Response
from connstat_sql.transport.retries import NO_ANSWER, RetryState, rule_for
from tests.conftest import FakeClock
from tests.tabled import over
from tests.unit.transport.test_transport import LIBRARY, PLANT, SECRET, asked, get, with_client

CONFLUENT = {"provider": "confluent", "base_url": "http://c.test", "token": SECRET}
REBALANCE = b'{"message": "Cannot complete request (e.g. worker rebalance)"}'
START = FakeClock().time


def retry_state(**fields: Any) -> RetryState:
    return RetryState(**{"random": lambda: 1.0, "until": None, "longest_wait": 60.0, **fields})


def pauses(retries: RetryState, rule: RetryRule | None, *, lasting: float = 0.0) -> Iterator[float]:
    """The waits between tries that all fail by one rule, each after so many seconds."""
    now = START
    while True:
        retries.begin()
        retries.rule = rule
        now += lasting
        pause = retries.pause(now)
        if pause is None:
            return
        now += pause
        yield pause


# which

RETRIED = {408, 425, 429, 500, 502, 503, 504}


@over("status", range(300, 600))
def test_only_these_statuses_are_tried_again_when_nothing_is_declared(status: int) -> None:
    assert (rule_for(status, b"", DEFAULT_RETRIES) is not None) is (status in RETRIED)


@over("status", [400, 401, 403, 404])
def test_a_status_that_another_try_would_not_change_is_final_whatever_is_declared(
    status: int,
) -> None:
    assert rule_for(status, b"", (RetryRule(frozenset({status})),)) is None


@over(("status", "is_tried"), [(400, True), (401, False), (403, True), (404, False)])
def test_a_limit_that_comes_with_a_refusal_is_known_by_its_words(
    status: int, is_tried: bool
) -> None:
    rules = (RetryRule(frozenset({status}), "throttled"),)
    assert (rule_for(status, b'{"reason":"throttled"}', rules) is not None) is is_tried
    assert rule_for(status, b'{"reason":"forbidden"}', rules) is None


@over(
    ("provider", "status", "body", "seconds"),
    [
        ("kafka_connect", 409, REBALANCE, 60), ("kafka_connect", 500, REBALANCE, 60),
        ("kafka_connect", 409, b"due to stale configuration", 60),
        ("kafka_connect", 409, b"Connector x already exists", None),
        ("kafka_connect", 500, b"Request timed out", None),
        ("kafka_connect", 503, b"", 0), ("confluent", 409, REBALANCE, None),
        ("confluent", 503, b"", 0), ("confluent", 404, b"", None), ("aeontel", 429, b"", 0),
    ],
)  # fmt: skip
def test_the_shipped_definitions_say_what_is_worth_it_and_for_how_long(
    provider: str, status: int, body: bytes, seconds: float | None
) -> None:
    definition = LIBRARY.provider(provider)
    assert definition is not None
    rule = rule_for(status, body, definition.retries)
    assert (None if rule is None else rule.within or 0) == seconds


def test_a_rule_with_a_message_needs_the_message() -> None:
    rules = (RetryRule(frozenset({500}), "rebalance"),)
    assert rule_for(500, b"a rebalance is expected", rules) == rules[0]
    assert rule_for(500, b"Request timed out", rules) is None
    assert rule_for(409, b"a rebalance is expected", rules) is None


# how often, and after how long


def test_waits_double_up_to_a_longest_and_end_after_the_tries() -> None:
    assert list(pauses(retry_state(), NO_ANSWER)) == [0.5, 1, 2]
    assert list(pauses(retry_state(), RetryRule(frozenset(), tries=8))) == [0.5, 1, 2, 4, 8, 8, 8]
    assert list(pauses(retry_state(), RetryRule(frozenset(), tries=1))) == []
    assert list(pauses(retry_state(), None)) == []


@given(dice=st.lists(st.floats(0, 1), min_size=3, max_size=3))
def test_a_wait_is_anywhere_between_none_and_the_longest(dice: list[float]) -> None:
    throws = iter(dice)
    waits = list(pauses(retry_state(random=lambda: next(throws)), NO_ANSWER))
    assert waits == [dice[0] * 0.5, dice[1] * 1, dice[2] * 2]


def test_a_rule_with_its_own_time_goes_on_until_it_is_over_and_tries_at_its_very_end() -> None:
    rule = RetryRule(frozenset(), within=20)
    assert list(pauses(retry_state(), rule)) == [0.5, 1, 2, 4, 8, 4.5]
    # a try of 3 s each: the time counts from the first of these answers
    assert list(pauses(retry_state(), rule, lasting=3)) == [0.5, 1, 2, 4, 0.5]
    assert sum(pauses(retry_state(random=lambda: 0.1), rule)) == pytest.approx(20)


def test_tries_while_a_rule_with_its_own_time_applies_end_with_the_statement_too() -> None:
    rule = RetryRule(frozenset(), within=60)
    assert list(pauses(retry_state(until=START + 10), rule)) == [0.5, 1, 2, 4]


@over(("left", "expected"), [(0.5, []), (0.6, [0.5]), (1.5, [0.5]), (3.6, [0.5, 1, 2])])
def test_no_try_begins_at_or_after_the_end_of_the_statement(
    left: float, expected: list[float]
) -> None:
    assert list(pauses(retry_state(until=START + left), NO_ANSWER)) == expected


@over(
    ("wait", "fields", "pause"),
    [
        (0.0, {}, 0.0), (7.0, {}, 7.0), (60.0, {}, 60.0), (60.1, {}, None),
        (61.0, {"longest_wait": 90.0}, 61.0), (7.0, {"until": START + 7}, None),
    ],
)  # fmt: skip
def test_what_the_api_asks_for_counts_in_place_of_our_own_wait(
    wait: float, fields: dict[str, Any], pause: float | None
) -> None:
    retries = retry_state(**fields)
    retries.begin()
    retries.rule, retries.asked = NO_ANSWER, wait
    assert retries.pause(START) == pause


# seen from a client


def answering(*statuses: int, body: bytes = b"") -> Any:
    """An API that gives these answers, then 200s."""
    left = iter(statuses)
    return lambda _: httpx.Response(next(left, 200), content=body)


def test_a_rebalance_may_last_a_minute_and_no_longer() -> None:
    clock = FakeClock()
    with pytest.raises(Status) as caught:
        with_client(
            PLANT, answering(*[409] * 99, body=REBALANCE), get, clock=clock, random=always_one
        )
    assert sum(clock.slept) == 60
    assert caught.value.attempts == len(clock.slept) + 1 == 12
    clock = FakeClock()
    api = answering(*[500] * 9, body=REBALANCE)
    assert with_client(PLANT, api, get, clock=clock, random=always_one).attempts == 10


def always_one() -> float:
    return 1.0


def test_waits_are_drawn_from_the_dice_handed_in() -> None:
    clock, dice = FakeClock(), iter([0.5, 0.25, 0.125])
    api = answering(503, 502, 504)
    answer = with_client(CONFLUENT, api, get, clock=clock, random=lambda: next(dice))
    assert (answer.attempts, clock.slept) == (4, [0.25, 0.25, 0.25])


def test_a_connection_error_is_tried_again_where_that_is_worth_it() -> None:
    left = iter([httpx.ReadError("reset"), httpx.RemoteProtocolError("cut")])

    def api(_: httpx.Request) -> httpx.Response:
        error = next(left, None)
        if error is not None:
            raise error
        return httpx.Response(200)

    assert with_client(PLANT, api, get).attempts == 3


@over("status", [400, 403, 404, 409, 418, 501])
def test_other_answers_are_final(status: int) -> None:
    clock = FakeClock()
    with pytest.raises(FetchError) as caught:
        with_client(CONFLUENT, answering(status), get, clock=clock)
    assert (caught.value.attempts, clock.slept) == (1, [])


def test_nothing_is_sent_after_the_end_of_the_statement() -> None:
    clock, sent = FakeClock(), list[httpx.Request]()

    async def use(client: Client) -> Response:
        return await client.send(asked(client.base_url + "/x"), until=clock.time)

    with pytest.raises(DeadlinePassed):
        with_client(PLANT, sent.append, use, clock=clock)  # type: ignore[arg-type]
    assert sent == []


def test_an_error_near_the_end_of_the_statement_is_said_and_not_tried_again() -> None:
    clock = FakeClock()

    async def use(client: Client) -> Response:
        return await client.send(asked(client.base_url + "/x"), until=clock.time + 0.5)

    with pytest.raises(Status) as caught:
        with_client(CONFLUENT, answering(503), use, clock=clock, random=always_one)
    assert (caught.value.attempts, clock.slept) == (1, [])


def test_no_place_is_held_while_a_request_waits_for_its_next_try() -> None:
    order: list[str] = []
    left = iter([503])

    class Yielding(FakeClock):
        async def sleep(self, seconds: float) -> None:
            order.append("waits")
            for _ in range(5):
                await asyncio.sleep(0)
            self.time += seconds

    def api(request: httpx.Request) -> httpx.Response:
        order.append(request.url.path)
        return httpx.Response(next(left, 200))

    async def use(client: Client) -> None:
        await asyncio.gather(get(client, "/a"), get(client, "/b"))

    with_client({**CONFLUENT, "max_concurrency": 1}, api, use, clock=Yielding())
    assert order == ["/a", "waits", "/b", "/a"]


def test_attempts_retries_and_waits_are_logged_without_a_secret(
    caplog: pytest.LogCaptureFixture,
) -> None:
    left = iter([503, 429])

    def api(_: httpx.Request) -> httpx.Response:
        status = next(left, 200)
        headers = {"Retry-After": "7"} if status == 429 else {}
        return httpx.Response(status, headers=headers, text=f"{SECRET} is what you sent")

    with caplog.at_level(logging.DEBUG, "connstat_sql.transport"):
        with_client(CONFLUENT, api, get, random=always_one)
    messages = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert [level for level, _ in messages] == [
        "DEBUG", "INFO",  # 503, another try
        "DEBUG", "WARNING", "INFO", "INFO",  # 429: held back, fewer at a time, another try
        "DEBUG",
    ]  # fmt: skip
    assert messages[1][1].endswith("try 2 in 0.5 s")
    assert messages[3][1] == "one asks to wait 7.0 s (429 to p.s.t)"
    assert messages[5][1].endswith("try 3 in 7.0 s")
    assert SECRET not in caplog.text


def test_an_error_after_all_tries_is_the_last_one() -> None:
    left = iter([503, 502, 500])

    def api(_: httpx.Request) -> httpx.Response:
        status = next(left, None)
        if status is None:
            raise httpx.ReadError("reset")
        return httpx.Response(status)

    with pytest.raises(ConnectionFailed) as caught:
        with_client(CONFLUENT, api, get)
    assert caught.value.attempts == 3 + 4


def test_each_kind_of_fault_has_a_count_and_a_time_of_its_own() -> None:
    busy, rebalance = RetryRule(frozenset({503})), RetryRule(frozenset({409}), within=60.0)
    retries = retry_state()
    for rule, times in ((rebalance, 7), (busy, 3), (NO_ANSWER, 3)):
        for _ in range(times):
            retries.rule = rule
            assert retries.pause(START) is not None
    for rule, now, goes_on in (
        (busy, START, False), (NO_ANSWER, START, False), (rebalance, START + 59, True),
        (rebalance, START + 60, False),
    ):  # fmt: skip
        retries.rule = rule
        assert (retries.pause(now) is not None) is goes_on


def test_a_rebalance_that_was_waited_out_leaves_the_tries_for_a_connection_that_is_cut() -> None:
    left = iter([409, 409, 409, 409, 409, None, 200])

    def api(_: httpx.Request) -> httpx.Response:
        status = next(left)
        if status is None:
            raise httpx.ReadError("reset")
        return httpx.Response(status, content=b"{}" if status == 200 else REBALANCE)

    assert with_client(PLANT, api, get).attempts == 7
