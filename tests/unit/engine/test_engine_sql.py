"""Everything DuckDB can do works over live tables, on the text as the user wrote it."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from connstat_sql.demo import DemoServers
from connstat_sql.engine import Engine
from tests.conftest import narrow_engine_of

LIVE = "plant_a.connect.connectors"
STATUS = "plant_a.connect.connector_status"


@pytest.fixture(scope="module")
def engine(sandbox: DemoServers) -> Iterator[Engine]:
    """For statements that leave nothing behind."""
    with narrow_engine_of(sandbox.connections) as opened:
        rows(opened, f"SELECT config FROM {LIVE}")  # asks about each plugin, once
        yield opened


@pytest.fixture
def fresh(sandbox: DemoServers) -> Iterator[Engine]:
    with narrow_engine_of(sandbox.connections) as opened:
        yield opened


def ask(engine: Engine, sql: str, arguments: Any = None) -> pa.Table:
    """The rows of the last statement of a text."""
    return [*engine.run(sql, arguments)][-1].table


def rows(engine: Engine, sql: str, arguments: Any = None) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in ask(engine, sql, arguments).to_pylist()]


def names(sandbox: DemoServers, cluster: int = 0) -> list[str]:
    return sorted(one.name for one in sandbox.world.kafka_connect[cluster].connectors)


class TestHeaders:
    @pytest.mark.parametrize(
        ("select", "headers"),
        [
            ("name", ["name"]),
            ("NAME", ["name"]),
            ("upper(name), count(*)", ['upper("name")', "count_star()"]),
            ("connector.state", ["state"]),
            ("connectors.name", ["name"]),
            ("plant_a.connect.connectors.name", ["name"]),
            ('name AS "größe 😀"', ["größe 😀"]),
            ("config['connector.class']", ["config['connector.class']"]),
            ("1 AS a, 2 AS a", ["a", "a"]),
        ],
    )
    def test_they_are_those_of_duckdb(
        self, engine: Engine, select: str, headers: list[str]
    ) -> None:
        grouped = " GROUP BY ALL" if "count" in select else ""
        assert ask(engine, f"SELECT {select} FROM {LIVE}{grouped}").column_names == headers

    @pytest.mark.parametrize(
        ("sql", "header"),
        [
            (f"SELECT (SELECT count(*) FROM {LIVE})", f"(SELECT count_star() FROM {LIVE})"),
            (f"SELECT (SELECT max(c.name) FROM {LIVE} c)", f"FROM {LIVE} AS c)"),
            (f"SELECT EXISTS (FROM {LIVE})", f"EXISTS(SELECT * FROM {LIVE})"),
        ],
    )
    def test_a_subquery_names_the_live_table(self, engine: Engine, sql: str, header: str) -> None:
        table = ask(engine, sql)
        [given] = table.column_names
        assert b"duckdb_types" in table.schema.metadata
        assert given.endswith(header)
        assert "_connstat" not in given

    def test_star_gives_the_columns_then_the_parameters(self, engine: Engine) -> None:
        declared = ["name", "type", "connector", "tasks", "connector_name"]
        assert ask(engine, f"FROM {STATUS}").column_names == declared


class TestStatements:
    @pytest.mark.parametrize(
        ("sql", "count"),
        [
            ("FROM {t}", 6),
            ("FROM {t} SELECT name LIMIT 2", 2),
            ("SELECT * EXCLUDE (tasks) REPLACE (upper(name) AS name) FROM {t}", 6),
            ("SELECT COLUMNS('na.*') FROM {t}", 6),
            ("SUMMARIZE {t}", 7),
            ("SUMMARIZE SELECT name FROM {t}", 1),
            ("PIVOT {t} ON type USING count(*) GROUP BY name", 6),
            ("PIVOT (SELECT type, connector.state AS s FROM {t}) ON s USING count(*)", 2),
            ("UNPIVOT (SELECT name, type FROM {t}) ON name, type INTO NAME k VALUE v", 12),
            ("SELECT name FROM {t} USING SAMPLE 2 ROWS", 2),
            ("SELECT name FROM {t} TABLESAMPLE RESERVOIR(3)", 3),
            ("WITH x AS (FROM {t}) SELECT name FROM x UNION ALL SELECT name FROM x", 12),
            ("WITH x AS MATERIALIZED (FROM {t}) SELECT count(*) FROM x", 1),
            ("SELECT name FROM {t} INTERSECT SELECT name FROM {t}", 6),
            ("SELECT name FROM {t} EXCEPT SELECT name FROM {t}", 0),
            ("SELECT c.name, u.t.id FROM {t} c, LATERAL (SELECT unnest(c.tasks) AS t) u", 7),
            ("SELECT name, unnest(tasks) FROM {t}", 7),
            ("SELECT name, unnest(tasks, recursive := true) FROM {t}", 7),
            ("SELECT a.name FROM {t} a JOIN {t} b USING (connector_name)", 6),
            ("FROM (VALUES ('a')) v(name) ANTI JOIN {t} USING (name)", 1),
            ("SELECT * FROM {t} POSITIONAL JOIN range(3)", 6),
            ("SELECT DISTINCT ON (type) name FROM {t}", 2),
            ("SELECT name FROM {t} QUALIFY row_number() OVER (ORDER BY name) = 1", 1),
            ("WITH RECURSIVE r AS (SELECT 1 i UNION ALL SELECT i + 1 FROM r WHERE i < 3) "
             "SELECT i, name FROM r, {t}", 18),
            ("SELECT type, count(*) FROM {t} GROUP BY ROLLUP (type)", 3),
            ("SELECT (SELECT count(*) FROM {t})", 1),
            ("VALUES ((SELECT count(*) FROM {t}))", 1),
            ("SELECT name FROM {t} WHERE name IN (SELECT name FROM {t})", 6),
            ('SELECT "name" FROM "plant_a"."connect"."connectors"', 6),
            ("SELECT name FROM PLANT_A.Connect.CONNECTORS", 6),
            ("SELECT c FROM {t} c", 6),
        ],
    )  # fmt: skip
    def test_every_form_of_query_answers_over_one_request(
        self, engine: Engine, sandbox: DemoServers, sql: str, count: int
    ) -> None:
        assert ask(engine, sql.format(t=LIVE)).num_rows == count
        assert sandbox.count() <= 2  # the rows, and the names of those that have no status

    def test_nested_values_are_reached_by_their_names(self, engine: Engine) -> None:
        sql = f"""SELECT connector.state, list_filter(tasks, lambda t: t.state = 'FAILED')[1].id,
            config['database.port'], map_keys(config)[1]
            FROM {LIVE} WHERE connector_name = 'pricing-mysql-source'"""
        assert rows(engine, sql) == [("RUNNING", 1, "3306", "connector.class")]

    def test_comments_and_text_that_is_not_ascii_survive(self, engine: Engine) -> None:
        sql = f"""-- ünïcode 😀 before {LIVE}
            SELECT 'ß😀' AS "é", /* {LIVE} */ name FROM {LIVE} -- behind
            WHERE name <> 'ñ' AND name LIKE '%é%'"""
        assert rows(engine, sql) == [("ß😀", "weird/na me#é?")]

    def test_describe_of_a_table_and_of_a_query_send_nothing(
        self, engine: Engine, sandbox: DemoServers
    ) -> None:
        columns = [row[0] for row in rows(engine, f"DESCRIBE {STATUS}")]
        assert columns == ["name", "type", "connector", "tasks", "connector_name"]
        sql = f"DESCRIBE SELECT connector.state AS s, tasks[1].id AS i FROM {STATUS}"
        assert [row[:2] for row in rows(engine, sql)] == [("s", "VARCHAR"), ("i", "INTEGER")]
        assert sandbox.count() == 0

    def test_arguments_go_by_name_and_by_place(self, engine: Engine, sandbox: DemoServers) -> None:
        sql = f"SELECT name FROM {STATUS} WHERE connector_name = "
        expected = [("pricing-mysql-source",)]
        assert rows(engine, f"{sql}$n", {"n": "pricing-mysql-source"}) == expected
        assert rows(engine, f"{sql}$1", ["pricing-mysql-source"]) == expected
        assert {one.path for one in sandbox.requests} == {"/connectors/pricing-mysql-source/status"}

    def test_question_marks_take_arguments_in_order(self, engine: Engine) -> None:
        sql = f"SELECT name FROM {STATUS} WHERE type = ? AND connector_name = ?"
        assert rows(engine, sql, ["source", "pricing-mysql-source"]) == [("pricing-mysql-source",)]
        assert rows(engine, sql, ["sink", "pricing-mysql-source"]) == []

    def test_each_statement_takes_the_arguments_that_it_names(self, engine: Engine) -> None:
        text = f"SELECT $a; SELECT $b, count(*) FROM {STATUS} WHERE name <> $a; SELECT 3"
        answers = [one.table.to_pylist() for one in engine.run(text, {"a": "1", "b": "x", "c": 9})]
        assert [len(answer) for answer in answers] == [1, 1, 1]

    def test_a_variable_of_duckdb_is_a_constant(self, fresh: Engine, sandbox: DemoServers) -> None:
        text = f"""SET VARIABLE wanted = 'pricing-mysql-source';
            SELECT name FROM {STATUS} WHERE connector_name = getvariable('wanted')"""
        assert rows(fresh, text) == [("pricing-mysql-source",)]
        assert sandbox.requests[0].path == "/connectors/pricing-mysql-source/status"


class TestTypes:
    def test_times_are_timestamptz_and_money_is_decimal(self, engine: Engine) -> None:
        sql = """SELECT typeof(amount), amount, typeof(start_date) FROM confluent.billing.costs
            WHERE start_date = '2026-10-01' AND end_date = '2026-11-01' LIMIT 1"""
        [(money, amount, _)] = rows(engine, sql)
        assert money.startswith("DECIMAL(")
        assert isinstance(amount, Decimal)
        sql = "SELECT metadata.created_at FROM confluent.org.environments LIMIT 1"
        [(created,)] = rows(engine, sql)
        assert isinstance(created, datetime.datetime)
        assert created.tzinfo is not None

    def test_hidden_columns_exist_when_named_and_in_no_star(self, engine: Engine) -> None:
        spanning = "kafka_connect.connect.connector_status"
        [row] = ask(engine, f"SELECT *, _connection FROM {spanning} LIMIT 1").to_pylist()
        assert list(row)[-1] == "_connection"
        assert "_url" not in row
        sql = f"SELECT DISTINCT _connection, _url, typeof(_observed_at) FROM {spanning}"
        found = rows(engine, f"{sql} WHERE connector.state != '' ORDER BY 1")
        assert [row[0] for row in found] == ["plant_a", "plant_b"]
        assert all(url.endswith("/connectors?expand=status") for _, url, _ in found)
        assert {of for _, _, of in found} == {"TIMESTAMP WITH TIME ZONE"}
        one = f"SELECT count(*) FROM {spanning} WHERE _connection = 'plant_b'"
        assert rows(engine, one) == [(6,)]


class TestLocalTables:
    def test_live_rows_are_copied_into_local_tables(self, fresh: Engine) -> None:
        text = f"""CREATE TEMP TABLE mine AS SELECT name FROM {LIVE};
            INSERT INTO mine SELECT name FROM plant_b.connect.connectors;
            CREATE OR REPLACE TABLE other AS FROM mine;
            UPDATE other SET name = 'gone' WHERE name IN (SELECT name FROM {LIVE});
            DELETE FROM other WHERE name IN (SELECT name FROM plant_b.connect.connectors);
            SELECT count(*), count(DISTINCT name) FROM other"""
        assert rows(fresh, text) == [(6, 1)]
        assert rows(fresh, "SELECT count(*) FROM mine") == [(12,)]

    def test_files_and_local_tables_join_live_ones(self, fresh: Engine, tmp_path: Path) -> None:
        owners = tmp_path / "owners.csv"
        owners.write_text("connector,owner\npricing-mysql-source,ada\nnobody,bob\n")
        teams = tmp_path / "teams.parquet"
        pq.write_table(pa.table({"owner": ["ada"], "team": ["t1"]}), teams)
        text = f"""CREATE TABLE floors AS SELECT 't1' AS team, 3 AS floor;
            SELECT c.name, floor FROM '{owners}' o JOIN {LIVE} c ON c.name = o.connector
            JOIN read_parquet('{teams}') USING (owner) JOIN floors USING (team)"""
        assert rows(fresh, text) == [("pricing-mysql-source", 3)]

    @pytest.mark.parametrize("form", ["csv", "parquet", "json"])
    def test_copy_writes_files(
        self, engine: Engine, sandbox: DemoServers, tmp_path: Path, form: str
    ) -> None:
        target = tmp_path / f"out.{form}"
        text = f"COPY (SELECT name, type FROM {LIVE} ORDER BY name) TO '{target}'"
        [result] = engine.run(text)
        assert (result.table.to_pylist(), result.has_rows) == ([{"Count": 6}], False)
        if form == "parquet":
            written = pq.read_table(target).column("name").to_pylist()
        elif form == "json":
            written = [json.loads(line)["name"] for line in target.read_text().splitlines()]
        else:
            header, *lines = target.read_text().splitlines()
            assert header == "name,type"
            written = [line.split(",")[0].strip(chr(34)) for line in lines]
        assert written == names(sandbox)

    def test_a_live_table_itself_is_copied(self, engine: Engine, tmp_path: Path) -> None:
        target = tmp_path / "all.parquet"
        ask(engine, f"COPY {LIVE} TO '{target}'")
        assert pq.read_table(target).num_rows == 6

    @pytest.mark.parametrize(
        "sql",
        [
            "SELECT 42",
            "VALUES (1), (2)",
            "CREATE TABLE t (a INT)",
            "SET threads = 2",
            "PRAGMA version",
            "EXPLAIN SELECT 1",
            "EXPLAIN ANALYZE SELECT 1",
            "ATTACH ':memory:' AS elsewhere",
            "CREATE MACRO twice(x) AS 2 * x",
            "CHECKPOINT",
            "FROM range(3)",
            "PREPARE p AS SELECT 1",
        ],
    )
    def test_statements_without_live_tables_are_duckdbs_own(
        self, fresh: Engine, sandbox: DemoServers, sql: str
    ) -> None:
        ask(fresh, sql)
        assert sandbox.count() == 0


class TestTransactions:
    def test_live_queries_run_inside_one(self, fresh: Engine) -> None:
        text = f"""BEGIN; CREATE TABLE mine AS SELECT name FROM {LIVE}; ROLLBACK;
            BEGIN TRANSACTION; CREATE TABLE kept AS SELECT name FROM {LIVE}; COMMIT;
            SELECT count(*) FROM kept"""
        assert rows(fresh, text) == [(6,)]
        assert rows(fresh, "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'mine'") == [
            (0,)
        ]


class TestCatalog:
    def test_duckdb_lists_the_live_tables(self, engine: Engine, sandbox: DemoServers) -> None:
        listed = rows(engine, "SELECT database, name FROM (SHOW ALL TABLES)")
        assert ("kafka_connect", "connector_status") in listed
        sql = """SELECT data_type FROM information_schema.columns WHERE table_catalog = 'confluent'
            AND table_schema = 'billing' AND table_name = 'costs' AND column_name = 'amount'"""
        assert rows(engine, sql)[0][0].startswith("DECIMAL")
        sql = """SELECT comment FROM duckdb_columns() WHERE database_name = 'kafka_connect'
            AND table_name = 'worker' AND column_name = 'version'"""
        assert rows(engine, sql) == [("Version of Kafka Connect",)]
        assert sandbox.count() == 0

    def test_use_leads_into_a_provider(self, fresh: Engine, sandbox: DemoServers) -> None:
        text = "USE confluent.connect; SELECT current_schema(); USE memory; SELECT 1"
        assert rows(fresh, text) == [(1,)]
        assert sandbox.count() == 0


class TestSettingsOfAllConnectors:
    """One `expand` answer holds the settings of every connector, one row a setting."""

    def test_they_take_one_request_and_reach_every_name(
        self, engine: Engine, sandbox: DemoServers
    ) -> None:
        sql = (
            "SELECT connector_name, map_from_entries(list((key, value))) AS config "
            "FROM plant_a.connect.connector_config GROUP BY ALL"
        )
        *_, result = engine.run(sql)
        found = {name: dict(config) for name, config in result.fetchall()}
        connectors = sandbox.world.kafka_connect[0].connectors
        assert set(found) == {one.name for one in connectors}
        assert all(set(found[one.name]) == set(one.config) for one in connectors)
        assert result.requests == 1

    def test_a_name_that_no_path_can_hold_is_found_in_the_list(self, engine: Engine) -> None:
        sql = "SELECT count(*) FROM plant_a.connect.connector_config WHERE connector_name = $name"
        *_, result = engine.run(sql, {"name": "weird/na me#é?"})
        assert result.fetchall()[0][0] > 0
        assert result.requests == 1
