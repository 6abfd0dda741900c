"""SHOW and DESCRIBE answer from the definitions: nothing is sent, parameters are marked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from connstat_sql.cli import root
from connstat_sql.definitions.loader import Library, shipped_providers
from connstat_sql.demo import DemoServers
from connstat_sql.engine import Engine
from connstat_sql.errors import BindError, QueryError
from connstat_sql.sql.shows import required
from tests.chaos import CHAOS_PROVIDERS
from tests.conftest import engine_of


@pytest.fixture(scope="module")
def engine(sandbox: DemoServers) -> Iterator[Engine]:
    with engine_of(sandbox.connections) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _nothing_is_sent(sandbox: DemoServers) -> Iterator[None]:
    sandbox.reset()
    yield
    assert sandbox.count() == 0


def rows(engine: Engine, sql: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [*engine.run(sql)][-1].table.to_pylist()
    return found


def test_providers_come_with_their_connections(engine: Engine) -> None:
    found = {row["provider"]: row["connections"] for row in rows(engine, "SHOW PROVIDERS")}
    assert found["kafka_connect"] == "plant_a, plant_b"
    assert found["confluent"] == "confluent"


def test_services_count_their_tables(engine: Engine) -> None:
    library = Library([shipped_providers()])
    for provider in library.providers:
        for row in rows(engine, f"SHOW SERVICES IN {provider}"):
            service = library.service(provider, row["service"])
            assert service is not None
            assert row["tables"] == str(len(service.resources))
            assert row["description"]


def test_tables_say_what_they_need(engine: Engine) -> None:
    found = {row["table"]: row["required"] for row in rows(engine, "SHOW TABLES IN confluent")}
    assert found["confluent.billing.costs"] == "start_date, end_date"
    assert found["confluent.org.environments"] == ""
    one = rows(engine, "show tables from CONFLUENT.Billing;")
    assert "confluent.billing.costs" in [row["table"] for row in one]
    assert len(one) < len(found)


def test_a_connection_stands_for_its_provider(engine: Engine) -> None:
    assert rows(engine, "SHOW TABLES IN plant_a") == rows(engine, "SHOW TABLES IN kafka_connect")


@pytest.mark.parametrize(
    ("sql", "said", "hint"),
    [
        ("SHOW TABLES IN conflent", "no provider conflent", "confluent"),
        ("SHOW SERVICES IN nosuch", "no provider nosuch", "confluent"),
        ("SHOW TABLES IN confluent.conect", "no service conect", "connect"),
        ("SHOW SERVICES", "name a provider", "SHOW SERVICES IN"),
        ("SHOW TABLES IN confluent.connect.connectors", "name a provider", "SHOW"),
    ],
)
def test_a_name_that_leads_nowhere_comes_with_candidates(
    engine: Engine, sql: str, said: str, hint: str
) -> None:
    with pytest.raises(BindError) as caught:
        rows(engine, sql)
    assert said in caught.value.message
    assert hint in caught.value.hint


def test_describe_gives_types_and_marks_parameters(engine: Engine) -> None:
    found = {
        row["column_name"]: row for row in rows(engine, "DESCRIBE confluent.connect.connectors")
    }
    assert found["config"]["column_type"] == "MAP(VARCHAR, VARCHAR)"
    assert found["config"]["key"] is None
    assert found["environment_id"]["key"] == "parameter, enumerated"
    assert found["environment_id"]["null"] == "NO"
    [costs] = [
        row
        for row in rows(engine, "DESCRIBE confluent.billing.costs")
        if row["column_name"] == "start_date" and row["key"]
    ]
    assert costs["key"] == "required"


def test_every_table_is_described_in_the_order_of_its_star(engine: Engine) -> None:
    for resource in Library([shipped_providers()]).tables():
        described = [row["column_name"] for row in rows(engine, f"DESCRIBE {resource.table}")]
        assert described == [one.name for one in resource.all_columns]
        assert set(required(resource)) <= set(described)


def test_own_and_foreign_statements_stand_in_one_text(engine: Engine) -> None:
    text = (
        "SHOW PROVIDERS; SELECT ';' AS a; -- SHOW nothing;\n SHOW TABLES IN aeontel; SELECT 2 AS b"
    )
    answers = [one.table for one in engine.run(text)]
    assert len(answers) == 4
    assert answers[-1].to_pylist() == [{"b": 2}]


def test_what_duckdb_shows_itself_stays_its_own(engine: Engine) -> None:
    assert rows(engine, "CREATE TABLE mine AS SELECT 1 AS a; SHOW TABLES") == [{"name": "mine"}]
    assert rows(engine, "DESCRIBE mine")[0]["column_name"] == "a"
    with pytest.raises(QueryError):
        rows(engine, "DESCRIBE nosuch")


# --- the same on the command line ----------------------------------------------------------------


@pytest.fixture
def command(tmp_path: Path) -> CliRunner:
    """A place without configuration and without variables."""
    config = tmp_path / "connstat.toml"
    config.write_text("", "utf-8")
    return CliRunner(env={"NO_COLOR": "1", "CONNSTAT_CONFIG": str(config)})


def lines(command: CliRunner, *arguments: str) -> list[str]:
    return command.invoke(root, arguments).stdout.splitlines()


def test_tables_are_listed_by_name(command: CliRunner) -> None:
    library = Library([shipped_providers()])
    listed = [line.split("  ")[0] for line in lines(command, "providers", "list")]
    assert listed == [str(one.table) for one in library.tables()]
    assert list(dict.fromkeys(name.partition(".")[0] for name in listed)) == [*library.providers]


def test_what_is_shipped_is_for_users(command: CliRunner) -> None:
    """A variable leads to every provider: none is for tests alone."""
    library = Library([shipped_providers()])
    found = [library.provider(name) for name in library.providers if name != "inventory"]
    assert all(any(setting.env for setting in one.settings) for one in found if one is not None)
    assert "chaos" not in "\n".join(lines(command, "providers", "list"))


def test_a_method_needs_what_has_no_default(command: CliRunner) -> None:
    more = ("--providers", str(CHAOS_PROVIDERS))
    (method,) = [
        line
        for line in lines(command, *more, "providers", "show", "chaos.faults.cut")
        if line.startswith("  list  GET")
    ]
    assert method == "  list  GET /faults/cut"
    shown = lines(command, "providers", "show", "redpanda.kafka_connect.connector_status")
    needs = [line.partition("  needs ")[2] for line in shown if "  GET " in line]
    assert any("connector_name" in one for one in needs)
    assert not any("cluster_name" in one for one in needs)


def test_doctor_says_how_each_provider_gets_a_connection(command: CliRunner) -> None:
    more = ("--providers", str(CHAOS_PROVIDERS))
    said = [line for line in lines(command, *more, "doctor") if "no connection" in line]
    assert "chaos  no connection: write it in connstat.toml" in said
    assert "aeontel  no connection: set AEONTEL_API_KEY or write it in connstat.toml" in said
    assert not [line for line in said if "set  or" in line]
