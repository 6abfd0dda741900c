"""The shell in a window: its menus, wide and long answers, other sizes, other keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from connstat_sql.demo import DemoServers, Fault
from tests.sitting import PROMPT, at_prompt, home_at, press_until, shell


@pytest.fixture
def home(tmp_path: Path, sandbox: DemoServers) -> Path:
    return home_at(tmp_path, sandbox)


def test_the_menu_completes_commands_tables_and_values(home: Path, sandbox: DemoServers) -> None:
    with shell(home, columns=80, rows=24) as terminal:
        # the menu shows commands; Tab takes the first, Enter closes the menu
        terminal.wait_for("connections reached")
        terminal.type(".connec")
        terminal.wait_for("whether they answered")
        terminal.press("tab")
        terminal.wait_for(f"{PROMPT} .connections")
        terminal.press("enter")
        terminal.wait_until(lambda: "whether" not in terminal.text, "no menu")
        terminal.press("enter")
        terminal.wait_for("│ plant_a    │ kafka_connect │")
        at_prompt(terminal)
        # tables are completed by their last part
        terminal.type("SELECT name FROM plant_a.connect.connector_st")
        terminal.wait_for("connector_status")
        terminal.press("ctrl-c")
        at_prompt(terminal)
        # values are fetched when Tab asks for them, and not for longer than somebody waits
        terminal.type("FROM confluent.org.environments WHERE id = '")
        terminal.wait_for("id = '")
        sandbox.inject(Fault(api="confluent", delay=60.0))
        press_until(terminal, "tab", lambda: sandbox.count("confluent") > 0)
        terminal.press("ctrl-c")
        at_prompt(terminal)
        sandbox.heal()
        terminal.type("FROM confluent.org.environments WHERE id = '")
        press_until(terminal, "tab", lambda: "fetched now: 1 request" in terminal.text)
        terminal.wait_for("env-2")
        terminal.press("ctrl-c")
        at_prompt(terminal)
        terminal.enter(".quit")
        assert terminal.ended() == 0


def test_wide_rows_pages_an_editor_and_a_window_that_changes(home: Path) -> None:
    editor = home / "editor"
    editor.write_text("#!/bin/sh\necho 'SELECT 6 * 7 AS edited;' > \"$1\"\n", encoding="utf-8")
    editor.chmod(0o755)
    with shell(home, columns=80, rows=24, EDITOR=str(editor)) as terminal:
        # a wide row in 80 columns: nothing is lost, nothing wraps
        terminal.enter("\\x on")
        terminal.wait_for("a line for each value: always")
        at_prompt(terminal)
        terminal.enter("SELECT name, tasks FROM plant_a.connect.connectors LIMIT 1;")
        terminal.wait_for("ROW 1", "worker_id")
        at_prompt(terminal)
        terminal.enter("\\x auto")
        terminal.wait_for("where a table would not fit")
        at_prompt(terminal)
        # long answers are paged; short ones are not
        terminal.enter("SELECT 'line ' || range AS line FROM range(500);")
        terminal.wait_for("│ line 1 ")
        terminal.press("ctrl-c")  # is the pager's
        press_until(terminal, "G", lambda: "│ line 499 " in terminal.text)
        terminal.press("q")
        at_prompt(terminal)
        # the window changes
        terminal.resize(columns=60, rows=20)
        terminal.enter("SELECT repeat('wide ', 40) AS w;")
        terminal.wait_for("w │ wide wide")
        at_prompt(terminal)
        assert max(map(len, terminal.lines)) <= 60
        # the editor's text comes back to the prompt
        terminal.enter(".edit")
        terminal.wait_for(f"{PROMPT} SELECT 6 * 7 AS edited;")
        terminal.press("enter")
        terminal.wait_for("│     42 │")
        at_prompt(terminal)
        # keys of vi
        terminal.enter(".keys vi")
        terminal.wait_for("keys as in vi")
        at_prompt(terminal)
        terminal.type("SELECT 1 + 1 AS two;")
        terminal.press("escape", "0", "c", "w")
        terminal.type("VALUES (8), (9); --")
        terminal.wait_for("VALUES (8), (9); --1 + 1")
        terminal.press("escape", "enter")
        terminal.wait_for("│    9 │")
        terminal.enter(".quit")
        assert terminal.ended() == 0
