"""Of which configurations a statement has to know what their plugins declare to be secret."""

from __future__ import annotations

from sqlglot import exp

from connstat_sql.definitions.model import Column
from connstat_sql.planner.model import Plan, Scan
from connstat_sql.sql.binder import BoundQuery
from connstat_sql.sql.nodes import find, find_all, walk

_READABLE = (exp.Query, exp.Create)
_ALL = (exp.Columns, exp.Pivot, exp.PositionalColumn)


def secret_columns(plan: Plan) -> dict[str, tuple[str, ...]]:
    """By the names of scans, the columns whose secrets their plugins declare and have to be known.

    Those are left out of which nothing is read but settings that are never secret.
    """
    columns: dict[str, tuple[str, ...]] = {}
    for scan in plan.scans:
        read = tuple(
            column.name
            for column in declared_columns(scan)
            if column.secret_keys and _reads_more(plan.query, column.name, column.secret_keys.never)
        )
        if read and not scan.looks:
            columns[scan.name] = read
    return columns


def declared_columns(scan: Scan) -> tuple[Column, ...]:
    """Columns that a scan fetches whose secrets their plugins declare."""
    columns = (scan.resource.column(name) for name in scan.columns)
    return tuple(column for column in columns if column and column.secret_keys)


def _reads_more(query: BoundQuery, name: str, never: tuple[str, ...]) -> bool:
    """Whether a statement may read more of a column of that name than some of its settings.

    Only where each mention is `name['setting']` it does not: whatever else could lead to it, such
    as a star over a live table, other names for its columns or a whole row, counts.
    """
    tree = query.statement.tree
    if not isinstance(tree, _READABLE) or find(tree, *_ALL):
        return True
    live = {id(table.mention.node) for table in query.tables}
    rows = {source.alias_or_name.lower() for source in find_all(tree, exp.Table, exp.Subquery)}
    for node in walk(tree):
        if id(node) in live and node.args.get("alias") and node.args["alias"].columns:
            return True
        if isinstance(node, exp.Star) and _is_of_table(node, live):
            return True
        if isinstance(node, exp.Column):
            parts = [part.name.lower() for part in node.parts]
            if len(parts) == 1 and parts[0] in rows:
                return True
            if name.lower() in parts and _setting(node) not in never:
                return True
        elif isinstance(node, exp.Join) and _compares(node, name):
            return True
    return False


def _setting(column: exp.Column) -> str | None:
    """The setting that is taken out of a column of settings; None where it is not one alone."""
    above = column.parent
    if not isinstance(above, exp.Bracket) or above.this is not column:
        return None
    key = above.expressions[0]
    return key.name if isinstance(key, exp.Literal) and key.is_string else None


def _compares(join: exp.Join, name: str) -> bool:
    """Whether a join compares columns of that name without an expression that says so."""
    return join.args.get("method") == "NATURAL" or any(
        isinstance(column, exp.Expr) and column.name.lower() == name.lower()
        for column in join.args.get("using") or ()
    )


def _is_of_table(star: exp.Star, live: set[int]) -> bool:
    """Whether it may stand for the columns of a live table, not only for those of others."""
    if isinstance(star.parent, exp.Count):
        return False
    query = star.find_ancestor(exp.Select)
    begin = query.args.get("from_") if query is not None else None
    if query is None or begin is None:
        return True
    sources = [clause.this for clause in (begin, *(query.args.get("joins") or ()))]
    owner = star.parent.table.lower() if isinstance(star.parent, exp.Column) else ""
    if owner and owner not in {source.alias_or_name.lower() for source in sources}:
        return True
    return not all(
        isinstance(source, exp.Subquery)
        or (isinstance(source, exp.Table) and id(source) not in live)
        for source in sources
    )
