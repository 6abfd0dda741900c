"""Kept rows on disk: a DuckDB file of ours, open only while it is read or written.

Several processes may share it. What bears our mark and cannot be read is set aside and made anew;
what does not bear it is another's, and neither opened nor changed. Whatever goes wrong with it
costs requests, never an answer.

While rows are written DuckDB has a log beside the file, which a killed process leaves behind. Ours
holds no rows, as we have none written to it, but it belongs to that one file: DuckDB opens no other
with it, so that it goes wherever the file goes.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from connstat_sql.cache.keys import VERSION
from connstat_sql.cache.store import create_tables, open_memory
from connstat_sql.definitions.model import literal
from connstat_sql.files import is_own_file, make_scratch, remove_scratch

_MARK = "connstat_kept"
"""The table that says which version a file is of; its name is how a file of ours is known."""
_LOG_BEGINS = b"d\x00be\x00"
"""How DuckDB's log begins: an entry (100) of the kind (101) that says its version (98)."""
_LONGEST_LOG = 4096
"""Bytes: far more than a log without rows takes."""
_STEP = 1 << 20
PAUSES = (0.01, 0.02, 0.05, 0.1, 0.2)
"""Seconds to wait, in turn, for another process that has the file open."""


class FileNotUsable(Exception):
    """The file cannot be used now; the message says why, for people."""


class KeptFile:
    """The file. `note` is told what should be known of it; `pause` waits for so many seconds."""

    def __init__(
        self, path: Path, note: Callable[[str], None], pause: Callable[[float], None]
    ) -> None:
        self._path = path
        self._log = log_of(path)
        self._note = note
        self._pause = pause
        self._duckdb: duckdb.DuckDBPyConnection | None = None
        self._known: tuple[int, int] | None = None

    def interrupt(self) -> None:
        """Stop what is being read or written, from any thread."""
        if self._duckdb is not None:
            self._duckdb.interrupt()

    def exists(self) -> bool:
        """Whether there is anything to open."""
        return self._path.exists()

    def close(self) -> None:
        """Close what was opened; the file itself is closed already."""
        if self._duckdb is not None:
            self._duckdb.close()
            self._duckdb = None

    @contextmanager
    def open(self, *, to_write: bool) -> Iterator[duckdb.DuckDBPyConnection]:
        """What is kept there; raises NotUsable, also for what fails while it is open."""
        try:
            with self._attached(to_write=to_write) as connection:
                yield connection
        except duckdb.InterruptException as error:
            self.close()
            raise KeyboardInterrupt from error
        except duckdb.ResourceInUseException as error:
            raise FileNotUsable(f"{self._path} is in use by others") from error
        except duckdb.Error as error:
            self.close()
            if is_broken(error) and not to_write:
                self._set_aside()
            raise FileNotUsable(f"{self._path} cannot be used: {first_line(error)}") from error
        except OSError as error:
            why = error.strerror or error
            raise FileNotUsable(
                f"{self._path} cannot be used: {why}; [cache] file names another"
            ) from error

    # --- opening -----------------------------------------------------------------------------

    @contextmanager
    def _attached(self, *, to_write: bool) -> Iterator[duckdb.DuckDBPyConnection]:
        if not self._is_there():
            if not to_write:
                raise FileNotUsable("")  # nothing is kept yet: nothing to say
            self._create()
        connection = self._connection()
        how = "RECOVERY_MODE 'no_wal_writes'" if to_write else "READ_ONLY"
        self._attach(connection, how)
        try:
            connection.execute("USE kept")
            if self._version(connection) == VERSION:
                yield connection
                return
        finally:
            with suppress(duckdb.Error):
                connection.execute("USE memory")
            connection.execute("DETACH kept")
        self._path.unlink(missing_ok=True)
        self._log.unlink(missing_ok=True)
        raise FileNotUsable(f"{self._path} was of another version; it is made anew")

    def _attach(self, connection: duckdb.DuckDBPyConnection, how: str) -> None:
        for wait in (*PAUSES, None):
            try:
                connection.execute(f"ATTACH {literal(str(self._path))} AS kept ({how})")
            except duckdb.Error as error:
                if not _is_in_use(error):
                    self._set_aside()
                    raise
                if wait is None:
                    raise FileNotUsable(f"{self._path} is in use by others") from error
                self._pause(wait)
            else:
                return

    def _connection(self) -> duckdb.DuckDBPyConnection:
        if self._duckdb is None:
            self._duckdb = open_memory()
        return self._duckdb

    def _version(self, connection: duckdb.DuckDBPyConnection) -> int:
        tables = {name for (name,) in connection.execute("SHOW TABLES").fetchall()}
        if _MARK not in tables:
            raise self._anothers()
        [(version,)] = connection.execute(f"SELECT version FROM {_MARK}").fetchall()
        return int(version)

    def _is_there(self) -> bool:
        """Whether the file exists; raises NotUsable or OSError for what is not of our making."""
        if is_own_file(self._log) and not _is_log(self._log):
            raise FileNotUsable(
                f"{self._path} is not used: DuckDB would take {self._log.name} for its log, which "
                "it is not; move that away, or name another file under [cache]"
            )
        if not is_own_file(self._path):
            return False
        status = self._path.stat()
        if (status.st_dev, status.st_ino) != self._known:
            if not bears_mark(self._path):
                raise self._anothers()
            self._known = (status.st_dev, status.st_ino)
        if stat.S_IMODE(status.st_mode) & 0o077:
            self._path.chmod(0o600)
        return True

    def _anothers(self) -> FileNotUsable:
        return FileNotUsable(
            f"{self._path} holds no rows that connstat kept, and is left as it is; "
            "name another file under [cache]"
        )

    def _create(self) -> None:
        """An empty one, made where nobody else can look, with nothing to see for others."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder = make_scratch(self._path.parent)
        if folder is None:
            raise FileNotUsable(f"{self._path} cannot be made: its folder takes no files")
        try:
            made = folder / "kept"
            connection = self._connection()
            connection.execute(f"ATTACH {literal(str(made))} AS made")
            try:
                connection.execute(f"CREATE TABLE made.{_MARK} AS SELECT {VERSION} AS version")
                connection.execute("USE made")
                create_tables(connection)
            finally:
                connection.execute("USE memory")
                connection.execute("DETACH made")
            made.chmod(0o600)
            self._remove_stray_log()
            with suppress(FileExistsError):  # another has made it, or something else, meanwhile
                os.link(made, self._path)
        finally:
            remove_scratch(folder)
        self._is_there()

    def _remove_stray_log(self) -> None:
        """Remove the log of a file that is gone, as DuckDB does. Raises NotUsable, or OSError."""
        if not is_own_file(self._log) or self._path.exists():
            return
        if self._log.stat().st_size > _LONGEST_LOG:
            raise FileNotUsable(
                f"{self._path} is not used: {self._log.name} is the log of a database that is gone,"
                " and not of ours; move it away, or name another file under [cache]"
            )
        self._log.unlink()

    def _set_aside(self) -> None:
        """Put what cannot be read out of the way, where that is not in the way of another's."""
        aside = self._path.with_name(f"{self._path.name}.unreadable")
        with suppress(OSError):
            if is_own_file(aside) and not bears_mark(aside):
                return
            if is_own_file(log_of(aside)) and not _is_log(log_of(aside)):
                return
            log_of(aside).unlink(missing_ok=True)
            self._path.replace(aside)
            if is_own_file(self._log):
                self._log.replace(log_of(aside))
            self._note(f"{self._path} could not be read: it is now {aside.name}")


def log_of(path: Path) -> Path:
    """Where DuckDB has the log of a database."""
    return path.with_name(f"{path.name}.wal")


def _is_log(path: Path) -> bool:
    """Whether a file is a log of DuckDB, as far as its beginning tells; an empty one may be."""
    with path.open("rb") as file:
        beginning = file.read(len(_LOG_BEGINS))
    return _LOG_BEGINS.startswith(beginning)


def bears_mark(path: Path) -> bool:
    """Whether a file is a database of DuckDB in which we keep rows, as far as its bytes tell.

    That can be seen of one that is broken too, and without opening one of another's.
    """
    mark = _MARK.encode()
    with path.open("rb") as file:
        beginning = file.read(_STEP)
        if beginning[8:12] != b"DUCK":
            return False
        while beginning:
            if mark in beginning:
                return True
            following = file.read(_STEP)
            beginning = beginning[-len(mark) :] + following if following else b""
    return False


def is_broken(error: duckdb.Error) -> bool:
    """Whether a database itself is at fault, and not what was asked of it."""
    broken = (duckdb.IOException, duckdb.FatalException, duckdb.InternalException)
    return (
        isinstance(error, (*broken, duckdb.SerializationException)) or type(error) is duckdb.Error
    )


def _is_in_use(error: duckdb.Error) -> bool:
    return isinstance(error, duckdb.ResourceInUseException) or "Could not set lock" in str(error)


def first_line(error: duckdb.Error) -> str:
    """What DuckDB says of an error, short."""
    return str(error).partition("\n")[0][:300]
