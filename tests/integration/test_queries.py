"""SQL over real Kafka Connect workers: a plain one and one with TLS and a password."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from connstat_sql.definitions.loader import Library, shipped_providers
from connstat_sql.engine import Engine
from connstat_sql.errors import ConfigError, ConnectionFailed, ConnstatError, Unauthorized
from connstat_sql.result import Result
from tests.conftest import engine_of
from tests.integration.connectors import AWKWARD_NAME, SECRET, SPACED_NAME
from tests.integration.java import make_keystore
from tests.integration.kafka import RealKafka

KAFKA = "kafka_connect.connect"


def connections_of(kafka: RealKafka, **secure: Any) -> dict[str, dict[str, Any]]:
    """Both workers as connections; `secure` changes the second one."""
    worker = kafka.secure
    return {
        "plain": {"provider": "kafka_connect", "base_url": kafka.plain.url},
        "secure": {
            "provider": "kafka_connect",
            "base_url": worker.url,
            "username": worker.username,
            "password": worker.password,
            "ca_file": str(worker.ca_file),
            **secure,
        },
    }


@pytest.fixture(scope="module")
def engine(kafka: RealKafka) -> Iterator[Engine]:
    with engine_of(connections_of(kafka)) as opened:
        yield opened


def ask(engine: Engine, sql: str, arguments: Any = None) -> Result:
    [result] = engine.run(sql, arguments)
    return result


def rows(engine: Engine, sql: str, arguments: Any = None) -> list[tuple[Any, ...]]:
    table: pa.Table = ask(engine, sql, arguments).table
    return [tuple(row.values()) for row in table.to_pylist()]


class TestTables:
    def test_every_table_answers_for_a_connector(self, engine: Engine) -> None:
        for resource in Library([shipped_providers()]).tables():
            if resource.table.provider != "kafka_connect":
                continue
            named = any(param.name == "connector_name" for param in resource.params)
            where = " AND connector_name = 'orders-file-source'" if named else ""
            sql = f"SELECT * FROM {resource.table} WHERE _connection = 'plain'{where}"
            assert rows(engine, sql), resource.table

    def test_states_are_those_of_the_workers(self, engine: Engine, kafka: RealKafka) -> None:
        sql = f"""SELECT _connection, name, connector.state,
            list_transform(tasks, lambda t: t.state)
            FROM {KAFKA}.connector_status"""
        found = {
            (where, name): (state, tuple(sorted(tasks)))
            for where, name, state, tasks in rows(engine, sql)
        }
        expected = {
            (where, name): states
            for where, worker in (("plain", kafka.plain), ("secure", kafka.secure))
            for name, states in worker.connectors.items()
        }
        assert found == expected

    def test_statuses_of_a_worker_are_one_request_beside_its_names(self, engine: Engine) -> None:
        assert ask(engine, "FROM plain.connect.connector_status").requests == 2
        assert ask(engine, f"FROM {KAFKA}.connector_status").requests == 4

    def test_the_sides_of_a_join_share_their_requests(
        self, engine: Engine, kafka: RealKafka
    ) -> None:
        sql = """SELECT c.name, c.config['topic'], s.connector.state
            FROM plain.connect.connectors c JOIN plain.connect.connector_status s
            USING (connector_name)"""
        result = ask(engine, sql)
        assert result.table.num_rows == len(kafka.plain.connectors)
        assert result.requests == 2  # states and settings; all names, as some may have no state

    def test_a_value_from_another_table_names_the_connector(self, engine: Engine) -> None:
        sql = """SELECT o.team, t.topics FROM (VALUES ('Orders-File-Source', 'a')) AS o(name, team)
            JOIN plain.connect.connector_topics t ON t.connector_name = lower(o.name)"""
        result = ask(engine, sql)
        assert result.requests == 1
        assert result.table.num_rows == 1

    def test_settings_are_rows(self, engine: Engine) -> None:
        sql = f"""SELECT key, value FROM {KAFKA}.connector_config
            WHERE _connection = 'plain' AND connector_name = 'orders-file-source'"""
        found = dict(rows(engine, sql))
        assert found["connector.class"] == "FileStreamSource"
        assert found["topic"] == "orders"

    def test_topics_and_offsets_come_typed(self, engine: Engine) -> None:
        where = "WHERE connector_name = 'orders-file-source'"
        assert rows(engine, f"SELECT topics FROM plain.connect.connector_topics {where}") == [
            (["orders"],)
        ]
        sql = f"""SELECT offsets[1].partition['filename'] ->> '$', offsets[1].offset['position']
            FROM plain.connect.connector_offsets {where}"""
        [(filename, position)] = rows(engine, sql)
        assert filename.endswith("orders.txt")
        assert int(position) > 0


class TestFailures:
    def test_failed_tasks_are_found_behind_a_running_connector(self, engine: Engine) -> None:
        sql = r"""SELECT _connection, name,
            regexp_extract_all(t.trace, 'Caused by: ([^\n]*)', 1)[-1] AS cause
            FROM (SELECT _connection, name, connector.state AS state, unnest(tasks) AS t
                  FROM kafka_connect.connect.connector_status)
            WHERE state = 'RUNNING' AND t.state = 'FAILED' ORDER BY ALL"""
        found = rows(engine, sql)
        assert [row[:2] for row in found] == [
            ("plain", "half-failed-sink"),
            ("plain", "orders-file-sink"),
            ("secure", "vault-sink"),
        ]
        assert found[1][2].endswith("Is a directory")

    def test_a_failed_connector_says_why(self, engine: Engine) -> None:
        sql = """SELECT connector.state, connector.trace, len(tasks)
            FROM plain.connect.connector_status WHERE connector_name = 'broken-source'"""
        [(state, trace, tasks)] = rows(engine, sql)
        assert (state, tasks) == ("FAILED", 0)
        assert "Invalid value many" in trace

    def test_a_stopped_connector_has_no_tasks(self, engine: Engine) -> None:
        where = "WHERE connector_name = 'stopped-source'"
        sql = f"SELECT connector.state, tasks FROM plain.connect.connector_status {where}"
        assert rows(engine, sql) == [("STOPPED", [])]
        assert rows(engine, f"FROM plain.connect.connector_tasks {where}") == []


class TestNames:
    @pytest.mark.parametrize("table", ["connectors", "connector_status"])
    @pytest.mark.parametrize("name", [AWKWARD_NAME, SPACED_NAME])
    def test_awkward_names_are_reached(self, engine: Engine, table: str, name: str) -> None:
        sql = f"SELECT name, connector_name FROM plain.connect.{table} WHERE connector_name = $n"
        assert rows(engine, sql, {"n": name}) == [(name, name)]

    @pytest.mark.parametrize("name", [AWKWARD_NAME, SPACED_NAME])
    def test_settings_are_reached_under_awkward_names(self, engine: Engine, name: str) -> None:
        sql = """SELECT value FROM plain.connect.connector_config
            WHERE connector_name = $n AND key = 'name'"""
        assert rows(engine, sql, {"n": name}) == [(name,)]

    @pytest.mark.parametrize("table", ["connector_offsets", "connector_tasks"])
    def test_what_only_a_path_reaches_is_refused_with_the_name(
        self, engine: Engine, table: str
    ) -> None:
        assert rows(engine, f"FROM plain.connect.{table} WHERE connector_name = $n",
                    {"n": SPACED_NAME})  # fmt: skip
        with pytest.raises(ConnstatError) as caught:
            rows(engine, f"FROM plain.connect.{table} WHERE connector_name = $n",
                 {"n": AWKWARD_NAME})  # fmt: skip
        assert AWKWARD_NAME in f"{caught.value.message} {caught.value.hint}"

    @pytest.mark.parametrize("table", ["connectors", "connector_status", "connector_config"])
    def test_an_unknown_connector_is_no_row(self, engine: Engine, table: str) -> None:
        result = ask(engine, f"FROM plain.connect.{table} WHERE connector_name = 'nope'")
        assert result.table.num_rows == 0
        looked_up_in_a_list = table == "connectors"
        assert looked_up_in_a_list or "no such row" in " ".join(result.notes)

    def test_topics_of_an_unknown_connector_are_none(self, engine: Engine) -> None:
        sql = "SELECT topics FROM plain.connect.connector_topics WHERE connector_name = 'nope'"
        assert rows(engine, sql) in ([], [([],)])


class TestSecrets:
    def test_they_are_masked_and_comparable(self, engine: Engine) -> None:
        sql = """SELECT config['connection.password'], config['sasl.jaas.config'],
            config['client.password'], config['connection.user']
            FROM plain.connect.connectors WHERE name = 'secret-source'"""
        [(password, jaas, reference, user)] = rows(engine, sql)
        assert password.startswith("****")
        assert jaas.startswith('PlainLoginModule required username="u" password="****')
        assert SECRET not in jaas
        assert reference.startswith("${file:")
        assert user == "orders"
        sql = """SELECT value FROM plain.connect.connector_config
            WHERE connector_name = 'secret-source' AND key = 'connection.password'"""
        assert rows(engine, sql) == [(password,)]

    @pytest.mark.parametrize("table", ["connectors", "connector_config", "connector_tasks"])
    def test_none_is_in_any_answer(self, engine: Engine, table: str) -> None:
        sql = f"FROM plain.connect.{table} WHERE connector_name = 'secret-source'"
        found = rows(engine, sql)
        assert found
        assert SECRET not in repr(found)


class TestWire:
    def test_tls_and_a_password_let_us_in(self, engine: Engine, kafka: RealKafka) -> None:
        found = rows(engine, "SELECT name FROM secure.connect.connectors ORDER BY 1")
        assert [name for (name,) in found] == sorted(kafka.secure.connectors)

    def test_a_wrong_password_is_unauthorized(self, kafka: RealKafka) -> None:
        wrong = connections_of(kafka, password="hunter2")
        with engine_of(wrong) as engine, pytest.raises(Unauthorized) as caught:
            rows(engine, "FROM secure.connect.connectors")
        assert caught.value.status == 401
        assert "secure" in caught.value.hint
        assert "hunter2" not in f"{caught.value} {vars(caught.value)}"

    def test_a_certificate_of_another_authority_is_refused(
        self, kafka: RealKafka, tmp_path: Path
    ) -> None:
        make_keystore(tmp_path)
        wrong = connections_of(kafka, ca_file=str(tmp_path / "ca.pem"))
        with engine_of(wrong) as engine, pytest.raises(ConnectionFailed) as caught:
            rows(engine, "FROM secure.connect.connectors")
        assert "TLS" in caught.value.message
        assert caught.value.attempts == 1

    def test_a_ca_file_that_is_not_there_is_a_configuration_fault(self, kafka: RealKafka) -> None:
        wrong = connections_of(kafka, ca_file="/nowhere/ca.pem")
        with pytest.raises(ConfigError), engine_of(wrong) as engine:
            rows(engine, "FROM secure.connect.connectors")
