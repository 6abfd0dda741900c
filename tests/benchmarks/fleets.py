"""Many clusters in one answer: all of them up, or a few of them down."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tests.benchmarks.asking import Question
from tests.benchmarks.serving import Served, connector_names

TIMEOUT = 2.0
"""Seconds for a request to a host that may be down."""
NAMES_ASKED = 20

Connections = dict[str, dict[str, str]]


def clusters(server: Served, count: int) -> Question:
    """States and plugins of all connectors of an organisation, one request a Kafka cluster."""
    return Question(
        sql=_by_cluster(count),
        before=_by_cluster(1),
        connections={
            "confluent": {
                **{"provider": "confluent", "base_url": server.url},
                **{"api_key": "k", "api_secret": "s"},
            }
        },
    )


def _by_cluster(count: int) -> str:
    return f"""
    SELECT c.connector.state, c.config['connector.class'] AS plugin, count(*) AS connectors
    FROM confluent.managed_kafka_clusters.clusters k
    JOIN confluent.connect.connectors c
      ON c.environment_id = k.environment AND c.kafka_cluster_id = k.id
    WHERE k.environment = 'env-{count}' GROUP BY ALL
    """


def connections(server: Served, count: int) -> Question:
    """The same of as many connections, each a Kafka Connect cluster by itself."""
    sql = "SELECT connector.state, config['connector.class'], count(*) FROM {}.connect.connectors"
    return Question(
        sql=sql.format("kafka_connect") + " GROUP BY ALL",
        before=sql.format("c0") + " GROUP BY ALL",
        connections={f"c{number}": _worker("127.0.0.1", server.port) for number in range(count)},
    )


# --- some of them down ---------------------------------------------------------------------------


def lists(server: Served, up: int, down: list[tuple[str, int]]) -> Question:
    """One request to each host of a fleet, of which some are down."""
    return _of_fleet(
        server, up, down, "SELECT _connection, count(*) FROM {}.connect.connectors GROUP BY ALL"
    )


def reads(server: Served, up: int, down: list[tuple[str, int]]) -> Question:
    """Twenty requests to each, more than are sent at once: each could run into its time-out."""
    names = ", ".join(f"'{name}'" for name in connector_names()[:NAMES_ASKED])
    return _of_fleet(
        server,
        up,
        down,
        f"SELECT topics FROM {{}}.connect.connector_topics WHERE connector_name IN ({names})",
    )


def _of_fleet(server: Served, up: int, down: list[tuple[str, int]], sql: str) -> Question:
    places = [*((f"127.0.0.{number + 1}", server.port) for number in range(up)), *down]
    return Question(
        sql=sql.format("kafka_connect"),
        before=sql.format("c0"),
        connections={f"c{number}": _worker(*place) for number, place in enumerate(places)},
        partial=True,
        timeout=TIMEOUT,
    )


def _worker(host: str, port: int) -> dict[str, str]:
    return {"provider": "kafka_connect", "base_url": f"http://{host}:{port}"}


@contextmanager
def silent(count: int) -> Iterator[list[tuple[str, int]]]:
    """Hosts and ports that take connections and never answer."""
    with ExitStack() as stack:
        yield [_bound(stack, number, listens=True) for number in range(count)]


@contextmanager
def refusing(count: int) -> Iterator[list[tuple[str, int]]]:
    """Hosts and ports that refuse connections."""
    with ExitStack() as stack:
        yield [_bound(stack, number, listens=False) for number in range(count)]


def _bound(stack: ExitStack, number: int, *, listens: bool) -> tuple[str, int]:
    """A port of a host of its own; nobody listens there unless asked to."""
    link = stack.enter_context(socket.socket())
    link.bind((f"127.0.1.{number + 1}", 0))
    if listens:
        link.listen(512)
    host, port = link.getsockname()
    return str(host), int(port)
