"""Formats of times that a definition may name, and what is wrong with others."""

from __future__ import annotations

from collections.abc import Iterator

from connstat_sql.definitions import Scalar, SqlType
from connstat_sql.definitions.spellings import DIRECTIVES, EPOCHS, directives_of
from connstat_sql.loader.checks import nearest

TIMES = ("DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE")
_KNOWN = ", ".join(EPOCHS)
_NAMES = {
    "seconds": "epoch", "epoch_seconds": "epoch", "unix": "epoch", "unixtime": "epoch",
    "timestamp": "epoch", "milliseconds": "epoch_ms", "epoch_milliseconds": "epoch_ms",
    "epoch_millis": "epoch_ms", "microseconds": "epoch_us", "epoch_microseconds": "epoch_us",
    "nanoseconds": "epoch_ns", "epoch_nanoseconds": "epoch_ns",
}  # fmt: skip
"""What others call these formats."""


def format_faults(text: str, of: SqlType) -> Iterator[tuple[str, str]]:
    """Why values of a type cannot be in a format; each message with a suggestion."""
    if str(of) not in TIMES:
        if isinstance(of, Scalar):
            yield "`format` needs the type TIMESTAMPTZ, TIMESTAMP or DATE", ""
        else:
            hint = "give the value a column of its own, with `path`"
            yield "`format` needs a type without parts", hint
        return
    if text in EPOCHS:
        return
    if "%" not in text:
        meant = _NAMES.get(text.lower())
        close = f"did you mean `{meant}`?" if meant else nearest(text, EPOCHS)
        known = f"{_KNOWN}, or a format of strptime such as '%d.%m.%Y'"
        yield f"`{text}` is no format", close or known
        return
    found = directives_of(text)
    for one in dict.fromkeys(found):
        if one not in DIRECTIVES:
            known = ", ".join(f"%{letter}" for letter in sorted(DIRECTIVES - {"%"}))
            yield f"`%{one}` cannot be in a format", f"known here: {known}"
    if "z" in found and str(of) != "TIMESTAMP WITH TIME ZONE":
        yield f"`%z` is an offset, which {of} has not", "the type TIMESTAMPTZ"
    if not {"d", "j"} & {*found} or not {"Y", "y"} & {*found}:
        yield "`format` names no day", "it needs %Y, %m and %d, or others like them"
