"""How many sockets a process can afford: each is one of the files that it may have open."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_PLENTY = 8192
"""Where so many files may be open, nobody counts."""
_USUAL = 32


@dataclass(frozen=True, slots=True)
class Sockets:
    """`at_once` is how many may be in use; those with a number up to `last_kept` stay open idle."""

    at_once: int
    last_kept: int

    @classmethod
    def of_process(cls) -> Sockets | None:
        """What the limit of open files leaves; None where there are plenty."""
        try:
            import resource
        except ImportError:  # not on every system
            return None
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        if most == resource.RLIM_INFINITY or most > _PLENTY:
            return None
        used = _open_files()
        return cls.of(most, used)

    @classmethod
    def of(cls, most: int, used: int) -> Sockets:
        """The most of what is free is for requests, some for idle sockets, the rest for files."""
        free = max(0, most - used)
        return cls(max(1, free // 2), used + free // 8)


def _open_files() -> int:
    try:
        return sum(1 for _ in Path("/dev/fd").iterdir())
    except OSError:
        return _USUAL
