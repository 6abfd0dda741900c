"""Guesses at rows and requests, out of definitions and the statement alone.

A list is taken for so many pages, a page for so many rows, and each predicate with a constant for a
fraction of them: nobody knows better before something is fetched. A wrong guess costs requests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from connstat_sql.definitions.model import Method, Resource, Shape
from connstat_sql.planner.questions import given_columns
from connstat_sql.sql.binder import ColumnField, Conjunct, TableAccess

UNKNOWN_PAGES = 10
"""Pages that a list of unknown length is taken for."""
OWNED_PAGES = 3
"""Pages that a list of what belongs to something is taken for."""
PAGE_ROWS = 100
"""Rows that a page is taken for."""
OWNED_ROWS = 30
"""Rows that belong to something: of as many keys, a table that is asked for by them has rows."""
MOST_KEYS = 1_000.0
"""Different values that a column of keys is taken to have at most."""
MOST_ROWS = 1_000_000
LEAST_FRACTION = 0.001

_FRACTIONS: Sequence[tuple[tuple[type[exp.Expr], ...], float]] = (
    ((exp.EQ, exp.NullSafeEQ, exp.Is), 0.1),
    ((exp.In,), 0.2),
    ((exp.Not, exp.NEQ), 0.9),
)
"""What a predicate of some kind leaves of the rows; one of any other kind leaves `_RANGE`."""
_RANGE = 0.3


@dataclass(frozen=True, slots=True)
class Size:
    """How many rows a table has, and which part of them the predicates about it alone leave."""

    rows: float
    fraction: float


def pages_of(method: Method, filters: int = 0) -> int:
    """How many pages a list is taken for; what is passed on as a filter leaves fewer."""
    if method.paging is None:
        return 1
    pages = OWNED_PAGES if method.required else UNKNOWN_PAGES
    return max(1, pages >> 2 * filters)


def size_of(resource: Resource, access: TableAccess) -> Size:
    """The size of a table for one access of it: by the method that tells most."""
    columns = given_columns(access.rows)
    alternatives = len(access.rows or ()) or 1
    counts = [_rows(method, columns, alternatives) for method in resource.choices]
    rows = min(counts, default=float(MOST_ROWS))
    asked = {name for method in resource.choices for name in method.required}
    return Size(rows, _fraction_of(access, asked & columns.keys()))


def is_key(resource: Resource, column: str) -> bool:
    """Whether a column is taken for one that has another value in each row."""
    keyed = {method.required for method in resource.choices if method.rows.shape is Shape.OBJECT}
    return (column,) in keyed or (not keyed and resource.param(column) is None)


def _rows(method: Method, columns: Mapping[str, bool], alternatives: int) -> float:
    lacking = sum(name not in columns for name in method.required)
    is_single = method.rows.shape is Shape.OBJECT
    if is_single and lacking:
        return float(MOST_ROWS)  # a row by its key: how many there are it does not say
    asked = alternatives if len(method.required) > lacking else 1
    each = 1 if is_single else OWNED_ROWS if method.required else PAGE_ROWS * pages_of(method)
    return float(min(asked * each * MOST_KEYS**lacking, MOST_ROWS))


def _fraction_of(access: TableAccess, answered: set[str]) -> float:
    """What the predicates about a table alone leave; those aside that requests answer."""
    left = 1.0
    for conjunct in access.conjuncts:
        if conjunct.relations == {access.relation} and not _columns(conjunct) <= answered:
            left *= _fraction(conjunct.predicate.unnest())
    return max(left, LEAST_FRACTION)


def _columns(conjunct: Conjunct) -> set[str]:
    return {term.column for term in conjunct.terms.values() if isinstance(term, ColumnField)}


def _fraction(predicate: exp.Expr) -> float:
    for kinds, left in _FRACTIONS:
        if isinstance(predicate, kinds):
            return left
    return _RANGE
