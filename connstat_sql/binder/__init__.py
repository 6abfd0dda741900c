"""Statement + catalog → `BoundQuery`: names resolved, predicates understood, no request sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlglot import exp

from connstat_sql.binder.blocks import KINDS, Block, Kinds, Types, enclosing_block
from connstat_sql.binder.columns import HIDDEN, refuse_rowid, star_edits, used_columns, used_hidden
from connstat_sql.binder.constants import Constants
from connstat_sql.binder.restrictions import Restriction
from connstat_sql.binder.values import Arguments, BoundQuery, BoundTable, Edit, Fold, Row, Value
from connstat_sql.catalog import Catalog, LiveTable, NoSuchTable
from connstat_sql.definitions import Resource
from connstat_sql.errors import BindError, ParseError, Span
from connstat_sql.parser import Statement, TableMention, Use, words

__all__ = [
    "HIDDEN", "KINDS", "Arguments", "BoundQuery", "BoundTable", "Edit", "Fold", "Kinds", "Row",
    "Value", "bind", "bindable_types",
]  # fmt: skip


def bind(
    statement: Statement,
    catalog: Catalog,
    fold: Fold,
    volatile: Callable[[], frozenset[str]],
    kinds: Kinds = KINDS,
) -> BoundQuery:
    """Find the live tables of a statement and what restricts each; `kinds` are the rules of joins.

    Raises BindError for a name that leads nowhere and for writing to a live table; ParseError for
    SQL that names a live table and that only DuckDB can read. No request is sent here.
    """
    tree = statement.tree
    if tree is None:
        _refuse_unreadable(statement, catalog)
        return BoundQuery(statement, ())
    found = [(mention, _resolve(statement, mention, catalog)) for mention in statement.mentions]
    lives = [(mention, live) for mention, live in found if live is not None]
    if not lives:
        return BoundQuery(statement, ())
    types = {id(mention.node): _types(live.resource) for mention, live in lives}
    for mention, live in lives:
        refuse_rowid(mention, live.resource, statement.sql)
    binding = _Binding(tree, types, Constants(fold, volatile()), kinds)
    tables = [binding.bind_table(mention, live) for mention, live in lives]
    hidden = {id(table.mention.node): table.hidden for table in tables if table.hidden}
    edits = [*star_edits(tree, hidden, statement.sql), *_qualifier_edits(tree, tables)]
    return BoundQuery(statement, tuple(tables), tuple(edits))


def bindable_types(resource: Resource) -> dict[str, str]:
    """Columns whose equality can save requests, with their types: parameters, keys and filters.

    Not those of floating point, where equal values have different texts.
    """
    wanted = {param.name for param in resource.params}
    wanted |= {name for method in resource.methods for name in method.required}
    wanted |= {one.column for method in resource.methods for one in method.filters}
    return {
        name: kind
        for name, kind in _types(resource).items()
        if (name in wanted or name == "_connection") and kind not in ("DOUBLE", "FLOAT", "REAL")
    }


def _types(resource: Resource) -> dict[str, str]:
    columns = {one.name.lower(): str(one.type) for one in resource.all_columns}
    return {**columns, "_connection": "VARCHAR"}


@dataclass(frozen=True, slots=True)
class _Binding:
    """What the tables of a statement are bound with; `types` are by the id of a mention's node."""

    tree: exp.Expr
    types: Mapping[int, Types]
    constants: Constants
    kinds: Kinds

    def bind_table(self, mention: TableMention, live: LiveTable) -> BoundTable:
        """Find what one mention uses and what restricts it."""
        rows, misfits, spoken = None, set[str](), frozenset[str]()
        select = enclosing_block(mention.node)
        if select is not None:
            block = Block(select, self.types, self.kinds)
            place = block.place_of(mention.node)
            types = bindable_types(live.resource)
            restriction = Restriction(block, place, types, self.constants)
            rows, misfits = restriction.rows(), restriction.misfits
            spoken = block.spoken(place)
        return BoundTable(
            mention,
            live,
            rows=rows,
            columns=used_columns(self.tree, mention, live.resource),
            hidden=used_hidden(self.tree, mention),
            misfits=tuple(sorted(misfits)),
            spoken=spoken,
        )


def _resolve(statement: Statement, mention: TableMention, catalog: Catalog) -> LiveTable | None:
    found = catalog.resolve(mention.parts)
    if isinstance(found, NoSuchTable):
        raise BindError(
            found.missing,
            sql=statement.sql,
            span=mention.span,
            hint=f"there is  {', '.join(found.candidates)}" if found.candidates else "",
        )
    if found is None:
        return None
    if mention.use is Use.WRITE:
        raise BindError(
            f"{'.'.join(mention.parts)} is live and read-only",
            sql=statement.sql,
            span=mention.span,
            hint="copy it first:  CREATE TABLE mine AS SELECT * FROM …",
        )
    if mention.use is Use.DEFINE:
        raise BindError(
            "a view or macro over live tables cannot be created yet",
            sql=statement.sql,
            span=mention.span,
            hint="copy the rows:  CREATE TABLE mine AS SELECT … , or use WITH",
        )
    return found


def _refuse_unreadable(statement: Statement, catalog: Catalog) -> None:
    """What only DuckDB can read runs as it is, unless it names a live table."""
    for parts in words(statement.sql):
        if isinstance(catalog.resolve(parts[:3]), LiveTable):
            name = ".".join(parts[:3])
            start = max(statement.sql.find(name), 0)
            raise ParseError(
                f"this statement names the live table {name} in a way that cannot be planned",
                sql=statement.sql,
                span=Span(start, start + len(name)),
                hint=f"take its rows first:  CREATE TEMP TABLE mine AS FROM {name} WHERE …",
            )


def _qualifier_edits(tree: exp.Expr, tables: list[BoundTable]) -> list[Edit]:
    """`provider.service.table.column` → `table.column`: the run text names tables otherwise."""
    edits = []
    live = {tuple(part.lower() for part in table.mention.parts) for table in tables}
    for column in tree.find_all(exp.Column):
        parts = column.parts
        names = tuple(part.name.lower() for part in parts[:-1])
        if len(names) < 2 or not all("start" in part.meta for part in parts):
            continue
        if any(table[-len(names) :] == names for table in live):
            edits.append(
                Edit(Span(parts[0].meta["start"], parts[len(names) - 1].meta["start"]), "")
            )
    return edits
