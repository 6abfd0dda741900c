"""Files that are written: which may be, how they appear whole or not at all, and those in passing.

`NotOurs` is an OSError, so that whoever says why a file cannot be written says this as well.
"""

from __future__ import annotations

import atexit
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_ROOT = 0
_OWN_FDS = Path("/proc/self/fd")
_SCRATCH: dict[Path, tuple[int, int | None]] = {}
"""Folders of ours, each with the process that made it, as a child does not remove its parent's,
and the descriptor whose lock says that the process lives."""
_SCRATCH_NAME = "connstat-scratch-"
_SWEPT: set[Path] = set()
_CHUNK = 1 << 20
_BEGINNING = 4096
"""Bytes by which a file of ours is known."""
_KINDS = (
    (stat.S_ISLNK, "a link"),
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISBLK, "a disk"),
    (stat.S_ISCHR, "a device"),
)


class NotOurs(OSError):
    """Something stands at a place, and it is not ours to change; `strerror` says what."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(0, why, str(path))


def is_own_file(path: Path) -> bool:
    """Whether a regular file of this user stands there; False where nothing does.

    Raises NotOurs for all else (a link, a folder, a pipe, a device, another's file), which is to
    be left as it is. For files of our own making, in a place that the user has named.
    """
    try:
        status = path.lstat()
    except FileNotFoundError:
        return False
    for is_such, kind in _KINDS:
        if is_such(status.st_mode):
            raise NotOurs(path, f"it is {kind}, not a file of ours")
    _check_owner(path, status)
    return True


def open_own(path: Path, flags: int, is_ours: Callable[[bytes], bool]) -> int:
    """A descriptor of a file of our own making, made for the user alone where there is none.

    `is_ours` is asked about the beginning of a file that holds something. Raises NotOurs.
    """
    is_own_file(path)
    opened = os.open(path, flags | _NO_LINK | getattr(os, "O_NONBLOCK", 0), 0o600)
    try:
        status = os.fstat(opened)
        if not stat.S_ISREG(status.st_mode):
            raise NotOurs(path, "it is not a file of ours")
        _check_owner(path, status)
        if status.st_size and not is_ours(_beginning(path)):
            raise NotOurs(path, "what it holds was not written by connstat")
    except BaseException:
        os.close(opened)
        raise
    return opened


@contextmanager
def written_whole(path: Path, mode: int = 0o666) -> Iterator[BinaryIO]:
    """A file to write to, of which readers find the old content or the new, never a part.

    A link of the user's goes on leading to the same place, and a file keeps its permissions; a new
    one has `mode`, as far as the user's mask lets it. What is no regular file (a device, a pipe) is
    written as it is, never replaced. Raises OSError, and after any exception the old file stays;
    even a killed process leaves nothing beside it, where the system can make files without a name.
    """
    if _is_a_place(path):
        with path.open("wb") as out:
            yield out
        return
    target = _replaceable(path)
    unfinished = target.with_name(f".{target.name[:100]}.{secrets.token_hex(4)}.unfinished")
    opened, has_name = _open_unfinished(unfinished, mode)
    try:
        with os.fdopen(opened, "wb") as out:
            if target.exists():
                os.fchmod(out.fileno(), stat.S_IMODE(target.stat().st_mode))
            yield out
            out.flush()
            os.fsync(out.fileno())
            if not has_name:
                _name(out.fileno(), unfinished)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def opened_to_add(path: Path) -> Iterator[BinaryIO]:
    """A file of the user's, a pipe or a device, to write behind what is there. Raises OSError."""
    target = path if _is_a_place(path) else _replaceable(path)
    with target.open("ab") as out:
        yield out


@contextmanager
def added_whole(path: Path) -> Iterator[BinaryIO]:
    """What is written goes behind what a file of the user's holds, all of it or nothing.

    It lies apart until it is complete. A pipe or a device is written as it is. Raises OSError.
    """
    if _is_a_place(path):
        with opened_to_add(path) as out:
            yield out
        return
    target = _replaceable(path)
    unfinished = target.with_name(f".{target.name[:100]}.{secrets.token_hex(4)}.unfinished")
    opened, _ = _open_unfinished(unfinished, 0o600)
    try:
        with os.fdopen(opened, "w+b") as apart:
            yield apart
            apart.seek(0)
            _append(apart, target)
    finally:
        unfinished.unlink(missing_ok=True)


def _append(source: BinaryIO, target: Path) -> None:
    """Without a buffer, which would be written once more when the file is closed."""
    opened = os.open(target, os.O_WRONLY | os.O_APPEND | os.O_CREAT | _NO_LINK, 0o666)
    try:
        before = os.fstat(opened).st_size
        try:
            while chunk := memoryview(source.read(_CHUNK)):
                while chunk:
                    chunk = chunk[os.write(opened, chunk) :]
            os.fsync(opened)
        except BaseException:
            os.ftruncate(opened, before)
            raise
    finally:
        os.close(opened)


def write_new(path: Path, content: bytes, mode: int = 0o666) -> None:
    """Make a file, whole or not at all. Raises FileExistsError, and leaves what is there."""
    if os.path.lexists(path):
        raise FileExistsError(0, "it exists already", str(path))
    unfinished = path.with_name(f".{path.name[:100]}.{secrets.token_hex(4)}.unfinished")
    opened, has_name = _open_unfinished(unfinished, mode)
    try:
        with os.fdopen(opened, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
            if not has_name:
                _name(out.fileno(), path)
        if has_name:
            os.link(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def distrust(*paths: Path) -> tuple[str, str] | None:
    """Why others may have written what is read there, and what to do; None: they cannot have.

    For what is used because it lies where the user is, without having been named. It has to belong
    to the user or to root, and nobody else may write to it but a group of the user alone.
    """
    if not hasattr(os, "geteuid"):
        return None
    for path in paths:
        for status in (path.lstat(), path.stat()):
            if status.st_uid not in (os.geteuid(), _ROOT):
                return f"{path} belongs to another user", f"chown {os.geteuid()} {path}"
        if status.st_mode & stat.S_IWOTH:
            return f"others may write to {path}", f"chmod o-w {path}"
        if status.st_mode & stat.S_IWGRP and not _is_private(status.st_gid):
            return f"others may write to {path}", f"chmod go-w {path}"
    return None


def _is_private(group: int) -> bool:
    """Whether a group is the user's own, as many systems make one for each user."""
    import grp
    import pwd

    try:
        user, entry = pwd.getpwuid(os.geteuid()), grp.getgrgid(group)
    except KeyError:
        return False
    is_own = group == user.pw_gid and entry.gr_name == user.pw_name
    return group != _ROOT and is_own and not {*entry.gr_mem} - {user.pw_name}


def make_scratch(parent: Path | None = None) -> Path | None:
    """A folder that the user alone can look into; None where there can be none now.

    It is in `parent`, or where the system keeps temporary files.
    It stays until `remove_scratch`, or until the process ends, by a signal too where
    `remove_all_scratch` is called on the way out. Those of processes that were killed are removed
    with the first one that is made in the same place: nobody holds their locks any more.
    """
    try:
        place = Path(tempfile.gettempdir()) if parent is None else parent
        _sweep(place)
        made = Path(tempfile.mkdtemp(prefix=".connstat-", dir=place))
        lock = _locked(made)
        folder = made.rename(place / f"{_SCRATCH_NAME}{made.name.removeprefix('.connstat-')}")
    except OSError:
        return None
    if not _SCRATCH:
        atexit.register(remove_all_scratch)
    _SCRATCH[folder] = os.getpid(), lock
    return folder


def remove_scratch(folder: Path) -> None:
    """Remove one with all that is in it, if this process has made it."""
    pid, lock = _SCRATCH.pop(folder, (0, None))
    if pid == os.getpid():
        shutil.rmtree(folder, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def _locked(folder: Path) -> int | None:
    """A descriptor that holds a lock on a folder; None: another holds one, or there are none."""
    try:
        import fcntl
    except ImportError:
        return None
    opened = os.open(folder, os.O_RDONLY | _NO_LINK)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(opened)
        return None
    return opened


def _sweep(place: Path) -> None:
    """Remove the folders that killed processes of the user have left in a place, once."""
    if place in _SWEPT:
        return
    _SWEPT.add(place)
    with os.scandir(place) as entries:
        left = [Path(entry) for entry in entries if entry.name.startswith(_SCRATCH_NAME)]
    for folder in left:
        with suppress(OSError):
            status = folder.lstat()
            if not stat.S_ISDIR(status.st_mode) or stat.S_IMODE(status.st_mode) != 0o700:
                continue
            _check_owner(folder, status)
            lock = _locked(folder)
            if lock is not None:
                shutil.rmtree(folder, ignore_errors=True)
                os.close(lock)


def remove_all_scratch() -> None:
    """Remove all of this process."""
    for folder in tuple(_SCRATCH):
        remove_scratch(folder)


def _replaceable(path: Path) -> Path:
    """The file that a path means, if the user may have it replaced. Raises NotOurs."""
    if path.is_symlink():
        _check_owner(path, path.lstat(), _ROOT)
        path = path.resolve()
    is_own_file(path)
    return path


def _check_owner(path: Path, status: os.stat_result, *others: int) -> None:
    if hasattr(os, "geteuid") and status.st_uid not in (os.geteuid(), *others):
        raise NotOurs(path, "it belongs to another user")


def _beginning(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_BEGINNING)


def _is_a_place(path: Path) -> bool:
    """Whether what stands there must stay: it is no regular file, or another name of one open.

    Raises NotOurs for a folder or a disk.
    """
    if path.is_dir():
        raise NotOurs(path, "it is a folder")
    if path.is_block_device():
        raise NotOurs(path, "it is a disk")
    if path.absolute().parts[1:2] in (("dev",), ("proc",)):
        return True
    return path.exists() and not path.is_file()


def _open_unfinished(path: Path, mode: int) -> tuple[int, bool]:
    """A descriptor to write to, and whether the file has that name already, or none yet."""
    if hasattr(os, "O_TMPFILE") and _OWN_FDS.exists():
        with suppress(OSError):  # not every file system has files without a name
            return os.open(path.parent, os.O_TMPFILE | os.O_RDWR, mode), False
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _NO_LINK, mode), True


def _name(opened: int, path: Path) -> None:
    folder = os.open(path.parent, os.O_RDONLY)
    try:  # with a folder for the source, Python lets the system follow what stands in /proc
        os.link(_OWN_FDS / str(opened), path, src_dir_fd=folder)
    finally:
        os.close(folder)


def shown(path: Path) -> str:
    """A file's name as people know it: relative to where they are, when it is below."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_absolute() and here in path.parents else str(path)
