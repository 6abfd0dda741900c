"""Which rows of a mention can matter: its block's predicates → alternatives of equalities.

Only predicates that leave the answer unchanged restrict: the AND-ed conjuncts that `blocks` finds
for the mention. Whatever is not understood does not restrict.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

from sqlglot import exp

from connstat_sql.binder.blocks import Block, Conjunct, Field, Types
from connstat_sql.binder.constants import Constants
from connstat_sql.binder.values import Row, Value

MAX_ALTERNATIVES = 200_000

Alternatives = Sequence[Row]


@dataclass
class Restriction:
    """Finds what restricts the source at a place of a block.

    `types` are its columns that may be bound and their DuckDB types. `misfits` collects columns
    that were compared with a value of another type.
    """

    block: Block
    place: int
    types: Types
    constants: Constants
    misfits: set[str] = field(default_factory=set)

    def rows(self) -> tuple[Row, ...] | None:
        """The alternatives, or None when nothing restricts the mention."""
        found: Alternatives | None = None
        for conjunct in self.block.conjuncts(self.place):
            found = _both(found, self.of(conjunct))
        implied = {name: value for name, value in self._implied().items() if name in self.types}
        if implied:
            found = _both(found, [implied])
        return None if found is None else _distinct(found)

    def of(self, conjunct: Conjunct) -> Alternatives | None:
        """The rows that a predicate can be true for; None when it may be any."""
        return _Reader(self, conjunct.visible).of(conjunct.predicate)

    def _implied(self) -> Row:
        """Values that columns have because they equal a column of another source that has one."""
        facts = list(self.block.facts(self.place))
        pairs = [*self.block.pairs(self.place), *_equalities(facts, self.block)]
        pairs = [pair for pair in pairs if len({self._type(one) for one in pair}) == 1]
        wanted = {one for pair in pairs for one in pair}
        fixed: dict[Field, str] = {}
        for place in sorted({place for place, _ in wanted} - {self.place}):
            columns = {name: self._type((at, name)) for at, name in wanted if at == place}
            fixed |= {(place, n): v for n, v in self._fixed(place, columns, facts).items()}
        for _ in pairs:
            for left, right in (*pairs, *(pair[::-1] for pair in pairs)):
                if left in fixed:
                    fixed.setdefault(right, fixed[left])
        return {name: value for (place, name), value in fixed.items() if place == self.place}

    def _type(self, one: Field) -> str:
        return (self.block.sources[one[0]].types or {}).get(one[1], "")

    def _fixed(self, place: int, types: Types, facts: Sequence[Conjunct]) -> Row:
        """Columns of another source that have one and the same value in all its alternatives."""
        other = Restriction(self.block, place, types, self.constants)
        found: Alternatives | None = None
        for fact in facts:
            found = _both(found, other.of(fact))
        if not found:
            return {}
        first = found[0]
        return {n: v for n, v in first.items() if all(row.get(n) == v for row in found)}


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads one predicate for one source."""

    target: Restriction
    visible: tuple[int, ...]

    def of(self, predicate: exp.Expr) -> Alternatives | None:
        predicate = predicate.unnest()
        if isinstance(predicate, exp.And):
            return self._all(predicate)
        if isinstance(predicate, exp.Or):
            return self._either(predicate)
        if isinstance(predicate, (exp.EQ, exp.NullSafeEQ)):
            return self._equality(predicate)
        if isinstance(predicate, exp.In):
            return self._membership(predicate)
        return () if self.target.constants.is_never_true(predicate) else None

    def _all(self, predicate: exp.And) -> Alternatives | None:
        found: Alternatives | None = None
        for branch in predicate.flatten():
            found = _both(found, self.of(branch))
        return found

    def _either(self, predicate: exp.Or) -> Alternatives | None:
        found: list[Row] = []
        for branch in predicate.flatten():
            rows = self.of(branch)
            if rows is None:
                return None
            found += rows
        return found

    def _equality(self, predicate: exp.Binary) -> Alternatives | None:
        constants = self.target.constants
        if constants.is_constant(predicate):
            return () if constants.is_never_true(predicate) else None
        for left, right in (
            (predicate.this, predicate.expression),
            (predicate.expression, predicate.this),
        ):
            columns = self._columns(left)
            if not columns:
                continue
            if isinstance(right, exp.Any):
                return self._matching(columns, constants.elements(right.this.unnest()))
            found = self._matching(columns, constants.rows([right], len(columns)))
            is_null_safe = isinstance(predicate, exp.NullSafeEQ)
            return None if is_null_safe and not found else found
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
        return self._matching(columns, constants.rows(predicate.expressions, len(columns)))

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
        found: list[Row] = []
        for row in rows:
            given = {
                column: spelt[value]
                for column, spelt, value in zip(columns, texts, row, strict=True)
                if spelt is not None
            }
            if len(columns) > 1 or None not in given.values():
                found.append({name: text for name, text in given.items() if text is not None})
        return found

    def _columns(self, side: exp.Expr) -> list[str]:
        """Our columns that one side of a comparison consists of; "" for other parts of a tuple."""
        side = side.unnest()
        parts = side.expressions if isinstance(side, exp.Tuple) else [side]
        names = [self._column(part) for part in parts]
        return names if any(names) else []

    def _column(self, node: exp.Expr) -> str:
        name = node.name.lower()
        if not isinstance(node, exp.Column) or name not in self.target.types:
            return ""
        return name if self.target.block.owns(self.target.place, node, self.visible) else ""


def _equalities(facts: Sequence[Conjunct], block: Block) -> Iterator[tuple[Field, Field]]:
    """Pairs of columns that the facts say are equal."""
    for fact in facts:
        for predicate in _branches(fact.predicate):
            if not isinstance(predicate, exp.EQ):
                continue
            sides = [_parts(predicate.this), _parts(predicate.expression)]
            if len(sides[0]) != len(sides[1]):
                continue
            for pair in zip(*sides, strict=True):
                found = [
                    (block.owner(one, fact.visible), one.name.lower())
                    for one in pair
                    if isinstance(one, exp.Column)
                ]
                fields = [(place, name) for place, name in found if place is not None]
                if len(fields) == 2:
                    yield fields[0], fields[1]


def _branches(predicate: exp.Expr) -> Iterator[exp.Expr]:
    pending = [predicate]
    while pending:
        one = pending.pop().unnest()
        if isinstance(one, exp.And):
            pending += [one.this, one.expression]
        else:
            yield one


def _parts(side: exp.Expr) -> list[exp.Expr]:
    side = side.unnest()
    return list(side.expressions) if isinstance(side, exp.Tuple) else [side]


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
