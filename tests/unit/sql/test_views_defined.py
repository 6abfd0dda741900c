"""Views that definitions declare mean what a table with the same rows would mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from connstat_sql.bootstrap import Setup, open_engine
from connstat_sql.demo import DemoServers
from connstat_sql.engine import Engine, EngineOptions
from connstat_sql.errors import BindError, ConfigError, QueryError
from tests.conftest import FakeClock, engine_of

VIEW = "inventory.connectors.connectors"

QUERIES = [
    "SELECT count(*) FROM {v}",
    "SELECT count(*) AS n, provider FROM {v} GROUP BY ALL ORDER BY ALL",
    "FROM {v} SELECT connector_name, health ORDER BY ALL",
    "SELECT * EXCLUDE (observed_at) FROM {v} ORDER BY provider, scope_1, scope_2, connector_name",
    "SELECT * REPLACE (lower(state) AS state) FROM {v} ORDER BY ALL LIMIT 3",
    "SELECT COLUMNS('tasks_.*') FROM {v} ORDER BY ALL",
    "SELECT c.connector_name FROM {v} AS c WHERE c.health = 'UNHEALTHY' ORDER BY 1",
    "SELECT c.state.state AS s FROM (SELECT c AS state FROM {v} AS c) AS c ORDER BY 1",
    "SELECT provider, count(*) AS c FROM {v} AS c GROUP BY 1 ORDER BY c DESC, 1",
    "SELECT provider, count(*) AS n FROM {v} AS c GROUP BY 1, c ORDER BY c, 1",
    "SELECT provider, count(*) OVER (ORDER BY c) AS c FROM {v} AS c ORDER BY ALL",
    "SELECT t.a, t.c FROM {v} AS t(a, b, c) ORDER BY ALL",
    "SELECT #1, #11 FROM {v} ORDER BY ALL",
    "SELECT count(*) FROM {v} WHERE EXISTS (SELECT 1 FROM {v} AS o WHERE o.health = 'HEALTHY')",
    "SELECT a.health FROM {v} AS a JOIN {v} AS b USING (connector_name, scope_1) ORDER BY 1",
    "SELECT count(*) FROM {v} AS a NATURAL JOIN (SELECT 'aeontel' AS provider) AS b",
    "WITH w AS (FROM {v}) SELECT provider, max(tasks_total) FROM w GROUP BY 1 ORDER BY 1",
    "WITH w AS (SELECT provider AS p, health FROM {v}) SELECT * FROM w ORDER BY ALL",
    "SELECT provider FROM {v} UNION ALL BY NAME SELECT state FROM {v} ORDER BY ALL",
    "SELECT connector_name FROM {v} "
    "EXCEPT SELECT connector_name FROM {v} WHERE state = 'RUNNING' ORDER BY 1",
    "FROM (PIVOT (SELECT provider, health FROM {v}) ON health USING count(*)) ORDER BY ALL",
    "SELECT provider, row_number() OVER (PARTITION BY provider ORDER BY connector_name, scope_2) "
    "FROM {v} ORDER BY ALL",
    "SELECT (SELECT count(*) FROM {v} AS i WHERE i.provider = o.provider) AS n "
    "FROM {v} AS o ORDER BY 1",
    'SELECT "STATE", Health FROM {v} WHERE "Provider" = \'kafka_connect\' ORDER BY ALL',
    "SELECT unnest(topics) AS topic, count(*) FROM {v} GROUP BY 1 ORDER BY ALL",
    "SELECT config->>'connector.class' AS class FROM {v} WHERE provider = 'redpanda' ORDER BY 1",
    "SELECT DISTINCT ON (provider) provider FROM {v} ORDER BY provider",
    "SELECT health FROM {v} QUALIFY row_number() OVER (ORDER BY connector_name, scope_2) = 3",
    "SELECT provider, state FROM {v} WHERE tasks_failed > 0 OR state = 'FAILED' "
    "ORDER BY ALL LIMIT 4 OFFSET 1",
]  # fmt: skip


@pytest.fixture(scope="module")
def engine(sandbox: DemoServers) -> Iterator[Engine]:
    with engine_of(connections_of(sandbox), mask_key="k") as opened:
        *_, _ = opened.run(f"CREATE TABLE copied AS SELECT * FROM {VIEW}")
        yield opened


def connections_of(sandbox: DemoServers) -> dict[str, Mapping[str, Any]]:
    """One of each vendor whose connectors are listed with few requests."""
    names = ("plant_a", "aeontel", "redpanda")
    return {name: sandbox.connections[name] for name in names}


def answer(engine: Engine, sql: str) -> tuple[list[str], list[tuple[object, ...]]]:
    *_, result = engine.run(sql)
    return result.table.column_names, result.fetchall()


@pytest.mark.long
@pytest.mark.parametrize("query", QUERIES)
def test_a_view_answers_as_a_table_of_its_rows_would(engine: Engine, query: str) -> None:
    assert answer(engine, query.format(v=VIEW)) == answer(engine, query.format(v="copied"))


def test_its_columns_may_be_named_in_full(engine: Engine) -> None:
    sql = f"SELECT {VIEW}.provider FROM {VIEW} WHERE connectors.state = 'FAILED' ORDER BY 1"
    expected = answer(engine, "SELECT provider FROM copied WHERE state = 'FAILED' ORDER BY 1")
    assert answer(engine, sql) == expected


def test_a_view_of_the_users_own_may_read_it(engine: Engine) -> None:
    answer(engine, f"CREATE OR REPLACE VIEW broken AS SELECT * FROM {VIEW} WHERE tasks_failed > 0")
    sql = "SELECT provider, connector_name FROM {} WHERE provider = 'redpanda' ORDER BY ALL"
    assert answer(engine, sql.format("broken")) == answer(
        engine, sql.format("(FROM copied WHERE tasks_failed > 0)")
    )


def test_copy_and_summarize_and_describe_take_it(engine: Engine, tmp_path: Path) -> None:
    answer(engine, f"COPY {VIEW} TO '{tmp_path}/all.parquet'")
    ((count,),) = answer(engine, f"SELECT count(*) FROM '{tmp_path}/all.parquet'")[1]
    assert count == answer(engine, "SELECT count(*) FROM copied")[1][0][0]
    described = [name for name, *_ in answer(engine, f"DESCRIBE {VIEW}")[1]]
    summarized = [name for name, *_ in answer(engine, f"SUMMARIZE {VIEW}")[1]]
    assert described == summarized == answer(engine, "FROM copied LIMIT 0")[0]


def test_writing_to_it_is_refused(engine: Engine) -> None:
    with pytest.raises(BindError, match="live and read-only"):
        answer(engine, f"DELETE FROM {VIEW}")


def test_a_misspelt_column_is_told_where_the_statement_names_it(engine: Engine) -> None:
    sql = f"SELECT helth FROM {VIEW}"
    with pytest.raises(QueryError) as caught:
        answer(engine, sql)
    assert caught.value.sql == sql
    assert caught.value.span is not None
    assert sql[caught.value.span.start :].startswith("helth")
    assert caught.value.requests_sent == 0


def test_a_misspelt_column_is_answered_with_the_nearest_of_all_its_columns(engine: Engine) -> None:
    with pytest.raises(QueryError) as caught:
        answer(engine, f"SELECT helth FROM {VIEW}")
    assert caught.value.hint == "did you mean  health, raw_health?"
    assert "provider" not in caught.value.message  # the only one that was written out


def test_a_word_of_a_name_is_answered_with_the_columns_that_have_it(engine: Engine) -> None:
    with pytest.raises(QueryError) as caught:
        answer(engine, f"SELECT raw FROM {VIEW}")
    assert caught.value.hint == "did you mean  raw_state, raw_health?"


def own(tmp_path: Path, **services: str) -> Path:
    """A folder of definitions with a provider `mine`."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "provider.yaml").write_text("provider: mine\ndescription: views\n")
    for name, text in services.items():
        (folder / f"{name}.yaml").write_text(text)
    return tmp_path


def test_views_may_lie_over_views_and_not_over_themselves(
    sandbox: DemoServers, tmp_path: Path
) -> None:
    text = """
service: v
resources:
  names:
    description: Names
    view: {from: inventory.connectors.connectors}
    columns: {shown: {type: VARCHAR, value: upper(connector_name)}, provider: VARCHAR}
  round:
    description: Round
    view: {from: mine.v.and_round}
    columns: {shown: VARCHAR}
  and_round:
    description: And round
    view: {from: mine.v.round}
    columns: {shown: VARCHAR}
  broken:
    description: Broken
    view: {from: kafka_connect.connect.nothing}
    columns: {shown: VARCHAR}
"""
    plants = {"plant_a": sandbox.connections["plant_a"]}
    setup = Setup(connections=plants, providers=(own(tmp_path, v=text),))
    engine = open_engine(setup, EngineOptions(environment={}, clock=FakeClock()))
    try:
        sql = "SELECT shown FROM mine.v.names WHERE provider = 'kafka_connect' ORDER BY 1"
        expected = answer(
            engine, "SELECT upper(name) AS shown FROM plant_a.connect.connectors ORDER BY 1"
        )
        assert answer(engine, sql) == expected
        with pytest.raises(BindError, match="made of itself: mine"):
            answer(engine, "SELECT shown FROM mine.v.round")
        with pytest.raises(BindError, match="has no table nothing") as caught:
            answer(engine, "SELECT shown FROM mine.v.broken")
        assert caught.value.sql == "SELECT shown FROM mine.v.broken"
    finally:
        engine.close()


FAULTY = """
service: v
resources:
  unread:
    description: No SQL
    view: {from: "kafka_connect.connect.connectors WHERE ((("}
    columns: {name: VARCHAR}
  unknown:
    description: A column that is not there
    view: {from: kafka_connect.connect.connectors}
    columns: {name: VARCHAR, nope: VARCHAR}
  all:
    description: A name that is a word of SQL
    view: {from: kafka_connect.connect.connectors}
    columns: {name: VARCHAR}
"""


def test_a_fault_in_a_definition_names_the_view(sandbox: DemoServers, tmp_path: Path) -> None:
    plants = {"plant_a": sandbox.connections["plant_a"]}
    setup = Setup(connections=plants, providers=(own(tmp_path, v=FAULTY),))
    engine = open_engine(setup, EngineOptions(environment={}, clock=FakeClock()))
    try:
        with pytest.raises(BindError, match="is made of cannot be read") as one:
            answer(engine, "SELECT name FROM mine.v.unread")
        assert "mine/v.yaml" in one.value.hint
        with pytest.raises(BindError, match='"nope" not found') as other:
            answer(engine, "SELECT nope FROM mine.v.unknown AS u")
        assert "in the definition of mine.v.unknown" in other.value.hint
        with pytest.raises(BindError, match='"helth" not found') as own_fault:
            answer(engine, "SELECT helth FROM mine.v.unknown")
        assert "definition" not in own_fault.value.hint
        assert answer(engine, "SELECT count(*) > 1 FROM mine.v.all")[1] == [(True,)]
    finally:
        engine.close()


def test_a_view_of_a_provider_may_be_named_by_its_connection(
    sandbox: DemoServers, tmp_path: Path
) -> None:
    folder = tmp_path / "kafka_connect"
    folder.mkdir()
    shipped = Path(__file__).parents[3] / "providers" / "kafka_connect"
    for file in shipped.glob("*.yaml"):
        (folder / file.name).write_text(file.read_text())
    (folder / "v.yaml").write_text(
        "service: v\nresources:\n  names:\n    description: Names\n"
        "    view: {from: kafka_connect.connect.connectors}\n    columns: {name: VARCHAR}\n"
    )
    plants = {name: sandbox.connections[name] for name in ("plant_a", "plant_b")}
    setup = Setup(connections=plants, providers=(tmp_path,))
    engine = open_engine(setup, EngineOptions(environment={}, clock=FakeClock()))
    try:
        sql = "SELECT name FROM {} ORDER BY 1"
        for head in ("plant_a", "plant_b", "kafka_connect"):
            found = answer(engine, sql.format(f"{head}.v.names"))
            assert found == answer(engine, sql.format(f"{head}.connect.connectors"))
    finally:
        engine.close()


def test_a_view_reads_no_database_of_the_users(sandbox: DemoServers, tmp_path: Path) -> None:
    folder = own(
        tmp_path,
        v="service: v\nresources:\n  all:\n    description: All\n    view:\n"
        "      from: (FROM kafka_connect.connect.connectors SELECT name"
        " UNION ALL FROM diary.main.days)\n"
        "    columns: {name: VARCHAR}\n",
    )
    plants = {"plant_a": sandbox.connections["plant_a"]}
    setup = Setup(connections=plants, providers=(folder,))
    engine = open_engine(setup, EngineOptions(environment={}, clock=FakeClock()))
    try:
        answer(engine, "ATTACH ':memory:' AS diary")
        answer(engine, "CREATE TABLE diary.days AS SELECT 'dear diary' AS name")
        with pytest.raises(ConfigError, match=r"providers alone, not `diary\.main\.days`"):
            answer(engine, "FROM mine.v.all")
    finally:
        engine.close()
