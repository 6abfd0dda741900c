"""A server that answers from memory, in a process of its own, faster than anybody can ask.

`python -m tests.benchmarks.serving LATENCY HOSTS` listens on one port of so many loopback hosts
(127.0.0.1, 127.0.0.2, …), prints the port, and answers each request after LATENCY seconds. What
it serves: `/names` and a status for each, `/rows` in pages, the lists of a Kafka Connect cluster
on each host, and those of an organisation's Kafka clusters. `/seen` tells what it was asked since
the last time that was asked, by the clock that all processes of the machine share.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cache
from urllib.parse import parse_qsl

NAMES = 2000
PAGE = 100
CONNECTORS = 100
JSON_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


@dataclass
class Seen:
    """What was asked: how many requests, when the first came and the last was answered.

    `first` and `last` are seconds of `time.monotonic`; `cpu` are the server's seconds.
    """

    requests: int = 0
    first: float = 0.0
    last: float = 0.0
    cpu: float = field(default_factory=time.process_time)


# --- what it serves ------------------------------------------------------------------------------


def name_of(number: int) -> str:
    """A thing's name."""
    return f"thing-{number:05d}"


def status(name: str) -> dict[str, object]:
    """A connector's status, with two tasks."""
    worker = "10.0.0.7:8083"
    tasks = [{"id": number, "state": "RUNNING", "worker_id": worker} for number in range(2)]
    connector = {"state": "RUNNING", "worker_id": worker}
    return {"name": name, "connector": connector, "tasks": tasks, "type": "sink"}


def answer(path: str) -> bytes:
    """The whole response to a path with its query; made once where nothing depends on it."""
    place, _, query = path.partition("?")
    if place == "/rows":
        return _ok(_rows(dict(parse_qsl(query))))
    if place == "/cmk/v2/clusters":
        return _ok(_clusters(dict(parse_qsl(query))))
    if place.endswith("/connectors"):
        return _expanded() if "expand=" in query else _ok(_encoded(connector_names()))
    return _fixed(place)


@cache
def _fixed(place: str) -> bytes:
    match place.strip("/").split("/"):
        case ["names"]:
            return _ok(_encoded([name_of(number) for number in range(NAMES)]))
        case ["names", name, "status"]:
            return _ok(_encoded(status(name)))
        case ["connectors", name, "topics"]:
            return _ok(_encoded({name: {"topics": ["orders"]}}))
    return NOT_FOUND


@cache
def _expanded() -> bytes:
    return _ok(_encoded({name: expanded(name) for name in connector_names()}))


def connector_names() -> list[str]:
    """The connectors of a cluster; they bear the same names in each."""
    return [f"orders-{number:03d}" for number in range(CONNECTORS)]


def expanded(name: str) -> dict[str, object]:
    """A connector in a list with `expand`."""
    config = {"connector.class": "io.example.Sink", "tasks.max": "2", "topics": "orders"}
    config |= {f"setting.{number}": f"value {number}" for number in range(10)}
    settings = {"name": name, "config": config, "tasks": [{"connector": name, "task": 0}]}
    return {"id": {"id": f"lcc-{name}"}, "info": settings, "status": status(name)}


def _rows(query: dict[str, str]) -> bytes:
    """One page of rows: the same in each, but for the first."""
    total = int(query["total"])
    start = int(query.get("page_token") or query.get("offset") or 0)
    following = b'"%d"' % (start + PAGE) if start + PAGE < total else b"null"
    first = _encoded(status(name_of(start)))
    rows = b"[%b, %b]" % (first, _others()) if start < total else b"[]"
    return b'{"total":%d,"next":%b,"rows":%b}' % (total, following, rows)


@cache
def _others() -> bytes:
    return _encoded([status(name_of(number)) for number in range(1, PAGE)])[1:-1]


def _clusters(query: dict[str, str]) -> bytes:
    """A page of Kafka clusters: the environment `env-10` has ten."""
    total = int(query["environment"].rpartition("-")[2])
    start = int(query.get("page_token", "0"))
    end = min(start + int(query.get("page_size", "10")), total)
    following = f"/cmk/v2/clusters?page_token={end}" if end < total else None
    found = [{"id": f"lkc-{number}"} for number in range(start, end)]
    return _encoded({"data": found, "metadata": {"next": following}})


def _encoded(value: object) -> bytes:
    return json.dumps(value).encode()


def _ok(body: bytes) -> bytes:
    return JSON_HEAD % (len(body), body)


# --- serving it ----------------------------------------------------------------------------------


class _Exchange(asyncio.Protocol):
    """One connection: requests without bodies, answered after a while, kept alive."""

    transport: asyncio.Transport

    def __init__(self, server: Server) -> None:
        self._server = server
        self._got = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._got += data
        while (end := self._got.find(b"\r\n\r\n")) >= 0:
            head, self._got = self._got[:end], self._got[end + 4 :]
            self._server.take(head.split(b" ", 2)[1].decode(), self)


class Server:
    """Counts what it is asked and answers after `latency` seconds."""

    def __init__(self, latency: float) -> None:
        self._latency = latency
        self._seen = Seen()

    def take(self, path: str, exchange: _Exchange) -> None:
        """Answer one request, now or later."""
        if path == "/seen":
            exchange.transport.write(_ok(self._told()))
            return
        self._seen.requests += 1
        self._seen.first = self._seen.first or time.monotonic()
        if self._latency:
            asyncio.get_running_loop().call_later(self._latency, self._answer, path, exchange)
        else:
            self._answer(path, exchange)

    def _answer(self, path: str, exchange: _Exchange) -> None:
        exchange.transport.write(answer(path))
        self._seen.last = time.monotonic()

    def _told(self) -> bytes:
        seen, self._seen = self._seen, Seen()
        seen.cpu = time.process_time() - seen.cpu
        return _encoded(asdict(seen))

    async def run(self, hosts: int) -> None:
        """Listen until the process is ended."""
        loop, port = asyncio.get_running_loop(), 0
        for number in range(1, hosts + 1):
            server = await loop.create_server(
                lambda: _Exchange(self), f"127.0.0.{number}", port, backlog=512
            )
            port = server.sockets[0].getsockname()[1]
        print(port, flush=True)
        await asyncio.Event().wait()


@dataclass(frozen=True, slots=True)
class Served:
    """A server that runs."""

    port: int

    @property
    def url(self) -> str:
        """Its address on the first host."""
        return f"http://127.0.0.1:{self.port}"

    def seen(self) -> Seen:
        """What it was asked since the last time."""
        with urllib.request.urlopen(f"{self.url}/seen") as response:
            return Seen(**json.load(response))


@contextmanager
def served(latency: float = 0.0, hosts: int = 1) -> Iterator[Served]:
    """A server in a process of its own, `latency` in seconds."""
    command = (sys.executable, "-m", __spec__.name, str(latency), str(hosts))
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            server = Served(int(process.stdout.readline()))
            server.seen()
            yield server
        finally:
            process.terminate()


if __name__ == "__main__":
    asyncio.run(Server(float(sys.argv[1])).run(int(sys.argv[2])))
