"""Which predicates cannot be true of a row that has nothing but NULLs on one side."""

from __future__ import annotations

from sqlglot import exp

from connstat_sql.sql.binder.model import ColumnField, Conjunct
from connstat_sql.sql.nodes import children

_COMPARISONS = (
    exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Like, exp.ILike, exp.RegexpLike,
)  # fmt: skip
_STRICT = (
    exp.Cast, exp.Neg, exp.Lower, exp.Upper, exp.Length, exp.Trim, exp.Add, exp.Sub, exp.Mul,
    exp.DPipe, exp.Paren,
)  # fmt: skip


def rejects_null(
    conjunct: Conjunct, side: frozenset[int], columns: frozenset[str] | None = None
) -> bool:
    """Whether a conjunct is not true wherever columns of a side are NULL (None: all of them)."""
    reading = _Reading(conjunct, side, columns)
    return bool(conjunct.relations & side) and reading.is_rejecting(conjunct.predicate)


class _Reading:
    def __init__(
        self, conjunct: Conjunct, side: frozenset[int], columns: frozenset[str] | None
    ) -> None:
        self._conjunct = conjunct
        self._side = side
        self._columns = columns

    def is_rejecting(self, node: exp.Expr) -> bool:
        """Whether it is false or NULL when the side is NULL."""
        node = node.unnest()
        if isinstance(node, exp.And):
            return self.is_rejecting(node.this) or self.is_rejecting(node.expression)
        if isinstance(node, exp.Or):
            return self.is_rejecting(node.this) and self.is_rejecting(node.expression)
        if isinstance(node, exp.Not):
            inner = node.this.unnest()
            if isinstance(inner, exp.Is) and isinstance(inner.expression, exp.Null):
                return self.is_null(inner.this)
            return self.is_null(inner)
        return self.is_null(node)

    def is_null(self, node: exp.Expr) -> bool:
        """Whether it is NULL when the side is NULL."""
        node = node.unnest()
        if isinstance(node, exp.Column):
            term = self._conjunct.terms.get(id(node))
            if not isinstance(term, ColumnField) or term.relation not in self._side:
                return False
            return self._columns is None or term.column in self._columns
        if isinstance(node, _COMPARISONS):
            if isinstance(node.this, exp.Tuple) or isinstance(node.expression, (exp.Any, exp.All)):
                return False
            return self.is_null(node.this) or self.is_null(node.expression)
        if isinstance(node, exp.In):
            is_listed = bool(node.expressions) and not node.args.get("query")
            return is_listed and not isinstance(node.this, exp.Tuple) and self.is_null(node.this)
        if isinstance(node, exp.Between):
            return self.is_null(node.this)
        if isinstance(node, exp.Not):
            return self.is_null(node.this)
        if isinstance(node, _STRICT):
            return any(self.is_null(child) for child in children(node))
        return False
