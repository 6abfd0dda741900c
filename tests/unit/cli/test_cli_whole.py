"""What -o names is written whole or not at all, and nothing but a regular file is replaced."""

from __future__ import annotations

import os
import stat
import threading
from contextlib import chdir
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from connstat_sql.cli import main, root
from connstat_sql.files import written_whole


def run(*arguments: str) -> Result:
    return CliRunner(env={"NO_COLOR": "1"}).invoke(root, arguments)


WRITES = (
    ("query", "-F", "csv", "SELECT 1 AS a"),
    ("query", "--chart", "SELECT 'a', 1"),
    ("check", "--sql", "SELECT 1 WHERE false"),
)
"""Commands that write to a file when -o FILE comes behind."""


@pytest.mark.parametrize("command", WRITES, ids=lambda words: "-".join(words[:2]))
def test_a_device_stays_a_device(command: tuple[str, ...], tmp_path: Path) -> None:
    link = tmp_path / "null.txt"  # were it replaced, it would be the link and not the device
    link.symlink_to("/dev/null")
    assert run(*command, "-o", str(link)).exit_code == 0
    assert link.is_symlink()
    assert stat.S_ISCHR(link.stat().st_mode)


@pytest.mark.parametrize("command", WRITES, ids=lambda words: "-".join(words[:2]))
def test_a_full_disk_is_said(
    command: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    link = tmp_path / "full.txt"
    link.symlink_to("/dev/full")
    with pytest.raises(SystemExit) as ended:
        main([*command, "-o", str(link)])
    assert ended.value.code == (3 if command[0] == "check" else 2)
    assert "full.txt cannot be written: No space left on device" in capsys.readouterr().err
    assert link.is_symlink()


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    pipe, read = tmp_path / "pipe.csv", list[str]()
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()), daemon=True)
    reader.start()
    answer = run("query", "-o", str(pipe), "-F", "csv", "SELECT 1 AS a")
    reader.join(20)
    assert (answer.exit_code, read) == (0, ["a\n1\n"])
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_link_goes_on_leading_to_its_file(tmp_path: Path) -> None:
    real, link = tmp_path / "of-today.csv", tmp_path / "latest.csv"
    real.write_text("old\n")
    real.chmod(0o640)
    link.symlink_to(real)
    assert run("query", "-o", str(link), "SELECT 1 AS a").exit_code == 0
    assert link.is_symlink()
    assert real.read_text() == "a\n1\n"
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


def test_a_dash_is_standard_output(tmp_path: Path) -> None:
    with chdir(tmp_path):
        answer = run("query", "-o", "-", "-F", "csv", "SELECT 1 AS a")
        assert (answer.exit_code, answer.stdout) == (0, "a\n1\n")
        answer = run("query", "-o", "-", "--chart", "SELECT 'x' AS a, 1 AS n")
        assert answer.stdout.startswith("n by a\nx")
        answer = run("check", "-o", "-", "--sql", "SELECT 1")
        assert answer.stdout.startswith("# HELP connstat_check_rows")
    assert list(tmp_path.iterdir()) == []


def test_an_unfinished_file_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("old")
    answer = run("query", "-o", str(path), "SELECT 1; SELECT nonsense")
    assert answer.exit_code == 1
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_very_long_name_is_as_good_as_any(tmp_path: Path) -> None:
    path = tmp_path / f"{'x' * 250}.csv"
    with written_whole(path) as out:
        out.write(b"a")
    assert path.read_bytes() == b"a"
