"""Bounds on whole numbers and days → the few values between them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date

from sqlglot import exp

from connstat_sql.sql.binder.constants import INTEGERS

MOST = 62
"""Values that a range may have: the days of two months."""

ColumnOf = Callable[[exp.Expr], str]
"""The name of our column that a node is, or ""."""

Bound = tuple[str, exp.Expr, int, int]
"""A column, what bounds it, from which side (-1: from below), and by how much it is missed."""

_BOUNDS: dict[type[exp.Expr], tuple[int, int]] = {
    exp.GT: (-1, 1), exp.GTE: (-1, 0), exp.LT: (1, 1), exp.LTE: (1, 0),
}  # fmt: skip


def bounds_in(predicate: exp.Expr, column_of: ColumnOf) -> Iterator[Bound]:
    """The bounds that one comparison sets."""
    if isinstance(predicate, exp.Between) and not predicate.args.get("symmetric"):
        name = column_of(predicate.this)
        if name:
            yield name, predicate.args["low"], -1, 0
            yield name, predicate.args["high"], 1, 0
    bound = _BOUNDS.get(type(predicate))
    if bound is not None:
        side, gap = bound
        for operand, other, sign in (
            (predicate.this, predicate.expression, side),
            (predicate.expression, predicate.this, -side),
        ):
            name = column_of(operand)
            if name:
                yield name, other, sign, gap


def values_between(
    bounds: Iterable[tuple[str, str, int, int]], types: Mapping[str, str]
) -> dict[str, Sequence[str]]:
    """By column the values that its bounds leave, where they are few; bounds are texts here.

    >>> values_between([("id", "3", -1, 0), ("id", "6", 1, 1)], {"id": "INTEGER"})
    {'id': ['3', '4', '5']}
    """
    limits: dict[str, dict[int, list[int]]] = {}
    for name, text, side, gap in bounds:
        place = _place(text, types[name])
        if place is not None:
            limits.setdefault(name, {}).setdefault(side, []).append(place - side * gap)
    values: dict[str, Sequence[str]] = {}
    for name, sides in limits.items():
        if len(sides) == 2:
            low, high = max(sides[-1]), min(sides[1])
            if high - low < MOST:
                values[name] = [_text(number, types[name]) for number in range(low, high + 1)]
    return values


def _place(text: str, kind: str) -> int | None:
    """A value as a whole number; None where the type has more values than its whole numbers."""
    try:
        if kind in INTEGERS:
            return int(text)
        return date.fromisoformat(text).toordinal() if kind == "DATE" else None
    except ValueError:  # such as 'infinity'
        return None


def _text(place: int, kind: str) -> str:
    return str(place) if kind in INTEGERS else date.fromordinal(place).isoformat()
