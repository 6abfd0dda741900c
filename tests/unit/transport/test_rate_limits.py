"""What an API says of its limits holds back all of a connection, and whom limits are shared by."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from typing import Any

import httpx
import pytest

from connstat_sql.bootstrap import Setup
from connstat_sql.bootstrap.assembly import find_connections
from connstat_sql.definitions.limits import RequestLimit, Reset
from connstat_sql.definitions.model import Limits as Declared
from connstat_sql.errors import FetchError, RateLimited, Status
from connstat_sql.transport import Client, ClientOptions, Connection
from connstat_sql.transport.process_limits import ProcessLimits, of_process
from connstat_sql.transport.rate_limits import limits_of, wait_asked
from connstat_sql.transport.responses import RawResponse
from tests.conftest import FakeClock
from tests.unit.transport.test_transport import LIBRARY, PLANT, SECRET, asked, get, with_client

CONFLUENT = {"provider": "confluent", "base_url": "http://c.test", "token": SECRET}
NOW = FakeClock().time
DECLARED = Declared(
    concurrency=6, rate=4.0, host=RequestLimit(5), families={"metrics": RequestLimit(2, 1.0)}
)  # fmt: skip


class Api:
    """Answers 200, but to its first request `first`; keeps when each request came."""

    def __init__(self, clock: FakeClock, first: int, headers: Mapping[str, str]) -> None:
        self.clock, self.first, self.headers = clock, first, headers
        self.came: list[tuple[str, float]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        is_first = not self.came
        self.came.append((request.url.path, self.clock.time - NOW))
        status, headers = (self.first, self.headers) if is_first else (200, {})
        return httpx.Response(status, headers=headers)


def asked_to_wait(
    first: int, headers: Mapping[str, str], table: dict[str, Any] = CONFLUENT
) -> tuple[list[tuple[str, float]], list[float]]:
    """When requests came of which the first got that answer, and the waits."""
    clock = FakeClock()
    api = Api(clock, first, headers)

    async def use(client: Client) -> None:
        for path in ("/a", "/b"):
            await get(client, path)

    with_client(table, api, use, clock=clock, random=lambda: 1.0)
    return api.came, clock.slept


# what answers say

DATE = "Fri, 15 Jan 2027 08:00:09 GMT"


@pytest.mark.parametrize(
    ("status", "headers", "reset", "seconds"),
    [
        (429, {"Retry-After": "7"}, None, 7), (429, {"Retry-After": DATE}, None, 9),
        (503, {"Retry-After": "7"}, None, 7), (500, {"Retry-After": "7"}, None, 7),
        (200, {"Retry-After": "7"}, None, None), (429, {}, Reset.SECONDS, None),
        (429, {"X-RateLimit-Reset": "5"}, Reset.SECONDS, 5),
        (429, {"X-RateLimit-Reset": "5"}, None, None),
        (429, {"X-RateLimit-Reset": f"{NOW + 5}"}, Reset.EPOCH, 5),
        (429, {"X-RateLimit-Reset": f"{NOW - 5}"}, Reset.EPOCH, None),
        (429, {"X-RateLimit-Reset": "5", "Retry-After": "7"}, Reset.SECONDS, 7),
        (503, {"X-RateLimit-Reset": "5"}, Reset.SECONDS, None),
        (200, {"X-RateLimit-Reset": "5", "X-RateLimit-Remaining": "0"}, Reset.SECONDS, 5),
        (200, {"X-RateLimit-Reset": "5", "X-RateLimit-Remaining": "1"}, Reset.SECONDS, None),
        (200, {"X-RateLimit-Reset": "5"}, Reset.SECONDS, None),
        (200, {"X-RateLimit-Reset": "5", "X-RateLimit-Remaining": "0"}, None, None),
        (429, {"X-RateLimit-Reset": "soon"}, Reset.SECONDS, None),
        (429, {"X-RateLimit-Reset": "nan"}, Reset.SECONDS, None),
        (429, {"X-RateLimit-Reset": "inf"}, Reset.SECONDS, None),
        (429, {"X-RateLimit-Reset": "-5"}, Reset.SECONDS, None),
    ],
)  # fmt: skip
def test_each_form_in_which_an_api_asks_to_wait(
    status: int, headers: dict[str, str], reset: Reset | None, seconds: float | None
) -> None:
    reply = RawResponse(status, httpx.Headers(headers), b"")
    assert wait_asked(reply, reset, NOW) == seconds


@pytest.mark.parametrize(
    ("status", "headers"),
    [(429, {"Retry-After": "7"}), (503, {"Retry-After": "7"}), (429, {"X-RateLimit-Reset": "7"})],
)
def test_a_wait_is_waited_once_and_to_the_second(status: int, headers: dict[str, str]) -> None:
    came, slept = asked_to_wait(status, headers)
    assert came == [("/a", 0), ("/a", 7), ("/b", 7)]
    assert slept == [7]


def test_when_nothing_remains_the_next_request_waits_though_none_has_failed() -> None:
    came, slept = asked_to_wait(200, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "7"})
    assert came == [("/a", 0), ("/b", 7)]
    assert slept == [7]


def test_a_wait_asked_for_beside_another_error_is_for_that_request_alone() -> None:
    came, slept = asked_to_wait(500, {"Retry-After": "7"})
    assert came == [("/a", 0), ("/a", 7), ("/b", 7)]
    assert slept == [7]


def test_all_of_a_connection_wait_and_start_again_half_as_many_at_a_time() -> None:
    clock = FakeClock()
    api = Api(clock, 429, {"Retry-After": "7"})
    under_way, most = 0, dict[float, int]()

    class Slow(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            nonlocal under_way
            under_way += 1
            most[clock.time - NOW] = max(most.get(clock.time - NOW, 0), under_way)
            response = api(request)
            for _ in range(3):
                await asyncio.sleep(0)
            under_way -= 1
            return response

    async def use(client: Client) -> None:
        await asyncio.gather(*(get(client) for _ in range(12)))

    with_client({**CONFLUENT, "max_concurrency": 8}, Slow(), use, clock=clock)
    assert len(api.came) == 13
    assert most == {0: 8, 7: 4}
    assert clock.slept == [7]


@pytest.mark.parametrize("status", [429, 503])
def test_a_wait_that_is_too_long_is_an_error_for_all_at_once(status: int) -> None:
    clock = FakeClock()
    api = Api(clock, status, {"Retry-After": "600"})

    async def use(client: Client) -> list[FetchError]:
        errors = []
        for path in ("/a", "/b"):
            with pytest.raises(FetchError) as caught:
                await get(client, path)
            errors.append(caught.value)
        assert client.waits() == 600
        return errors

    first, second = with_client(CONFLUENT, api, use, clock=clock)
    assert type(first) is (RateLimited if status == 429 else Status)
    assert (first.attempts, first.hint) == (1, "the API asks to wait 600 s")
    assert type(second) is RateLimited
    assert "another 600 s" in second.message
    assert (second.attempts, second.table, second.connection) == (0, "p.s.t", "one")
    assert str(second.request) == "GET http://c.test/b"
    assert (len(api.came), clock.slept) == (1, [])


def test_a_wait_beyond_the_end_of_the_statement_is_an_error_at_once() -> None:
    clock = FakeClock()
    api = Api(clock, 429, {"Retry-After": "20"})

    async def use(client: Client) -> None:
        await client.send(asked(client.base_url + "/a"), until=clock.time + 10)

    with pytest.raises(RateLimited, match="429") as caught:
        with_client(CONFLUENT, api, use, clock=clock)
    assert caught.value.hint == "the API asks to wait 20 s, and the deadline comes before that"
    assert clock.slept == []


def test_no_answer_shuts_a_connection_for_longer_than_an_hour() -> None:
    clock = FakeClock()
    api = Api(clock, 429, {"Retry-After": "9" * 30})

    async def use(client: Client) -> None:
        with pytest.raises(RateLimited):
            await get(client)
        assert client.waits() == 3600
        clock.time += 3600
        await get(client)

    with_client(CONFLUENT, api, use, clock=clock)
    assert len(api.came) == 2


# who shares


Use = Callable[[Client, Client], Coroutine[Any, Any, None]]


def with_two(
    tables: tuple[dict[str, Any], dict[str, Any]],
    use: Use,
    declared: Declared = DECLARED,
    clock: FakeClock | None = None,
) -> None:
    """Two clients of two engines, over one set of limits."""
    limits = ProcessLimits()

    async def main() -> None:
        clients = []
        for name, table in zip("ab", tables, strict=True):
            connection = find_connections(Setup(connections={name: table}), LIBRARY, {})[name]
            provider = LIBRARY.provider(connection.provider)
            assert provider is not None
            wire = httpx.MockTransport(lambda _: httpx.Response(200))
            client_options = ClientOptions(
                clock or FakeClock(), {"KEY": SECRET}, wire, limits=limits
            )
            clients.append(Client(replace(provider, limits=declared), connection, client_options))
        try:
            await use(*clients)
        finally:
            for client in clients:
                await client.close()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("change", "shares"),
    [
        ({}, True), ({"token": "${KEY}"}, True), ({"token": "another"}, False),
        ({"base_url": "http://d.test"}, False), ({"headers": {"X-Org": "2"}}, False),
    ],
)  # fmt: skip
def test_the_same_account_through_two_engines_has_one_budget(
    change: dict[str, Any], shares: bool
) -> None:
    clock = FakeClock()

    async def use(client: Client, other: Client) -> None:
        await get(client)
        await get(other)

    with_two((CONFLUENT, {**CONFLUENT, **change}), use, clock=clock)
    assert clock.slept == ([0.25] if shares else [])


def test_a_host_has_one_budget_over_all_accounts_where_that_is_declared() -> None:
    clock = FakeClock()

    async def use(client: Client, other: Client) -> None:
        await get(client)
        await get(other)

    declared = Declared(host=RequestLimit(rate=2.0))
    with_two((CONFLUENT, {**CONFLUENT, "token": "another"}), use, declared, clock)
    assert clock.slept == [0.5]


def test_a_family_of_methods_has_limits_of_its_own() -> None:
    clock = FakeClock()

    async def use(client: Client, _: Client) -> None:
        slow = asked(client.base_url + "/m", family="metrics")
        for request in (slow, slow, asked(client.base_url + "/x")):
            await client.send(request)

    with_two((CONFLUENT, PLANT), use, clock=clock)
    assert clock.slept == [1.0, 0.25]


def test_a_wait_asked_of_a_family_holds_back_no_other_request() -> None:
    clock = FakeClock()
    api = Api(clock, 429, {"Retry-After": "600"})
    provider = LIBRARY.provider("confluent")
    assert provider is not None
    provider = replace(provider, limits=Declared(families={"metrics": RequestLimit(2)}))
    connection = find_connections(Setup(connections={"a": CONFLUENT}), LIBRARY, {})["a"]

    async def main() -> None:
        client = Client(provider, connection, ClientOptions(clock, {}, httpx.MockTransport(api)))
        try:
            for _ in range(2):
                with pytest.raises(RateLimited):
                    await client.send(asked(client.base_url + "/m", family="metrics"))
            assert (await get(client)).status == 200
            assert client.waits() == 600
        finally:
            await client.close()

    asyncio.run(main())
    assert [path for path, _ in api.came] == ["/m", "/x"]


def test_what_a_connection_says_of_limits_comes_before_the_definition() -> None:
    own = Connection(
        "one", "p", max_concurrency=1, host_rate=9.0, families={"metrics": RequestLimit(None, 0.5)}
    )
    assert limits_of(DECLARED, Connection("one", "p")) == DECLARED
    assert limits_of(DECLARED, own) == Declared(
        concurrency=1,
        rate=4.0,
        host=RequestLimit(5, 9.0),
        families={"metrics": RequestLimit(2, 0.5)},
    )


def test_nothing_of_the_limits_shows_who_they_are_for() -> None:
    async def use(client: Client, _: Client) -> None:
        await get(client)
        limiter = vars(client)["_limiter"]
        shown = [
            repr(value) for value in (*vars(limiter).values(), *vars(vars(limiter)["_registry"]))
        ]
        assert SECRET not in "".join(shown)

    with_two((CONFLUENT, PLANT), use)


def test_a_process_has_one_set_of_limits() -> None:
    assert of_process() is of_process()
    assert ClientOptions(FakeClock(), {}).limits is not ClientOptions(FakeClock(), {}).limits
