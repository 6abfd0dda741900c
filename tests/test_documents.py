"""What the documents show is run here."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import fields
from importlib.util import find_spec
from pathlib import Path

import pytest
import tomllib
from click.testing import CliRunner

import connstat_sql
from connstat_sql import LiveDatabase
from connstat_sql.bootstrap import Setup, open_engine
from connstat_sql.bootstrap.assembly import Wiring
from connstat_sql.cli import COMMANDS, root
from connstat_sql.cli.demo import SHOWN, examples
from connstat_sql.definitions.loader import Library, shipped_providers
from connstat_sql.demo import DemoServers, World
from connstat_sql.engine import EngineOptions
from connstat_sql.executor import Progress
from connstat_sql.output.progress import in_words
from connstat_sql.saved import SavedQueries, prepare, standard_folders
from connstat_sql.transport import Connection
from tests.conftest import FakeClock
from tests.unit.cli.test_cli import toml_of
from tests.unit.output.test_diagnostics import failed, told

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
EXAMPLES = sorted((ROOT / "examples").glob("*.sql"))
TABLES = list(Library([shipped_providers()]).tables())


@pytest.fixture(scope="module")
def sandbox() -> Iterator[DemoServers]:
    with DemoServers(world=World.seeded(7)) as running:
        yield running


@pytest.fixture(scope="module")
def database(sandbox: DemoServers) -> Iterator[LiveDatabase]:
    engine = open_engine(
        Setup(connections=sandbox.connections), EngineOptions(environment={}, clock=FakeClock())
    )
    with LiveDatabase(engine) as opened:
        yield opened


def blocks(language: str) -> list[str]:
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    return [text for name, text in fenced if name == language]


def shell_lines() -> list[str]:
    """What the README types into a shell, the two commands of its beginning aside."""
    return [line for block in blocks("sh") for line in block.splitlines() if "venv" not in line]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_each_example_answers_with_rows(database: LiveDatabase, tmp_path: Path, path: Path) -> None:
    with chdir(tmp_path):  # some write files
        result = database.sql(path.read_text(encoding="utf-8"))
    assert result.table.num_rows > 0
    assert result.complete


def test_the_first_example_finds_every_hidden_failure(
    database: LiveDatabase, sandbox: DemoServers
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
        if not block.startswith("-- title:"):
            assert database.sql(block).has_rows


def test_the_saved_query_of_the_readme_is_one(database: LiveDatabase, tmp_path: Path) -> None:
    (text,) = (block for block in blocks("sql") if block.startswith("-- title:"))
    (tmp_path / "unwell.sql").write_text(text, encoding="utf-8")
    query = SavedQueries([tmp_path]).find("unwell")
    engine = database._engine
    everywhere = prepare(query, {}, engine)
    found = database.sql(everywhere.sql)
    assert found.table.num_rows > 1
    there = prepare(query, {"envs": "env-1,env-2", "plugin": "Sink"}, engine)
    some = database.sql(there.sql, there.arguments).fetchall()
    assert some == [row for row in found if row[0] in ("env-1", "env-2") and "Sink" in row[3]]


def test_the_readme_lists_the_saved_queries_that_are_shipped() -> None:
    section = README.partition("| `connstat run` | answers |")[2].partition("\n\n")[0]
    listed = dict(re.findall(r"^\| `([\w-]+)[^`]*` \| (.*) \|$", section, re.MULTILINE))
    shipped = SavedQueries(standard_folders(ROOT / "nowhere", ROOT / "nowhere"))
    assert listed == {one.name: one.title for one in shipped}


def test_the_readme_python_runs(sandbox: DemoServers, capsys: pytest.CaptureFixture[str]) -> None:
    code = blocks("python")[0].replace(
        "http://localhost:8083", str(sandbox.connections["plant_a"]["base_url"])
    )
    exec(compile(code, "README.md", "exec"), {})
    assert "True () 2" in capsys.readouterr().out


def test_the_readme_has_one_line_for_the_demo_and_one_for_the_tests() -> None:
    demo, tests = (block.strip() for block in blocks("sh")[:2])
    assert "\n" not in demo
    assert demo.endswith("connstat demo")
    assert "\n" not in tests
    assert tests.endswith("pytest")
    for line, lock in ((demo, "requirements.txt"), (tests, "requirements-dev.txt")):
        assert re.search(rf"install -q (--no-compile )?-r {lock} && ", line)
        assert (
            "install -q --no-deps --no-build-isolation . && " in line
        )  # nothing that is not locked


def test_each_command_the_readme_names_exists() -> None:
    named = set(re.findall(r"connstat (?:-\S+ (?:\S+ )?)?([a-z]+)", " ".join(blocks("sh"))))
    assert named <= set(COMMANDS)


@pytest.mark.parametrize("line", [one for one in shell_lines() if one.startswith("connstat ")])
def test_each_command_of_the_readme_runs(sandbox: DemoServers, tmp_path: Path, line: str) -> None:
    runner = CliRunner(env=dict.fromkeys(("CONNSTAT_CONFIG", "KAFKA_CONNECT_URL")))
    with chdir(tmp_path):
        Path("connstat.toml").write_text(toml_of(sandbox.connections), encoding="utf-8")
        Path("question.sql").write_text("SELECT $name AS name", encoding="utf-8")
        typed = shlex.split(line)[1:]
        answer = runner.invoke(root, [*typed, "--count", "1"] if typed[0] == "watch" else typed)
        is_check = typed[0] == "check" and answer.exit_code in (1, 2)  # it has found something
        assert answer.exit_code == 0 or is_check, answer.output
        assert answer.output or any(Path().glob("*.[ph]*"))  # rows, what was said, or a file


def test_the_configuration_of_the_readme_is_understood(tmp_path: Path) -> None:
    (tmp_path / "definitions").mkdir()
    config = tmp_path / "connstat.toml"
    texts = blocks("toml")
    tables = {table for text in texts for table in re.findall(r"(?m)^\[connections\.(\w+)\]", text)}
    found, files = set(), set()
    for text in texts:
        config.write_text(text, encoding="utf-8")
        wiring = Wiring(Setup(config=config), environment={})
        found |= set(wiring.connections) & tables
        files.add(wiring.cache_file)
    assert found == tables >= {"plant_a", "plant_b"}
    assert len(files) == 2


def test_the_readme_names_every_key_of_a_connection() -> None:
    section = README.partition("| key | what it says |")[2].partition("\n\n")[0]
    named = {key for line in section.splitlines() for key in re.findall(r"`(\w+)`", cell(line))}
    own = {"name", "provider", "settings", "origin", "said"}
    assert named == {one.name for one in fields(Connection)} - own


def cell(line: str) -> str:
    """The first column of a row of a table."""
    return line.split("|")[1] if "|" in line else ""


def test_what_the_readme_shows_of_stderr_is_what_is_said() -> None:
    name = "orders-s3-sink"
    refused = f"answered 503: no worker for {name}"
    failures = [
        *(failed("plant_a", f"plant_a {refused}{n}", 503, name=f"{name}{n}") for n in range(36)),
        failed("plant_b", "plant_b did not answer: no answer within 30 s"),
    ]
    scan = Progress("kafka_connect.connect.connector_status", 120, 500, 3000, 12.0)
    shown = [text.splitlines() for text in blocks("")]
    assert shown == [told(failures, 120), [in_words([scan], 120)]]


def test_each_module_of_the_architecture_exists() -> None:
    package = Path(connstat_sql.__file__).parent
    for name in re.findall(r"`([a-z_]+(?:/[a-z_]+)*(?:\.py|/))`", ARCHITECTURE):
        if name not in ("providers/", "connstat_sql/"):
            found = list(package.rglob(name.rstrip("/"))) or list(ROOT.glob(name))
            assert found, name


def test_each_long_run_is_told_to_contributors() -> None:
    named = set(re.findall(r"`python -m tests\.([\w.]+)", ARCHITECTURE))
    assert named == {
        "pictures",
        "tools.move_lock",
        *(one.parent.name for one in (ROOT / "tests").glob("*/__main__.py")),
    }


def commands_of_contributing() -> list[str]:
    """What it says to type, the setting up aside."""
    return [
        *re.findall(r"^\| `([^`]+)` \|", CONTRIBUTING, re.MULTILINE),
        *re.findall(r"`(python -m [^`]+)`", CONTRIBUTING),
    ]


@pytest.mark.parametrize("command", commands_of_contributing())
def test_each_command_of_contributing_is_one(command: str) -> None:
    checks = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    match shlex.split(command):
        case ["python", "-m", module, *_]:
            assert find_spec(module) is not None
        case ["pytest", "-m", mark]:
            settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
            marks = settings["tool"]["pytest"]["ini_options"]["markers"]
            assert mark in {text.partition(":")[0] for text in marks}
        case ["pytest", *paths]:
            assert all((ROOT / path).exists() for path in paths)
        case [".ci/run"]:
            assert checks
        case [tool, *arguments]:
            assert " ".join([f'  "$bin/{tool}"', *arguments]) + "\n" in checks


def test_contributing_sets_up_what_was_tested_and_leads_on_to_files() -> None:
    (block,) = re.findall(r"^```sh\n(.*?)^```$", CONTRIBUTING, re.DOTALL | re.MULTILINE)
    made, installed = block.splitlines()
    assert made.endswith("install -q -r requirements-dev.txt")
    assert installed.endswith("install -q --no-deps --no-build-isolation -e .")
    links = re.findall(r"\]\(([^)]+)\)", CONTRIBUTING)
    assert "ARCHITECTURE.md" in links
    assert all((ROOT / link).is_file() for link in links)
    assert all((ROOT / path).exists() for path in re.findall(r"`(tests/[\w./]*)`", CONTRIBUTING))


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
