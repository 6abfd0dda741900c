"""Names and addresses: what is judged is the name, and what is connected to is what it was then."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from connstat_sql.config.secrets import Resolver
from connstat_sql.definitions.model import Auth, AuthKind, Provider
from connstat_sql.errors import ConnectionFailed
from connstat_sql.transport import Client, ClientOptions, Connection
from connstat_sql.transport.aiohttp_backend import ConnectionPool, open_network
from connstat_sql.transport.wire import Backend, ExchangeLimits
from tests.conftest import FakeClock
from tests.unit.transport.test_transport import asked

PROVIDER = Provider("p", "", "", (), (Auth(AuthKind.NONE),), ("s",))


class Changing(AbstractResolver):
    """Answers with another address each time; `asked` are the names, `answers` the addresses."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answers: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        self.asked.append(host)
        self.answers.append(f"10.0.0.{len(self.asked)}")
        return [
            ResolveResult(hostname=host, host=self.answers[-1], port=port,
                          family=family or socket.AF_INET, proto=0, flags=0)
        ]  # fmt: skip

    async def close(self) -> None:
        return


def lookups(
    url: str, environment: Mapping[str, str] | None = None, **more: Any
) -> tuple[Changing, list[str]]:
    """What a request that nobody answers looked up, and the addresses that it went to."""
    names, connected = Changing(), list[str]()

    def note(place: tuple[Any, ...]) -> socket.socket:
        connected.append(place[4][0])
        raise ConnectionAbortedError("noted")

    connector: Callable[..., ConnectionPool] = partial(
        ConnectionPool, resolver=names, socket_factory=note, use_dns_cache=False
    )

    def opened(
        resolver: Resolver, client_options: ClientOptions, exchange_limits: ExchangeLimits
    ) -> Backend:
        return open_network(resolver, client_options.environment, exchange_limits, connector)

    async def main() -> None:
        connection = Connection("one", "p", base_url="http://plant.test", **more)
        client = Client(PROVIDER, connection, ClientOptions(FakeClock(), environment or {}), opened)
        try:
            with pytest.raises(ConnectionFailed):
                await client.send(asked(url))
        finally:
            await client.close()

    asyncio.run(main())
    return names, connected


@pytest.mark.parametrize("url", ["http://plant.test/x", "http://a.data.test/x"])
def test_each_connection_goes_to_what_its_one_lookup_answered(url: str) -> None:
    names, connected = lookups(url, trusted_hosts=("*.data.test",))
    assert len(connected) > 1
    assert connected == names.answers
    assert set(names.asked) == {url.split("/")[2]}


def test_a_name_is_not_trusted_for_its_address() -> None:
    names, connected = lookups("http://evil.test/x", trusted_hosts=("10.0.0.1", "10.0.0.*"))
    assert (names.asked, connected) == ([], [])


def test_no_proxy_excepts_no_name_for_its_address() -> None:
    environment = {"http_proxy": "http://proxy.test:3128", "no_proxy": "10.0.0.0/8"}
    names, connected = lookups("http://plant.test/x", environment)
    assert set(names.asked) == {"proxy.test"}
    assert connected == names.answers
