"""Live tables within the user's transaction: what we ask of DuckDB does not abort it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from connstat_sql.database.session import Session
from connstat_sql.demo import DemoServers
from connstat_sql.engine import Engine
from connstat_sql.errors import QueryError
from tests.conftest import narrow_engine_of
from tests.tabled import over

LIVE = "plant_a.connect.connectors"


@pytest.fixture(scope="module")
def engine(sandbox: DemoServers) -> Iterator[Engine]:
    with narrow_engine_of(sandbox.connections) as opened:
        list(opened.run("CREATE MACRO twice(x) AS x || x; CREATE TABLE loc AS SELECT 'q' AS a"))
        yield opened


def rows(engine: Engine, sql: str, arguments: Any = None) -> list[tuple[Any, ...]]:
    return [*engine.run(sql, arguments)][-1].fetchall()


QUERIES = (
    "SELECT name FROM {} ORDER BY name", "SELECT count(*) FROM {} WHERE name = 'x'",
    "SELECT name FROM {} c WHERE EXISTS (SELECT 1 FROM loc WHERE a < c.name) ORDER BY 1",
    "SELECT name, (SELECT max(a) FROM loc WHERE a <> c.name) FROM {} c ORDER BY 1",
    "SELECT name FROM {} WHERE CASE WHEN true THEN true ELSE CAST('x' AS INTEGER) = 1 END",
    "SELECT count(*) FROM {} WHERE name = 'a' AND TRY_CAST('x' AS INTEGER) IS NULL",
    "SELECT count(*) FROM {} WHERE false AND CAST(name AS INTEGER) = CAST('x' AS INTEGER)",
    "SELECT twice(name) FROM {} WHERE name <> twice('a') ORDER BY 1",
    "SELECT k.name FROM {} c, LATERAL (SELECT c.name) AS k(name) ORDER BY 1",
    "SELECT name FROM {} WHERE name IN (SELECT a FROM loc UNION SELECT 'x') ORDER BY 1",
    "WITH x AS (SELECT name AS n FROM {}) SELECT n FROM x WHERE n IN (FROM x) ORDER BY 1",
    "SELECT name FROM {} WHERE name = getvariable('v')", "FROM {} SELECT max(name) HAVING true",
)  # fmt: skip


@over("sql", QUERIES)
def test_the_answer_is_that_outside_of_it(engine: Engine, sql: str) -> None:
    text = sql.format(LIVE)
    expected = rows(engine, text)
    list(engine.run("BEGIN; CREATE TEMP TABLE mine AS SELECT 1 AS one"))
    try:
        assert rows(engine, text) == expected
        assert rows(engine, f"SELECT count(*) FROM mine, {LIVE}") == [(6,)]
    finally:
        list(engine.run("ROLLBACK"))


FAILING = (
    "SELECT nosuch FROM t", "SELECT * FROM nosuch", "SELECT 1 1 1", "SELECT nosuch($1)",
    "SELECT CAST('x' AS INTEGER)", "SELECT error('x')", "SELECT CAST($1 AS INTEGER)",
    "SELECT CAST(getvariable('v') AS INTEGER)",
)  # fmt: skip


@over("sql", FAILING)
def test_a_question_without_an_answer_leaves_the_transaction_as_it_was(sql: str) -> None:
    session = Session()
    try:
        session.duckdb.execute("CREATE TABLE t (a INTEGER); SET VARIABLE v = 'x'")
        session.hand_out().execute("BEGIN")
        session.duckdb.execute("INSERT INTO t VALUES (1)")
        assert session.fold(sql, ["x"]) is None
        session.describe(sql, ["x"])
        session.duckdb.execute("COMMIT")
        assert session.duckdb.execute("FROM t").fetchall() == [(1,)]
    finally:
        session.close()


def test_variables_are_known_to_what_is_folded_in_a_transaction() -> None:
    session = Session()
    try:
        session.duckdb.execute("SET VARIABLE v = 'x'")
        session.hand_out().execute("BEGIN")
        found = session.fold("SELECT getvariable('v') || $1", ["y"])
        assert found is not None
        assert found[0][0].text == "xy"
    finally:
        session.close()


def test_a_transaction_that_has_failed_says_so_until_it_is_rolled_back(engine: Engine) -> None:
    text = f"SELECT count(*) FROM {LIVE}"
    list(engine.run("BEGIN"))
    with pytest.raises(QueryError, match="Could not convert"):
        rows(engine, "SELECT CAST('x' AS INTEGER)")
    for sql in (text, "SELECT 1", "WITH x AS (DELETE FROM loc RETURNING a) FROM x"):
        with pytest.raises(QueryError, match="ROLLBACK"):
            rows(engine, sql)
    assert rows(engine, f"ROLLBACK; {text}") == [(6,)]


def test_what_is_wrong_with_a_statement_is_said_in_a_transaction_too(engine: Engine) -> None:
    for sql in (f"SELECT nosuch FROM {LIVE}", f"INSERT INTO loc SELECT nosuch FROM {LIVE}"):
        list(engine.run("BEGIN"))
        with pytest.raises(QueryError, match="nosuch"):
            rows(engine, sql)
        list(engine.run("ROLLBACK"))
