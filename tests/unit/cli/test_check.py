"""`connstat check`: what monitoring reads of it is true, and a failure never looks well."""

from __future__ import annotations

import io
import json
import re
import stat
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import cast

import pytest
from click.testing import CliRunner, Result
from prometheus_client.parser import text_string_to_metric_families

from connstat_sql.cli import root
from connstat_sql.cli.check import PlugIn
from connstat_sql.demo import DemoServers, Fault, World

PAUSED = """SELECT _connection, name, connector.state FROM kafka_connect.connect.connectors
WHERE connector.state = $state ORDER BY ALL"""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[DemoServers]:
    with DemoServers(World.seeded(7)) as running:
        yield running


@pytest.fixture(scope="module")
def folder(sandbox: DemoServers, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration of the two plants, and a folder of saved queries."""
    found = tmp_path_factory.mktemp("check")
    lines = []
    for name in ("plant_a", "plant_b"):
        lines.append(f"[connections.{name}]")
        lines += [f"{key} = {json.dumps(to)}" for key, to in sandbox.connections[name].items()]
    (found / "connstat.toml").write_text("\n".join(lines), encoding="utf-8")
    queries = found / "queries"
    queries.mkdir()
    for name, severity in (("paused", "warning"), ("bad", "critical")):
        (queries / f"{name}.sql").write_text(
            f"-- title: Paused\n-- severity: {severity}\n-- key: [name]\n"
            f"-- params:\n--   state: {{default: PAUSED}}\n{PAUSED}\n"
        )
    return found


def check(folder: Path, *arguments: str) -> Result:
    config = ["--config", str(folder / "connstat.toml"), "--providers", str(folder)]
    return CliRunner(env={"NO_COLOR": "1"}).invoke(root, [*config, "check", *arguments])


@pytest.fixture(autouse=True)
def _unharmed(sandbox: DemoServers) -> None:
    sandbox.heal()


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (["paused"], 1, "CONNSTAT WARNING - paused: 2 rows (name=catalog-jdbc-sink _connection="),
        (["bad"], 2, "CONNSTAT CRITICAL - bad: 2 rows ("),
        (["paused", "state=NONE"], 0, "CONNSTAT OK - paused: 0 rows | rows=0;0;;0 requests=2 "),
        (["bad", "-w", "1", "-c", "2"], 1, "CONNSTAT WARNING - bad: 2 rows ("),
        (["bad", "-c", "@3:9"], 0, "CONNSTAT OK"),
        (["bad", "-c", "@2:2"], 2, "CONNSTAT CRITICAL"),
        (["bad", "-w", "3:", "--rows", "0"], 1, "CONNSTAT WARNING - bad: 2 rows | rows=2;3:;;0 "),
        (["--sql", "SELECT $a AS a", "a=|'x"], 2, "sql: 1 row (a=\N{BROKEN BAR}'x) | rows=1;"),
    ],
)  # fmt: skip
def test_the_exit_code_and_the_line_say_what_the_rows_mean(
    folder: Path, arguments: list[str], code: int, line: str
) -> None:
    answer = check(folder, *arguments)
    first = answer.stdout.splitlines()[0]
    assert answer.exit_code == code, answer.output
    assert line in first
    assert re.search(r" \| rows=\d+;[\d:@]*;[\d:@]*;0 requests=\d+ seconds=\d+\.\d\ds$", first)
    assert answer.stderr == ""


STATUS = "SELECT name FROM kafka_connect.connect.connector_status WHERE connector_name IN ({}) "


@pytest.mark.parametrize(
    ("names", "code", "said"),
    [
        ("'catalog-jdbc-sink'", 0, "CONNSTAT OK - sql: 0 rows | "),
        (
            "'catalog-jdbc-sinc'",
            3,
            "sql: 0 rows, incomplete: kafka_connect.connect.connector_status: ",
        ),
        ("'catalog-jdbc-sink', 'gone'", 0, "CONNSTAT OK - sql: 0 rows | "),
    ],
)
def test_the_state_of_a_connector_that_no_cluster_has_is_unknown(
    folder: Path, names: str, code: int, said: str
) -> None:
    answer = check(folder, "--sql", f"{STATUS.format(names)} AND connector.state = 'FAILED'")
    assert (said in answer.stdout, answer.exit_code) == (True, code), answer.stdout


def test_the_first_rows_follow_a_line_each(folder: Path) -> None:
    lines = check(folder, "paused", "--rows", "1").stdout.splitlines()
    assert lines[1:] == [
        "name=catalog-jdbc-sink _connection=plant_a state=PAUSED",
        "and 1 more row",
    ]


def test_a_problem_is_told_though_a_cluster_does_not_answer(
    folder: Path, sandbox: DemoServers
) -> None:
    sandbox.inject(Fault(api="plant_b", status=401))
    answer = check(folder, "bad")
    assert answer.exit_code == 2
    assert "bad: 1 row (name=catalog-jdbc-sink" in answer.stdout
    assert "incomplete: plant_b: answered 401" in answer.stdout


@pytest.mark.parametrize("limits", [(), ("-w", "0"), ("-c", "5"), ("-c", "5:"), ("-w", "@0:1")])
def test_no_rows_because_nobody_answered_are_unknown(
    folder: Path, sandbox: DemoServers, limits: tuple[str, ...]
) -> None:
    sandbox.inject(Fault(status=401))
    answer = check(folder, "bad", *limits)
    assert answer.exit_code == 3
    assert answer.stdout.startswith("CONNSTAT UNKNOWN - bad: 0 rows, incomplete: plant_")


def test_what_has_not_answered_by_the_deadline_is_missing(
    folder: Path, sandbox: DemoServers
) -> None:
    sandbox.inject(Fault(api="plant_b", delay=120.0))
    answer = check(folder, "bad", "--deadline", "1")
    assert "deadline" in answer.stdout
    assert answer.exit_code in (2, 3)  # whether plant_a has answered by then is no matter


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "give the NAME of a saved query"),
        (["--bogus"], "No such option"),
        (["bad", "-w", "x"], "write it like 10, 10:, ~:10, 10:20 or @10:20"),
        (["bad", "stat=x"], "stat"),
        (["no-such"], "there is no saved query no-such"),
        (["--sql", "SELEC 1"], "syntax error"),
        (["--sql", "SET threads = 1"], "there are no rows to count"),
        (["--sql", "SELECT * FROM kafka_connect.connect.conectors"], "connectors"),
        (["bad", "--max-requests", "0"], "the budget is 0"),
        (["-f", "no-such-file.sql"], "cannot be read"),
    ],
)
def test_a_mistake_is_unknown_as_2_would_say_that_a_problem_was_found(
    folder: Path, arguments: list[str], words: str
) -> None:
    answer = check(folder, *arguments)
    assert answer.exit_code == 3, answer.output
    assert answer.stdout.startswith("CONNSTAT UNKNOWN - ")
    assert words in answer.stdout


def test_a_configuration_that_is_not_there_is_unknown(tmp_path: Path) -> None:
    answer = check(tmp_path, "bad")
    assert answer.exit_code == 3
    assert "there is no configuration file" in answer.stdout


def test_a_fault_of_the_program_is_unknown_too() -> None:
    def fail() -> None:
        raise ZeroDivisionError

    answer = CliRunner().invoke(PlugIn("check", callback=fail), [])
    assert answer.exit_code == 3
    assert answer.stdout.startswith("CONNSTAT UNKNOWN - check: this is a fault of connstat")
    assert "Traceback" in answer.stderr


@pytest.fixture(params=["full", "closed"])
def unwritable(request: pytest.FixtureRequest) -> Iterator[io.TextIOWrapper | None]:
    """What stdout is when its disk is full, and when a program was started without one."""
    if request.param == "closed":
        yield None
        return
    with Path("/dev/full").open("wb", buffering=0) as full:
        yield io.TextIOWrapper(cast(io.BufferedWriter, full), write_through=True)


def test_a_check_that_cannot_say_what_it_found_is_unknown(
    unwritable: io.TextIOWrapper | None, capsys: pytest.CaptureFixture[str]
) -> None:
    with redirect_stdout(unwritable):
        code = root.main(["check", "--sql", "SELECT 1"], "connstat", standalone_mode=False)
    assert code == 3
    assert "stdout " in capsys.readouterr().err


def test_help_tells_the_exit_codes(folder: Path) -> None:
    answer = check(folder, "--help")
    assert answer.exit_code == 0
    assert "A wrong argument is 3 here too" in " ".join(answer.stdout.split())


# --- metrics --------------------------------------------------------------------------------------


def values(text: str) -> dict[str, float]:
    found = {}
    for family in text_string_to_metric_families(text):
        if family.name == "connstat_check_row":
            continue
        (sample,) = family.samples
        assert sample.labels["query"] == "bad"
        found[family.name.removeprefix("connstat_check_")] = sample.value
    return found


def test_the_metrics_are_what_was_found(folder: Path) -> None:
    answer = check(folder, "bad", "--prometheus")
    found = values(answer.stdout)
    assert answer.exit_code == 2
    assert (found["rows"], found["status"], found["complete"], found["requests"]) == (2, 2, 1, 2)
    assert found["timestamp_seconds"] > 1_700_000_000
    assert 0 < found["duration_seconds"] < 600


def test_the_metrics_name_the_first_rows_by_the_key_of_the_query(folder: Path) -> None:
    text = "-- key: [N]\nSELECT i % 500 AS n, 'x' AS other FROM range(501) AS r(i) ORDER BY i"
    (folder / "queries" / "many.sql").write_text(text)
    many = {
        family.name: family.samples
        for family in text_string_to_metric_families(check(folder, "many", "--prometheus").stdout)
    }
    rows = many["connstat_check_row"]
    assert [one.labels for one in rows] == [{"query": "many", "n": str(i)} for i in range(100)]
    assert [one.value for one in many["connstat_check_rows_left_out"]] == [401]
    (folder / "queries" / "many.sql").write_text("SELECT 1 AS n")
    assert "connstat_check_row{" not in check(folder, "many", "--prometheus").stdout


def test_a_file_of_metrics_is_replaced_whole_and_anyone_may_read_it(
    folder: Path, sandbox: DemoServers, tmp_path: Path
) -> None:
    target = tmp_path / "bad.prom"
    target.write_text("old\n")
    sandbox.inject(Fault(status=401))
    answer = check(folder, "bad", "state=FAILED", "-o", str(target))
    assert (answer.exit_code, answer.stdout) == (3, "")
    assert values(target.read_text())["complete"] == 0
    assert 'arguments="state=FAILED"' in target.read_text()
    assert [one.name for one in tmp_path.iterdir()] == ["bad.prom"]
    fresh = tmp_path / "fresh"
    fresh.touch()
    assert stat.S_IMODE(target.stat().st_mode) == stat.S_IMODE(fresh.stat().st_mode)


def test_an_error_is_told_on_stderr_beside_metrics(folder: Path) -> None:
    answer = check(folder, "bad", "--max-requests", "0", "--prometheus")
    assert answer.exit_code == 3
    assert "the budget is 0" in answer.stderr
    found = values(answer.stdout)
    assert (found["status"], found["complete"]) == (3, 0)
    assert "rows" not in found


def test_a_file_that_cannot_be_written_is_unknown_and_the_finding_is_told(
    folder: Path, tmp_path: Path
) -> None:
    answer = check(folder, "bad", "-o", str(tmp_path / "no-such-folder" / "bad.prom"))
    assert answer.exit_code == 3
    assert "cannot be written: No such file or directory; bad is CRITICAL" in answer.stderr
