"""Queries that cannot fail as they run: what is not known of one is that."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from connstat_sql.database.infallible import cannot_fail
from tests.oracle.law import Court, Verdict
from tests.oracle.pieces import Query
from tests.oracle.zoo import LOCALS, TABLES
from tests.tabled import over
from tests.unit.planner.test_planner_law import world

FROM = "SELECT a FROM t JOIN u ON t.a = u.x WHERE "
SAFE = (
    "t.a = 'q'", "t.a LIKE 'q%' AND NOT (n < 3 OR n IS NULL)", "n IN (1, 2)", "n NOT IN (1, k)",
    "n = k", "lower(a) || 'x' <> x", "CAST(n AS VARCHAR) = a", "a IN (SELECT x FROM u)",
    "EXISTS (SELECT 1 FROM u v WHERE v.x = t.a)", "k = (SELECT max(k) FROM u v WHERE v.x = t.a)",
    "a BETWEEN 'a' AND 'b'", "true",
)  # fmt: skip
UNSAFE = (
    "CAST(a AS INTEGER) = 1", "a = 1", "k::INTEGER = n", "n + 1 = 2", "k = (SELECT k FROM u v)",
    "error(a)", "d > '2020-01-01'", "n / k = 1", "d = a", "regexp_matches(a, x)", "n = 1.5",
    "CASE WHEN a = 'x' THEN CAST(a AS INTEGER) = 1 END", "[n][n] = 1", "twice(n) = 2",
    "k IN (SELECT a::INTEGER FROM t)", "nosuch", "a IN (FROM query('SELECT x::INTEGER FROM u'))",
    "sum(k) > 1", "1 1", "[n]::INTEGER[] = [n]", "m = 1", "abs(n) = 1",
    "l::INTEGER[] IS NULL",
)  # fmt: skip


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        opened.execute("CREATE MACRO twice(x) AS x + x")
        opened.execute(
            "CREATE TABLE t (a VARCHAR, n INTEGER, d DATE, m DECIMAL(5, 2), l VARCHAR[])"
        )
        opened.execute("BEGIN; CREATE TEMP TABLE u (x VARCHAR, k BIGINT)")
        yield opened


@over("text,expected", [*((one, True) for one in SAFE), *((one, False) for one in UNSAFE)])
def test_what_is_known_of_a_query(
    connection: duckdb.DuckDBPyConnection, text: str, expected: bool
) -> None:
    assert cannot_fail(connection, FROM + text) == expected
    assert connection.execute("SELECT count(*) FROM u").fetchall() == [(0,)]


QUERIES = (
    "SELECT count(*) FROM notes n JOIN conn_a.w.subs s ON s.grp = n.x WHERE n.x > '5'",
    "SELECT count(*) FROM zoo.w.groups g JOIN zoo.w.subs s ON s.grp = g.g WHERE g.size > 3",
    "SELECT count(*) FROM zoo.w.groups g JOIN zoo.w.subs s ON s.grp = g.g WHERE g.g LIKE '5%'",
    "SELECT * FROM fresh f JOIN conn_a.w.subs s ON s.grp = f.x AND f.x NOT IN ('7')",
)  # fmt: skip


@over("sql", QUERIES)
def test_a_transaction_costs_no_requests(court: Court, sql: str) -> None:
    court.enter(world())
    list(court.engine.run("CREATE OR REPLACE TEMP TABLE fresh AS SELECT * FROM notes"))
    asked = []
    for before, after in (("SELECT 1", "SELECT 1"), ("BEGIN", "ROLLBACK")):
        list(court.engine.run(before))
        court.world.asked.clear()
        list(court.engine.run(sql))
        asked.append(sorted(court.world.asked))
        list(court.engine.run(after))
    assert asked[0] == asked[1]


FAILING = (
    "c.code = o.t::INT AND o.t = '5'",
    "c.code IN (o.t::INT, 7) AND o.id = 1",
    "c.code = 5 // o.id AND o.id = 1",
    "c.code = ANY([o.t::INT]) AND o.id = 1",
)


@over("condition", FAILING)
def test_a_value_that_cannot_be_told_of_a_row_that_is_ruled_out_ends_no_transaction(
    court: Court, condition: str
) -> None:
    rows = "('5', 1), ('q', 0)"
    made = f"CREATE OR REPLACE TEMP TABLE o AS FROM (VALUES {rows}) o(t, id)"
    court.enter(world())
    sql = f"SELECT c.* FROM o, conn_a.w.codes c WHERE c.lang = 'a' AND {condition}"
    tables = frozenset({*TABLES, *LOCALS})
    for setup, undo in (((made,), ()), ((made, "BEGIN"), ("ROLLBACK",))):
        query = Query(sql, None, frozenset("157"), tables, setup, undo=undo)
        trial = court.try_query(query)
        assert (trial.verdict, trial.why) == (Verdict.AGREED, "")
        assert trial.rows > 0
