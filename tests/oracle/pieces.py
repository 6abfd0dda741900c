"""What the writers of queries hand to each other."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tests.oracle.predicates import Columns, Constants, Predicates
from tests.oracle.zoo import HOSTS

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reach:
    """Parts of the grammar that can be left out.

    `views`: views and table macros over live tables. `sharing`: one request that serves two
    tables, or a provider and one of its connections. `awkward`: values in the session's tables
    that cannot be a path segment.
    """

    views: bool = True
    sharing: bool = True
    awkward: bool = False


NOW = Reach()
ALL = Reach(awkward=True)


@dataclass(frozen=True, slots=True)
class Loose:
    """A query cut by LIMIT without an order: any so many rows of `sql` will do."""

    sql: str
    arguments: Any
    limit: int
    offset: int


@dataclass(frozen=True, slots=True)
class Query:
    """A statement, its arguments, and what may be asked for it.

    `said` is every value that it says in any form; `tables` are the tables it names when it
    speaks of more than one source (empty: arguments come from `said` alone). `setup` runs before
    it, `undo` after it. `ordered`: the order of rows counts. `loose` is None unless LIMIT cuts by
    chance. `most` is how many requests are enough (None: nobody has counted). `is_forbidden`: it is
    to be refused, with nothing sent and nothing written.
    """

    sql: str
    arguments: Any = None
    said: frozenset[str] = frozenset()
    tables: frozenset[str] = frozenset()
    setup: tuple[str, ...] = ()
    ordered: bool = False
    loose: Loose | None = None
    most: int | None = None
    undo: tuple[str, ...] = ()
    is_forbidden: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """A piece of a FROM clause.

    `wants` are columns that need values from the query, or the query cannot be answered. `table`
    is the live table's name, "" for anything else.
    """

    sql: str
    name: str
    columns: Columns
    wants: tuple[str, ...] = ()
    table: str = ""

    @property
    def fields(self) -> Columns:
        """Its columns, qualified."""
        return tuple((f"{self.name}.{name}", of) for name, of in self.columns)


@dataclass(frozen=True, slots=True)
class Made:
    """A query expression with its columns; `wants` as in `Source`."""

    sql: str
    columns: Columns
    wants: tuple[str, ...] = ()


@dataclass
class Writer:
    """What all writers share while one statement is made.

    `left` is how many mentions of live tables may still be made; `views` are tables that `setup`
    makes; `tables` are the names of the tables mentioned, `sources` how many sources there are.
    """

    chance: random.Random
    reach: Reach
    hidden: bool
    says_state: bool
    is_numeric: bool = False
    left: int = 4
    heads: tuple[str, ...] = ()
    constants: Constants = field(init=False)
    predicates: Predicates = field(init=False)
    ctes: list[Source] = field(default_factory=list)
    views: list[Source] = field(default_factory=list)
    setup: list[str] = field(default_factory=list)
    tables: set[str] = field(default_factory=set)
    sources: int = 0
    names: int = 0
    select: Callable[..., Made] = field(init=False)
    """`blocks.select`, which the writers below it need too."""

    def __post_init__(self) -> None:
        one = ("conn_a",)
        self.heads = self.pick(one, one, ("conn_b",), ("zoo",), ("zoo",), tuple(HOSTS))
        if self.reach.sharing and self.maybe(0.1):
            self.heads = ("zoo", *HOSTS)
        self.constants = Constants(self.chance)
        self.predicates = Predicates(self.chance, self.constants, self.is_numeric)

    def maybe(self, chance: float) -> bool:
        """True with the given chance."""
        return self.chance.random() < chance

    def pick(self, *options: T) -> T:
        """One of several."""
        return self.chance.choice(options)

    def some(self, options: Sequence[T], *counts: int) -> list[T]:
        """A few of several, in random order."""
        return self.chance.sample(options, min(len(options), self.chance.choice(counts)))

    def name(self, letter: str) -> str:
        """A new name."""
        self.names += 1
        return f"{letter}{self.names}"
