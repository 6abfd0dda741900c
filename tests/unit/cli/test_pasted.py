"""Commands that are printed to be pasted: a real shell runs them against a server on loopback."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import threading
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import pytest

from connstat_sql.definitions.model import Auth, AuthKind, Provider, Setting, Template
from connstat_sql.demo import DemoServers, World
from connstat_sql.saved import SavedQueries, prepare, standard_folders
from connstat_sql.transport import Connection
from connstat_sql.transport.curl import curl_options
from tests.conftest import engine_of

NAMES = (
    "plain", "o'brien", 'a "b" c', "$(touch pwned)", "`touch pwned`", "; touch pwned #", "a&b|c>d",
    "ä ö", "a?b#c", "{1,2}[3-4]", "-X", "a+b%20c", "..", "connectors", "status",
)  # fmt: skip
SECRET = "hunter2 & $HOME"
CONNECTORS = "inventory.connectors.connectors"


def failed(name: str) -> dict[str, Any]:
    connector = {"state": "FAILED", "worker_id": "w", "trace": "a.B: it broke"}
    return {
        "status": {"name": name, "connector": connector, "tasks": [], "type": "sink"},
        "info": {"name": name, "config": {}, "tasks": [], "type": "sink"},
    }


FAILED = {name: failed(name) for name in NAMES}


class Worker(ThreadingHTTPServer):
    """A cluster of Kafka Connect at a base path, all of whose connectors have failed."""

    daemon_threads = True
    restarted: list[tuple[str, str | None, str | None]]

    def __init__(self, host: str, base: str) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, 0), Handler)
        self.base, self.restarted = base, []
        shown = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{self.server_address[1]}{base}"


class Handler(BaseHTTPRequestHandler):
    server: Worker

    def log_message(self, *_: object) -> None:
        """Nothing."""

    def do_GET(self) -> None:
        path, _, query = self.path.removeprefix(self.server.base).partition("?")
        _, _, name, *part = path.split("/") if path != "/connectors" else ("", "", "")
        if part or name:
            self._answer(FAILED[unquote(name)][part[0] if part else "info"])
        else:
            self._answer(FAILED if query else [*FAILED])

    def do_POST(self) -> None:
        headers = self.headers
        self.server.restarted.append((self.path, headers["Authorization"], headers["X-Team"]))
        self._answer({})

    def _answer(self, body: object) -> None:
        content = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def serving(host: str, base: str) -> Iterator[Worker]:
    with Worker(host, base) as worker:
        threading.Thread(target=worker.serve_forever, args=(0.01,), daemon=True).start()
        yield worker
        worker.shutdown()


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    yield from serving("127.0.0.1", "/gate way/connectors/it's".replace(" ", "-"))


def commands(
    worker: Worker, environment: Mapping[str, str] | None = None, **settings: object
) -> dict[str, str]:
    """The restarts of all connectors, by name."""
    connection = {"provider": "kafka_connect", "base_url": f"{worker.url}/", **settings}
    other = {"provider": "kafka_connect", "base_url": "http://127.0.0.1:1/"}
    query = SavedQueries(standard_folders(Path("/nowhere"), Path("/nowhere"))).find("restarts")
    with engine_of({"b": other, "a": connection}, environment=environment or {}) as engine:
        prepared = prepare(query, {"connection": "a"}, engine)
        *_, answer = engine.run(prepared.sql, prepared.arguments)
        return {row["connector_name"]: row["command"] for row in answer.table.to_pylist()}


def pasted(command: str, folder: Path, **environment: str) -> None:
    """Run a command as somebody who pastes it."""
    env = {"PATH": os.environ["PATH"], "NO_PROXY": "*", **environment}
    run = ["sh", "-euc", command]
    done = subprocess.run(run, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (command, done.stderr)
    assert not [*folder.iterdir()], f"more was run than curl: {command}"


needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")


@needs_curl
def test_each_command_restarts_its_connector_and_runs_nothing_else(
    worker: Worker, tmp_path: Path
) -> None:
    listed = commands(worker)
    assert listed.keys() == {*NAMES}
    worker.restarted.clear()
    pasted("\n".join(f"{command} -sS" for command in listed.values()), tmp_path)
    parts = [urlsplit(path) for path, *_ in worker.restarted]
    assert {part.query for part in parts} == {"includeTasks=true&onlyFailed=true"}
    heads = {f"{worker.base}/connectors/{name}/restart" for name in listed}
    assert {unquote(part.path) for part in parts} == heads


LOGINS: tuple[tuple[dict[str, Any], dict[str, str]], ...] = (
    ({"username": "me", "password": "${P_W}"}, {"P_W": SECRET}),
    ({"username": "${WHO}", "password": "${P_W}"}, {"WHO": "me", "P_W": SECRET}),
    ({"username": "me", "password": SECRET}, {"KAFKA_CONNECT_PASSWORD": SECRET}),
)


@needs_curl
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_credentials_are_variables_in_a_command(host: str, tmp_path: Path) -> None:
    try:
        serving_there = contextmanager(serving)(host, "")
        with serving_there as worker:
            for settings, variables in LOGINS:
                environment = {**variables, "TEAM": "night!"}
                headers = {"X-Team": "${TEAM}"}
                listed = commands(worker, environment, headers=headers, **settings)
                assert SECRET not in str(listed)
                pasted(f"{listed['plain']} -sS", tmp_path, **environment)
                _, login, team = worker.restarted.pop()
                assert login == f"Basic {b64encode(f'me:{SECRET}'.encode()).decode()}"
                assert team == "night!"
    except OSError as error:
        if ":" in host:
            pytest.skip(f"{host}: {error}")
        raise


@needs_curl
def test_the_restarts_of_each_vendor_work_as_they_are_printed(tmp_path: Path) -> None:
    secret = {
        "confluent": ("api_secret", "CONFLUENT_CLOUD_API_SECRET"),
        "redpanda": ("client_secret", "REDPANDA_CLIENT_SECRET"),
        "plant_b": ("password", "KAFKA_CONNECT_PASSWORD"),
    }
    query = SavedQueries(standard_folders(Path("/nowhere"), Path("/nowhere"))).find("restarts")
    with DemoServers(World.seeded(7)) as sandbox:
        environment = {
            variable: str(sandbox.connections[name][key])
            for name, (key, variable) in secret.items()
        }
        with engine_of(sandbox.connections) as engine:
            *_, answer = engine.run(prepare(query, {}, engine).sql)
        plain = [row for row in answer.table.to_pylist() if "/" not in row["connector_name"]]
        commands = {row["_connection"]: row["command"] for row in plain}
        assert commands.keys() == {"confluent", "redpanda", "plant_a", "plant_b"}
        assert not any(value in str(commands) for value in environment.values())
        sandbox.reset()
        for command in commands.values():
            pasted(f"{command} -sSf", tmp_path, **environment)
        posts = [one for one in sandbox.requests if one.path.endswith("/restart")]
    assert [one.method for one in posts] == ["POST"] * 4
    assert {one.status for one in posts} <= {202, 204}


def test_the_url_of_a_connector_is_whole_whatever_was_asked(worker: Worker) -> None:
    wanted = {name: f"{worker.url}/connectors/{quote(name, safe='')}" for name in NAMES}
    connections = {"a": {"provider": "kafka_connect", "base_url": worker.url}}
    with engine_of(connections) as engine:
        for predicate in ("true", "connector_name IN ('plain', 'status')"):
            sql = f"SELECT connector_name, external_url FROM {CONNECTORS} WHERE {predicate}"
            *_, answer = engine.run(sql)
            found = dict(tuple(row.values()) for row in answer.table.to_pylist())
            assert found == {name: wanted[name] for name in found}
            assert found


def template_of(text: str) -> Template:
    name = text.strip("{}")
    return Template(("", name, "") if name != text else (text,))


WAYS = {
    "": (AuthKind.NONE, {}),
    '-u "$U:$P"': (AuthKind.BASIC, {"username": "${U}", "password": "${P}"}),
    '-u "it:$PET_P"': (AuthKind.BASIC, {"username": "it", "password": "x"}),
    """-u 'it"s':"${P}\"""": (AuthKind.BASIC, {"username": 'it"s', "password": "${P}"}),
    '-H "Authorization: Bearer $T"': (AuthKind.BEARER, {"password": "${T}"}),
    '-H "Authorization: Bearer $(cat /run/t)"': (AuthKind.BEARER, {"password": "${file:/run/t}"}),
    '-H "X-Key: $K"': (AuthKind.HEADER, {"password": "${K}"}),
    '-H "Authorization: Bearer $(curl -sS --data-urlencode "grant_type=client_credentials" '
    '--data-urlencode "client_id=a" --data-urlencode "client_secret=$PET_P" "https://x" '
    """| sed -n 's/.*"access_token" *: *"\\([^"]*\\)".*/\\1/p')\"""": (
        AuthKind.CLIENT_CREDENTIALS,
        {"username": "a", "password": "b"},
    ),
}
OPTIONS = {
    AuthKind.NONE: {},
    AuthKind.BASIC: {"username": "{username}", "password": "{password}"},
    AuthKind.BEARER: {"token": "{password}"},
    AuthKind.HEADER: {"name": "X-Key", "value": "{password}"},
    AuthKind.CLIENT_CREDENTIALS: {
        "token_url": "https://x", "client_id": "{username}", "client_secret": "{password}"
    },
}  # fmt: skip


@pytest.mark.parametrize("words", WAYS)
def test_each_way_to_log_in_has_its_words(words: str) -> None:
    kind, settings = WAYS[words]
    options = tuple((name, template_of(text)) for name, text in OPTIONS[kind].items())
    known = (Setting("username"), Setting("password", env="PET_P", is_secret=True))
    pets = Provider("pets", "", "", known, (Auth(kind, options),), ())
    assert curl_options(pets, Connection("a", "pets", settings)) == words


def test_what_else_a_connection_says_of_tls_and_proxies_is_there() -> None:
    pets = Provider("pets", "", "", (), (Auth(AuthKind.NONE),), ())
    connection = Connection(
        "a", "pets", verify=False, ca_file="/etc/a b.pem", client_cert="/c.pem",
        client_key="/$k.pem", proxy="http://me:pw@proxy:1",
    )  # fmt: skip
    assert curl_options(pets, connection) == (
        '-k --cacert "/etc/a b.pem" --cert "/c.pem" --key \'/$k.pem\' -x "$CONNECT_PROXY"'
    )


FORMS = ("curl_options('a')", "CURL_OPTIONS (c)")


@pytest.mark.parametrize("form", FORMS)
def test_the_words_are_a_function_by_the_name_of_a_connection(form: str) -> None:
    login = {"username": "m", "password": "${P}"}
    with engine_of({"a": {"provider": "kafka_connect", "base_url": "http://x", **login}}) as engine:
        *_, answer = engine.run(f"SELECT {form}, curl_options('b') FROM (VALUES ('a')) AS v(c)")
        assert [[*row.values()] for row in answer.table.to_pylist()] == [['-u "m:$P"', None]]
