"""Equalities by their sides: tuples, rows and structs taken apart."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from connstat_sql.binder.predicates import conjuncts


def equal_nodes(predicate: exp.Expr) -> Iterator[tuple[exp.Expr, exp.Expr]]:
    """The pairs of nodes that a predicate says are equal."""
    for one in conjuncts(predicate):
        if not isinstance(one, (exp.EQ, exp.NullSafeEQ)):
            continue
        sides = [*map(_parts, sides_of(one))]
        if len(sides[0]) == len(sides[1]):
            yield from zip(*sides, strict=True)


def sides_of(comparison: exp.Expr) -> tuple[exp.Expr, exp.Expr]:
    """The sides of a comparison; ROW(…) as a tuple, and structs with the same fields.

    Not those of one value, where NULL equals NULL.
    """
    left, right = _bare(comparison.this), _bare(comparison.expression)
    if isinstance(left, exp.Struct) and isinstance(right, exp.Struct):
        pairs = [*left.expressions, *right.expressions]
        names = [[one.name for one in side.expressions] for side in (left, right)]
        if (
            len(pairs) > 2
            and names[0] == names[1]
            and all(isinstance(one, exp.PropertyEQ) for one in pairs)
        ):
            values = [[one.expression for one in side.expressions] for side in (left, right)]
            return _tuple(values[0]), _tuple(values[1])
    return _row(left), _row(right)


def _row(side: exp.Expr) -> exp.Expr:
    is_row = isinstance(side, exp.Anonymous) and str(side.this).upper() == "ROW"
    return _tuple(side.expressions) if is_row and len(side.expressions) > 1 else side


def _tuple(parts: list[exp.Expr]) -> exp.Tuple:
    """A tuple of nodes that stay where they are in the statement's tree."""
    found = exp.Tuple()
    found.args["expressions"] = parts
    return found


def any_of(side: exp.Expr) -> exp.Expr | None:
    """What ANY or SOME is given; None for anything else."""
    if not isinstance(side, exp.Any):
        return None
    inner: exp.Expr = side.this.unnest()
    return inner


def _parts(side: exp.Expr) -> list[exp.Expr]:
    side = _bare(side)
    return [*map(_bare, side.expressions)] if isinstance(side, exp.Tuple) else [side]


def _bare(node: exp.Expr) -> exp.Expr:
    """Without the parentheses around it; those of a subquery belong to it."""
    while isinstance(node, exp.Paren):
        node = node.this
    return node
