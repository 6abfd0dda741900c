"""Credentials on the wire: what each kind sends, how often a token is fetched, and the pace."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import httpx
import pytest

from connstat_sql.bootstrap import Setup
from connstat_sql.bootstrap.assembly import find_connections
from connstat_sql.definitions.loader import Library, shipped_providers
from connstat_sql.errors import Unauthorized, UnexpectedShape
from connstat_sql.transport import Attempt, Client, ClientOptions, Request, Response
from tests.conftest import FakeClock

T = TypeVar("T")
LIBRARY = Library([shipped_providers()])
SECRET = "hunter2-very-secret"
REDPANDA = {
    "provider": "redpanda",
    "base_url": "http://panda.test",
    "token_url": "http://auth.test/token",
    "client_id": "ann",
    "client_secret": SECRET,
    "trusted_hosts": ["*.data.test"],
}
PLANT = {"provider": "kafka_connect", "base_url": "http://plant.test:8083"}
Handler = Callable[[httpx.Request], httpx.Response]


def with_client(
    table: dict[str, Any],
    handler: Handler | httpx.AsyncBaseTransport,
    use: Callable[[Client], Coroutine[Any, Any, T]],
    **more: Any,
) -> T:
    """What `use` makes of a client of the connection, on a loop of its own."""
    connection = find_connections(Setup(connections={"one": table}), LIBRARY, {})["one"]
    provider = LIBRARY.provider(connection.provider)
    assert provider is not None
    wire = (
        handler if isinstance(handler, httpx.AsyncBaseTransport) else httpx.MockTransport(handler)
    )
    options = ClientOptions(**{"clock": FakeClock(), "environment": {}, "transport": wire, **more})

    async def main() -> T:
        client = Client(provider, connection, options)
        try:
            return await use(client)
        finally:
            await client.close()

    return asyncio.run(main())


def asked(url: str, **more: Any) -> Request:
    return Request(table="p.s.t", method="GET", url=url, **more)


async def get(client: Client, path: str = "/x") -> Response:
    return await client.send(asked(client.base_url + path))


class TokenServer:
    """A token endpoint and an API in one; `lifetime` None leaves `expires_in` out."""

    def __init__(self, lifetime: object = 3600) -> None:
        self.lifetime = lifetime
        self.issued = 0
        self.valid: set[str] = set()
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if request.url.path == "/token":
            assert "authorization" not in request.headers
            self.issued += 1
            self.valid = {f"token-{self.issued}"}
            body = {"access_token": f"token-{self.issued}", "expires_in": self.lifetime}
            return httpx.Response(200, json={k: v for k, v in body.items() if v is not None})
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        return httpx.Response(200 if token in self.valid else 401, json={"message": "hello"})


# the kinds


@pytest.mark.parametrize(
    ("table", "header", "value"),
    [
        (
            {**PLANT, "username": "ann", "password": "pä:ss"},
            "authorization",
            "Basic YW5uOnDDpDpzcw==",
        ),
        ({"provider": "aeontel", "api_key": "k-1"}, "authorization", "Bearer k-1"),
        ({"provider": "redpanda", "token": "t-1"}, "authorization", "Bearer t-1"),
        ({**PLANT, "headers": {"X-Key": "k-2"}}, "x-key", "k-2"),
        (PLANT, "authorization", None),
    ],
)
def test_each_kind_of_credentials_is_one_header(
    table: dict[str, Any], header: str, value: str | None
) -> None:
    seen: list[str | None] = []

    def api(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get(header))
        return httpx.Response(200)

    with_client(table, api, get)
    assert seen == [value]


# client credentials


def test_many_requests_at_once_share_one_token() -> None:
    server = TokenServer()

    async def use(client: Client) -> int:
        answers = await asyncio.gather(*(get(client) for _ in range(50)))
        return sum(answer.status == 200 for answer in answers)

    assert with_client(REDPANDA, server, use) == 50
    assert server.issued == 1
    assert server.requests[0].content.decode() == (
        f"grant_type=client_credentials&client_id=ann&client_secret={SECRET}"
    )


@pytest.mark.parametrize(
    ("lifetime", "still", "renewed"),
    [(3600, 3500, 3545), ("3600", 3500, 3545), (None, 3500, 3545), (30, 14, 15), (0, 0, 0)],
)
def test_a_token_is_renewed_before_its_end(lifetime: object, still: float, renewed: float) -> None:
    server, clock = TokenServer(lifetime), FakeClock()
    start = clock.now()

    async def use(client: Client) -> list[int]:
        counts = []
        for at in (0, still, renewed):
            clock.time = start + at
            await get(client)
            counts.append(server.issued)
        return counts

    expected = [1, 1, 2] if lifetime != 0 else [1, 2, 3]
    assert with_client(REDPANDA, server, use, clock=clock) == expected


def test_after_a_401_a_token_is_fetched_once_more_by_all_together() -> None:
    server = TokenServer()

    async def use(client: Client) -> int:
        await get(client)
        server.valid.clear()
        answers = await asyncio.gather(*(get(client) for _ in range(20)))
        assert all(answer.status == 200 for answer in answers)
        return sum(answer.attempts for answer in answers)

    attempts = with_client(REDPANDA, server, use)
    assert attempts == [request.url.path for request in server.requests].count("/x") - 1
    assert attempts > 20
    assert server.issued == 2


def test_a_token_that_ends_between_two_pages_costs_one_more_attempt_and_both_are_told() -> None:
    server, seen = TokenServer(), list[Attempt]()

    async def use(client: Client) -> list[int]:
        first = await get(client, "/page-1")
        server.valid.clear()
        return [first.attempts, (await get(client, "/page-2")).attempts]

    assert with_client(REDPANDA, server, use, observe=seen.append) == [1, 2]
    assert [(sent.line.url.rpartition("/")[2], sent.status, sent.attempt) for sent in seen] == [
        ("token", 200, 1), ("page-1", 200, 1),
        ("page-2", 401, 1), ("token", 200, 2), ("page-2", 200, 2),
    ]  # fmt: skip


def test_a_second_401_is_final() -> None:
    def api(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.path)
        if request.url.path == "/token":
            return httpx.Response(200, json={"access_token": "t"})
        return httpx.Response(401, json={"message": "who is t?"})

    seen: list[str] = []
    with pytest.raises(Unauthorized) as caught:
        with_client(REDPANDA, api, get)
    assert seen == ["/token", "/x", "/token", "/x"]
    assert (caught.value.status, caught.value.attempts) == (401, 2)


def test_a_token_of_before_is_repeated_by_no_error() -> None:
    def api(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/token":
            tokens.append(f"issued-as-number-{len(tokens)}")
            return httpx.Response(200, json={"access_token": tokens[-1]})
        return httpx.Response(401, json={"message": f"not {tokens[0]} nor {tokens[-1]}"})

    tokens: list[str] = []
    with pytest.raises(Unauthorized) as caught:
        with_client(REDPANDA, api, get)
    assert len(tokens) == 2
    assert "not … nor …" in caught.value.message


def test_a_wrong_secret_is_tried_once_and_never_repeated() -> None:
    seen: list[str] = []
    clock = FakeClock()

    def api(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.path)
        return httpx.Response(401, json={"error_description": f"{SECRET} is wrong"})

    async def use(client: Client) -> list[BaseException]:
        errors = [e for _ in range(2) for e in await asyncio.gather(
            *(get(client) for _ in range(10)), return_exceptions=True) if e]  # fmt: skip
        clock.time += 60
        with pytest.raises(Unauthorized):
            await get(client)
        return [error for error in errors if isinstance(error, BaseException)]

    errors = with_client(REDPANDA, api, use, clock=clock)
    assert seen == ["/token", "/token"]  # the second after a minute: it may have been mended
    assert len(errors) == 20
    for error in errors:
        assert isinstance(error, Unauthorized)
        assert SECRET not in f"{error}{error.hint}{error.request}"
        assert "http://auth.test/token gave no token" in error.message
        assert (error.table, error.connection, error.status) == ("p.s.t", "one", 401)
        assert "client id and secret" in error.hint


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'{"access_token": 5}', b'{"access_token": "a\\r\\nb"}', b"{}"]
)
def test_an_answer_without_a_token_says_so(body: bytes) -> None:
    with pytest.raises(UnexpectedShape, match=r"auth\.test/token answered without a token"):
        with_client(REDPANDA, lambda _: httpx.Response(200, content=body), get)


def test_a_token_server_that_is_down_for_a_moment_is_asked_again() -> None:
    server = TokenServer()
    failures = iter([503, 500, None])

    def api(request: httpx.Request) -> httpx.Response:
        status = next(failures, None) if request.url.path == "/token" else None
        return server(request) if status is None else httpx.Response(status)

    clock = FakeClock()
    assert with_client(REDPANDA, api, get, clock=clock).attempts == 3
    assert len(clock.slept) == 2


# pace


def test_no_more_requests_at_once_than_the_connection_allows() -> None:
    under_way, most = 0, 0

    class Slow(httpx.AsyncBaseTransport):
        async def handle_async_request(self, _request: httpx.Request) -> httpx.Response:
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            for _ in range(3):
                await asyncio.sleep(0)
            under_way -= 1
            return httpx.Response(200)

    async def use(client: Client) -> None:
        await asyncio.gather(*(get(client) for _ in range(500)))

    with_client({**PLANT, "max_concurrency": 7}, Slow(), use)
    assert most == 7


def test_a_rate_spaces_requests_evenly() -> None:
    clock = FakeClock()

    async def use(client: Client) -> None:
        for _ in range(4):
            await get(client)

    with_client({**PLANT, "rate": 2}, lambda _: httpx.Response(200), use, clock=clock)
    assert clock.slept == [0.5, 0.5, 0.5]


def test_every_request_is_observed_without_a_secret() -> None:
    seen: list[Attempt] = []
    with_client(REDPANDA, TokenServer(), get, observe=seen.append)
    assert [str(attempt.line) for attempt in seen] == [
        "POST http://auth.test/token",
        "GET http://panda.test/x",
    ]
    assert [attempt.status for attempt in seen] == [200, 200]
    assert SECRET not in repr(seen)
    assert "token-1" not in repr(seen)
