"""Statements that change a local table → queries that read what the change depends on.

UPDATE … FROM and DELETE … USING change rows of the table that join with others; of MERGE, rows of
the source that match nothing count only where WHEN NOT MATCHED says what becomes of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from sqlglot import exp

from connstat_sql.sql.nodes import outermost_queries

Node = TypeVar("Node", bound=exp.Expr)


def queries_of(tree: exp.Expr) -> Iterator[exp.Expr]:
    """The queries to be read for a statement, whatever it does with their rows.

    Those made here hold pieces of the statement, which stay where they are in it.
    """
    if not isinstance(tree, (exp.Update, exp.Delete, exp.Merge)):
        yield from outermost_queries(tree)
    elif isinstance(tree, exp.Merge):
        yield from _of_merge(tree)
    elif isinstance(tree, exp.Delete):
        yield _joined(
            tree, [_comma(source) for source in tree.args.get("using") or []], _returned(tree)
        )
    else:
        clause = tree.args.get("from_")
        values = [
            assignment.expression if isinstance(assignment, exp.EQ) else assignment
            for assignment in tree.expressions
        ]
        joins = [_comma(clause.this)] if clause is not None else []
        yield _joined(tree, joins, [*values, *_returned(tree)])


def _of_merge(tree: exp.Merge) -> Iterator[exp.Expr]:
    """Source and target joined; what its clauses say beside that is of rows of either."""
    whens = tree.args["whens"].expressions
    keeps = any(not when.args.get("matched") and not when.args.get("source") for when in whens)
    conditions = {"on": tree.args.get("on"), "using": tree.args.get("using_cond")}
    join = _made(exp.Join, this=tree.this, side="LEFT" if keeps else "", **conditions)
    yield _select(tree, [], tree.args["using"], [join])
    beside = [*outermost_queries(*whens, *_returned(tree))]
    if beside:
        yield _select(tree, beside)


def _joined(tree: exp.Expr, joins: Sequence[exp.Expr], listed: Sequence[exp.Expr]) -> exp.Select:
    return _select(tree, listed, tree.this, joins, tree.args.get("where"))


def _comma(source: exp.Expr) -> exp.Join:
    return _made(exp.Join, this=source)


def _returned(tree: exp.Expr) -> list[exp.Expr]:
    clause = tree.args.get("returning")
    return list(clause.expressions) if clause is not None else []


def _select(
    tree: exp.Expr,
    listed: Sequence[exp.Expr],
    source: exp.Expr | None = None,
    joins: Sequence[exp.Expr] = (),
    where: exp.Expr | None = None,
) -> exp.Select:
    first = _made(exp.From, this=source) if source is not None else None
    return _made(
        exp.Select,
        with_=tree.args.get("with_"),
        expressions=[*listed],
        from_=first,
        joins=[*joins],
        where=where,
    )


def _made(kind: type[Node], **parts: object) -> Node:
    """A node over parts that keep the places that they have in the statement."""
    node = kind()
    node.args.update({key: part for key, part in parts.items() if part})
    return node
