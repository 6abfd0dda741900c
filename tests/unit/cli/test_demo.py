"""`connstat demo`: a sandbox to look at, to play with and to keep; its next steps as printed."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from connstat_sql.bootstrap import Setup
from connstat_sql.bootstrap.assembly import Wiring
from connstat_sql.cli import root
from connstat_sql.cli.demo import SHOWN, examples
from connstat_sql.cli.program import program
from connstat_sql.errors import ConfigError
from connstat_sql.extras import EXTRAS, lacking
from connstat_sql.python_version import OLDEST, refusal
from tests.unit.cli.test_cli import process


def test_the_first_question_is_one_line_over_the_inventory() -> None:
    sql = (examples() / f"{SHOWN[0]}.sql").read_text("utf-8")
    assert "FROM inventory.connectors.connectors" in sql
    assert "UNION" not in sql
    assert len(sql.splitlines()) <= 6


def test_the_shell_of_the_demo_asks_the_sandbox() -> None:
    sql = "SELECT count(DISTINCT provider) AS systems FROM inventory.connectors.clusters;"
    answer = CliRunner(env={"KAFKA_CONNECT_URL": "http://127.0.0.1:9"}).invoke(
        root, ["demo", "--shell"], input=f".mode csv\n{sql}\n"
    )
    assert (answer.exit_code, answer.stdout.splitlines()[-2:]) == (0, ["systems", "4"])


def test_the_shell_of_the_demo_needs_something_to_run() -> None:
    answer = CliRunner().invoke(root, ["demo", "--shell"], input="")
    assert answer.exit_code == 2
    assert "a terminal, or a script" in answer.stderr


@pytest.fixture
def served() -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    command = [sys.executable, "-m", "connstat_sql", "demo", "--serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(4)]
        try:
            yield process, lines
        finally:
            process.terminate()


def test_what_is_served_stays_until_it_is_told_to_end_and_leaves_nothing(
    served: tuple[subprocess.Popen[str], list[str]],
) -> None:
    process, lines = served
    config = Path(re.findall(r"--config (\S+)", lines[2])[0])
    wiring = Wiring(Setup(config=config), {})
    assert set(wiring.connections) == {"aeontel", "confluent", "plant_a", "plant_b", "redpanda"}
    assert wiring.cautions == ()  # its secrets are references, as everybody's should be
    assert httpx.get(str(wiring.connections["plant_a"].base_url)).status_code == 200
    assert config.parent.stat().st_mode & 0o077 == 0
    assert shlex.split(lines[3])[-2:] == ["query", "FROM inventory.connectors.clusters"]
    process.terminate()
    assert process.wait(30) == 0
    assert not config.parent.exists()


# what is printed to be pasted


def test_a_command_is_printed_as_it_is_typed_from_here(tmp_path: Path) -> None:
    bin_ = tmp_path / "my env" / "bin"
    bin_.mkdir(parents=True)
    file = bin_ / "connstat"
    file.write_text("#!/bin/sh\n")
    file.chmod(0o755)
    there = str(file)
    assert program(there, tmp_path, "") == "'my env/bin/connstat'"
    assert program(there, tmp_path / "elsewhere", "") == shlex.quote(there)
    assert program(there, tmp_path, str(bin_)) == "connstat"
    assert program("-m", tmp_path).endswith(" -m connstat_sql")


def test_the_demo_answers_over_four_systems_and_its_next_steps_run_this_program() -> None:
    answer = process("demo")
    assert (answer.returncode, answer.stderr) == (0, "")
    for system in ("confluent", "redpanda", "kafka_connect", "aeontel"):
        assert f"│ {system} " in answer.stdout
    assert "complete: 1 request in" in answer.stdout
    lines = answer.stdout.partition("What next:\n")[2].splitlines()
    steps = [shlex.split(re.split(r"\s{2,}", line.strip())[0]) for line in lines]
    assert [step[-1] for step in steps] == ["--shell", "init", "list"]
    assert all(Path(step[0]).samefile(sys.executable) for step in steps)
    assert all(step[1:3] == ["-m", "connstat_sql"] for step in steps)


# what is not installed, or too old


@pytest.mark.parametrize("extra", EXTRAS)
def test_a_missing_package_is_one_error_with_the_command_that_brings_it(extra: str) -> None:
    error = lacking("this", extra)
    assert isinstance(error, ConfigError)
    python, *rest = shlex.split(error.hint)
    assert Path(python).samefile(sys.executable)
    assert rest == ["-m", "pip", "install", EXTRAS[extra]]


@pytest.mark.parametrize("version", [(3, 6, 15), (3, 10, 99)])
def test_a_python_that_is_too_old_is_told_in_words(version: tuple[int, ...]) -> None:
    assert "needs Python 3.11 or newer, and this is Python 3." in refusal(version)


def test_a_python_that_will_do_is_not_spoken_of() -> None:
    assert refusal(OLDEST) == refusal((4, 0, 0)) == refusal(sys.version_info[:3]) == ""
