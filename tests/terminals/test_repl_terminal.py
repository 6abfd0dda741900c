"""The shell in a real pseudo-terminal: typed at, interrupted, left.

A program takes a moment to start, so that a test is a sitting of several things.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from connstat_sql.demo import DemoServers, Fault
from tests.sitting import PROMPT, at_prompt, history_of, home_at, shell

SLOW = "SELECT name FROM plant_b.connect.connectors;"


@pytest.fixture
def home(tmp_path: Path, sandbox: DemoServers) -> Path:
    return home_at(tmp_path, sandbox)


def test_a_sitting(home: Path, sandbox: DemoServers) -> None:
    with shell(home) as terminal:
        # the first time it says how to go on; a statement goes over several lines
        assert "Tab completes" in terminal.text
        terminal.enter("SELECT 40 +")
        terminal.wait_for("...>")
        terminal.enter("  2 AS answer;")
        terminal.wait_for("│     42 │", "1 row, 0 requests")
        at_prompt(terminal)
        # an error is told, and the shell goes on; the nearest name is offered
        terminal.enter("SELECT * FROM confluent.org.enviroments;")
        terminal.wait_for("confluent.org.environments", "No request was sent.")
        at_prompt(terminal)
        # Ctrl-C while typing clears the line
        terminal.type("SELECT nonsense")
        terminal.wait_for("SELECT nonsense")
        terminal.press("ctrl-c")
        at_prompt(terminal)
        # Ctrl-C while a statement runs ends the statement
        sandbox.inject(Fault(api="plant_b", delay=60))
        terminal.enter(SLOW)
        terminal.wait_until(lambda: sandbox.count() > 0, "a request")
        terminal.press("ctrl-c")
        terminal.wait_for("interrupted")
        at_prompt(terminal)
        # Alt-Enter needs no semicolon
        terminal.type("SELECT count(*) AS n FROM plant_a.connect.connectors")
        terminal.press("alt-enter")
        terminal.wait_for("│ 6 │", "1 of 5 connections reached", "complete")
        # a transaction shows
        terminal.enter("BEGIN;")
        at_prompt(terminal, "connstat*>")
        terminal.enter("SELECT error('broken');")
        at_prompt(terminal, "connstat!>")
        terminal.enter("ROLLBACK;")
        at_prompt(terminal)
        # a secret is not written down
        terminal.enter("SELECT 'x' AS password, 'password=hunter2' AS b;")
        terminal.wait_for("│ password=hunter2 │")
        at_prompt(terminal)
        terminal.press("ctrl-d")
        assert terminal.ended() == 0
    assert "hunter2" not in history_of(home)
    assert "+SELECT 40 +\n+  2 AS answer;" in history_of(home)


def test_a_poor_terminal_without_colours_and_letters(home: Path) -> None:
    state = home / "state"
    state.write_text("a file where a folder should be", encoding="utf-8")
    with shell(home, NO_COLOR="1", LC_ALL="C", XDG_STATE_HOME=str(state)) as terminal:
        terminal.enter("SELECT name, connector.state FROM plant_a.connect.connectors LIMIT 2;")
        terminal.wait_for("| name", "2 rows")
        terminal.wait_for("the history is not kept")
        at_prompt(terminal)
        terminal.enter("SELECT 1 AS again;")
        terminal.wait_for("| again |")
        at_prompt(terminal)
        assert terminal.scrolled.count("the history is not kept") == 1
        terminal.press("up", "up")
        at_prompt(
            terminal,
            f"{PROMPT} SELECT name, connector.state FROM plant_a.connect.connectors LIMIT 2;",
        )
        terminal.press("ctrl-c")
        at_prompt(terminal)
        terminal.press("ctrl-d")
        assert terminal.ended() == 0
        assert terminal.written.decode("ascii"), "nothing but ASCII is drawn"
        colors = [part for part in terminal.written.split(b"\x1b[") if part[:2] in (b"31", b"38")]
        assert not colors


def test_a_dumb_terminal(home: Path) -> None:
    with shell(home, TERM="dumb") as terminal:
        terminal.enter("SELECT 40 +")
        terminal.wait_for("...>")
        terminal.enter("2 AS answer;")
        terminal.wait_for("│     42 │")
        at_prompt(terminal)
        terminal.enter("SELECT nix;")
        terminal.wait_for("error:")
        at_prompt(terminal)
        terminal.enter(".timer on")
        terminal.wait_for("timer on")
        terminal.press("ctrl-d")
        assert terminal.ended() == 0
        assert b"\x1b" not in terminal.written
