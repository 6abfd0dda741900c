"""What a saved query is: its SQL, and what its front matter says of it."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path


class Severity(str, Enum):
    """How bad it is when a saved query has rows, for who monitors it."""

    WARNING = "warning"
    CRITICAL = "critical"


class Existence(str, Enum):
    """How a parameter names something that there has to be."""

    WHOLE = "true"
    """By one of the choices."""
    PART = "part"
    """By a part of one, in any case."""


@dataclass(frozen=True, slots=True)
class SavedParam:
    """A parameter of a saved query: `$name` in its SQL.

    `type` is a DuckDB type as text. `default` is used when no value is given (None: there is
    none; without a default, a parameter that is not required is a NULL of its type).
    `allowed` empty means anything goes. `choices` is a query whose first column holds the values
    worth offering (None: nobody says), and `exists` says that a value names one of those (None: it
    may name nothing). `line` is where it is declared in the query's file, from 1 (0: in none).
    """

    name: str
    type: str = "VARCHAR"
    description: str = ""
    default: str | None = None
    is_required: bool = False
    allowed: tuple[str, ...] = ()
    choices: str | None = None
    exists: Existence | None = None
    line: int = 0

    @property
    def is_list(self) -> bool:
        """Whether it takes several values."""
        return self.type.rstrip().endswith("]")

    @property
    def is_optional(self) -> bool:
        """Whether it is NULL when nobody gives a value."""
        return not self.is_required and self.default is None


@dataclass(frozen=True, slots=True)
class SavedQuery:
    """A saved query. `path` is its file, and `line` where its SQL begins there, from 1.

    `key` are the columns that tell its rows apart from one run to the next (empty: the whole row
    does), `state` the column whose changes are worth telling (None: all others together).
    `is_partial` says that failed requests are to be rows of `_errors`, not an error.
    """

    name: str
    title: str
    sql: str
    path: Path
    line: int = 1
    description: str = ""
    params: tuple[SavedParam, ...] = ()
    key: tuple[str, ...] = ()
    state: str | None = None
    severity: Severity = Severity.CRITICAL
    is_partial: bool = False

    def param(self, name: str) -> SavedParam | None:
        """The parameter of that name, or None."""
        return next((param for param in self.params if param.name == name), None)


@dataclass(frozen=True, slots=True)
class Prepared:
    """What to hand to `Engine.run`: the SQL with a typed NULL for each absent parameter, and the
    typed values of the others by name.
    """

    sql: str
    arguments: Mapping[str, object]


def elements(param: SavedParam, text: str) -> tuple[str, ...]:
    """The values that a text gives a parameter: one, or those of a list.

    A list is written `a,b` (in double quotes where a value has a comma of its own), or `[a, b]`.

    >>> elements(SavedParam("states", "VARCHAR[]"), 'FAILED, "a, b"')
    ('FAILED', 'a, b')
    """
    if not param.is_list:
        return (text,)
    bare = text.strip()
    if bare.startswith("[") and bare.endswith("]"):
        bare = bare[1:-1]
    try:
        rows = list(csv.reader(bare.splitlines(), skipinitialspace=True))
    except csv.Error:  # a value larger than it reads
        return (bare,)
    return tuple(value.strip() for row in rows for value in row)
