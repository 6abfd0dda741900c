"""The sandbox's secrets appear in no result, error, plan, trace or log at default settings."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connstat_sql.bootstrap import Setup, open_engine
from connstat_sql.demo import DemoServers, Fault
from connstat_sql.engine import Engine, EngineOptions
from connstat_sql.errors import ConnstatError, FetchError
from connstat_sql.result import Options
from connstat_sql.transport import Attempt
from tests.conftest import engine_of

CONFIG_TABLES = (
    "SELECT * FROM kafka_connect.connect.connectors",
    "SELECT * FROM kafka_connect.connect.connector_tasks WHERE _connection = 'plant_b'",
    "SELECT * FROM kafka_connect.connect.connector_config "
    "WHERE connector_name = 'returns-snowflake-sink' AND _connection = 'plant_a'",
    "SELECT value FROM plant_a.connect.connector_config "
    "WHERE connector_name = 'returns-snowflake-sink'",
    "SELECT * FROM kafka_connect.connect.connector_offsets "
    "WHERE connector_name = 'returns-snowflake-sink' AND _connection = 'plant_a'",
    "SELECT * FROM confluent.connect.connectors",
    "SELECT * FROM confluent.connect.connector_config",
    "SELECT * FROM confluent.connect.connector_tasks",
    "SELECT * FROM redpanda.kafka_connect.connectors",
    "SELECT * FROM redpanda.kafka_connect.connector_config",
    "SELECT * FROM redpanda.controlplane.service_accounts",
    "SELECT * FROM aeontel.connectors.connectors",
    "SELECT * FROM aeontel.connectors.installs",
)


@pytest.fixture(scope="module")
def engine(sandbox: DemoServers) -> Iterator[Engine]:
    with engine_of(sandbox.connections) as opened:
        yield opened


def secrets_of(sandbox: DemoServers) -> set[str]:
    """Every secret of the world and of the connections."""
    given = ("password", "api_key", "api_secret", "client_secret")
    found = {
        str(one[name]) for one in sandbox.connections.values() for name in given if name in one
    }
    return found | {"sandbox-secret", "sandbox-token", "SANDBOXACCESSKEY"}


def text_of(engine: Engine, sql: str, **options: Any) -> str:
    """Everything that can be seen of a text's results."""
    results = [*engine.run(sql, None, Options(**options))]
    return "\n".join(
        f"{one.table.to_pylist()} {one.errors} {one.notes} {one.scans} {one.plan}"
        for one in results
    )


class TestSandbox:
    @pytest.mark.parametrize("sql", CONFIG_TABLES)
    def test_no_secret_is_in_any_result(
        self, sandbox: DemoServers, engine: Engine, sql: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.DEBUG):
            shown = text_of(engine, sql)
            shown += text_of(engine, f"EXPLAIN {sql}") + text_of(engine, f"EXPLAIN ANALYZE {sql}")
        shown += caplog.text
        assert [secret for secret in secrets_of(sandbox) if secret in shown] == []

    def test_equal_secrets_have_equal_masks_on_all_connections(self, engine: Engine) -> None:
        sql = """SELECT DISTINCT v FROM (SELECT _connection,
            unnest(map_values(config)) AS v FROM kafka_connect.connect.connectors)
            WHERE v LIKE '****_%' AND v NOT LIKE '*****%'"""
        [found] = [one.table.column("v").to_pylist() for one in engine.run(sql)]
        secrets = {"sandbox-secret", "sandbox-token", "SANDBOXACCESSKEY"}
        jaas_and_urls = 4
        assert 2 <= len(found) <= len(secrets) + jaas_and_urls

    def test_references_and_plain_settings_are_readable(self, engine: Engine) -> None:
        sql = """SELECT config['database.password'], config['database.user'], config['topic']
            FROM plant_a.connect.connectors WHERE name = 'pricing-mysql-source'"""
        [found] = [one.table.to_pylist() for one in engine.run(sql)]
        assert list(found[0].values()) == ["${file:/secrets:pw}", "replicator", "pricing.v1"]

    def test_a_value_alone_is_masked_like_one_beside_its_key(self, engine: Engine) -> None:
        where = "FROM plant_a.connect.connector_config WHERE connector_name = "
        pair, alone = (
            next(iter(engine.run(f"SELECT {columns} {where}'returns-snowflake-sink'"))).table
            for columns in ("key, value", "value")
        )
        assert sorted(pair.column("value").to_pylist()) == sorted(alone.column("value").to_pylist())
        assert "returns.v1,returns.corrections" in alone.column("value").to_pylist()

    def test_a_secret_cannot_be_found_by_comparing(self, engine: Engine) -> None:
        sql = """SELECT count(*) AS n FROM kafka_connect.connect.connectors
            WHERE list_contains(map_values(config), 'sandbox-secret')"""
        assert next(iter(engine.run(sql))).table.to_pylist() == [{"n": 0}]

    def test_the_key_of_the_masks_is_nowhere_in_duckdb(
        self, sandbox: DemoServers, tmp_path: Path
    ) -> None:
        profile = tmp_path / "profile.json"
        plants = {"plant_a": sandbox.connections["plant_a"]}
        with engine_of(plants, mask_key="key-of-the-masks") as engine:
            seen = text_of(
                engine,
                f"""CALL enable_logging(level = 'trace');
                SET enable_profiling = 'json'; SET profiling_mode = 'detailed';
                SET profiling_output = '{profile}';
                SELECT config FROM plant_a.connect.connectors ORDER BY ALL;
                EXPLAIN ANALYZE SELECT config FROM plant_a.connect.connectors;
                SET enable_profiling = 'no_output'; FROM duckdb_logs; FROM duckdb_variables();
                FROM duckdb_views(); FROM duckdb_settings(); FROM duckdb_functions()""",
            )
        assert "_connstat_decoded" in seen, "the statements of ours are in the log"
        assert "key-of-the-masks" not in seen + profile.read_text()

    def test_reveal_shows_them(self, sandbox: DemoServers) -> None:
        setup = Setup(connections=sandbox.connections)
        made = open_engine(setup, EngineOptions(environment={}), reveal=True)
        try:
            shown = text_of(made, "SELECT config FROM kafka_connect.connect.connectors")
        finally:
            made.close()
        assert "sandbox-secret" in shown
        assert "****" not in shown

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 418])
    def test_errors_traces_and_logs_hold_none(
        self, sandbox: DemoServers, status: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        sent: list[Attempt] = []
        sandbox.inject(Fault(status=status))
        shown = ""
        with (
            caplog.at_level(logging.DEBUG),
            engine_of(sandbox.connections, observe=sent.append) as engine,
        ):
            for sql in CONFIG_TABLES:
                try:
                    shown += text_of(engine, sql)
                except ConnstatError as error:
                    shown += f"{error} {error.hint} {vars(error)!r}"
            shown += text_of(engine, f"{CONFIG_TABLES[0]}; FROM _errors", partial=True)
            assert sent
        assert [secret for secret in secrets_of(sandbox) if secret in shown] == []

    def test_a_value_of_another_type_is_named_without_its_text(
        self, sandbox: DemoServers, engine: Engine
    ) -> None:
        body = b'{"c": {"info": {"config": {"password": ["hunter2"]}}, "status": {}}}'
        sandbox.inject(Fault(api="plant_a", path="/connectors", body=body))
        with pytest.raises(FetchError) as caught:
            text_of(engine, "FROM plant_a.connect.connectors")
        assert "config" in caught.value.message
        assert "hunter2" not in f"{caught.value} {caught.value.hint}"
