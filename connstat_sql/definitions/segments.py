"""Which values can be one segment of a provider's paths."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache

from connstat_sql.definitions.model import Provider

_NO_SEGMENTS = frozenset({"", ".", ".."})


def is_refused(provider: Provider, values: Collection[str]) -> bool:
    """Whether any of the values cannot be one segment of this provider's paths."""
    if not _NO_SEGMENTS.isdisjoint(values):
        return True
    return any(map(_unfit(provider.path_rejects).search, values))


@cache
def _unfit(rejects: str) -> re.Pattern[str]:
    return re.compile(f"[\\x00-\\x1f\\x7f{''.join(map(re.escape, rejects))}]")


def refusal(provider: Provider, value: str) -> str:
    """Why a value cannot be one segment of this provider's paths; "" when it can."""
    if not is_refused(provider, (value,)):
        return ""
    if value in _NO_SEGMENTS:
        return "cannot be a path segment"
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in value):
        return "holds a control character"
    refused = next((letter for letter in value if letter in provider.path_rejects), "")
    return f"holds {refused!r}, which {provider.name} refuses in a path" if refused else ""
