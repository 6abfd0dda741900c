"""What goes into DuckDB and comes out of it as a value: arguments, and constants that it folded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Union


@dataclass(frozen=True, slots=True)
class Value:
    """A constant folded by DuckDB: its text (None for NULL) and the name of its DuckDB type."""

    text: str | None
    type: str


Arguments = Union[Sequence[Any], Mapping[str, Any], None]
"""Values for `?` or `$name`, as they were handed in."""
