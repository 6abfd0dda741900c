"""Answers longer than the screen go through the user's pager, and end well however it ends."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

from connstat_sql.output.pager import Screen
from tests.sitting import press_until
from tests.terminal import Terminal


def shown(folder: Path, *arguments: str, pager: str, ending: str) -> tuple[str, int]:
    """What a query leaves on a screen of 20 lines, and its exit code."""
    around = {"HOME": str(folder), "PAGER": pager}
    with Terminal(
        "-m", "connstat_sql", "query", *arguments, environment=around, columns=100, rows=20
    ) as terminal:
        return terminal.wait_for(ending), terminal.ended()


MANY = "SELECT range AS n FROM range(100_000)"


def test_a_pager_has_every_row_of_a_long_answer(tmp_path: Path) -> None:
    assert shown(tmp_path, MANY, pager="wc -l", ending="100005")[1] == 0


def test_what_fits_the_screen_is_printed(tmp_path: Path) -> None:
    text, code = shown(tmp_path, "FROM range(10)", pager="wc -l", ending="10 rows")
    assert (code, re.search("│ +9 │", text) is not None) == (0, True)


def test_each_long_answer_has_a_pager_of_its_own_and_may_be_left(tmp_path: Path) -> None:
    sql = f"{MANY}; SELECT 'last' AS word FROM range(30)"
    text, code = shown(tmp_path, "-F", "csv", sql, pager="head -n 2", ending="last")
    assert (code, text.split()) == (0, ["n", "0", "word", "last"])


def test_without_a_pager_what_is_left_out_is_told(tmp_path: Path) -> None:
    told = "100,000 rows, of which the first 1,000 are shown: -o FILE  takes all"
    assert shown(tmp_path, MANY, "--no-pager", pager="wc -l", ending=told)[1] == 0


def test_a_pager_that_is_not_there_costs_no_rows(tmp_path: Path) -> None:
    text, code = shown(tmp_path, "FROM range(30)", pager="nowhere-at-all", ending="30 rows")
    assert (code, "29" in text) == (0, True)


def test_ctrl_c_is_the_pagers(tmp_path: Path) -> None:
    around = {"HOME": str(tmp_path), "PAGER": "less"}
    arguments = ("-m", "connstat_sql", "query", "SELECT 'row ' || range AS n FROM range(100)")
    with Terminal(*arguments, environment=around, columns=80, rows=20) as terminal:
        terminal.wait_for("│ row 9 ")
        terminal.press("ctrl-c")
        press_until(terminal, "G", lambda: "│ row 99 " in terminal.text)
        terminal.press("q")
        assert terminal.ended() == 0


@pytest.mark.parametrize(
    ("environment", "command"),
    [
        ({"PAGER": "less -R"}, ["less", "-R"]),
        ({"PAGER": "cat"}, None),
        ({"PAGER": ""}, None),
        ({"PAGER": "'less"}, None),
        ({"PAGER": "nowhere-at-all"}, None),
        ({"TERM": "dumb"}, None),
    ],
)
def test_what_pages(environment: dict[str, str], command: list[str] | None) -> None:
    class OnTerminal(io.BytesIO):
        def isatty(self) -> bool:
            return True

    screen = Screen(OnTerminal(), environment)
    assert screen.command == command
    assert ("there is no pager" in screen.lack) == ("nowhere" in environment.get("PAGER", ""))
    assert Screen(io.BytesIO(), environment).command is None
    assert Screen(OnTerminal(), environment, is_paging=False).command is None
