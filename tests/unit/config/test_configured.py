"""Databases and views that a configuration names: made when they are meant, planned as written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest

from connstat_sql.bootstrap import Setup
from connstat_sql.cli.input_files import inputs_of
from connstat_sql.engine import Engine, EngineOptions
from connstat_sql.errors import BindError, ConfigError, ConnstatError
from connstat_sql.output.protected_files import Input
from tests.conftest import FakeClock, NarrowWiring

PLANT = """
[connections.depot]
provider = "kafka_connect"
base_url = "http://depot:8083"
"""
SHIFTS = '[attach.shifts]\npath = "shifts.duckdb"\n'
STATES = {
    name: {"status": {"name": name, "connector": {"state": state}, "tasks": []}}
    for name, state in {"feed": "RUNNING", "till": "FAILED", "mail": "PAUSED"}.items()
}


def database(path: Path) -> None:
    with duckdb.connect(str(path)) as made:
        made.execute("CREATE TABLE people AS SELECT 'till' AS connector, 'Ada' AS name")


class Called:
    """The paths that were asked for."""

    def __init__(self) -> None:
        self.paths: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/connectors")
        self.paths.append(path)
        if path.endswith("/topics"):
            return httpx.Response(200, json={"till": {"topics": ["sales"]}})
        if path.endswith("/status"):
            return httpx.Response(200, json=STATES[path.split("/")[1]]["status"])
        return httpx.Response(200, json=STATES if "expand" in request.url.params else [*STATES])


@contextmanager
def opened(folder: Path, text: str, **environment: str) -> Iterator[tuple[Engine, Called]]:
    """An engine over a configuration of that text, in which `shifts.duckdb` lies beside it."""
    database(folder / "shifts.duckdb")
    (folder / "connstat.toml").write_text(text)
    called = Called()
    sandboxed = bool(environment.pop("SANDBOXED", ""))
    outside = EngineOptions(
        environment=environment, transport=httpx.MockTransport(called), clock=FakeClock(),
        is_sandboxed=sandboxed,
    )  # fmt: skip
    wiring = NarrowWiring(Setup(config=folder / "connstat.toml"), environment)
    assert wiring.catalog
    engine = Engine(wiring, outside)
    try:
        yield engine, called
    finally:
        engine.close()


def rows(engine: Engine, sql: str) -> list[tuple[Any, ...]]:
    *_, result = engine.run(sql)
    return result.fetchall()


# --- databases -----------------------------------------------------------------------------------


def test_a_database_is_found_beside_the_file_and_takes_part_in_joins(tmp_path: Path) -> None:
    with opened(tmp_path, PLANT + SHIFTS) as (engine, called):
        joined = (
            "SELECT p.name, c.topics FROM shifts.people AS p "
            "JOIN depot.connect.connector_topics AS c ON c.connector_name = p.connector"
        )
        assert rows(engine, joined) == [("Ada", ["sales"])]
        assert called.paths == ["/till/topics"]


def test_it_is_read_unless_it_may_be_written_to(tmp_path: Path) -> None:
    insert = "INSERT INTO SHIFTS.people VALUES ('feed', 'Kim')"
    with opened(tmp_path, PLANT + SHIFTS) as (engine, _), pytest.raises(ConnstatError):
        rows(engine, insert)
    (tmp_path / "shifts.duckdb").unlink()
    with opened(tmp_path, PLANT + SHIFTS + "read_only = false") as (engine, _):
        rows(engine, insert)
        assert len(rows(engine, 'FROM "shifts".people')) == 2


def test_what_nobody_mentions_is_not_opened(tmp_path: Path) -> None:
    gone = '[attach.shifts]\npath = "gone.duckdb"\n'
    with opened(tmp_path, PLANT + gone) as (engine, _):
        assert rows(engine, "SELECT 1 AS shifts") == [(1,)]
        for name in ("shifts.people", '"Shifts".main.people', "shifts.main.people AS p"):
            with pytest.raises(ConfigError, match=r"\[attach.shifts\].*gone.duckdb"):
                rows(engine, f"FROM {name}")
        database(tmp_path / "gone.duckdb")
        assert len(rows(engine, "FROM shifts.people")) == 1


def test_it_may_be_used_and_taken_off_and_outlives_a_rollback(tmp_path: Path) -> None:
    with opened(tmp_path, PLANT + SHIFTS) as (engine, _):
        assert rows(engine, "BEGIN; SELECT name FROM shifts.people") == [("Ada",)]
        rows(engine, "ROLLBACK")
        assert rows(engine, "USE shifts; SELECT name FROM people") == [("Ada",)]
        rows(engine, "USE memory; DETACH shifts")
        with pytest.raises(BindError):
            rows(engine, "FROM shifts.people")


def test_a_list_of_all_databases_says_what_it_lacks(tmp_path: Path) -> None:
    text = SHIFTS + '[attach.gone]\npath = "gone.duckdb"\n[views]\nill = "FROM nowhere"\n'
    with opened(tmp_path, PLANT + text) as (engine, _):
        [result] = engine.run("SHOW DATABASES")
        assert ("shifts",) in result.fetchall()
        assert "[attach.gone]" in result.remarks[0]
        assert "[views] ill" in result.remarks[1]


def test_sandboxed_sql_reads_none(tmp_path: Path) -> None:
    with (
        opened(tmp_path, PLANT + SHIFTS, SANDBOXED="1") as (engine, _),
        pytest.raises(ConfigError, match="sandboxed SQL reads no other databases"),
    ):
        rows(engine, "FROM shifts.people")


SECRET = "tin whistle 41"
WITH_SECRET = """
[attach.stock]
path = "nowhere/at-all.duckdb"
[attach.stock.secret]
type = "http"
bearer_token = "${STOCK_TOKEN}"
"""


def test_a_secret_is_in_no_log_no_variable_and_no_error(tmp_path: Path) -> None:
    with opened(tmp_path, PLANT + WITH_SECRET, STOCK_TOKEN=SECRET) as (engine, _):
        rows(engine, "CALL enable_logging('QueryLog')")
        with pytest.raises(ConfigError) as caught:
            rows(engine, "FROM stock.goods")
        assert "at-all.duckdb" in str(caught.value)
        shown = [str(caught.value), repr(engine._wiring.attachments)]
        for sql in ("FROM duckdb_logs", "FROM duckdb_secrets()", "FROM duckdb_variables()"):
            shown.append(str(rows(engine, sql)))
        assert "CREATE OR REPLACE TEMPORARY SECRET" in shown[2]
        assert "bearer_token=redacted" in shown[3]
        assert SECRET not in " ".join(shown)


def test_a_secret_that_is_not_there_is_named(tmp_path: Path) -> None:
    with (
        opened(tmp_path, PLANT + WITH_SECRET) as (engine, _),
        pytest.raises(ConfigError, match=r"\[attach.stock\] needs .* STOCK_TOKEN"),
    ):
        rows(engine, "FROM stock.goods")


@pytest.mark.parametrize("path", ["host=db user=ann password=hunter22", "postgres://a:b@db/x"])
def test_a_password_in_a_path_is_refused_as_duckdb_shows_paths(tmp_path: Path, path: str) -> None:
    text = '[attach.stock]\ntype = "postgres"\npath = "${STOCK}"\n'
    with (
        opened(tmp_path, PLANT + text, STOCK=path) as (engine, _),
        pytest.raises(ConfigError, match="looks like a password") as caught,
    ):
        rows(engine, "FROM stock.goods")
    assert path not in str(caught.value)


def test_a_secret_in_clear_text_is_warned_about(tmp_path: Path) -> None:
    text = '[attach.stock]\ntype = "mysql"\nsecret = {host = "db", password = "hunter22"}\n'
    with opened(tmp_path, PLANT + text) as (engine, _):
        [caution] = engine.cautions
        assert "[attach.stock]: `secret.password` stands in the file in clear text" in caution
        assert "hunter22" not in caution


WRONG = {
    "[attach]\nshifts = 1": "write [attach.NAME]",
    "[attach.shifts]": "does not say its `path`",
    '[attach.shifts]\npth = "a"': "did you mean `path`?",
    "[attach.shifts]\npath = 7": "`path` is not text",
    '[attach.shifts]\npath = "${1}"': "a reference that cannot be read",
    '[attach.shifts]\npath = "a"\nread_only = "no"': "`read_only` is not true or false",
    '[attach.shifts]\npath = "a"\ntype = "a, b"': "`type` is not a word",
    '[attach.shifts]\npath = "a"\nsecret = {password = "x"}': "`secret` of which type?",
    '[attach.shifts]\npath = "a"\ntype = "mysql"\nsecret = {"a b" = "x"}': "no option of a secret",
    '[attach.confluent]\npath = "a"': "the name of something else already",
    '[attach.Depot]\npath = "a"': "the name of something else already",
    '[attach.memory]\npath = "a"': "the name of something else already",
    '[attach.a]\npath = "a"\n[attach.A]\npath = "a"': "the name of something else already",
    "[views]\nteams = 7": "`teams` is not SQL",
    '[views]\nteams = "FROM a"\nTeams = "FROM b"': "two views are called teams",
    "views = 1": "is not a table",
}


def test_what_is_wrong_in_them_is_said_at_once(tmp_path: Path) -> None:
    for text, said in WRONG.items():
        top, table = ("", text) if text.startswith("[") else (text + "\n", "")
        file = tmp_path / "connstat.toml"
        file.write_text(top + PLANT + table)
        with pytest.raises(ConfigError) as caught:
            _ = NarrowWiring(Setup(config=file), {}).catalog
        assert said in str(caught.value), text
        assert str(file) in str(caught.value)


def test_the_file_of_a_database_is_not_written_to(tmp_path: Path) -> None:
    web = 'path = "https://db/x.duckdb"\nsecret = {type = "http", bearer_token = "${file:token}"}'
    with opened(tmp_path, f"{PLANT}{SHIFTS}[attach.web]\n{web}"):
        inputs = list(inputs_of(Setup(config=tmp_path / "connstat.toml", here=tmp_path), {}))
    assert Input(tmp_path / "shifts.duckdb", "a file that [attach.shifts] names") in inputs
    assert Input(tmp_path / "token", "a file that [attach.web] names") in inputs


# --- views ---------------------------------------------------------------------------------------

VIEWS = """
[views]
states = "SELECT name, connector.state AS state FROM depot.connect.connector_status;"
crew = "SELECT connector, name AS person FROM shifts.people"
"on call" = "SELECT person, state FROM states JOIN crew ON crew.connector = states.name"
"""


def test_a_view_is_planned_as_its_text_would_be(tmp_path: Path) -> None:
    with opened(tmp_path, PLANT + SHIFTS + VIEWS) as (engine, called):
        assert rows(engine, "FROM States WHERE name = 'mail'") == [("mail", "PAUSED")]
        written = "FROM (SELECT name, connector.state AS state FROM depot.connect.connector_status)"
        for where in (" WHERE name = 'mail'", " WHERE state = 'FAILED' LIMIT 1"):
            asked = []
            for sql in (f"FROM states{where}", f"{written}{where}"):
                called.paths.clear()
                plan = rows(engine, f"EXPLAIN {sql}")
                asked.append((plan, rows(engine, sql), called.paths[:]))
            assert asked[0] == asked[1]


def test_views_may_be_made_of_databases_and_of_each_other(tmp_path: Path) -> None:
    with opened(tmp_path, PLANT + SHIFTS + VIEWS) as (engine, _):
        assert rows(engine, 'FROM "on call"') == [("Ada", "FAILED")]
        assert rows(engine, "DESCRIBE crew")[1][0] == "person"


def test_a_view_is_there_wherever_one_stands_and_after_a_rollback(tmp_path: Path) -> None:
    with opened(tmp_path, PLANT + SHIFTS + VIEWS) as (engine, _):
        assert len(rows(engine, "BEGIN; FROM states")) == 3
        rows(engine, "ROLLBACK")
        assert len(rows(engine, "FROM states")) == 3
        assert len(rows(engine, "USE shifts; FROM crew")) == 1
        rows(engine, "DROP VIEW states")
        with pytest.raises(BindError):
            rows(engine, "FROM states")


ILL = {
    "FROM depot.connect.conectors": "depot.connect.connectors",
    "SELEC 1": "syntax error",
    "SELECT 1; SELECT 2": "it is not one SELECT",
    "DROP TABLE x": "it is not one SELECT",
    "SELECT $a": "it is not one SELECT",
    "FROM ill5": "ill5 does not exist",
    "FROM other": "[views] other: Table with name nowhere does not exist",
    "SELECT nothing FROM (SELECT 1 AS other)": "nothing",
}


def test_what_is_wrong_with_a_view_is_said_where_it_is_meant(tmp_path: Path) -> None:
    views = "\n".join(f"ill{n} = {json.dumps(sql)}" for n, sql in enumerate(ILL))
    text = f'[views]\nother = "FROM nowhere"\n{views}\n'
    with opened(tmp_path, PLANT + text) as (engine, called):
        assert rows(engine, "SELECT 'ill' AS other") == [("ill",)]
        for number, (sql, said) in enumerate(ILL.items()):
            with pytest.raises(ConfigError) as caught:
                rows(engine, f"FROM ill{number}")
            assert said in str(caught.value), sql
            assert "connstat.toml: [views] " in str(caught.value)
        assert called.paths == []


def test_they_tell_cautions_with_the_statement_and_not_before(tmp_path: Path) -> None:
    text = PLANT + "verify = false\n" + VIEWS
    with opened(tmp_path, text) as (engine, _):
        [result] = engine.run("FROM states")
        assert "verify" in result.remarks[0]


@pytest.mark.parametrize(
    ("table", "hint"),
    [
        ("unwel", "did you mean  unwell?"),
        ("shift.people", "did you mean  shifts.people?"),
        ("connectors", "there is  kafka_connect.connect.connectors"),
    ],
)
def test_a_name_that_comes_close_to_a_configured_one_is_answered_with_it(
    tmp_path: Path, table: str, hint: str
) -> None:
    views = '[views]\nunwell = "FROM depot.connect.connectors"\n'
    with opened(tmp_path, PLANT + SHIFTS + views) as (engine, called):
        with pytest.raises(BindError) as caught:
            list(engine.run(f"FROM {table}"))
        assert caught.value.hint.startswith(hint)
        assert not called.paths


def test_a_view_of_a_misspelt_table_is_answered_with_what_is_meant(tmp_path: Path) -> None:
    views = '[views]\nunwell = "FROM depot.connect.connectors"\nworse = "FROM unwel"\n'
    with opened(tmp_path, PLANT + views) as (engine, _):
        with pytest.raises(ConfigError, match=r"\[views\] worse: .*unwel does not") as caught:
            list(engine.run("FROM worse"))
        assert caught.value.hint == "did you mean  unwell?"
        assert "pg_" not in caught.value.message
