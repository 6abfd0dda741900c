"""What a SELECT groups by: keys by their names, by their places, or all that is no aggregate."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from connstat_sql.binder.outputs import (
    Functions,
    has_aggregates,
    has_grouping_sets,
    holds_aggregate,
)


def makes_one_group(select: exp.Select, functions: Functions) -> bool:
    """Whether there may be a row of the result where there is none inside."""
    group = select.args.get("group")
    if group is None:
        return has_aggregates(select, functions)
    if group.args.get("all"):
        keys = not_aggregated(select, functions)
    else:
        keys = [
            one for one in group.expressions if not isinstance(one, exp.Tuple) or one.expressions
        ]
    return has_grouping_sets(group) or not keys


def not_aggregated(select: exp.Select, functions: Functions) -> list[exp.Expr]:
    """What GROUP BY ALL groups by."""
    return [one for one in select.expressions if not holds_aggregate(one, functions)]


def grouping_keys(
    select: exp.Select, group: exp.Group, functions: Functions
) -> Iterator[exp.Column]:
    """The columns among the keys of GROUP BY, by name, by place or all of them."""
    named = group.expressions
    if group.args.get("all"):
        named = not_aggregated(select, functions)
    for key in named:
        place = int(key.this) - 1 if isinstance(key, exp.Literal) and key.is_int else -1
        one = select.expressions[place] if 0 <= place < len(select.expressions) else key
        if isinstance(one.unalias(), exp.Column) and not isinstance(one.unalias().this, exp.Star):
            yield one.unalias()
