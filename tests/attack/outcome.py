"""What came of a long run, and what the process holds after it."""

from __future__ import annotations

import gc
import os
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

SPARE_MEMORY = 60_000_000


@dataclass
class Outcome:
    """Inputs tried, what came of them, what should not have come, and further figures."""

    tried: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    figures: str = ""

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


def held() -> Held:
    """What it holds now."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    descriptors = sum(1 for _ in Path("/proc/self/fd").iterdir())
    return Held(
        pages * os.sysconf("SC_PAGE_SIZE"), descriptors, threading.active_count(),
        len(gc.get_objects()),
    )  # fmt: skip


def grown(before: Held, after: Held, spare_objects: int) -> list[str]:
    """What there is more of than caches and pools account for."""
    limits = zip(Held._fields, before, after, (SPARE_MEMORY, 40, 4, spare_objects), strict=True)
    return [
        f"{what} grew from {old:,} to {new:,}"
        for what, old, new, spare in limits
        if new > old + spare
    ]
