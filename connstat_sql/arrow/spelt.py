"""Values that an API writes in its own way: the check that they can be read, and the SQL that does.

Checked here one by one; DuckDB decodes them as texts, of which `reading` makes the values.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

import msgspec

from connstat_sql.arrow.checks import checked, exact
from connstat_sql.definitions import Scalar, SqlType
from connstat_sql.definitions.spellings import EPOCHS, Spelling, directives_of
from connstat_sql.quoting import call, literal, quote

_COUNT = re.compile(r"-?[0-9]{1,19}(?:\.[0-9]{1,9})?")
_FIRST, _LAST = -62_135_596_800, 253_402_300_800
"""Seconds since 1970 of the years 1 and 10000."""


def spelt(of: SqlType, spelling: Spelling) -> Any:
    """The msgspec type whose values `reading` reads without loss."""
    plain = None if spelling.format else checked(of, lower_times=True)
    return exact(partial(_fits, plain, spelling))


def _fits(plain: Any, spelling: Spelling, value: Any) -> bool:
    text = _text(value)
    if text is None:
        return False
    if text in spelling.nulls or text in spelling.trues or text in spelling.falses:
        return True
    if spelling.format in EPOCHS:
        return _is_count(text, EPOCHS[spelling.format]) and not isinstance(value, bool)
    if spelling.format:
        return isinstance(value, str) and _is_time(value, spelling.format)
    try:
        msgspec.convert(value, plain, dec_hook=type.__call__)
    except (msgspec.ValidationError, ValueError):
        return False
    return True


def _text(value: Any) -> str | None:
    """A value's text as DuckDB has it when it decodes a JSON value as VARCHAR."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, (str, int, float)) else None


def _is_count(text: str, unit: int) -> bool:
    return bool(_COUNT.fullmatch(text)) and _FIRST * unit <= float(text) < _LAST * unit


def _is_time(text: str, pattern: str) -> bool:
    if not text.isascii() or text != text.strip():
        return False
    if text[-1:] in ("Z", "z") and "z" in directives_of(pattern):
        return False  # which Python takes for an offset and DuckDB does not
    try:
        datetime.strptime(text, pattern)
    except ValueError:
        return False
    return True


def reading(text: str, of: SqlType, spelling: Spelling) -> str:
    """SQL for the value of a text (of SQL): NULL for NULL, an error for what cannot be read."""
    words = (*spelling.nulls, *spelling.trues, *spelling.falses)
    rest = f"CASE WHEN {_among(text, words)} THEN NULL ELSE {text} END" if words else text
    value = _time(rest, str(of), spelling.format) if spelling.format else f"CAST({rest} AS {of})"
    for texts, truth in ((spelling.trues, "true"), (spelling.falses, "false")):
        if texts:
            value = f"CASE WHEN {_among(text, texts)} THEN {truth} ELSE {value} END"
    return value


def _among(text: str, texts: Sequence[str]) -> str:
    return f"{text} IN ({', '.join(map(literal, texts))})"


def _time(text: str, of: str, form: str) -> str:
    """A point in time; one without an offset is one of UTC, whatever the session's time zone."""
    if form not in EPOCHS:
        told = call("strptime", text, literal(form))
        if of != "TIMESTAMP WITH TIME ZONE" or "z" in directives_of(form):
            return f"CAST({told} AS {of})"
        return call("make_timestamptz", call("epoch_us", told))
    count = f"CAST({text} AS DECIMAL(29, 9))"
    factor = "0.001" if form == "epoch_ns" else str(10**6 // EPOCHS[form])
    micros = call(quote("*"), count, factor)  # of DECIMALs, exact; a quotient would be a DOUBLE
    whole = f"CAST({call('floor', micros)} AS BIGINT)"
    if of == "TIMESTAMP WITH TIME ZONE":
        return call("make_timestamptz", whole)
    return f"CAST({call('make_timestamp', whole)} AS {of})"


def next_step(of: SqlType, spelling: Spelling | None, value: Any) -> str:
    """What a definition can say where a value does not fit; "" where nothing is likely."""
    spelling = spelling or Spelling()
    is_time = str(of) in ("DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE")
    text = str(value) if isinstance(value, str) else ""
    if is_time and _COUNT.fullmatch(text) and spelling.format in ("", *EPOCHS):
        fitting = [one for one in EPOCHS if 3e7 <= abs(float(text)) / EPOCHS[one] < 1e10]
        return f"the definition can say how it is written:  format: {fitting[0]}" if fitting else ""
    if text == "" and isinstance(value, str) and isinstance(of, Scalar) and str(of) != "VARCHAR":
        return "the definition can say that it is NULL:  null_values: ['']"
    if is_time and isinstance(value, str) and not spelling.format:
        return "the definition can say how it is written:  format: '%d.%m.%Y', null_values: […]"
    if str(of) == "BOOLEAN" and isinstance(value, str):
        return "the definition can say what is true and false:  true_values: […], false_values: […]"
    return ""
