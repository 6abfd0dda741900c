"""What connstat reads is not written to: configuration, definitions, saved queries, kept rows."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import chdir
from pathlib import Path

import pytest

from connstat_sql.bootstrap import Setup
from connstat_sql.cli import main
from connstat_sql.cli.input_files import inputs_of
from connstat_sql.output.protected_files import Input
from tests.unit.shell.test_shell_commands import desk_of

CONFIGURATION = """
[connections.depot]
provider = "kafka_connect"
base_url = "http://127.0.0.1:1"
username = "worker"
password = "${file:depot.password}"
ca_file = "ca.pem"
headers = {X-Team = "${file:team}"}
[cache]
file = "rows.duckdb"
[providers]
paths = ["definitions"]
"""
READ = {
    "connstat.toml": "the configuration that is in use",
    "rows.duckdb": "the file of kept rows",
    "rows.duckdb.wal": "the file of kept rows",
    "depot.password": "a file that the connection depot names",
    "team": "a file that the connection depot names",
    "ca.pem": "a file that the connection depot names",
    "definitions/shop/shop.yaml": "a definition",
    "connstat/queries/late.sql": "a saved query",
    "definitions/queries/paid.sql": "a saved query",
}
"""Files of the folder, and what each is said to be."""
COMMANDS = (
    ("query", "SELECT 1", "-F", "csv", "-o"),
    ("run", "fleet", "-F", "csv", "-o"),
    ("check", "--sql", "SELECT 1", "-o"),
)


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Path]:
    for name in READ:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(CONFIGURATION if name == "connstat.toml" else "SELECT 1")
    with chdir(tmp_path):
        yield tmp_path


class Command:
    """Runs commands over the configuration of the folder."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def run(self, *arguments: str) -> tuple[int, str]:
        """The exit code, and what is said."""
        with pytest.raises(SystemExit) as ended:
            main(["--config", "connstat.toml", *arguments])
        assert isinstance(ended.value.code, int)
        return ended.value.code, self._capsys.readouterr().err

    def refused(self, *arguments: str) -> str:
        """What is said of one that does not write."""
        code, told = self.run(*arguments)
        assert code == (3 if arguments[0] == "check" else 2), told
        return told


@pytest.fixture
def command(here: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    assert here == Path.cwd()
    return Command(capsys)


def test_no_answer_takes_the_place_of_what_is_read(here: Path, command: Command) -> None:
    for name, what in READ.items():
        before = (here / name).read_bytes()
        for words in COMMANDS if name == "connstat.toml" else COMMANDS[:1]:
            told = command.refused(*words, name)
            assert f"{name} cannot be written: it is {what}" in told
        assert (here / name).read_bytes() == before


@pytest.mark.parametrize("lay", [os.symlink, os.link])
def test_nor_under_another_name(
    here: Path, command: Command, lay: Callable[[Path, Path], None]
) -> None:
    for number, (name, what) in enumerate(READ.items()):
        lay(here / name, here / f"rows{number}.csv")
        before = (here / name).read_bytes()
        assert f"it is {what}" in command.refused("query", "SELECT 1", "-o", f"rows{number}.csv")
        assert (here / name).read_bytes() == before


def test_nor_that_of_the_sql_that_runs(here: Path, command: Command) -> None:
    (here / "question.md").write_text("SELECT 1")
    told = command.refused("query", "-f", "question.md", "-o", "question.md")
    assert "it is the file that the SQL is read from" in told
    assert (here / "question.md").read_text() == "SELECT 1"


def test_nor_in_the_shell(here: Path) -> None:
    def inputs() -> Iterator[Input]:
        return inputs_of(Setup(config=here / "connstat.toml", here=here), {})

    desk = desk_of(lambda _: pytest.fail("nothing is opened"), here, inputs=inputs)
    for command in (".output", ".once"):
        for name, what in READ.items():
            before = (here / name).read_bytes()
            _, told, code = desk.do(f"{command} {name}")
            assert (f"it is {what}" in told, code) == (True, 2)
            assert (here / name).read_bytes() == before


def test_what_is_saved_anew_is_a_file_and_no_link(here: Path) -> None:
    link = here / "connstat" / "queries" / "mine.sql"
    link.symlink_to(here / "connstat.toml")
    desk = desk_of(lambda _: pytest.fail("nothing is opened"), here)
    desk.shell.statement = "SELECT 1"
    _, told, code = desk.do(".save -f mine")
    assert ("it is a link" in told, code) == (True, 2)
    assert (here / "connstat.toml").read_text() == CONFIGURATION


def test_what_is_not_read_is_written(here: Path, command: Command) -> None:
    (here / "old.csv").write_text("1")
    (here / "other.toml").write_text("")
    for name in ("old.csv", "new.csv", "other.toml"):
        code, told = command.run("query", "SELECT 7 AS n", "-F", "csv", "-o", name)
        assert (code, (here / name).read_text()) == (0, "n\n7\n"), told
