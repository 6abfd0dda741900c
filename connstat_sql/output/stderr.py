"""Narration: everything that is written to stderr, and the exit codes."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO

from connstat_sql.errors import (
    ConfigError,
    ConnstatError,
    DefinitionError,
    FetchError,
    Interrupted,
    QueryError,
    SavedQueryError,
    Span,
    counted,
)
from connstat_sql.output.progress import ProgressLine, columns_of, is_wanted
from connstat_sql.output.verdict import verdict

if TYPE_CHECKING:
    from connstat_sql.executor.stats import Progress
    from connstat_sql.result import Result
    from connstat_sql.transport import Attempt, RetryNotice

DONE, QUERY_AT_FAULT, USAGE, API_FAILED, PARTIAL, INTERRUPTED = 0, 1, 2, 3, 4, 130


def exit_code(error: BaseException) -> int:
    """The exit code that an error stands for."""
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    if isinstance(error, QueryError):
        return QUERY_AT_FAULT
    if isinstance(error, (ConfigError, DefinitionError, SavedQueryError)):
        return USAGE
    if isinstance(error, (FetchError, Interrupted)):
        return API_FAILED
    return QUERY_AT_FAULT


class Narrator:
    """Writes to stderr: errors, notes, traces, and a line of progress on a terminal.

    `level` is -1 for quiet, 1 for verbose, 2 for debugging. May be used from several threads.
    """

    def __init__(
        self,
        stream: TextIO | None = None,
        *,
        level: int = 0,
        color: bool = False,
        line: ProgressLine | None = None,
    ) -> None:
        """`line` shows progress (None: it is not shown)."""
        self._stream = stream or sys.stderr
        self._level = level
        self._color = color
        self._line = line
        self._lock = threading.Lock()
        self._waits: set[tuple[str, str]] = set()

    @classmethod
    def of_terminal(
        cls,
        stream: TextIO,
        environment: Mapping[str, str],
        *,
        level: int = 0,
        progress: bool = True,
        now: Callable[[], float] = time.monotonic,
    ) -> Narrator:
        """A narrator as its stream can bear: colours and progress are for terminals."""
        is_capable = is_wanted(stream, environment)
        color = is_capable and not environment.get("NO_COLOR")
        line = None
        if progress and level >= 0 and is_capable:
            line = ProgressLine(stream, now, lambda: columns_of(stream))
        return cls(stream, level=level, color=color, line=line)

    @property
    def level(self) -> int:
        """How much is told."""
        return self._level

    def progress(self, scans: Sequence[Progress]) -> None:
        """How far a statement has come: one line, gone before anything else is written."""
        if self._line is not None:
            with self._lock:
                self._line.show(scans)

    def waiting(self, waiting: RetryNotice) -> None:
        """A request waits for long: told once for all that wait for the same."""
        wait = waiting.connection, waiting.message
        if wait not in self._waits:
            self._waits.add(wait)
            self.say(f"waiting for {waiting.connection}: {waiting.message}")

    def end_progress(self) -> None:
        """The work is done, or rows are about to be written: no line of progress is left."""
        self._waits.clear()
        if self._line is not None:
            with self._lock:
                self._line.end()

    def error(self, error: ConnstatError) -> None:
        """What is wrong, where, and the next step."""
        self._say(f" {error.message}", red="error:")
        if isinstance(error, QueryError) and error.span is not None:
            for line in excerpt(error.sql, error.span):
                self._say(line)
        if isinstance(error, FetchError) and error.request is not None:
            attempts = f", {error.attempts} attempts" if error.attempts > 1 else ""
            self._say(f"  {error.request}  ({error.connection}{attempts})")
        if error.hint:
            self._say(f"hint: {error.hint}")
        if isinstance(error, QueryError):
            sent = error.requests_sent
            self._say(
                f"Sent before: {counted(sent, 'request')}." if sent else "No request was sent."
            )

    def interrupted(self) -> None:
        """Ctrl-C: nothing of the statement is kept."""
        self._say("interrupted")

    def result(self, result: Result) -> None:
        """Notes of a result, and what makes it partial."""
        if self._level >= 0:
            for note in result.notes:
                self._say(f"note: {note}")
        if not result.complete:
            self._partial(result)
        if self._level >= 1:
            rows = f"{counted(result.table.num_rows, 'row')}, " if result.has_rows else ""
            requests = counted(result.requests, "request")
            self._say(f"{rows}{requests}, {result.seconds * 1000:.0f} ms")

    def trace(self, sent: Attempt) -> None:
        """One attempt of one request; no secret is in it."""
        status = "no answer" if sent.status is None else str(sent.status)
        again = f" attempt {sent.attempt}" if sent.attempt > 1 else ""
        milliseconds = f"{sent.seconds * 1000:.0f} ms"
        self._say(f"{sent.line}  {status}  {milliseconds}  {sent.size:,} bytes{again}")

    def log(self, text: str) -> None:
        """A line of the log, which was asked for."""
        self._say(text)

    def say(self, text: str) -> None:
        """A line of narration, unless quiet."""
        if self._level >= 0:
            self._say(text)

    def _partial(self, result: Result) -> None:
        first, *others = verdict(result)
        self._say("\n".join((f" {first}", *others)), red="partial result:")

    def _say(self, text: str, *, red: str = "") -> None:
        """Write lines, the first behind a red word; values in them may be anything."""
        text = self._red(red) + harmless(text) if red else harmless(text)
        with self._lock:
            if self._line is not None:
                self._line.clear()
            with suppress(OSError):  # narration that nobody can take is no reason to lose rows
                print(text, file=self._stream, flush=True)

    def _red(self, text: str) -> str:
        return f"\033[1;31m{text}\033[0m" if self._color else text


def harmless(text: str) -> str:
    """Lines of text without what a terminal would obey, which is written as its number."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() or letter in "\n\t" else _number(letter) for letter in text
    )


def _number(letter: str) -> str:
    return letter.encode("unicode_escape").decode()


def excerpt(sql: str, span: Span) -> list[str]:
    """The line of a statement that holds a place, and carets below the place."""
    start = min(span.start, len(sql))
    begin = sql.rfind("\n", 0, start) + 1
    end = sql.find("\n", start)
    line = sql[begin : end if end >= 0 else len(sql)]
    offset, width = start - begin, max(1, min(span.end, begin + len(line)) - start)
    if len(line) > 160:
        cut = max(0, offset - 40)
        line, offset = line[cut : cut + 160], offset - cut
        width = min(width, 160 - offset)
    blank = "".join("\t" if letter == "\t" else " " for letter in line[:offset])
    return [f"  {line}", f"  {blank}{'^' * width}"]
