"""Values that an API writes in its own way: the check that they can be read, and the SQL that does.

Checked here one by one; DuckDB decodes them as texts, of which `reading` makes the values.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from functools import partial
from typing import Any

import msgspec

from connstat_sql.decode.msgspec_types import checked, exact
from connstat_sql.definitions.model import Scalar, SqlType
from connstat_sql.definitions.quoting import call, literal, quote
from connstat_sql.definitions.spellings import EPOCHS, ISO, Spelling, has_offset, is_pattern

_COUNT = r"-?[0-9]{1,19}(\.[0-9]{1,9})?"
_TICKS = r"/Date\((-?[0-9]{1,19})([-+][0-9]{4})?\)/"
"""Milliseconds as .NET writes them; the offset says where they were told, not when it was."""
_CLOCK = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?"
_OFFSET = r"(Z|[-+][0-9]{2}:?[0-9]{2})"
_LONG_FRACTION = r"(\.[0-9]{6})[0-9]+"
# All of these are read alike by Python and by DuckDB's RE2.
_FIRST, _LAST = -62_135_596_800, 253_402_300_800
"""Seconds since 1970 of the years 1 and 10000."""
_ZONED = "TIMESTAMP WITH TIME ZONE"


def spelt(of: SqlType, spelling: Spelling) -> Any:
    """The msgspec type whose values `reading` reads without loss."""
    plain = None if spelling.is_time else checked(of, lower_times=True)
    return exact(partial(_fits, plain, str(of), spelling))


def _fits(plain: Any, of: str, spelling: Spelling, value: Any) -> bool:
    text = _text(value)
    if text is None:
        return False
    if text in spelling.nulls or text in spelling.trues or text in spelling.falses:
        return True
    if spelling.is_time:
        forms = spelling.formats or (ISO,)
        return any(_reads(form, of, bool(spelling.timezone), value, text) for form in forms)
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


def _reads(form: str, of: str, has_zone: bool, value: Any, text: str) -> bool:
    """Whether a value is in a format."""
    if form in EPOCHS:
        return _is_count(text, form) and not isinstance(value, bool)
    if form == ISO:
        return isinstance(value, str) and _is_iso(value, of, has_zone)
    is_whole = isinstance(value, int) and not isinstance(value, bool)  # 20240131
    return (isinstance(value, str) or is_whole) and _is_time(text, form)


def _is_count(text: str, form: str) -> bool:
    ticks = re.fullmatch(_TICKS, text) if form == "epoch_ms" else None
    text = ticks[1] if ticks else text
    unit = EPOCHS[form]
    return bool(re.fullmatch(_COUNT, text)) and _FIRST * unit <= float(text) < _LAST * unit


def _is_iso(text: str, of: str, has_zone: bool) -> bool:
    if not re.fullmatch(_iso(of, has_zone), text):
        return False
    try:
        msgspec.convert(text, date if of == "DATE" else datetime)
    except msgspec.ValidationError:
        return False
    return True


def _iso(of: str, has_zone: bool) -> str:
    """What values of a type look like in ISO 8601."""
    if of != _ZONED:
        return r"[0-9]{4}-[0-9]{2}-[0-9]{2}" if of == "DATE" else _CLOCK
    return f"{_CLOCK}{_OFFSET}{'?' if has_zone else ''}"


def _is_time(text: str, pattern: str) -> bool:
    if not text.isascii() or text != text.strip():
        return False
    if ".%f" in pattern:
        text = re.sub(_LONG_FRACTION, r"\1", text)
    is_utc = text[-1:] in ("Z", "z") and has_offset(pattern)
    if is_utc and not (text.endswith("Z") and pattern.endswith("%z")):
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
    value = _time(rest, str(of), spelling) if spelling.is_time else f"CAST({rest} AS {of})"
    for texts, truth in ((spelling.trues, "true"), (spelling.falses, "false")):
        if texts:
            value = f"CASE WHEN {_among(text, texts)} THEN {truth} ELSE {value} END"
    return value


def _among(text: str, texts: Sequence[str]) -> str:
    return f"{text} IN ({', '.join(map(literal, texts))})"


def _time(text: str, of: str, spelling: Spelling) -> str:
    """A time in the first of some formats that fits; the last one has to.

    DuckDB may evaluate what stands behind THEN for rows that do not get there, so each function
    gets NULL in place of a text that is not for it.
    """
    *others, last = spelling.formats or (ISO,)
    tries = [_tried(text, of, form, spelling.timezone) for form in others]
    if not tries:
        return _in(text, of, last, spelling.timezone)
    nothing = " AND ".join(f"{attempt} IS NULL" for attempt in tries)
    value = _in(f"CASE WHEN {nothing} THEN {text} END", of, last, spelling.timezone)
    return f"COALESCE({', '.join((*tries, value))})"


def _tried(text: str, of: str, form: str, zone: str) -> str:
    """A time in a format, NULL where the text is not in it."""
    if is_pattern(form):
        return _in(text, of, form, zone, "try_strptime")
    look = _iso(of, bool(zone)) if form == ISO else f"{_COUNT}|{_TICKS}"
    fits = call("regexp_full_match", text, literal(look))
    return _in(f"CASE WHEN {fits} THEN {text} END", of, form, zone)


def _in(text: str, of: str, form: str, zone: str, parse: str = "strptime") -> str:
    """A time in a format; one without an offset is one of its zone, whatever the session's is."""
    if form in EPOCHS:
        return _counted(text, of, form)
    if form == ISO:
        value = f"CAST({text} AS {of})"
        if of != _ZONED or not zone:
            return value
        is_local = call("regexp_full_match", text, literal(_CLOCK))
        local = _of_zone(f"CAST({text} AS TIMESTAMP)", zone)
        return f"CASE WHEN {is_local} THEN {local} ELSE {value} END"
    if form.endswith("%z"):
        text = call("regexp_replace", text, literal("Z$"), literal("+0000"))
    if ".%f" in form:
        text = call("regexp_replace", text, literal(_LONG_FRACTION), literal(r"\1"))
    moment = call(parse, text, literal(form))
    if of != _ZONED or has_offset(form):
        return f"CAST({moment} AS {of})"
    return _of_zone(moment, zone)


def _of_zone(moment: str, zone: str) -> str:
    if zone in ("", "UTC"):
        return call("make_timestamptz", call("epoch_us", moment))
    return call("timezone", literal(zone), moment)


def _counted(text: str, of: str, form: str) -> str:
    if form == "epoch_ms":
        text = call("regexp_replace", text, literal(f"^{_TICKS}$"), literal(r"\1"))
    count = f"CAST({text} AS DECIMAL(29, 9))"
    factor = "0.001" if form == "epoch_ns" else str(10**6 // EPOCHS[form])
    micros = call(quote("*"), count, factor)  # of DECIMALs, exact; a quotient would be a DOUBLE
    whole = f"CAST({call('floor', micros)} AS BIGINT)"
    if of == _ZONED:
        return call("make_timestamptz", whole)
    return f"CAST({call('make_timestamp', whole)} AS {of})"


_USUAL = (
    "%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S.%f%z", "%Y-%m-%d %H:%M:%S %z",
    "%Y-%m-%d %H:%M:%S UTC", "%Y-%m-%dT%H:%M%z", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M",
    "%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f",
    "%Y-%m-%d %H:%M:%S.%f", "%Y%m%dT%H%M%S%z", "%Y%m%dT%H%M%S", "%Y%m%d%H%M%S", "%Y%m%d",
    "%Y/%m/%d %H:%M:%S", "%Y/%m/%d", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y",
    "%a, %d %b %Y %H:%M:%S GMT", "%a, %d %b %Y %H:%M:%S %z", "%d/%b/%Y:%H:%M:%S %z",
    "%a %b %d %H:%M:%S %Y", "%a %b %d %H:%M:%S %z %Y",
)  # fmt: skip
"""Formats that are proposed; not those that could be others, as of a day before its month."""


def next_step(of: SqlType, spelling: Spelling | None, value: Any) -> str:
    """What a definition can say where a value does not fit; "" where nothing is likely."""
    spelling = spelling or Spelling()
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    text = str(value) if is_number or isinstance(value, str) else None
    if text == "" and isinstance(of, Scalar) and str(of) != "VARCHAR":
        return "the definition can say that it is NULL:  null_values: ['']"
    if text and str(of) in ("DATE", "TIMESTAMP", _ZONED):
        return _next_of_time(text, str(of), spelling)
    if str(of) == "BOOLEAN" and isinstance(value, str):
        return "the definition can say what is true and false:  true_values: […], false_values: […]"
    return ""


def _next_of_time(text: str, of: str, spelling: Spelling) -> str:
    """What makes a time of a text."""
    if re.fullmatch(r"0000-00-00([T ][0:.]+Z?)?", text):
        return f"the definition can say that it is NULL:  null_values: ['{text}']"
    word = _format_of(text, of)
    is_iso = {*spelling.formats} <= {ISO}
    if of == _ZONED and is_iso and not spelling.timezone and re.fullmatch(_CLOCK, text):
        return "the definition can say whose time it is:  timezone: UTC"
    if of == "TIMESTAMP" and _is_iso(text, _ZONED, has_zone=False):
        return "it names an offset:  type: TIMESTAMPTZ"
    if of != "DATE" and _is_iso(text, "DATE", has_zone=False):
        return "it is a day:  type: DATE, or format: '%Y-%m-%d'"
    if not word:
        known = spelling.formats
        usual = f"format: [{known[0]!r}, …]" if known else "format: '%d.%m.%Y'"
        return f"the definition can say how it is written:  {usual}, null_values: […]"
    others = [form for form in spelling.formats if form not in EPOCHS or word not in EPOCHS]
    forms = [repr(form) if is_pattern(form) else form for form in (*others, word)]
    shown = forms[0] if len(forms) == 1 else f"[{', '.join(forms)}]"
    return f"the definition can say how it is written:  format: {shown}"


def _format_of(text: str, of: str) -> str:
    """A format that a text is in, where it is one of the usual; "" otherwise."""
    if re.fullmatch(_TICKS, text):
        return "epoch_ms"
    fitting = [form for form in _USUAL if _is_time(text, form)]
    if re.fullmatch(_COUNT, text) and not (fitting and len(text) in (8, 14)):
        counts = [unit for unit in EPOCHS if 3e7 <= abs(float(text)) / EPOCHS[unit] < 1e10]
        return counts[0] if counts else ""
    usable = [form for form in fitting if of == _ZONED or not has_offset(form)]
    return usable[0] if usable else ""
