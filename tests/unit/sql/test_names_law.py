"""No name of a definition, a table or a statement is taken for one of ours.

Columns of one table and parameters of another bear every name that SQL of ours gives to anything;
the answers are DuckDB's over full copies.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import httpx
import pytest

from connstat_sql.definitions.model import literal, quote
from connstat_sql.engine import Engine
from connstat_sql.errors import BindError
from connstat_sql.result import Options
from tests.oracle.world import open_zoo
from tests.tabled import over

NAMES = (
    "r", "rows", "row", "c", "f", "v", "w", "t", "x0", "x1", "k", "r1", "r2", "r3", "r1000001",
    "listed", "_fetch", "_kept", "fetch", "kept", "id", "number", "key", "value", "argument_0",
    "observed_at", "_connection_", "connection", "part", "so_far", "constant", "_parts",
    "_connstat_pages", "_connstat_rows", "_connstat_nothing", "_connstat_r1", "_connstat_table_0",
    "_connstat_scan_1",
)  # fmt: skip
"""What SQL of ours calls, or has called, tables, columns, parameters and keys."""
SECRETS = "MAP(VARCHAR, VARCHAR)[]"
ROWS = [{name: f"{name} {number}" for name in NAMES} for number in (1, 2)]
SERVICE = {
    "service": "w",
    "resources": {
        "columns": {
            "description": "Each name is a column",
            "columns": {**dict.fromkeys(NAMES, "VARCHAR"), "secret": {"type": SECRETS}},
            "methods": {"list": {"path": "/columns"}},
        },
        "params": {
            "description": "Each name is a parameter",
            "columns": {"said": "VARCHAR", "secret": {"type": SECRETS, "redact": "keys"}},
            "params": {name: {"from": f"zoo.w.columns.{name}"} for name in NAMES},
            "methods": {
                "list": {"path": "/params", "query": {name: f"{{{name}}}" for name in NAMES}}
            },
        },
    },
}


def answer(request: httpx.Request) -> httpx.Response:
    secret = [{"password": "**", "other": "plain"}]
    if request.url.path == "/columns":
        return httpx.Response(200, json=[{**row, "secret": secret} for row in ROWS])
    given = dict(request.url.params)
    return httpx.Response(200, json=[{"said": given["r"], "secret": secret}] * (given in ROWS))


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder: Path = tmp_path_factory.mktemp("names")
    opened = open_zoo(folder, answer, service=json.dumps(SERVICE))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def judge() -> Iterator[duckdb.DuckDBPyConnection]:
    opened = duckdb.connect()
    opened.execute("ATTACH ':memory:' AS conn_a; CREATE SCHEMA conn_a.w")
    listed = ", ".join(f"{quote(name)} VARCHAR" for name in NAMES)
    secret = "[MAP {'password': '**', 'other': 'plain'}]"
    opened.execute(f"CREATE TABLE conn_a.w.columns ({listed}, secret {SECRETS})")
    opened.execute(f"CREATE TABLE conn_a.w.params (said VARCHAR, secret {SECRETS}, {listed})")
    for row in ROWS:
        values = ", ".join(map(literal, row.values()))
        opened.execute(f"INSERT INTO conn_a.w.columns VALUES ({values}, {secret})")
        opened.execute(
            f"INSERT INTO conn_a.w.params VALUES ({literal(row['r'])}, {secret}, {values})"
        )
    yield opened
    opened.close()


GIVEN = " AND ".join(f"p.{quote(name)} = {literal(value)}" for name, value in ROWS[0].items())
TIED = " AND ".join(f"p.{quote(name)} = c.{quote(name)}" for name in NAMES)
OTHERS = " AND ".join(
    f"p.{quote(name)} = {literal(value)}" for name, value in ROWS[0].items() if name != "r1"
)
QUERIES = {
    "plain columns": "FROM conn_a.w.columns ORDER BY ALL",
    "each column": f"SELECT {', '.join(map(quote, NAMES))} FROM conn_a.w.columns ORDER BY ALL",
    "parameters": f"FROM conn_a.w.params AS p WHERE {GIVEN}",
    "parameters from columns": (
        f"SELECT p.* FROM conn_a.w.columns c JOIN conn_a.w.params p ON {TIED} ORDER BY ALL"
    ),
    "fields of structs": (
        "SELECT p.said FROM (SELECT {'r1': 'r1 1', 'c': {'r2': 'r1 1'}} AS r2) AS r1, "
        f"conn_a.w.params AS p WHERE p.r1 = r1.r2.r1 AND p.r1 = r1.r2.c.r2 AND {OTHERS}"
    ),
    "fields of parameters of lambdas": (
        "SELECT p.said FROM (SELECT [{'tag': 'no'}, {'tag': 'r1 1'}] c, 'r1 1' tag) r2, "
        "conn_a.w.params AS p WHERE "
        f"p.r1 = list_filter(r2.c, lambda r1: r1.tag = r2.tag)[1].tag AND {OTHERS}"
    ),
    "parameters of lambdas": (
        "SELECT p.said FROM (SELECT ['no', 'r1 1'] AS l, 'r1 1' AS tag) AS q, conn_a.w.params AS p "
        f"WHERE p.r1 = list_filter(q.l, lambda r2: r2 = q.tag)[1] AND {OTHERS}"
    ),
    "tables": (
        "WITH c AS (SELECT 'r1 1' AS r1), r1 AS (FROM c), listed AS (FROM r1) SELECT p.said "
        f"FROM listed AS r1, conn_a.w.params AS p WHERE p.r1 = r1.r1 AND {OTHERS}"
    ),
}


@over("sql, age", [(sql, age) for sql in QUERIES.values() for age in (0, 60)])
def test_names_of_ours_are_names_like_others(
    engine: Engine, judge: duckdb.DuckDBPyConnection, sql: str, age: int
) -> None:
    expected = judge.sql(sql).to_arrow_table().to_pylist()
    for _ in range(2):
        (result,) = engine.run(sql, None, Options(max_age=age))
        assert result.table.to_pylist() == expected
    assert expected


TAKEN = {
    "a table of ours": 'SELECT 1 FROM temp."_CONNSTAT_SCAN_1\\", conn_a.w.columns',
    "an alias of ours": 'SELECT 1 FROM conn_a.w.columns AS "r1\\"',
    "a parameter of ours": 'SELECT list_filter([r], lambda "x\\": true) FROM conn_a.w.columns',
}


@over("sql", TAKEN.values(), ids=TAKEN)
def test_a_statement_cannot_use_names_of_ours(engine: Engine, sql: str) -> None:
    with pytest.raises(BindError, match=r"the name .* is taken"):
        list(engine.run(sql))


@over("made", ["TEMP TABLE"])
def test_what_the_user_calls_like_ours_is_left_alone(engine: Engine, made: str) -> None:
    both_are_left_alone(engine, made, [*QUERIES.values()][-5:])


@pytest.mark.long
@over("made", ["TEMP TABLE", "TABLE", "TEMP VIEW", "VIEW", "SCHEMA"])
def test_so_it_is_for_each_query(engine: Engine, made: str) -> None:
    both_are_left_alone(engine, made, [*QUERIES.values()])


def both_are_left_alone(engine: Engine, made: str, queries: list[str]) -> None:
    last = "" if made == "SCHEMA" else " AS SELECT 'mine' AS said"
    for name in LIKE_OURS:
        list(engine.run(f"CREATE {made} {name}{last}"))
    try:
        for sql, age in [(sql, age) for sql in (*queries, *TELLING) for age in (0, 60)]:
            list(engine.run(sql, None, Options(max_age=age)))
        for name in LIKE_OURS if last else ():
            beside = f"SELECT mine.said FROM {name} mine, conn_a.w.params p WHERE {GIVEN}"
            for sql in (f"FROM {name}", beside):
                (result,) = engine.run(sql)
                assert result.table.to_pylist() == [{"said": "mine"}]
    finally:
        for name in LIKE_OURS:
            list(engine.run(f"DROP {made.removeprefix('TEMP ')} {name}"))


LIKE_OURS = [
    f"_connstat_{name}"
    for name in (
        "scan_1", "scan_2", "table_0", "table_1", "empty_0", "empty_1", "feed_scan_2_0", "pages",
        "rows", "given", "batch", "whole", "nothing",
    )
]  # fmt: skip
"""What tables and views of ours are called but for the mark at the end, and have been called."""
TELLING = (
    "DESCRIBE conn_a.w.params", "EXPLAIN FROM conn_a.w.columns", "SHOW TABLES",
    "CREATE OR REPLACE TEMP TABLE copied AS FROM conn_a.w.columns",
)  # fmt: skip
