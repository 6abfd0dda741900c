"""Every example that help shows runs, in a folder like that of somebody who follows them."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from connstat_sql.cli import root
from connstat_sql.cli.help import pages
from connstat_sql.definitions.loader import shipped_providers
from connstat_sql.demo import DemoServers, Fault, World
from tests.unit.cli.test_cli import toml_of


@pytest.fixture(scope="module")
def sandbox() -> Iterator[DemoServers]:
    with DemoServers(World.seeded(7, environments=1, clusters=1, connectors=8)) as running:
        yield running


@pytest.fixture
def home(sandbox: DemoServers, tmp_path: Path) -> Iterator[Path]:
    """A working directory as a user has it who follows the examples."""
    (tmp_path / "connstat.toml").write_text(toml_of(sandbox.connections), encoding="utf-8")
    (tmp_path / "question.sql").write_text("SELECT $name AS name", encoding="utf-8")
    (tmp_path / "connstat" / "queries").mkdir(parents=True)
    (tmp_path / "connstat" / "queries" / "one.sql").write_text("-- title: One\nSELECT 1 AS one")
    shutil.copytree(shipped_providers() / "aeontel", tmp_path / "definitions" / "aeontel")
    with chdir(tmp_path):
        yield tmp_path


EXAMPLES = sorted({command for page in pages().values() for _, command in page["examples"]})


@pytest.mark.parametrize("line", EXAMPLES)
def test_every_example_runs(home: Path, line: str) -> None:
    program, *typed = shlex.split(line)
    assert program == "connstat"
    if typed[0] in ("top", "init") or (typed[0] == "demo" and typed[1:]):
        # what goes on until it is left, or asks: it is run in a terminal elsewhere
        command = root.get_command(click.Context(root), typed[0])
        assert command is not None
        command.make_context(typed[0], typed[1:])
        return
    more = ["--count", "1", "--once-at-start", "show"] if typed[0] == "watch" else []
    runner = CliRunner(env=dict.fromkeys(("CONNSTAT_CONFIG", "KAFKA_CONNECT_URL")))
    answer = runner.invoke(root, [*typed, *more])
    is_check = "check" in typed and answer.exit_code in (1, 2)  # it has found something
    is_over = "--max-requests" in typed and answer.exit_code == 1
    assert answer.exit_code == 0 or is_check or is_over, answer.output
    assert answer.output or (home / typed[-1]).stat().st_size


def test_a_chart_that_cannot_be_drawn_tells_all_requests_of_its_statements(home: Path) -> None:
    answer = CliRunner().invoke(
        root, ["query", "--chart", "SELECT name, 1 FROM plant_a.connect.connectors; SELECT 'a'"]
    )
    assert answer.exit_code == 1
    assert answer.stderr.endswith("Sent before: 1 request.\n")
    assert home.is_dir()


def test_a_failure_of_one_connection_among_others_is_told_of_partial(
    home: Path, sandbox: DemoServers
) -> None:
    told = "; --partial  prints the rows of the others"
    sandbox.inject(Fault(api="plant_b", status=403))
    try:
        for sql, is_told in (
            ("FROM kafka_connect.connect.connectors", True),
            ("FROM plant_b.connect.connectors", False),
        ):
            answer = CliRunner().invoke(root, ["query", sql])
            assert answer.exit_code == 3
            assert (told in answer.stderr) == is_told
    finally:
        sandbox.heal()
    assert home.is_dir()
