"""Formats of times that a definition may name, and what is wrong with others."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo, available_timezones

from connstat_sql.definitions.loader.checks import nearest
from connstat_sql.definitions.model import Scalar, SqlType
from connstat_sql.definitions.spellings import (
    DIRECTIVES,
    EPOCHS,
    ISO,
    directives_of,
    has_offset,
    is_pattern,
)

TIMES = ("DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE")
_KNOWN = ", ".join((*EPOCHS, ISO))
_NAMES = {
    "seconds": "epoch", "epoch_seconds": "epoch", "unix": "epoch", "unixtime": "epoch",
    "timestamp": "epoch", "milliseconds": "epoch_ms", "epoch_milliseconds": "epoch_ms",
    "epoch_millis": "epoch_ms", "microseconds": "epoch_us", "epoch_microseconds": "epoch_us",
    "nanoseconds": "epoch_ns", "epoch_nanoseconds": "epoch_ns", "iso": ISO, "iso_8601": ISO,
    "rfc3339": ISO, "rfc1123": "%a, %d %b %Y %H:%M:%S GMT", "http": "%a, %d %b %Y %H:%M:%S GMT",
    "rfc2822": "%a, %d %b %Y %H:%M:%S %z",
}  # fmt: skip
"""What others call these formats."""
_INSTEAD = {
    "s": "`format: epoch`, for seconds since 1970", "Z": "%z, or the name itself as text: GMT",
    "T": "%H:%M:%S", "F": "%Y-%m-%d", "D": "%m/%d/%y", "R": "%H:%M", "e": "%d", "h": "%b",
    "L": "%f", "N": "%f", "n": "%f", "g": "%f", "3": "%f", "6": "%f", "-": "without -: %d",
}  # fmt: skip
"""What to write for what others have after %."""


def format_faults(text: str, of: SqlType) -> Iterator[tuple[str, str]]:
    """Why values of a type cannot be in a format; each message with a suggestion."""
    if str(of) not in TIMES:
        yield from _wrong_type("format", of)
        return
    if not is_pattern(text):
        return
    if "%" not in text:
        meant = _NAMES.get(text.lower())
        close = f"did you mean `{meant}`?" if meant else nearest(text, (*EPOCHS, ISO))
        known = f"{_KNOWN}, or a format of strptime such as '%d.%m.%Y'"
        yield f"`{text}` is no format", close or known
        return
    letters = directives_of(text)
    for letter in dict.fromkeys(letters):
        if letter not in DIRECTIVES:
            known = ", ".join(f"%{directive}" for directive in sorted(DIRECTIVES - {"%"}))
            yield f"`%{letter}` cannot be in a format", _INSTEAD.get(letter, f"known here: {known}")
    if has_offset(text) and str(of) != "TIMESTAMP WITH TIME ZONE":
        yield f"`%z` is an offset, which {of} has not", "the type TIMESTAMPTZ"
    if not {"d", "j"} & {*letters} or not {"Y", "y"} & {*letters}:
        yield "`format` names no day", "it needs %Y, %m and %d, or others like them"


def timezone_faults(name: str, of: SqlType) -> Iterator[tuple[str, str]]:
    """Why values of a type cannot be of a time zone; each message with a suggestion."""
    if str(of) != "TIMESTAMP WITH TIME ZONE":
        if isinstance(of, Scalar):
            yield "`timezone` needs the type TIMESTAMPTZ", ""
        else:
            yield from _wrong_type("timezone", of)
    elif not _is_zone(name) and _is_zone("Europe/London"):  # else nothing is known of any zone
        close = nearest(name, available_timezones())
        yield f"`{name}` is no time zone", close or "UTC, or one such as Europe/Berlin"


def _wrong_type(word: str, of: SqlType) -> Iterator[tuple[str, str]]:
    if isinstance(of, Scalar):
        yield f"`{word}` needs the type TIMESTAMPTZ, TIMESTAMP or DATE", ""
    else:
        hint = "give the value a column of its own, with `path`"
        yield f"`{word}` needs a type without parts", hint


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True
