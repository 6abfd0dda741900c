"""Statuses of 1,000 connectors over a loopback server that takes 20 ms for each request.

Ours is one statement; the other way asks for the names, and then for one status after the other.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

from connstat_sql.bootstrap import Setup, open_engine
from connstat_sql.engine import EngineOptions
from tests.requests.organisation import Organisation

LATENCY = 0.02
CONNECTORS = 1000
PLACE = "/connect/v1/environments/env-1/clusters/lkc-1-1/connectors"
SQL = """
SELECT c.name, c.config['tasks.max'], s.connector.state FROM confluent.connect.connectors c
JOIN confluent.connect.connector_status s
  USING (environment_id, kafka_cluster_id, connector_name)
WHERE environment_id = 'env-1' AND kafka_cluster_id = 'lkc-1-1'
"""


class _Slow(BaseHTTPRequestHandler):
    """Answers as the organisation does, each time after a while."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    world: Organisation

    def do_GET(self) -> None:
        time.sleep(LATENCY)
        asked = httpx.Request("GET", f"http://{self.headers['Host']}{self.path}")
        answer = self.world.answer(asked)
        self.send_response(answer.status_code)
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    def log_request(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def served() -> Iterator[tuple[str, Organisation]]:
    """The server's address, and the organisation with what it was asked."""
    world = Organisation(environments=1, clusters=1, connectors=CONNECTORS)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Slow", (_Slow,), {"world": world}))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", world
    finally:
        server.shutdown()
        server.server_close()


def ours(url: str) -> tuple[int, float]:
    """Rows of the statement, and the seconds it took in an engine that is open."""
    connection = {"provider": "confluent", "base_url": url, "api_key": "k", "api_secret": "s"}
    engine = open_engine(
        Setup(connections={"confluent": connection}), EngineOptions(environment={})
    )
    try:
        started = time.perf_counter()
        [result] = engine.run(SQL)
        return result.table.num_rows, time.perf_counter() - started
    finally:
        engine.close()


def one_by_one(url: str) -> tuple[int, float]:
    """Names first, then a request for each: the rows, and the seconds they took."""
    started = time.perf_counter()
    with httpx.Client(base_url=url) as client:
        listed = client.get(PLACE, params={"expand": "info,status,id"}).json()
        rows = [
            (name, one["info"]["config"], json.loads(client.get(f"{PLACE}/{name}/status").content))
            for name, one in listed.items()
        ]
    return len(rows), time.perf_counter() - started
