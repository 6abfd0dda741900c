"""In a sandbox SQL is good for rows and for nothing else of the machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from click.testing import CliRunner

import connstat_sql
from connstat_sql.api import LiveDatabase
from connstat_sql.cli import root
from connstat_sql.errors import ConnstatError
from connstat_sql.sandbox import Sandbox
from tests.tabled import over


@pytest.fixture(scope="module")
def con(sandbox: Sandbox) -> Iterator[LiveDatabase]:
    with connstat_sql.connect(
        connections=sandbox.connections, environment={}, sandboxed=True
    ) as opened:
        yield opened


OUTSIDE = (
    "FROM read_text('/proc/self/environ')",
    "FROM '{file}'",
    "FROM read_csv('{file}')",
    "FROM glob('{folder}/*')",
    "FROM read_blob('https://127.0.0.1:1/x')",
    "FROM sniff_csv('{file}')",
    "FROM parquet_metadata('{file}')",
    "FROM query('FROM read_text(''{file}'')')",
    "SELECT getenv('HOME')",
    "COPY (SELECT 1) TO '{folder}/out.csv'",
    "CREATE TABLE copied AS FROM read_csv('{file}')",
    "ATTACH '{folder}/other.db' AS other",
    "EXPORT DATABASE '{folder}/exported'",
    "IMPORT DATABASE '{folder}'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "UPDATE EXTENSIONS",
    "UPDATE EXTENSIONS (httpfs)",
    "LOAD '{file}'",
    "CREATE PERSISTENT SECRET s (TYPE s3, KEY_ID 'x', SECRET 'y')",
    "FROM duckdb_secrets()",
    "SET enable_external_access = true",
    "SET allowed_directories = ['/']",
    "SET allowed_configs = ['enable_external_access']",
    "RESET lock_configuration",
    "SET temp_directory = '{folder}'",
    "SET memory_limit = '1TB'",
    "PRAGMA enable_profiling",
    "SET profiling_output = '{folder}/profile'",
    "CALL enable_logging('QueryLog')",
    "CALL enable_logging(storage = 'file', storage_config = {{'path': '{folder}/log'}})",
)


@over("sql", OUTSIDE)
def test_what_leads_outside_is_refused(con: LiveDatabase, tmp_path: Path, sql: str) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("a\n1\n")
    with pytest.raises(ConnstatError):
        con.sql(sql.format(file=file, folder=tmp_path))
    assert [*tmp_path.iterdir()] == [file]


def test_it_says_why(con: LiveDatabase) -> None:
    for sql in ("FROM read_text('/etc/hostname')", "SET memory_limit = '1GB'"):
        with pytest.raises(ConnstatError) as caught:
            con.sql(sql)
        assert "sandboxed" in caught.value.hint


def test_live_tables_and_ones_own_are_as_they_are_elsewhere(con: LiveDatabase) -> None:
    sql = "SELECT count(*) > 1 FROM kafka_connect.connect.connectors"
    assert con.sql(sql).fetchall() == [(True,)]
    con.register("owners", pa.table({"name": ["a"]}))
    assert con.sql("CREATE TABLE mine AS FROM owners; FROM mine").fetchall() == [("a",)]
    assert con.sql("SET TimeZone = 'UTC'; SELECT 1").fetchall() == [(1,)]
    with pytest.raises(ConnstatError, match="live and read-only"):
        con.sql("CREATE TABLE confluent.org.mine AS SELECT 1")
    with pytest.raises(ConnstatError, match="nonsense"):
        con.sql("SELECT nonsense FROM kafka_connect.connect.connectors")


@pytest.mark.parametrize("words", [("--sandboxed", "query"), ("query", "--sandboxed")])
def test_the_command_line_has_it_before_and_behind_the_command(words: tuple[str, ...]) -> None:
    runner = CliRunner(env={"NO_COLOR": "1"})
    refused = runner.invoke(root, [*words, "FROM read_text('/etc/hostname')"])
    assert refused.exit_code == 1
    assert "sandboxed" in refused.stderr
    assert runner.invoke(root, [*words, "SELECT 1"]).exit_code == 0


def test_rows_are_still_written_where_the_user_says(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    words = ["--sandboxed", "query", "-o", os.fspath(path), "SELECT 1 AS a"]
    assert CliRunner().invoke(root, words).exit_code == 0
    assert path.read_bytes()[:4] == b"PAR1"
