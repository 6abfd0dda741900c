"""Commands print what was asked for, where it was asked for, and end what they began."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from connstat_sql.bootstrap import Setup, open_engine
from connstat_sql.cli import root
from connstat_sql.cli.statement import Printer, printer
from connstat_sql.demo import DemoServers, Fault
from connstat_sql.engine import Engine, EngineOptions
from connstat_sql.errors import QueryError
from connstat_sql.output.render import TerminalStyle
from connstat_sql.output.stderr import Narrator
from connstat_sql.result import Options
from tests.terminal import Terminal
from tests.unit.cli.test_cli import toml_of

HOSTILE = (
    "SELECT concat('a', chr(27), '[2J', chr(27), ']0;gone', chr(7)) AS name, 'FAILED' AS state"
)


@pytest.fixture(scope="module")
def engine(sandbox: DemoServers) -> Iterator[Engine]:
    opened = open_engine(Setup(connections=sandbox.connections), EngineOptions(environment={}))
    yield opened
    opened.close()


def given(**options: object) -> dict[str, Any]:
    return {"format_": None, "output": None, "chart": False, **options}


def printed(engine: Engine, text: str, format_: str, /, **told: Any) -> tuple[str, str]:
    """What statements write to stdout and to stderr."""
    out, narration = io.BytesIO(), io.StringIO()
    shown = Printer(out, format_, Narrator(narration), **told)
    for result in engine.run(text, options=Options(partial=True)):
        shown.show(result)
    shown.end()
    return out.getvalue().decode(), narration.getvalue()


def write(engine: Engine, text: str, /, **options: object) -> None:
    with printer(given(**options), Narrator(io.StringIO())) as shown:
        for result in engine.run(text):
            shown.show(result)


# --- pages ---------------------------------------------------------------------------------------


def test_several_statements_are_one_page_with_the_sql_of_each(engine: Engine) -> None:
    live = "SELECT name FROM plant_a.connect.connectors"
    page, _ = printed(engine, f"CREATE TEMP TABLE t AS SELECT 1; {live}; SELECT 2", "html")
    assert page.count("<!DOCTYPE html>") == page.count("</html>") == 1
    assert page.count("<section>") == 2
    assert f"<pre>{live}</pre>" in page
    assert "<b>1</b> request<" in page


def test_a_page_of_a_local_statement_tells_what_it_was_told(engine: Engine) -> None:
    page, _ = printed(engine, "SELECT 2 AS n", "html", sql="SELECT 2 AS n", title="Two")
    assert "<pre>SELECT 2 AS n</pre>" in page
    assert "<title>Two</title>" in page


def test_a_page_of_a_partial_result_says_what_is_missing(
    engine: Engine, sandbox: DemoServers
) -> None:
    sandbox.inject(Fault(api="plant_b", status=403))
    page, narration = printed(engine, "SELECT name FROM kafka_connect.connect.connectors", "html")
    assert ">partial</span>" in page
    assert "403 from plant_b" in page.partition('<div class="missing"')[2].partition("</div>")[0]
    assert "403 from plant_b" in narration


def test_the_name_of_a_file_says_that_it_is_a_page(engine: Engine, tmp_path: Path) -> None:
    write(engine, "SELECT 1 AS n", output=str(tmp_path / "x.html"), sql="SELECT 1 AS n")
    page = (tmp_path / "x.html").read_text()
    assert page.endswith("</html>\n")
    assert "<pre>SELECT 1 AS n</pre>" in page


def test_a_page_that_was_not_ended_is_not_there(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(QueryError):
        write(engine, "SELECT 1; SELECT error('no')", output=str(tmp_path / "x.html"))
    assert list(tmp_path.iterdir()) == []


# --- several results -----------------------------------------------------------------------------


def test_several_arrays_are_said_to_be_several(engine: Engine) -> None:
    rows, narration = printed(engine, "SELECT 1 AS a; SELECT 2 AS b; SELECT 3 AS c", "json")
    arrays = [json.loads(f"{part}]") for part in rows.split("]\n")[:-1]]
    assert arrays == [[{"a": 1}], [{"b": 2}], [{"c": 3}]]
    assert narration == (
        "note: each result is an array of its own; -F jsonl makes one list of rows\n"
    )


def test_one_array_is_nothing_to_speak_of(engine: Engine) -> None:
    rows, narration = printed(engine, "CREATE OR REPLACE TEMP TABLE u AS SELECT 1; FROM u", "json")
    assert json.loads(rows) == [{"1": 1}]
    assert narration == ""


# --- charts --------------------------------------------------------------------------------------

COUNTS = "SELECT * FROM (VALUES ('HEALTHY', 3), ('FAILED', 1)) t(health, n)"


def test_a_chart_goes_to_a_file_as_its_name_says(engine: Engine, tmp_path: Path) -> None:
    for name, begin in (("x.svg", b"<?xml"), ("x.png", b"\x89PNG"), ("x.txt", b"n by health\n")):
        write(engine, COUNTS, chart=True, output=str(tmp_path / name))
        assert (tmp_path / name).read_bytes().startswith(begin)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"chart": True, "format_": "csv"}, "--chart draws and -F csv prints"),
        ({"chart": True, "output": "x.csv"}, "no chart is made as '.csv'"),
        ({"output": "x.svg"}, "add --chart for a picture"),
        ({"output": "x.docx"}, "say it with -F"),
    ],
)
def test_what_does_not_go_together_is_said(options: dict[str, object], words: str) -> None:
    with (
        pytest.raises(click.UsageError, match=words),
        printer(given(**options), Narrator(io.StringIO())),
    ):
        pass


# --- a real terminal -----------------------------------------------------------------------------


def query(*arguments: str, **environment: str) -> str:
    """The screen after a query, of 60 columns."""
    command = ("-m", "connstat_sql", "query", *arguments)
    with Terminal(*command, environment=environment, columns=60) as terminal:
        assert terminal.ended() == 0
        return terminal.text


def test_on_a_terminal_a_table_fits_and_no_value_clears_the_screen() -> None:
    screen = query(
        f"SELECT 'still here' AS x; {HOSTILE}, repeat('long ', 40) AS words FROM range(2)"
    )
    assert "still here" in screen
    assert r"a\x1b[2J" in screen
    assert "…" in screen
    assert "2 rows; -F vertical shows in full what is cut" in screen


def test_a_printer_takes_the_look_it_is_given(engine: Engine) -> None:
    out = io.BytesIO()
    shown = Printer(
        out, "table", Narrator(io.StringIO()), style=TerminalStyle(width=30, color=True)
    )
    shown.show(next(engine.run(HOSTILE)))
    assert b"\033[1;31mFAILED\033[0m" in out.getvalue()
    assert b"\033[2J" not in out.getvalue()


# --- as the README shows it ----------------------------------------------------------------------

STATES = (
    "SELECT connector.state AS state, count(*) AS connectors "
    "FROM kafka_connect.connect.connector_status GROUP BY state ORDER BY connectors DESC"
)
README = (
    ("-F", "vertical", "SELECT * FROM kafka_connect.connect.connector_status LIMIT 3"),
    ("-o", "fleet.html", "FROM kafka_connect.connect.connector_status"),
    ("--chart", STATES),
    ("--chart", "-o", "states.svg", STATES),
)


@pytest.mark.parametrize("arguments", README, ids=" ".join)
def test_what_the_readme_shows_works(
    arguments: tuple[str, ...], sandbox: DemoServers, tmp_path: Path
) -> None:
    config = tmp_path / "connstat.toml"
    config.write_text(toml_of(sandbox.connections))
    placed = [
        str(tmp_path / one) if one in ("fleet.html", "states.svg") else one for one in arguments
    ]
    answer = CliRunner().invoke(root, ["--config", str(config), "query", *placed])
    assert answer.exit_code == 0
    assert bool(answer.stderr) == ("-o" in arguments)  # the file, its rows and bytes
    written = [path.read_text() for path in tmp_path.iterdir() if path != config]
    assert "RUNNING" in "".join([answer.stdout, *written])
