"""What binding a statement gives: each mention of a live table with what may restrict it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, Union

from sqlglot import exp

from connstat_sql.database.source_map import Edit
from connstat_sql.database.values import Value
from connstat_sql.definitions.catalog import LiveTable
from connstat_sql.sql.statement import Statement, TableMention

Fold = Callable[[str], "tuple[tuple[Value, ...], ...] | None"]
"""Runs a constant query; answers its rows, or None when DuckDB cannot tell the value."""

Row = Mapping[str, str]
"""Columns of a table and the value each must equal."""

Types = Mapping[str, str]
"""Columns, in lower case, and their DuckDB types."""


Interval = tuple["int | None", "int | None"]
"""The least and the greatest value that matters, both within it; None: there is no bound."""

Intervals = Mapping[str, Interval]
"""Columns that have an order, and what predicates leave of them."""

COLLATED = "VARCHAR COLLATE"
"""The type of a text whose equality may be that of a collation."""


class Questions(Protocol):
    """What is asked of DuckDB while a statement is bound and planned; nothing live is read."""

    def fold(self, sql: str) -> tuple[tuple[Value, ...], ...] | None:
        """The rows of a constant query, or None when DuckDB cannot tell them."""

    def describe(self, sql: str) -> Types | None:
        """The columns that a query would have, or None when DuckDB cannot read it."""

    def volatile(self) -> frozenset[str]:
        """Names of functions whose value may change from one evaluation to the next."""

    def aggregates(self) -> frozenset[str]:
        """Names of functions over many rows."""

    def is_grouped_alike(self, node: exp.Expr) -> bool:
        """Whether DuckDB groups the operators of a node's text as its tree does."""

    def calls_hiding(self, node: exp.Expr) -> bool:
        """Whether a node's text calls a function of the user's own under a name of DuckDB's."""

    def called(self, sql: str) -> frozenset[str] | None:
        """The functions that DuckDB sees in a query; None where it cannot read it."""

    def is_same(self, sql: str, other: str) -> bool:
        """Whether DuckDB reads two expressions as the very same."""

    def has_collations(self) -> bool:
        """Whether any local table compares text in a way of its own."""


# --- predicates over the sources of a query ------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ColumnField:
    """A column of a relation; `path` leads on into a struct."""

    relation: int
    column: str
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Merged:
    """What FULL JOIN … USING makes of the columns of its sides: whichever is there."""

    fields: tuple[ColumnField, ...]


@dataclass(frozen=True, slots=True)
class Beside:
    """A source around a subquery that speaks of it: its name there, and what its columns are."""

    alias: str
    columns: tuple[tuple[str, ColumnField], ...]


@dataclass(frozen=True, slots=True)
class ScalarSubquery:
    """A subquery that stands for one value; the relation holds its text.

    `beside` are the sources around it whose row it is told for.
    """

    relation: int
    beside: tuple[Beside, ...] = ()

    @property
    def fields(self) -> tuple[ColumnField, ...]:
        """The columns of those sources."""
        return tuple(field for source in self.beside for _, field in source.columns)


@dataclass(frozen=True, eq=False, slots=True)
class Expression:
    """An expression over relations: `terms` say what its columns are, by the id of their nodes."""

    node: exp.Expr
    terms: Mapping[int, Term]


Term = Union[ColumnField, Merged, ScalarSubquery, Expression]
"""What a column in a predicate stands for."""


def is_fixed(term: Term) -> bool:
    """Whether a term is a constant."""
    return isinstance(term, Expression) and not term.terms


def type_of(term: Term | None, relations: Mapping[int, Relation]) -> str:
    """The type of a column, "" where it is no plain one."""
    if not isinstance(term, ColumnField) or term.path or term.relation not in relations:
        return ""
    return relations[term.relation].types.get(term.column, "")


def relations_of(terms: Iterable[Term]) -> frozenset[int]:
    """The relations that terms speak of."""
    relations: set[int] = set()
    for term in terms:
        if isinstance(term, (ColumnField, ScalarSubquery)):
            relations.add(term.relation)
            relations |= (
                {field.relation for field in term.fields}
                if isinstance(term, ScalarSubquery)
                else set()
            )
        elif isinstance(term, Merged):
            relations |= {field.relation for field in term.fields}
        else:
            relations |= relations_of(term.terms.values())
    return frozenset(relations)


@dataclass(frozen=True, eq=False, slots=True)
class Conjunct:
    """A predicate that must be true of the rows that matter, over the relations it speaks of."""

    predicate: exp.Expr
    terms: Mapping[int, Term]
    relations: frozenset[int]


Outputs = Mapping[str, Term]
"""Columns of a query, in lower case, and what they are in terms of the relations inside it."""


@dataclass(frozen=True, eq=False)
class Relation:
    """A source of rows in the query, as often as the query reads it.

    `mention` is the place of a live mention among the statement's (None: no live table). `node` is
    what to read FROM, with the CTEs that it needs, None where it cannot be read by itself: because
    it depends on the rows beside it, or would not be the same twice. `needs` are the mentions whose
    rows it reads. `inside` and `invariants` tell what its columns are made of and what holds for
    each of its rows, where it is a subquery that can be looked into. `is_known` is false where not
    all of its columns are known.
    """

    id: int
    types: Types
    mention: int | None = None
    node: exp.Expr | None = None
    ctes: tuple[exp.CTE, ...] = ()
    needs: frozenset[int] = frozenset()
    inside: Outputs = field(default_factory=dict)
    invariants: tuple[Conjunct, ...] = ()
    is_scalar: bool = False
    is_known: bool = True


@dataclass(frozen=True, eq=False, slots=True)
class TableAccess:
    """One reading of a live table: only rows for which all `conjuncts` can be true matter.

    The conjuncts hold together: there are rows of all the relations they speak of for which they
    are true at once. Leaving one out makes the restriction wider. `rows` are the alternatives that
    constants among the conjuncts leave, each a set of equalities; None means that they restrict
    nothing, () that no row is wanted. `limit` is the number of rows that are enough (None: all), as
    long as the columns in `limited_by` are arguments of the request; `order` is the column by which
    they are the first, and whether descending (None: any will do). `misfits` are columns compared
    with a value of another type, which cannot bind them. `intervals` are what matters of columns
    whose bounds an API can be told.
    """

    relation: int
    conjuncts: tuple[Conjunct, ...]
    rows: tuple[Row, ...] | None
    limit: int | None = None
    limited_by: frozenset[str] = frozenset()
    order: tuple[str, bool] | None = None
    misfits: tuple[str, ...] = ()
    intervals: Intervals = field(default_factory=dict)


# --- what binding gives --------------------------------------------------------------------------


@dataclass(frozen=True, eq=False, slots=True)
class BoundTable:
    """One mention of a live table.

    `accesses` are the readings of it: a CTE that is mentioned twice reads its tables twice, one
    that is never mentioned not at all. `columns` are those the statement uses, in the order of the
    definition; `hidden` those of `_connection, _observed_at, _url` that it names. `spoken` are
    columns that a predicate speaks of in any way: for them a default would be a guess.
    """

    mention: TableMention
    live: LiveTable
    accesses: tuple[TableAccess, ...]
    columns: tuple[str, ...]
    hidden: tuple[str, ...]
    spoken: frozenset[str] = frozenset()

    @property
    def misfits(self) -> tuple[str, ...]:
        """Columns that some access compares with a value of another type."""
        return tuple(sorted({name for access in self.accesses for name in access.misfits}))


@dataclass(frozen=True, eq=False, slots=True)
class BoundQuery:
    """A statement with its live tables; `edits` are those needed whatever the plan."""

    statement: Statement
    tables: tuple[BoundTable, ...]
    edits: tuple[Edit, ...] = ()
    relations: Mapping[int, Relation] = field(default_factory=dict)
    mentions: Mapping[int, int] = field(default_factory=dict)
    """Places of mentions by the id of their nodes."""
    missing: frozenset[int] = frozenset()
    """Relations of which a row of some join may have nothing but NULLs."""
