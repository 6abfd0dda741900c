"""Whether each row of a query depends on the one connection that its `_connection` names.

Then a connection that does not answer leaves the rows of the others as they are. Whatever is not
understood is taken to depend on all of them, as a join or a count would.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from connstat_sql.definitions.lexer import split
from connstat_sql.errors import ConnstatError
from connstat_sql.monitor.rows import CONNECTION
from connstat_sql.sql.nodes import children, find, find_all, walk
from connstat_sql.sql.statement import parse

_ACROSS = (exp.Limit, exp.Offset, exp.Fetch, exp.Except, exp.Intersect, exp.Pivot, exp.TableSample)
"""What looks at rows of several connections at once."""


_ONE_ROW = frozenset(("unnest", "range", "generate_series"))
"""Functions that make rows, but of one row's values where they stand in a SELECT."""


def is_independent(sql: str, aggregates: frozenset[str]) -> bool:
    """Whether no row depends on a connection other than its own; false also when in doubt.

    `aggregates` are the names of functions over many rows, in lower case.

    >>> is_independent("SELECT name FROM c.s.t WHERE state = 'FAILED'", frozenset())
    True
    >>> is_independent("SELECT name FROM c.s.t LIMIT 3", frozenset())
    False
    """
    try:
        statements = split(sql)
        tree = parse(statements[0][0]).tree if len(statements) == 1 else None
    except ConnstatError:
        return False
    if tree is None or find(tree, *_ACROSS) is not None or any(map(_is_made_up, walk(tree))):
        return False
    ctes = frozenset(node.alias.lower() for node in find_all(tree, exp.CTE))
    selects = [node for node in find_all(tree, exp.Select) if not _is_local_subquery(node, ctes)]
    return bool(selects) and all(
        _is_structural(select) and _depends_on_its_own(select, ctes, aggregates - _ONE_ROW)
        for select in selects
    )


def _is_made_up(node: exp.Expr) -> bool:
    """Whether something else is called like the connection of a row."""
    if isinstance(node, exp.TableAlias):
        return any(column.name.lower() == CONNECTION for column in node.columns)
    if isinstance(node, exp.SetOperation) and not node.args.get("by_name"):
        return _place(node.left) != _place(node.right)
    is_named = isinstance(node, exp.Alias) and node.alias.lower() == CONNECTION
    return is_named and not _is_connection(node.unalias())


def _place(branch: exp.Expr) -> int | None:
    """Where a branch of a set operation has the connection; None where it is not named there."""
    while isinstance(branch, (exp.SetOperation, exp.Subquery, exp.Paren)):
        branch = branch.left if isinstance(branch, exp.SetOperation) else branch.this
    listed = branch.selects if isinstance(branch, exp.Select) else []
    return next((at for at, column in enumerate(listed) if _is_connection(column.unalias())), None)


def _is_local_subquery(select: exp.Select, ctes: frozenset[str]) -> bool:
    """Whether a SELECT within an expression reads nothing that can fail to answer."""
    sources = find_all(select, exp.Table)
    return not _is_structural(select) and not any(_may_be_live(source, ctes) for source in sources)


def _is_structural(select: exp.Select) -> bool:
    """Whether a SELECT is a part of the statement's frame, not a subquery in an expression."""
    above = select.parent
    while isinstance(above, (exp.Union, exp.Subquery, exp.Paren)):
        above = above.parent
    return above is None or isinstance(above, (exp.From, exp.Join, exp.CTE))


def _depends_on_its_own(
    select: exp.Select, ctes: frozenset[str], aggregates: frozenset[str]
) -> bool:
    return (
        _has_one_live_source(select, ctes)
        and all(map(_is_by_connection, find_all(select, exp.Window)))
        and _is_grouped_by_connection(select, aggregates)
    )


def _has_one_live_source(select: exp.Select, ctes: frozenset[str]) -> bool:
    """Whether rows come from one source; local tables, and lists of the row itself, are none.

    Sources that are equal in their connection count as one.
    """
    first, joins = select.args.get("from_") or select.args.get("from"), select.args.get("joins")
    sources = [] if first is None else [first.this]
    sources += [join.this for join in joins or () if not _is_on_connection(join)]
    return sum(_may_be_live(source, ctes) for source in sources) <= 1


def _may_be_live(source: exp.Expr, ctes: frozenset[str]) -> bool:
    if isinstance(source, (exp.Unnest, exp.Lateral)):
        return False
    if not isinstance(source, exp.Table):
        return True
    is_file = isinstance(source.this, (exp.ReadCSV, exp.ReadParquet))
    is_local = not source.args.get("db") and source.name.lower() not in ctes
    return not (is_file or is_local)


def _is_on_connection(join: exp.Join) -> bool:
    """Whether a join pairs rows of equal connections."""
    using = [column.name.lower() for column in join.args.get("using") or ()]
    return CONNECTION in using or any(map(_is_same_connection, _both(join.args.get("on"))))


def _both(condition: exp.Expr | None) -> Iterator[exp.Expr]:
    """The parts of a condition that all hold."""
    if isinstance(condition, exp.And):
        yield from (*_both(condition.left), *_both(condition.right))
    elif condition is not None:
        yield condition


def _is_same_connection(condition: exp.Expr) -> bool:
    return isinstance(condition, exp.EQ) and all(map(_is_connection, children(condition)))


def _is_connection(node: exp.Expr) -> bool:
    return isinstance(node, exp.Column) and node.name.lower() == CONNECTION


def _is_by_connection(window: exp.Window) -> bool:
    return any(map(_is_connection, window.args.get("partition_by") or ()))


def _is_grouped_by_connection(select: exp.Select, aggregates: frozenset[str]) -> bool:
    """Whether what is computed over many rows is so for each connection."""
    group = select.args.get("group")
    shown = any(_is_connection(expression.unalias()) for expression in select.selects)
    distinct = select.args.get("distinct")
    if distinct is not None and (distinct.args.get("on") is not None or not shown):
        return False
    if group is None:
        calls = (call for expression in select.selects for call in find_all(expression, exp.Func))
        own = (call for call in calls if call.find_ancestor(exp.Select) is select)
        return not any(_is_aggregate(call, aggregates) for call in own)
    if group.args.get("all"):
        return shown
    return any(_is_connection(_meant(expression, select)) for expression in group.expressions)


def _is_aggregate(call: exp.Func, aggregates: frozenset[str]) -> bool:
    """Whether a call looks at many rows other than those of a window."""
    if isinstance(call.parent, exp.Window):
        return False
    names = {call.name} if isinstance(call, exp.Anonymous) else set(call.sql_names())
    return isinstance(call, exp.AggFunc) or not aggregates.isdisjoint(map(str.lower, names))


def _meant(key: exp.Expr, select: exp.Select) -> exp.Expr:
    """What a place such as the 1 of `GROUP BY 1` stands for."""
    if isinstance(key, exp.Literal) and key.is_int and int(key.name) <= len(select.selects):
        return select.selects[int(key.name) - 1].unalias()
    return key
