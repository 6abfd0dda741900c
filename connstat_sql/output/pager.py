"""Answers that are longer than the screen, shown by the user's pager as psql and git do."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Any, BinaryIO, cast

if TYPE_CHECKING:
    import subprocess

_LESS = "SRFX"
"""Long lines are cut, colours shown, and what fits one screen is simply printed."""
_USUAL_HEIGHT = 24


class Screen:
    """A terminal that answers are written to, or what stands in its place.

    `is_paging` says whether what is longer goes through `$PAGER`, or less where there is one.
    """

    def __init__(
        self, out: IO[Any], environment: Mapping[str, str], *, is_paging: bool = True
    ) -> None:
        self._out = out
        self._environment = environment
        self.command = _command(environment) if is_paging and out.isatty() else None
        """What pages, or None: nothing does."""

    @property
    def lack(self) -> str:
        """Why nothing pages though somebody has said what should, or ""."""
        said = self._environment.get("PAGER")
        if self.command is not None or not said or not self._out.isatty():
            return ""
        words = _words(said)
        is_there = not words or words == ["cat"] or shutil.which(words[0]) is not None
        return "" if is_there else f"there is no pager {words[0]}: set PAGER to another"

    def show(self, write: Callable[[BinaryIO], object]) -> None:
        """Let something write to the screen, until its reader has seen enough."""
        if self.command is None:
            write(cast("BinaryIO", self._out))
            self._out.flush()
            return
        paged = _Paged(self._out, self.command, self._height(), self._environment)
        with paged.until_its_end():
            write(cast("BinaryIO", paged))

    def _height(self) -> int:
        with suppress(OSError, ValueError):
            return os.get_terminal_size(self._out.fileno()).lines or _USUAL_HEIGHT
        return _USUAL_HEIGHT


def _command(environment: Mapping[str, str]) -> list[str] | None:
    said = environment.get("PAGER")
    if said is None:
        is_simple = environment.get("TERM") == "dumb"
        return ["less"] if shutil.which("less") and not is_simple else None
    words = _words(said)
    return words if words and words != ["cat"] and shutil.which(words[0]) else None


def _words(said: str) -> list[str]:
    import shlex

    try:
        return shlex.split(said)
    except ValueError:
        return []


class _Paged:
    """A stream that becomes the pager's once more is written than a screen holds."""

    def __init__(
        self, out: IO[Any], command: list[str], height: int, environment: Mapping[str, str]
    ) -> None:
        self._out = out
        self._command = command
        self._height = height
        self._environment = {"LESS": _LESS, **environment}
        self._held: list[bytes] = []
        self._lines = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._before: object = None

    def isatty(self) -> bool:
        """What is written is for a terminal."""
        return True

    def flush(self) -> None:
        """The pager is handed things as they come."""

    def write(self, text: bytes) -> int:
        """Raises BrokenPipeError once the reader of the pager has seen enough."""
        if self._process is None:
            self._held.append(text)
            self._lines += text.count(b"\n")
            if self._lines < self._height:
                return len(text)
            text = b"".join(self._held)
            self._begin()
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(text)
        return len(text)

    def _begin(self) -> None:
        import subprocess

        self._before = _leave_ctrl_c()
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, env=self._environment
        )

    @contextmanager
    def until_its_end(self) -> Iterator[None]:
        """Around all that is written; the pager has ended after it."""
        try:
            try:
                yield
            except BrokenPipeError:
                if self._process is None:
                    raise
            if self._process is None:
                self._out.write(b"".join(self._held))
                self._out.flush()
        finally:
            self._end()

    def _end(self) -> None:
        try:
            if self._process is not None:
                assert self._process.stdin is not None
                with suppress(BrokenPipeError):
                    self._process.stdin.close()
                self._process.wait()
        finally:
            _take_ctrl_c(self._before)


@contextmanager
def ctrl_c_is_theirs() -> Iterator[None]:
    """Ctrl-C goes to all at a terminal; while another program has it, it is not meant for us."""
    before = _leave_ctrl_c()
    try:
        yield
    finally:
        _take_ctrl_c(before)


def _leave_ctrl_c() -> object:
    """Take no notice of Ctrl-C; answers what was done with it, or None where nothing changed."""
    if threading.current_thread() is not threading.main_thread():
        return None
    return signal.signal(signal.SIGINT, lambda *_: None)


def _take_ctrl_c(before: object) -> None:
    if before is not None:
        signal.signal(signal.SIGINT, before)  # type: ignore[arg-type]  # it came from there
