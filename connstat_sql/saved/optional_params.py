"""Optional parameters of which the SQL does not say what holds when they have no value.

Without a value a parameter is NULL, and hardly a condition holds for NULL: its rows would be
missing in silence. So a condition says it: `($name IS NULL OR name = $name)`.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass

from sqlglot import exp

from connstat_sql.definitions.lexer import split
from connstat_sql.saved.mentions import mentions_in
from connstat_sql.sql.excerpts import excerpt_of
from connstat_sql.sql.nodes import find_all
from connstat_sql.sql.statement import Statement, parse

_CHANGES = (exp.Update, exp.Delete, exp.Merge)
_BRANCHES = (exp.Case, exp.If)


@dataclass(frozen=True, slots=True)
class BareParam:
    """A condition, or a place outside of any, that has optional parameters and no word for NULL.

    `place` is where it stands in the SQL, `hint` says what to write.
    """

    place: int
    message: str
    hint: str


def bare_params(sql: str, optional: Set[str]) -> list[BareParam]:
    """Where optional parameters stand bare, each condition once, in order.

    >>> [bare.hint for bare in bare_params("FROM t WHERE a = $a AND b", {"a"})]
    ['write  ($a IS NULL OR a = $a)']
    >>> bare_params("FROM t WHERE ($a IS NULL OR a = $a) AND b", {"a"})
    []
    """
    if not optional & mentions_in(sql).names:
        return []
    bare: list[BareParam] = []
    for text, offset in split(sql):
        statement = parse(text, offset)
        nodes = [] if statement.tree is None else _params(statement.tree, optional)
        bare += _in_tree(statement, nodes)
        bare += _unread(text, offset, optional - {node.name for node in nodes})
    return sorted(bare, key=lambda param: param.place)


def _params(node: exp.Expr, names: Set[str]) -> list[exp.Expr]:
    params = find_all(node, exp.Placeholder, exp.Parameter)
    return [param for param in params if param.name in names]


def _unread(text: str, offset: int, names: Set[str]) -> Iterator[BareParam]:
    """Of what only DuckDB can read: whether a parameter is asked for NULL anywhere."""
    named = mentions_in(text).named
    tested = {mention.name for mention in named if mention.is_tested}
    places = {
        mention.name: mention.span.start
        for mention in reversed(named)
        if mention.name in names - tested
    }
    for name, place in places.items():
        message = f"${name} is optional, and nothing says what holds when it has no value"
        yield BareParam(place + offset, message, f"write  (${name} IS NULL OR …)")


def _in_tree(statement: Statement, params: list[exp.Expr]) -> Iterator[BareParam]:
    """What stands bare of the optional parameters of a tree."""
    groups: dict[int, list[exp.Expr]] = {}
    for param in sorted(params, key=_place):
        if not _speaks_of_null(param) and not _is_a_value(param):
            groups.setdefault(id(_condition_around(param) or param), []).append(param)
    for group in groups.values():
        yield BareParam(statement.offset + _place(group[0]), *_advice(group))


def _place(node: exp.Expr) -> int:
    written = excerpt_of(node)
    return written.span.start if written else 0


def _advice(group: list[exp.Expr]) -> tuple[str, str]:
    """What is wrong with the bare parameters of a condition, and what to write instead."""
    names = list(dict.fromkeys(param.name for param in group))
    are = f"{' and '.join(f'${name}' for name in names)} {'is' if len(names) == 1 else 'are'}"
    other = f"give {names[0]} a default, or say  required: true"
    if any(_function_in_from(param) for param in group):
        return f"{are} optional, and a function in FROM may take no NULL", other
    condition = _condition_around(group[0])
    if condition is None:
        return f"{are} optional, and nothing says what is meant without a value", other
    message = f"{are} optional, and the condition does not say what holds without a value"
    if condition.find_ancestor(*_CHANGES) is not None:
        return f"{are} optional, and without a value every row would be changed", other
    tests = " OR ".join(f"${name} IS NULL" for name in names)
    return message, f"write  ({tests} OR {_written(condition)})"


def _written(condition: exp.Expr) -> str:
    """A condition in one line, in the user's own words where no comment stands in it."""
    written = excerpt_of(condition)
    if written is None or "--" in written.sql:
        return condition.sql("duckdb", comments=False)
    return " ".join(written.sql.split())


# --- what speaks of NULL -------------------------------------------------------------------------


def _speaks_of_null(param: exp.Expr) -> bool:
    """Whether something around a parameter says what holds when it is NULL."""
    function = _function_in_from(param)
    node = param
    while node is not function and (above := node.parent) is not None:
        node = above
        if _is_test(node, param.name) or isinstance(node, exp.Coalesce):
            return True
        if isinstance(node, exp.Or) and _settles(node, param.name):
            return True
        if isinstance(node, exp.And) and _needs_a_value(node, param.name):
            return True
        if isinstance(node, _BRANCHES) and any(
            _is_test(inner, param.name) for inner in find_all(node, exp.Is)
        ):
            return True
    return False


def _is_test(node: exp.Expr, name: str) -> bool:
    """Whether it is `$name IS NULL`."""
    if not isinstance(node, exp.Is) or not isinstance(node.expression, exp.Null):
        return False
    tested = node.this.unnest()
    return isinstance(tested, (exp.Placeholder, exp.Parameter)) and tested.name == name


def _settles(node: exp.Expr, name: str) -> bool:
    """Whether one of several conditions is for when there is no value."""
    return any(
        any(_is_test(part.unnest(), name) for part in operand.unnest().flatten())
        if isinstance(operand.unnest(), exp.And)
        else _is_test(operand.unnest(), name)
        for operand in node.flatten()
    )


def _needs_a_value(node: exp.Expr, name: str) -> bool:
    """Whether conditions hold together only where there is a value, `$name IS NOT NULL`."""
    return any(
        isinstance(operand.unnest(), exp.Not) and _is_test(operand.unnest().this.unnest(), name)
        for operand in node.flatten()
    )


def _is_a_value(param: exp.Expr) -> bool:
    """Whether it is all of a column of SELECT or of a LIMIT, outside of any condition."""
    node = param
    while isinstance(node.parent, (exp.Alias, exp.Cast, exp.TryCast, exp.Paren)):
        node = node.parent
    if isinstance(node.parent, exp.Select):
        return node.arg_key == "expressions" and _condition_around(param) is None
    return isinstance(node.parent, (exp.Limit, exp.Offset)) and _condition_around(param) is None


def _function_in_from(param: exp.Expr) -> exp.Expr | None:
    """The function of FROM whose argument a parameter is; None where it is none's."""
    node = param
    while (above := node.parent) is not None and not isinstance(above, exp.Query):
        if isinstance(above, exp.Table):
            return above if above.this is node else None
        node = above
    return None


# --- conditions ----------------------------------------------------------------------------------


def _condition_around(node: exp.Expr) -> exp.Expr | None:
    """The smallest condition between ANDs that holds a node; None when it is in no clause."""
    path = [node]
    while (above := path[-1].parent) is not None:
        if _is_clause(above, path[-1]):
            return _smallest(path)
        path.append(above)
    return None


def _is_clause(above: exp.Expr, node: exp.Expr) -> bool:
    if isinstance(above, (exp.Where, exp.Having, exp.Qualify)):
        return above.this is node
    return isinstance(above, exp.Join) and above.args.get("on") is node


def _smallest(path: list[exp.Expr]) -> exp.Expr:
    """Of the nodes from a parameter up to its clause, the condition of its own."""
    condition = path[-1]
    for node in reversed(path):
        if isinstance(node.parent, exp.And) or node is path[-1]:
            condition = node
        if not isinstance(node, (exp.And, exp.Paren)):
            break
    return condition
