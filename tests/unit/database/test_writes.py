"""What writes: into a live table never, and nothing is sent for what DuckDB will refuse."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import httpx
import pytest

from connstat_sql.database.session import Session
from connstat_sql.engine import Engine
from connstat_sql.errors import ConnstatError
from tests.conftest import engine_of
from tests.tabled import over

T = "plant_a.connect.connectors"
PLANT = {"provider": "kafka_connect", "base_url": "http://plant:8083"}


class Plant:
    """An engine over one connector, with a table, a view and a read-only database beside it."""

    def __init__(self, engine: Engine, sent: list[str], folder: Path) -> None:
        self.engine, self.sent, self.folder = engine, sent, folder
        duckdb.connect(folder / "ro.db").execute("CREATE TABLE t (a VARCHAR)").close()
        for sql in (
            "CREATE TABLE loc (a VARCHAR)",
            "CREATE VIEW locv AS FROM loc",
            f"ATTACH '{folder / 'ro.db'}' AS ro (READ_ONLY)",
        ):
            list(engine.run(sql))

    def start(self) -> None:
        """Begin with one row, and no request."""
        list(self.engine.run("DELETE FROM loc; INSERT INTO loc VALUES ('l')"))
        self.sent.clear()

    def local(self) -> list[tuple[object, ...]]:
        (result,) = self.engine.run("FROM loc ORDER BY a")
        return result.fetchall()


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    sent: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.url.path)
        if not request.url.query:
            return httpx.Response(200, json=["orders"])
        info = {"name": "orders", "config": {}, "tasks": [], "type": "sink"}
        return httpx.Response(200, json={"orders": {"info": info}})

    transport = httpx.MockTransport(answer)
    with engine_of({"plant_a": PLANT}, transport=transport) as engine:
        yield Plant(engine, sent, tmp_path_factory.mktemp("writes"))


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    opened = Session()
    opened.duckdb.execute("CREATE TABLE t (a INTEGER)")
    yield opened
    opened.close()


INTO_LIVE = (
    "INSERT INTO {T} (name) VALUES ('a')", "INSERT INTO {T} AS t (name) SELECT a FROM loc",
    "WITH x AS (SELECT 'a' AS name) INSERT INTO {T} BY NAME FROM x",
    "WITH x AS (INSERT INTO {T} (name) VALUES ('a') RETURNING name) SELECT * FROM x",
    "WITH x AS (UPDATE {T} SET name = 'q' RETURNING name) SELECT * FROM x",
    "WITH x AS (DELETE FROM {T} RETURNING name) SELECT * FROM x",
    "WITH x AS (TRUNCATE {T}) FROM loc",
    "WITH x AS (DELETE FROM {T} RETURNING name) INSERT INTO loc FROM x",
    "UPDATE {T} SET name = 'x'", "UPDATE {T} AS t SET name = 'x' FROM loc",
    "DELETE FROM {T}", "DELETE FROM {T} USING loc WHERE a = name", "TRUNCATE {T}",
    "MERGE INTO {T} USING loc ON a = name WHEN MATCHED THEN DELETE",
    "EXPLAIN ANALYZE INSERT INTO {T} (name) VALUES ('a')", "EXPLAIN ANALYZE DELETE FROM {T}",
    "EXPLAIN (ANALYZE) DELETE FROM {T}", "EXPLAIN /* c */ ANALYZE UPDATE {T} SET name = 'x'",
    "COPY {T} FROM 'a.csv'", "EXPLAIN ANALYZE COPY {T} FROM 'a.csv'",
    "ALTER TABLE {T} ADD COLUMN b INTEGER", "ALTER VIEW {T} RENAME TO z", "DROP TABLE {T}",
    "DROP VIEW {T}", "COMMENT ON TABLE {T} IS 'x'", "COMMENT ON VIEW {T} IS 'x'",
    "COMMENT ON COLUMN {T}.name IS 'x'", "CREATE TABLE {T} (a INTEGER)",
    "CREATE OR REPLACE VIEW {T} AS SELECT 1", "CREATE TABLE {T} AS SELECT 1",
    "CREATE INDEX i ON {T} (name)", "PREPARE p AS INSERT INTO {T} (name) VALUES ('a')",
    "VACUUM {T}", "ANALYZE {T}", "SELECT * FROM query('DELETE FROM {T}')",
)  # fmt: skip
REFUSED = (
    "WITH x AS (INSERT INTO loc SELECT name FROM {T} RETURNING a) SELECT * FROM x WHERE a = 'q'",
    "WITH x AS (DELETE FROM loc RETURNING a) SELECT a FROM x WHERE EXISTS (SELECT 1 FROM {T})",
    "WITH x AS (DELETE FROM loc RETURNING a) SELECT * FROM x JOIN {T} ON a = name",
    "WITH x AS (DELETE FROM loc RETURNING a) INSERT INTO loc SELECT name FROM {T}",
    """WITH x AS (DELETE FROM loc RETURNING a) MERGE INTO loc USING {T} c ON a = c.name
        WHEN NOT MATCHED THEN INSERT VALUES (c.name)""",
    "CREATE TABLE k AS WITH x AS (DELETE FROM loc RETURNING a) SELECT a FROM x, {T}",
    "WITH x AS (COPY {T} TO 'm.csv') SELECT * FROM x",
    "EXPLAIN ANALYZE WITH x AS (DELETE FROM loc RETURNING a) SELECT * FROM x, {T}",
    "COPY {T} TO 'm.csv' (FORMAT nope)", "COPY {T} TO 'm.csv' (NOPE 1)",
    "COPY {T} TO '{folder}/none/m.csv'", "COPY (SELECT name FROM {T}) TO '{folder}/none/m.csv'",
    "CREATE TABLE loc AS FROM {T}", "CREATE TABLE main.LOC AS FROM {T}",
    "CREATE TABLE memory.loc AS FROM {T}", "CREATE TABLE memory.main.loc AS FROM {T}",
    "EXPLAIN ANALYZE CREATE TABLE loc AS FROM {T}", "CREATE TABLE locv AS FROM {T}",
    "CREATE OR REPLACE TABLE locv AS FROM {T}", "CREATE TABLE none.x AS FROM {T}",
    "CREATE TABLE ro.k AS FROM {T}", "INSERT INTO none SELECT name FROM {T}",
    "INSERT INTO loc SELECT name, 1 FROM {T}", "INSERT INTO ro.t SELECT name FROM {T}",
    "INSERT INTO loc BY NAME SELECT name AS z FROM {T}", "INSERT INTO locv SELECT name FROM {T}",
    "INSERT INTO loc SELECT name FROM {T} ON CONFLICT DO NOTHING",
    "UPDATE locv SET a = 1 FROM {T}", "DELETE FROM locv USING {T} c WHERE c.name = a",
    "UPDATE ro.t SET a = 'x' FROM {T} c", "DELETE FROM loc RETURNING (SELECT max(name) FROM {T})",
    "SET threads = (SELECT 1 FROM {T})",
    "CALL query_table('{T}')", "EXPLAIN (FORMAT JSON) FROM {T}",
)  # fmt: skip
RUNS: tuple[tuple[str, list[str]], ...] = (
    ("INSERT INTO loc SELECT name FROM {T}", ["l", "orders"]),
    ("INSERT INTO loc VALUES ((SELECT max(name) FROM {T}))", ["l", "orders"]),
    ("EXPLAIN ANALYZE INSERT INTO loc SELECT name FROM {T}", ["l", "orders"]),
    ("EXPLAIN (ANALYZE) INSERT INTO loc SELECT name FROM {T}", ["l", "orders"]),
    ("EXPLAIN INSERT INTO loc SELECT name FROM {T}", ["l"]),
    ("UPDATE loc SET a = c.name FROM {T} c", ["orders"]),
    ("DELETE FROM loc WHERE a NOT IN (SELECT name FROM {T})", []),
    ("MERGE INTO loc USING {T} c ON a = c.name WHEN NOT MATCHED THEN INSERT VALUES (c.name)",
     ["l", "orders"]),
    ("CREATE OR REPLACE TEMP TABLE loc AS SELECT name AS a FROM {T}; DROP TABLE temp.loc", ["l"]),
    ("SET VARIABLE v = (SELECT max(name) FROM {T}); UPDATE loc SET a = getvariable('v')",
     ["orders"]),
    ("EXPLAIN ANALYZE SELECT name FROM {T}", ["l"]), ("EXPLAIN (ANALYZE) FROM {T}", ["l"]),
    ("COPY (SELECT name FROM {T}) TO '{folder}/m.csv'; INSERT INTO loc FROM '{folder}/m.csv'",
     ["l", "orders"]),
)  # fmt: skip


@over("sql", (*INTO_LIVE, *REFUSED))
def test_nothing_is_sent_for_what_cannot_be_written(plant: Plant, sql: str) -> None:
    plant.start()
    with pytest.raises(ConnstatError):
        list(plant.engine.run(sql.format(T=T, folder=plant.folder)))
    assert plant.sent == []
    assert plant.local() == [("l",)]


@over("sql,local", RUNS)
def test_rows_of_live_tables_go_into_local_ones(plant: Plant, sql: str, local: list[str]) -> None:
    plant.start()
    list(plant.engine.run(sql.format(T=T, folder=plant.folder)))
    assert plant.local() == [(one,) for one in local]


QUERIES = (
    "SELECT 1", "FROM t", "VALUES (1)", "TABLE t", "SUMMARIZE t", "DESCRIBE t", "SHOW TABLES",
    "WITH x AS (SELECT 1) SELECT * FROM x", "SELECT 'delete' AS copy", "UNPIVOT t ON a",
    "EXPLAIN SELECT 1", "EXPLAIN ANALYZE SELECT 1", "EXPLAIN (ANALYZE, FORMAT JSON) SELECT 1",
    "EXPLAIN DELETE FROM t", "EXPLAIN CREATE TABLE k AS SELECT 1", "EXPLAIN (FORMAT JSON) FROM t",
    "EXPLAIN -- analyze\n FROM t", "/* c */ EXPLAIN ANALYZE (SELECT 1)",
)  # fmt: skip
WRITES = (
    "INSERT INTO t VALUES (1)", "UPDATE t SET a = 1", "DELETE FROM t", "TRUNCATE t",
    "MERGE INTO t USING t AS u ON t.a = u.a WHEN MATCHED THEN DELETE", "COPY t TO 'x.csv'",
    "COPY t FROM 'x.csv'", "ALTER TABLE t ADD COLUMN b INTEGER", "DROP TABLE t",
    "COMMENT ON TABLE t IS 'x'", "ATTACH ':memory:' AS q", "CALL range(3)", "PRAGMA threads=2",
    "SET threads = 2", "SET VARIABLE v = 1", "PREPARE p AS SELECT 1", "EXECUTE p", "VACUUM",
    "EXPORT DATABASE 'd'", "USE memory", "BEGIN", "CREATE TABLE k AS SELECT 1", "CHECKPOINT",
    "WITH x AS (INSERT INTO t VALUES (1) RETURNING a) SELECT * FROM x",
    "WITH x AS (DELETE FROM t RETURNING a) FROM x", "WITH x AS (COPY t TO 'x.csv') SELECT 1",
    "WITH x AS (UPDATE t SET a = 2 RETURNING a) FROM x", "WITH x AS (TRUNCATE t) SELECT 1",
    "EXPLAIN ANALYZE INSERT INTO t VALUES (1)", "EXPLAIN (ANALYZE) DELETE FROM t",
    "EXPLAIN (FORMAT JSON, ANALYZE) DELETE FROM t", "EXPLAIN ANALYSE CREATE TABLE k AS SELECT 1",
    "EXPLAIN ANALYZE COPY t TO 'x.csv'", "EXPLAIN /* c */ ANALYZE DELETE FROM t",
    "EXPLAIN -- c\n ANALYZE /* d */ (FORMAT JSON) DROP TABLE t",
    "EXPLAIN ANALYZE WITH x AS (DELETE FROM t RETURNING a) FROM x",
)  # fmt: skip


@over("sql,expected", [*((sql, True) for sql in QUERIES), *((sql, False) for sql in WRITES)])
def test_a_query_is_what_no_later_statement_depends_on(
    session: Session, sql: str, expected: bool
) -> None:
    (piece,) = session.split(sql)
    assert piece.is_query == expected


def test_a_statement_behind_one_that_writes_in_its_with_is_not_judged_before(plant: Plant) -> None:
    plant.start()
    sql = """EXPLAIN ANALYZE CREATE TABLE made AS SELECT 1 AS one;
        SELECT one, name FROM made, {T}; DROP TABLE made"""
    _, result, _ = plant.engine.run(sql.format(T=T))
    assert result.fetchall() == [(1, "orders")]
