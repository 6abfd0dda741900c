"""Nodes of sqlglot's trees: planning looks through a tree a hundred times, at half the cost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from sqlglot import exp

from connstat_sql.errors import Span

_Node = TypeVar("_Node", bound=exp.Expr)


def children(node: exp.Expr) -> list[exp.Expr]:
    """The nodes right below a node, in order."""
    inside: list[exp.Expr] = []
    for value in node.args.values():
        if value.__class__ is list:
            inside += [child for child in value if isinstance(child, exp.Expr)]
        elif isinstance(value, exp.Expr):
            inside.append(value)
    return inside


def named_children(node: exp.Expr) -> Iterator[tuple[str, exp.Expr]]:
    """The nodes right below a node, in order, each with the key that it stands under."""
    for key, value in node.args.items():
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, exp.Expr):
                yield key, child


def around(node: exp.Expr | None) -> Iterator[exp.Expr]:
    """A node and those around it, from the inside out."""
    while node is not None:
        yield node
        node = node.parent


def is_natural(join: exp.Expr) -> bool:
    """Whether a join goes by all columns that both sides have."""
    return str(join.args.get("method") or "").upper() == "NATURAL"


def is_star(node: exp.Expr) -> bool:
    """Whether a node is `*` or `t.*`."""
    return isinstance(node.this if isinstance(node, exp.Column) else node, exp.Star)


def is_edited(star: exp.Expr) -> bool:
    """Whether a star leaves columns out, or gives them another value or name."""
    star = star.this if isinstance(star, exp.Column) else star
    return any(star.args.get(key) for key in ("except_", "replace", "rename", "except"))


def walk(node: exp.Expr) -> Iterator[exp.Expr]:
    """The node and all below it, level by level."""
    level = [node]
    for inner in level:
        yield inner
        level += children(inner)


def find_all(node: exp.Expr, *kinds: type[_Node]) -> Iterator[_Node]:
    """Those of the node and all below it that are of one of some kinds, level by level."""
    return (inner for inner in walk(node) if isinstance(inner, kinds))


def find(node: exp.Expr, *kinds: type[_Node]) -> _Node | None:
    """The first of those (None: there is none)."""
    return next(find_all(node, *kinds), None)


def outermost_queries(*nodes: exp.Expr) -> Iterator[exp.Query]:
    """The queries that stand in no other of some nodes, with their parentheses."""
    return _outermost(nodes, ())


def bare_queries(*nodes: exp.Expr) -> Iterator[exp.Query]:
    """The same without the parentheses around them."""
    return _outermost(nodes, exp.Subquery)


def _outermost(nodes: Iterable[exp.Expr], past: type[exp.Query] | tuple[()]) -> Iterator[exp.Query]:
    pending = [*nodes]
    while pending:
        inner = pending.pop()
        if isinstance(inner, exp.Query) and not isinstance(inner, past):
            yield inner
        else:
            pending += children(inner)


def span_of(*parts: exp.Expr) -> Span:
    """From where the first of some names begins to where the last one ends."""
    return Span(parts[0].meta["start"], parts[-1].meta["end"] + 1)
