"""Views over live tables: defined without a request, planned where they are mentioned."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from connstat_sql.demo import DemoServers
from connstat_sql.engine import Engine
from connstat_sql.errors import BindError
from tests.conftest import narrow_engine_of

LIVE = "plant_a.connect.connectors"
STATUS = "plant_a.connect.connector_status"
ONE = "pricing-mysql-source"


@pytest.fixture
def engine(sandbox: DemoServers) -> Iterator[Engine]:
    with narrow_engine_of(sandbox.connections) as opened:
        yield opened


@pytest.fixture(scope="module")
def shared(sandbox: DemoServers) -> Iterator[Engine]:
    """An engine with two views, for statements that leave nothing behind."""
    with narrow_engine_of(sandbox.connections) as opened:
        define_two(opened)
        yield opened


def define_two(engine: Engine) -> None:
    ask(engine, f"CREATE VIEW v AS SELECT name, type FROM {LIVE}")
    ask(engine, f'CREATE VIEW "größe v"(a, b) AS SELECT name, type FROM {LIVE}')


@pytest.fixture(scope="module")
def plain(shared: Engine) -> Iterator[duckdb.DuckDBPyConnection]:
    """DuckDB with the same views over a full copy."""
    with duckdb.connect() as opened:
        opened.register("copied", ask(shared, f"SELECT name, type FROM {LIVE}"))
        opened.execute("CREATE VIEW v AS SELECT name, type FROM copied")
        opened.execute('CREATE VIEW "größe v"(a, b) AS SELECT name, type FROM copied')
        yield opened


def ask(engine: Engine, sql: str, arguments: Any = None) -> pa.Table:
    """The rows of the last statement of a text."""
    return [*engine.run(sql, arguments)][-1].table


def rows(engine: Engine, sql: str, arguments: Any = None) -> list[tuple[Any, ...]]:
    found = ask(engine, sql, arguments)
    return [*zip(*(column.to_pylist() for column in found.columns), strict=True)]


class TestDefining:
    @pytest.mark.parametrize(
        "sql",
        [
            "CREATE VIEW v AS FROM {t}",
            "CREATE OR REPLACE VIEW v AS SELECT name FROM {t}",
            "CREATE TEMP VIEW v (a, b) AS SELECT name, type FROM {t}",
            "CREATE VIEW IF NOT EXISTS main.v AS SELECT 1 AS a WHERE EXISTS (FROM {t})",
            "/* é */ CREATE TEMPORARY VIEW v AS WITH q AS (FROM {t}) FROM q -- ö\n;",
            "CREATE VIEW v AS TABLE {t}",
            "CREATE VIEW v AS (SELECT name FROM {t}) UNION ALL (SELECT type FROM {t})",
            "CREATE VIEW v AS PIVOT {t} ON type IN ('sink', 'source') USING count(*)",
            "CREATE VIEW v AS SUMMARIZE {t}",
            "CREATE VIEW v AS SELECT connectors.name, {t}.type FROM {t}",
            "CREATE VIEW v AS SELECT *, _connection FROM {t}",
        ],
    )
    def test_it_sends_nothing_and_answers_no_rows(
        self, shared: Engine, sandbox: DemoServers, sql: str
    ) -> None:
        for number, table in enumerate((LIVE, "kafka_connect.connect.connectors")):
            name = f"defined_{number}"
            text = sql.replace(" v ", f" {name} ").replace("main.v ", f"main.{name} ")
            sandbox.reset()
            [result] = shared.run(text.format(t=table))
            assert not result.has_rows
            assert sandbox.count() == 0
            assert rows(shared, f"SELECT count(*) FROM {name}")[0][0] > 0
            ask(shared, f"DROP VIEW {name}")

    def test_duckdb_knows_its_columns_and_types(self, engine: Engine, sandbox: DemoServers) -> None:
        ask(engine, f"CREATE VIEW v AS SELECT name, tasks, _observed_at AS at FROM {STATUS}")
        described = [row[:2] for row in rows(engine, "DESCRIBE v")]
        assert [name for name, _ in described] == ["name", "tasks", "at"]
        assert described[1][1].startswith("STRUCT(")
        assert described[2][1] == "TIMESTAMP WITH TIME ZONE"
        sql = "SELECT column_name FROM information_schema.columns WHERE table_name = 'v'"
        assert [name for (name,) in rows(engine, sql)] == ["name", "tasks", "at"]
        assert sandbox.count() == 0

    def test_a_parameter_may_be_missing_until_the_view_is_used(
        self, engine: Engine, sandbox: DemoServers
    ) -> None:
        ask(engine, "CREATE VIEW v AS SELECT amount, start_date FROM confluent.billing.costs")
        with pytest.raises(BindError, match="start_date and end_date") as caught:
            ask(engine, "SELECT sum(amount) FROM v")
        assert caught.value.span is not None
        assert sandbox.count() == 0

    def test_one_that_exists_is_kept_if_asked_for(self, engine: Engine) -> None:
        ask(engine, "CREATE VIEW v AS SELECT 1 AS a")
        ask(engine, f"CREATE VIEW IF NOT EXISTS v AS SELECT name FROM {LIVE}")
        assert rows(engine, "FROM v") == [(1,)]
        ask(engine, f"CREATE OR REPLACE VIEW v AS SELECT count(*) FROM {LIVE}")
        ask(engine, "CREATE VIEW IF NOT EXISTS v AS SELECT 1 AS a")
        assert rows(engine, "FROM v") == [(6,)]

    def test_a_plain_view_is_duckdbs_own(self, engine: Engine, sandbox: DemoServers) -> None:
        assert rows(engine, "CREATE VIEW v(a) AS SELECT 1; FROM v") == [(1,)]
        assert sandbox.count() == 0


class TestParameters:
    def test_a_value_given_outside_reaches_the_table_inside(
        self, engine: Engine, sandbox: DemoServers
    ) -> None:
        ask(engine, "CREATE VIEW v AS SELECT amount, start_date, end_date, product "
            "FROM confluent.billing.costs")  # fmt: skip
        where = "start_date = DATE '2026-10-01' AND end_date = $until"
        sql = f"SELECT count(*) FROM v WHERE {where}"
        [(count,)] = rows(engine, sql, {"until": "2026-11-01"})
        assert count > 0
        assert all("start_date=2026-10-01" in one.query for one in sandbox.requests)

    def test_question_marks_stay_in_their_order(self, engine: Engine) -> None:
        ask(engine, f"CREATE VIEW v AS SELECT name, type FROM {LIVE}")
        sql = "SELECT ?, name FROM v WHERE type = ? AND name = ?"
        assert rows(engine, sql, [7, "source", ONE]) == [(7, ONE)]


class TestMentions:
    @pytest.mark.parametrize(
        ("sql", "headers"),
        [
            ("FROM v", ["name", "type"]),
            ("TABLE v", ["name", "type"]),
            ("SELECT * FROM V", ["name", "type"]),
            ('SELECT * FROM "v"', ["name", "type"]),
            ("SELECT v.name FROM v", ["name"]),
            ("SELECT upper(v.name), count(*) FROM v GROUP BY ALL", ['upper(v."name")',
                                                                    "count_star()"]),
            ("SELECT x.name FROM v AS x", ["name"]),
            ("SELECT x.name FROM v x", ["name"]),
            ("FROM x: v SELECT x.name", ["name"]),
            ("SELECT p FROM v x(p)", ["p"]),
            ("SELECT p, type FROM v AS x(p)", ["p", "type"]),
            ("SELECT main.v.name FROM main.v", ["name"]),
            ("SELECT memory.main.v.name FROM v", ["name"]),
            ("SELECT v.name FROM memory.main.v", ["name"]),
            ("SELECT v.name FROM memory.v", ["name"]),
            ("SELECT v FROM v", ["v"]),
            ("SELECT v.* FROM (v CROSS JOIN range(1))", ["name", "type"]),
            ("FROM v, v AS w WHERE v.name = w.name", ["name", "type", "name", "type"]),
            ("FROM v JOIN v w USING (name)", ["name", "type", "type"]),
            ('FROM "größe v"', ["a", "b"]),
            ('SELECT "größe v".a FROM "größe v"', ["a"]),
            ('SELECT x.a FROM "größe v" AS x', ["a"]),
            ('FROM "größe v" AS x(q)', ["q", "b"]),
            ('FROM x: "größe v"', ["a", "b"]),
            ("WITH c AS (FROM v) FROM c", ["name", "type"]),
            ("WITH v AS (FROM v) SELECT name FROM v", ["name"]),
            ("FROM (SELECT name AS n FROM v)", ["n"]),
            ("SELECT name FROM v WHERE name IN (SELECT name FROM v)", ["name"]),
            ("SELECT (SELECT max(name) FROM v) FROM v",
             ['(SELECT max("name") FROM v)']),
            ('SELECT EXISTS (FROM "größe v"), (SELECT min(x.a) FROM "größe v" x)',
             ['EXISTS(SELECT * FROM "größe v")', '(SELECT min(x.a) FROM "größe v" AS x)']),
            ("FROM v UNION FROM v", ["name", "type"]),
            ("FROM v TABLESAMPLE 100%", ["name", "type"]),
            ("PIVOT v ON type USING count(*) GROUP BY name", ["name", "sink", "source"]),
            ("UNPIVOT v ON name, type INTO NAME k VALUE w", ["k", "w"]),
            ("SELECT name /* v */ FROM v -- v\n", ["name"]),
        ],
    )  # fmt: skip
    def test_it_stands_wherever_a_table_does_under_its_own_headers(
        self, shared: Engine, plain: duckdb.DuckDBPyConnection, sql: str, headers: list[str]
    ) -> None:
        found = ask(shared, sql)
        expected = plain.sql(sql).to_arrow_table()
        assert found.column_names == expected.column_names == headers
        assert sorted(map(str, found.to_pylist())) == sorted(map(str, expected.to_pylist()))

    def test_summarize_and_describe_are_those_of_its_rows(self, shared: Engine) -> None:
        assert [row[0] for row in rows(shared, "SUMMARIZE v")] == ["name", "type"]
        assert [row[0] for row in rows(shared, "DESCRIBE v")] == ["name", "type"]
        assert [row[0] for row in rows(shared, "DESCRIBE SELECT type FROM v")] == ["type"]
        assert [row[0] for row in rows(shared, "SHOW v")] == ["name", "type"]

    def test_two_mentions_are_one_request(self, shared: Engine, sandbox: DemoServers) -> None:
        ask(shared, "SELECT count(*) FROM v JOIN v AS w USING (name)")
        assert sandbox.count() == 1

    def test_a_cte_of_that_name_stands_before_it(
        self, shared: Engine, sandbox: DemoServers
    ) -> None:
        assert rows(shared, "WITH v AS (SELECT 1 AS a) FROM v") == [(1,)]
        recursive = "WITH RECURSIVE v AS (SELECT 1 AS a UNION ALL SELECT a + 1 FROM v WHERE a < 3)"
        assert rows(shared, f"{recursive} SELECT sum(a) FROM v") == [(6,)]
        assert sandbox.count() == 0
        sql = "SELECT (WITH v AS (SELECT 1 AS a) SELECT a FROM v), count(*) FROM v"
        assert rows(shared, sql) == [(1, 6)]
        sql = "WITH c AS (SELECT count(*) AS n FROM v), v AS (SELECT 9 AS a) FROM c, v"
        assert rows(shared, sql) == [(6, 9)]

    def test_rows_go_into_local_tables_and_files(self, engine: Engine, tmp_path: Path) -> None:
        define_two(engine)
        text = """CREATE TABLE mine AS FROM v; INSERT INTO mine SELECT * FROM v;
            UPDATE mine SET type = 'x' FROM v WHERE v.name = mine.name;
            DELETE FROM mine USING v WHERE v.type = mine.type;
            MERGE INTO mine USING v ON mine.name = v.name WHEN MATCHED THEN DELETE;
            SELECT count(*) FROM mine"""
        assert rows(engine, text) == [(0,)]
        for what in ("v", "v (name)", "(SELECT name FROM v)"):
            target = tmp_path / "out.csv"
            [result] = engine.run(f"COPY {what} TO '{target}'")
            assert result.table.to_pylist() == [{"Count": 6}]
            assert target.read_text().startswith("name")

    def test_a_limited_view_stays_limited(self, engine: Engine) -> None:
        ask(engine, f"CREATE VIEW few AS SELECT name, type FROM {LIVE} ORDER BY name LIMIT 2")
        whole = [name for name, _ in rows(engine, "FROM few")]
        assert len(whole) == 2
        sql = "SELECT name FROM few WHERE name > $1"
        assert rows(engine, sql, [whole[0]]) == [(whole[1],)]

    def test_explain_plans_what_is_inside(self, shared: Engine, sandbox: DemoServers) -> None:
        assert "kafka_connect.connect.connectors" in str(rows(shared, "EXPLAIN FROM v"))
        plan = shared.explain("SELECT name FROM v")
        assert plan is not None
        assert sandbox.count() == 0


class TestViewsOverViews:
    def test_each_layer_is_written_out(self, engine: Engine, sandbox: DemoServers) -> None:
        text = f"""CREATE VIEW a AS SELECT name, type, connector_name FROM {STATUS};
            CREATE VIEW b(n, t, c) AS FROM a; CREATE TEMP VIEW c AS SELECT n, c AS p FROM b;
            SELECT n FROM c WHERE p = '{ONE}'"""
        assert rows(engine, text) == [(ONE,)]
        assert sandbox.count() == 1

    def test_one_that_was_plain_reads_what_its_source_has_become(self, engine: Engine) -> None:
        text = f"""CREATE VIEW low AS SELECT 'x' AS name; CREATE VIEW high AS FROM low;
            CREATE OR REPLACE VIEW low AS SELECT name FROM {LIVE}; SELECT count(*) FROM high"""
        assert rows(engine, text) == [(6,)]
        assert rows(engine, "CREATE OR REPLACE VIEW low AS SELECT 'x' AS name; FROM high") == [
            ("x",)
        ]

    def test_local_names_inside_are_those_of_the_views_schema(self, engine: Engine) -> None:
        text = f"""CREATE TABLE t AS SELECT '{ONE}' AS name; CREATE SCHEMA other;
            CREATE TABLE other.t AS SELECT 'nobody' AS name;
            CREATE VIEW v AS SELECT name FROM {LIVE} JOIN t USING (name);
            CREATE VIEW other.w AS SELECT * FROM {LIVE} JOIN t USING (name)"""
        ask(engine, text)
        assert rows(engine, "FROM v") == [(ONE,)]
        assert rows(engine, "WITH t AS (SELECT 'nobody' AS name) SELECT v.name FROM v, t") == [
            (ONE,)
        ]
        assert rows(engine, "USE other; FROM memory.main.v") == [(ONE,)]
        assert rows(engine, "FROM w") == []
        assert rows(engine, "USE memory.main; SELECT v.name FROM v, other.t") == [(ONE,)]


class TestNeverStale:
    @pytest.fixture(autouse=True)
    def _defined(self, engine: Engine) -> None:
        ask(engine, f"CREATE VIEW v AS SELECT name FROM {LIVE}")

    def test_a_dropped_view_is_gone(self, engine: Engine) -> None:
        with pytest.raises(BindError, match="v does not exist"):
            ask(engine, "DROP VIEW v; FROM v")

    @pytest.mark.parametrize("kind", ["OR REPLACE VIEW v AS", "TEMP TABLE v AS", "TEMP VIEW v AS"])
    def test_what_took_its_name_counts(self, engine: Engine, kind: str) -> None:
        assert rows(engine, f"CREATE {kind} SELECT 1 AS a; FROM v") == [(1,)]

    def test_a_table_may_take_its_place(self, engine: Engine) -> None:
        assert rows(engine, "DROP VIEW v; CREATE TABLE v AS SELECT 1 AS a; FROM v") == [(1,)]

    def test_a_new_name_is_followed(self, engine: Engine) -> None:
        text = 'ALTER VIEW v RENAME TO "new é"; SELECT count(*) FROM "new é"'
        assert rows(engine, text) == [(6,)]
        with pytest.raises(BindError, match="v does not exist"):
            ask(engine, "FROM v")

    def test_a_transaction_takes_back_what_it_defined(self, engine: Engine) -> None:
        text = f"""BEGIN; CREATE OR REPLACE VIEW v AS SELECT type FROM {LIVE};
            CREATE VIEW w AS FROM v; ROLLBACK; FROM v"""
        assert ask(engine, text).column_names == ["name"]
        with pytest.raises(BindError, match="w does not exist"):
            ask(engine, "FROM w")

    def test_a_comment_changes_nothing(self, engine: Engine) -> None:
        assert len(rows(engine, "COMMENT ON VIEW v IS 'mine'; FROM v")) == 6

    def test_another_schema_has_its_own(self, engine: Engine) -> None:
        text = "CREATE SCHEMA other; CREATE VIEW other.v AS SELECT 1 AS a; SET schema = 'other'"
        ask(engine, text)
        assert rows(engine, "FROM v") == [(1,)]
        assert len(rows(engine, "FROM main.v")) == 6
        assert rows(engine, "SET schema = 'main'; FROM other.v") == [(1,)]
        assert len(rows(engine, "FROM v")) == 6

    def test_a_definition_within_a_transaction_that_has_written_works(self, engine: Engine) -> None:
        text = f"""BEGIN; CREATE TABLE t AS SELECT 1 AS a; CREATE VIEW w AS SELECT name FROM {LIVE};
            COMMIT; SELECT count(*) FROM w, t"""
        assert rows(engine, text) == [(6,)]


class TestElsewhere:
    def test_the_first_definition_of_a_session_may_be_in_a_transaction(
        self, engine: Engine
    ) -> None:
        text = f"""BEGIN; CREATE TABLE t AS SELECT 1 AS a; CREATE VIEW v AS SELECT name FROM {LIVE};
            COMMIT; SELECT count(*) FROM v, t"""
        assert rows(engine, text) == [(6,)]

    def test_other_databases_and_schemas_hold_views_too(self, engine: Engine) -> None:
        text = f"""ATTACH ':memory:' AS far; CREATE VIEW far.main.v AS SELECT name FROM {LIVE};
            CREATE SCHEMA sc; CREATE VIEW sc.w AS FROM far.v; SELECT count(*) FROM sc.w, far.v"""
        assert rows(engine, text) == [(36,)]
        with pytest.raises(BindError, match="does not exist"):
            ask(engine, "DROP SCHEMA sc CASCADE; FROM sc.w")
        with pytest.raises(BindError, match="does not exist"):
            ask(engine, "DETACH far; FROM far.v")

    def test_a_name_may_hold_quotes(self, engine: Engine) -> None:
        text = f"""CREATE VIEW "a""b c" AS SELECT name FROM {LIVE};
            SELECT count("a""b c".name) FROM "a""b c" """
        assert rows(engine, text) == [(6,)]

    def test_a_definition_has_no_plan(self, engine: Engine, sandbox: DemoServers) -> None:
        assert engine.explain(f"CREATE VIEW v AS FROM {LIVE}") is None
        assert rows(engine, "SELECT count(*) FROM duckdb_views() WHERE view_name = 'v'") == [(0,)]
        assert sandbox.count() == 0
