"""What comparisons with constants leave of a column that has an order, as whole numbers.

Points in time are microseconds since 1970, days are days since then: see `ticks_of`. An interval
is never too narrow; what is not understood does not bound it. Of whole numbers and days the values
between two bounds are listed too, where they are few.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

from sqlglot import exp

from connstat_sql.database.values import Value
from connstat_sql.definitions.quoting import call, literal
from connstat_sql.sql.binder.constants import INTEGERS, Constants
from connstat_sql.sql.binder.model import ColumnField, Conjunct, Interval, Intervals, Term, Types

MOST = 1_000
"""Values of an IN list that are looked at."""
_STAMP, _MOMENT = "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"
_COMPARED: Mapping[str, frozenset[str]] = {
    _MOMENT: frozenset({_MOMENT, _STAMP, "DATE", "VARCHAR"}),
    _STAMP: frozenset({_STAMP, "DATE", "VARCHAR"}),
    "DATE": frozenset({"DATE", "VARCHAR", _STAMP, _MOMENT}),
}
"""Types of constants that DuckDB compares with a column of a type, as that type or a finer one."""
_SIDES: Mapping[type[exp.Expr], tuple[int, bool]] = {
    exp.GT: (-1, True), exp.GTE: (-1, False), exp.LT: (1, True), exp.LTE: (1, False),
}  # fmt: skip
"""From which side a comparison bounds what is on its left, and whether that is left out."""
_OPPOSITE: Mapping[type[exp.Expr], type[exp.Binary]] = {
    exp.GT: exp.LTE, exp.GTE: exp.LT, exp.LT: exp.GTE, exp.LTE: exp.GT,
}  # fmt: skip
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_DAY = 86_400 * 10**6
_MICROSECOND = timedelta(microseconds=1)


def ticks_of(text: str, kind: str) -> int | None:
    """A value of such a type as a whole number; None for those without one, such as infinity."""
    try:
        if kind in INTEGERS:
            return int(text)
        if kind == "DATE":
            return date.fromisoformat(text).toordinal() - _EPOCH.toordinal()
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return (moment - _EPOCH) // _MICROSECOND


@dataclass(frozen=True, slots=True)
class IntervalReader:
    """Reads conjuncts for the columns of one access of a table.

    `types` are its columns with an order that an API may be told of; `column_of` says which of
    them a term is, or equals ("": none).
    """

    types: Types
    constants: Constants
    column_of: Callable[[ColumnField], str]

    def intervals(self, conjuncts: Sequence[Conjunct]) -> Intervals:
        """What all conjuncts together leave of each column that they bound."""
        intervals: Intervals = {}
        for conjunct in conjuncts:
            intervals = _both(intervals, self._of(conjunct.predicate, conjunct.terms))
        return intervals

    def _of(self, node: exp.Expr, terms: Mapping[int, Term]) -> Intervals:
        node = node.unnest()
        if isinstance(node, exp.And):
            return _both(self._of(node.this, terms), self._of(node.expression, terms))
        if isinstance(node, exp.Or):
            return self._either(node, terms)
        if isinstance(node, exp.Not):
            return self._opposite(node.this.unnest(), terms)
        if isinstance(node, exp.Between):
            return {} if node.args.get("symmetric") else self._between(node, terms)
        if isinstance(node, exp.In):
            return self._membership(node, terms)
        if isinstance(node, exp.EQ):
            return self._compared(node, terms, ((-1, False), (1, False)))
        side = _SIDES.get(type(node))
        return self._compared(node, terms, (side,)) if side is not None else {}

    def _either(self, node: exp.Or, terms: Mapping[int, Term]) -> Intervals:
        branches = [
            self._of(branch, terms)
            for branch in node.flatten()
            if not self.constants.is_never_true(branch.unnest())
        ]
        names = set(branches[0]).intersection(*branches[1:]) if branches else set[str]()
        return {name: _around([branch[name] for branch in branches]) for name in names}

    def _opposite(self, node: exp.Expr, terms: Mapping[int, Term]) -> Intervals:
        """NOT: a comparison that is not true and not NULL is the opposite one."""
        if isinstance(node, exp.Not):
            return self._of(node.this, terms)
        opposite = _OPPOSITE.get(type(node))
        side = _SIDES.get(opposite) if opposite is not None else None
        return self._compared(node, terms, (side,)) if side is not None else {}

    def _between(self, node: exp.Between, terms: Mapping[int, Term]) -> Intervals:
        low, high = node.args["low"], node.args["high"]
        intervals = _both(
            self._bound(node.this, low, terms, -1, is_open=False),
            self._bound(node.this, high, terms, 1, is_open=False),
        )
        intervals = _both(intervals, self._bound(low, node.this, terms, 1, is_open=False))
        return _both(intervals, self._bound(high, node.this, terms, -1, is_open=False))

    def _membership(self, node: exp.In, terms: Mapping[int, Term]) -> Intervals:
        name = self._name(node.this, terms)
        if not name or not node.expressions or len(node.expressions) > MOST:
            return {}
        values = self.constants.rows(node.expressions, 1)
        if not values or len(values) > MOST:
            return {}
        points = [self._point(row[0], self.types[name]) for row in values]
        lows = [point[0] for point in points if point is not None]
        if len(lows) < len(points):
            return {}
        return {name: (min(lows), max(lows))}

    def _compared(
        self, node: exp.Expr, terms: Mapping[int, Term], sides: Sequence[tuple[int, bool]]
    ) -> Intervals:
        left, right = node.this, node.expression
        intervals: Intervals = {}
        for side, is_open in sides:
            intervals = _both(intervals, self._bound(left, right, terms, side, is_open=is_open))
            intervals = _both(intervals, self._bound(right, left, terms, -side, is_open=is_open))
        return intervals

    def _bound(
        self,
        ours: exp.Expr,
        other: exp.Expr,
        terms: Mapping[int, Term],
        side: int,
        *,
        is_open: bool,
    ) -> Intervals:
        """What a constant leaves of a column that it bounds from a side (-1: from below)."""
        name, day_of = self._name(ours, terms), self._day_of(ours, terms)
        values = self.constants.rows([other], 1) if name or day_of else None
        if not values or len(values) != 1:
            return {}
        point = self._point(values[0][0], self.types[name] if name else "DATE")
        if point is None:
            return {}
        place, is_exact = point
        if day_of:  # in whatever time zone: a day further on either side
            name, is_exact = day_of, False
            place = (place - 1 if side < 0 else place + 2) * _DAY
        if is_open and is_exact:
            place -= side
        return {name: (place, None) if side < 0 else (None, place)}

    def _name(self, node: exp.Expr, terms: Mapping[int, Term]) -> str:
        term = terms.get(id(node.unnest()))
        return self.column_of(term) if isinstance(term, ColumnField) else ""

    def _day_of(self, node: exp.Expr, terms: Mapping[int, Term]) -> str:
        """Our column of points in time of which a node is the day; "" where it is none."""
        node = node.unnest()
        to = node.args.get("to") if type(node) is exp.Cast else None
        if not isinstance(to, exp.DataType) or to.this is not exp.DataType.Type.DATE:
            return ""
        name = self._name(node.this, terms)
        return name if name and self.types[name] in (_MOMENT, _STAMP) else ""

    def _point(self, value: Value, kind: str) -> tuple[int, bool] | None:
        """A constant among the values of a type, rounded down, and whether it is one of them."""
        if value.text is None:
            return None
        if kind in INTEGERS and value.type in INTEGERS:
            return int(value.text), True
        whole = f"CAST({literal(value.text)} AS {value.type})"
        if kind in INTEGERS and value.type.startswith("DECIMAL("):
            text, is_exact = self._folded(call("floor", whole), "HUGEINT"), False
        elif kind in INTEGERS and value.type == "VARCHAR":
            text, is_exact = self._folded(whole, kind), True
        elif value.type in _COMPARED.get(kind, ()):
            text = value.text if value.type == kind else self._folded(whole, kind)
            is_exact = kind != "DATE" or value.type in ("DATE", "VARCHAR")
        else:
            return None
        place = ticks_of(text, kind) if text is not None else None
        return None if place is None else (place, is_exact)

    def _folded(self, value: str, kind: str) -> str | None:
        """A value cast as DuckDB casts it for a comparison: in the session's time zone."""
        rows = self.constants.folded(f"SELECT TRY_CAST({value} AS {kind})")
        return rows[0][0].text if rows else None


def _both(left: Intervals, right: Intervals) -> Intervals:
    """AND: what both leave."""
    both = dict(left)
    for name, (low, high) in right.items():
        lower, higher = both.get(name, (None, None))
        both[name] = (_most(lower, low, max), _most(higher, high, min))
    return both


def _most(left: int | None, right: int | None, which: Callable[[int, int], int]) -> int | None:
    if left is None or right is None:
        return right if left is None else left
    return which(left, right)


def _around(intervals: Sequence[Interval]) -> Interval:
    """OR: what any of them leaves lies in it."""
    lows = [low for low, _ in intervals if low is not None]
    highs = [high for _, high in intervals if high is not None]
    return (
        min(lows) if len(lows) == len(intervals) else None,
        max(highs) if len(highs) == len(intervals) else None,
    )


def around_all(wanted: Sequence[Intervals]) -> Intervals:
    """What holds for every row that any of several accesses wants.

    >>> around_all([{"id": (1, 3)}, {"id": (2, None)}])
    {'id': (1, None)}
    """
    names = set(wanted[0]).intersection(*wanted[1:]) if wanted else set[str]()
    return {name: _around([intervals[name] for intervals in wanted]) for name in sorted(names)}


# --- few values -----------------------------------------------------------------------------------

MOST_IN_RANGE = 62
"""Values that a range may have: the days of two months."""

ColumnOf = Callable[[exp.Expr], str]
"""The name of our column that a node is, or ""."""

Bound = tuple[str, exp.Expr, int, int]
"""A column, what bounds it, from which side (-1: from below), and by how much it is missed."""

_MISSED: dict[type[exp.Expr], tuple[int, int]] = {
    exp.GT: (-1, 1), exp.GTE: (-1, 0), exp.LT: (1, 1), exp.LTE: (1, 0),
}  # fmt: skip


def bounds_in(predicate: exp.Expr, column_of: ColumnOf) -> Iterator[Bound]:
    """The bounds that one comparison sets."""
    if isinstance(predicate, exp.Between) and not predicate.args.get("symmetric"):
        name = column_of(predicate.this)
        if name:
            yield name, predicate.args["low"], -1, 0
            yield name, predicate.args["high"], 1, 0
    bound = _MISSED.get(type(predicate))
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
        place = _number_of(text, types[name])
        if place is not None:
            limits.setdefault(name, {}).setdefault(side, []).append(place - side * gap)
    values: dict[str, Sequence[str]] = {}
    for name, sides in limits.items():
        if len(sides) == 2:
            low, high = max(sides[-1]), min(sides[1])
            if high - low < MOST_IN_RANGE:
                values[name] = [_text_of(number, types[name]) for number in range(low, high + 1)]
    return values


def _number_of(text: str, kind: str) -> int | None:
    """A value as a whole number; None where the type has more values than its whole numbers."""
    try:
        if kind in INTEGERS:
            return int(text)
        return date.fromisoformat(text).toordinal() if kind == "DATE" else None
    except ValueError:  # such as 'infinity'
        return None


def _text_of(place: int, kind: str) -> str:
    return str(place) if kind in INTEGERS else date.fromordinal(place).isoformat()
