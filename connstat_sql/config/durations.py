"""Durations as people write them."""

from __future__ import annotations

import re

_UNITS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_PART = r"(\d+(?:\.\d+)?)\s*(ms|d|h|m|s)"
_DURATION = re.compile(rf"\s*(?:{_PART}\s*)+", re.IGNORECASE | re.ASCII)
_ORDER = list(_UNITS)
LONGEST = 366 * _UNITS["d"]


def seconds_of(text: str, *, may_be_none: bool = False) -> float:
    """The seconds of a duration such as `60s`, `5m`, `1h30m`, `500ms` or `60`.

    They are more than none, but where `may_be_none` says otherwise.
    Raises ValueError with a message that shows how one is written.

    >>> seconds_of("1m30s")
    90.0
    """
    if re.fullmatch(r"\s*\d+(\.\d+)?\s*", text, re.ASCII):
        text = f"{text.strip()}s"
    if not _DURATION.fullmatch(text):
        raise ValueError(f"{text!r} is no duration: write it like 60s, 5m, 1h30m or 500ms")
    parts = re.findall(_PART, text.lower(), re.ASCII)
    units = [unit for _, unit in parts]
    if units != sorted(set(units), key=_ORDER.index):
        raise ValueError(f"{text!r} is no duration: each unit once, the longest first, like 1h30m")
    seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if not 0 <= seconds <= LONGEST or not (seconds or may_be_none):
        raise ValueError(f"{text!r} is not between nothing and 366d")
    return seconds


def in_words(seconds: float) -> str:
    """A duration as people write it, to the second (to the millisecond below one).

    >>> in_words(5400)
    '1h30m'
    """
    left = round(seconds * 1000)
    if left < 1000:
        return f"{left}ms"
    left, parts = round(seconds), []
    for unit in ("d", "h", "m", "s"):
        number, left = divmod(left, int(_UNITS[unit]))
        parts += [f"{number}{unit}"] if number else []
    return "".join(parts)
