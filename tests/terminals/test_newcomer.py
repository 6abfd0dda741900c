"""Somebody who has just come types what the README says, in a terminal of 80 columns."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from connstat_sql.demo import DemoServers
from tests.sitting import PROMPT, at_prompt, home_at
from tests.terminal import Terminal
from tests.test_documents import shell_lines

ROOT = Path(__file__).parents[2]
DONE = re.compile(r"^code=(\d+) *$", re.MULTILINE)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home in whose PATH there is a `connstat`."""
    command = tmp_path / "bin" / "connstat"
    command.parent.mkdir()
    start = f'PYTHONPATH={ROOT} exec {sys.executable} -m connstat_sql "$@"'
    command.write_text(f"#!/bin/sh\n{start}\n", "utf-8")
    command.chmod(0o755)
    return tmp_path


@pytest.fixture
def terminal(home: Path) -> Iterator[Terminal]:
    around = {
        "HOME": str(home),
        "PATH": f"{home / 'bin'}:/usr/bin:/bin",
        "PS1": "newcomer$ ",
        "PAGER": "cat",
    }
    arguments = ("--norc", "--noprofile", "-i")
    with Terminal(
        *arguments, program="/bin/bash", environment=around, columns=80, rows=24
    ) as opened:
        opened.wait_for("newcomer$")
        yield opened


def typed(terminal: Terminal, line: str) -> tuple[str, int]:
    """What a command shows on its last screen, and its exit code."""
    terminal.enter("clear")
    terminal.enter(f"{line}; echo code=$?")
    terminal.wait_until(lambda: DONE.search(terminal.text) is not None, f"the end of {line}")
    ended = DONE.search(terminal.text)
    assert ended is not None
    assert "Traceback" not in terminal.text
    return terminal.text, int(ended[1])


def test_the_demo_and_its_shell(terminal: Terminal) -> None:
    shown, code = typed(terminal, "connstat demo")
    assert code == 0
    assert "What next:" in shown
    terminal.enter("clear; connstat demo --shell")
    shown = terminal.wait_for(
        PROMPT, "Try", "FROM inventory.connectors.connectors ORDER BY health;"
    )
    assert "Nothing configured yet?" not in shown
    terminal.enter("SELECT count(DISTINCT provider) AS n FROM inventory.connectors.connectors;")
    terminal.wait_for("│ 4 │", "complete")
    at_prompt(terminal)
    terminal.enter(".tables *status")
    terminal.wait_for("connector_status")
    at_prompt(terminal)
    terminal.enter("\\d plant_a.connect.worker")
    terminal.wait_for("kafka_cluster_id", "_observed_at")
    at_prompt(terminal)
    terminal.press("ctrl-d")
    terminal.wait_for("newcomer$")


def test_connections_are_asked_for_and_written(
    terminal: Terminal, home: Path, sandbox: DemoServers
) -> None:
    url = str(sandbox.connections["plant_a"]["base_url"])
    terminal.enter("clear; connstat init; echo code=$?")
    for question, answer in (
        ("Connect aeontel", "n"), ("Connect confluent", "n"), ("Connect kafka_connect", "y"),
        ("its name", "plant"),
        ("base_url", url), ("ask for a login", "n"), ("Another connection", "n"),
        ("Connect redpanda", "n"),
    ):  # fmt: skip
        terminal.wait_until(partial(_is_asked, terminal, question), question)
        terminal.enter(answer)
    terminal.wait_until(lambda: DONE.search(terminal.text) is not None, "the end")
    assert "plant  ok  " in terminal.scrolled
    assert (home / "connstat.toml").is_file()
    shown, code = typed(terminal, "connstat doctor")
    assert (code, "plant  ok  " in shown) == (0, True)


def _is_asked(terminal: Terminal, question: str) -> bool:
    """Whether the cursor stands behind a question."""
    row, _ = terminal.cursor
    return question in terminal.lines[row]


@pytest.fixture
def configured(home: Path, sandbox: DemoServers) -> Path:
    (home / "question.sql").write_text("SELECT $name AS name", "utf-8")
    return home_at(home, sandbox)


@pytest.mark.usefixtures("configured")
def test_every_command_of_the_readme(terminal: Terminal) -> None:
    lines = [line for line in shell_lines() if line.startswith("connstat ")]
    assert len(lines) > 10
    for line in lines:
        is_watch, is_check = (line.startswith(f"connstat {word} ") for word in ("watch", "check"))
        _, code = typed(terminal, f"{line} --count 1" if is_watch else line)
        assert code in ((0, 1, 2) if is_check else (0,)), f"{line}\n{terminal.scrolled}"
