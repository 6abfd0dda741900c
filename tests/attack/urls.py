"""URLs that could be read in two ways: what is judged is what is connected to, or nothing is."""

from __future__ import annotations

import asyncio
import fnmatch
import itertools
import random
import socket
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import aiohttp
import idna
import msgspec
from aiohttp.abc import AbstractResolver, ResolveResult

from connstat_sql.config.secrets import Resolver
from connstat_sql.definitions.model import (
    Auth,
    AuthKind,
    Method,
    Paging,
    PagingStyle,
    Provider,
    Resource,
    RowsPath,
    TableName,
    Template,
)
from connstat_sql.errors import ConnstatError, FetchError
from connstat_sql.fetch import Fetch, RequestBudget, Responses
from connstat_sql.fetch.pages import PageReader
from connstat_sql.transport import Client, ClientOptions, Connection, ProcessLimits, Request
from connstat_sql.transport.aiohttp_backend import ConnectionPool, open_network
from connstat_sql.transport.responses import RawResponse
from connstat_sql.transport.sockets import Sockets
from connstat_sql.transport.trusted_hosts import Origin, TrustedHosts
from connstat_sql.transport.wire import Backend, ExchangeLimits
from tests.attack.outcome import Outcome
from tests.conftest import FakeClock
from tests.unit.fetch.test_paging import reader

OWN = "https://plant.test:8443/api"
PLAIN_OWN = "http://plant.test/api"
TRUSTED = ("*.data.test", "10.0.0.7", "fd00::7", "münchen.test")
_SCHEMES = ("http", "https", "HTTP", "Https", "ftp", "http ", "\thttp", "ws", "")
_BETWEEN = ("://", "://", ":/", ":", ":///", ":\\\\", "://\\", ":/\\", "//", ":/ /")
_LOGINS = ("",) * 2 + (
    "plant.test@", "ann:pw@", "@", "plant.test:8443@", "a%40b@", "plant.test\\@", "plant.test#@",
    "plant.test?@", "a@b@", ":@", "plant.test%2F@", "plant.test;@",
)  # fmt: skip
_HOSTS = (
    "plant.test", "a.data.test", "10.0.0.7", "[fd00::7]", "evil.test", "PLANT.test", "plant.test.",
    "plant.test..", ".plant.test", "plant。test", "plant\uff0etest", "\uff50lant.test",
    "pla\u00adnt.test", "plant.te\u017ft", "münchen.test", "xn--mnchen-3ya.test", "MÜNCHEN.test",
    "пример.test", "xn--e1afmkfd.test", "xn--a.test", "evil.test%2F.data.test",
    "evil.test%00.data.test", "evil.test\x00.data.test", "evil.test%23.data.test",
    "evil.test .data.test", "evil.test\\.data.test", "%70lant.test", "evil.test:80.data.test",
    "127.1", "0x7f.1", "2130706433", "0177.0.0.1", "127.0.0.1.", "10.0.0.07", "10.7", "010.0.0.7",
    "[::ffff:10.0.0.7]", "[fe80::1%25eth0]", "[fe80::1%eth0]", "[fd00::7%25lo]", "[::1", "::1]",
    "[::1].data.test", "fd00::7", "[]", "[v1.a]", "[evil.test]", "a_b.data.test", "-.data.test",
    "*.data.test", "", "localhost", "\uff11\uff10.0.0.7", "①0.0.0.7", "a.data.test,evil.test",
    "ß.data.test", "ﬁ.data.test", "\u202ea.data.test",
)  # fmt: skip
_PORTS = (
    "", ":8443", ":", ":0", ":80", ":443", ":08443", ":65535", ":65536", ":99999999999", ":-1",
    ":+80", ":8443x", ":80:90", ": 80", ":\uff18\uff10", ":٨٠", ":0x50", ":8443@evil.test",
    ":%38%30",
)  # fmt: skip
_PATHS = (
    "", "/", "/api", "/a/../b", "//evil.test", "/@evil.test", "\\evil.test", "\\@evil.test",
    "?@evil.test", "#@evil.test", "/%2e%2e/x", ";@evil.test", "/é", "?a=http://evil.test", "/x y",
)  # fmt: skip
_LETTERS = "@:/\\?#[]%.\t\n\r\x00 \u3002\uff0f\uff20\u2028\u200b\xad;,&$'\"|^`{}<>~-_0aé"


def hostile(source: random.Random) -> str:
    """A URL out of pieces, most of them usual, of which some letters are then exchanged."""
    pieces = (_SCHEMES, _BETWEEN, _LOGINS, _HOSTS, _PORTS, _PATHS)
    url = "".join(source.choice(piece if source.random() < 0.4 else piece[:2]) for piece in pieces)
    for _ in range(source.choice((0, 0, 0, 0, 1, 2))):
        at = source.randint(0, len(url))
        end = at + source.randint(0, 1)
        url = url[:at] + source.choice(("", source.choice(_LETTERS))) + url[end:]
    return url


@dataclass
class Seen:
    """Where sockets were opened to: no connection comes about."""

    origins: list[Origin] = field(default_factory=list)


class _Names(AbstractResolver):
    """An address of its own for each name, none of which is there."""

    def __init__(self) -> None:
        self._count = itertools.count(1)
        self.names: dict[str, str] = {}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """As DNS would."""
        number = next(self._count)
        address = f"198.18.{number >> 8 & 255}.{number & 255}"
        self.names[address] = host
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=family or socket.AF_INET,
                proto=0,
                flags=0,
            )
        ]

    async def close(self) -> None:
        """Nothing is open."""


class Recorder(ConnectionPool):
    """Notes what a socket would be connected to, and opens none."""

    def __init__(self, seen: Seen, sockets: Sockets | None, **options: Any) -> None:
        self._names, self._seen, self._scheme = _Names(), seen, ""
        super().__init__(
            sockets, resolver=self._names, socket_factory=self._note, use_dns_cache=False, **options
        )

    async def connect(self, req: Any, *more: Any, **options: Any) -> Any:
        """Connect, after a look at whether it is over TLS."""
        self._scheme = "https" if req.is_ssl() else "http"
        return await super().connect(req, *more, **options)

    def _note(self, place: tuple[Any, ...]) -> socket.socket:
        address, port = place[4][:2]
        self._seen.origins.append((self._scheme, self._names.names.get(address, address), port))
        raise ConnectionAbortedError("noted")


class Stopped:
    """A wire whose first answers are handed in; what it would send after those is noted."""

    def __init__(self, network: Backend, seen: Seen, answers: list[RawResponse]) -> None:
        self._network, self._seen, self._answers = network, seen, answers

    async def send(self, request: Request, headers: Mapping[str, str]) -> RawResponse:
        """An answer handed in, else one that follows on the note of a connection."""
        if self._answers:
            return self._answers.pop(0)
        before = len(self._seen.origins)
        try:
            return await self._network.send(request, headers)
        except aiohttp.ClientConnectorError:
            if len(self._seen.origins) == before:
                raise
            return RawResponse(200, {}, b'{"rows": []}')

    async def close(self) -> None:
        """Close the network."""
        await self._network.close()


_METHOD = Method(
    "list", Template(("/t",)), rows=RowsPath(at=(("rows",),)),
    paging=Paging(PagingStyle.LINK, None, ("next",)),
)  # fmt: skip
_FETCH = Fetch("one", Resource(TableName("p", "s", "t"), "", (), (), (_METHOD,)), _METHOD, {})
_PROVIDER = Provider(
    "p", "", "", (), (Auth(AuthKind.NONE),), ("s",), retries=(), follows_redirects=True
)


class Attack:
    """One client after another, each with a URL; `limits` are shared, as in a process."""

    def __init__(self) -> None:
        self._limits = ProcessLimits()

    async def base(self, url: str) -> tuple[Origin, list[Origin]]:
        """A base URL: what it is judged to be, and what is connected to."""
        connection = self._connection(url)
        own = TrustedHosts(connection, Resolver(_PROVIDER, connection, {}).base_urls()).own
        seen = Seen()
        client = self._client(connection, seen, [])
        try:
            await client.send(_asked(f"{client.base_url}/x"))
        finally:
            await client.close()
        return own, seen.origins

    async def row(self, base: str, url: str) -> list[Origin]:
        """A URL that stands in a row."""
        return await self._sent(base, _asked(url), [])

    async def redirect(self, base: str, url: str) -> list[Origin]:
        """A URL that an answer leads to."""
        return await self._sent(
            base, _asked(f"{base}/x"), [RawResponse(307, {"Location": url}, b"")]
        )

    async def link(self, base: str, url: str, *, any_host: bool) -> list[Origin]:
        """A link to the next page."""
        seen = Seen()
        body = msgspec.json.encode({"rows": [{"n": 1}], "next": url})
        client = self._client(self._connection(base), seen, [RawResponse(200, {}, body)])
        paging = replace(_METHOD.paging, any_host=any_host) if _METHOD.paging else None
        fetch = replace(_FETCH, method=replace(_METHOD, paging=paging))
        page_reader = PageReader(reader(fetch.method), Responses(RequestBudget(10)))
        try:
            _, following = await page_reader.begin(fetch, client)
            if following is not None:
                async with aclosing(following):
                    async for _ in following:
                        pass
        finally:
            await client.close()
        return seen.origins

    async def _sent(self, base: str, request: Request, answers: list[RawResponse]) -> list[Origin]:
        seen = Seen()
        client = self._client(self._connection(base), seen, answers)
        try:
            await client.send(request)
        finally:
            await client.close()
        return seen.origins

    def _connection(self, base: str) -> Connection:
        return Connection("one", "p", base_url=base, trusted_hosts=TRUSTED, headers={"X-Key": "k1"})

    def _client(self, connection: Connection, seen: Seen, answers: list[RawResponse]) -> Client:
        client_options = ClientOptions(FakeClock(), {}, limits=self._limits)

        def opened(
            resolver: Resolver, client_options: ClientOptions, exchange_limits: ExchangeLimits
        ) -> Backend:
            network = open_network(
                resolver, client_options.environment, exchange_limits, partial(Recorder, seen)
            )
            return Stopped(network, seen, answers)

        return Client(_PROVIDER, connection, client_options, opened)


def _asked(url: str) -> Request:
    return Request(table="p.s.t", method="GET", url=url)


def run(count: int, seed: int) -> Outcome:
    """So many URLs, each as a base URL, in a row, as a redirect or as a link."""
    return asyncio.run(_run(count, random.Random(seed)))


async def _run(count: int, source: random.Random) -> Outcome:
    outcome, attack = Outcome(), Attack()
    for _ in outcome.turns(count):
        url, way = hostile(source), source.choice(("base", "row", "redirect", "link", "any host"))
        base = source.choice((OWN, PLAIN_OWN))
        try:
            seen, fault = await _tried(attack, way, base, url)
        except (ConnstatError, FetchError):
            outcome.ends[f"{way} refused"] += 1
        except BaseException as error:
            outcome.failures.append(f"{way}: {url!r}: {type(error).__name__}: {error}")
        else:
            outcome.ends[f"{way} connected" if seen else f"{way} not sent"] += 1
            if fault:
                outcome.failures.append(f"{way} of {base}: {url!r} {fault}")
    return outcome


async def _tried(attack: Attack, way: str, base: str, url: str) -> tuple[list[Origin], str]:
    """Where a URL led, and what is wrong with that. Raises what it was refused with."""
    if way == "base":
        own, seen = await attack.base(url)
        wrong = [origin for origin in seen if _named(origin) != _named(own)]
        return seen, f"was judged {own} and led to {wrong}" if wrong else ""
    if way == "row":
        seen = await attack.row(base, url)
    elif way == "redirect":
        seen = await attack.redirect(base, url)
    else:
        seen = await attack.link(base, url, any_host=way == "any host")
    wrong = [origin for origin in seen if not _may_get(origin, base)]
    return seen, f"led to {wrong}" if wrong else ""


def _may_get(origin: Origin, base: str) -> bool:
    """Whether what was connected to may get credentials, by rules as the documentation has them."""
    own = ("https", "plant.test", 8443) if base == OWN else ("http", "plant.test", 80)
    if _named(origin) == own:
        return True
    is_safe = origin[0] == "https" or base == PLAIN_OWN
    host = _named(origin)[1]
    return is_safe and any(fnmatch.fnmatchcase(host, _ascii(glob)) for glob in TRUSTED)


def _named(origin: Origin) -> Origin:
    return origin[0], _ascii(origin[1].lower()), origin[2]


def _ascii(host: str) -> str:
    return host if host.isascii() else idna.encode(host).decode()
