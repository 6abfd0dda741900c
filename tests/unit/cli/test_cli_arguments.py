"""What people type: SQL that begins with a comment, times, values that nothing uses; and hints."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import connstat_sql
from connstat_sql.cli import root
from connstat_sql.demo import DemoServers, Fault
from connstat_sql.engine import Engine
from connstat_sql.errors import ConfigError, ConnstatError
from tests.conftest import narrow_engine_of
from tests.unit.cli.test_cli import toml_of


def run(*arguments: str) -> Result:
    return CliRunner(env={"NO_COLOR": "1"}).invoke(root, arguments)


@pytest.mark.parametrize("sql", ["-- why\nSELECT 1 AS a", "--\nSELECT 1 AS a", "--why\nSELECT 1 a"])
def test_a_text_that_begins_with_a_comment_is_sql(sql: str) -> None:
    answer = run("query", "-F", "csv", sql)
    assert (answer.exit_code, answer.stdout) == (0, "a\n1\n")
    assert run("explain", sql).exit_code == 0


def test_sql_without_quotes_is_told_to_stand_in_quotes() -> None:
    answer = run("query", "SELECT", "1", "AS", "a")
    assert answer.exit_code == 2
    assert "(1 AS a); the SQL is one argument, in quotes:  root query" in answer.stderr


@pytest.mark.parametrize("text", ["--formatt", "--format csv", "--max-requests=1 2"])
def test_an_option_that_is_none_is_still_one_that_is_none(text: str) -> None:
    assert run("query", text, "SELECT 1").exit_code == 2


@pytest.mark.parametrize("time", ["5", "5s", "0.5", "500ms", "1m30s", "1e2"])
@pytest.mark.parametrize("option", ["--deadline", "--timeout", "--connect-timeout", "--max-age"])
def test_a_time_is_a_number_of_seconds_or_has_a_unit(option: str, time: str) -> None:
    assert run("query", option, time, "SELECT 1").exit_code == 0


@pytest.mark.parametrize("time", ["0", "-1", "soon", "inf", "nan", ""])
def test_what_is_no_time_is_told_how_one_is_written(time: str) -> None:
    answer = run("query", "--deadline", time, "SELECT 1")
    assert answer.exit_code == 2
    assert re.search(r"such as 5, 5s|write it like 60s", answer.stderr)


def test_rows_may_be_no_older_than_nothing() -> None:
    assert run("query", "--max-age", "0", "SELECT 1").exit_code == 0


def test_a_value_that_nothing_uses_is_told() -> None:
    answer = run("query", "-p", "one=1", "-p", "two=2", "SELECT $one AS a")
    assert answer.exit_code == 0
    assert answer.stderr == "note: there is no $two in the SQL, and its value is not used\n"


@pytest.mark.parametrize("command", ["query", "explain"])
def test_a_value_that_is_given_twice_is_refused(command: str) -> None:
    answer = run(command, "-p", "a=1", "-p", "a=2", "SELECT $a AS a")
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert "a is given twice; it has one value" in answer.stderr


@pytest.mark.parametrize("name", ["deadline", "max_age", "max_requests"])
@pytest.mark.parametrize("value", [-1, float("nan")])
def test_a_program_is_refused_numbers_that_there_are_none_of(name: str, value: float) -> None:
    with connstat_sql.connect(connections={}) as con, pytest.raises(ConfigError, match=name):
        con.sql("SELECT 1", **{name: value})  # type: ignore[arg-type]


# --- what to write instead -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def engine(sandbox: DemoServers) -> Iterator[Engine]:
    with narrow_engine_of(sandbox.connections) as opened:
        yield opened


PLANT = "plant_a.connect.connectors"


@pytest.mark.parametrize(
    ("sql", "hint"),
    [
        (f"SHOW {PLANT}", f"DESCRIBE {PLANT}"),
        (f"EXPLAIN (FORMAT json) SELECT name FROM {PLANT}", "EXPLAIN SELECT … , without options"),
    ],
)
def test_what_duckdb_alone_reads_comes_with_what_to_write(
    engine: Engine, sql: str, hint: str
) -> None:
    with pytest.raises(ConnstatError) as caught:
        list(engine.run(sql))
    assert hint in caught.value.hint


def test_a_provider_is_no_database_to_detach(sandbox: DemoServers) -> None:
    with narrow_engine_of(sandbox.connections) as fresh, pytest.raises(ConnstatError) as caught:
        list(fresh.run("DETACH kafka_connect"))
    assert "is the name of live tables" in caught.value.message


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("format_", ["csv", "parquet", "json"])
def test_a_full_disk_is_told_in_words(engine: Engine, format_: str) -> None:
    sql = f"COPY (SELECT * FROM range(100000)) TO '/dev/full' (FORMAT {format_})"
    with pytest.raises(ConnstatError) as caught:
        list(engine.run(sql))
    assert "No space left on device" in caught.value.message
    assert "exception_" not in caught.value.message


@pytest.mark.parametrize(
    ("sql", "is_offered"),
    [
        ("SELECT name FROM kafka_connect.connect.connectors", True),
        ("SELECT name FROM plant_a.connect.connectors", False),
        ("SELECT id FROM confluent.org.environments", False),
    ],
)
def test_going_on_without_one_is_offered_where_there_are_others(
    sandbox: DemoServers, tmp_path: Path, sql: str, is_offered: bool
) -> None:
    config = tmp_path / "connstat.toml"
    config.write_text(toml_of(sandbox.connections), encoding="utf-8")
    sandbox.inject(Fault(status=404))
    answer = run("--config", str(config), "query", sql)
    assert answer.exit_code == 3
    assert ("--partial" in answer.stderr) is is_offered


def test_days_that_are_offered_follow_one_another() -> None:
    answer = run("run", "cost-per-connector")
    assert "start_date=2026-11-01 end_date=2026-12-01" in answer.stderr


def test_a_check_of_saved_queries_names_no_file_of_its_own_making() -> None:
    assert 'pattern "1"' not in run("saved", "check", "changed-since").stderr
