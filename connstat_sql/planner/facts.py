"""Parts of predicates, as facts of their own."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from connstat_sql.binder import Fact, relations_of


def part_of(node: exp.Expr, fact: Fact) -> Fact | None:
    """A part of a predicate as a fact of its own; None where it says something of a subquery."""
    keys = {id(one) for one in node.walk()} & fact.terms.keys()
    terms = {key: fact.terms[key] for key in keys}
    if node.find(exp.Query) is not None:
        return None
    return Fact(node, terms, relations_of(terms.values()))


def chained(kind: type[exp.And] | type[exp.Or], parts: Sequence[exp.Expr]) -> exp.Expr:
    """All parts under one AND or OR, each in parentheses."""
    first, *others = parts
    for other in others:
        first = kind(this=exp.Paren(this=first), expression=exp.Paren(this=other))
    return first
