"""Words for how an API writes values → `Spelling`: formats that can be read, of types with one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from connstat_sql.definitions.loader.checks import Findings
from connstat_sql.definitions.loader.documents import ColumnDocument
from connstat_sql.definitions.loader.time_formats import format_faults, timezone_faults
from connstat_sql.definitions.loader.yaml import KeyPath
from connstat_sql.definitions.model import Scalar, Spelling, SqlType
from connstat_sql.definitions.spellings import EPOCHS, needs_zone, plain_text


def build_spelling(
    document: ColumnDocument, of: SqlType, path: KeyPath, findings: Findings
) -> Spelling | None:
    """The spelling that a column's words declare; None where they declare none."""
    spelling = Spelling(
        _formats(document.format),
        _texts(document.null_values),
        _texts(document.true_values),
        _texts(document.false_values),
        document.timezone,
    )
    if spelling == Spelling():
        return None
    for word, message, suggestion in _faults(spelling, of):
        findings.add((*path, word), message, suggestion)
    return spelling


def _texts(values: Sequence[str | int | float | bool]) -> tuple[str, ...]:
    return tuple(map(plain_text, values))


def _formats(text: str | list[str]) -> tuple[str, ...]:
    return tuple(text) if isinstance(text, list) else (text,) if text else ()


def _faults(spelling: Spelling, of: SqlType) -> Iterator[tuple[str, str, str]]:
    """What cannot be, each with its word, a message and a suggestion."""
    for each in spelling.formats:
        for message, suggestion in format_faults(each, of):
            yield "format", message, suggestion
    counts = [name for name in spelling.formats if name in EPOCHS]
    if len(counts) > 1:
        several = f"`{counts[0]}` and `{counts[1]}` cannot be told apart"
        yield "format", several, "give each a column of its own"
    yield from _zone_faults(spelling, of)
    if spelling.nulls and (not isinstance(of, Scalar) or str(of) == "JSON"):
        need = "`null_values` needs a type without parts"
        yield "null_values", need, "give the value a column of its own, with `path`"
    for word, texts in (("true_values", spelling.trues), ("false_values", spelling.falses)):
        if texts and str(of) != "BOOLEAN":
            yield word, f"`{word}` needs the type BOOLEAN", ""
    for text in dict.fromkeys((*spelling.nulls, *spelling.trues, *spelling.falses)):
        means = [
            meaning
            for meaning in (spelling.nulls, spelling.trues, spelling.falses)
            if text in meaning
        ]
        if len(means) > 1:
            yield "null_values", f"`{text}` has two meanings", "name it in one list"


def _zone_faults(spelling: Spelling, of: SqlType) -> Iterator[tuple[str, str, str]]:
    if not spelling.timezone:
        return
    for message, suggestion in timezone_faults(spelling.timezone, of):
        yield "timezone", message, suggestion
    if spelling.formats and not any(map(needs_zone, spelling.formats)):
        sure = f"`{spelling.formats[0]}` says itself when it is"
        yield "timezone", sure, "leave `timezone` out"
