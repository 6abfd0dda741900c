"""What goes out, to the byte, over the real network and over a transport that stands in for it."""

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

import aiohttp
import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connstat_sql.errors import ConfigError
from connstat_sql.transport.httpx_backend import HttpxBackend
from connstat_sql.transport.messages import Request
from connstat_sql.transport.proxies import Proxies, Proxy, proxies_of
from connstat_sql.transport.responses import RawResponse
from connstat_sql.transport.wire import Backend, ExchangeLimits
from tests.examples import examples
from tests.fakes.wire_server import Script, asked, resolver_of, with_network

BOUNDS = ExchangeLimits(30, 10, 1_000_000)


def sent(path: str, **more: Any) -> Script:
    """What reaches a server from one request over the network."""
    server = Script()

    async def use(wire: Backend, base: str) -> RawResponse:
        return await wire.send(asked(base + path, **more), {})

    assert with_network(server, use).body == b"[]"
    return server


def handed_over(request: Request, headers: Mapping[str, str] | None = None) -> httpx.Request:
    """What a transport that was handed in gets of a request."""
    seen: list[httpx.Request] = []

    def api(outgoing: httpx.Request) -> httpx.Response:
        seen.append(outgoing)
        return httpx.Response(200)

    async def use() -> None:
        wire = HttpxBackend(httpx.MockTransport(api), BOUNDS)
        await wire.send(request, headers or {})
        await wire.close()

    asyncio.run(use())
    return seen[0]


# URLs


@pytest.mark.parametrize(
    ("value", "in_path", "in_query"),
    [
        ("a/b", "a%2Fb", "a%2Fb"), ("a\\b", "a%5Cb", "a%5Cb"), ("é", "%C3%A9", "%C3%A9"),
        ("a+b", "a%2Bb", "a%2Bb"), ("a b", "a%20b", "a+b"), ("", "", ""), ("%2F", "%252F", "%252F"),
        ("..;x", "..%3Bx", "..%3Bx"), ("~", "~", "~"),
        ("!*'()", "%21%2A%27%28%29", "%21%2A%27%28%29"), ("a?b#c&d", *["a%3Fb%23c%26d"] * 2),
        ("\t\n", "%09%0A", "%09%0A"), ("😀", "%F0%9F%98%80", "%F0%9F%98%80"),
    ],
)  # fmt: skip
def test_a_value_is_sent_as_it_was_encoded_and_nothing_is_tidied_up(
    value: str, in_path: str, in_query: str
) -> None:
    path = f"/x/{quote(value, safe='')}"
    server = sent(path, query=(("k", value), ("k", ""), (value, "v")))
    assert server.target == f"/x/{in_path}?k={in_query}&k=&{in_query}=v"


@settings(max_examples=examples(30), deadline=None)
@given(
    segment=st.text(st.characters(exclude_categories=["Cs"]), max_size=12).filter(
        lambda text: text not in (".", "..")
    ),
    query=st.lists(
        st.tuples(*[st.text(st.characters(exclude_categories=["Cs"]), max_size=8)] * 2), max_size=4
    ),
)
def test_what_arrives_is_the_same_over_both_wires_and_decodes_to_what_was_meant(
    segment: str, query: list[tuple[str, str]]
) -> None:
    path = f"/p/{quote(segment, safe='')}"
    server = sent(path, query=tuple(query))
    handed = handed_over(asked(f"http://plant.test{path}", query=tuple(query)))
    assert server.target == handed.url.raw_path.decode()
    arrived, _, asked_for = server.target.partition("?")
    assert unquote(arrived.removeprefix("/p/")) == segment
    assert parse_qsl(asked_for, keep_blank_values=True) == query
    assert str(asked(path, query=tuple(query)).line) == f"GET {server.target}"


@pytest.mark.parametrize(
    ("path", "target"),
    [("/a b", "/a%20b"), ("/é", "/%C3%A9"), ("/a/../b", "/b"), ("/{x}", "/%7Bx%7D"), ("", "/")],
)
def test_a_path_that_cannot_be_sent_as_it_is_written_is_encoded(path: str, target: str) -> None:
    assert sent(path).target == target
    assert handed_over(asked(f"http://plant.test{path}")).url.raw_path.decode() == target


@pytest.mark.parametrize("path", ["/a\r\nX-Key: 1", "/a\x00", "/a\n"])
def test_a_control_character_in_a_url_is_not_sent(path: str) -> None:
    server = Script()
    with pytest.raises(ValueError, match="non-printable"):
        with_network(server, lambda wire, base: wire.send(asked(base + path), {}))
    assert server.heads == []


# headers and bodies


def of_both(own: Mapping[str, str], **more: Any) -> dict[str, str]:
    """The headers that a server gets, which are those that a transport gets; but for the host."""
    server = Script()

    async def use(wire: Backend, base: str) -> str:
        await wire.send(asked(f"{base}/x", **more), own)
        return base

    base = with_network(server, use)
    received = server.headers
    assert dict(handed_over(asked(f"{base}/x", **more), own).headers) == received
    assert received.pop("host") == base.removeprefix("http://")
    return received


def test_both_wires_send_the_same_headers() -> None:
    assert of_both({"Authorization": "Bearer t-1"}, headers=(("X-Tenant", "7"),)) == {
        "user-agent": "connstat-sql",
        "accept": "application/json",
        "accept-encoding": "gzip, deflate, br, zstd",
        "authorization": "Bearer t-1",
        "x-tenant": "7",
    }


def test_a_header_that_is_given_replaces_ours_in_whatever_case() -> None:
    received = of_both(
        {"USER-AGENT": "ours", "x-a": "1"}, headers=(("accept", "x/y"), ("X-A", "2"))
    )
    assert (received["user-agent"], received["accept"], received["x-a"]) == ("ours", "x/y", "2")


def test_a_body_is_sent_whole_with_its_length_and_type() -> None:
    body, kind = b'{"a": "\xc3\xa9"}', (("Content-Type", "application/json"),)
    received = of_both({}, method="POST", body=body, headers=kind)
    assert (received["content-length"], received["content-type"]) == ("11", "application/json")
    server = sent("/x", method="POST", body=body, headers=kind)
    assert (server.bodies, server.heads[0][0]) == ([body], b"POST /x HTTP/1.1")


# answers


def exchanged(answer: bytes) -> RawResponse:
    """What becomes of an answer."""
    return with_network(Script(answer), lambda wire, base: wire.send(asked(base + "/x"), {}))


def test_headers_of_one_name_are_one_list_of_values() -> None:
    reply = exchanged(
        b"HTTP/1.1 200 OK\r\nLink: <a>; rel=prev\r\nlink: <b>; rel=next\r\nX-A: 1\r\n"
        b"Content-Length: 0\r\n\r\n"
    )
    assert reply.headers.get("LINK") == "<a>; rel=prev, <b>; rel=next"
    assert (reply.headers.get("x-a"), reply.headers.get("x-b", "")) == ("1", "")


@pytest.mark.parametrize("status", [200, 204, 304, 404, 503])
def test_every_status_is_an_answer(status: int) -> None:
    length = b"" if status in (204, 304) else b"Content-Length: 0\r\n"
    reply = exchanged(b"HTTP/1.1 %d X\r\n%s\r\n" % (status, length))
    assert (reply.status, reply.body) == (status, b"")


def test_a_chunked_body_and_one_that_ends_with_the_connection_are_read() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n[\r\n1\r\n]\r\n0\r\n\r\n"
    assert exchanged(chunked).body == b"[]"
    until_the_end = Script(b"HTTP/1.1 200 OK\r\n\r\n[1, 2]", close=True)
    reply = with_network(until_the_end, lambda wire, base: wire.send(asked(base), {}))
    assert reply.body == b"[1, 2]"


def test_a_redirect_leads_nowhere_and_a_cookie_is_not_kept() -> None:
    server = Script(
        b"HTTP/1.1 302 Found\r\nLocation: /y\r\nSet-Cookie: a=1; Path=/\r\n"
        b"Content-Length: 0\r\n\r\n"
    )

    async def use(wire: Backend, base: str) -> list[int]:
        return [(await wire.send(asked(f"{base}/x"), {})).status for _ in range(2)]

    assert with_network(server, use) == [302, 302]
    assert [head[0] for head in server.heads] == [b"GET /x HTTP/1.1"] * 2
    assert "cookie" not in server.headers


def test_a_connection_is_used_again() -> None:
    server = Script()

    async def use(wire: Backend, base: str) -> None:
        for _ in range(5):
            await wire.send(asked(base), {})

    with_network(server, use)
    assert (server.count, len(server.heads)) == (1, 5)


def test_a_request_may_want_a_connection_of_its_own() -> None:
    server = Script()

    async def use(wire: Backend, base: str) -> None:
        for fresh in (False, True, True, False):
            await wire.send(asked(base, fresh=fresh), {})

    with_network(server, use)
    assert (server.count, len(server.heads)) == (3, 4)


def test_a_large_body_arrives_whole() -> None:
    body = bytes(range(256)) * 20_000
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    reply = with_network(
        Script(answer),
        lambda wire, base: wire.send(asked(base), {}),
        exchange_limits=ExchangeLimits(30, 10, len(body)),
    )
    assert reply.body == body


# proxies


def test_a_proxy_gets_the_whole_url_and_its_login() -> None:
    server = Script()
    with_network(
        server,
        lambda wire, base: wire.send(asked(f"{base}/a%2Fb", query=(("k", "a/b"),)), {}),
        base="http://plant.test:8083",
        proxy="http://ann:p%40ss@127.0.0.1:{port}",
    )
    assert server.target == "http://plant.test:8083/a%2Fb?k=a%2Fb"
    assert server.headers["proxy-authorization"] == "Basic YW5uOnBAc3M="
    assert server.headers["host"] == "plant.test:8083"


def test_a_proxy_on_the_way_to_https_gets_a_tunnel_asked_for_and_nothing_of_the_request() -> None:
    server = Script(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")

    async def use(wire: Backend, base: str) -> None:
        with pytest.raises(aiohttp.ClientHttpProxyError):
            await wire.send(asked(f"{base}/x"), {"Authorization": "Bearer t-1"})

    with_network(
        server,
        use,
        base="https://plant.test",
        environment={"HTTPS_PROXY": "http://ann:pw@127.0.0.1:{port}"},
    )
    assert server.heads[0][0] == b"CONNECT plant.test:443 HTTP/1.1"
    assert server.headers["proxy-authorization"] == "Basic YW5uOnB3"
    assert "authorization" not in server.headers


@pytest.mark.parametrize(
    ("environment", "scheme", "proxy"),
    [
        ({}, "http", None),
        ({"http_proxy": "http://p:1"}, "http", "http://p:1"),
        ({"http_proxy": "http://p:1"}, "https", None),
        ({"HTTP_PROXY": "http://p:1"}, "http", None),
        ({"HTTP_PROXY": "http://p:1", "ALL_PROXY": "http://q:1"}, "http", "http://q:1"),
        ({"ALL_PROXY": "p:1"}, "https", "http://p:1"),
        ({"https_proxy": "http://p:1", "HTTPS_PROXY": "http://q:1"}, "https", "http://p:1"),
        ({"https_proxy": "", "HTTPS_PROXY": "http://q:1"}, "https", "http://q:1"),
        ({"all_proxy": "http://p:1", "https_proxy": "http://q:1"}, "https", "http://q:1"),
        ({"http_proxy": ""}, "http", None),
        ({"http_proxy": "http://p"}, "http", "http://p:1080"),
        ({"http_proxy": "http://p:80/"}, "http", "http://p:80/"),
        ({"http_proxy": "[::1]"}, "http", "http://[::1]:1080"),
        ({"http_proxy": "https://p"}, "http", "https://p"),
    ],
)
def test_the_environment_says_which_proxy_as_to_curl(
    environment: dict[str, str], scheme: str, proxy: str | None
) -> None:
    proxies = proxies_of(resolver_of("http://plant.test", environment), environment)
    assert proxies.find(scheme, "plant.test", 80) == (None if proxy is None else Proxy(proxy))


@pytest.mark.parametrize(
    ("excepted", "direct", "proxied"),
    [
        ("a.test", ["a.test", "a.test.", "x.a.test"], ["ba.test", "b.test"]),
        (" .a.test , B.test:81", ["a.test", "x.a.test", "b.test"], ["c.test"]),
        ("a.test. b.test\tc.test", ["a.test", "b.test", "c.test"], ["d.test"]),
        ("..a.test, *.b.test, c.test;d.test", [], ["a.test", "b.test", "x.b.test", "d.test"]),
        ("b.test:82", [], ["b.test"]),
        ("x, *", ["a.test", "::1"], []),
        ("127.0.0.1,::1", ["127.0.0.1", "::1"], ["27.0.0.1", "::11", "127.0.0.11"]),
        ("[::1]:81", ["::1"], ["::2"]),
        ("[::1]", ["::1", "0:0:0:0:0:0:0:1"], ["::2"]),
        ("127.0.0.0/8", ["127.0.0.1", "127.1", "0x7f.1", "2130706433"], ["128.0.0.1", "a.test"]),
        ("10.1.2.3/12,", ["10.0.0.0", "10.15.255.255"], ["10.16.0.0", "10.1.2.3.test"]),
        ("10.0.0.0/33, 10.0.0.0/x, 10.0.0/8, 10, 0.1", ["10.0.0.0"], ["10.0.0.1"]),
        ("fd00::/8", ["fd12::1", "fd12::1%eth0"], ["fe12::1", "10.0.0.1"]),
        ("[fe80::]/10", ["fe80::1", "febf::1"], ["fec0::1"]),
        ("0.0.0.0/0", ["10.0.0.1"], ["::1", "a.test"]),
        (",, ,", [], ["a.test"]),
    ],
)
def test_no_proxy_lists_hosts_and_all_names_below_them(
    excepted: str, direct: list[str], proxied: list[str]
) -> None:
    environment = {"http_proxy": "http://p:1", "NO_PROXY": excepted}
    proxies = proxies_of(resolver_of("http://plant.test", environment), environment)
    assert [host for host in direct if proxies.find("http", host, 81) is not None] == []
    assert [host for host in proxied if proxies.find("http", host, 81) is None] == []


def test_the_connections_own_proxy_is_for_every_host() -> None:
    environment = {"http_proxy": "http://p:1", "NO_PROXY": "*"}
    resolver = resolver_of("http://plant.test", environment, proxy="http://own:1")
    assert proxies_of(resolver, environment) == Proxies(
        {"http": Proxy("http://own:1"), "https": Proxy("http://own:1")}
    )


@pytest.mark.parametrize("url", ["socks5://p:1", "ftp://p", "http://", "http://p:99999", "://"])
def test_what_is_no_http_proxy_is_a_configuration_error_that_hides_its_login(url: str) -> None:
    scheme, _, place = url.partition("://")
    environment = {"HTTPS_PROXY": f"{scheme}://ann:hunter2@{place}"}
    with pytest.raises(ConfigError, match="HTTPS_PROXY is not the URL of an http proxy") as caught:
        proxies_of(resolver_of("https://plant.test", environment), environment)
    assert "hunter2" not in f"{caught.value.message}{caught.value.hint}"
