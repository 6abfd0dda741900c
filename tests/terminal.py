"""A program in a real pseudo-terminal: typed at as a person would, its screen read by a terminal.

    with Terminal("-m", "connstat_sql", environment={"HOME": str(tmp_path)}) as terminal:
        terminal.wait_for(">")                       # until it stands on the screen
        terminal.type("SELECT 42 AS answer;")        # as keys, one after the other
        terminal.press("enter")                      # tab, up, ctrl-c, alt-enter, f2, page-up …
        assert "answer" in terminal.wait_for("42")   # the text of the screen
        terminal.resize(columns=60, rows=20)
        terminal.press("ctrl-d")
        assert terminal.ended() == 0                 # its exit code

The command is Python's own unless it is said otherwise (`program=`). Nothing is slept for: every
wait ends as soon as what it waits for is there, and fails, with the screen, after `PATIENCE`
seconds. The program gets the environment handed in and a small plain one below it, nothing of ours:
no NO_COLOR, no COLUMNS, no configuration. Answers of the terminal (where is the cursor?) are sent
back to the program, as terminals do.
"""

from __future__ import annotations

import os
import re
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import pexpect
import pyte

PATIENCE = 30.0
"""Seconds until a wait is given up: far more than anything takes."""
KEYS = {
    "enter": "\r", "tab": "\t", "escape": "\x1b", "backspace": "\x7f", "delete": "\x1b[3~",
    "up": "\x1b[A", "down": "\x1b[B", "right": "\x1b[C", "left": "\x1b[D",
    "home": "\x1b[H", "end": "\x1b[F", "page-up": "\x1b[5~", "page-down": "\x1b[6~",
    "back-tab": "\x1b[Z", "space": " ", "f1": "\x1bOP", "f2": "\x1bOQ", "f3": "\x1bOR",
    "f4": "\x1bOS", "f5": "\x1b[15~",
}  # fmt: skip
_STRINGS = re.compile(rb"\x1b[P_^X][^\x1b]*\x1b\\")
"""Device control and the like, which the screen does not know."""
_ROOT = Path(__file__).parents[1]


class Terminal:
    """A program in a pseudo-terminal; use it with `with`, which ends the program."""

    def __init__(
        self,
        *arguments: str,
        program: str = sys.executable,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        columns: int = 100,
        rows: int = 30,
    ) -> None:
        """Start `program` with `arguments` in `folder` (None: the temporary `HOME`, else here)."""
        around = {**_plain_environment(), **(environment or {})}
        where = folder or Path(around.get("HOME", "."))
        self._answers: list[str] = []
        self._screen = _Screen(columns, rows, self._answers.append)
        self._stream = pyte.ByteStream(self._screen)
        self.written = b""
        with (
            warnings.catch_warnings()
        ):  # the tests have threads, and the child is not ours for long
            warnings.simplefilter("ignore", DeprecationWarning)
            self._child = pexpect.spawn(
                program, list(arguments), env=around, cwd=str(where), dimensions=(rows, columns),
                echo=True,
            )  # fmt: skip
        self._child.delaybeforesend = None

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the program, whatever it does."""
        self._child.close(force=True)

    # --- hands -------------------------------------------------------------------------------

    def type(self, text: str) -> None:
        """Type a text as it is."""
        self._child.send(text.encode())

    def press(self, *names: str) -> None:
        """Press keys by name: those of `KEYS`, `ctrl-` and `alt-` with a letter, or a letter."""
        for name in names:
            self._child.send(_code(name).encode())

    def enter(self, line: str) -> None:
        """Type a line and press Enter."""
        self.type(line + "\r")

    def paste(self, text: str) -> None:
        """Paste a text, bracketed as terminals do it."""
        self.type(f"\x1b[200~{text}\x1b[201~")

    def resize(self, *, columns: int, rows: int) -> None:
        """Give the window another size; the program is told."""
        self._screen.resize(rows, columns)
        self._child.setwinsize(rows, columns)

    # --- eyes --------------------------------------------------------------------------------

    @property
    def lines(self) -> list[str]:
        """The rows of the screen, without the blanks at their ends."""
        return [line.rstrip() for line in self._screen.display]

    @property
    def text(self) -> str:
        """The screen as text, without empty rows at its end."""
        return "\n".join(self.lines).rstrip("\n")

    def cells(self) -> list[list[Any]]:
        """The rows of the screen as pyte's cells: text with colours."""
        buffer, columns = self._screen.buffer, self._screen.columns
        return [[buffer[row][one] for one in range(columns)] for row in range(self._screen.lines)]

    @property
    def scrolled(self) -> str:
        """What has left the screen at its top, and the screen."""
        above = [_row_text(row, self._screen.columns) for row in self._screen.history.top]
        return "\n".join((*above, *self.lines)).rstrip("\n")

    @property
    def cursor(self) -> tuple[int, int]:
        """Row and column of the cursor, from 0."""
        return self._screen.cursor.y, self._screen.cursor.x

    @property
    def pid(self) -> int:
        """The process id of the program."""
        return int(self._child.pid)

    def colors(self, text: str) -> set[str]:
        """Foreground colours in which a text stands on the screen (`default` where it has none)."""
        found: set[str] = set()
        for number, line in enumerate(self._screen.display):
            start = line.find(text)
            cells = self._screen.buffer[number]
            while start >= 0:
                found |= {cells[start + offset].fg for offset in range(len(text))}
                start = line.find(text, start + 1)
        return found

    def wait_for(self, *texts: str, seconds: float = PATIENCE) -> str:
        """Wait until all texts stand on the screen; the screen's text then."""
        missing = " and ".join(map(repr, texts))
        self.wait_until(lambda: all(one in self.text for one in texts), missing, seconds)
        return self.text

    def wait_until(
        self, holds: Callable[[], bool], what: str = "it", seconds: float = PATIENCE
    ) -> None:
        """Wait until something holds, of the screen or elsewhere; fails with the screen."""
        deadline = time.monotonic() + seconds
        while not holds():
            is_over = not self._read(0.05)
            if holds():
                return
            if is_over or time.monotonic() > deadline:
                end = "the program has ended" if is_over else f"{seconds:.0f} s are over"
                raise AssertionError(f"{end}, and there is not {what} in:\n{self.scrolled}")

    def ended(self, seconds: float = PATIENCE) -> int:
        """Wait until the program ends; its exit code (negative: the signal that ended it)."""
        deadline = time.monotonic() + seconds
        while self._read(0.05):
            if time.monotonic() > deadline:
                raise AssertionError(f"it has not ended after {seconds:.0f} s:\n{self.scrolled}")
        self._child.close()
        status, signal = self._child.exitstatus, self._child.signalstatus
        return -int(signal) if status is None else int(status)

    def _read(self, seconds: float) -> bool:
        """Take in what the program has written. False: it has ended, and nothing will come."""
        try:
            found: bytes = self._child.read_nonblocking(65536, timeout=seconds)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self.written += found
        self._stream.feed(_STRINGS.sub(b"", found))
        while self._answers:
            self._child.send(self._answers.pop(0).encode())
        return True


class _Screen(pyte.HistoryScreen):
    """A screen that answers the program's questions."""

    def __init__(self, columns: int, rows: int, answer: Callable[[str], None]) -> None:
        super().__init__(columns, rows, history=5000)
        self._answer = answer

    def write_process_input(self, data: str) -> None:
        """What a terminal says of itself when asked goes to the program."""
        self._answer(data)

    def select_graphic_rendition(self, *attributes: int, private: bool = False) -> None:
        """Colours and the like; a private form asks for key codes we do not have."""
        if not private:
            super().select_graphic_rendition(*attributes)


def _code(name: str) -> str:
    if name in KEYS:
        return KEYS[name]
    kind, _, rest = name.partition("-")
    if kind == "ctrl" and rest:
        return chr(ord(rest) & 0x1F)
    if kind == "alt" and rest:
        return "\x1b" + _code(rest)
    if len(name) != 1:
        raise ValueError(f"there is no key {name!r}")
    return name


def _row_text(row: Mapping[int, Any], columns: int) -> str:
    return "".join(row[column].data for column in range(columns)).rstrip()


def _plain_environment() -> dict[str, str]:
    """Enough to start a program: where programs and our package are, and a capable terminal."""
    kept = {
        name: os.environ[name] for name in ("PATH", "PYTHONPYCACHEPREFIX") if name in os.environ
    }
    return {**kept, "PYTHONPATH": str(_ROOT), "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
