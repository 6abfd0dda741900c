"""Help reads like a manual: it fits, every option says what it is, every example runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from connstat_sql.cli import COMMANDS, root
from connstat_sql.cli.help import pages

WIDTH = 100
PROMISED = {
    "connstat": "--config --providers --version -q -v --no-progress --help",
    "query": "-F --format -o -p -f --partial --max-requests --strict --timeout --deadline "
    "--max-age --trace --chart --reveal --connect-timeout",
    "explain": "--analyze -F -p -f --max-requests --strict --max-age",
    "run": "-F -o --chart --partial --max-requests --strict --timeout --deadline --max-age --trace",
    "saved list": "-F",
    "watch": "--sql -f --every -F --count --once-at-start --key --state --ignore --deadline",
    "check": "--sql -f -w -c --rows --prometheus -o --deadline --timeout --max-age",
    "top": "--every --connection --provider --where --max-requests --timeout --deadline",
    "doctor": "--timeout",
    "demo": "--seed",
}
"""Options that users' scripts depend on."""


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command by what is typed after `connstat`."""
    yield "connstat", root
    for name in COMMANDS:
        command = root.get_command(click.Context(root), name)
        assert command is not None
        yield name, command
        if isinstance(command, click.Group):
            yield from ((f"{name} {one}", below) for one, below in command.commands.items())


ALL = dict(commands())


def help_of(name: str) -> str:
    words = [] if name == "connstat" else name.split()
    runner = CliRunner(env={"COLUMNS": "200"})
    answer = runner.invoke(root, [*words, "--help"], prog_name="connstat")
    assert answer.exit_code == 0
    return answer.stdout


@pytest.mark.parametrize("name", ALL)
def test_help_fits_and_shows_what_the_manual_says(name: str) -> None:
    text, page = help_of(name), pages()[name]
    assert text.startswith(f"Usage: connstat {'' if name == 'connstat' else f'{name} '}")
    assert max(map(len, text.splitlines())) <= WIDTH
    for title in ("Examples:", "See also:"):
        assert f"\n{title}\n" in text
    for _, command in page["examples"]:
        assert f"\n  {command}\n" in text
    assert ("\nExit codes:\n" in text) == ("exit_codes" in page)


def test_the_manual_is_of_the_commands_there_are() -> None:
    assert set(pages()) == set(ALL)


@pytest.mark.parametrize("name", ALL)
def test_every_option_says_what_it_is_and_its_default(name: str) -> None:
    for one in ALL[name].params:
        if not isinstance(one, click.Option) or one.hidden:
            continue
        assert one.help, one.name
        assert one.help.rstrip(".)") != one.help, one.name
        has_default = one.default not in (None, False, (), "") and not one.is_flag and not one.count
        if has_default and "Sentinel" not in repr(one.default):
            assert one.show_default, one.name


@pytest.mark.parametrize("name", PROMISED)
def test_what_is_promised_is_there(name: str) -> None:
    text = help_of(name)
    for option in PROMISED[name].split():
        assert re.search(rf"^  .*{option}\b", text, re.MULTILINE), option


def test_what_is_seen_also_exists() -> None:
    named = " ".join(name for page in pages().values() for name, _ in page.get("see_also", ()))
    seen = set(re.findall(r"connstat ([a-z]+(?: (?:list|show|check|validate|schema))?)", named))
    assert seen <= set(ALL) | {"run fleet", "run unreachable"}


def test_the_root_tells_of_every_variable_that_is_read() -> None:
    code = "".join(path.read_text() for path in Path("connstat_sql").rglob("*.py"))
    read = set(re.findall(r"\bCONNSTAT_[A-Z_]+\b", code)) | {"NO_COLOR", "PAGER", "EDITOR"}
    text = help_of("connstat")
    assert {name for name in read if name not in text} == set()
