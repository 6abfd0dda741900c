"""Shells beside and after each other, and scripts in place of somebody who types."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from connstat_sql.cli import root
from connstat_sql.demo import DemoServers, Fault
from tests.sitting import PROMPT, at_prompt, home_at, shell


@pytest.fixture
def home(tmp_path: Path, sandbox: DemoServers) -> Path:
    return home_at(tmp_path, sandbox)


def test_two_shells_share_a_history_and_the_next_one_has_it_all(home: Path) -> None:
    with shell(home) as one, shell(home) as other:
        for name, terminal in (("first", one), ("second", other), ("third", one)):
            terminal.enter(f"SELECT '{name}' AS word;")
            terminal.wait_for(f"│ {name}")
            at_prompt(terminal)
        # up goes back in this shell; what the other one typed is not among it
        one.press("up", "up")
        at_prompt(one, f"{PROMPT} SELECT 'first' AS word;")
        one.press("ctrl-c")
        for terminal in (one, other):
            at_prompt(terminal)
            terminal.press("ctrl-d")
            assert terminal.ended() == 0
    with shell(home) as terminal:
        assert "Tab completes" not in terminal.text, "that is for the first time"
        terminal.press("ctrl-r")
        terminal.wait_for("I-search")
        terminal.type("secon")
        terminal.wait_for("SELECT 'second' AS word;")
        terminal.press("enter")
        at_prompt(terminal, f"{PROMPT} SELECT 'second' AS word;")
        terminal.press("enter")
        terminal.wait_for("│ second")
        terminal.enter("\\q")
        assert terminal.ended() == 0


def piped(home: Path, script: str | bytes, *options: str) -> Result:
    """What `connstat` alone does with a script on standard input."""
    arguments = ["--config", str(home / "connstat.toml"), *options]
    return CliRunner(env={"NO_COLOR": "1"}).invoke(root, arguments, input=script)


def test_a_pipe_is_a_script_in_a_process_of_its_own(home: Path) -> None:
    around = {**os.environ, "HOME": str(home), "XDG_STATE_HOME": ""}
    done = subprocess.run(
        [sys.executable, "-m", "connstat_sql", "--config", str(home / "connstat.toml")],
        input="SELECT 1 AS one;\nSELECT 2 AS two", capture_output=True, text=True, timeout=60,
        check=False, env=around,
    )  # fmt: skip
    assert done.returncode == 0
    assert "one" in done.stdout
    assert "two" in done.stdout
    assert done.stderr == ""
    assert not (home / ".local").exists(), "a script is no history"


@pytest.mark.parametrize(
    ("script", "code", "words"),
    [
        ("SELECT 1;", 0, ""),
        (".tables *_status\n.help\n", 0, ""),
        ("SELECT nix;\nSELECT 1 AS later;", 1, "nix"),
        (".mode jsonl\n.unknown\nSELECT 1 AS later;", 2, "there is no command .unknown"),
        (".read nowhere.sql", 2, "nowhere.sql cannot be read"),
        (".run nowhere", 2, "nowhere"),
        ("SELECT name FROM plant_b.connect.connectors;\nSELECT 1 AS later;", 3, "403"),
        (".partial on\nSELECT name FROM plant_b.connect.connectors;\nSELECT 1;", 4, "partial"),
    ],
)
def test_a_script_ends_with_the_code_of_its_first_failure(
    home: Path, sandbox: DemoServers, script: str, code: int, words: str
) -> None:
    sandbox.inject(Fault(api="plant_b", status=403))
    answer = piped(home, script)
    assert answer.exit_code == code, answer.stderr
    assert words in answer.stderr
    assert "later" not in answer.stdout


@pytest.mark.parametrize("nothing", ["", " \n\n"])
def test_nothing_on_standard_input_is_a_question_of_usage(home: Path, nothing: str) -> None:
    answer = piped(home, nothing)
    assert answer.exit_code == 2
    assert "Usage:" in answer.stderr
    assert answer.stdout == ""


def test_a_script_that_is_not_text_is_said(home: Path) -> None:
    answer = piped(home, b"SELECT '\xff\xfe';")
    assert answer.exit_code == 2
    assert "not UTF-8" in answer.stderr
