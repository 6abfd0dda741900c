"""What an answer says about itself: that there is no such row, that a part of it is missing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Union

Value = Union[str, int, float, bool, None]
Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a body that says whether the answer is whole.

    It is not when the value there is one of `when`; or, where `unless` says something, when it is
    none of those, a value that is missing among them; without both, when there is anything at all
    there but null, false, 0 and what is empty.
    """

    at: Path
    when: tuple[Value, ...] = ()
    unless: tuple[Value, ...] = ()

    def speaks(self, value: object) -> bool:
        """Whether the value found there (None: none is) says that a part is missing."""
        if self.unless:
            return not _is_among(value, self.unless)
        if self.when:
            return _is_among(value, self.when)
        return bool(value)


def _is_among(value: object, values: Sequence[Value]) -> bool:
    """Whether it is one of them; 0 is also the text 0, and 1 is not true."""
    return any(_plain(value) == _plain(other) for other in values)


def _plain(value: object) -> object:
    """Equal for values that mean the same; numbers come as texts, too."""
    if isinstance(value, bool):
        return (bool, value)
    return str(value) if isinstance(value, (int, float)) else value


def says(text: str, phrases: Sequence[str]) -> bool:
    """Whether a text holds one of the phrases, in which * stands for anything, in any case."""
    return any(
        re.search(".*?".join(map(re.escape, phrase.split("*"))), text, re.IGNORECASE | re.DOTALL)
        for phrase in phrases
    )
