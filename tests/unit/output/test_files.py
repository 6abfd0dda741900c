"""What is written leaves alone what is not ours, and leaves nothing unfinished behind it."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, chdir
from pathlib import Path
from typing import BinaryIO

import pytest

from connstat_sql.errors import ConfigError
from connstat_sql.files import (
    NotOurs,
    added_whole,
    is_own_file,
    opened_to_add,
    write_new,
    written_whole,
)
from connstat_sql.shell.display import check_writable, write_whole
from connstat_sql.shell.history import DiskHistory, history_file
from connstat_sql.transport import read_config

OTHER_USER = 12345


def _link(path: Path) -> None:
    path.with_name("target").write_text("dear diary")
    path.symlink_to("target")


def _socket(path: Path) -> None:
    with chdir(path.parent), socket.socket(socket.AF_UNIX) as bound:
        bound.bind(path.name)


def _anothers(path: Path) -> None:
    path.write_text("dear diary")
    if os.geteuid() != 0:
        pytest.skip("to give a file away is for root")
    os.chown(path, OTHER_USER, OTHER_USER)


STRANGE: dict[str, Callable[[Path], None]] = {
    "link": _link, "folder": Path.mkdir, "pipe": os.mkfifo, "socket": _socket,
    "another's": _anothers,
}  # fmt: skip


@pytest.mark.parametrize("kind", STRANGE)
def test_what_is_no_file_of_the_user_is_no_file_of_ours(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "state"
    assert not is_own_file(path)
    STRANGE[kind](path)
    with pytest.raises(NotOurs) as caught:
        is_own_file(path)
    assert caught.value.strerror


def test_a_file_of_another_user_is_not_replaced_nor_added_to(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    _anothers(path)
    link = tmp_path / "latest.csv"
    link.symlink_to(path)
    for name in (path, link):
        for write in (written_whole, opened_to_add, added_whole):
            with pytest.raises(NotOurs, match="another user"), write(name) as out:
                out.write(b"a")
        with pytest.raises(ConfigError, match="belongs to another user"):
            write_whole(name, b"a")
        with pytest.raises(ConfigError, match="belongs to another user"):
            check_writable(name)
    assert path.read_text() == "dear diary"
    assert path.stat().st_uid == OTHER_USER


def test_a_link_that_another_user_has_laid_is_not_followed(tmp_path: Path) -> None:
    path, link = tmp_path / "connstat.toml", tmp_path / "rows.csv"
    path.write_text("dear diary")
    link.symlink_to(path)
    if os.geteuid() != 0:
        pytest.skip("to give a link away is for root")
    os.lchown(link, OTHER_USER, OTHER_USER)
    with pytest.raises(NotOurs), written_whole(link) as out:
        out.write(b"a")
    assert path.read_text() == "dear diary"


def test_a_new_file_takes_no_place_of_another(tmp_path: Path) -> None:
    path = tmp_path / "connstat.toml"
    write_new(path, b"mine", 0o600)
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"mine", 0o600)
    for kind in ("file", "dangling link"):
        if kind != "file":
            path.unlink()
            path.symlink_to("nowhere")
        with pytest.raises(FileExistsError):
            write_new(path, b"yours")
    assert [*tmp_path.iterdir()] == [path]


def _write_and_raise(out: BinaryIO, error: type[BaseException]) -> None:
    out.write(b"b\n" * 100_000)
    out.flush()
    raise error


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
@pytest.mark.parametrize("write", [written_whole, added_whole])
def test_what_is_not_completed_leaves_a_file_as_it_was(
    tmp_path: Path,
    write: Callable[[Path], AbstractContextManager[BinaryIO]],
    error: type[BaseException],
) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("a\n")
    for name in (path, tmp_path / "new.csv"):
        with pytest.raises(error), write(name) as out:
            _write_and_raise(out, error)
    assert path.read_text() == "a\n"
    assert [*tmp_path.iterdir()] == [path]


def test_what_is_added_stands_behind_what_was_there(tmp_path: Path) -> None:
    path, link = tmp_path / "rows.csv", tmp_path / "latest.csv"
    link.symlink_to(path)
    for line, name in ((b"a\n", path), (b"b\n", link)):
        with added_whole(name) as out:
            out.write(line)
    assert path.read_bytes() == b"a\nb\n"
    assert link.is_symlink()


def test_what_cannot_be_added_whole_is_taken_back(tmp_path: Path) -> None:
    """A limit on the size of files stands for a disk that is full."""
    path = tmp_path / "rows.csv"
    path.write_bytes(b"a" * 900)
    script = f"""
import resource, signal
from pathlib import Path
from connstat_sql.files import added_whole
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    with added_whole(Path({str(path)!r})) as out:
        out.write(b"b" * 500)
except OSError as error:
    print(error.strerror)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "File too large\n"
    assert path.read_bytes() == b"a" * 900


_KILLED = """
import os, signal, sys
from pathlib import Path
from connstat_sql.files import written_whole
with written_whole(Path(sys.argv[1])) as out:
    out.write(b"hunter2" * 10000)
    out.flush()
    os.kill(os.getpid(), int(sys.argv[2]))
"""


@pytest.mark.skipif(not hasattr(os, "O_TMPFILE"), reason="files have names from the beginning")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_process_leaves_the_old_file_and_nothing_beside_it(
    tmp_path: Path, number: int
) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("old")
    arguments = [sys.executable, "-c", _KILLED, str(path), str(int(number))]
    assert subprocess.run(arguments, check=False).returncode == -number
    assert [*tmp_path.iterdir()] == [path]
    assert path.read_text() == "old"


# --- the history ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["text", *STRANGE])
def test_a_history_that_is_not_ours_is_left_as_it_is_and_said(tmp_path: Path, kind: str) -> None:
    path, notes = tmp_path / "history", list[str]()
    if kind == "text":
        path.write_text("# not a history\n[connections.a]\n")
    else:
        STRANGE[kind](path)
    before = path.lstat()
    own = DiskHistory(path, notes.append, lambda: 1.0)
    own.store_string("SELECT 1;")
    assert list(own.load_history_strings()) == []
    assert len(notes) == 1
    assert path.lstat() == before


def test_the_device_that_takes_nothing_is_no_history() -> None:
    assert history_file({"CONNSTAT_HISTORY": os.devnull}) is None


# --- kept rows ------------------------------------------------------------------------------------


def test_rows_are_not_kept_in_the_configuration(tmp_path: Path) -> None:
    path = tmp_path / "connstat.toml"
    path.write_text('[cache]\nfile = "./connstat.toml"\n')
    with pytest.raises(ConfigError, match="the configuration itself"):
        read_config(path)
