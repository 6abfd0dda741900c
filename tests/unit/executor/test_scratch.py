"""What is on disk in passing is the user's alone, and does not outlive the process."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from connstat_sql.database.session import Session
from connstat_sql.files import make_scratch, remove_scratch

BIG = "SELECT i, 'tr0ub4dor' || i AS password FROM range(3000000) AS t(i)"
SPILLING = f"SET memory_limit = '60MB'; CREATE TABLE big AS {BIG}; {BIG}"


def begin(folder: Path, *words: str) -> subprocess.Popen[bytes]:
    """The command line, with a folder of its own for temporary files and an empty home."""
    environment = {**os.environ, "TMPDIR": str(folder), "HOME": str(folder / "home")}
    command = [sys.executable, "-m", "connstat_sql", "--no-progress", *words]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, cwd=folder
    )


@pytest.mark.long
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT", "SIGPIPE", "SIGKILL"])
@pytest.mark.parametrize("format_", ["csv", "parquet", "jsonl"])
def test_a_signal_leaves_no_rows_behind(tmp_path: Path, name: str, format_: str) -> None:
    process = begin(tmp_path, "query", "--reveal", "-F", format_, BIG)
    with process:
        assert process.stdout is not None
        process.stdout.read(1)  # it is writing now, and nobody reads on
        if name == "SIGPIPE":
            process.stdout.close()
        else:
            process.send_signal(getattr(signal, name))
        process.wait(30)
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path for path in left if b"tr0ub4dor" in path.read_bytes()] == []
    assert name == "SIGKILL" or [*tmp_path.iterdir()] == []


@pytest.mark.long
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_nor_what_was_spilled(tmp_path: Path, name: str) -> None:
    process = begin(tmp_path, "query", "-F", "csv", SPILLING)
    with process:
        assert process.stdout is not None
        process.stdout.read(1)
        assert [path for path in tmp_path.rglob("*.tmp") if path.is_file()] != []
        process.send_signal(getattr(signal, name))
        process.wait(30)
    assert [*tmp_path.iterdir()] == []


@pytest.mark.long
def test_what_a_killed_process_leaves_goes_with_the_next(tmp_path: Path) -> None:
    process = begin(tmp_path, "query", "-F", "csv", SPILLING)
    with process:
        assert process.stdout is not None
        process.stdout.read(1)
        process.kill()
    assert [path for path in tmp_path.rglob("*.tmp") if path.is_file()] != []
    with begin(tmp_path, "query", "SELECT 1") as following:
        following.communicate()
    assert [*tmp_path.iterdir()] == []


def test_only_what_nobody_holds_is_removed(tmp_path: Path) -> None:
    """By a process of its own: one looks once at each place."""
    held = make_scratch(tmp_path)
    assert held is not None
    left = tmp_path / "connstat-scratch-abcdefgh"
    left.mkdir(0o700)
    (left / "rows").write_text("rows")
    others = [tmp_path / "connstat-scratch-file", tmp_path / "connstat-scratch-link"]
    others[0].write_text("dear diary")
    others[1].symlink_to(held)
    shared = tmp_path / "connstat-scratch-shared"
    shared.mkdir()
    shared.chmod(0o755)
    code = f"from connstat_sql.files import *; make_scratch(Path({str(tmp_path)!r}))"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert {*tmp_path.iterdir()} == {held, *others, shared}
    remove_scratch(held)


def test_what_is_spilled_lies_where_the_user_alone_can_look() -> None:
    session = Session()
    [(folder,)] = session.duckdb.execute("SELECT current_setting('temp_directory')").fetchall()
    parent = Path(folder).parent
    assert stat.S_IMODE(parent.stat().st_mode) == 0o700
    assert [*parent.iterdir()] == []
    session.close()
    assert not parent.exists()


def test_where_there_can_be_none_there_is_none(tmp_path: Path) -> None:
    assert make_scratch(tmp_path / "nowhere") is None


def test_where_no_file_can_hold_anything_what_needs_none_runs(tmp_path: Path) -> None:
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0));"
        "from connstat_sql.cli import main; main(['query', '-F', 'csv', 'SELECT 41 + 1 AS n'])"
    )
    # Coverage, where it measures, would want a file of its own in that process.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    ran = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, b"n\n42\n", b"")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a process cannot be doubled here")
def test_a_child_leaves_its_parents_folder_alone() -> None:
    folder = make_scratch()
    assert folder is not None
    child = os.fork()
    if child == 0:
        remove_scratch(folder)
        os._exit(0)
    os.waitpid(child, 0)
    assert folder.is_dir()
    remove_scratch(folder)
    assert not folder.exists()
