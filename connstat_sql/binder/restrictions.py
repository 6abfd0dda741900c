"""Which rows of a mention can matter: its block's predicates → alternatives of equalities.

Only predicates that leave the answer unchanged restrict (`semantics`, "How the superset is
found"): the AND-ed conjuncts of WHERE in the block that joins the mention, and the conjuncts of
ON where the kind of join allows it. Whatever is not understood does not restrict.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

from sqlglot import exp

from connstat_sql.binder.values import Fold, Row, Value
from connstat_sql.parser import DIALECT

MAX_ALTERNATIVES = 200_000

Alternatives = Sequence[Row]


@dataclass
class Restriction:
    """Finds what restricts one mention.

    `types` are its columns that may be bound and their DuckDB types; `fold` evaluates constants;
    `volatile` are names of functions that must not be evaluated twice. `misfits` collects columns
    that were compared with a value of another type.
    """

    node: exp.Table
    types: Mapping[str, str]
    fold: Fold
    volatile: frozenset[str]
    misfits: set[str] = field(default_factory=set)

    def rows(self) -> tuple[Row, ...] | None:
        """The alternatives, or None when nothing restricts the mention."""
        found: Alternatives | None = None
        for conjunct in _conjuncts_about(self.node):
            found = _both(found, self._of(conjunct))
        return None if found is None else _distinct(found)

    def _of(self, predicate: exp.Expr) -> Alternatives | None:
        """The rows that a predicate can be true for; None when it may be any."""
        predicate = predicate.unnest()
        if isinstance(predicate, exp.And):
            return self._all(predicate)
        if isinstance(predicate, exp.Or):
            return self._either(predicate)
        if isinstance(predicate, (exp.EQ, exp.NullSafeEQ)):
            return self._equality(predicate)
        if isinstance(predicate, exp.In):
            return self._membership(predicate)
        if self._is_constant(predicate):
            return self._truth(predicate)
        return None

    def _all(self, predicate: exp.And) -> Alternatives | None:
        found: Alternatives | None = None
        for branch in predicate.flatten():
            found = _both(found, self._of(branch))
        return found

    def _either(self, predicate: exp.Or) -> Alternatives | None:
        found: list[Row] = []
        for branch in predicate.flatten():
            rows = self._of(branch)
            if rows is None:
                return None
            found += rows
        return found

    def _truth(self, predicate: exp.Expr) -> Alternatives | None:
        """A constant predicate: false or NULL means that no row is wanted."""
        if isinstance(predicate, exp.Boolean):
            return None if predicate.this else ()
        folded = self.fold(f"SELECT ({_sql(predicate)}) IS TRUE")
        return () if folded and folded[0][0].text == "false" else None

    def _equality(self, predicate: exp.Binary) -> Alternatives | None:
        for left, right in (
            (predicate.this, predicate.expression),
            (predicate.expression, predicate.this),
        ):
            columns = self._columns(left)
            if columns and self._is_constant(right):
                if isinstance(right, exp.Any):
                    return self._matching(
                        columns, self.fold(f"SELECT unnest({_sql(right.this.unnest())})")
                    )
                found = self._matching(columns, self._single(right, len(columns)))
                is_null_safe = isinstance(predicate, exp.NullSafeEQ)
                return None if is_null_safe and not found else found
        return None

    def _membership(self, predicate: exp.In) -> Alternatives | None:
        columns = self._columns(predicate.this)
        if not columns:
            return None
        query = predicate.args.get("query")
        listed = predicate.args.get("field") or predicate.args.get("unnest")
        if query is not None:
            return self._from_query(columns, query)
        if listed is not None:
            return self._from_list(columns, listed)
        found: list[Row] = []
        for option in predicate.expressions:
            if isinstance(option, exp.Values) and self._is_constant(option):
                rows = self.fold(_sql(option))
            elif self._is_constant(option):
                rows = self._single(option, len(columns))
            else:
                return None
            alternatives = self._matching(columns, rows)
            if alternatives is None:
                return None
            found += alternatives
        return found

    def _from_query(self, columns: list[str], query: exp.Expr) -> Alternatives | None:
        inner = query.this if isinstance(query, exp.Subquery) else query
        if not self._is_constant(inner):
            return None
        return self._matching(columns, self.fold(_sql(inner)))

    def _from_list(self, columns: list[str], listed: exp.Expr) -> Alternatives | None:
        if not self._is_constant(listed):
            return None
        return self._matching(columns, self.fold(f"SELECT unnest({_sql(listed)})"))

    def _single(self, option: exp.Expr, width: int) -> tuple[tuple[Value, ...], ...] | None:
        """The values of one option of an IN list, or of the right side of an equality."""
        parts = option.expressions if isinstance(option, exp.Tuple) and width > 1 else [option]
        if len(parts) != width:
            return None
        row: list[Value] = []
        for part in parts:
            if isinstance(part, exp.Literal) and part.is_string:
                row.append(Value(part.this, "VARCHAR", is_literal=True))
                continue
            folded = self.fold(f"SELECT {_sql(part)}")
            if folded is None or len(folded) > 1 or len(folded[0]) != 1:
                return None
            row.append(folded[0][0])
        return (tuple(row),)

    def _matching(
        self, columns: list[str], rows: tuple[tuple[Value, ...], ...] | None
    ) -> Alternatives | None:
        """Rows of folded values as alternatives; NULL equals nothing, a misfit restricts none."""
        if rows is None:
            return None
        found: list[Row] = []
        for row in rows:
            if len(row) != len(columns):
                return None
            alternative: dict[str, str] = {}
            for column, value in zip(columns, row, strict=True):
                if column == "":
                    continue  # a part of a tuple that is not ours: it only narrows further
                text = self._fitted(column, value)
                if text is None and value.text is not None:
                    self.misfits.add(column)
                    return None
                alternative[column] = text or ""
            if all(value.text is not None for value in row):
                found.append(alternative)
        return found

    def _fitted(self, column: str, value: Value) -> str | None:
        """The value as the column's type spells it; None when equality means something else."""
        wanted = self.types[column]
        if value.type == wanted or (value.type in _INTEGERS and wanted in _INTEGERS):
            return value.text
        if value.is_literal and value.text is not None:
            quoted = value.text.replace("'", "''")
            folded = self.fold(f"SELECT CAST('{quoted}' AS {wanted})")
            return folded[0][0].text if folded else None
        return None

    def _columns(self, side: exp.Expr) -> list[str]:
        """Our columns that one side of a comparison consists of; "" for other parts of a tuple."""
        side = side.unnest()
        if isinstance(side, exp.Tuple):
            names = [self._column(part) for part in side.expressions]
            return names if any(names) else []
        name = self._column(side)
        return [name] if name else []

    def _column(self, node: exp.Expr) -> str:
        if not isinstance(node, exp.Column) or node.name.lower() not in self.types:
            return ""
        return node.name.lower() if refers_to(node, self.node) else ""

    def _is_constant(self, node: exp.Expr) -> bool:
        """Whether it has one value, whenever and wherever it is evaluated."""
        if isinstance(node, exp.Literal):
            return True
        if any(True for _ in node.find_all(exp.Column, exp.Table, exp.Star, exp.Columns, exp.Rand)):
            return False
        called = {name.lower() for name in re.findall(r"(\w+)\s*\(", _sql(node))}
        return not called & self.volatile


_INTEGERS = {
    "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER",
    "UBIGINT",
}  # fmt: skip


def refers_to(column: exp.Column, table: exp.Table) -> bool:
    """Whether a column's qualifier, if it has one, names this mention."""
    qualifier = [part.name.lower() for part in column.parts[:-1]]
    if not qualifier:
        return True
    if table.args.get("alias"):
        return qualifier == [table.alias.lower()]
    names = [part.name.lower() for part in table.parts]
    return names[-len(qualifier) :] == qualifier


# --- which predicates speak about a mention ------------------------------------------------------


def _conjuncts_about(node: exp.Table) -> Iterator[exp.Expr]:
    """The conjuncts that may restrict a mention, by its place in its block's joins."""
    block = enclosing_block(node)
    if block is None or node.args.get("pivots") or node.args.get("sample"):
        return
    joins: list[exp.Join] = block.args.get("joins") or []
    kinds = [_kind(join) for join in joins]
    if "POSITIONAL" in kinds:
        return
    place = next((i for i, join in enumerate(joins) if join.this is node), -1)
    own = kinds[place] if place >= 0 else "FROM"
    where = block.args.get("where")
    if where is not None and own not in ("ASOF", "SEMI", "ANTI"):
        yield where.this
    for index, join in enumerate(joins):
        on = join.args.get("on")
        if on is not None and _on_restricts(
            kinds[index], is_right=index == place, is_left=index > place
        ):
            yield on


def _on_restricts(kind: str, *, is_right: bool, is_left: bool) -> bool:
    """Whether ON of a join of this kind may restrict a mention on its right or left side."""
    if is_right:
        return kind in ("INNER", "LEFT", "SEMI", "ANTI")
    return is_left and kind in ("INNER", "SEMI", "RIGHT")


def _kind(join: exp.Join) -> str:
    """One word for how a join treats its sides; NATURAL joins have no ON, so their side counts."""
    method, side, kind = (
        str(join.args.get(key) or "").upper() for key in ("method", "side", "kind")
    )
    if method in ("ASOF", "POSITIONAL"):
        return method
    if kind in ("SEMI", "ANTI"):
        return kind
    return side or "INNER"


def enclosing_block(node: exp.Table) -> exp.Select | None:
    """The SELECT whose FROM or JOIN names the mention itself; None in any other place."""
    clause = node.parent
    if isinstance(clause, (exp.From, exp.Join)) and isinstance(clause.parent, exp.Select):
        return clause.parent
    return None


# --- the algebra of alternatives -----------------------------------------------------------------


def _both(left: Alternatives | None, right: Alternatives | None) -> Alternatives | None:
    """AND: every pair that does not contradict itself."""
    if left is None or right is None:
        return right if left is None else left
    if len(left) * len(right) > MAX_ALTERNATIVES:
        return min(left, right, key=len)  # a superset of the product
    merged = (_merged(a, b) for a, b in product(left, right))
    return [row for row in merged if row is not None]


def _merged(left: Row, right: Row) -> Row | None:
    if any(right.get(column, text) != text for column, text in left.items()):
        return None
    return {**left, **right}


def _distinct(rows: Alternatives) -> tuple[Row, ...]:
    return tuple({tuple(sorted(row.items())): row for row in rows}.values())


def _sql(node: exp.Expr) -> str:
    return node.sql(dialect=DIALECT)
