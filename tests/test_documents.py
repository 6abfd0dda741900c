"""What the documents show is run here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import connstat_sql
from connstat_sql import LiveDatabase
from connstat_sql.cli import COMMANDS
from connstat_sql.cli.demo import SHOWN, examples
from connstat_sql.engine import Outside
from connstat_sql.loader import Library, shipped_providers
from connstat_sql.opening import Setup, open_engine
from connstat_sql.sandbox import Sandbox, World

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLES = sorted((ROOT / "examples").glob("*.sql"))
TABLES = list(Library([shipped_providers()]).tables())


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(world=World.seeded(7)) as running:
        yield running


@pytest.fixture(scope="module")
def database(sandbox: Sandbox) -> Iterator[LiveDatabase]:
    engine = open_engine(Setup(connections=sandbox.connections), Outside(environment={}))
    with LiveDatabase(engine) as opened:
        yield opened


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_each_example_answers_with_rows(database: LiveDatabase, path: Path) -> None:
    result = database.sql(path.read_text(encoding="utf-8"))
    assert result.table.num_rows > 0
    assert result.complete


def test_the_first_example_finds_every_hidden_failure(
    database: LiveDatabase, sandbox: Sandbox
) -> None:
    found = {row[2] for row in database.sql(EXAMPLES[0].read_text(encoding="utf-8"))}
    world = sandbox.world
    connectors = [
        *world.confluent.connectors,
        *world.redpanda.connectors,
        *(one for cluster in world.kafka_connect for one in cluster.connectors),
    ]
    hidden = {
        getattr(one, "connector", one).name
        for one in connectors
        if getattr(one, "connector", one).hides_failure
    }
    assert hidden <= found


def test_the_demo_shows_examples() -> None:
    assert all((examples() / f"{name}.sql").is_file() for name in SHOWN)


@pytest.mark.parametrize("resource", TABLES, ids=lambda resource: str(resource.table))
def test_each_table_has_an_example_that_answers(database: LiveDatabase, resource: object) -> None:
    example = resource.example  # type: ignore[attr-defined]
    assert example
    result = database.sql(example)
    assert result.table.num_columns > 0
    assert result.requests > 0


def test_each_statement_of_the_readme_runs(database: LiveDatabase) -> None:
    for block in blocks("sql"):
        assert database.sql(block).has_rows


def test_the_readme_python_runs(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    code = blocks("python")[0].replace(
        "http://localhost:8083", str(sandbox.connections["plant_a"]["base_url"])
    )
    exec(compile(code, "README.md", "exec"), {})
    assert "True 1" in capsys.readouterr().out


def test_the_readme_has_one_line_for_the_demo_and_one_for_the_tests() -> None:
    demo, tests = (block.strip() for block in blocks("sh")[:2])
    assert "\n" not in demo
    assert demo.endswith("connstat demo")
    assert "\n" not in tests
    assert tests.endswith("pytest")


def test_each_command_the_readme_names_exists() -> None:
    named = set(re.findall(r"connstat (?:--\S+ \S+ )?([a-z]+)", " ".join(blocks("sh"))))
    assert named <= set(COMMANDS)


def test_each_module_of_the_architecture_exists() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    package = Path(connstat_sql.__file__).parent
    for name in re.findall(r"`([a-z_]+(?:/[a-z_]+)*(?:\.py|/))`", text):
        if name not in ("providers/", "connstat_sql/"):
            found = list(package.rglob(name.rstrip("/"))) or list(ROOT.glob(name))
            assert found, name


def test_the_variables_of_the_readme_are_the_definitions() -> None:
    variables = {
        setting.env
        for name in ("confluent", "redpanda", "kafka_connect", "aeontel")
        for provider in [Library([shipped_providers()]).provider(name)]
        if provider is not None
        for setting in provider.settings
    }
    section = README.partition("| provider | variables |")[2].partition("\n\n")[0]
    assert set(re.findall(r"`([A-Z_]{5,})`", section)) <= variables
