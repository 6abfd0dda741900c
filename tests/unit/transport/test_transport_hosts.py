"""Credentials stay home: which hosts get a request, and that nothing leads anywhere else."""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import httpx
import pytest

from connstat_sql.demo import DemoServers, Fault
from connstat_sql.engine import Engine
from connstat_sql.errors import ConnectionFailed, FetchError, Status, Unauthorized
from connstat_sql.transport import Client
from tests.conftest import engine_of
from tests.unit.transport.test_transport import (
    PLANT,
    REDPANDA,
    SECRET,
    TokenServer,
    asked,
    get,
    with_client,
)

# who gets them


@pytest.mark.parametrize(
    "url",
    [
        *("http://evil.test/x", "http://panda.test.evil.test/x", "http://panda.test:81/x"),
        *("http://panda.test@evil.test/x", "http://user:pw@panda.test/x", "//panda.test/x"),
        *("http://evil.test\\@a.data.test/x", "http://data.test/x", "http://adata.test/x"),
        *("https://panda.test.evil.test", "ftp://panda.test/x", "file:///etc/passwd", "x", ""),
        *("http://a.data.test@evil.test/", "http://evil.test#.data.test/", "http://[::1/x"),
        *("http://evil.test?a.data.test", "http://a[b].data.test/x", "http://a].data.test/x"),
        *("http://evil.test%2F.data.test/x", "http://evil.test,a.data.test/", "http://*.data.test"),
        *("http://[::1].data.test/x", "http://panda.test:0/x", "http://..data.test/x"),
        *("http://a.data.test../x", "http://@panda.test:0/x"),
    ],
)
def test_another_host_gets_neither_credentials_nor_a_request(url: str) -> None:
    server = TokenServer()
    with pytest.raises(ConnectionFailed) as caught:
        with_client(REDPANDA, server, lambda client: client.send(asked(url)))
    assert server.requests == []
    assert caught.value.attempts == 0


def test_own_origin_and_trusted_hosts_get_them() -> None:
    server = TokenServer()

    async def use(client: Client) -> None:
        for url in ("http://panda.test:80/x", "http://a.data.test/x", "https://B.DATA.test:9/x"):
            await client.send(asked(url))

    with_client(REDPANDA, server, use)
    hosts = [request.url.host for request in server.requests]
    assert hosts == ["auth.test", "panda.test", "a.data.test", "b.data.test"]


def test_brackets_around_a_trusted_address_are_those_of_urls() -> None:
    server = TokenServer()
    table = {**REDPANDA, "trusted_hosts": ["[fd00::7]"]}
    with_client(table, server, lambda client: client.send(asked("http://[fd00::7]/x")))
    assert server.requests[-1].url.host == "fd00::7"
    with pytest.raises(ConnectionFailed, match="may get the credentials"):
        with_client(table, server, lambda client: client.send(asked("http://f/x")))


def test_a_trusted_host_without_encryption_gets_nothing_from_an_encrypted_connection() -> None:
    server = TokenServer()
    table = {**REDPANDA, "base_url": "https://panda.test"}
    with pytest.raises(ConnectionFailed, match="without encryption"):
        with_client(table, server, lambda client: client.send(asked("http://a.data.test/x")))
    assert server.requests == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_error_and_not_followed(status: int) -> None:
    seen: list[str] = []

    def api(request: httpx.Request) -> httpx.Response:
        seen.append(str(request.url))
        return httpx.Response(status, headers={"Location": "http://evil.test/"})

    with pytest.raises(Status, match=f"answered {status}") as caught:
        with_client(PLANT, api, get)
    assert seen == ["http://plant.test:8083/x"]
    assert "base_url" in caught.value.hint


def test_cookies_are_not_kept() -> None:
    seen: list[str | None] = []

    def api(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("cookie"))
        return httpx.Response(200, headers={"Set-Cookie": "session=1; Path=/"})

    async def use(client: Client) -> None:
        await get(client)
        await get(client)

    with_client(PLANT, api, use)
    assert seen == [None, None]


def test_an_error_body_that_repeats_a_secret_is_shown_without_it() -> None:
    table = {**PLANT, "username": "ann", "password": SECRET, "headers": {"X-Key": "key-12345"}}
    encoded = "YW5uOmh1bnRlcjItdmVyeS1zZWNyZXQ="

    def api(_: httpx.Request) -> httpx.Response:
        text = f"no {SECRET}, no key-12345, no {encoded}\x1b[31m\r\nbye"
        return httpx.Response(403, json={"message": text})

    with pytest.raises(Unauthorized) as caught:
        with_client(table, api, get)
    assert caught.value.message == "one answered 403: no …, no …, no …�[31m bye"


# over the sandbox


@contextmanager
def second_server(status: int = 200) -> Iterator[tuple[str, list[str]]]:
    """Another server of the loopback, and the lines of the requests that reach it.

    With a status that is an error it says what login of a proxy it was sent.
    """
    lines: list[str] = []

    class Recorder(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            lines.append(self.requestline)
            login = self.headers.get("Proxy-Authorization", "")
            said = {} if status == 200 else {"message": f"{login} {b64decode(login[6:])!r}"}
            body = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Recorder)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", lines
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def rows(engine: Engine, sql: str) -> list[dict[str, Any]]:
    return [row for result in engine.run(sql) for row in result.table.to_pylist()]


def untrusting(sandbox: DemoServers) -> dict[str, Any]:
    return {"redpanda": {**sandbox.connections["redpanda"], "trusted_hosts": []}}


def test_all_four_kinds_of_connection_are_accepted_by_the_sandbox(sandbox: DemoServers) -> None:
    with engine_of(sandbox.connections) as engine:
        assert rows(engine, "SELECT id FROM confluent.org.environments")
        assert rows(engine, "SELECT name FROM plant_b.connect.connectors")
        assert rows(engine, "SELECT slug FROM aeontel.connectors.connectors")
        assert rows(engine, "SELECT name FROM redpanda.kafka_connect.connectors")
    assert [request.path for request in sandbox.requests].count("/oauth/token") == 1


def test_an_untrusted_address_in_where_gets_no_request(sandbox: DemoServers) -> None:
    with second_server() as (url, lines), engine_of(untrusting(sandbox)) as engine:
        sql = f"SELECT name FROM redpanda.kafka_connect.clusters WHERE dataplane_api_url = '{url}'"
        with pytest.raises(ConnectionFailed, match="may get the credentials") as caught:
            rows(engine, sql)
        assert lines == []
    assert sandbox.count() == 0
    assert 'trusted_hosts = ["127.0.0.1"]' in caught.value.hint


def test_an_untrusted_address_in_data_gets_no_request(sandbox: DemoServers) -> None:
    with second_server() as (url, lines), engine_of(untrusting(sandbox)) as engine:
        content = f'{{"cluster": {{"id": "rp-1", "dataplane_api": {{"url": "{url}"}}}}}}'
        sandbox.inject(Fault(api="redpanda_controlplane", path="/v1/clusters/*", status=200,
                             body=content.encode()))  # fmt: skip
        with pytest.raises(FetchError, match="may get the credentials"):
            rows(engine, "SELECT * FROM redpanda.kafka_connect.clusters WHERE cluster_id = 'rp-1'")
        assert lines == []


def test_a_link_to_the_next_page_gives_its_token_and_not_its_host(sandbox: DemoServers) -> None:
    with second_server() as (url, lines), engine_of(sandbox.connections) as engine:
        page = (
            '{"api_version":"v2","kind":"EnvironmentList","metadata":{"next":"'
            f'{url}/org/v2/environments?page_token=nope"}},"data":[]}}'
        )
        sandbox.inject(Fault(api="confluent", path="/org/*", status=200, body=page.encode(),
                             times=1))  # fmt: skip
        with pytest.raises(FetchError):
            rows(engine, "SELECT * FROM confluent.org.environments")
        assert lines == []
    assert [request.query for request in sandbox.requests][-1].endswith("page_token=nope")


@pytest.mark.parametrize("status", [400, 407, 418])
def test_the_login_of_a_proxy_is_repeated_by_no_error(status: int) -> None:
    with second_server(status) as (url, lines):
        proxy = url.replace("://", "://ada:lovelace-1815@")
        table = {"provider": "kafka_connect", "base_url": "http://plant.test:8083", "proxy": proxy}
        with engine_of({"plant": table}) as engine, pytest.raises(FetchError) as caught:
            rows(engine, "SELECT * FROM plant.connect.worker")
        assert lines
    seen = f"{caught.value} {caught.value.hint} {vars(caught.value)}"
    assert "lovelace" not in seen
    assert b64encode(b"ada:lovelace-1815").decode() not in seen


def test_a_proxy_of_the_connection_or_the_environment_is_used(sandbox: DemoServers) -> None:
    sql = "SELECT * FROM plant.connect.worker"
    table = {"provider": "kafka_connect", "base_url": "http://plant.test:8083"}
    with second_server() as (url, lines):
        with engine_of({"plant": {**table, "proxy": url}}) as engine:
            rows(engine, sql)
        with engine_of({"plant": table}, environment={"http_proxy": url}) as engine:
            rows(engine, sql)
        assert lines == ["GET http://plant.test:8083/ HTTP/1.1"] * 2
        environment = {"http_proxy": url, "NO_PROXY": "other.test, 127.0.0.1"}
        with engine_of(
            {"plant": sandbox.connections["plant_a"]}, environment=environment
        ) as engine:
            assert rows(engine, sql)
        assert len(lines) == 2
