"""One line on a terminal that says how far a statement has come, and leaves no trace."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from connstat_sql.executor.stats import Progress

QUIET_SECONDS = 0.5
"""Work that ends sooner shows nothing."""
ERASE = "\r\033[K"


@dataclass(slots=True)
class ProgressLine:
    """Rewrites one line in place.

    `now` are seconds of any clock, `width` answers the columns of the terminal.
    """

    stream: TextIO
    now: Callable[[], float]
    width: Callable[[], int]
    _began: float | None = field(default=None, init=False)
    _shown: str = field(default="", init=False)

    def show(self, scans: Sequence[Progress]) -> None:
        """Say how far the scans have come, unless the work has only just begun."""
        now = self.now()
        if self._began is None:
            self._began = now
        if not scans or now - self._began < QUIET_SECONDS:
            return
        clock = f"{now - self._began:,.0f} s  "
        text = clock + in_words(scans, max(0, self.width() - 1 - len(clock)))
        if text != self._shown:
            self._shown = text
            self.stream.write(ERASE + text)
            self.stream.flush()

    def clear(self) -> None:
        """Take the line away: something else is about to be written."""
        if self._shown:
            self._shown = ""
            self.stream.write(ERASE)
            self.stream.flush()

    def end(self) -> None:
        """Take the line away; what comes next is other work."""
        self.clear()
        self._began = None


def is_wanted(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Whether a line can be rewritten there: it is a terminal, and no simple one."""
    return stream.isatty() and environment.get("TERM") != "dumb"


def columns_of(stream: TextIO) -> int:
    """Columns of the terminal behind a stream; 80 where it does not say."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


def in_words(scans: Sequence[Progress], width: int) -> str:
    """How far the scans have come, in at most `width` characters of ASCII.

    Names are shortened to their last part before anything is cut off.
    """
    texts = [_told(scans, name) for name in (_whole, _last_part)]
    text = next((text for text in texts if len(text) <= width), texts[-1])
    return text if len(text) <= width else text[: max(0, width - 3)] + "..."[: max(0, width)]


def _told(scans: Sequence[Progress], name: Callable[[Progress], str]) -> str:
    waits = max(scan.waits for scan in scans)
    pause = f"; waiting {math.ceil(waits):,} s for a rate limit" if waits > 0 else ""
    rows = _count(sum(scan.rows for scan in scans), "row")
    if len(scans) == 1:
        (scan,) = scans
        return f"{name(scan)} {_requests(scan.done, scan.expected)}, {rows}{pause}"
    known = [scan.expected for scan in scans if scan.expected is not None]
    expected = sum(known) if len(known) == len(scans) else None
    total = _requests(sum(scan.done for scan in scans), expected)
    last = max(scans, key=_left)
    behind = f"; furthest behind {name(last)} {_of(last.done, last.expected)}"
    return f"{len(scans)} scans: {total}, {rows}{behind}{pause}"


def _left(scan: Progress) -> float:
    """Requests to come; a scan that does not know how many is taken for the longest."""
    return math.inf if scan.expected is None else scan.expected - scan.done


def _requests(done: int, expected: int | None) -> str:
    if expected is None:
        return _count(done, "request")
    return f"{done:,} of {_count(max(done, expected), 'request')}"


def _of(done: int, expected: int | None) -> str:
    return _count(done, "request") if expected is None else f"{done:,} of {expected:,}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _whole(scan: Progress) -> str:
    """The name in characters that take one column each in every terminal."""
    name = scan.table.encode("ascii", "replace").decode()
    return "".join(letter if letter.isprintable() else "?" for letter in name)


def _last_part(scan: Progress) -> str:
    return _whole(scan).rpartition(".")[2]
