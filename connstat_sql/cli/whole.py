"""Files that appear when everything has been written to them, and places that are no files."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

STDOUT = "-"
"""The file name that means standard output."""


@contextmanager
def written_whole(path: Path) -> Iterator[IO[bytes]]:
    """A file to write to, of which readers find the old content or the new, never a part.

    A link goes on leading to the same place, and a file keeps its permissions. What is no regular
    file (a device, a pipe) is written as it is, never replaced. Raises OSError, and after any
    exception the old file stays.
    """
    if _is_a_place(path):
        with path.open("wb") as out:
            yield out
        return
    target = path.resolve()
    unfinished = target.with_name(f".{target.name[:100]}.{os.getpid()}.unfinished")
    try:
        with unfinished.open("wb") as out:
            if target.exists():
                unfinished.chmod(stat.S_IMODE(target.stat().st_mode))
            yield out
            out.flush()
            os.fsync(out.fileno())
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def _is_a_place(path: Path) -> bool:
    """Whether what stands there must stay: it is no regular file, or another name of one open."""
    if path.absolute().parts[1:2] in (("dev",), ("proc",)):
        return True
    return path.exists() and not path.is_file()
