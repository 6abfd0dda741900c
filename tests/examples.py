"""How many examples a property is tried with: some at each change, all in the long run."""

from __future__ import annotations

import os

ALL = "CONNSTAT_ALL_EXAMPLES"
"""The environment variable that, when it is set, asks for all of them."""
_SHARE, _FEWEST = 3, 8


def examples(count: int) -> int:
    """So many where all are asked for, else a third of them, and not less than a few."""
    return count if os.environ.get(ALL) else max(count // _SHARE, min(count, _FEWEST))
