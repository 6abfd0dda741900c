"""What is written leaves alone what is not ours, and leaves nothing unfinished behind it."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path

import pytest

from connstat_sql.errors import ConfigError
from connstat_sql.files import NotOurs, is_own_file, opened_to_add, write_new, written_whole
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
        for write in (written_whole, opened_to_add):
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
