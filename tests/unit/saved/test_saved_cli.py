"""`connstat run` and `connstat saved`: rows on stdout, words on stderr, codes, completion."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner, Result

from connstat_sql.cli import root
from connstat_sql.demo import DemoServers
from tests.benchmarks.saved import write_queries
from tests.unit.cli.test_cli import toml_of

TASKS = """\
-- title: Tasks that have failed
-- description: Behind a connector that says RUNNING, too.
-- params:
--   name: {type: "VARCHAR[]", description: only of these connectors}
--   state: {default: FAILED, allowed: [FAILED, RUNNING, PAUSED], description: of the task}
--   at_least: {type: INTEGER, default: 1}
-- key: [connector_name]
SELECT connector_name, count(*) AS tasks
FROM (SELECT connector_name, unnest(tasks) AS task FROM plant_a.connect.connector_status
      WHERE ($name IS NULL OR connector_name = ANY($name)))
WHERE task.state = $state
GROUP BY ALL HAVING count(*) >= $at_least
ORDER BY ALL
"""
NEEDY = """\
-- title: One day's costs
-- params:
--   day: {type: DATE, required: true}
SELECT $day AS day
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, sandbox: DemoServers) -> Iterator[Path]:
    """A working directory with a configuration and saved queries of its own, and a user's."""
    folder = tmp_path_factory.mktemp("place")
    mine, users = folder / "connstat" / "queries", folder / "user" / "connstat" / "queries"
    for directory in (mine, users):
        directory.mkdir(parents=True)
    (folder / "connstat.toml").write_text(toml_of(sandbox.connections), "utf-8")
    (mine / "tasks.sql").write_text(TASKS, "utf-8")
    (mine / "needy.sql").write_text(NEEDY, "utf-8")
    (users / "tasks.sql").write_text("SELECT 'the user''s'", "utf-8")
    (users / "theirs.sql").write_text("-- partial: true\nSELECT 'the user''s' AS whose", "utf-8")
    with chdir(folder):
        yield folder


def run(place: Path, *arguments: str) -> Result:
    env = {"NO_COLOR": "1", "XDG_CONFIG_HOME": str(place / "user")}
    return CliRunner(env=env).invoke(root, list(arguments))


def rows(answer: Result) -> list[object]:
    assert answer.exit_code == 0, answer.stderr
    return [json.loads(line) for line in answer.stdout.splitlines()]


def test_a_saved_query_runs_by_its_name_with_values_bound_to_it(
    place: Path, sandbox: DemoServers
) -> None:
    every = rows(run(place, "run", "tasks", "state=RUNNING", "-F", "jsonl"))
    assert len(every) > 1
    assert sandbox.count() == 2  # the states, and the names of all
    name = every[0]["connector_name"]  # type: ignore[index]
    only = rows(run(place, "run", "tasks", f"name={name}", "state=RUNNING", "-F", "jsonl"))
    assert only == every[:1]
    assert rows(run(place, "run", "tasks", "name=x'; DROP TABLE t; --", "-F", "jsonl")) == []
    assert rows(run(place, "run", "theirs", "-F", "jsonl")) == [{"whose": "the user's"}]
    by_option = run(place, "run", "needy", "-p", "day=2026-11-05", "-F", "jsonl")
    assert rows(by_option) == [{"day": "2026-11-05"}]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["task"], "there is no saved query task\nhint: did you mean `tasks`?"),
        (["tasks", "nam=a"], "tasks has no parameter nam\nhint: did you mean `name`?"),
        (["tasks", "at_least=many"], "at_least is of type INTEGER, and 'many' is not"),
        (["tasks", "state=FALED"], "state is never 'FALED'\nhint: did you mean `FAILED`?"),
        (["tasks", "FAILED"], "given as NAME=VALUE, not 'FAILED'"),
        (["tasks", "name=a", "-p", "name=b"], "name is given twice; several values are  name=a,b"),
        (["needy"], "needy needs day\nhint: connstat run needy day=2026-11-01"),
        (["needy", "day=today"], "day is of type DATE, and 'today' is not"),
        (["SELECT 1"], "hint: connstat query  runs SQL"),
    ],
)
def test_what_is_given_wrongly_is_told_with_the_next_step_and_nothing_is_sent(
    place: Path, sandbox: DemoServers, arguments: list[str], words: str
) -> None:
    answer = run(place, "run", *arguments)
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert words in answer.stderr
    assert sandbox.count() == 0


def test_run_alone_and_list_show_names_titles_parameters_and_files(place: Path) -> None:
    answer = run(place, "saved", "list")
    assert answer.exit_code == 0
    assert run(place, "run").stdout == run(place, "saved").stdout == answer.stdout
    (line,) = [line for line in answer.stdout.splitlines() if "Tasks that have failed" in line]
    assert re.search(
        r"tasks .* \[name\], state=FAILED, at_least=1 .* connstat/queries/tasks\.sql", line
    )
    assert re.search(r"root-causes .* shipped", answer.stdout)
    assert "note: tasks of user/connstat/queries/tasks.sql stands behind" in answer.stderr


def test_the_list_as_json_has_all_of_it(place: Path) -> None:
    listed = json.loads(run(place, "saved", "list", "-F", "json").stdout)
    first, second = (query for query in listed if query["name"] == "tasks")
    assert first["shadowed_by"] is None
    assert second["shadowed_by"] == first["file"] == "connstat/queries/tasks.sql"
    assert first["params"][1] == {
        "name": "state", "type": "VARCHAR", "description": "of the task", "required": False,
        "default": "FAILED", "allowed": ["FAILED", "RUNNING", "PAUSED"], "choices": None,
        "exists": None,
    }  # fmt: skip


def test_show_tells_everything_and_a_command_that_runs(place: Path) -> None:
    answer = run(place, "saved", "show", "tasks")
    assert answer.exit_code == 0
    for words in (
        "tasks: Tasks that have failed", "Behind a connector that says RUNNING, too.",
        "name  VARCHAR[]  only of these connectors; NULL without a value",
        "state  VARCHAR  of the task; default FAILED; one of FAILED, RUNNING, PAUSED",
        "a row is known by  connector_name", "connstat/queries/tasks.sql:8", "HAVING count(*)",
    ):  # fmt: skip
        assert words in answer.stdout
    command = re.search(r"^  connstat (run needy .*)$", run(place, "saved", "show", "needy").stdout,
                        re.MULTILINE)  # fmt: skip
    assert command is not None
    assert rows(run(place, *command[1].split(), "-F", "jsonl")) == [{"day": "2026-11-01"}]


def test_check_tells_every_problem_with_its_place_and_sends_nothing(
    place: Path, sandbox: DemoServers, tmp_path: Path
) -> None:
    files = {
        "fine.sql": TASKS,
        "a.sql": "-- titel: x\n-- severity: no\nSELECT 1 WHERE $x",
        "b.sql": "SELECT nam FROM kafka_connect.connect.connectors",
        "c.sql": "-- params:\n--   n: INTEGR\nSELECT $n",
        "d.sql": "SELECT 1 FROM confluent.billing.costs",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, "utf-8")
    answer = run(place, "saved", "check", str(tmp_path))
    assert answer.exit_code == 2
    assert answer.stdout == ""
    lines = [line.removeprefix(f"{tmp_path}/") for line in answer.stderr.splitlines()]
    assert [line.split(" ")[0] for line in lines[:-1]] == [
        "a.sql:1:", "a.sql:2:", "b.sql:1:", "c.sql:2:", "d.sql:1:",
    ]  # fmt: skip
    assert lines[-1] == "5 problems in 5 saved queries"
    assert sandbox.count() == 0
    assert run(place, "saved", "check", str(tmp_path / "fine.sql")).exit_code == 0
    assert run(place, "saved", "check", "/nowhere").exit_code == 2


def test_one_saved_query_is_checked_by_its_name(place: Path) -> None:
    assert "1 saved query: no problems" in run(place, "saved", "check", "Tasks").stderr
    answer = run(place, "saved", "check", "taks")
    assert answer.exit_code == 2
    assert "did you mean `tasks`?" in answer.stderr


def test_check_needs_no_connection_and_shares_many_files_out(tmp_path: Path) -> None:
    write_queries(tmp_path / "q", 8)
    for number in range(100):
        (tmp_path / "q" / f"local-{number:03d}.sql").write_text(f"SELECT {number}", "utf-8")
    (tmp_path / "q" / "zz.sql").write_text("SELECT nam FROM redpanda.controlplane.clusters")
    (tmp_path / "q" / "zzz.sql").write_text("SELECT 'x")
    keep = ("PATH", "PYTHONPATH", "PYTHONPYCACHEPREFIX")
    answer = subprocess.run(
        [sys.executable, "-m", "connstat_sql", "saved", "check", "q"],
        capture_output=True, text=True, timeout=120, check=False, cwd=tmp_path,
        env={**{key: os.environ[key] for key in keep if key in os.environ},
             "HOME": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[3])},
    )  # fmt: skip
    assert answer.returncode == 2
    first, second, last = answer.stderr.splitlines()
    assert first.startswith('q/zz.sql:1: Referenced column "nam"')
    assert second.startswith("q/zzz.sql:1: the SQL cannot be read")
    assert last == "2 problems in 110 saved queries"


@pytest.mark.parametrize(
    ("words", "incomplete", "offered"),
    [
        (["run"], "ta", ["tasks"]),
        (["saved", "show"], "need", ["needy"]),
        (["run", "tasks"], "", ["name=", "state=", "at_least="]),
        (["run", "tasks", "state=FAILED"], "", ["name=", "at_least="]),
        (["run", "tasks"], "st", ["state="]),
        (["run", "tasks"], "state=", ["state=FAILED", "state=RUNNING", "state=PAUSED"]),
        (["run", "tasks"], "state=P", ["state=PAUSED"]),
        (["run", "tasks", "state"], "", ["FAILED", "RUNNING", "PAUSED"]),
        (["run", "tasks", "state", "="], "P", ["PAUSED"]),
        (["run", "tasks"], "at_least=", ["at_least=1"]),
        (["run", "nothing"], "", []),
    ],
)
def test_names_parameters_and_values_are_completed_as_shells_hand_them_over(
    place: Path,  # noqa: ARG001
    words: list[str],
    incomplete: str,
    offered: list[str],
) -> None:
    complete = ShellComplete(root, {}, "connstat", "_CONNSTAT_COMPLETE")
    values = [item.value for item in complete.get_completions(words, incomplete)]
    assert [value for value in values if value in offered or not value.startswith("t")] == offered
