"""Which rows are there to be read while a statement is planned, and SQL to read them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from connstat_sql.planner.model import CONNECTION, mention_table, scan_table
from connstat_sql.sql.binder import (
    BoundQuery,
    ColumnField,
    Conjunct,
    EqualColumns,
    Questions,
    Relation,
    Types,
    substituted,
)
from connstat_sql.sql.binder.constants import INTEGERS, SIMPLE
from connstat_sql.sql.binder.render import field_text, relation_name, relation_text

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
            self._equal[key] = (conjuncts, EqualColumns(conjuncts, Typed(self)))
        return self._equal[key][1]

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


class Typed(Mapping[int, Relation]):
    """Relations by number, those made for scans of parents among them."""

    def __init__(self, rows: ReadableRows) -> None:
        self._rows = rows

    def __getitem__(self, number: int) -> Relation:
        return Relation(number, self._rows.types(number))

    def __iter__(self) -> Iterable[int]:  # type: ignore[override]
        return iter(self._rows.query.relations)

    def __len__(self) -> int:
        return len(self._rows.query.relations)
