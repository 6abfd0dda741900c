"""Files that connstat itself reads: no answer is written in their place."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from connstat_sql.files import NotOurs


class Input(NamedTuple):
    """A file that is read, and what it is."""

    path: Path
    what: str


def refuse_inputs(path: Path, inputs: Iterable[Input]) -> None:
    """Raise NotOurs where a path leads to a file that is read, by whatever name."""
    if not os.path.lexists(path):
        return
    for input_ in inputs:
        if _is_same(path, input_.path):
            raise NotOurs(path, f"it is {input_.what}; name another file")


def _is_same(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except OSError:  # one of them leads nowhere
        return path.resolve() == other.resolve()
