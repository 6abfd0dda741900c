"""A row is taken to depend on its own connection alone only where that is plain to see."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connstat_sql.database.session import Session
from connstat_sql.monitor.independence import is_independent
from tests.tabled import over


@pytest.fixture(scope="module")
def aggregates() -> Iterator[frozenset[str]]:
    session = Session()
    yield session.aggregates()
    session.close()


ROWS = "kafka_connect.connect.connectors"
STATUS = "kafka_connect.connect.connector_status"
OTHERS = "confluent.connect.connectors"


@over(
    "sql",
    [
        f"SELECT _connection, name FROM {ROWS} WHERE connector.state <> 'RUNNING'",
        f"FROM {ROWS} SELECT _connection, name;",
        "SELECT *, _connection FROM inventory.connectors.connectors ORDER BY health",
        f"SELECT _connection, name, t.id FROM {ROWS}, unnest(tasks) AS u(t)",
        f"SELECT _connection, t.id FROM (SELECT _connection, unnest(tasks) AS t FROM {ROWS})",
        f"SELECT _connection, count(*) FROM {ROWS} GROUP BY 1",
        f"SELECT _connection, count(*) FROM {ROWS} GROUP BY ALL",
        f"SELECT _connection, type, count(*) FROM {ROWS} GROUP BY _connection, type",
        f"SELECT DISTINCT _connection, type FROM {ROWS}",
        f"WITH a AS (SELECT _connection, name FROM {ROWS}) SELECT * FROM a",
        f"SELECT _connection, name, who FROM {ROWS} LEFT JOIN 'owners.csv' USING (name)",
        f"SELECT _connection, name, who FROM {ROWS} LEFT JOIN owners USING (name)",
        f"SELECT c._connection, c.name FROM {ROWS} c JOIN {STATUS} s USING (_connection, name)",
        f"SELECT c._connection FROM {ROWS} c JOIN {STATUS} s "
        "ON s.name = c.name AND s._connection = c._connection",
        f"SELECT _connection, name FROM {ROWS} UNION ALL SELECT _connection, name FROM {OTHERS}",
        f"SELECT _connection, row_number() OVER (PARTITION BY _connection) FROM {ROWS}",
        f"SELECT _connection, unnest(map_entries(config)) AS setting FROM {ROWS}",
        f"SELECT _connection, name FROM {ROWS} WHERE name IN (SELECT name FROM read_csv('a.csv'))",
        f"SELECT _connection, (SELECT max(n) FROM 'a.csv') FROM {ROWS}",
        f"SELECT _connection, name ILIKE 'x', list_filter(tasks, lambda t: t.id = 1) FROM {ROWS}",
    ],
)
def test_rows_of_one_source_are_apart(sql: str, aggregates: frozenset[str]) -> None:
    assert is_independent(sql, aggregates)


@over(
    "sql",
    [
        f"SELECT any_value(_connection) AS _connection, name FROM {ROWS} GROUP BY name",
        f"SELECT 'plant_a' AS _connection, count(*) FROM {ROWS}",
        f"SELECT count(*) FROM {ROWS}",
        f"SELECT list(_connection) FROM {ROWS}",
        f"SELECT sum(count(*)) OVER (PARTITION BY _connection) FROM {ROWS}",
        f"SELECT kurtosis(id), any_value(_connection) FROM {ROWS}",
        f"SELECT _connection FROM (SELECT max_by(_connection, name) AS _connection FROM {ROWS})",
        f"SELECT _connection, name FROM {ROWS} WHERE name > (SELECT min(name) FROM {ROWS})",
        f"SELECT _connection, name FROM {ROWS} ORDER BY name LIMIT 3",
        f"SELECT DISTINCT ON (name) name, _connection FROM {ROWS}",
        f"SELECT _connection, name FROM {ROWS} USING SAMPLE 3",
        f"SELECT c._connection, c.name FROM {ROWS} c JOIN {OTHERS} s USING (name)",
        f"SELECT c._connection, c.name FROM {ROWS} c, {OTHERS} s",
        f"SELECT c._connection FROM {ROWS} c JOIN {STATUS} s "
        "ON s.name = c.name OR s._connection = c._connection",
        f"SELECT _connection, name FROM {ROWS} WHERE name NOT IN (SELECT name FROM {OTHERS})",
        f"SELECT _connection FROM {ROWS} WHERE EXISTS (FROM {OTHERS})",
        f"SELECT _connection, (SELECT max(name) FROM {ROWS}) FROM {ROWS}",
        f"SELECT _connection, (SELECT name FROM {OTHERS}) FROM {ROWS}",
        f"SELECT _connection, row_number() OVER () FROM {ROWS}",
        f"SELECT _connection FROM {ROWS} QUALIFY row_number() OVER (PARTITION BY name) = 1",
        f"WITH a AS (FROM {ROWS}) SELECT b._connection FROM {ROWS} b JOIN a USING (name)",
        f"SELECT _connection FROM {ROWS} EXCEPT SELECT _connection FROM {OTHERS}",
        f"PIVOT {ROWS} ON _connection USING count(*)",
        f"WITH a(_connection, n) AS (SELECT name, type FROM {ROWS}) SELECT _connection, n FROM a",
        f"SELECT _connection, n FROM (SELECT name, type FROM {ROWS}) AS a(_connection, n)",
        f"SELECT _connection, name FROM {ROWS} UNION ALL SELECT name, _connection FROM {OTHERS}",
        f"SELECT * RENAME (name AS _connection) FROM {ROWS}",
        f"CREATE TABLE x AS SELECT 1; SELECT _connection FROM {ROWS}",
        f"SUMMARIZE {ROWS}",
        "nonsense (",
        "",
    ],
)
def test_whatever_may_look_at_several_connections_is_not_apart(
    sql: str, aggregates: frozenset[str]
) -> None:
    assert not is_independent(sql, aggregates)
