"""Which columns the conjuncts about a table tie to each other, whatever can be read by now."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial

from sqlglot import exp

from connstat_sql.sql.binder import (
    ColumnField,
    Conjunct,
    Relation,
    equal_nodes,
    relations_of,
    substituted,
)
from connstat_sql.sql.binder.comparisons import options_of
from connstat_sql.sql.binder.predicates import UNKNOWN
from connstat_sql.sql.nodes import walk

MOST_FACTS = 1_000
"""Conjuncts that are looked at; what others say is not known when an order is chosen."""

Sources = frozenset[int]
"""Relations that must be there for a value to be told."""


@dataclass
class Links:
    """Groups of columns that equal each other, and what else these equal."""

    groups: dict[ColumnField, set[ColumnField]] = field(default_factory=dict)
    beside: dict[ColumnField, list[Sources]] = field(default_factory=dict)

    @classmethod
    def among(cls, conjuncts: Sequence[Conjunct], relations: Mapping[int, Relation]) -> Links:
        """The links that conjuncts make, those inside of derived tables among them."""
        links = cls()
        for conjunct in _opened(conjuncts, relations):
            if len(conjunct.relations) > 1 and UNKNOWN not in conjunct.relations:
                for pair in equal_nodes(conjunct.predicate):
                    links._add(conjunct, pair)
                if not isinstance(conjunct.predicate.unnest(), exp.EQ):
                    links._add_options(conjunct)
        return links

    def _add(self, conjunct: Conjunct, pair: tuple[exp.Expr, exp.Expr]) -> None:
        left, right = (conjunct.terms.get(id(node)) for node in pair)
        if isinstance(left, ColumnField) and isinstance(right, ColumnField):
            self._join(left, right)
            return
        for term, node in ((left, pair[1]), (right, pair[0])):
            if isinstance(term, ColumnField):
                terms = [conjunct.terms[id(n)] for n in walk(node) if id(n) in conjunct.terms]
                spoken = relations_of(terms) - {term.relation}
                if spoken:
                    self.beside.setdefault(term, []).append(spoken)

    def _add_options(self, conjunct: Conjunct) -> None:
        """What a column is one of, where a conjunct says so of columns of several sources."""
        for term in {*conjunct.terms.values()}:
            if not isinstance(term, ColumnField):
                continue
            options = options_of(conjunct.predicate, partial(_is_column, conjunct, term))
            if options is not None:
                nodes = (*options.values, *options.lists, *options.queries)
                keys = {id(each) for node in nodes for each in walk(node)} & conjunct.terms.keys()
                spoken = relations_of(conjunct.terms[key] for key in keys)
                if spoken - {term.relation}:
                    self.beside.setdefault(term, []).append(spoken)

    def _join(self, left: ColumnField, right: ColumnField) -> None:
        groups = (self.groups.setdefault(field, {field}) for field in (left, right))
        fewer, more = sorted(groups, key=len)
        if fewer is not more:
            more |= fewer
            self.groups.update(dict.fromkeys(fewer, more))

    def sources(self, column: ColumnField) -> Iterable[Sources]:
        """What can give a column its values."""
        for tied in sorted(self.groups.get(column, {column}), key=lambda tied: tied.relation):
            if tied.relation != column.relation:
                yield frozenset({tied.relation})
            yield from (
                relations
                for relations in self.beside.get(tied, ())
                if column.relation not in relations
            )

    @cached_property
    def ties(self) -> list[set[ColumnField]]:
        """Columns of several relations that equal each other."""
        groups = {id(group): group for group in self.groups.values()}
        return [group for group in groups.values() if len({field.relation for field in group}) > 1]


def _opened(conjuncts: Sequence[Conjunct], relations: Mapping[int, Relation]) -> Iterable[Conjunct]:
    """The conjuncts, and what they say in terms of what derived tables are made of."""
    pending, opened, count = deque(conjuncts), set[int](), 0
    while pending and count < MOST_FACTS:
        conjunct = pending.popleft()
        count += 1
        yield conjunct
        for number in conjunct.relations:
            relation = relations.get(number)
            if relation is None or not relation.inside:
                continue
            inner = substituted(conjunct, number, relation.inside)
            if inner is not None:
                pending.append(inner)
            if number not in opened:
                opened.add(number)
                pending += relation.invariants


def _is_column(conjunct: Conjunct, column: ColumnField, node: exp.Expr) -> bool:
    return conjunct.terms.get(id(node)) == column
