"""Which values a column can have, or a field of one, by the table that it is of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from sqlglot import exp

from connstat_sql.definitions.catalog import Catalog, LiveTable
from connstat_sql.sql.nodes import find, find_all
from connstat_sql.sql.statement import Statement

CONNECTION = "_connection"
_PROVIDER = "provider"
Fields = tuple[str, ...]
"""The names that lead from a column to a field of it; lists on the way are gone through."""


@dataclass(frozen=True, slots=True)
class PossibleValues:
    """The values that a column can have; `is_closed`: no others.

    With `is_name`, another one is an error. `place` is how a field of a column is called.
    """

    values: tuple[str, ...]
    is_name: bool = False
    is_closed: bool = True
    place: str = ""


class Reader:
    """Follows a column to the table that it is of, through plain columns and fields alone."""

    def __init__(self, statement: Statement, catalog: Catalog) -> None:
        self._catalog = catalog
        self._live = {
            id(mention.node): live
            for mention in statement.mentions
            if isinstance(live := catalog.resolve(mention.parts), LiveTable)
        }

    def known(self, node: exp.Expr, fields: Fields = ()) -> PossibleValues | None:
        """What is known of a column's values; None where it is not known what it is."""
        if isinstance(node, exp.Column):
            return self._of_column(node, fields)
        if isinstance(node, exp.Identifier):
            listed = _list_of(node)
            return None if listed is None else self.known(listed, fields)
        if isinstance(node, exp.Dot):
            return self.known(node.this, (node.expression.name.lower(), *fields))
        if isinstance(node, exp.StructExtract):
            return self.known(node.this, (node.expression.name.lower(), *fields))
        if isinstance(node, exp.Bracket):
            key = node.expressions[0]
            if isinstance(key, exp.Literal) and key.is_string:
                return self.known(node.this, (key.name.lower(), *fields))
            return self.known(node.this, fields) if fields else None  # of a text it is a part
        if isinstance(node, (exp.Paren, exp.Explode)):
            return self.known(node.this, fields)
        return None

    def _of_column(self, column: exp.Column, fields: Fields) -> PossibleValues | None:
        """Of the nearest query around it with a source that has it."""
        parts = [part.name.lower() for part in column.parts]
        select = column.find_ancestor(exp.Select)
        while select is not None:
            sources = list(self._sources(select))
            for place in range(len(parts) - 1):
                for source in sources:
                    if source.alias_or_name.lower() == parts[place]:
                        name, *inner = parts[place + 1 :]
                        return self._of_source(source, name, (*inner, *fields))
            for source in sources:
                known = self._of_source(source, parts[0], (*parts[1:], *fields))
                if known is not None:
                    return known
            if sources and len(parts) == 1:
                return None
            select = select.find_ancestor(exp.Select)
        return None

    def _sources(self, select: exp.Select) -> Iterator[exp.Expr]:
        begin = select.args.get("from") or select.args.get("from_")
        if begin is not None:
            yield begin.this
        for join in select.args.get("joins") or ():
            yield join.this

    def _of_source(self, source: exp.Expr, name: str, fields: Fields) -> PossibleValues | None:
        live = self._live.get(id(source))
        if live is not None:
            return self._of_table(live, name, fields)
        if isinstance(source, exp.Subquery):
            return self._of_query(source.this, name, fields)
        if isinstance(source, exp.Table) and not source.db:
            query = _cte(source)
            return None if query is None else self._of_query(query, name, fields)
        return None

    def _of_query(self, query: exp.Expr, name: str, fields: Fields) -> PossibleValues | None:
        """What is known of an output column of a query."""
        if isinstance(query, exp.SetOperation):
            return self._of_both(query, name, fields)
        if not isinstance(query, exp.Select):
            return None
        for item in query.expressions:
            if item.alias_or_name.lower() == name:
                return self.known(item.unalias(), fields)
        if query.is_star:
            all_known = (self._of_source(source, name, fields) for source in self._sources(query))
            return next((known for known in all_known if known is not None), None)
        return None

    def _of_both(self, query: exp.SetOperation, name: str, fields: Fields) -> PossibleValues | None:
        left = self._of_query(query.left, name, fields)
        right = self._of_query(query.right, name, fields)
        if left is None or right is None:
            return None
        return replace(
            left,
            values=tuple(dict.fromkeys((*left.values, *right.values))),
            is_name=left.is_name and right.is_name,
            is_closed=left.is_closed and right.is_closed,
        )

    def _of_table(self, live: LiveTable, name: str, fields: Fields) -> PossibleValues | None:
        resource, connections = live.resource, self._catalog.connections
        if name == CONNECTION and not fields:
            return PossibleValues(self._connections(live), is_name=True)
        column = resource.column(name)
        if column is None:
            return None
        for values in column.known:
            if values.field == fields:
                place = ".".join((name, *fields)) if fields else ""
                return PossibleValues(values.texts, is_closed=values.is_closed, place=place)
        if name == _PROVIDER and resource.view is not None and resource.view.is_union:
            return PossibleValues(tuple(dict.fromkeys(connections.values())))
        return None

    def _connections(self, live: LiveTable) -> tuple[str, ...]:
        """The connections that a table can have rows of."""
        view = live.resource.view
        if live.connection is not None:
            return (live.connection,)
        if view is None:
            return self._catalog.connections_of(live.resource.table.provider)
        return tuple(self._catalog.connections)


def _list_of(variable: exp.Identifier) -> exp.Expr | None:
    """The list whose elements a variable of a lambda stands for."""
    around = variable.find_ancestor(exp.Lambda)
    while around is not None:
        names = [parameter.name.lower() for parameter in around.expressions]
        if variable.name.lower() in names:
            function = around.parent
            is_first = names[0] == variable.name.lower()
            known = isinstance(function, (exp.ArrayFilter, exp.Transform))
            return function.this if is_first and known and function is not None else None
        around = around.find_ancestor(exp.Lambda)
    return None


def _cte(source: exp.Table) -> exp.Expr | None:
    """The query that a name stands for, by the nearest WITH around it that has it."""
    name = source.name.lower()
    around = source.parent
    while around is not None:
        with_ = around.args.get("with") or around.args.get("with_")
        for cte in with_.expressions if with_ is not None else ():
            if cte.alias.lower() == name and find(cte, exp.Table) is not None:
                columns = cte.args["alias"].args.get("columns")
                return None if columns or source in find_all(cte, exp.Table) else cte.this
        around = around.parent
    return None
