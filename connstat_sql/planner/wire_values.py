"""Filters that are passed on to an API, their values as it wants them sent.

Bounds of intervals are rounded towards more rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

from connstat_sql.definitions.model import ArrayStyle, Column, Filter, Method, Resource
from connstat_sql.definitions.spellings import EPOCHS, ISO, unit_of
from connstat_sql.planner.model import given_columns
from connstat_sql.sql.binder import Interval, TableAccess, around_all, ticks_of

MAX_FILTER_LENGTH = 1_500
"""Characters of values that are passed on in one filter; a longer list is not passed on."""

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_DAY = 86_400 * 10**6
_MOMENTS = ("TIMESTAMP", "TIMESTAMP WITH TIME ZONE")
_FIRST, _LAST = (
    (datetime(year, 1, 1, tzinfo=timezone.utc) - _EPOCH) // timedelta(microseconds=1)
    for year in (1000, 9999)
)
"""Points in time that every format can say, and some room around them, in microseconds."""


def pushed_filters(
    resource: Resource, method: Method, accesses: Sequence[TableAccess]
) -> tuple[tuple[Filter, tuple[str, ...]], ...]:
    """Filters whose column every alternative fixes or bounds, with the values that are sent."""
    if not method.filters:
        return ()
    supplies = [access.rows for access in accesses]
    rows = [row for supply in supplies for row in supply or ()]
    columns = given_columns(rows) if None not in supplies else {}
    wanted = [access.intervals for access in accesses if access.rows != ()]
    intervals = around_all(wanted)
    pushed: list[tuple[Filter, tuple[str, ...]]] = []
    for filter_ in method.filters:
        column = resource.column(filter_.column)
        assert column is not None, "the loader has checked that"
        name = filter_.column.lower()
        if filter_.key and name in columns:
            values = dict.fromkeys(row[name] for row in rows)
            sent = [_sent_value(value, filter_, column) for value in values]
            texts = tuple(text for text in sent if text is not None)
            if len(texts) == len(sent) and _is_carried(filter_, texts):
                pushed.append((filter_, texts))
                continue
        pushed += _sent_bounds(intervals.get(name), filter_, column)
    return tuple(pushed)


def _is_carried(filter_: Filter, values: Sequence[str]) -> bool:
    """Whether values can be passed on: not more than a URL holds, and each as it is."""
    if filter_.several is ArrayStyle.COMMA and any("," in value for value in values):
        return False
    if len(values) > 1 and filter_.several is None:
        return False
    return sum(map(len, values)) + len(values) <= MAX_FILTER_LENGTH


def _sent_value(text: str, filter_: Filter, column: Column) -> str | None:
    """A value that equals a column's as it is sent; None where it cannot be said exactly."""
    kind, form = str(column.type), _format(filter_, column)
    if kind == "BOOLEAN" and column.spelling is not None:
        words = column.spelling.trues if text == "true" else column.spelling.falses
        return text if not words else words[0] if len(words) == 1 else None
    if kind not in (*_MOMENTS, "DATE"):
        return text
    place = ticks_of(text, kind)
    if place is None:
        return None
    moment = place * _DAY if kind == "DATE" else place
    is_exact = form in ("", ISO) or moment % unit_of(form) == 0
    return _written(moment, form or ISO, kind) if is_exact else None


def _sent_bounds(
    interval: Interval | None, filter_: Filter, column: Column
) -> list[tuple[Filter, tuple[str, ...]]]:
    """What is sent of the bounds of a column, each as a filter of its own.

    A time is sent a unit further than it is: servers round, and hold more digits than they tell.
    """
    bounds = filter_.bounds
    if interval is None or bounds is None:
        return []
    filters: list[tuple[Filter, tuple[str, ...]]] = []
    for key, place, side, is_open in (
        (bounds.lower, interval[0], -1, bounds.at_least is None),
        (bounds.upper, interval[1], 1, bounds.at_most is None),
    ):
        text = (
            None if key is None or place is None else _sent(place, side, is_open, filter_, column)
        )
        if key is not None and text is not None:
            sent = Filter(filter_.column, key[0], format=_format(filter_, column))
            filters.append((sent, (key[1].filled(dict.fromkeys(key[1].params, text).__getitem__),)))
    return filters


def _sent(place: int, side: int, is_open: bool, filter_: Filter, column: Column) -> str | None:
    kind, form = str(column.type), _format(filter_, column) or ISO
    if kind == "DATE" and unit_of(form, kind) == _DAY:
        days = place + side if is_open else place
        return _written(days * _DAY, form, kind)
    if kind not in (*_MOMENTS, "DATE"):
        return str(place + side if is_open else place)
    own = (column.spelling.formats if column.spelling is not None else ()) or (ISO,)
    unit = max(unit_of(each, kind) for each in (form, *own))
    if kind == "DATE":  # sent as a point in time: from its first to its last
        place = place * _DAY if side < 0 else (place + 1) * _DAY
    whole = place // unit if side < 0 else -(-place // unit)
    return _written((whole + side) * unit, form, kind)


def _format(filter_: Filter, column: Column) -> str:
    """How a column's times are sent; "" where nothing says so."""
    return filter_.format or (column.spelling.format if column.spelling is not None else "")


def _written(moment: int, form: str, kind: str) -> str | None:
    """A point in time, in microseconds, in a format; None for years that formats cannot say."""
    if not _FIRST <= moment < _LAST:
        return None
    if form in EPOCHS:
        return str(moment * EPOCHS[form] // 10**6)
    point = _EPOCH + timedelta(microseconds=moment)
    if form == ISO:
        patterns = {"DATE": "%Y-%m-%d", "TIMESTAMP": "%Y-%m-%dT%H:%M:%S"}
        form = patterns.get(kind, "%Y-%m-%dT%H:%M:%SZ")
        form = form.replace("%S", "%S.%f") if moment % 10**6 else form
    return point.strftime(form)
