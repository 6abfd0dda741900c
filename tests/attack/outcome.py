"""What came of a long run, and what the process holds after it."""

from __future__ import annotations

import gc
import os
import resource
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

SPARE_MEMORY = 60_000_000
SPARE_DESCRIPTORS, SPARE_THREADS, SPARE_OBJECTS = 40, 4, 20_000
WARM = 300
"""So many inputs fill the caches, a part of the count where that is small."""


@dataclass
class Outcome:
    """Inputs tried, what came of them, what should not have come, and further figures."""

    tried: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    figures: str = ""

    def turns(self, count: int) -> Iterator[int]:
        """So many turns, counted; from some way on the process comes to hold no more."""
        warm, before = min(WARM, count // 2), held()
        for number in range(count):
            if number == warm:
                before = held()
            self.tried += 1
            yield number
        after = held()
        self.failures += grown(before, after)
        self.figures = "; ".join(filter(None, (self.figures, f"{before}, then {after}")))

    def __str__(self) -> str:
        ends = ", ".join(f"{count} {end}" for end, count in sorted(self.ends.items()))
        figures = f" ({self.figures})" if self.figures else ""
        return f"{self.tried} tried: {ends}; {len(self.failures)} failures{figures}"


class Held(NamedTuple):
    """What the process holds, after a collection; `memory` is in bytes."""

    memory: int
    descriptors: int
    threads: int
    objects: int

    def __str__(self) -> str:
        return (
            f"{self.memory // 1_000_000} MB, {self.descriptors} descriptors,"
            f" {self.threads} threads, {self.objects:,} objects"
        )


def held() -> Held:
    """What it holds now."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    descriptors = sum(1 for _ in Path("/proc/self/fd").iterdir())
    return Held(
        pages * os.sysconf("SC_PAGE_SIZE"), descriptors, threading.active_count(),
        len(gc.get_objects()),
    )  # fmt: skip


def peak() -> int:
    """The most memory that the process has had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def grown(before: Held, after: Held) -> list[str]:
    """What there is more of than caches and pools account for."""
    spare = (SPARE_MEMORY, SPARE_DESCRIPTORS, SPARE_THREADS, SPARE_OBJECTS)
    limits = zip(Held._fields, before, after, spare, strict=True)
    return [
        f"{what} grew from {old:,} to {new:,}"
        for what, old, new, spare in limits
        if new > old + spare
    ]
