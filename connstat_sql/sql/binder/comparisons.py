"""Equalities by their sides: tuples, rows and structs taken apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlglot import exp

from connstat_sql.sql.binder.predicates import split_and


@dataclass(frozen=True, slots=True)
class Disjuncts:
    """What a column equals one of: values, elements of lists, and rows of subqueries.

    `are_mixed` says that several of them stand in one list, where DuckDB makes them one type.
    """

    values: tuple[exp.Expr, ...] = ()
    lists: tuple[exp.Expr, ...] = ()
    queries: tuple[exp.Expr, ...] = ()
    are_mixed: bool = False

    @property
    def nodes(self) -> tuple[exp.Expr, ...]:
        """All of them."""
        return (*self.values, *self.lists, *self.queries)

    def __or__(self, other: Disjuncts) -> Disjuncts:
        return Disjuncts(
            (*self.values, *other.values),
            (*self.lists, *other.lists),
            (*self.queries, *other.queries),
            self.are_mixed or other.are_mixed,
        )


def options_of(predicate: exp.Expr, is_column: Callable[[exp.Expr], bool]) -> Disjuncts | None:
    """What a predicate says that a column is one of; None where it leaves others, too."""
    node = _bare(predicate)
    if isinstance(node, (exp.And, exp.Or)):
        return _options_of_several(node, is_column)
    if isinstance(node, exp.EQ):
        for left, right in equal_nodes(node):
            for side, value in ((left, right), (right, left)):
                if is_column(side):
                    return _options_beside(value)
    if isinstance(node, exp.In) and is_column(_bare(node.this)):
        if node.args.get("query") is not None:
            return Disjuncts(queries=(node.args["query"],))
        if node.args.get("field") is not None:
            return Disjuncts(lists=(node.args["field"],))
        values = tuple(option for option in node.expressions if not isinstance(option, exp.Null))
        return Disjuncts(values, are_mixed=len(values) > 1) if values else None
    if isinstance(node, exp.ArrayContains) and is_column(_bare(node.expression)):
        return Disjuncts(lists=(node.this,))
    return None


def _options_of_several(
    node: exp.And | exp.Or, is_column: Callable[[exp.Expr], bool]
) -> Disjuncts | None:
    """Of AND the first that says something, of OR what all branches say."""
    whole = Disjuncts()
    for branch in node.flatten():
        options = options_of(branch, is_column)
        if isinstance(node, exp.And) and options is not None:
            return options
        if isinstance(node, exp.Or):
            if options is None:
                return None
            whole |= options
    return whole if isinstance(node, exp.Or) else None


def _options_beside(side: exp.Expr) -> Disjuncts:
    listed = any_of(side)
    if listed is None:
        return Disjuncts((side,))
    return (
        Disjuncts(queries=(side,)) if isinstance(listed, exp.Query) else Disjuncts(lists=(listed,))
    )


def equal_nodes(predicate: exp.Expr) -> Iterator[tuple[exp.Expr, exp.Expr]]:
    """The pairs of nodes that a predicate says are equal."""
    for conjunct in split_and(predicate):
        if not isinstance(conjunct, (exp.EQ, exp.NullSafeEQ)):
            continue
        sides = [*map(_parts, sides_of(conjunct))]
        if len(sides[0]) == len(sides[1]):
            yield from zip(*sides, strict=True)


def sides_of(comparison: exp.Expr) -> tuple[exp.Expr, exp.Expr]:
    """The sides of a comparison; ROW(…) as a tuple, and structs with the same fields.

    Not those of one value, where NULL equals NULL.
    """
    left, right = _bare(comparison.this), _bare(comparison.expression)
    if isinstance(left, exp.Struct) and isinstance(right, exp.Struct):
        pairs = [*left.expressions, *right.expressions]
        names = [[pair.name for pair in side.expressions] for side in (left, right)]
        if (
            len(pairs) > 2
            and names[0] == names[1]
            and all(isinstance(pair, exp.PropertyEQ) for pair in pairs)
        ):
            values = [[pair.expression for pair in side.expressions] for side in (left, right)]
            return _tuple(values[0]), _tuple(values[1])
    return _row(left), _row(right)


def _row(side: exp.Expr) -> exp.Expr:
    is_row = isinstance(side, exp.Anonymous) and str(side.this).upper() == "ROW"
    return _tuple(side.expressions) if is_row and len(side.expressions) > 1 else side


def _tuple(parts: list[exp.Expr]) -> exp.Tuple:
    """A tuple of nodes that stay where they are in the statement's tree."""
    node = exp.Tuple()
    node.args["expressions"] = parts
    return node


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
