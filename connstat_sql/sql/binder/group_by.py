"""What a SELECT groups and partitions by: keys by names, by places, or all that is no aggregate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlglot import exp

from connstat_sql.sql.binder.clause_rules import (
    Clauses,
    UnstableFunctions,
    calls,
    has_aggregates,
    has_grouping_sets,
    holds_aggregate,
)
from connstat_sql.sql.binder.model import ColumnField, Term
from connstat_sql.sql.binder.scopes import Scope
from connstat_sql.sql.nodes import find, find_all, walk

_OF_WHOLE_PARTITIONS = (
    exp.EQ, exp.In, exp.And, exp.Or, exp.Paren, exp.Column, exp.Identifier, exp.Literal, exp.Cast,
    exp.DataType, exp.Placeholder, exp.Parameter,
)  # fmt: skip


def makes_one_group(select: exp.Select, functions: UnstableFunctions) -> bool:
    """Whether there may be a row of the result where there is none inside."""
    group = select.args.get("group")
    if group is None:
        return has_aggregates(select, functions)
    if group.args.get("all"):
        keys = not_aggregated(select, functions)
    else:
        keys = [
            key for key in group.expressions if not isinstance(key, exp.Tuple) or key.expressions
        ]
    return has_grouping_sets(group) or not keys


def not_aggregated(select: exp.Select, functions: UnstableFunctions) -> list[exp.Expr]:
    """What GROUP BY ALL groups by."""
    return [item for item in select.expressions if not holds_aggregate(item, functions)]


def grouping_keys(
    select: exp.Select, group: exp.Group, functions: UnstableFunctions
) -> Iterator[exp.Column]:
    """The columns among the keys of GROUP BY, by name, by place or all of them."""
    named = group.expressions
    if group.args.get("all"):
        named = not_aggregated(select, functions)
    for key in named:
        place = int(key.this) - 1 if isinstance(key, exp.Literal) and key.is_int else -1
        item = select.expressions[place] if 0 <= place < len(select.expressions) else key
        if isinstance(item.unalias(), exp.Column) and not isinstance(item.unalias().this, exp.Star):
            yield item.unalias()


def window_keys(select: exp.Select, scope: Scope, functions: UnstableFunctions) -> list[Term]:
    """The columns by which every window splits the rows, and GROUP BY where there is one.

    What QUALIFY says of them alone keeps or drops partitions as a whole.
    """
    windows, group = Clauses(select, functions).windows, select.args.get("group")
    spoken = [*select.expressions, select.args["qualify"]]
    if not windows or any(calls(part, functions.volatile) for part in spoken):
        return []
    if any(window.args.get("alias") for window in windows):
        return []
    splits = [_fields(window.args.get("partition_by") or [], scope) for window in windows]
    if group is None and has_aggregates(select, functions):
        return []
    if group is not None:
        if has_grouping_sets(group):
            return []
        splits.append(_fields([*grouping_keys(select, group, functions)], scope))
    return [term for term in splits[0] if all(term in others for others in splits[1:])]


def keeps_whole_partitions(predicate: exp.Expr) -> bool:
    """Whether it says of columns only which values they equal.

    Rows of one partition may still differ in what functions make of their keys, such as -0.0.
    """
    if any(find(cast, exp.Column) for cast in find_all(predicate, exp.Cast)):
        return False
    return all(isinstance(part, _OF_WHOLE_PARTITIONS) for part in walk(predicate))


def _fields(nodes: Sequence[exp.Expr], scope: Scope) -> list[Term]:
    """The columns among some keys that can be nothing else."""
    columns = [
        node for node in nodes if isinstance(node, exp.Column) and not scope.has_two_meanings(node)
    ]
    terms = map(scope.resolve, columns)
    return [term for term in terms if isinstance(term, ColumnField) and not term.path]
