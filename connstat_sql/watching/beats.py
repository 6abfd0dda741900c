"""Durations as people write them, and a steady grid of times to do something at."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterator
from typing import Protocol

_UNITS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_PART = r"(\d+(?:\.\d+)?)\s*(ms|d|h|m|s)"
_DURATION = re.compile(rf"\s*(?:{_PART}\s*)+", re.IGNORECASE | re.ASCII)
_ORDER = list(_UNITS)
LONGEST = 366 * _UNITS["d"]


def seconds_of(text: str) -> float:
    """The seconds of a duration such as `60s`, `5m`, `1h30m`, `500ms` or `60`; more than none.

    Raises ValueError with a message that shows how one is written.
    """
    if re.fullmatch(r"\s*\d+(\.\d+)?\s*", text, re.ASCII):
        text = f"{text.strip()}s"
    if not _DURATION.fullmatch(text):
        raise ValueError(f"{text!r} is no duration: write it like 60s, 5m, 1h30m or 500ms")
    parts = re.findall(_PART, text.lower(), re.ASCII)
    units = [unit for _, unit in parts]
    if units != sorted(set(units), key=_ORDER.index):
        raise ValueError(f"{text!r} is no duration: each unit once, the longest first, like 1h30m")
    seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if not 0 < seconds <= LONGEST:
        raise ValueError(f"{text!r} is not between nothing and 366d")
    return seconds


def in_words(seconds: float) -> str:
    """A duration as people write it, to the second (to the millisecond below one)."""
    left = round(seconds * 1000)
    if left < 1000:
        return f"{left}ms"
    left, parts = round(seconds), []
    for unit in ("d", "h", "m", "s"):
        number, left = divmod(left, int(_UNITS[unit]))
        parts += [f"{number}{unit}"] if number else []
    return "".join(parts)


class Pace(Protocol):
    """Time, handed in."""

    def now(self) -> float:
        """Seconds since the epoch, to say when something was seen."""

    def elapsed(self) -> float:
        """Seconds of a clock that nobody sets."""

    def wait(self, seconds: float) -> None:
        """Come back after so many seconds."""


class RealPace:
    """The machine's own."""

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def elapsed(self) -> float:
        """Seconds since some moment."""
        return time.monotonic()

    def wait(self, seconds: float) -> None:
        """Sleep; Ctrl-C ends it at once."""
        time.sleep(seconds)


def beats(every: float, pace: Pace, count: int | None = None) -> Iterator[int]:
    """Come back at the beginning and then every so many seconds, `count` times (None: for ever).

    The times are those of a grid that begins with the first: they do not drift by what is done in
    between. What takes longer than a beat is not overtaken; the beats that it missed are left
    out, and their number is what comes back.
    """
    start, beat, missed, done = pace.elapsed(), 0, 0, 0
    while True:
        yield missed
        done += 1
        if done == count:
            return
        following = max(beat, math.floor((pace.elapsed() - start) / every)) + 1
        missed, beat = following - beat - 1, following
        pace.wait(max(0.0, start + beat * every - pace.elapsed()))
