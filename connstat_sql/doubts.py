"""Predicates that no row can ever satisfy, because a column is compared with what it never holds.

A misspelt value, a connection that was renamed: the answer is empty and right, and no reason to
believe that all is well. The columns are those whose values are known beforehand: `_connection`,
the provider of a view over all of them, and whatever a definition gives `allowed` values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from connstat_sql.catalog import Catalog, LiveTable
from connstat_sql.definitions import Resource
from connstat_sql.parser import Statement
from connstat_sql.planner import nearest_to, no_such_connection

CONNECTION = "_connection"
_PROVIDER = "provider"
Values = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Known:
    """All values that a column can have; with `is_name`, another one is an error."""

    values: Values
    is_name: bool = False


def doubts_of(
    statement: Statement, arguments: Mapping[str, Any] | Sequence[Any] | None, catalog: Catalog
) -> tuple[str, ...]:
    """What to say of each comparison with a value that cannot be there.

    Raises BindError for a connection that is not configured.
    """
    if statement.tree is None:
        return ()
    reader = _Reader(statement, catalog)
    found: dict[str, None] = {}
    for column, values, is_wanted in _comparisons(statement.tree, arguments):
        known = reader.known(column)
        for value in values if known is not None else ():
            assert known is not None
            if value in known.values:
                continue
            if known.is_name and is_wanted and column.name.lower() == CONNECTION:
                raise no_such_connection(value, catalog, statement.sql)
            found[f"{column.name} is never {value[:60]!r}{nearest_to(value, known.values)}"] = None
    for column, pattern, fits in _patterns(statement.tree, arguments):
        known = reader.known(column)
        if known is not None and not any(map(fits, known.values)):
            near = nearest_to(pattern.strip("%_"), known.values)
            found[f"{column.name} is never like {pattern[:60]!r}{near}"] = None
    return tuple(found)


# --- comparisons ----------------------------------------------------------------------------------


def _comparisons(
    tree: exp.Expr, arguments: Mapping[str, Any] | Sequence[Any] | None
) -> Iterator[tuple[exp.Column, list[str], bool]]:
    """Columns, the texts that they are compared with, and whether they are to be equal."""
    for node in tree.find_all(exp.EQ, exp.NEQ, exp.In, exp.NullSafeEQ, exp.NullSafeNEQ):
        if isinstance(node, exp.In):
            pairs = [(node.this, one) for one in node.expressions]
        else:
            pairs = [(node.this, node.expression), (node.expression, node.this)]
        is_wanted = not isinstance(node, (exp.NEQ, exp.NullSafeNEQ)) and not node.find_ancestor(
            exp.Not
        )
        for column, value in pairs:
            texts = list(_texts(value, arguments))
            if isinstance(column, exp.Column) and texts:
                yield column, texts, is_wanted


def _patterns(
    tree: exp.Expr, arguments: Mapping[str, Any] | Sequence[Any] | None
) -> Iterator[tuple[exp.Column, str, Callable[[str], object]]]:
    """Columns, the patterns of LIKE that they are to fit, and what tells whether a value does."""
    for node in tree.find_all(exp.Like, exp.ILike):
        if not isinstance(node.this, exp.Column) or isinstance(node.parent, exp.Escape):
            continue
        flags = re.DOTALL | (re.IGNORECASE if isinstance(node, exp.ILike) else 0)
        for pattern in _texts(node.expression, arguments):
            parts = ({"%": ".*", "_": "."}.get(letter, re.escape(letter)) for letter in pattern)
            yield node.this, pattern, re.compile("".join(parts), flags).fullmatch


def _texts(node: exp.Expr, arguments: Mapping[str, Any] | Sequence[Any] | None) -> Iterator[str]:
    if isinstance(node, exp.Paren):
        yield from _texts(node.this, arguments)
    elif isinstance(node, exp.Literal) and node.is_string:
        yield str(node.this)
    elif isinstance(node, (exp.Any, exp.Array, exp.Tuple)):
        inner = [node.this] if isinstance(node, exp.Any) else node.expressions
        for one in inner:
            yield from _texts(one, arguments)
    elif isinstance(node, (exp.Placeholder, exp.Parameter)):
        value = _argument(node.name, arguments)
        for one in value if isinstance(value, (list, tuple)) else (value,):
            if isinstance(one, str):
                yield one


def _argument(name: str, arguments: Mapping[str, Any] | Sequence[Any] | None) -> Any:
    if isinstance(arguments, Mapping):
        return arguments.get(name)
    if arguments is not None and name.isdecimal() and 0 < int(name) <= len(arguments):
        return arguments[int(name) - 1]
    return arguments[0] if arguments is not None and len(arguments) == 1 else None


# --- columns --------------------------------------------------------------------------------------


class _Reader:
    """Follows a column to the table that it is of, through plain columns alone."""

    def __init__(self, statement: Statement, catalog: Catalog) -> None:
        self._catalog = catalog
        self._live = {
            id(one.node): live
            for one in statement.mentions
            if isinstance(live := catalog.resolve(one.parts), LiveTable)
        }

    def known(self, column: exp.Column) -> _Known | None:
        """What is known of a column's values; None where it is not known what it is."""
        name, table = column.name.lower(), column.table.lower()
        select = column.find_ancestor(exp.Select)
        while select is not None:
            sources = list(self._sources(select))
            if table:
                sources = [one for one in sources if one.alias_or_name.lower() == table]
            for source in sources:
                known = self._of_source(source, name)
                if known is not None:
                    return known
            if sources:
                return None
            select = select.find_ancestor(exp.Select)
        return None

    def _sources(self, select: exp.Select) -> Iterator[exp.Expr]:
        begin = select.args.get("from") or select.args.get("from_")
        if begin is not None:
            yield begin.this
        for join in select.args.get("joins") or ():
            yield join.this

    def _of_source(self, source: exp.Expr, name: str) -> _Known | None:
        live = self._live.get(id(source))
        if live is not None:
            return self._of_table(live.resource, name)
        if isinstance(source, exp.Subquery):
            return self._of_query(source.this, name)
        if isinstance(source, exp.Table) and not source.db:
            query = _cte(source)
            return None if query is None else self._of_query(query, name)
        return None

    def _of_query(self, query: exp.Expr, name: str) -> _Known | None:
        """What is known of an output column of a query."""
        if isinstance(query, exp.SetOperation):
            sides = [self._of_query(one, name) for one in (query.left, query.right)]
            if None in sides:
                return None
            values = [value for side in sides if side is not None for value in side.values]
            return _Known(tuple(dict.fromkeys(values)), all(one and one.is_name for one in sides))
        if not isinstance(query, exp.Select):
            return None
        for item in query.expressions:
            if item.alias_or_name.lower() == name:
                inner = item.unalias()
                return self.known(inner) if isinstance(inner, exp.Column) else None
        if query.is_star:
            found = (self._of_source(source, name) for source in self._sources(query))
            return next((one for one in found if one is not None), None)
        return None

    def _of_table(self, resource: Resource, name: str) -> _Known | None:
        if name == CONNECTION:
            return _Known(tuple(self._catalog.connections), is_name=True)
        column = resource.column(name)
        if column is None:
            return None
        if column.allowed:
            return _Known(column.allowed)
        if name == _PROVIDER and resource.view is not None and resource.view.is_union:
            return _Known(tuple(dict.fromkeys(self._catalog.connections.values())))
        return None


def _cte(source: exp.Table) -> exp.Expr | None:
    """The query that a name stands for, by the nearest WITH around it that has it."""
    name = source.name.lower()
    around = source.parent
    while around is not None:
        with_ = around.args.get("with") or around.args.get("with_")
        for one in with_.expressions if with_ is not None else ():
            if one.alias.lower() == name and one.find(exp.Table) is not None:
                columns = one.args["alias"].args.get("columns")
                return None if columns or source in one.find_all(exp.Table) else one.this
        around = around.parent
    return None
