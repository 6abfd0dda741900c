"""The views over all providers: one vocabulary, one health rule, and no request too many."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import duckdb
import httpx
import pytest

from connstat_sql.definitions.loader import Library, shipped_providers
from connstat_sql.demo import DemoServers, redpanda_bodies
from connstat_sql.demo.connectors import DemoConnector, Task
from connstat_sql.engine import Engine
from connstat_sql.errors import ConfigError
from tests.conftest import engine_of

LIBRARY = Library([shipped_providers()])
VIEWS = {str(one.table): one for one in LIBRARY.tables() if one.table.provider == "inventory"}
CONNECTORS = "inventory.connectors.connectors"


@pytest.fixture(scope="module")
def engine(sandbox: DemoServers) -> Iterator[Engine]:
    with engine_of(sandbox.connections) as opened:
        yield opened


def rows(engine: Engine, sql: str) -> list[tuple[Any, ...]]:
    *_, result = engine.run(sql)
    return result.fetchall()


def asked(engine: Engine, sql: str) -> set[str]:
    """The tables that a statement sends requests for, of those that hold the view's own rows."""
    *_, result = engine.run(sql)
    return {str(one.table) for one in result.scans if one.requests}


# --- the rows ------------------------------------------------------------------------------------


def test_every_connector_of_every_provider_is_a_row(engine: Engine) -> None:
    sources = {
        "confluent": "confluent.connect.connectors",
        "redpanda": "redpanda.kafka_connect.connectors",
        "kafka_connect": "kafka_connect.connect.connectors",
        "aeontel": "aeontel.connectors.installs",
    }
    counted = rows(engine, f"SELECT provider, count(*) FROM {CONNECTORS} GROUP BY ALL")
    expected = {
        name: rows(engine, f"SELECT count(*) FROM {of}")[0][0] for name, of in sources.items()
    }
    assert dict(counted) == expected


def test_every_task_of_every_provider_is_a_row(engine: Engine) -> None:
    sql = f"SELECT provider, CAST(sum(tasks_total) AS BIGINT) AS n FROM {CONNECTORS} GROUP BY 1"
    in_lists = {name: count for name, count in rows(engine, sql) if count}
    sql = "SELECT provider, count(*) FROM inventory.connectors.tasks GROUP BY 1"
    assert dict(rows(engine, sql)) == in_lists


@pytest.mark.parametrize("view", VIEWS)
def test_columns_have_the_types_that_are_declared(engine: Engine, view: str) -> None:
    *_, result = engine.run(f"SELECT * FROM {view}")
    engine.session.duckdb.register("answer", result.table)
    found = engine.session.duckdb.execute("DESCRIBE answer").fetchall()
    declared = {one.name: str(duckdb.sqltype(str(one.type))) for one in VIEWS[view].columns}
    assert {name: of.replace("JSON", "VARCHAR") for name, of, *_ in found} == {
        name: of.replace("JSON", "VARCHAR") for name, of in declared.items()
    }


def test_states_and_health_keep_to_their_vocabulary(engine: Engine) -> None:
    sql = f"SELECT list(DISTINCT state), list(DISTINCT health) FROM {CONNECTORS}"
    ((states, healths),) = rows(engine, sql)
    described = {one.name: one.description for one in VIEWS[CONNECTORS].columns}
    assert isinstance(states, list)
    assert isinstance(healths, list)
    assert all(state in described["state"] for state in states)
    assert all(health in described["health"] for health in healths)


def test_the_root_cause_is_the_last_one_in_the_trace_with_its_class(engine: Engine) -> None:
    sql = f"""SELECT error_trace, error_summary FROM {CONNECTORS}
        WHERE error_trace IS NOT NULL"""
    found = rows(engine, sql)
    assert found
    for trace, summary in found:
        *_, kind = str(trace).rpartition("Caused by: ")[2].partition(":")[0].split(".")
        assert summary == f"{kind}: {redpanda_bodies.reason(str(trace))}"


def test_secrets_in_settings_are_masked(engine: Engine, sandbox: DemoServers) -> None:
    *_, result = engine.run(f"SELECT config FROM {CONNECTORS}")
    shown = str(result.table.to_pylist())
    secrets = {
        value
        for cluster in sandbox.world.kafka_connect
        for one in cluster.connectors
        for key, value in one.config.items()
        if "password" in key and not value.startswith("${")
    }
    assert secrets
    assert not any(secret in shown for secret in secrets)


# --- the health rule -----------------------------------------------------------------------------

STATES = ("RUNNING", "FAILED", "PAUSED", "STOPPED", "RESTARTING", "UNASSIGNED", "DESTROYED", "ODD")
TASK_STATES = ("RUNNING", "FAILED", "PAUSED", "UNASSIGNED", "RESTARTING")
MEANS = {
    "PAUSED": "INACTIVE", "STOPPED": "INACTIVE", "DESTROYED": "INACTIVE",
    "RESTARTING": "TRANSITION", "UNASSIGNED": "TRANSITION",
}  # fmt: skip
"""Redpanda's words for connectors that are not meant to run, or are on their way."""


def every_combination() -> list[DemoConnector]:
    """A connector for each state of its own with each choice of states of up to three tasks."""
    found: list[DemoConnector] = []
    for state in STATES:
        for count in range(4):
            for states in itertools.combinations_with_replacement(TASK_STATES, count):
                tasks = tuple(Task(i, one, "w:8083") for i, one in enumerate(states))
                name = f"c-{len(found)}"
                found.append(
                    DemoConnector(
                        name, "", "sink", "Plugin", "1", {}, (), state, "w:8083", "", tasks
                    )
                )
    return found


def redpanda_with(connectors: list[DemoConnector]) -> httpx.MockTransport:
    listed = {
        "connectors": [
            {"name": one.name, "status": redpanda_bodies.status(one)} for one in connectors
        ]
    }
    cluster = {"id": "rp-1", "name": "one", "dataplane_api": {"url": "https://dp.example"}}

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/clusters":
            return httpx.Response(200, json={"clusters": [cluster]})
        if request.url.path == "/v1/clusters/rp-1":
            return httpx.Response(200, json={"cluster": cluster})
        return httpx.Response(200, json=listed)

    return httpx.MockTransport(answer)


def test_the_health_rule_is_redpandas_own_on_every_combination_of_states() -> None:
    connectors = every_combination()
    settings = {
        "provider": "redpanda", "token": "t", "base_url": "https://api.example",
        "trusted_hosts": ["dp.example"],
    }  # fmt: skip
    with engine_of({"redpanda": settings}, transport=redpanda_with(connectors)) as engine:
        found = rows(engine, f"SELECT connector_name, raw_health, health FROM {CONNECTORS}")
    assert len(found) == len(connectors) == 448
    for name, raw, health in found:
        assert health == MEANS.get(str(raw), raw), name


# --- requests ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "where",
    ["provider = 'kafka_connect'", "_connection = 'plant_a'", "provider IN ('kafka_connect', 'x')"],
)
def test_a_predicate_leaves_other_providers_unasked(engine: Engine, where: str) -> None:
    sql = f"SELECT connector_name, health FROM {CONNECTORS} WHERE {where}"
    assert asked(engine, sql) == {"kafka_connect.connect.connectors"}


def test_a_predicate_reaches_the_requests_whatever_is_selected(engine: Engine) -> None:
    sql = f"SELECT * FROM {CONNECTORS} WHERE _connection = 'plant_a' AND health <> 'NONE'"
    assert asked(engine, sql) == {"kafka_connect.connect.connectors"}


def test_a_scope_reaches_the_requests_of_the_provider_that_has_it(engine: Engine) -> None:
    *_, result = engine.run(f"SELECT health FROM {CONNECTORS} WHERE scope_1 = 'env-1'")
    sent = {str(one.table): one.requests for one in result.scans}
    assert sent["confluent.connect.connectors"] == 2  # its clusters
    assert sent["kafka_connect.connect.connectors"] == 0


def test_what_is_not_named_is_not_fetched(engine: Engine) -> None:
    names = f"SELECT connector_name FROM {CONNECTORS} WHERE _connection = 'plant_a'"
    plan = engine.explain(names)
    assert plan is not None
    by_table = {str(one.resource.table): one.method.name for one in plan.scans}
    assert by_table["kafka_connect.connect.connectors"] == "list_names"
    assert not any("plugins" in name for name in by_table)


def test_only_connections_that_exist_take_part(sandbox: DemoServers) -> None:
    one = {"plant_a": sandbox.connections["plant_a"]}
    with engine_of(one) as engine:
        assert rows(engine, f"SELECT DISTINCT provider, _connection FROM {CONNECTORS}") == [
            ("kafka_connect", "plant_a")
        ]


def test_without_any_connection_it_says_what_to_do() -> None:
    with engine_of({}) as engine, pytest.raises(ConfigError, match="nothing is connected"):
        rows(engine, f"SELECT * FROM {CONNECTORS}")


def test_one_expand_a_cluster_answers_for_a_whole_row_and_the_names_for_all_rows(
    sandbox: DemoServers,
) -> None:
    plants = {name: sandbox.connections[name] for name in ("plant_a", "plant_b")}
    with engine_of(plants) as engine:
        rows(engine, f"SELECT config FROM {CONNECTORS}")  # asks about each plugin, once
        sandbox.reset()
        assert rows(engine, f"SELECT * FROM {CONNECTORS}")
        assert sandbox.count() == 4
