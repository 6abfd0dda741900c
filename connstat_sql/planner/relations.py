"""Relations: which can be read while a statement is planned, and what ties their columns."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property

from sqlglot import exp

from connstat_sql.definitions.model import Resource, TableName
from connstat_sql.planner.model import CONNECTION, mention_table, scan_table
from connstat_sql.sql.binder import (
    BoundQuery,
    ColumnField,
    Conjunct,
    EqualColumns,
    Questions,
    Relation,
    Term,
    Types,
    equal_nodes,
    relations_of,
    substituted,
)
from connstat_sql.sql.binder.comparisons import Disjuncts, options_of
from connstat_sql.sql.binder.constants import INTEGERS, SIMPLE
from connstat_sql.sql.binder.predicates import UNKNOWN
from connstat_sql.sql.binder.render import field_text, relation_name, relation_text
from connstat_sql.sql.nodes import walk

_CONNECTION = {CONNECTION: "VARCHAR"}
_PLAIN = frozenset({*SIMPLE, *INTEGERS})


@dataclass(frozen=True, slots=True)
class Synthetic:
    """A scan that no mention asked for: of a parent, or the list before the details."""

    scan: str
    types: Types


@dataclass
class ReadableRows:
    """Which rows can be read: those of mentions and scans placed before, and local ones."""

    query: BoundQuery
    questions: Questions
    scans_of_mentions: dict[int, str] = field(default_factory=dict)
    synthetic: dict[int, Synthetic] = field(default_factory=dict)
    own_types: dict[int, Types] = field(default_factory=dict)
    _absent: dict[int, tuple[int, Conjunct, frozenset[int]]] = field(default_factory=dict)
    _inner: dict[tuple[int, int], tuple[Conjunct, Conjunct | None]] = field(default_factory=dict)
    _equal: dict[frozenset[int], tuple[Sequence[Conjunct], EqualColumns]] = field(
        default_factory=dict
    )
    _tables: dict[TableName, Types] = field(default_factory=dict)
    _made: int = 1_000_000

    def next_relation(self) -> int:
        """A number for a relation that the query itself does not have."""
        self._made += 1
        return self._made

    def relation(self, number: int) -> Relation | None:
        """A relation of the query."""
        return self.query.relations.get(number)

    def is_there(self, number: int) -> bool:
        """Whether a relation can be read now."""
        if number in self.synthetic:
            return True
        relation = self.relation(number)
        if relation is None:
            return False
        if relation.mention is not None:
            return relation.mention in self.scans_of_mentions
        return relation.node is not None and relation.needs <= self.scans_of_mentions.keys()

    # What is remembered of conjuncts goes by their ids, so they are kept beside it.

    def absent(self, conjunct: Conjunct) -> frozenset[int]:
        """The relations that a conjunct speaks of and that cannot be read now."""
        age = len(self.scans_of_mentions) + len(self.synthetic)
        known = self._absent.get(id(conjunct))
        if known is None or known[0] != age:
            numbers = conjunct.relations if known is None else known[2]
            absent = frozenset(number for number in numbers if not self.is_there(number))
            known = self._absent[id(conjunct)] = (age, conjunct, absent)
        return known[2]

    def looked_into(self, conjunct: Conjunct, relation: Relation) -> Conjunct | None:
        """A conjunct told of what is inside a relation; None where that cannot be said."""
        key = (id(conjunct), relation.id)
        if key not in self._inner:
            self._inner[key] = (conjunct, substituted(conjunct, relation.id, relation.inside))
        return self._inner[key][1]

    def equal_columns(self, conjuncts: Sequence[Conjunct]) -> EqualColumns:
        """What some conjuncts make equal, for all tables that the same conjuncts reach."""
        key = frozenset(map(id, conjuncts))
        if key not in self._equal:
            self._equal[key] = (conjuncts, EqualColumns(conjuncts, self.types))
        return self._equal[key][1]

    def types_of(self, resource: Resource) -> Types:
        """The columns of a table, and its connection."""
        if resource.table not in self._tables:
            types = {column.name: str(column.type) for column in resource.all_columns}
            self._tables[resource.table] = {**types, **_CONNECTION}
        return self._tables[resource.table]

    def types(self, number: int) -> Types:
        """The columns of a relation."""
        if number in self.synthetic:
            return self.synthetic[number].types
        if number in self.own_types:
            return self.own_types[number]
        relation = self.relation(number)
        if relation is None:
            return {}
        return relation.types if relation.mention is None else {**relation.types, **_CONNECTION}

    def text(self, number: int) -> str:
        """SQL to read a relation FROM, under its alias."""
        alias = relation_name(number)
        if number in self.synthetic:
            return f"{scan_table(self.synthetic[number].scan)} AS {alias}"
        relation = self.relation(number)
        assert relation is not None
        if relation.mention is not None:
            return f"{mention_table(relation.mention)} AS {alias}"
        return f"{relation_text(relation, self.query.mentions, mention_table)} AS {alias}"

    def distinct(self, number: int, columns: Collection[str]) -> str:
        """The same with each tuple of some columns once, where that says as much.

        A join over them makes no product of rows that are alike. Where types have values that are
        equal and written in several ways, the rows are taken as they are.
        """
        types = self.types(number)
        if number in self.synthetic or not {types.get(column, "") for column in columns} <= _PLAIN:
            return self.text(number)
        listed = (
            ", ".join(field_text(ColumnField(number, column)) for column in sorted(columns)) or "1"
        )
        return f"(SELECT DISTINCT {listed} FROM {self.text(number)}) AS {relation_name(number)}"

    def scans(self, number: int) -> Iterable[str]:
        """The scans whose rows a relation reads."""
        if number in self.synthetic:
            return (self.synthetic[number].scan,)
        relation = self.relation(number)
        if relation is None:
            return ()
        places = relation.needs if relation.mention is None else {relation.mention}
        return tuple(self.scans_of_mentions[place] for place in sorted(places))

    def scalar_text(self, number: int) -> str:
        """SQL for a subquery that stands for one value."""
        relation = self.relation(number)
        assert relation is not None
        return relation_text(relation, self.query.mentions, mention_table)

    def described(self, field: ColumnField) -> str:
        """Words for a column: the scan or source it comes from."""
        path = "".join(f".{part}" for part in field.path)
        names = [*self.scans(field.relation)]
        relation = self.relation(field.relation)
        if relation is not None and relation.node is not None:
            return f"{relation.node.alias_or_name or 'a subquery'}.{field.column}{path}"
        return f"{names[0] if names else '?'}.{field.column}{path}"


# --- what ties columns to each other, whatever can be read by now -------------------------------

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
                spoken = relations_of(terms_in([node], conjunct)) - {term.relation}
                if spoken:
                    self.beside.setdefault(term, []).append(spoken)

    def _add_options(self, conjunct: Conjunct) -> None:
        """What a column is one of, where a conjunct says so of columns of several sources."""
        for term in {*conjunct.terms.values()}:
            if not isinstance(term, ColumnField):
                continue
            options = options_among(conjunct, {term})
            if options is not None:
                spoken = relations_of(terms_in(options.nodes, conjunct))
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


def options_among(conjunct: Conjunct, fields: Set[ColumnField]) -> Disjuncts | None:
    """All that one of some columns may equal, if a conjunct says so."""
    return options_of(conjunct.predicate, lambda node: conjunct.terms.get(id(node)) in fields)


def terms_in(nodes: Iterable[exp.Expr], conjunct: Conjunct) -> list[Term]:
    """What the columns and subqueries in some parts of a conjunct stand for."""
    return [conjunct.terms[id(n)] for node in nodes for n in walk(node) if id(n) in conjunct.terms]
