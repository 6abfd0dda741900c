"""What binding a statement gives: each mention of a live table with what may restrict it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Union

from connstat_sql.catalog import LiveTable
from connstat_sql.errors import Span
from connstat_sql.parser import Statement, TableMention


@dataclass(frozen=True, slots=True)
class Value:
    """A constant folded by DuckDB: its text (None for NULL) and the name of its DuckDB type."""

    text: str | None
    type: str


Arguments = Union[Sequence[Any], Mapping[str, Any], None]
"""Values for `?` or `$name`, as they were handed in."""

Fold = Callable[[str], "tuple[tuple[Value, ...], ...] | None"]
"""Runs a constant query; answers its rows, or None when DuckDB cannot tell the value."""

Row = Mapping[str, str]
"""Columns of a table and the value each must equal."""


@dataclass(frozen=True, slots=True)
class Edit:
    """A change to the text that is run: what stands at `span` becomes `text`."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class BoundTable:
    """One mention of a live table.

    `rows` are alternatives, each a set of equalities: only rows of the table that satisfy one of
    them can change the answer. None means that nothing restricts it; () that no row is wanted.
    `columns` are those the statement uses, in the order of the definition; `hidden` those of
    `_connection, _observed_at, _url` that it names. `misfits` are parameters compared with a
    value of another type, which cannot bind them. `spoken` are columns that a predicate speaks
    of in any way: for them a default would be a guess.
    """

    mention: TableMention
    live: LiveTable
    rows: tuple[Row, ...] | None
    columns: tuple[str, ...]
    hidden: tuple[str, ...]
    misfits: tuple[str, ...] = ()
    spoken: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class BoundQuery:
    """A statement with its live tables; `edits` are those needed whatever the plan."""

    statement: Statement
    tables: tuple[BoundTable, ...]
    edits: tuple[Edit, ...] = ()
