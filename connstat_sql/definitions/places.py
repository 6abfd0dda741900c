"""Where values are: in the rows and bodies of answers, and in the requests for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union

Path = tuple[str, ...]
"""Keys from a row (or a body) down to a value; `()` is the whole of it."""

KEY: Path = ("$key",)
"""The key under which a row of a `map` shaped body stands."""


@dataclass(frozen=True, slots=True)
class InBody:
    """A place in the body of a request."""

    path: Path

    def __str__(self) -> str:
        return ".".join(self.path)


@dataclass(frozen=True, slots=True)
class InHeader:
    """A header of a request or of an answer."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class InLastRow:
    """A place in the last element of the array (or map) that holds a page's rows."""

    path: Path

    def __str__(self) -> str:
        return ".".join(self.path) or "$"


Target = Union[str, InBody, InHeader]
"""Where something goes in a request; a text is a key of its query string."""

Source = Union[Path, InHeader, InLastRow]
"""Where something stands in an answer; a path leads into its body."""
