"""The command line keeps the promise of its interface: rows on stdout, words on stderr, codes."""

from __future__ import annotations

import atexit
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from connstat_sql.cli import root
from connstat_sql.demo import DemoServers, Fault, World

STATUS = "SELECT name, connector.state FROM plant_a.connect.connector_status ORDER BY name"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[DemoServers]:
    with DemoServers(world=World.seeded(7)) as running:
        yield running


@pytest.fixture(autouse=True)
def _unharmed(sandbox: DemoServers) -> None:
    sandbox.heal()
    sandbox.reset()


@pytest.fixture
def config(sandbox: DemoServers, tmp_path: Path) -> Path:
    """A configuration of the sandbox's connections, with secrets by reference."""
    path = tmp_path / "connstat.toml"
    path.write_text(toml_of(sandbox.connections), encoding="utf-8")
    return path


_SECRET = ("api_key", "api_secret", "client_secret", "password")


def toml_of(connections: Mapping[str, Mapping[str, object]]) -> str:
    """A configuration file of these connections; secrets stand in files of their own."""
    lines = []
    for name, table in connections.items():
        lines.append(f"[connections.{name}]")
        for key, value in table.items():
            is_secret = key in _SECRET and "${" not in str(value)
            lines.append(f"{key} = {json.dumps(_kept(str(value)) if is_secret else value)}")
    return "\n".join(lines)


@cache
def _secrets() -> Path:
    folder = tempfile.TemporaryDirectory(prefix="connstat-tests-")
    atexit.register(folder.cleanup)
    return Path(folder.name)


@cache
def _kept(secret: str) -> str:
    """A reference to a file that holds a secret."""
    file = _secrets() / f"{len(list(_secrets().iterdir()))}"
    file.write_text(secret, encoding="utf-8")
    return f"${{file:{file}}}"


def run(config: Path, *arguments: str, stdin: str | None = None) -> Result:
    return CliRunner(env={"NO_COLOR": "1"}).invoke(
        root, ["--config", str(config), *arguments], input=stdin
    )


def process(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "connstat_sql", *arguments],
        capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "PYTHONWARNINGS": "", **environment},
    )  # fmt: skip


def test_rows_go_to_stdout_and_nothing_else(config: Path) -> None:
    answer = run(config, "query", "-F", "jsonl", STATUS)
    assert answer.exit_code == 0
    assert answer.stderr == ""
    rows = [json.loads(line) for line in answer.stdout.splitlines()]
    assert {"name": "pricing-mysql-source", "state": "RUNNING"} in rows


def test_a_table_is_drawn_whole(config: Path) -> None:
    answer = run(config, "query", "SELECT range AS n FROM range(500)")
    assert answer.exit_code == 0
    assert "499" in answer.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["query", "SELEC 1"], 1, "syntax error"),
        (["query", ""], 1, "no statement"),
        (["query", "SELECT nam FROM plant_a.connect.connectors"], 1, '"nam" not found'),
        (["query", "SELECT * FROM plant_a.connect.connector"], 1, "connectors"),
        (["query", "SELECT * FROM kafka_conect.connect.connectors"], 1, "mean  kafka_connect"),
        (["query", "SELECT * FROM confluent.billing.costs"], 1, "needs start_date and end_date"),
        (["query", "DROP TABLE plant_a.connect.connectors"], 1, "read-only"),
        (["query", "SELECT 1; SELECT x FROM plant_a.connect.connectors"], 1, '"x" not found'),
        (["query"], 2, "give the SQL"),
        (["query", "-p", "novalue", "SELECT 1"], 2, "NAME=VALUE"),
        (["query", "-F", "xml", "SELECT 1"], 2, "xml"),
        (["query", "-o", "rows.xyz", "SELECT 1"], 2, ".xyz"),
        (["quary", "SELECT 1"], 2, "did you mean 'query'"),
        (["providers", "show", "kafka_connect.connect.connectrs"], 1, "connectors"),
        (["providers", "validate", "/nowhere"], 2, "no such file"),
    ],
)  # fmt: skip
def test_what_is_at_fault_is_said_with_its_code_and_sends_nothing(
    config: Path, sandbox: DemoServers, arguments: list[str], code: int, words: str
) -> None:
    answer = run(config, *arguments)
    assert answer.exit_code == code
    assert words in answer.stderr
    assert answer.stdout == ""
    assert sandbox.count() == 0


def test_an_error_shows_the_place_the_next_step_and_that_nothing_was_sent(config: Path) -> None:
    sql = "SELECT sum(amount)\nFROM confluent.billing.costs WHERE product = 'CONNECT'"
    answer = run(config, "query", sql)
    assert answer.stderr.splitlines() == [
        "error: confluent.billing.costs needs start_date and end_date",
        "  FROM confluent.billing.costs WHERE product = 'CONNECT'",
        "       ^^^^^^^^^^^^^^^^^^^^^^^",
        "hint: add  AND start_date = '2026-11-01' AND end_date = '2026-12-01'",
        "No request was sent.",
    ]


def test_a_failing_api_is_exit_3_without_rows(config: Path, sandbox: DemoServers) -> None:
    sandbox.inject(Fault(api="plant_a", status=403))
    answer = run(config, "query", STATUS)
    assert answer.exit_code == 3
    assert answer.stdout == ""
    first, request, hint = answer.stderr.splitlines()
    assert first.startswith("error: plant_a answered 403")
    assert request.startswith(f"  GET {sandbox.url}/kafka-connect/plant_a/connectors")
    assert hint == "hint: check the credentials of the connection plant_a"


def test_a_partial_result_is_exit_4_with_the_good_rows(config: Path, sandbox: DemoServers) -> None:
    sandbox.inject(Fault(api="plant_b", status=403))
    sql = "SELECT DISTINCT _connection FROM kafka_connect.connect.connector_status; FROM _errors"
    answer = run(config, "query", "--partial", "-F", "jsonl", sql)
    assert answer.exit_code == 4
    good, failed = map(json.loads, answer.stdout.splitlines())
    assert good == {"_connection": "plant_a"}
    assert (failed["connection"], failed["status"]) == ("plant_b", 403)
    assert "partial result: 1 of 2 requests failed" in answer.stderr


def test_parameters_are_bound_and_only_ever_values(config: Path) -> None:
    sql = "SELECT connector_name FROM plant_a.connect.connector_status WHERE connector_name = $name"
    answer = run(config, "query", "-F", "jsonl", "-p", "name=x'; DROP TABLE t; --", sql)
    assert (answer.exit_code, answer.stdout) == (0, "")


def test_sql_comes_from_a_file_or_standard_input(config: Path, tmp_path: Path) -> None:
    file = tmp_path / "question.sql"
    file.write_text("SELECT 'é' AS x", encoding="utf-8")
    assert json.loads(run(config, "query", "-F", "jsonl", "-f", str(file)).stdout) == {"x": "é"}
    assert json.loads(run(config, "query", "-F", "jsonl", "-", stdin="SELECT 2 AS x").stdout) == {
        "x": 2
    }


def test_the_extension_of_a_file_says_the_format(config: Path, tmp_path: Path) -> None:
    target = tmp_path / "rows.csv"
    answer = run(config, "query", "-o", str(target), "SELECT 1 AS a, 'x' AS b")
    assert (answer.exit_code, answer.stdout) == (0, "")
    assert target.read_text() == "a,b\n1,x\n"


def test_a_failed_query_leaves_no_file(config: Path, tmp_path: Path) -> None:
    target = tmp_path / "rows.csv"
    assert run(config, "query", "-o", str(target), "SELECT x").exit_code == 1
    assert list(tmp_path.glob("*rows*")) == []


def test_trace_shows_each_request_and_no_secret(config: Path) -> None:
    answer = run(config, "query", "--trace", "SELECT id FROM confluent.org.environments")
    assert "/org/v2/environments?page_size=100  200" in answer.stderr
    assert "sandbox-secret" not in answer.stderr + answer.stdout


def test_explain_sends_nothing(config: Path, sandbox: DemoServers) -> None:
    sql = "SELECT * FROM confluent.connect.connector_status WHERE environment_id = 'env-1'"
    answer = run(config, "explain", "-F", "json", sql)
    document = json.loads(answer.stdout)
    assert [scan["table"] for scan in document["scans"]] == [
        "confluent.managed_kafka_clusters.clusters",
        "confluent.connect.connector_status",
    ]
    assert document["requests"] == {"expected": None, "at_most": None, "budget": 1000}
    assert "enumerated from" in run(config, "explain", sql).stdout
    assert sandbox.count() == 0


def test_explain_analyze_says_what_happened(config: Path) -> None:
    assert "2 requests (at least 2 expected)" in run(config, "explain", "--analyze", STATUS).stdout


def test_show_and_describe_answer_from_the_definitions(config: Path, sandbox: DemoServers) -> None:
    tables = run(config, "query", "-F", "jsonl", "SHOW TABLES IN confluent.connect").stdout
    assert "confluent.connect.connector_status" in tables
    described = run(config, "query", "-F", "jsonl", "DESCRIBE confluent.connect.connector_status")
    rows = {row["column_name"]: row for row in map(json.loads, described.stdout.splitlines())}
    assert rows["environment_id"]["key"] == "parameter, enumerated"
    assert sandbox.count() == 0


def test_doctor_says_what_works_and_what_to_do(config: Path, sandbox: DemoServers) -> None:
    sandbox.inject(Fault(api="plant_b", status=401))
    answer = run(config, "doctor")
    assert answer.exit_code == 3
    assert "plant_a  ok" in answer.stdout
    assert "plant_b  FAILED  plant_b answered 401" in answer.stdout
    assert "check the credentials of the connection plant_b" in answer.stdout


def test_providers_are_listed_shown_and_described_by_a_schema(config: Path) -> None:
    assert "redpanda.kafka_connect.connectors" in run(config, "providers", "list").stdout
    assert (
        "needs connector_name"
        in run(config, "providers", "show", "kafka_connect.connect.connector_status").stdout
    )
    shown = run(config, "providers", "show", "kafka_connect.connect.connector_config").stdout
    assert "list  GET /connectors  since 2.3  older servers by list_names, then get" in shown
    assert "list_names  GET /connectors  for other methods alone" in shown
    assert "$defs" in json.loads(run(config, "providers", "schema").stdout)


def test_without_arguments_usage_is_shown() -> None:
    answer = CliRunner().invoke(root, [])
    assert answer.exit_code == 2
    assert "connstat demo" in answer.stderr


def test_help_and_version_load_no_engine() -> None:
    script = (
        "import sys\nfrom connstat_sql.cli import main\n"
        "try:\n    main([sys.argv[1]])\nexcept SystemExit:\n    pass\n"
        "heavy = {'duckdb', 'sqlglot', 'httpx', 'pyarrow', 'yaml', 'aiohttp', 'msgspec'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    for option in ("--help", "--version"):
        subprocess.run([sys.executable, "-c", script, option], check=True, capture_output=True)


def test_a_closed_pipe_is_no_error() -> None:
    command = f"{sys.executable} -m connstat_sql query -F csv 'FROM range(200000)' | head -1"
    answer = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, text=True, check=False
    )
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "range\n", "")


def test_rows_that_cannot_be_written_are_said(tmp_path: Path) -> None:
    for where, says in (("> /dev/full", "No space left"), (">&-", "stdout is closed")):
        command = f"{sys.executable} -m connstat_sql query -F csv 'FROM range(9)' {where}"
        answer = subprocess.run(
            ["bash", "-c", command], capture_output=True, text=True, check=False
        )
        assert answer.returncode == 2
        assert answer.stderr.startswith("Error: stdout ")
        assert says in answer.stderr
    answer = process("query", "-o", str(tmp_path / "no" / "x.csv"), "SELECT 1")
    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr.endswith("x.csv cannot be written: No such file or directory\n")


def test_a_process_of_ours_ends_at_once_and_leaves_nothing_undone() -> None:
    script = (
        "import atexit, sys\nfrom connstat_sql.cli import main\n"
        "class Looped:\n"
        "    def __del__(self): print('taken apart', flush=True)\n"
        "one = Looped(); one.itself = one\n"
        "atexit.register(print, 'at the end')\n"
        "sys.argv = ['connstat', *sys.argv[1:]]\nmain()"
    )
    command = [sys.executable, "-c", script, "query", "-F", "csv", "SELECT 1 AS a"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout.split("\n") == ["a", "1", "at the end", ""]
    answer = subprocess.run([*command[:3], "nonsense"], capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stdout) == (2, "at the end\n")


def test_an_unset_variable_is_named_and_nothing_empty_is_sent(tmp_path: Path) -> None:
    config = tmp_path / "connstat.toml"
    config.write_text(
        '[connections.plant]\nprovider = "kafka_connect"\nbase_url = "http://127.0.0.1:9"\n'
        'username = "me"\npassword = "${NOT_SET_ANYWHERE}"\n'
    )
    answer = run(config, "query", "FROM plant.connect.connectors")
    assert answer.exit_code == 2
    assert "NOT_SET_ANYWHERE" in answer.stderr


def test_an_interrupt_gives_the_prompt_back(config: Path, sandbox: DemoServers) -> None:
    sandbox.inject(Fault(api="plant_a", delay=30.0))
    running = subprocess.Popen(
        [sys.executable, "-m", "connstat_sql", "--config", str(config), "query", STATUS],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while sandbox.count() == 0:
        assert running.poll() is None
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=25)
    assert (running.returncode, out) == (130, "")
    assert err.strip() == "interrupted"


def test_trace_tells_every_attempt_and_the_waits_between(
    config: Path, sandbox: DemoServers
) -> None:
    sandbox.inject(Fault(api="plant_a", status=503, times=1))
    answer = run(config, "query", "--trace", "-F", "jsonl", STATUS)
    assert answer.exit_code == 0
    first, wait, second, *rest = answer.stderr.splitlines()
    paths = [line.split("  ")[0].partition("/plant_a")[2] for line in rest]
    assert paths == ["/health", "/connectors?expand=status", "/connectors"]
    assert "  503  " in first
    assert re.fullmatch(r"info: plant_a answered 503.*: try 2 in \d\.\d s", wait)
    assert "  200  " in second
    assert second.endswith(" attempt 2")


def test_verbose_tells_scans_and_very_verbose_each_attempt(config: Path) -> None:
    first, *scans = run(config, "-v", "query", "-F", "jsonl", STATUS).stderr.splitlines()
    assert first == f"configuration: {config}"
    assert [line.partition(" by ")[0] for line in scans[:-1]] == [
        "info: kafka_connect.connect.connector_status"
    ]
    assert re.fullmatch(r"6 rows, 2 requests, \d+ ms", scans[-1])
    attempts = run(config, "-vv", "query", "-F", "jsonl", STATUS).stderr
    assert "debug: GET http" in attempts
    assert "sandbox-secret" not in attempts


def test_one_connection_that_is_down_costs_its_own_rows_only(
    sandbox: DemoServers, tmp_path: Path
) -> None:
    config = tmp_path / "connstat.toml"
    away = {"provider": "kafka_connect", "base_url": "http://127.0.0.1:9"}
    plants = {name: sandbox.connections[name] for name in ("plant_a", "plant_b")}
    config.write_text(toml_of({**plants, "plant_c": away}), encoding="utf-8")
    sql = "SELECT _connection, count(*) AS n FROM kafka_connect.connect.connectors GROUP BY 1"
    both = run(config, "query", "--partial", "-F", "jsonl", f"{sql} ORDER BY 1; FROM _errors")
    assert both.exit_code == 4
    *good, failed = map(json.loads, both.stdout.splitlines())
    assert [row["_connection"] for row in good] == ["plant_a", "plant_b"]
    assert datetime.fromisoformat(failed.pop("at")).tzinfo is not None
    assert failed.pop("attempts") >= 1
    assert failed == {
        "connection": "plant_c",
        "table": "kafka_connect.connect.connectors",
        "arguments": {},
        "url": "http://127.0.0.1:9/connectors",
        "status": None,
        "message": "plant_c did not answer: the connection was refused",
    }
    assert both.stderr.splitlines() == [
        "partial result: 1 of 3 requests failed: no whole answer from plant_c (1); "
        "they are rows of the table _errors",
        "  plant_c: did not answer: the connection was refused",
    ]


def test_of_several_statements_the_worst_decides(config: Path, sandbox: DemoServers) -> None:
    sandbox.inject(Fault(api="plant_b", status=403))
    partial = "SELECT count(*) FROM plant_b.connect.connectors"
    assert run(config, "query", "--partial", f"{partial}; SELECT 1").exit_code == 4
    assert run(config, "query", "--partial", f"{partial}; SELECT error('x')").exit_code == 1


def test_an_age_is_a_number_of_seconds(config: Path) -> None:
    assert run(config, "query", "--max-age", "60", "SELECT 1").exit_code == 0
    assert run(config, "explain", "--max-age", "60", "SELECT 1").exit_code == 0
    assert run(config, "query", "--max-age", "-1", "SELECT 1").exit_code == 2
