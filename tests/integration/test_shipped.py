"""The shipped saved queries, and the views over all providers, over real Kafka Connect workers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from connstat_sql.engine import Engine
from tests.conftest import engine_of
from tests.integration.connectors import SECRET
from tests.integration.kafka import RealKafka
from tests.integration.test_queries import connections_of
from tests.unit.saved.test_shipped_queries import rows

PLAIN = {"connection": "plain"}


@pytest.fixture(scope="module")
def engine(kafka: RealKafka) -> Iterator[Engine]:
    with engine_of(connections_of(kafka)) as opened:
        yield opened


def test_the_fleet_has_every_connector_in_its_state(engine: Engine, kafka: RealKafka) -> None:
    found = {(one["_connection"], one["connector_name"]): one for one in rows(engine, "fleet")}
    expected = {
        (where, name): states
        for where, worker in (("plain", kafka.plain), ("secure", kafka.secure))
        for name, states in worker.connectors.items()
    }
    assert found.keys() == expected.keys()
    for place, (state, tasks) in expected.items():
        one = found[place]
        assert (one["state"], one["tasks_total"]) == (state, len(tasks)), place
        assert (one["tasks_failed"] > 0) is ("FAILED" in tasks), place


def test_failed_tasks_behind_running_connectors_come_with_their_cause(engine: Engine) -> None:
    found = {one["connector_name"]: one for one in rows(engine, "failed-behind-running")}
    assert found.keys() == {"orders-file-sink", "half-failed-sink", "vault-sink"}
    assert "Is a directory" in found["orders-file-sink"]["error_summary"]


def test_one_cause_on_two_clusters_stands_once(engine: Engine) -> None:
    causes = [one for one in rows(engine, "root-causes") if "Is a directory" in one["cause"]]
    assert [(one["names"], one["connections"]) for one in causes] == [
        (["orders-file-sink", "vault-sink"], ["plain", "secure"])
    ]


def test_what_is_put_aside_is_found(engine: Engine) -> None:
    found = {one["connector_name"] for one in rows(engine, "paused")}
    assert found == {"paused-source", "stopped-source"}


def test_secrets_in_clear_text_are_named_and_not_shown(engine: Engine) -> None:
    found = rows(engine, "secrets-in-configs", **PLAIN)
    assert {(one["connector_name"], one["key"]) for one in found} >= {
        ("secret-source", "connection.password"), ("secret-source", "sasl.jaas.config"),
    }  # fmt: skip
    assert ("secret-source", "client.password") not in {
        (one["connector_name"], one["key"]) for one in found
    }
    assert SECRET not in str(found)


def test_masked_secrets_are_no_drift(engine: Engine, kafka: RealKafka, tmp_path: Path) -> None:
    with httpx.Client() as client:
        for number, name in enumerate(kafka.plain.connectors):
            if quote(name, safe="") != name:
                continue
            config = client.get(f"{kafka.plain.url}/connectors/{name}/config").json()
            text = json.dumps({"name": name, "config": {**config, "tasks.max": "7"}})
            (tmp_path / f"{number}.json").write_text(text)
    found = rows(engine, "drift", files=f"{tmp_path}/*.json", **PLAIN)
    assert {one["key"] for one in found if one["drift"] == "different"} == {"tasks.max"}
    assert SECRET not in str(found)


def test_who_reads_a_topic_is_found(engine: Engine) -> None:
    found = {one["connector_name"] for one in rows(engine, "sinks-of", topic="orders")}
    assert {"orders-file-source", "orders-file-sink", "two-task-sink", "vault-sink"} <= found


def test_a_worker_that_is_gone_is_unreachable_and_its_name_is_told(kafka: RealKafka) -> None:
    gone = {"provider": "kafka_connect", "base_url": "http://127.0.0.1:1"}
    with engine_of({**connections_of(kafka), "gone": gone}) as engine:
        assert [one["connection"] for one in rows(engine, "unreachable")] == ["gone"]
