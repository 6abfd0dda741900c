"""Which columns of a live table a statement uses, and how its hidden columns stay out of `*`."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from connstat_sql.binder.blocks import enclosing_block, has_own_names, refers_to
from connstat_sql.binder.values import Edit
from connstat_sql.definitions import Resource
from connstat_sql.errors import BindError, Span
from connstat_sql.parser import TableMention

HIDDEN = ("_connection", "_observed_at", "_url")


def used_columns(tree: exp.Expr, mention: TableMention, resource: Resource) -> tuple[str, ...]:
    """The columns that may be used, in the definition's order; all where that cannot be told."""
    every = tuple(one.name for one in resource.all_columns)
    block = enclosing_block(mention.node)
    if block is None or mention.node.args.get("pivots") or _takes_all(tree, block, mention.node):
        return every
    if not has_own_names(mention.node) or tree.find(exp.PositionalColumn) is not None:
        return every  # the place of a column counts
    named = {name.lower() for name in _names(tree)}
    return tuple(name for name in every if name.lower() in named)


def used_hidden(tree: exp.Expr, mention: TableMention) -> tuple[str, ...]:
    """The hidden columns that are named on a mention, or named without saying on which."""
    found = {
        column.name.lower()
        for column in tree.find_all(exp.Column)
        if column.name.lower() in HIDDEN and refers_to(column, mention.node)
    }
    using = [one for join in tree.find_all(exp.Join) for one in join.args.get("using") or []]
    found |= {one.name.lower() for one in using if one.name.lower() in HIDDEN}
    return tuple(name for name in HIDDEN if name in found)


def refuse_rowid(mention: TableMention, resource: Resource, sql: str) -> None:
    """Raise BindError where a mention's rowid is named, which is there only while it is checked."""
    block = enclosing_block(mention.node)
    if block is None or any(one.name == "rowid" for one in resource.all_columns):
        return
    for column in block.find_all(exp.Column):
        is_here = column.find_ancestor(exp.Select) is block
        if is_here and column.name.lower() == "rowid" and refers_to(column, mention.node):
            raise BindError(
                f"{resource.table} is live: its rows have no rowid",
                sql=sql,
                span=mention.span,
                hint="number them:  row_number() OVER (ORDER BY …)",
            )


def star_edits(tree: exp.Expr, hidden: dict[int, tuple[str, ...]], sql: str) -> Iterator[Edit]:
    """Edits that keep named hidden columns out of `*`; `hidden` is by the id of a table's node.

    Raises BindError in a NATURAL JOIN, where a hidden column would join.
    """
    for block in tree.find_all(exp.Select):
        nodes = _sources(block)
        names = sorted({name for node in nodes for name in hidden.get(id(node), ())})
        if not names:
            continue
        for join in block.args.get("joins") or []:
            if str(join.args.get("method") or "").upper() == "NATURAL":
                raise BindError(
                    f"{names[0]} cannot be used beside NATURAL JOIN, which would join by it",
                    sql=sql,
                    hint="write JOIN … USING (columns)",
                )
        for star in _stars(block):
            owner = star.parent
            qualifier = owner.args.get("table") if isinstance(owner, exp.Column) else None
            own = names
            if qualifier is not None:
                own = sorted(
                    name
                    for node in nodes
                    if node.alias_or_name.lower() == qualifier.name.lower()
                    for name in hidden.get(id(node), ())
                )
            if own:
                yield _excluding(star, own, sql)


def _excluding(star: exp.Star, names: list[str], sql: str) -> Edit:
    if "start" not in star.meta or sql[star.meta["start"]] != "*":
        raise BindError(
            f"{names[0]} needs a select list here",
            sql=sql,
            hint=f"write  SELECT *, {names[0]} FROM …",
        )
    if star.args.get("except_") or star.args.get("except"):
        raise BindError(
            f"{names[0]} cannot be used beside * EXCLUDE in one block",
            sql=sql,
            span=Span(star.meta["start"], star.meta["end"] + 1),
            hint="name the columns, or filter in an outer query",
        )
    end = star.meta["end"] + 1
    return Edit(Span(end, end), f" EXCLUDE ({', '.join(names)})")


def _sources(block: exp.Select) -> list[exp.Table]:
    clauses = [block.args.get("from_") or block.args.get("from"), *(block.args.get("joins") or [])]
    return [
        clause.this
        for clause in clauses
        if clause is not None and isinstance(clause.this, exp.Table)
    ]


def _stars(block: exp.Select) -> Iterator[exp.Star]:
    """The stars of a block's own select list; `count(*)` is none of them."""
    for star in block.find_all(exp.Star):
        if star.find_ancestor(exp.Select) is block and not isinstance(star.parent, exp.Count):
            yield star


def _takes_all(tree: exp.Expr, block: exp.Select, node: exp.Table) -> bool:
    if any(True for _ in _stars(block)) or tree.find(exp.Columns, exp.Pivot) is not None:
        return True
    if isinstance(tree, (exp.Summarize, exp.Describe)):
        return True
    joins = block.args.get("joins") or []
    if any(str(join.args.get("method") or "").upper() == "NATURAL" for join in joins):
        return True
    alias = node.alias_or_name.lower()
    return any(column.name.lower() == alias for column in tree.find_all(exp.Column))


def _names(tree: exp.Expr) -> Iterator[str]:
    """Every identifier that could name a column: a superset is safe, fetching more than is used."""
    for identifier in tree.find_all(exp.Identifier, exp.Var):
        yield identifier.name
