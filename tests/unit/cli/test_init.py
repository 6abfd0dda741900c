"""`connstat init`: a dialogue that tests what it is told, and writes references alone."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import chdir
from pathlib import Path

import pytest
import tomllib
from click.testing import CliRunner, Result

from connstat_sql.cli import root
from connstat_sql.demo import DemoServers

VARIABLES = (
    "CONNSTAT_CONFIG", "AEONTEL_API_KEY", "CONFLUENT_CLOUD_API_KEY", "CONFLUENT_CLOUD_API_SECRET",
    "KAFKA_CONNECT_URL", "KAFKA_CONNECT_USERNAME", "KAFKA_CONNECT_PASSWORD", "REDPANDA_TOKEN",
    "REDPANDA_CLIENT_ID", "REDPANDA_CLIENT_SECRET",
)  # fmt: skip
NOTHING: Mapping[str, str | None] = dict.fromkeys(VARIABLES)
NOWHERE = "${NOT_SET_ANYWHERE}"
"""An address that fails at once."""
BEFORE, AFTER = ("n", "n"), ("n", "n")
"""No connection of those before and after Kafka Connect; no other one of it."""


def init(folder: Path, *answers: str, **environment: str) -> Result:
    with chdir(folder):
        return CliRunner(env={**NOTHING, **environment}).invoke(
            root, ["init"], input="".join(f"{one}\n" for one in answers)
        )


def written(folder: Path) -> Mapping[str, Mapping[str, str]]:
    found: Mapping[str, Mapping[str, str]] = tomllib.loads(
        (folder / "connstat.toml").read_text("utf-8")
    )["connections"]
    return found


def test_a_connection_is_tested_and_written_with_references(
    sandbox: DemoServers, tmp_path: Path
) -> None:
    plant = sandbox.connections["plant_b"]
    url, user, password = (str(plant[key]) for key in ("base_url", "username", "password"))
    answer = init(
        tmp_path, *BEFORE, "y", "north", url, "y", "NORTH_USER", "NORTH_PASSWORD", *AFTER,
        NORTH_USER=user, NORTH_PASSWORD=password,
    )  # fmt: skip
    assert answer.exit_code == 0
    assert "north  ok  " in answer.stdout
    assert written(tmp_path) == {
        "north": {
            "provider": "kafka_connect",
            "base_url": url,
            "username": "${NORTH_USER}",
            "password": "${NORTH_PASSWORD}",
        }
    }
    text = (tmp_path / "connstat.toml").read_text()
    assert password not in text + answer.output
    assert (tmp_path / "connstat.toml").stat().st_mode & 0o077 == 0
    with chdir(tmp_path):
        runner = CliRunner(env={**NOTHING, "NORTH_USER": user, "NORTH_PASSWORD": password})
        again = runner.invoke(root, ["doctor"])
    assert (again.exit_code, again.stderr) == (0, "")


def test_variables_that_are_set_are_offered_and_taken(tmp_path: Path) -> None:
    # Enter takes what is offered: the connection, its name, the way, the variable
    answers = ("n", "", "", "", "", "file:nowhere", "", "n", "n", "n")
    answer = init(tmp_path, *answers, CONFLUENT_CLOUD_API_KEY="k")
    assert answer.exit_code == 0, answer.output
    assert "nowhere cannot be read" in answer.stdout
    assert written(tmp_path) == {
        "confluent": {
            "provider": "confluent",
            "api_key": "${CONFLUENT_CLOUD_API_KEY}",
            "api_secret": "${file:nowhere}",
        }
    }


@pytest.mark.parametrize(
    ("wrong", "right", "says"),
    [
        (("maybe", "y"), ("north", NOWHERE, "n"), "invalid input"),
        (("y", "a b"), ("north", NOWHERE, "n"), "letters, digits and _"),
        (("y", "inventory"), ("north", NOWHERE, "n"), "the name of another provider"),
        (("y", "north", "localhost"), (NOWHERE, "n"), "write it like  http://host"),
        (("y", "north", "http://a:b@c"), (NOWHERE, "n"), "without user or password"),
        (("y", "north", NOWHERE, "y", "hunter2"), ("A_USER", "A_PASSWORD"),
         "never the secret itself"),
    ],
)  # fmt: skip
def test_an_answer_that_cannot_be_is_asked_for_again(
    tmp_path: Path, wrong: tuple[str, ...], right: tuple[str, ...], says: str
) -> None:
    answer = init(tmp_path, *BEFORE, *wrong, *right, "y", *AFTER)
    assert answer.exit_code == 0, answer.output
    assert says in answer.output
    assert set(written(tmp_path)) == {"north"}
    assert "hunter2" not in (tmp_path / "connstat.toml").read_text()


def test_what_does_not_work_is_dropped_unless_it_is_wanted(
    sandbox: DemoServers, tmp_path: Path
) -> None:
    locked = str(sandbox.connections["plant_b"]["base_url"])
    answer = init(tmp_path, *BEFORE, "y", "north", locked, "n", "", *AFTER)
    assert "north  FAILED  north answered 401" in answer.stdout
    assert "is not written" in answer.stdout
    assert not (tmp_path / "connstat.toml").exists()


def test_answers_that_end_too_early_leave_nothing_behind(tmp_path: Path) -> None:
    answer = init(tmp_path, *BEFORE, "y", "north", NOWHERE, "n", "y")
    assert answer.exit_code != 0
    assert "nothing has been written" in answer.stderr
    assert list(tmp_path.iterdir()) == []


OLD = '# mine\n[connections.north]\nprovider = "kafka_connect"\nbase_url = "http://old:8083"\n'


@pytest.mark.parametrize(
    ("what", "names"),
    [("add", {"north", "south"}), ("", {"north", "south"}), ("replace", {"south"})],
)
def test_a_file_that_is_there_is_changed_only_as_told(
    tmp_path: Path, what: str, names: set[str]
) -> None:
    file = tmp_path / "connstat.toml"
    file.write_text(OLD, "utf-8")
    answers = (*BEFORE, "y", "south", NOWHERE, "n", "y", *AFTER)
    answer = init(tmp_path, what, *answers)
    assert answer.exit_code == 0, answer.output
    assert set(written(tmp_path)) == names
    assert file.read_text("utf-8").startswith(OLD) is ("north" in names)


@pytest.mark.parametrize("answers", [("stop",), (), ("overwrite", "stop"), ("add", *BEFORE)])
def test_a_file_that_is_there_stays_as_it_is(tmp_path: Path, answers: tuple[str, ...]) -> None:
    file = tmp_path / "connstat.toml"
    file.write_text(OLD, "utf-8")
    assert init(tmp_path, *answers).exit_code != 0
    assert file.read_text("utf-8") == OLD
    assert list(tmp_path.iterdir()) == [file]


def test_a_name_that_the_file_has_already_is_asked_for_again(tmp_path: Path) -> None:
    (tmp_path / "connstat.toml").write_text(OLD, "utf-8")
    answers = ("add", *BEFORE, "y", "North", "south", NOWHERE, "n", "y", *AFTER)
    answer = init(tmp_path, *answers)
    assert "there is a connection North already" in answer.output
    assert set(written(tmp_path)) == {"north", "south"}
