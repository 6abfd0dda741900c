"""Predicates and sources of the user's query → SQL over other names, for DuckDB to evaluate."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from sqlglot import exp

from connstat_sql.binder.values import Field, Merged, Relation, Scalar, Term
from connstat_sql.definitions import quote
from connstat_sql.parser import DIALECT
from connstat_sql.quoting import own

NameField = Callable[[Field], str]
"""SQL for a column of a relation."""

NameMention = Callable[[int], str]
"""SQL for what stands for a mention: the name of a table, or a query in parentheses."""


def relation_name(relation: int) -> str:
    """The alias under which a relation is read."""
    return quote(own(f"r{relation}"))


def field_text(one: Field) -> str:
    """A column of a relation under its alias."""
    path = "".join(f".{quote(part)}" for part in one.path)
    return f"{relation_name(one.relation)}.{quote(one.column)}{path}"


def term_text(term: Term, name: NameField, read: Callable[[int], str]) -> str:
    """SQL for a term; `read` answers the text of a relation that stands for one value."""
    if isinstance(term, Field):
        return name(term)
    if isinstance(term, Merged):
        return f"coalesce({', '.join(map(name, term.fields))})"
    if isinstance(term, Scalar):
        return read(term.relation)
    return f"({node_text(term.node, term.terms, name, read)})"


def node_text(
    node: exp.Expr, terms: Mapping[int, Term], name: NameField, read: Callable[[int], str]
) -> str:
    """SQL for an expression with its columns in other words."""
    if id(node) in terms:
        return term_text(terms[id(node)], name, read)
    if isinstance(node, exp.EQ) and {id(node.this), id(node.expression)} <= terms.keys():
        return f"{node_text(node.this, terms, name, read)} = " + node_text(
            node.expression, terms, name, read
        )
    copy = copied(node)
    replaced = [
        (twin, terms[id(one)])
        for one, twin in zip(node.walk(), copy.walk(), strict=True)
        if id(one) in terms
    ]
    for twin, term in replaced:
        twin.replace(exp.Var(this=term_text(term, name, read)))
    return copy.sql(dialect=DIALECT, copy=False)


def relation_text(relation: Relation, mentions: Mapping[int, int], table: NameMention) -> str:
    """SQL to read a relation FROM: a name of its own is given to it by whoever uses it.

    `mentions` are places of live mentions by the id of their nodes, `table` says what stands for
    the mention at a place.
    """
    assert relation.node is not None
    source = _source_text(relation.node, mentions, table)
    if relation.is_scalar or (isinstance(relation.node, exp.Query) and not relation.node.alias):
        body = source  # a query; with a name for its rows it would be what stands in FROM
    else:
        body = f"SELECT * FROM {source}"
    if relation.ctes:
        listed = ", ".join(_source_text(cte, mentions, table) for cte in relation.ctes)
        is_recursive = any(
            isinstance(cte.parent, exp.With) and cte.parent.args.get("recursive")
            for cte in relation.ctes
        )
        body = f"WITH {'RECURSIVE ' if is_recursive else ''}{listed} {body}"
    return f"({body})"


def written(node: exp.Expr) -> str:
    """SQL for a node as it stands."""
    return copied(node).sql(dialect=DIALECT, copy=False)


def copied(node: exp.Expr) -> exp.Expr:
    """A copy of a tree, its nodes in the same order.

    sqlglot's own makes deep copies of what nobody changes, the places of names for one, and most of
    the time of reading a long statement goes there.
    """
    root = type(node)()
    pending = [(node, root)]
    while pending:
        one, twin = pending.pop()
        twin.comments = one.comments and [*one.comments]
        if not isinstance(one, (exp.Cast, exp.DataType)):  # theirs is made of what they hold
            twin.type = one.type
        if one.meta:
            twin.meta.update(one.meta)
        for key, value in one.args.items():
            if type(value) is list:
                twin.args[key] = [
                    _below(twin, key, index, each, pending) for index, each in enumerate(value)
                ]
            else:
                twin.args[key] = _below(twin, key, None, value, pending)
    return root


def _below(
    above: exp.Expr,
    key: str,
    index: int | None,
    node: object,
    pending: list[tuple[exp.Expr, exp.Expr]],
) -> object:
    """A node of the same kind in its place under another; what it holds is still to come."""
    if not isinstance(node, exp.Expr):
        return node
    twin = type(node)()
    twin.parent, twin.arg_key, twin.index = above, key, index
    pending.append((node, twin))
    return twin


def expression_columns(node: exp.Expr) -> Iterator[exp.Column]:
    """Columns of an expression itself; those of subqueries in it are their own business."""
    pending = [node]
    while pending:
        one = pending.pop()
        if isinstance(one, exp.Column) and not isinstance(one.this, exp.Star):
            yield one
        elif not isinstance(one, exp.Query):
            pending += one.iter_expressions()


def outermost_queries(*nodes: exp.Expr) -> Iterator[exp.Query]:
    """The queries that stand in no other of the given pieces, with their parentheses."""
    pending = [*nodes]
    while pending:
        one = pending.pop()
        if isinstance(one, exp.Query):
            yield one
        else:
            pending += one.iter_expressions()


def expression_queries(node: exp.Expr) -> Iterator[exp.Query]:
    """The outermost subqueries of an expression, without the parentheses around them."""
    pending = [node]
    while pending:
        one = pending.pop()
        if isinstance(one, exp.Query) and not isinstance(one, exp.Subquery):
            yield one
        else:
            pending += one.iter_expressions()


def _source_text(node: exp.Expr, mentions: Mapping[int, int], table: NameMention) -> str:
    if isinstance(node, exp.Subquery) and not node.args.get("alias") and not node.args.get("joins"):
        node = node.unnest()
    copy = copied(node)
    live = []
    for one, twin in [*zip(node.walk(), copy.walk(), strict=True)]:
        if isinstance(one, exp.Table) and id(one) in mentions:
            live.append((twin, mentions[id(one)]))
        elif isinstance(one, exp.Column) and one.args.get("db"):
            twin.set("db", None)
            twin.set("catalog", None)
    for twin, place in live:
        named = exp.Table(this=exp.Var(this=table(place)), **_kept(twin))
        if not named.args.get("alias"):
            named.set("alias", exp.TableAlias(this=exp.to_identifier(twin.name, quoted=True)))
        if twin is copy:
            copy = named
        else:
            twin.replace(named)
    copy.set("joins", None)  # those are sources of their own
    return copy.sql(dialect=DIALECT, copy=False)


def _kept(table: exp.Expr) -> dict[str, object]:
    """What a table has besides its name: alias, joins, sample."""
    return {key: v for key, v in table.args.items() if key not in ("this", "db", "catalog") and v}
