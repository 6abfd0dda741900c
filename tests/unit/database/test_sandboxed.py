"""In a sandbox SQL is good for rows and for nothing else of the machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from click.testing import CliRunner

import connstat_sql
from connstat_sql.api import LiveDatabase
from connstat_sql.cli import root
from connstat_sql.database.errors import translated
from connstat_sql.database.source_map import SourceText
from connstat_sql.demo import DemoServers
from connstat_sql.errors import ConnstatError, ExecuteError
from tests.tabled import over


@pytest.fixture(scope="module")
def con(sandbox: DemoServers) -> Iterator[LiveDatabase]:
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
    "FROM query_table('{file}')",
    "FROM read_json('{file}')",
    "FROM read_parquet(['{file}'])",
    "FROM parquet_schema('{file}')",
    "FROM read_duckdb('{file}')",
    "SELECT (SELECT content FROM read_text('{file}'))",
    "SELECT * FROM (SELECT 1) AS t, LATERAL (FROM read_text('{file}'))",
    "WITH t AS (FROM '{file}') SELECT count(*) FROM t",
    "DESCRIBE FROM '{file}'",
    "SUMMARIZE FROM '{file}'",
    "EXPLAIN ANALYZE FROM read_csv('{file}')",
    "PREPARE p AS FROM read_text('{file}'); EXECUTE p",
    "PREPARE p AS COPY (SELECT 1) TO '{folder}/out.csv'; EXECUTE p",
    "EXPLAIN ANALYZE COPY (SELECT 1) TO '{folder}/out.csv'",
    "CREATE MACRO m() AS TABLE FROM read_text('{file}'); FROM m()",
    "CREATE VIEW v AS FROM read_text('{file}'); FROM v",
    "SET VARIABLE path = '{file}'; FROM read_text(getvariable('path'))",
    "COPY (SELECT 1 AS a) TO '{folder}' (FORMAT parquet, PARTITION_BY a)",
    "COPY (SELECT 1) TO 'spill.csv'",
    "COPY (SELECT 1) TO '/dev/stderr'",
    "CREATE TABLE into_it (a INTEGER); COPY into_it FROM '{file}'",
    "ATTACH '{folder}/other.db' (READ_ONLY)",
    "ATTACH OR REPLACE '{folder}/other.db' AS memory",
    "PRAGMA import_database('{folder}')",
    "FROM which_secret('{file}', 'http')",
    "CALL dbgen(sf = 0.01)",
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


def test_there_is_no_folder_that_it_could_reach(con: LiveDatabase) -> None:
    names = ("temp_directory", "allowed_directories", "allowed_paths")
    told = [con.sql(f"SELECT current_setting('{name}')").fetchall() for name in names]
    assert told == [[("",)], [([],)], [([],)]]
    beside = "ATTACH ':memory:' AS beside; CREATE TABLE beside.t AS SELECT 1; FROM beside.t"
    assert con.sql(beside).fetchall() == [(1,)]


def test_what_needs_more_memory_than_there_is_has_to_fit() -> None:
    sql = "FROM range(3000000) AS t(i) ORDER BY hash(i)"
    with (
        duckdb.connect(config={"temp_directory": "", "memory_limit": "10MB"}) as small,
        pytest.raises(duckdb.OutOfMemoryException) as caught,
    ):
        small.execute(sql)
    told = translated(caught.value, SourceText(sql), ExecuteError, 0)
    assert "has to fit into memory" in told.hint


CHANGES = (
    "CREATE TYPE confluent.org.t AS INTEGER",
    "DROP SCHEMA confluent.org CASCADE",
    "CREATE SCHEMA confluent.mine",
    "COMMENT ON COLUMN confluent.org.environments.id IS 'mine'",
    "CREATE OR REPLACE VIEW environments AS SELECT 1",
    "CREATE MACRO f() AS 1",
    "CREATE SEQUENCE s",
    "COPY FROM DATABASE memory TO confluent",
)


@over("sql", CHANGES[:1])
def test_what_is_written_where_live_tables_are_is_undone(con: LiveDatabase, sql: str) -> None:
    is_undone(con, sql)


@pytest.mark.long
@over("sql", CHANGES[1:])
def test_however_it_is_written(con: LiveDatabase, sql: str) -> None:
    is_undone(con, sql)


def is_undone(con: LiveDatabase, sql: str) -> None:
    listed = "FROM duckdb_columns() SELECT schema_name, table_name, column_name, comment"
    listed += " WHERE database_name = 'confluent' ORDER BY ALL"
    before = con.sql(listed).fetchall()
    con.sql("CREATE TABLE IF NOT EXISTS memory.rows AS SELECT 1; USE confluent.org")
    try:
        for text in (sql, f"BEGIN; {sql}"):
            with pytest.raises(ConnstatError, match="confluent is live and read-only"):
                con.sql(text)
    finally:
        con.sql("ROLLBACK; USE memory")
    assert con.sql(listed).fetchall() == before


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
