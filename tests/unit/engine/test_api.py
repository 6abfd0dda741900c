"""The Python interface, as a user of the package sees it."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec

import pyarrow as pa
import pytest

import connstat_sql
from connstat_sql import LiveDatabase
from connstat_sql.demo import DemoServers, World


@pytest.fixture(scope="module")
def sandbox() -> Iterator[DemoServers]:
    with DemoServers(world=World.seeded(7)) as running:
        yield running


@pytest.fixture
def database(sandbox: DemoServers) -> Iterator[LiveDatabase]:
    sandbox.reset()
    with connstat_sql.connect(connections=sandbox.connections, environment={}) as opened:
        yield opened


def test_a_result_says_what_it_is(database: LiveDatabase) -> None:
    result = database.sql(
        "SELECT name, connector.state FROM plant_a.connect.connector_status WHERE name = $name",
        {"name": "pricing-mysql-source"},
    )
    assert result.fetchall() == [("pricing-mysql-source", "RUNNING")]
    assert list(result) == result.fetchall()
    assert result.to_arrow().num_rows == 1
    assert result.df()["name"].tolist() == ["pricing-mysql-source"]
    assert (result.complete, result.errors, result.requests) == (True, (), 2)
    assert result.scans[0].table == "kafka_connect.connect.connector_status"


def test_question_marks_take_values_in_order(database: LiveDatabase) -> None:
    sql = "SELECT name FROM plant_a.connect.connector_status WHERE connector_name = ? AND 1 = ?"
    assert database.sql(sql, ["pricing-mysql-source", 1]).fetchall() == [("pricing-mysql-source",)]


def test_local_tables_join_live_ones(database: LiveDatabase) -> None:
    database.register("owners", pa.table({"name": ["pricing-mysql-source"], "team": ["pricing"]}))
    sql = "SELECT o.team FROM plant_a.connect.connector_status AS s JOIN owners AS o USING (name)"
    assert database.sql(sql).fetchall() == [("pricing",)]
    assert database.duckdb.execute("SELECT count(*) FROM owners").fetchone() == (1,)


@pytest.mark.skipif(find_spec("polars") is not None, reason="polars is here")
def test_a_frame_of_what_is_not_installed_says_so(database: LiveDatabase) -> None:
    with pytest.raises(connstat_sql.ConnstatError, match="polars needs polars, which is not"):
        database.sql("SELECT 1").pl()


def test_a_macro_made_on_the_connection_underneath_is_known_by_the_next_statement(
    sandbox: DemoServers, database: LiveDatabase
) -> None:
    sql = "SELECT name FROM plant_a.connect.connector_status WHERE connector_name = {}"
    with connstat_sql.connect(connections=sandbox.connections, environment={}) as another:
        assert another.explain(sql.format("'a'")) is not None  # functions have been listed
    database.duckdb.execute("CREATE MACRO picked() AS 'a'")
    database.duckdb.execute("CREATE MACRO any_of_two() AS if(random() < 0.5, 'a', 'b')")
    by_name, all_of_them = (
        database.explain(sql.format(value)) for value in ("picked()", "any_of_two()")
    )
    assert by_name is not None
    assert all_of_them is not None
    assert by_name.scans[0].method.name != all_of_them.scans[0].method.name


def test_explain_gives_the_plan_and_sends_nothing(
    database: LiveDatabase, sandbox: DemoServers
) -> None:
    plan = database.explain("SELECT * FROM confluent.connect.connector_status")
    assert plan is not None
    assert [scan.method.name for scan in plan.scans] == ["list", "list", "list"]
    assert sandbox.count() == 0
    assert database.explain("SELECT 1") is None


def test_everything_raised_is_a_connstat_error(database: LiveDatabase) -> None:
    for sql in ("SELEC", "SELECT x", "SELECT * FROM confluent.billing.costs", "SELECT 1/'x'", ""):
        with pytest.raises(connstat_sql.ConnstatError):
            database.sql(sql)


def test_it_works_inside_a_running_event_loop(database: LiveDatabase) -> None:
    async def notebook() -> int:
        return len(database.sql("FROM plant_a.connect.connectors").fetchall())

    assert asyncio.run(notebook()) == 6


def test_it_is_a_pep_249_connection(database: LiveDatabase) -> None:
    assert (connstat_sql.apilevel, connstat_sql.threadsafety, connstat_sql.paramstyle) == (
        "2.0",
        2,
        "qmark",
    )
    cursor = database.cursor()
    cursor.execute("SELECT name, type FROM plant_a.connect.connector_status ORDER BY name")
    assert cursor.description is not None
    assert [column[0] for column in cursor.description] == ["name", "type"]
    assert cursor.rowcount == 6
    assert cursor.fetchone() == ("catalog-jdbc-sink", "sink")
    assert len(cursor.fetchmany(2)) == 2
    assert len(cursor.fetchall()) == 3
    assert cursor.fetchone() is None
    cursor.close()
    with pytest.raises(connstat_sql.Error):
        cursor.fetchall()


@pytest.mark.filterwarnings("ignore:pandas only supports SQLAlchemy")
def test_pandas_reads_from_it(database: LiveDatabase) -> None:
    import pandas as pd  # slow to import, and used by nobody else

    frame = pd.read_sql("SELECT name FROM plant_a.connect.connectors", database)
    assert len(frame) == 6


def test_import_is_light() -> None:
    script = (
        "import sys, connstat_sql\n"
        "heavy = {'duckdb', 'sqlglot', 'httpx', 'pyarrow', 'yaml', 'aiohttp', 'click'}\n"
        "assert not heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_every_public_name_can_be_imported() -> None:
    for name in connstat_sql.__all__:
        assert getattr(connstat_sql, name) is not None
    with pytest.raises(AttributeError):
        _ = connstat_sql.nothing


# --- in a notebook --------------------------------------------------------------------------------


def test_a_result_is_short_and_says_how_complete_it_is(database: LiveDatabase) -> None:
    result = database.sql("SELECT i AS n, repeat('x', 1000) AS text FROM range(5000) AS r(i)")
    assert re.fullmatch(
        r"<Result of 5,000 rows, complete, 0 requests in \d\.\d\d s: 'n', 'text'>", repr(result)
    )
    wide = database.sql("SELECT " + ", ".join(f"{i} AS c{i}" for i in range(20)))
    assert repr(wide).endswith("'c7', …>")
    assert repr(database.sql("CREATE TABLE made AS SELECT 1")).startswith("<Result of no rows")
    assert repr(database).startswith("<LiveDatabase of ")
    assert "plant_a" in repr(database)


def test_a_notebook_shows_the_first_rows_and_obeys_nothing(database: LiveDatabase) -> None:
    html = database.sql(
        """SELECT i AS n, '<script>alert(1)</script>' AS "<b>", NULL AS empty, [1, 2] AS "n"
        FROM range(1000) AS r(i)"""
    )._repr_html_()
    assert html.count("<tr>") == 61
    assert "the first 60 of 1,000 rows, complete" in html
    assert "<script" not in html
    assert '<th style="text-align: left">&lt;b&gt;</th>' in html
    assert "<em>NULL</em>" in html
    assert "[1, 2]" in html
    assert "<p>no rows" in database.sql("SET threads = 2")._repr_html_()


OPTION = re.compile(r"(?<!-)--[a-z]|(?<![\w-])-[a-z]\b|\\\\x")
TRIES = {
    "SELECT name FROM confluent.connect.connectors": {"max_requests": 1},
    "SELECT name FROM plant_a.connect.connectors WHERE name = $name": {},
}


@pytest.mark.parametrize("sql", TRIES)
def test_a_hint_stands_in_the_text_of_an_error_in_words_of_python(
    database: LiveDatabase, sql: str
) -> None:
    with pytest.raises(connstat_sql.ConnstatError) as caught:
        database.sql(sql, **TRIES[sql])  # type: ignore[arg-type]
    error = caught.value
    assert error.hint
    assert str(error) == f"{error.message}\nhint: {error.hint}"
    assert not OPTION.search(str(error))
    assert "max_requests=" in str(error) or '{"name": VALUE}' in str(error)


def test_a_closed_connection_says_so(sandbox: DemoServers) -> None:
    database = connstat_sql.connect(connections=sandbox.connections, environment={})
    database.close()
    with pytest.raises(connstat_sql.ConnstatError) as caught:
        database.sql("SELECT 1")
    assert str(caught.value).splitlines() == [
        "the connection is closed", "hint: open another one:  connstat_sql.connect()"
    ]  # fmt: skip
