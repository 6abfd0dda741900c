"""Streams that are closed, full or left by their reader: no traceback, and the code is right."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from click.testing import CliRunner

from connstat_sql.cli import root
from connstat_sql.cli.statement import Printer
from connstat_sql.output.render import TerminalStyle
from connstat_sql.output.stderr import Narrator
from connstat_sql.result import Result
from tests.terminal import Terminal

CONNSTAT = f"{sys.executable} -m connstat_sql"


def shell(line: str) -> subprocess.CompletedProcess[str]:
    """What a line of bash gives; {connstat} stands for the program."""
    command = f"set -o pipefail; {line.replace('{connstat}', CONNSTAT)}"
    return subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize("words", ["saved show find", "--help"])
def test_a_full_disk_is_said_by_every_command(words: str) -> None:
    answer = shell(f"{{connstat}} {words} > /dev/full")
    assert answer.returncode == 2
    assert answer.stderr == "Error: stdout cannot be written: No space left on device\n"


def test_rows_come_though_stderr_takes_nothing() -> None:
    for closed in ("2>&-", "2>/dev/full"):
        answer = shell(f"{{connstat}} -v query -F csv 'SELECT 1 AS a' {closed}")
        assert (answer.returncode, answer.stdout) == (0, "a\n1\n")
    answer = shell("{connstat} query 'SELECT foo' 2>&-")
    assert (answer.returncode, answer.stdout) == (1, "")
    answer = shell("{connstat} nonsense 2>/dev/full")
    assert (answer.returncode, answer.stdout) == (2, "")


def test_closed_standard_input_is_named() -> None:
    answer = shell("{connstat} query - <&-")
    assert answer.returncode == 2
    assert answer.stderr.endswith("Error: standard input is closed: give the SQL, or -f FILE\n")


def test_explain_says_what_is_wrong_with_local_sql_and_shows_duckdbs_plan() -> None:
    answer = CliRunner().invoke(root, ["explain", "SELECT foo"])
    assert (answer.exit_code, answer.stdout) == (1, "")
    assert "foo" in answer.stderr
    answer = CliRunner().invoke(root, ["explain", "SELECT 1"])
    assert answer.stdout == "no live table: DuckDB answers alone, 0 requests\n"
    answer = CliRunner().invoke(root, ["explain", "--analyze", "SELECT 1"])
    assert "Total Time" in answer.stdout


@pytest.mark.parametrize("words", [["SELECT 1"], ["select", "1"], ["FROM t WHERE a"]])
def test_sql_without_a_command_is_told_of_query(words: list[str]) -> None:
    answer = CliRunner().invoke(root, words)
    assert answer.exit_code == 2
    assert "SQL is run by  connstat query" in answer.stderr


def test_an_unknown_extension_is_told_of_the_known_ones() -> None:
    answer = CliRunner().invoke(root, ["query", "-o", "rows.xlsx", "SELECT 1"])
    assert answer.exit_code == 2
    assert "say it with -F, or name the file as .json, .jsonl" in answer.stderr
    assert not Path("rows.xlsx").exists()


def test_a_reader_that_has_gone_is_no_error_to_any_command() -> None:
    read, write = os.pipe()
    os.close(read)  # nobody reads, from the very beginning
    words = [sys.executable, "-m", "connstat_sql", "providers", "schema"]
    with os.fdopen(write, "w") as out:
        answer = subprocess.run(words, stdout=out, stderr=subprocess.PIPE, check=False, timeout=60)
    assert (answer.returncode, answer.stderr) == (0, b"")


def test_a_provider_or_a_service_is_shown_by_its_tables() -> None:
    for name in ("kafka_connect", "Kafka_Connect.connect", "kafka_connect.connect."):
        answer = CliRunner().invoke(root, ["providers", "show", name])
        assert answer.exit_code == 0
        lines = answer.stdout.splitlines()
        assert len(lines) > 3
        assert all(line.startswith("kafka_connect.connect.") for line in lines)


def test_without_a_connection_the_doctor_knows_what_to_try(tmp_path: Path) -> None:
    config = tmp_path / "connstat.toml"
    config.write_text("")
    answer = CliRunner().invoke(root, ["--config", str(config), "doctor"])
    assert answer.exit_code == 2
    assert answer.stderr == "hint: connstat demo  shows it all with nothing to configure\n"


def test_names_that_are_to_be_typed_are_whole_at_80_columns(tmp_path: Path) -> None:
    with Terminal(
        "-m", "connstat_sql", "saved", environment={"HOME": str(tmp_path)}, folder=tmp_path,
        columns=80, rows=40,
    ) as screen:  # fmt: skip
        text = screen.wait_for("│ failed-behind-running │", "│ workers ")
        assert all(len(line) <= 80 for line in text.splitlines())


@pytest.mark.parametrize("name", ["rows.csv", "rows.parquet", "rows.html"])
def test_what_was_written_is_told_unless_quiet(tmp_path: Path, name: str) -> None:
    target = tmp_path / name
    sql = "SELECT * FROM range(1234); SELECT * FROM range(0)"
    words = ["query", "-o", str(target), sql if name != "rows.parquet" else sql.partition(";")[0]]
    answer = CliRunner().invoke(root, words)
    assert (answer.exit_code, answer.stdout) == (0, "")
    assert answer.stderr == f"{target}: 1,234 rows, {target.stat().st_size:,} bytes\n"
    assert CliRunner().invoke(root, ["-q", *words]).stderr == ""
    assert CliRunner().invoke(root, ["query", "-o", "/dev/null", "-F", "csv", sql]).stderr == (
        "/dev/null: 1,234 rows\n"
    )
    assert "rows" not in CliRunner().invoke(root, ["query", "-o", str(target), "SELECT x"]).stderr


@pytest.mark.parametrize("format_", ["table", "vertical"])
def test_a_terminal_is_given_what_somebody_would_scroll_through(format_: str) -> None:
    out, result = io.BytesIO(), Result(pa.table({"n": range(100_000)}), has_rows=True)
    printer = Printer(
        out, format_, Narrator(io.StringIO(), level=-1), style=TerminalStyle(width=80)
    )
    printer.show(result)
    lines = out.getvalue().decode().splitlines()
    assert len(lines) < 2100
    assert "100,000 rows, of which the first 1,000 are shown: -o FILE  takes all" in lines[-1]
    assert "999" in "".join(lines[-3:-1])


@pytest.mark.parametrize(
    ("format_", "style"), [("csv", TerminalStyle(width=80)), ("table", TerminalStyle())]
)
def test_a_pipe_and_a_format_for_programs_have_every_row(
    format_: str, style: TerminalStyle
) -> None:
    out, result = io.BytesIO(), Result(pa.table({"n": range(2000)}), has_rows=True)
    Printer(out, format_, Narrator(io.StringIO()), style=style).show(result)
    assert out.getvalue().count(b"\n") > 2000
