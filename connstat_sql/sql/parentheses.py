"""A text with parentheses around what the tree takes for one expression.

Where DuckDB reads the same with and without them, it groups operators as the tree does.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from connstat_sql.database.source_map import Edit
from connstat_sql.errors import Span
from connstat_sql.sql.excerpts import excerpt_of
from connstat_sql.sql.nodes import children, walk

_OPERATORS = (
    exp.Binary, exp.Neg, exp.Not, exp.BitwiseNot, exp.Abs, exp.Between, exp.In, exp.Cast,
    exp.AtTimeZone, exp.Bracket, exp.Coalesce,
)  # fmt: skip
_NO_OPERATORS = (
    exp.Dot, exp.Kwarg, exp.PropertyEQ, exp.Lambda, exp.Slice, exp.SetOperation, exp.Operator,
)  # fmt: skip
_AROUND = (exp.Where, exp.Having, exp.Qualify, exp.Join, exp.Case, exp.If)
_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.In)


def bracketed(root: exp.Expr) -> str | None:
    """The text of a node with all its operators in parentheses; None where none is needed.

    None of comparisons between plain operands needs any: everybody groups AND, OR and those alike.
    """
    whole = excerpt_of(root)
    assert whole is not None
    edits: list[Edit] = []
    is_certain = True
    for node in _operands(root):
        place = excerpt_of(node)
        if place is None or place.text is not whole.text:
            continue
        start, end = place.span.start, place.span.end
        edits += [Edit(Span(start, start), "("), Edit(Span(end, end), ")")]
        is_certain = is_certain and _is_certain(node)
    return None if is_certain else whole.edited(sorted(edits, key=_place))


def _operands(root: exp.Expr) -> Iterator[exp.Expr]:
    """The operators that are operands themselves, or all of a clause."""
    for node in walk(root):
        if not _is_operator(node) or node is root:
            continue
        if isinstance(node.parent, exp.In) and node.arg_key == "field":
            continue  # a list itself: in parentheses it would be one of several values
        above = node.parent
        while isinstance(above, exp.Paren) and excerpt_of(above) is None:
            above = above.parent  # the parser's own
        if isinstance(above, _AROUND) or (above is not None and _is_operator(above)):
            is_flat = type(node) is type(above) and (
                node is above.this or isinstance(node, exp.Connector)
            )
            if not is_flat and not isinstance(above, exp.Escape):
                yield node


def _is_operator(node: exp.Expr) -> bool:
    return isinstance(node, _OPERATORS) and not isinstance(node, _NO_OPERATORS)


def _is_certain(node: exp.Expr) -> bool:
    if isinstance(node, (exp.And, exp.Or)):
        return isinstance(node.parent, (exp.Or, *_AROUND))
    if not isinstance(node, _COMPARISONS) or any(map(_is_operator, children(node))):
        return False
    return isinstance(node.parent, (exp.And, exp.Or, *_AROUND))


def _place(edit: Edit) -> tuple[int, bool]:
    return edit.span.start, edit.text == "("
