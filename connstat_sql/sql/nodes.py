"""Nodes of sqlglot's trees: planning looks through a tree a hundred times, at half the cost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from sqlglot import exp

_Node = TypeVar("_Node", bound=exp.Expr)


def children(node: exp.Expr) -> list[exp.Expr]:
    """The nodes right below a node, in order."""
    inside: list[exp.Expr] = []
    for value in node.args.values():
        if value.__class__ is list:
            inside += [one for one in value if isinstance(one, exp.Expr)]
        elif isinstance(value, exp.Expr):
            inside.append(value)
    return inside


def walk(node: exp.Expr) -> Iterator[exp.Expr]:
    """The node and all below it, level by level."""
    level = [node]
    for one in level:
        yield one
        level += children(one)


def find_all(node: exp.Expr, *kinds: type[_Node]) -> Iterator[_Node]:
    """Those of the node and all below it that are of one of some kinds, level by level."""
    return (one for one in walk(node) if isinstance(one, kinds))


def find(node: exp.Expr, *kinds: type[_Node]) -> _Node | None:
    """The first of those (None: there is none)."""
    return next(find_all(node, *kinds), None)
