"""Faults of views and macros are found before a request and told of what the user wrote."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connstat_sql.demo import DemoServers
from connstat_sql.engine import Engine
from connstat_sql.errors import ConnstatError, ExecuteError, PlanError, QueryError
from tests.conftest import narrow_engine_of
from tests.examples import examples
from tests.unit.sql.test_views import LIVE, ask, rows


@pytest.fixture(scope="module")
def shared(sandbox: DemoServers) -> Iterator[Engine]:
    with narrow_engine_of(sandbox.connections) as opened:
        ask(opened, f"CREATE VIEW v AS SELECT name, type FROM {LIVE}")
        ask(opened, "CREATE VIEW w(a, b) AS FROM v")
        ask(opened, "CREATE VIEW broken AS SELECT CAST(name AS INT) AS n FROM v")
        ask(opened, f"CREATE MACRO m(x, y := 1) AS TABLE SELECT name, y FROM {LIVE} "
            "WHERE name = x")  # fmt: skip
        yield opened


@pytest.fixture
def engine(sandbox: DemoServers) -> Iterator[Engine]:
    with narrow_engine_of(sandbox.connections) as opened:
        yield opened


def fault(engine: Engine, sql: str, arguments: Any = None) -> QueryError:
    with pytest.raises(ConnstatError) as caught:
        list(engine.run(sql, arguments))
    error = caught.value
    assert isinstance(error, QueryError)
    assert error.sql in sql
    assert "_connstat_" not in f"{error.message} {error.hint}"
    return error


def pointed(error: QueryError) -> str:
    assert error.span is not None
    return error.sql[error.span.start : error.span.end]


@pytest.mark.parametrize(
    ("sql", "word"),
    [
        ("SELECT nosuch FROM v", "nosuch"),
        ("SELECT 'é😀', nosuch FROM w, v", "nosuch"),
        ("SELECT v.nosuch FROM main.v WHERE 'é' <> ''", "v.nosuch"),
        ("SELECT (SELECT nosuch FROM v) FROM w", "nosuch"),
        ("FROM v JOIN w ON v.name = w.a AND w.nosuch", "w.nosuch"),
        ("FROM m('x'), v SELECT nosuch", "nosuch"),
        ("FROM m(nofunction('x'))", "m(nofunction('x'))"),
        ("EXPLAIN SELECT nosuch FROM m('x')", "nosuch"),
        ("SELECT sum(name) FROM v", "sum"),
        ("SELECT $gone FROM v", "$gone"),
        ("CREATE TABLE t AS SELECT nosuch FROM v", "nosuch"),
        ("CREATE VIEW bad AS SELECT nam FROM plant_a.connect.connectors", "nam"),
        ("CREATE VIEW bad AS SELECT 'é' AS e, nam FROM kafka_connect.connect.connectors", "nam"),
        ("CREATE VIEW bad AS SELECT name, _connection, nam FROM plant_b.connect.connectors", "nam"),
        ("CREATE VIEW bad AS FROM plant_a.connect.nosuch", "plant_a.connect.nosuch"),
        ("CREATE VIEW bad AS FROM plant_a.connect.nosuch, v", "plant_a.connect.nosuch"),
        ("CREATE VIEW bad AS SELECT nosuch FROM v", "nosuch"),
        ("CREATE VIEW bad AS FROM v JOIN gone USING (name)", "gone"),
        ("CREATE VIEW bad AS SELECT $x, name FROM v", "$x"),
        ("CREATE MACRO bad(x) AS TABLE SELECT nam FROM plant_a.connect.connectors", "nam"),
        ("CREATE VIEW v AS SELECT name FROM plant_a.connect.connectors", "v"),
        ("CREATE VIEW plant_a.connect.mine AS FROM v", "plant_a.connect.mine"),
        ("SELECT name FROM plant_a.connect.connectors; CREATE VIEW bad AS SELECT nam FROM v",
         "nam"),
    ],
)  # fmt: skip
def test_a_fault_is_found_before_any_request_and_pointed_at(
    shared: Engine, sandbox: DemoServers, sql: str, word: str
) -> None:
    sandbox.reset()
    error = fault(shared, sql)
    assert pointed(error) == word
    assert error.requests_sent == sandbox.count() == 0
    assert rows(shared, "SELECT count(*) FROM duckdb_views() WHERE view_name = 'bad'") == [(0,)]


@settings(
    max_examples=examples(40),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    before=st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=8),
    mentions=st.lists(st.sampled_from(["v", "main.w", "m('é')", LIVE]), max_size=3),
    space=st.sampled_from([" ", "\n", " /* v */ ", " -- m('x')\n"]),
)
def test_the_place_is_right_behind_any_text_and_any_mentions(
    shared: Engine, before: str, mentions: list[str], space: str
) -> None:
    quoted = before.replace("'", "''")
    counts = "".join(f"(SELECT count(*) FROM{space}{one} AS t),{space}" for one in mentions)
    sql = f"SELECT '{quoted}',{space}{counts}nosuch_word{space}FROM{space}v"
    assert pointed(fault(shared, sql)) == "nosuch_word"


def test_a_fault_while_rows_are_read_is_of_the_statement(shared: Engine) -> None:
    error = fault(shared, "SELECT sum(n) FROM broken AS é")
    assert isinstance(error, ExecuteError)
    assert "Could not convert" in error.message
    assert error.sql == "SELECT sum(n) FROM broken AS é"


class TestDepth:
    def test_what_is_made_of_itself_is_an_error_with_the_way(
        self, engine: Engine, sandbox: DemoServers
    ) -> None:
        ask(engine, f"CREATE VIEW a AS FROM {LIVE}; CREATE VIEW b AS FROM a")
        ask(engine, "CREATE OR REPLACE VIEW a AS FROM b")
        error = fault(engine, "SELECT 'é', x.* FROM b AS x")
        assert "b → a → b" in error.message
        assert pointed(error) == "b"
        ask(engine, f"CREATE MACRO m(x) AS TABLE FROM {LIVE} WHERE name = x")
        ask(engine, "CREATE OR REPLACE MACRO m(x) AS TABLE FROM m(x)")
        assert "m → m" in fault(engine, "FROM m('a')").message
        assert sandbox.count() == 0

    def test_more_than_fifty_layers_are_refused(self, engine: Engine, sandbox: DemoServers) -> None:
        layers = [f"CREATE VIEW v0 AS SELECT name FROM {LIVE}"]
        layers += [f"CREATE VIEW v{i} AS FROM v{i - 1}" for i in range(1, 51)]
        ask(engine, ";".join(layers))
        assert rows(engine, "SELECT count(*) FROM v20") == [(6,)]
        sandbox.reset()
        error = fault(engine, "SELECT 'é' FROM v50 AS v")
        assert isinstance(error, PlanError)
        assert "more than 50 deep" in error.message
        assert pointed(error) == "v50"
        assert sandbox.count() == 0

    def test_what_grows_without_measure_is_refused(self, engine: Engine) -> None:
        layers = [f"CREATE VIEW v0 AS SELECT name FROM {LIVE} WHERE name <> '{'x' * 5000}'"]
        joined = "CREATE VIEW v{0} AS SELECT a.name FROM v{1} AS a JOIN v{1} AS b USING (name)"
        layers += [joined.format(i, i - 1) for i in range(1, 7)]
        ask(engine, ";".join(layers))
        error = fault(engine, "SELECT 'é' FROM v6")
        assert isinstance(error, PlanError)
        assert "longer than 200,000 characters" in error.message
        assert pointed(error) == "v6"


class TestOtherWays:
    """What reaches a view in a way that nobody planned must never look empty."""

    @pytest.mark.parametrize(
        "sql", ["FROM query_table('v')", "FROM query('FROM v')", "PREPARE p AS FROM v; EXECUTE p"]
    )
    def test_it_is_an_error(self, engine: Engine, sandbox: DemoServers, sql: str) -> None:
        ask(engine, f"CREATE VIEW v AS FROM {LIVE}")
        error = fault(engine, sql)
        assert isinstance(error, ExecuteError)
        assert "is live" in error.message
        assert sandbox.count() == 0

    @pytest.mark.parametrize(
        "sql", ["INSERT INTO v VALUES ('a')", "UPDATE v SET name = 'a'", "DELETE FROM v"]
    )
    def test_a_view_is_not_written_to(self, engine: Engine, sandbox: DemoServers, sql: str) -> None:
        ask(engine, f"CREATE VIEW v AS SELECT name FROM {LIVE}")
        fault(engine, sql)
        assert sandbox.count() == 0

    def test_a_failed_transaction_says_so(self, engine: Engine) -> None:
        ask(engine, f"CREATE VIEW v AS SELECT name FROM {LIVE}")
        fault(engine, "BEGIN; SELECT CAST(name AS INT) FROM v")
        for sql in ("FROM v", f"CREATE VIEW w AS FROM {LIVE}", "CREATE VIEW w AS FROM v"):
            assert "ROLLBACK" in fault(engine, sql).message
        assert len(rows(engine, "ROLLBACK; FROM v")) == 6


def test_a_plain_statement_needs_nothing_of_this(engine: Engine) -> None:
    ask(engine, "CREATE VIEW p AS SELECT 1 AS a; CREATE MACRO q(x) AS TABLE SELECT x")
    assert rows(engine, "FROM p, q(2)") == [(1, 2)]
    assert engine._opened is None
