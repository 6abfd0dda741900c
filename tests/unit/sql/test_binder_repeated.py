"""What is kept from one statement to the next changes no plan, and no tree that is planned."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connstat_sql.bootstrap import Setup, open_engine
from connstat_sql.engine import Engine, EngineOptions
from connstat_sql.errors import QueryError
from connstat_sql.planner import as_text
from connstat_sql.sql.introspection import Introspection
from connstat_sql.sql.statement import parse

PLANS = Path(__file__).parents[2] / "fixtures" / "plans"
CONNECTIONS = {
    "confluent": {"provider": "confluent", "api_key": "k", "api_secret": "s"},
    "redpanda": {"provider": "redpanda", "token": "t"},
    "plant_a": {"provider": "kafka_connect", "base_url": "http://127.0.0.1:1"},
    "plant_b": {"provider": "kafka_connect", "base_url": "http://127.0.0.1:2"},
    "aeontel": {"provider": "aeontel", "api_key": "k"},
}
ALL = "inventory.connectors.connectors"
VIEWED = [
    f"SELECT * FROM {ALL}",
    f"SELECT provider, health, count(*) FROM {ALL} GROUP BY ALL",
    f"SELECT connector_name FROM {ALL} WHERE provider = 'kafka_connect' AND scope_1 = 'plant_a'",
    f"SELECT a.state FROM {ALL} a JOIN {ALL} b USING (connector_name) WHERE b.health = 'HEALTHY'",
    "SELECT * FROM inventory.connectors.tasks WHERE state = 'FAILED'",
]


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    opened = open_engine(Setup(connections=CONNECTIONS), EngineOptions(environment={}))
    yield opened
    opened.close()


def planned(engine: Engine, sql: str) -> str:
    plan = engine.explain(sql)
    assert plan is not None
    return as_text(plan)


@pytest.mark.parametrize("sql", VIEWED)
def test_a_statement_has_the_plan_again_that_it_had(engine: Engine, sql: str) -> None:
    first = planned(engine, sql)
    other = open_engine(Setup(connections=CONNECTIONS), EngineOptions(environment={}))
    try:
        alone = planned(other, sql)
    finally:
        other.close()
    assert planned(engine, sql) == first == alone


@pytest.mark.parametrize("sql", VIEWED)
def test_planning_leaves_the_tree_as_it_was(engine: Engine, sql: str) -> None:
    plan = engine.explain(sql)
    assert plan is not None
    statement = plan.query.statement
    assert statement.tree is not None
    fresh = parse(statement.sql).tree
    assert fresh is not None
    planned(engine, sql)
    for one, as_parsed in zip(statement.tree.walk(), fresh.walk(), strict=True):
        assert type(one) is type(as_parsed)
        assert (one.arg_key, one.index, one.meta) == (
            as_parsed.arg_key,
            as_parsed.index,
            as_parsed.meta,
        )
        assert all(below.parent is one for below in one.iter_expressions())
    assert statement.tree == fresh


def test_a_view_is_written_with_the_columns_that_each_statement_wants(engine: Engine) -> None:
    for _ in range(2):
        narrow = planned(engine, f"SELECT connector_name FROM {ALL} WHERE provider = 'confluent'")
        wide = planned(engine, f"SELECT plugin_version FROM {ALL} WHERE provider = 'confluent'")
        assert "managed_connector_plugins" not in narrow
        assert "managed_connector_plugins" in wide


def test_what_could_not_be_read_once_is_read_when_it_can_be(engine: Engine) -> None:
    session = engine.session
    sql = "SELECT concat(lower('A'), 'b')"
    session.hand_out().execute("BEGIN")
    with pytest.raises(Exception, match="no_such_table"):
        session.duckdb.execute("FROM no_such_table")
    asked = ("concat(lower('A'), 'b')", "CONCAT(LOWER('A'), 'b')", "CONCAT(UPPER('A'), 'b')")
    assert not Introspection(session, sql, None).is_same(asked[0], asked[1])
    session.duckdb.execute("ROLLBACK")
    for _ in range(2):
        assert Introspection(session, sql, None).is_same(asked[0], asked[1])
        assert not Introspection(session, sql, None).is_same(asked[0], asked[2])


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT nonesuch FROM (SELECT name FROM kafka_connect.connect.connectors) AS c",
        "SELECT name FROM (SELECT nonesuch AS name FROM kafka_connect.connect.connectors) AS c",
        "SELECT name + 1 FROM (SELECT [name] AS name FROM kafka_connect.connect.connectors) AS c",
        f"SELECT connector_nam FROM {ALL}",
        f"SELECT provider FROM {ALL} WHERE list_sum(tasks_total) = 1",
    ],
)
def test_what_is_wrong_about_a_derived_table_is_found_with_nothing_sent(
    engine: Engine, sql: str
) -> None:
    with pytest.raises(QueryError):
        engine.explain(sql)
