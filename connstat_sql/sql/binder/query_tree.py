"""What a query is made of, once its names are resolved: blocks, set operations, trees of joins.

These values are read off the syntax by `from_clause` and walked from the outside in by `pushdown`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Union

from connstat_sql.sql.binder.model import Conjunct, Relation, Term


@dataclass(frozen=True, eq=False, slots=True)
class Leaf:
    """A source of FROM: `query` is what a derived table or CTE consists of (None: it is neither).

    `closed` is the place of a live mention that nothing may restrict (None: there is no such).
    """

    relation: Relation
    query: Query | None = None
    closed: int | None = None

    @property
    def relations(self) -> frozenset[int]:
        """Itself."""
        return frozenset({self.relation.id})

    @property
    def missing(self) -> frozenset[int]:
        """A source has all its own rows."""
        return frozenset()

    @property
    def invariants(self) -> tuple[Conjunct, ...]:
        """Nothing is known of a source alone."""
        return ()


@dataclass(frozen=True, eq=False, slots=True)
class Join:
    """Two sides and what joins them; `kind` is one of `join_rules.RULES`.

    `relations` are those in it, `missing` those of which a row may have nothing but NULLs.
    `invariants` is true of every row that it gives, with rows of the relations spoken of.
    `join_rules.join` makes it.
    """

    kind: str
    left: Tree
    right: Tree
    on: tuple[Conjunct, ...]
    relations: frozenset[int]
    missing: frozenset[int]
    invariants: tuple[Conjunct, ...]


Tree = Union[Leaf, Join]


@dataclass(frozen=True, eq=False, slots=True)
class OutputColumn:
    """A column of a query: what it is inside (None: that cannot be told).

    `is_passed` says that a predicate on it may come in from outside, `is_open` that its value is
    one of a row inside.
    """

    name: str
    term: Term | None
    is_passed: bool
    is_open: bool


@dataclass(frozen=True, eq=False, slots=True)
class RowLimit:
    """LIMIT and OFFSET straight over one live table: so many rows that satisfy WHERE are enough.

    `columns` are those that WHERE fixes by plain equalities; it says nothing else. `order` is the
    column by which the first rows are wanted, and whether descending (None: in no order).
    """

    rows: int
    columns: frozenset[str]
    order: tuple[str, bool] | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Block:
    """One SELECT: `tree` is its FROM (None: it has none), `where` the AND-ed conjuncts.

    `nested` are subqueries of WHERE: each is wanted for rows that satisfy the rest of it. `beside`
    are those of the other clauses, wanted for rows of the result; `uncorrelated` are those of which
    not even that can be said. `is_one_group` says that there may be a row of the result where none
    is inside, as with count(*). `outputs` is None when they cannot be listed; `invariants` are
    conjuncts for which every row of the result has rows inside.
    """

    tree: Tree | None
    where: tuple[Conjunct, ...]
    nested: tuple[Query, ...]
    beside: tuple[Query, ...]
    uncorrelated: tuple[Query, ...]
    is_one_group: bool
    outputs: tuple[OutputColumn, ...] | None
    invariants: tuple[Conjunct, ...]
    limit: RowLimit | None = None


@dataclass(frozen=True, eq=False, slots=True)
class SetOperation:
    """UNION, INTERSECT, EXCEPT: its branches; `is_open` lets predicates in from outside.

    `by_name` says that columns are matched by their names instead of their places.
    """

    branches: tuple[Query, ...]
    is_open: bool
    by_name: bool

    @property
    def outputs(self) -> tuple[OutputColumn, ...] | None:
        """Names only: what a column is differs between the branches."""
        names: dict[str, None] = {}
        first, *others = self.branches
        if not self.by_name:
            listed = first.outputs
            return self._named([output.name for output in listed]) if listed is not None else None
        for branch in (first, *others):
            if branch.outputs is None:
                return None
            names |= dict.fromkeys(output.name for output in branch.outputs)
        return self._named(names)

    def _named(self, names: Iterable[str]) -> tuple[OutputColumn, ...]:
        return tuple(OutputColumn(name, None, self.is_open, False) for name in names)


@dataclass(frozen=True, eq=False, slots=True)
class Opaque:
    """Queries into which no predicate comes from outside: recursive CTEs, what is pivoted."""

    branches: tuple[Query, ...]
    outputs: None = None


Query = Union[Block, SetOperation, Opaque]
