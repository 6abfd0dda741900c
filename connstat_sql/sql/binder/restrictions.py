"""Which rows of a live table can matter: the conjuncts that reach it → alternatives of equalities.

Whatever is not understood does not restrict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import product

from sqlglot import exp

from connstat_sql.database.values import Value
from connstat_sql.sql.binder.comparisons import any_of, equal_nodes, sides_of
from connstat_sql.sql.binder.constants import INTEGERS, Constants
from connstat_sql.sql.binder.intervals import Bound, IntervalReader, bounds_in, values_between
from connstat_sql.sql.binder.model import (
    ColumnField,
    Conjunct,
    Intervals,
    Relation,
    Row,
    Term,
    Types,
)
from connstat_sql.sql.binder.nulls import rejects_null
from connstat_sql.sql.binder.render import field_text, node_text, relation_name, relation_text
from connstat_sql.sql.nodes import find

MAX_ALTERNATIVES = 200_000

Alternatives = Sequence[Row]


@dataclass
class Restriction:
    """Finds what constants leave of one reading of a live table.

    `types` are its columns that may be bound and their DuckDB types. `equal_columns` remembers what
    conjuncts make equal, for the other tables that the same conjuncts reach. `misfits` collects
    columns that were compared with a value of another type. `missing` are relations of which a row
    may have nothing but NULLs.
    """

    relation: int
    types: Types
    relations: Mapping[int, Relation]
    constants: Constants
    equal_columns: dict[frozenset[int], EqualColumns] = field(default_factory=dict)
    misfits: set[str] = field(default_factory=set)
    missing: Set[int] = frozenset()

    def rows(self, conjuncts: Sequence[Conjunct]) -> tuple[Row, ...] | None:
        """The alternatives, or None when nothing restricts the table."""
        columns = self._columns(conjuncts, self.types)
        alternatives: Alternatives | None = None
        for conjunct in conjuncts:
            if isinstance(conjunct.predicate, exp.EQ) and self._ties_two(conjunct):
                continue  # an equality of two sources says nothing of constants
            alternatives = _both(
                alternatives, _PredicateReader(self, conjunct.terms, columns).of(conjunct.predicate)
            )
        alternatives = _both(alternatives, self._between(conjuncts, columns))
        if alternatives != () and self._is_ruled_out(conjuncts):
            return ()
        if alternatives is None:
            return None
        return tuple({frozenset(row.items()): row for row in alternatives}.values())

    def intervals(self, conjuncts: Sequence[Conjunct], types: Types) -> Intervals:
        """What the conjuncts leave of the columns of `types`, whose bounds an API can be told."""
        if not types or not conjuncts:
            return {}
        columns = self._columns(conjuncts, types)
        reader = IntervalReader(types, self.constants, lambda term: columns.get(term, ""))
        return reader.intervals(conjuncts)

    def _between(
        self, conjuncts: Sequence[Conjunct], columns: Mapping[ColumnField, str]
    ) -> Alternatives | None:
        """What bounds leave that several conjuncts set."""
        bounds = [
            bound
            for conjunct in conjuncts
            for bound in _PredicateReader(self, conjunct.terms, columns).bounds(conjunct.predicate)
        ]
        return self.listed(bounds)

    def listed(self, bounds: Iterable[Bound]) -> Alternatives | None:
        """The values between bounds, where they are few."""
        folded = []
        for name, node, side, gap in bounds:
            rows = self.constants.rows([node], 1)
            spelt = self.constants.spelt(rows[0], self.types[name]) if rows else None
            text = spelt.get(rows[0][0]) if rows and spelt is not None else None
            is_within = text is None and rows is not None and self.types[name] == "DATE"
            if is_within and rows:
                text = self.constants.day_of(rows[0][0])  # which may be one of those wanted
            if text is not None:
                folded.append((name, text, side, 0 if is_within else gap))
        alternatives: Alternatives | None = None
        for name, texts in values_between(folded, self.types).items():
            alternatives = _both(alternatives, [{name: text} for text in texts])
        return alternatives

    def _is_ruled_out(self, conjuncts: Sequence[Conjunct]) -> bool:
        """Whether some list of constants has no row for which all conjuncts about it are true."""
        about: dict[int, list[Conjunct]] = {}
        for conjunct in conjuncts:
            if len(conjunct.relations) == 1 and not conjunct.relations & {self.relation}:
                (number,) = conjunct.relations
                about.setdefault(number, []).append(conjunct)
        return any(self._has_none(number, several) for number, several in about.items())

    def _has_none(self, number: int, conjuncts: Sequence[Conjunct]) -> bool:
        relation = self.relations.get(number)
        node = relation.node if relation is not None else None
        if relation is None or node is None or relation.is_scalar or relation.ctes:
            return False
        if find(node, exp.Table) is not None or not self.constants.is_listed(node):
            return False
        if number in self.missing:
            conjuncts = [
                conjunct for conjunct in conjuncts if rejects_null(conjunct, frozenset({number}))
            ]
        texts = [
            f"({node_text(conjunct.predicate, conjunct.terms, field_text, str)})"
            for conjunct in conjuncts
            if find(conjunct.predicate, exp.Query, exp.Collate) is None
            and self.constants.is_lasting(conjunct.predicate)
        ]
        source = f"{relation_text(relation, {}, str)} AS {relation_name(number)}"
        return bool(texts) and self.constants.has_none(f"{source} WHERE {' AND '.join(texts)}")

    def _types_of(self, number: int) -> Types:
        relation = self.relations.get(number)
        return {} if relation is None else relation.types

    def _ties_two(self, conjunct: Conjunct) -> bool:
        relations = (self.relations.get(number) for number in conjunct.relations)
        return sum(relation is None or not relation.is_scalar for relation in relations) > 1

    def _columns(self, conjuncts: Sequence[Conjunct], types: Types) -> Mapping[ColumnField, str]:
        """Our columns, and those of other sources that equal one of ours, by our name for them."""
        key = frozenset(map(id, conjuncts))
        equal = self.equal_columns.get(key)
        if equal is None:
            equal = self.equal_columns[key] = EqualColumns(conjuncts, self._types_of)
        columns: dict[ColumnField, str] = {}
        for name in types:
            for column in equal.of(ColumnField(self.relation, name)):
                columns.setdefault(column, name)
        return columns


class EqualColumns:
    """Which columns of the sources the conjuncts make equal; of one type, no floating point."""

    def __init__(self, conjuncts: Sequence[Conjunct], types: Callable[[int], Types]) -> None:
        """`types` answers those of a relation's columns."""
        self._types = types
        self._groups: dict[ColumnField, set[ColumnField]] = {}
        self._beside: dict[ColumnField, list[tuple[int, exp.Expr, Conjunct]]] = {}
        for place, conjunct in enumerate(conjuncts):
            for pair in equal_nodes(conjunct.predicate):
                left, right = (conjunct.terms.get(id(node)) for node in pair)
                for term, node in ((left, pair[1]), (right, pair[0])):
                    if isinstance(term, ColumnField):
                        self._beside.setdefault(term, []).append((place, node, conjunct))
                if isinstance(left, ColumnField) and isinstance(right, ColumnField):
                    self._join(left, right)

    def of(self, column: ColumnField) -> Sequence[ColumnField]:
        """The column itself, and those that equal it, always in the same order."""
        return sorted(
            self._groups.get(column, {column}),
            key=lambda field: (field != column, field.relation, field.column, field.path),
        )

    def beside(self, column: ColumnField) -> Sequence[tuple[int, exp.Expr, Conjunct]]:
        """What conjuncts say equals a column, with those conjuncts and their places among them."""
        return self._beside.get(column, ())

    def _join(self, left: ColumnField, right: ColumnField) -> None:
        types = {self._type(left), self._type(right)}
        if len(types) > 1 or types & {"", "DOUBLE", "FLOAT", "REAL"}:
            return
        ours, theirs = self._groups.get(left, {left}), self._groups.get(right, {right})
        if ours is theirs:
            return
        if len(ours) < len(theirs):
            ours, theirs = theirs, ours
        ours |= theirs
        for column in (*theirs, left, right):
            self._groups[column] = ours

    def _type(self, field: ColumnField) -> str:
        return "" if field.path else self._types(field.relation).get(field.column, "")


@dataclass(frozen=True, slots=True)
class _PredicateReader:
    """Reads one predicate for one table; `columns` are those that are ours, or equal ours."""

    target: Restriction
    terms: Mapping[int, Term]
    columns: Mapping[ColumnField, str]

    def of(self, predicate: exp.Expr) -> Alternatives | None:
        predicate = predicate.unnest()
        if isinstance(predicate, exp.And):
            return self._all(predicate)
        if isinstance(predicate, exp.Or):
            return self._either(predicate)
        if self.target.constants.is_constant(predicate):
            return () if self.target.constants.is_never_true(predicate) else None
        if isinstance(predicate, (exp.EQ, exp.NullSafeEQ)):
            return self._equality(predicate)
        if isinstance(predicate, exp.In):
            return self._membership(predicate)
        if isinstance(predicate, exp.ArrayContains):
            return self._listed(predicate)
        if isinstance(predicate, exp.Not):
            return self._opposite(predicate.this.unnest())
        if isinstance(predicate, exp.Between):
            return self.target.listed(self.bounds(predicate))
        return self._flag(predicate, is_true=True)

    def bounds(self, predicate: exp.Expr) -> Iterator[Bound]:
        """The bounds that a comparison sets to our columns."""
        return bounds_in(predicate.unnest(), lambda node: self._column(node.unnest()))

    def _all(self, predicate: exp.And) -> Alternatives | None:
        alternatives: Alternatives | None = None
        bounds: list[Bound] = []
        for branch in predicate.flatten():
            alternatives = _both(alternatives, self.of(branch))
            bounds += self.bounds(branch)
        return _both(alternatives, self.target.listed(bounds))

    def _opposite(self, predicate: exp.Expr) -> Alternatives | None:
        """NOT: what is not unequal is equal, and NULL is neither."""
        if isinstance(predicate, exp.NEQ):
            is_of_many = any(any_of(side) is not None for side in sides_of(predicate))
            return None if is_of_many else self._equality(predicate)
        if isinstance(predicate, exp.Not):
            return self.of(predicate.this)
        if isinstance(predicate, exp.Or):
            alternatives: Alternatives | None = None
            for branch in predicate.flatten():
                alternatives = _both(alternatives, self._opposite(branch.unnest()))
            return alternatives
        return self._flag(predicate, is_true=False)

    def _flag(self, predicate: exp.Expr, *, is_true: bool) -> Alternatives | None:
        """A column of truth values that stands alone, or beside IS."""
        if isinstance(predicate, exp.Is) and isinstance(predicate.expression, exp.Boolean):
            if not is_true:
                return None  # IS NOT TRUE is true of NULL as well
            is_true, predicate = bool(predicate.expression.this), predicate.this.unnest()
        name = self._column(predicate)
        if not name or self.target.types[name] != "BOOLEAN":
            return None
        return [{name: "true" if is_true else "false"}]

    def _either(self, predicate: exp.Or) -> Alternatives | None:
        alternatives: list[Row] = []
        for branch in predicate.flatten():
            rows = self.of(branch)
            if rows is None:
                return None
            alternatives += rows
        return alternatives

    def _equality(self, predicate: exp.Binary) -> Alternatives | None:
        constants = self.target.constants
        sides = sides_of(predicate)
        for left, right in (sides, sides[::-1]):
            columns = self._columns(left)
            if not columns:
                continue
            listed = any_of(right)
            if listed is not None:
                return self._matching(columns, constants.elements(listed))
            alternatives = self._matching(columns, self._possible(left, [right]))
            is_null_safe = isinstance(predicate, exp.NullSafeEQ)
            return None if is_null_safe and not alternatives else alternatives
        return None

    def _membership(self, predicate: exp.In) -> Alternatives | None:
        columns = self._columns(predicate.this)
        if not columns:
            return None
        constants = self.target.constants
        query = predicate.args.get("query")
        if query is not None:
            return self._matching(columns, constants.query(query))
        listed = predicate.args.get("field") or predicate.args.get("unnest")
        if listed is not None:
            return self._matching(columns, constants.elements(listed))
        if len(columns) == 1:
            texts = constants.long_list(predicate.expressions, self.target.types[columns[0]])
            if texts is not None:
                return [{columns[0]: text} for text in texts]
        return self._matching(columns, self._possible(predicate.this, predicate.expressions))

    def _possible(
        self, side: exp.Expr, options: Sequence[exp.Expr]
    ) -> Sequence[Sequence[Value]] | None:
        """The rows of constants that one side may equal, as far as its own constants allow."""
        constants, side = self.target.constants, side.unnest()
        parts = side.expressions if isinstance(side, exp.Tuple) else [side]
        rows = constants.rows(options, len(parts))
        if rows is None or len(parts) == 1:
            return rows
        for place, part in enumerate(parts):
            own = constants.rows([part], 1)
            if own is not None:
                rows = [row for row in rows if not _differ(row[place], own[0][0])]
        return rows

    def _listed(self, predicate: exp.ArrayContains) -> Alternatives | None:
        """`list_contains(list, column)`, which compares what is of one type."""
        columns = self._columns(predicate.expression)
        if len(columns) != 1 or isinstance(predicate.expression.unnest(), exp.Tuple):
            return None
        wanted = self.target.types[columns[0]]
        rows = self.target.constants.elements(predicate.this)
        is_same = all(value.type in (wanted, '"NULL"') for row in rows or () for value in row)
        return self._matching(columns, rows) if is_same else None

    def _matching(
        self, columns: list[str], rows: Sequence[Sequence[Value]] | None
    ) -> Alternatives | None:
        """Rows of values as alternatives; a value of another type restricts nothing.

        `column = NULL` is never true. Inside a tuple NULL equals NULL, so there it says nothing.
        """
        if rows is None or any(len(row) != len(columns) for row in rows):
            return None
        texts: list[Mapping[Value, str | None] | None] = []
        for place, column in enumerate(columns):
            if not column:
                texts.append(None)  # a part of a tuple that is not ours: it only narrows further
                continue
            spelt = self.target.constants.spelt(
                [row[place] for row in rows], self.target.types[column]
            )
            if spelt is None:
                self.target.misfits.add(column)
                return None
            texts.append(spelt)
        if not any(columns):
            return None if rows else ()
        alternatives: list[Row] = []
        for row in rows:
            if any(
                spellings is not None and v not in spellings
                for spellings, v in zip(texts, row, strict=True)
            ):
                continue  # nothing of the column's type equals it
            named = {
                column: spelt[value]
                for column, spelt, value in zip(columns, texts, row, strict=True)
                if spelt is not None
            }
            if len(columns) > 1 or None not in named.values():
                alternatives.append(
                    {name: text for name, text in named.items() if text is not None}
                )
        return alternatives

    def _columns(self, side: exp.Expr) -> list[str]:
        """Our columns that one side of a comparison consists of; "" for other parts of a tuple."""
        side = side.unnest()
        parts = side.expressions if isinstance(side, exp.Tuple) else [side]
        names = [self._column(part) for part in parts]
        if any(names):
            return names
        fixed = [self.target.constants.is_constant(part) for part in parts]
        return names if any(fixed) and not all(fixed) else []

    def _column(self, node: exp.Expr) -> str:
        term = self.terms.get(id(node))
        return self.columns.get(term, "") if isinstance(term, ColumnField) else ""


def _differ(value: Value, other: Value) -> bool:
    """Whether two values of one type are there and not equal."""
    is_told = value.type == other.type and value.text is not None and other.text is not None
    return is_told and value.type in (*INTEGERS, "VARCHAR") and value.text != other.text


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
    both = {**left, **right}
    if len(both) == len(left) + len(right):
        return both  # no column in common
    return None if any(both[column] != text for column, text in left.items()) else both
