"""Table macros over live tables: their body, with the arguments, stands where the call stood."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from connstat_sql.demo import DemoServers
from connstat_sql.engine import Engine
from connstat_sql.errors import BindError
from tests.conftest import narrow_engine_of
from tests.unit.sql.test_views import LIVE, ONE, STATUS, ask, rows

DEFINED = """
CREATE MACRO one(x) AS TABLE SELECT name, type FROM {t} WHERE name = x;
CREATE OR REPLACE TEMP MACRO of(x, kind := 'source') AS TABLE
    SELECT name, x AS x, kind AS "größe" FROM {t} WHERE type = kind AND name >= x;
CREATE MACRO cut(low, high INTEGER, sure BOOLEAN := true) AS TABLE (
    WITH q AS (FROM {t} WHERE sure) SELECT name, low + 1 AS n, typeof(high) AS kind FROM q
    ORDER BY name LIMIT high);
CREATE MACRO odd(name, "my x" := [1]) AS TABLE
    SELECT * EXCLUDE (name), {{'name': name}} AS s, [name FOR name IN [7]] AS l,
           list_transform("my x", lambda type: type + 1) AS m, u.name AS own FROM {t} AS u;
CREATE FUNCTION nested(x) AS TABLE SELECT a.name FROM one(x) AS a JOIN of(x) AS b USING (name);
CREATE MACRO rows_of(t) AS TABLE SELECT l.name, t FROM {t} AS l JOIN local_names USING (name)
"""


@pytest.fixture(scope="module")
def shared(sandbox: DemoServers) -> Iterator[Engine]:
    with narrow_engine_of(sandbox.connections) as opened:
        ask(opened, f"CREATE TABLE local_names AS SELECT '{ONE}' AS name")
        ask(opened, f"CREATE VIEW v AS SELECT name, type FROM {LIVE}")
        sandbox.reset()
        ask(opened, DEFINED.format(t=LIVE))
        assert sandbox.count() == 0
        yield opened


@pytest.fixture(scope="module")
def plain(shared: Engine) -> Iterator[duckdb.DuckDBPyConnection]:
    """DuckDB with the same macros over a full copy."""
    with duckdb.connect() as opened:
        opened.execute("CREATE SCHEMA plant; SET TimeZone = 'UTC'")
        opened.register("arrived", ask(shared, f"FROM {LIVE}"))
        opened.execute("CREATE TABLE plant.connectors AS FROM arrived")
        opened.execute("CREATE VIEW v AS SELECT name, type FROM plant.connectors")
        opened.execute(f"CREATE TABLE local_names AS SELECT '{ONE}' AS name")
        opened.execute(DEFINED.format(t="plant.connectors"))
        yield opened


class TestCalls:
    @pytest.mark.parametrize(
        "sql",
        [
            f"FROM one('{ONE}')",
            f"FROM main.one('{ONE}')",
            f"SELECT a.type FROM memory.main.one(lower('{ONE.upper()}')) AS a",
            f"FROM one(x := '{ONE}') AS a(b)",
            f"FROM one(x => '{ONE}')",
            "FROM of('a')",
            "FROM of('a', 'sink')",
            "FROM of('a', kind := 'sink')",
            "FROM of(kind := 'sink', x := 'p' || 'a')",
            "SELECT count(*), max(\"größe\") FROM of('a') WHERE x < 'b'",
            "FROM cut(1, 2)",
            "FROM cut(-1, 1 + 1, sure := NOT true)",
            "SELECT low FROM cut(2 * 3, 4) AS c(low)",
            "FROM odd(7)",
            "FROM odd('a', \"my x\" := [1, 2])",
            f"FROM nested('{ONE}')",
            f"FROM rows_of('{ONE}')",
            f"WITH local_names AS (SELECT 'nobody' AS name) FROM rows_of('{ONE}')",
            f"SELECT (SELECT count(*) FROM of('{ONE}')) AS n, * FROM one('{ONE}')",
            f"SELECT l.name, o.type FROM local_names AS l, one('{ONE}') AS o",
            "SELECT o.type FROM local_names AS l, LATERAL one(l.name) AS o",
            "SELECT o.type FROM local_names AS l JOIN one((SELECT max(name) FROM v)) AS o ON true",
            f"SELECT name FROM one('{ONE}') UNION ALL SELECT name FROM one('nobody')",
            f"FROM v SEMI JOIN one('{ONE}') USING (name)",
            f"WITH one AS (SELECT 1 AS a) SELECT one.a, b.name FROM one, one('{ONE}') AS b",
            f"PIVOT (FROM one('{ONE}')) ON type IN ('sink', 'source') USING count(*)",
            "FROM of('('), of(')') AS b(c, d, e) -- one('x')\n",
            "FROM of('it''s', /* , */ 'sink')",
        ],
    )
    def test_they_answer_what_duckdb_does_over_a_copy(
        self, shared: Engine, plain: duckdb.DuckDBPyConnection, sql: str
    ) -> None:
        found, expected = ask(shared, sql), plain.sql(sql).to_arrow_table()
        assert found.column_names == expected.column_names
        assert sorted(map(str, found.to_pylist())) == sorted(map(str, expected.to_pylist()))

    def test_an_argument_reaches_the_table_inside(
        self, shared: Engine, sandbox: DemoServers
    ) -> None:
        text = "CREATE MACRO status(x) AS TABLE SELECT name FROM "
        ask(shared, f"{text} {STATUS} WHERE connector_name = x")
        assert rows(shared, f"FROM status('{ONE}')") == [(ONE,)]
        assert sandbox.count() == 1

    @pytest.mark.parametrize(
        ("sql", "arguments", "expected"),
        [
            ("SELECT name FROM one($n)", {"n": ONE}, [(ONE,)]),
            ("SELECT ?, name FROM one(?) WHERE type = ?", [1, ONE, "source"], [(1, ONE)]),
            ("SELECT x FROM of(?, ?) WHERE name = ?", ["a", "source", ONE], [("a",)]),
            ("SELECT x FROM of(kind := ?, x := ?) WHERE name = ?", ["source", "a", ONE], [("a",)]),
            ("SELECT name FROM ignores(?) WHERE name = ?", [1, ONE], [(ONE,)]),
            ("SELECT name FROM ignores($a) WHERE name = $b", {"a": 1, "b": ONE}, [(ONE,)]),
            ("SELECT l, r FROM twice(?) WHERE l = ?", [ONE, ONE], [(ONE, ONE)]),
        ],
    )
    def test_arguments_of_the_statement_may_be_arguments_of_the_call(
        self, shared: Engine, sql: str, arguments: Any, expected: list[Any]
    ) -> None:
        ask(shared, f"CREATE OR REPLACE MACRO ignores(x) AS TABLE FROM {LIVE}")
        text = f"SELECT x AS l, name AS r FROM {LIVE} WHERE name = x"
        ask(shared, f"CREATE OR REPLACE MACRO twice(x) AS TABLE {text}")
        assert rows(shared, sql, arguments) == expected


class TestMisfits:
    @pytest.mark.parametrize(
        ("call", "said"),
        [
            ("one()", "it needs x"),
            ("one('a', 'b')", "it has fewer parameters"),
            ("one(y := 'a')", "it has no parameter y"),
            ("one('a', x := 'b')", "it has x only once"),
            ("of(x := 'a', 'b')", "an argument without a name follows one with a name"),
        ],
    )
    def test_a_call_that_does_not_fit_is_pointed_at(
        self, shared: Engine, sandbox: DemoServers, call: str, said: str
    ) -> None:
        with pytest.raises(BindError) as caught:
            ask(shared, f"SELECT 'é😀', a.* FROM {call} AS a")
        error = caught.value
        assert said in error.message
        assert error.span is not None
        assert error.sql[error.span.start : error.span.end] == call
        assert "x" in error.hint
        assert sandbox.count() == 0

    @pytest.mark.parametrize(
        ("sql", "said"),
        [
            ("CREATE MACRO f(x) AS (SELECT count(*) FROM {t} WHERE name = x)", "scalar macro"),
            ("CREATE MACRO f(x) AS 1 + (SELECT count(*) FROM v)", "scalar macro"),
            ("CREATE MACRO f() AS TABLE (FROM {t}), (x) AS TABLE (SELECT x)", "signatures"),
        ],
    )
    def test_other_kinds_of_macros_are_refused_by_name(
        self, shared: Engine, sandbox: DemoServers, sql: str, said: str
    ) -> None:
        with pytest.raises(BindError, match=f"{said}.* cannot read live tables") as caught:
            ask(shared, sql.format(t=LIVE))
        error = caught.value
        assert error.span is not None
        assert error.sql[error.span.start : error.span.end] == "f"
        assert "AS TABLE SELECT" in error.hint
        assert sandbox.count() == 0


class TestNeverStale:
    def test_a_dropped_macro_is_gone_and_a_new_one_counts(self, shared: Engine) -> None:
        ask(shared, f"CREATE MACRO gone(x) AS TABLE FROM {LIVE} WHERE name = x")
        with pytest.raises(BindError, match="gone does not exist"):
            ask(shared, "DROP MACRO TABLE gone; FROM gone('a')")
        assert rows(shared, "CREATE MACRO gone(x) AS TABLE SELECT x; FROM gone(3)") == [(3,)]

    def test_a_transaction_takes_back_another_default(self, shared: Engine) -> None:
        text = "CREATE OR REPLACE MACRO d(x := '{}') AS TABLE SELECT DISTINCT x AS x FROM {}"
        ask(shared, f"{text.format('a', LIVE)}; BEGIN; {text.format('b', LIVE)}; ROLLBACK")
        assert rows(shared, "FROM d()") == [("a",)]

    def test_a_temporary_one_stands_before_the_other(self, shared: Engine) -> None:
        ask(shared, f"CREATE MACRO twin() AS TABLE SELECT count(*) FROM {LIVE}")
        assert rows(shared, "CREATE TEMP MACRO twin() AS TABLE SELECT 1; FROM twin()") == [(1,)]
        assert rows(shared, "FROM main.twin()") == [(1,)]
        assert rows(shared, "FROM memory.main.twin()") == [(6,)]
        assert rows(shared, "DROP MACRO TABLE temp.twin; FROM twin()") == [(6,)]
