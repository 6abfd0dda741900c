"""Lines that are commands: names, arguments, saved queries, files."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from connstat_sql.demo import DemoServers
from connstat_sql.engine import Engine
from connstat_sql.errors import SavedQueryError
from connstat_sql.saved import SavedParam, SavedQueries, SavedQuery
from connstat_sql.shell.commands import COMMANDS
from connstat_sql.shell.completion import KnowingCompleter
from connstat_sql.shell.completion.commands import files
from tests.benchmarks.completing import complete, offered
from tests.conftest import FakeClock, engine_of

LOCK = threading.RLock()
FAILED = SavedQuery(
    "failed_tasks",
    "Tasks that failed",
    "SELECT 1",
    Path("failed_tasks.sql"),
    params=(
        SavedParam("state", default="FAILED", allowed=("FAILED", "PAUSED")),
        SavedParam("environment", is_required=True, description="Which one",
                   choices="SELECT id FROM confluent.org.environments"),
        SavedParam("broken", choices="SELECT nothing FROM nowhere"),
    ),
)  # fmt: skip


class Saved(SavedQueries):
    """Two saved queries."""

    def __init__(self) -> None:
        super().__init__(())

    def __iter__(self) -> Iterator[SavedQuery]:
        return iter((FAILED, replace(FAILED, name="idle", title="Without tasks")))

    def find(self, name: str) -> SavedQuery:
        if name != FAILED.name:
            raise SavedQueryError(f"there is no saved query {name}")
        return FAILED


@pytest.fixture(scope="module")
def engine(sandbox: DemoServers) -> Iterator[Engine]:
    with engine_of(sandbox.connections) as opened:
        yield opened


@pytest.fixture
def completer(engine: Engine) -> KnowingCompleter:
    found = KnowingCompleter(lambda: engine, LOCK, Saved, COMMANDS, FakeClock().now)
    found.learner.wait()
    return found


@pytest.mark.parametrize(
    ("marked", "first"),
    [
        (".tab|", [".tables"]),
        (".de|", [".desc", ".describe"]),
        ("\\dt|", ["\\dt"]),
        (".timer |", ["on", "off"]),
        (".keys v|", ["vi"]),
        (".mode js|", ["json", "jsonl"]),
        (".describe connector_st|", ["confluent.connect.connector_status"]),
        ("\\d confluent.connect.connector_st|", ["connector_status"]),
        (".explain SELECT na| FROM", ["name"]),
        (".explain SELECT id FROM confluent.org.env|", ["environments"]),
        (".help .tim|", [".timer"]),
        (".run fai|", ["failed_tasks"]),
        (".run |", ["failed_tasks", "idle"]),
        (".run failed_tasks |", ["environment=", "state=", "broken="]),
        (".run failed_tasks environment=env-1 st|", ["state="]),
        (".run failed_tasks state=|", ["FAILED", "PAUSED"]),
        (".run failed_tasks state=PA|", ["PAUSED"]),
    ],
)
def test_a_command_and_its_arguments_are_completed(
    completer: KnowingCompleter, marked: str, first: list[str]
) -> None:
    assert complete(completer, marked)[: len(first)] == first


@pytest.mark.parametrize(
    "marked", [".nothing |", ".run nowhere x|", ".run failed_tasks nowhere=|", ".quit |"]
)
def test_nothing_is_offered_for_what_does_not_exist(
    completer: KnowingCompleter, marked: str
) -> None:
    assert complete(completer, marked) == []


def test_every_command_is_offered_with_its_help(completer: KnowingCompleter) -> None:
    found = {one.text: one.display_meta_text for one in offered(completer, ".|")}
    assert {name: one.help for name, one in COMMANDS.items()}.items() <= found.items()


@pytest.mark.parametrize(
    ("typed", "word"), [("he", "help"), ("qui", "quit"), ("EX", "exit"), ("exi", "exit")]
)
def test_commands_that_are_plain_words_are_completed_where_they_stand_alone(
    completer: KnowingCompleter, typed: str, word: str
) -> None:
    def texts(marked: str) -> list[str]:
        return [one.text for one in offered(completer, marked)]

    assert word in texts(f"{typed}|")
    assert word not in texts(f"SELECT 1; {typed}|")
    assert word not in texts(f"SELECT {typed}|")
    assert texts("exi|")[0] == "exit", "what begins so comes before what only holds the letters"


@pytest.mark.parametrize("text", ["", "SELECT 1;", "SELECT 1; ", "SELECT 1;\n"])
def test_where_a_statement_may_begin_nothing_is_offered_unasked(
    completer: KnowingCompleter, text: str
) -> None:
    document = Document(text)
    assert not list(completer.get_completions(document, CompleteEvent(text_inserted=True)))
    asked = CompleteEvent(completion_requested=True)
    assert "SELECT" in [one.text for one in completer.get_completions(document, asked)]


def test_parameters_tell_what_they_are(completer: KnowingCompleter) -> None:
    found = offered(completer, ".run failed_tasks |")
    assert [one.display_meta_text for one in found[:2]] == [
        "required · VARCHAR · Which one",
        "VARCHAR · default FAILED",
    ]


def test_choices_of_a_parameter_are_fetched_on_demand(
    completer: KnowingCompleter, sandbox: DemoServers
) -> None:
    marked = ".run failed_tasks environment=|"
    assert complete(completer, marked) == []
    assert sandbox.count() == 0
    found = offered(completer, marked, requested=True)
    assert [one.text for one in found] == ["env-1", "env-2", "env-3"]
    assert {one.display_meta_text for one in found} == {"fetched now: 1 request"}
    assert complete(completer, f"{marked[:-1]}env-2|") == ["env-2"]
    assert sandbox.count() == 1


def test_choices_that_cannot_be_asked_for_are_a_hint(completer: KnowingCompleter) -> None:
    hint, _ = offered(completer, ".run failed_tasks broken=|", requested=True)
    assert hint.text == ""
    assert hint.display_meta_text.startswith("could not be fetched: ")


def test_files_are_completed_by_folder(tmp_path: Path) -> None:
    (tmp_path / "queries").mkdir()
    for name in ("queries/a.sql", "queries/b.sql", "rows.csv", ".hidden"):
        (tmp_path / name).touch()
    assert [one.text for one in files("", tmp_path)] == ["queries/", "rows.csv"]
    assert [one.text for one in files("queries/b", tmp_path)] == ["queries/b.sql"]
    assert [one.text for one in files(".h", tmp_path)] == [".hidden"]
    assert files("nowhere/x", tmp_path) == []
    assert [one.text for one in files(f"{tmp_path}/ro", Path())] == [f"{tmp_path}/rows.csv"]


def test_files_stand_in_strings_that_name_tables(completer: KnowingCompleter) -> None:
    assert "pyproject.toml'" in complete(completer, "FROM 'pypro|")
    assert "pyproject.toml'" in complete(completer, "FROM read_csv('pypro|")
    assert "tests/" in complete(completer, ".read tes|")
