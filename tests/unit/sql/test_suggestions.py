"""Names half-remembered and quotes used as elsewhere: the error says what to try next."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connstat_sql.demo import DemoServers
from connstat_sql.engine import Engine
from connstat_sql.errors import BindError, QueryError
from tests.conftest import narrow_engine_of


@pytest.fixture(scope="module")
def engine(sandbox: DemoServers) -> Iterator[Engine]:
    with narrow_engine_of(sandbox.connections) as opened:
        yield opened


def failed(engine: Engine, sql: str) -> BindError:
    with pytest.raises(BindError) as caught:
        list(engine.run(sql))
    return caught.value


@pytest.mark.parametrize(
    "name", ["connectors", "CONNECTORS", '"connectors"', "connect.connectors", "conectors"]
)
def test_part_of_a_tables_name_is_answered_with_the_whole(engine: Engine, name: str) -> None:
    error = failed(engine, f"SELECT * FROM {name}")
    assert "kafka_connect.connect.connectors" in error.hint
    assert "confluent.connect.connectors" in error.hint
    assert "pg_" not in error.message, "tables of DuckDB's own are not what was meant"


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("confluen.connect", "confluent.connect"),
        ("kafka_conect", "kafka_connect"),
        ("zzzz", "SHOW PROVIDERS"),
    ],
)
def test_use_of_what_is_not_there_comes_with_what_is_near(
    engine: Engine, name: str, near: str
) -> None:
    assert near in failed(engine, f"USE {name}").hint


def test_it_is_answered_so_in_a_later_statement_and_beside_a_live_table_too(
    engine: Engine, sandbox: DemoServers
) -> None:
    live = "plant_a.connect.connectors"
    later = failed(engine, f"SELECT name FROM {live}; SELECT * FROM connector_status")
    beside = failed(engine, f"SELECT name FROM {live} JOIN connector_status USING (name)")
    with pytest.raises(BindError) as planned:
        engine.explain(f"SELECT name FROM {live} JOIN connector_status USING (name)")
    for error in (later, beside, planned.value):
        assert "kafka_connect.connect.connector_status" in error.hint
    assert sandbox.count() == 0


@pytest.mark.parametrize(
    ("sql", "hint"),
    [
        ("SELECT name, STATE FROM {}", "connector.state or unnest(tasks).STATE"),
        ("SELECT c.worker_id FROM {} AS c", "connector.worker_id or unnest(tasks).worker_id"),
        ("SELECT name FROM {} WHERE id = 0", "unnest(tasks).id"),
    ],
)
def test_a_field_taken_for_a_column_is_answered_with_its_column(
    engine: Engine, sandbox: DemoServers, sql: str, hint: str
) -> None:
    error = failed(engine, sql.format("plant_a.connect.connectors"))
    assert error.hint == f"did you mean  {hint.replace('STATE', 'state')}?"
    assert sandbox.count() == 0


def test_a_name_that_comes_close_to_nothing_gets_no_advice(engine: Engine) -> None:
    assert failed(engine, "SELECT * FROM zzzzzzzzzz").hint == ""


def test_duckdbs_own_nearest_stays_where_it_is_the_users(engine: Engine) -> None:
    list(engine.run("CREATE TEMP TABLE my_owners AS SELECT 1 AS x"))
    try:
        assert "my_owners" in failed(engine, "SELECT * FROM my_owner").message
    finally:
        list(engine.run("DROP TABLE my_owners"))


@pytest.mark.parametrize(
    "sql",
    [
        'SELECT name FROM plant_a.connect.connectors WHERE name = "orders"',
        'SELECT name FROM plant_a.connect.connectors WHERE name IN ("orders", "b")',
        "SELECT name FROM plant_a.connect.connectors WHERE name = \u2018orders\u2019",
        "SELECT name FROM plant_a.connect.connectors WHERE name = \u201corders\u201d",
        "SELECT `orders`",
    ],
)
def test_quotes_of_another_kind_are_told(engine: Engine, sql: str) -> None:
    assert "'orders'" in failed(engine, sql).hint


def test_a_quoted_column_that_is_only_misspelt_is_no_text(engine: Engine) -> None:
    error = failed(engine, 'SELECT "nme" FROM plant_a.connect.connectors')
    assert error.hint == "did you mean  name?"


LIVE = "plant_a.connect.connectors"


@pytest.fixture
def pets(engine: Engine) -> Iterator[None]:
    columns = 'name INT, "of legs" INT, home STRUCT(street VARCHAR, b BLOB)'
    list(engine.run(f"CREATE TABLE pets({columns})"))
    yield
    list(engine.run("DROP TABLE pets"))


@pytest.mark.usefixtures("pets")
@pytest.mark.parametrize(
    ("sql", "hint"),
    [
        ("SELECT nmae FROM pets", "name"),
        ("EXPLAIN SELECT nmae FROM pets", "name"),
        ("SELECT p.nmae FROM pets AS p WHERE true", "name"),
        ('SELECT "of leg" FROM pets', '"of legs"'),
        ("SELECT street FROM pets", "home.street"),
        ("SELECT home.stret FROM pets", "street"),
        ("SELECT hom.street FROM pets", "home"),
        ("SELECT pet.name FROM pets", "pets"),
        ("SELECT 1 FROM pets ORDER BY nmae", "name"),
        ("SELECT name AS n FROM pets QUALIFY nmae > 1", "name"),
        ("SELECT name FROM pets HAVING nmae = 1", "name"),
        ("SELECT * EXCLUDE (nmae) FROM pets", "name"),
        ("UNPIVOT pets ON nmae", "name"),
        ("UPDATE pets SET nmae = 1", "name"),
        ("INSERT INTO pets(nmae) VALUES (1)", "name"),
        ("ALTER TABLE pets DROP COLUMN nmae", "name"),
        ("WITH q AS (SELECT name AS tag FROM pets) SELECT tga FROM q", "tag"),
        ("SELECT 1 FROM pets JOIN pets AS q USING (nmae)", "name"),
        ("SELECT nmae FROM pets AS p JOIN pets AS q ON true", "p.name, q.name"),
        (f"SELECT nmae FROM pets JOIN {LIVE} AS c ON true", "c.name, pets.name"),
        (f"SELECT pets.nmae FROM pets JOIN {LIVE} AS c ON true", "name"),
        (f'SELECT "of leg" FROM pets JOIN {LIVE} AS c ON true', '"of legs"'),
        (f"SELECT 1 FROM {LIVE} AS c JOIN pets USING (nmae)", "name"),
        (f"SELECT conector.state FROM {LIVE}", "connector, connectors, connector_name"),
        (f"SELECT connector.stat FROM {LIVE}", "state"),
        ("SELECT lenght(name) FROM pets", "length"),
    ],
)
def test_a_misspelt_column_of_any_table_comes_with_its_nearest(
    engine: Engine, sql: str, hint: str
) -> None:
    error = failed(engine, sql)
    assert error.hint == f"did you mean  {hint}?"
    assert "Candidate" not in error.message
    assert "Did you mean" not in error.message


@pytest.mark.usefixtures("pets")
@pytest.mark.parametrize(
    "sql", ["SELECT zzzzzz FROM pets", "SELECT name FROM pets HAVING name = 1"]
)
def test_what_is_near_to_nothing_or_there_is_no_misspelt_column(engine: Engine, sql: str) -> None:
    assert failed(engine, sql).hint == ""


def test_a_connection_is_used_as_its_provider_is(engine: Engine) -> None:
    list(engine.run("USE plant_a"))
    list(engine.run("USE memory"))


def test_no_tables_of_ones_own_is_not_all_there_is_to_say(engine: Engine) -> None:
    (result,) = engine.run("SHOW TABLES;")
    assert "SHOW ALL TABLES" in result.notes[0]
    list(engine.run("CREATE TABLE mine AS SELECT 1 AS x"))
    try:
        (result,) = engine.run("show tables")
        assert result.notes == ()
    finally:
        list(engine.run("DROP TABLE mine"))


@pytest.mark.parametrize(
    ("compared", "text"),
    [
        ("name = orders-s3-sink", "orders-s3-sink"),
        ("name <> orders", "orders"),
        ("name LIKE orders", "orders"),
    ],
)
def test_a_text_without_quotes_is_told_where_something_is_compared_with_it(
    engine: Engine, compared: str, text: str
) -> None:
    error = failed(engine, f"SELECT name FROM kafka_connect.connect.connectors WHERE {compared}")
    assert error.hint == f"if that is a text, it stands in straight single quotes: '{text}'"


def test_a_misspelt_column_that_is_compared_with_something_is_no_text(engine: Engine) -> None:
    sql = "SELECT name FROM kafka_connect.connect.connectors WHERE nam = 'orders'"
    assert failed(engine, sql).hint == "did you mean  name?"


def test_a_part_of_a_text_is_not_the_place_of_an_error(engine: Engine) -> None:
    with pytest.raises(QueryError, match="no 'file' here") as caught:
        list(engine.run("SELECT error('no ''file'' here') FROM range(1)"))
    assert caught.value.span is None
