"""A steady grid of times to do something at."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import Protocol


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
