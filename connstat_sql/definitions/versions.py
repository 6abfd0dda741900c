"""Versions of servers, as they tell them and as definitions speak of them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from connstat_sql.definitions.places import Source

_NUMBERS = re.compile(r"\d{1,9}(?:[._-]\d{1,9})*")


@dataclass(frozen=True, slots=True)
class VersionRule:
    """Where a server tells its version: the path of a GET, and where it stands in the answer."""

    path: str
    at: Source


def numbers_of(version: str) -> tuple[int, ...]:
    """`v2.10.0-rc1` → (2, 10): the first numbers in a text, without zeros at the end; () without.

    A date is a version too, `2024-06-30`.
    """
    numbers = _NUMBERS.search(version)
    parts = [int(part) for part in re.split("[._-]", numbers[0])] if numbers else []
    while len(parts) > 1 and parts[-1] == 0:
        parts.pop()
    return tuple(parts)


def is_before(version: str, since: str) -> bool:
    """Whether a version is older than another; one without numbers is not known to be."""
    numbers = numbers_of(version)
    return bool(numbers) and numbers < numbers_of(since)
