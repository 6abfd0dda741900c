"""Predicates and sources of the user's query → SQL over other names, for DuckDB to evaluate."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from types import MappingProxyType

from sqlglot import exp

from connstat_sql.database.source_map import Edit
from connstat_sql.definitions.model import quote
from connstat_sql.definitions.quoting import own
from connstat_sql.errors import Span
from connstat_sql.sql.binder.model import ColumnField, Merged, Relation, ScalarSubquery, Term
from connstat_sql.sql.excerpts import Excerpt, ParsedText, excerpt_of, instead_of, name_in
from connstat_sql.sql.nodes import children, named_children, walk
from connstat_sql.sql.statement import DIALECT

_WORDS = (exp.DataType, exp.Identifier)
_OURS = (
    exp.And, exp.Or, exp.Paren, exp.EQ, exp.Cast, exp.Null, exp.Boolean, exp.Literal, exp.Column,
    exp.DataType, exp.Identifier,
)  # fmt: skip
"""What conjuncts are made of beside the user's own text; each is spelt in one way only."""

_BEHIND = ("alias", "sample", "pivots", "order", "limit", "offset", "fetch")
"""What stands behind the parentheses of a subquery."""

NameField = Callable[[ColumnField], str]
"""SQL for a column of a relation."""

NameMention = Callable[[int], str]
"""SQL for what stands for a mention: the name of a table, or a query in parentheses."""


def relation_name(relation: int) -> str:
    """The alias under which a relation is read."""
    return quote(own(f"r{relation}"))


def field_text(field: ColumnField) -> str:
    """A column of a relation under its alias."""
    path = "".join(f".{quote(part)}" for part in field.path)
    return f"{relation_name(field.relation)}.{quote(field.column)}{path}"


def term_text(term: Term, name: NameField, read: Callable[[int], str]) -> str:
    """SQL for a term; `read` answers the text of a relation that stands for one value."""
    if isinstance(term, ColumnField):
        return name(term)
    if isinstance(term, Merged):
        return f"coalesce({', '.join(map(name, term.fields))})"
    if isinstance(term, ScalarSubquery):
        return _scalar_text(term, name, read(term.relation))
    return f"({node_text(term.node, term.terms, name, read)})"


def _scalar_text(term: ScalarSubquery, name: NameField, inner: str) -> str:
    """SQL for a subquery, with the sources around it that it speaks of under their own names."""
    if not term.beside:
        return inner
    sources = ", ".join(
        f"(SELECT {', '.join(f'{name(f)} AS {quote(n)}' for n, f in source.columns)}) "
        f"AS {quote(source.alias)}"
        for source in term.beside
    )
    return f"(SELECT {inner} FROM {sources})"


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
    texts = {id(part): term for part in walk(node) if (term := terms.get(id(part))) is not None}
    return written(node, {key: term_text(term, name, read) for key, term in texts.items()})


def written(node: exp.Expr, others: Mapping[int, str] = MappingProxyType({})) -> str:
    """The SQL of a node as the user wrote it, with other SQL for some of the nodes in it."""
    if id(node) in others:
        return others[id(node)]
    whole = excerpt_of(node)
    if whole is None:
        return _made(node, others)
    edits: list[Edit] = []
    pending = [*children(node)]
    while pending:
        inner = pending.pop()
        place = instead_of(inner)
        if place is None and id(inner) not in others:
            pending += children(inner)
            continue
        sql = written(inner, others)
        place = place or _place(whole.text, inner)
        assert place is not None
        assert whole.span.holds(place.span)
        is_bare = isinstance(inner, exp.Query) and not place.sql.startswith("(")
        edits.append(Edit(place.span, sql[1:-1] if is_bare and sql.startswith("(") else sql))
    return whole.edited(edits)


def _place(text: ParsedText, node: exp.Expr) -> Excerpt | None:
    """Where a node stands that is replaced: of a column or a table its name."""
    if isinstance(node, (exp.Column, exp.Table)):
        return name_in(text, node)
    place = excerpt_of(node)
    return excerpt_of(node.this) if place is None and isinstance(node, exp.Subquery) else place


def _made(node: exp.Expr, others: Mapping[int, str]) -> str:
    """The SQL of a node that nobody wrote, around what was written."""
    twin = type(node)()
    for key, value in node.args.items():
        is_text = isinstance(value, exp.Expr) and not isinstance(value, _WORDS)
        text = exp.Var(this=written(value, others)) if is_text else deepcopy(value)
        twin.set(key, text)
    return twin.sql(dialect=DIALECT)


def is_told(node: exp.Expr) -> bool:
    """Whether the SQL of a node is what the user wrote, or was put there by us."""
    return isinstance(node, _OURS) or excerpt_of(node) is not None


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
        if isinstance(relation.node, exp.Query) and relation.node.unnest().args.get("with_"):
            body = f"SELECT * FROM ({body})"  # directly behind a WITH another one is not read
        listed = ", ".join(_source_text(cte, mentions, table) for cte in relation.ctes)
        is_recursive = any(
            isinstance(cte.parent, exp.With) and cte.parent.args.get("recursive")
            for cte in relation.ctes
        )
        body = f"WITH {'RECURSIVE ' if is_recursive else ''}{listed} {body}"
    return f"({body})"


def expression_columns(node: exp.Expr) -> Iterator[exp.Column]:
    """Columns of an expression itself; those of subqueries in it are their own business."""
    pending = [node]
    while pending:
        inner = pending.pop()
        if isinstance(inner, exp.Column) and not isinstance(inner.this, exp.Star):
            yield inner
        elif not isinstance(inner, exp.Query):
            pending += children(inner)


def _source_text(node: exp.Expr, mentions: Mapping[int, int], table: NameMention) -> str:
    whole = excerpt_of(node)
    assert whole is not None
    if isinstance(node, exp.Subquery) and not any(node.args.get(key) for key in _BEHIND):
        whole = Excerpt(whole.text, Span(whole.span.start + 1, whole.span.end - 1))
    edits: list[Edit] = []
    for part in own_nodes(node):
        if isinstance(part, exp.Table) and id(part) in mentions:
            name = table(mentions[id(part)])
            alias = "" if part.args.get("alias") else f" AS {quote(part.name)}"
            edits.append(_from_name(_named(whole.text, part), part, name + alias))
        elif isinstance(part, exp.Column) and part.args.get("db"):
            place = _named(whole.text, part)
            edits.append(Edit(place.span, _named(whole.text, part, len(part.parts) - 2).sql))
    return whole.edited(edits)


def _from_name(place: Excerpt, node: exp.Table, sql: str) -> Edit:
    """What takes the place of a table's name, or of `TABLE name`, where a name alone is said."""
    if isinstance(node.parent, (exp.Summarize, exp.Describe)):
        return Edit(place.span, f"SELECT * FROM {sql}")
    above = node.find_ancestor(exp.Select)
    query = excerpt_of(above) if above is not None else None
    before = place.text.sql[query.span.start : place.span.start] if query is not None else ""
    if query is not None and before.strip().upper() == "TABLE":
        return Edit(Span(query.span.start, place.span.end), f"FROM {sql}")
    return Edit(place.span, sql)


def _named(text: ParsedText, node: exp.Column | exp.Table, first: int = 0) -> Excerpt:
    place = name_in(text, node, first)
    assert place is not None
    return place


def own_nodes(node: exp.Expr) -> Iterator[exp.Expr]:
    """A source and all that is in it; not the joins behind it, which the parser puts there too."""
    yield node
    for key, child in named_children(node):
        if key != "joins" or isinstance(node, exp.Select):
            yield from walk(child)
