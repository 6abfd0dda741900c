"""Words for how an API writes values → `Spelling`: formats that can be read, of types with one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from connstat_sql.definitions import Scalar, Spelling, SqlType
from connstat_sql.definitions.spellings import DIRECTIVES, EPOCHS, directives_of
from connstat_sql.loader.checks import Findings, nearest
from connstat_sql.loader.documents import ColumnDocument
from connstat_sql.loader.source import KeyPath

TIMES = ("DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE")
_KNOWN = ", ".join(EPOCHS)
_NAMES = {
    "seconds": "epoch", "epoch_seconds": "epoch", "unix": "epoch", "unixtime": "epoch",
    "timestamp": "epoch", "milliseconds": "epoch_ms", "epoch_milliseconds": "epoch_ms",
    "epoch_millis": "epoch_ms", "microseconds": "epoch_us", "epoch_microseconds": "epoch_us",
    "nanoseconds": "epoch_ns", "epoch_nanoseconds": "epoch_ns",
}  # fmt: skip
"""What others call these formats."""


def build_spelling(
    document: ColumnDocument, of: SqlType, path: KeyPath, findings: Findings
) -> Spelling | None:
    """The spelling that a column's words declare; None where they declare none."""
    spelling = Spelling(
        document.format,
        _texts(document.null_values),
        _texts(document.true_values),
        _texts(document.false_values),
    )
    if spelling == Spelling():
        return None
    for word, message, suggestion in _faults(spelling, of):
        findings.add((*path, word), message, suggestion)
    return spelling


def _texts(values: Sequence[str | int | float | bool]) -> tuple[str, ...]:
    return tuple(str(one).lower() if isinstance(one, bool) else str(one) for one in values)


def _faults(spelling: Spelling, of: SqlType) -> Iterator[tuple[str, str, str]]:
    """What cannot be, each with its word, a message and a suggestion."""
    if spelling.format:
        for message, suggestion in format_faults(spelling.format, of):
            yield "format", message, suggestion
    if spelling.nulls and (not isinstance(of, Scalar) or str(of) == "JSON"):
        need = "`null_values` needs a type without parts"
        yield "null_values", need, "give the value a column of its own, with `path`"
    for word, texts in (("true_values", spelling.trues), ("false_values", spelling.falses)):
        if texts and str(of) != "BOOLEAN":
            yield word, f"`{word}` needs the type BOOLEAN", ""
    for text in dict.fromkeys((*spelling.nulls, *spelling.trues, *spelling.falses)):
        means = [one for one in (spelling.nulls, spelling.trues, spelling.falses) if text in one]
        if len(means) > 1:
            yield "null_values", f"`{text}` has two meanings", "name it in one list"


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
