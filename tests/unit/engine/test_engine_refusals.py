"""What is wrong is said before the first request, at its place, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connstat_sql.demo import DemoServers, Fault
from connstat_sql.engine import Engine
from connstat_sql.errors import (
    BindError,
    ConfigError,
    ConnectionFailed,
    ConnstatError,
    ExecuteError,
    ParseError,
    QueryError,
    Status,
)
from connstat_sql.result import Options
from tests.chaos import chaos_of
from tests.conftest import engine_of, narrow_engine_of
from tests.examples import examples

LIVE = "plant_a.connect.connectors"


@pytest.fixture(scope="module")
def shared(sandbox: DemoServers) -> Iterator[Engine]:
    """An engine for statements that leave nothing behind."""
    with engine_of({**sandbox.connections, "chaos": chaos_of(sandbox)}) as opened:
        yield opened


@pytest.fixture
def engine(sandbox: DemoServers) -> Iterator[Engine]:
    with narrow_engine_of(sandbox.connections) as opened:
        yield opened


def fails(engine: Engine, sql: str, arguments: Any = None, **options: Any) -> ConnstatError:
    with pytest.raises(ConnstatError) as caught:
        list(engine.run(sql, arguments, Options(**options)))
    return caught.value


def query_error(engine: Engine, sql: str, arguments: Any = None) -> QueryError:
    error = fails(engine, sql, arguments)
    assert isinstance(error, QueryError)
    assert "_connstat_" not in f"{error.message} {error.hint} {error.sql}"
    return error


def pointed(error: QueryError) -> str:
    """The words that the error points at."""
    assert error.span is not None
    return error.sql[error.span.start : error.span.end]


def left_behind(engine: Engine) -> list[Any]:
    """Our own tables and views that a user sees."""
    sql = """SELECT table_name FROM duckdb_tables() UNION ALL
        SELECT view_name FROM duckdb_views() WHERE NOT internal"""
    found = next(iter(engine.run(sql))).table.to_pylist()
    return [row["table_name"] for row in found if row["table_name"].startswith("_connstat")]


class TestNumbersOfRows:
    @pytest.mark.parametrize(
        ("sql", "arguments", "words"),
        [
            ("FROM {t} LIMIT CAST('x' AS INTEGER)", None, "'x'"),
            ("FROM {t} OFFSET CAST('x' AS INTEGER)", None, "'x'"),
            ("SELECT count(*) FROM (FROM {t} LIMIT 1 + CAST('x' AS INTEGER))", None, "'x'"),
            (
                "FROM {t} WHERE name IN (SELECT name FROM {t} LIMIT CAST('x' AS INTEGER))",
                None,
                "'x'",
            ),
            ("FROM {t} LIMIT $n", {"n": "x"}, None),
            ("FROM {t} LIMIT -(3)", None, None),
        ],
    )
    def test_one_that_is_none_is_refused_before_the_first_request(
        self, shared: Engine, sandbox: DemoServers, sql: str, arguments: Any, words: str | None
    ) -> None:
        sandbox.reset()
        error = query_error(shared, sql.format(t=LIVE), arguments)
        assert sandbox.count() == 0
        assert error.requests_sent == 0
        assert words is None or pointed(error) in ("1 + CAST('x'", "CAST", words)

    def test_a_name_alone_in_parentheses_is_read_as_duckdb_reads_it(self, shared: Engine) -> None:
        sql = f"SELECT count(*) FROM ({LIVE})"
        try:
            shared.session.duckdb.execute("SELECT count(*) FROM (duckdb_settings())")
        except duckdb.ParserException:
            assert isinstance(query_error(shared, sql), ParseError)
        else:
            assert len(next(iter(shared.run(sql))).table) == 1


class TestWriting:
    @pytest.mark.parametrize(
        "sql",
        [
            "INSERT INTO {t} SELECT 1",
            "INSERT INTO {t} (name) VALUES ('x')",
            "UPDATE {t} SET name = 'x'",
            "DELETE FROM {t}",
            "DROP TABLE {t}",
            "TRUNCATE {t}",
            "TRUNCATE TABLE {t}",
            "/* c */ -- d\n TRUNCATE {t}",
            "DROP VIEW IF EXISTS {t}",
            "ALTER TABLE {t} ADD COLUMN x INT",
            "CREATE TABLE {t} (a INT)",
            "CREATE OR REPLACE TABLE {t} AS SELECT 1",
            "CREATE VIEW {t} AS SELECT 1",
            "COMMENT ON TABLE {t} IS 'x'",
            "MERGE INTO {t} USING (SELECT 1 AS a) AS s ON false WHEN MATCHED THEN DELETE",
            "COPY {t} FROM 'x.csv'",
            "CREATE INDEX i ON {t} (name)",
            "PREPARE p AS FROM {t}",
        ],
    )
    def test_it_is_refused_at_the_name_with_nothing_sent(
        self, shared: Engine, sandbox: DemoServers, sql: str
    ) -> None:
        sandbox.reset()
        text = f"/* é😀 */ {sql.format(t=LIVE)}"
        error = query_error(shared, text)
        assert isinstance(error, (BindError, ParseError))
        assert pointed(error) == LIVE
        assert error.hint
        assert sandbox.count() == 0


class TestOtherWays:
    """What reaches a live table without mentioning its name must never look empty."""

    @pytest.mark.parametrize(
        "sql",
        [
            "FROM query_table('confluent.connect.connectors')",
            "FROM query('FROM confluent.connect.connectors')",
            "CREATE MACRO m(t) AS TABLE FROM query_table(t); "
            "FROM m('confluent.connect.connectors')",
            "FROM query_table('plant_a.connect.connectors')",
        ],
    )
    def test_it_is_an_error_that_says_what_to_do(
        self, engine: Engine, sandbox: DemoServers, sql: str
    ) -> None:
        error = query_error(engine, sql)
        assert isinstance(error, ExecuteError)
        name = "plant_a" if "plant_a" in sql else "confluent"
        assert f"{name}.connect.connectors is live" in error.message
        assert f"FROM {name}.connect.connectors WHERE" in error.hint
        assert sandbox.count() == 0

    def test_a_name_that_duckdb_does_not_know_is_an_error_too(self, engine: Engine) -> None:
        assert isinstance(query_error(engine, "FROM connect.connectors"), BindError)


class TestPlaces:
    @pytest.mark.parametrize(
        ("sql", "word"),
        [
            ("SELECT nam FROM {t}", "nam"),
            ("SELECT 'ä€😀', nam FROM {t}", "nam"),
            ("SELECT * FROM {t} WHERE naem = 'ö'", "naem"),
            ("SELECT * FROM {t} a JOIN plant_b.connect.connectors b USING (name) "
             "WHERE 'ß' <> b.naem", "b.naem"),
            ("SELECT 'é', (SELECT nam FROM {t}) FROM {t} x", "nam"),
            ("SELECT x.nam FROM {t} x", "x.nam"),
            ("SELECT nosuch.name FROM {t}", "nosuch.name"),
            ("FROM {t} SELECT count(*) GROUP BY nosuch", "nosuch"),
            ("SELECT connector.stat FROM {t}", "stat"),
            ("SELECT tasks[1].stat FROM {t}", "stat"),
            ("SELECT * EXCLUDE (nosuch) FROM {t}", "nosuch"),
            ("PIVOT {t} ON nosuch USING count(*)", "nosuch"),
            ("UNPIVOT {t} ON nosuch INTO NAME k VALUE v", "nosuch"),
            ("COPY {t} (nosuch) TO 'never.csv'", "nosuch"),
            ("SELECT * FROM {t} JOIN plant_b.connect.connectors b USING (nosuch)", "nosuch"),
            ("SELECT * FROM {t}, nosuch n", "nosuch"),
            ("SELECT sum(name) FROM {t}", "sum"),
            ("SELECT sqrt(name) FROM {t}", "sqrt"),
            ("SELECT nofunction(name) FROM {t}", "nofunction"),
            ("SELECT name FROM {t} WHERE connector_name = $gone", "$gone"),
            ("SELECT name, count(*) FROM {t}", "name"),
            ("SELECT name AS é FROM {t} ORDER BY nosuch", "nosuch"),
        ],
    )  # fmt: skip
    def test_a_fault_is_found_before_any_request_and_pointed_at(
        self, shared: Engine, sandbox: DemoServers, sql: str, word: str
    ) -> None:
        sandbox.reset()
        error = query_error(shared, sql.format(t=LIVE))
        assert isinstance(error, BindError)
        assert pointed(error) == word
        assert error.requests_sent == sandbox.count() == 0

    @pytest.mark.parametrize("sql", ["SELEC 1", "SELECT name FROM {t} WHERE", "FROM {t} WHERE )"])
    def test_what_is_no_sql_is_a_parse_error(
        self, shared: Engine, sandbox: DemoServers, sql: str
    ) -> None:
        sandbox.reset()
        assert isinstance(query_error(shared, sql.format(t=LIVE)), ParseError)
        assert sandbox.count() == 0

    @pytest.mark.parametrize(
        ("name", "said"),
        [
            ("plant_a.connect.conector_status", "no table conector_status"),
            ("plant_a.conect.connectors", "no service conect"),
        ],
    )
    def test_a_table_that_does_not_exist_comes_with_candidates(
        self, shared: Engine, name: str, said: str
    ) -> None:
        error = query_error(shared, f"SELECT 'ü' FROM {name}")
        assert said in error.message
        assert pointed(error) == name
        assert "connect" in error.hint

    def test_a_long_list_of_candidates_is_cut(self, shared: Engine) -> None:
        error = query_error(shared, f"SELECT name + 1 FROM {LIVE}")
        assert len(error.message.splitlines()) < 15

    def test_a_missing_argument_comes_with_the_way_to_give_it(self, shared: Engine) -> None:
        error = query_error(shared, f"FROM {LIVE} WHERE name = $who")
        assert "-p who=VALUE" in error.hint

    @settings(max_examples=examples(30), deadline=None,
              suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
    @given(
        before=st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=12),
        mentions=st.integers(0, 3),
        space=st.sampled_from([" ", "\n", "\t ", " /* é */ ", " -- ü\n"]),
    )
    def test_the_place_is_right_behind_any_text_and_any_names(
        self, shared: Engine, before: str, mentions: int, space: str
    ) -> None:
        quoted = before.replace("'", "''")
        joined = "".join(f"(SELECT count(*) FROM {LIVE} AS t{i}),{space}" for i in range(mentions))
        sql = f"SELECT '{quoted}',{space}{joined}nosuch_word{space}FROM{space}{LIVE}"
        assert pointed(query_error(shared, sql)) == "nosuch_word"


class TestSeveralStatements:
    @pytest.mark.parametrize(
        "second",
        [
            f"SELECT nam FROM {LIVE}",
            "SELECT nam FROM (SELECT 1 AS a)",
            "FROM plant_a.connect.nosuch",
            "SELEC 1",
            f"DROP TABLE {LIVE}",
            "SELECT $missing",
        ],
    )
    def test_a_wrong_one_stops_the_first_from_sending(
        self, engine: Engine, sandbox: DemoServers, second: str
    ) -> None:
        assert query_error(engine, f"FROM {LIVE}; {second}").requests_sent == 0
        assert sandbox.count() == 0

    def test_one_that_builds_on_an_earlier_one_is_not_refused(self, engine: Engine) -> None:
        text = f"CREATE TABLE t AS SELECT name FROM {LIVE}; SELECT count(*) FROM t"
        assert [*engine.run(text)][-1].table.to_pylist() == [{"count_star()": 6}]


class TestLeavingNothing:
    def test_after_success(self, engine: Engine) -> None:
        list(engine.run(f"FROM {LIVE}; DESCRIBE SELECT name FROM {LIVE}; EXPLAIN FROM {LIVE}"))
        assert left_behind(engine) == []

    @pytest.mark.parametrize(
        "sql",
        [
            f"SELECT nam FROM {LIVE}",
            f"SELECT CAST(name AS INT) FROM {LIVE}",
            f"BEGIN; SELECT nam FROM {LIVE}",
            f"BEGIN; SELECT CAST(name AS INT) FROM {LIVE}",
            f"SELECT error('mine') FROM {LIVE}",
        ],
    )
    def test_after_an_error_of_the_query(self, engine: Engine, sql: str) -> None:
        assert isinstance(fails(engine, sql), QueryError)
        if "BEGIN" in sql:
            list(engine.run("ROLLBACK"))
        assert left_behind(engine) == []
        assert next(iter(engine.run("SELECT 1 AS a"))).table.to_pylist() == [{"a": 1}]

    def test_after_an_error_of_an_api(self, engine: Engine, sandbox: DemoServers) -> None:
        sandbox.inject(Fault(api="plant_b", status=404))
        assert isinstance(fails(engine, "FROM kafka_connect.connect.connectors"), Status)
        assert left_behind(engine) == []

    def test_after_an_error_within_a_transaction_it_can_be_rolled_back(
        self, engine: Engine
    ) -> None:
        error = fails(engine, f"BEGIN; SELECT CAST(name AS INT) FROM {LIVE}")
        assert isinstance(error, ExecuteError)
        assert "Could not convert" in error.message
        aborted = fails(engine, "SELECT 1")
        assert "ROLLBACK" in aborted.message
        answer = [*engine.run(f"ROLLBACK; SELECT count(*) AS n FROM {LIVE}")][-1]
        assert answer.table.to_pylist() == [{"n": 6}]


class TestAnswersThatAreNone:
    """What the other side sent is not repeated where it is not an answer."""

    @pytest.mark.parametrize("off", [-1, -40, -400])
    def test_what_stands_behind_a_length_that_is_too_small_is_kept_to_us(
        self, shared: Engine, off: int
    ) -> None:
        sql = f"SELECT * FROM chaos.faults.length WHERE off = {off} AND times = 9"
        self._says_nothing_of_the_body(fails(shared, sql))

    def test_chunks_that_are_none_are_kept_to_us(self, shared: Engine) -> None:
        sql = "SELECT * FROM chaos.faults.chunks WHERE kind = 'garbage' AND times = 9"
        self._says_nothing_of_the_body(fails(shared, sql))

    def test_what_the_wire_says_is_cut(self, sandbox: DemoServers) -> None:
        def cut_off(_: httpx.Request) -> httpx.Response:
            raise httpx.RemoteProtocolError("row " * 5000)

        chaos = {"chaos": chaos_of(sandbox)}
        with engine_of(chaos, transport=httpx.MockTransport(cut_off)) as shared:
            assert len(fails(shared, "FROM chaos.pages.whole").message) < 300

    def _says_nothing_of_the_body(self, error: ConnstatError) -> None:
        assert isinstance(error, ConnectionFailed)
        assert error.message == "chaos did not answer: the answer is not HTTP"
        assert error.attempts > 1

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    @pytest.mark.parametrize(
        "location", ["http://a:b:c/", "http://[", "//:::", "http://a:99999999/"]
    )
    def test_a_redirect_to_what_is_no_url_is_a_status_like_any_other(
        self, shared: Engine, status: int, location: str
    ) -> None:
        sql = f"FROM chaos.faults.redirect WHERE location = '{location}' AND times = 9 "
        error = fails(shared, f"{sql} AND status = {status}")
        assert isinstance(error, Status)
        assert error.status == status
        assert "redirects are not followed" in error.hint


class TestWithoutConnections:
    @pytest.mark.parametrize(
        ("table", "hint"),
        [
            ("aeontel.connectors.connectors",
             "set AEONTEL_API_KEY, or add [connections.NAME] to connstat.toml"),
            ("confluent.org.environments",
             "set CONFLUENT_CLOUD_API_KEY and CONFLUENT_CLOUD_API_SECRET, "
             "or add [connections.NAME] to connstat.toml"),
        ],
    )  # fmt: skip
    def test_what_would_make_one_is_said(self, table: str, hint: str) -> None:
        with engine_of({}) as empty:
            error = fails(empty, f"FROM {table}")
        assert isinstance(error, ConfigError)
        assert error.message == f"{table.partition('.')[0]} has no connection"
        assert error.hint == hint
