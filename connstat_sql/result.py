"""How statements run, and what they answer: the values at the public edge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from connstat_sql.database.python_values import python_values
from connstat_sql.definitions.quoting import quote
from connstat_sql.errors import ConfigError, QueryError, counted

if TYPE_CHECKING:
    import pandas as pd

    from connstat_sql.definitions.model import TableName
    from connstat_sql.executor import ScanReport
    from connstat_sql.fetch import FailedFetch
    from connstat_sql.planner import Plan

DEFAULT_MAX_REQUESTS = 1000
_HTML_ROWS = 60
"""Rows that a notebook shows of a result."""
_HTML_LETTERS = 400
"""Letters that it shows of a value."""
_NAMED = 8
"""Columns that the short form of a result names."""


@dataclass(frozen=True, slots=True)
class Options:
    """How statements run.

    `partial` keeps good rows when requests fail. `max_requests` is the budget of one statement.
    `strict` forbids enumerating a parameter from its parents. `deadline` is in seconds for one
    whole statement (None: no limit). `max_age` accepts rows that were fetched at most so many
    seconds ago (None: as each connection says; 0: none, everything is fetched); `max_ages` says it
    for some tables alone, in place of `max_age`.
    """

    partial: bool = False
    max_requests: int = DEFAULT_MAX_REQUESTS
    strict: bool = False
    deadline: float | None = None
    max_age: float | None = None
    max_ages: Mapping[TableName, float] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        """Raise ConfigError where a number is none that there can be."""
        for name in ("max_requests", "deadline", "max_age"):
            value = getattr(self, name)
            if value is not None and not value >= 0:
                raise ConfigError(f"{name} is {value}", hint=f"{name} is 0 or more")
        for table, age in self.max_ages.items():
            if not age >= 0:
                raise ConfigError(f"the age of {table} is {age}", hint="it is 0 or more")


@dataclass(frozen=True, slots=True, repr=False)
class Result:
    """What a statement answered.

    `table` holds the rows; `has_rows` is false for statements that answer with none (CREATE, SET).
    `errors` are the requests that failed where `partial` was asked for. `scans` say what was
    fetched; `plan` is None for a statement without live tables; `seconds` is the time it took;
    `remarks` are what else there is to note. `doubts` are comparisons with values that cannot be
    there, for which no row can be meant.
    """

    table: pa.Table
    has_rows: bool
    scans: tuple[ScanReport, ...] = ()
    errors: tuple[FailedFetch, ...] = ()
    plan: Plan | None = None
    seconds: float = 0.0
    remarks: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """The verdict: whether every row that belongs to the answer is in it."""
        return not self.errors

    @property
    def requests(self) -> int:
        """Requests sent for it, retries aside."""
        return sum(scan.requests for scan in self.scans)

    @property
    def open_ends(self) -> tuple[str, ...]:
        """What makes it doubtful that the lists were all that there is."""
        return tuple(
            f"{scan.table}: {scan.may_go_on}: there may be more"
            for scan in self.scans
            if scan.may_go_on
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """What a careful reader should know of how the rows came about."""
        no_row = tuple(
            f"{scan.table}: {scan.no_row:,} of {scan.requests:,} requests found no such row"
            for scan in self.scans
            if scan.no_row
        )
        kept = tuple(
            f"{scan.table}: {scan.kept:,} of {scan.fetches:,} fetches were answered from rows "
            f"up to {scan.oldest:,.0f} s old"
            for scan in self.scans
            if scan.oldest is not None
        )
        unknown = tuple(
            f"{scan.table}: what plugins declare secret is not known, so that names and looks "
            f"decide: {'; '.join(scan.unknown)}"
            for scan in self.scans
            if scan.unknown
        )
        return (*self.doubts, *self.open_ends, *no_row, *kept, *unknown, *self.remarks)

    def __repr__(self) -> str:
        names = [repr(name) for name in self.table.column_names[:_NAMED]]
        more = ", …" if self.table.num_columns > _NAMED else ""
        return f"<Result of {self._in_words()}: {', '.join(names)}{more}>"

    def _repr_html_(self) -> str:
        """The first rows, for a notebook."""
        rows = self.table.num_rows
        first = f"the first {_HTML_ROWS} of " if rows > _HTML_ROWS else ""
        return _html_table(self.table, f"{first}{self._in_words()}")

    def _in_words(self) -> str:
        rows = counted(self.table.num_rows, "row") if self.has_rows else "no rows"
        verdict = (
            "complete" if self.complete else f"partial, {counted(len(self.errors), 'failure')}"
        )
        requests = counted(self.requests, "request")
        return f"{rows}, {verdict}, {requests} in {self.seconds:.2f} s"

    def to_arrow(self) -> pa.Table:
        """The rows as an Arrow table."""
        return self.table

    def df(self) -> pd.DataFrame:
        """The rows as a pandas DataFrame. Raises ConfigError where pandas is not installed.

        Raises QueryError for times that it cannot hold.
        """
        _needed("pandas")
        try:
            return self.table.to_pandas()
        except (ValueError, OverflowError, NotImplementedError) as error:
            raise QueryError(
                f"pandas cannot hold a value of the rows: {error}",
                hint="cast it to VARCHAR in the SQL, or take  to_arrow()  or  fetchall()",
            ) from error

    def pl(self) -> Any:
        """The rows as a polars DataFrame. Raises ConfigError where polars is not installed."""
        return _needed("polars").from_arrow(self.table)

    def fetchall(self) -> list[tuple[Any, ...]]:
        """The rows as tuples of Python values."""
        return list(self)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        """Iterate over the rows as tuples of Python values."""
        for batch in self.table.to_batches(max_chunksize=1000):
            yield from zip(*map(python_values, batch.columns), strict=True)


def _needed(package: str) -> Any:
    """A package that is used where it is installed."""
    try:
        return import_module(package)
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"a DataFrame of {package} needs {package}, which is not installed",
            hint=f"pip install {package}, or take  to_arrow()",
        ) from error


# --- in a notebook: every value is escaped, nothing is loaded ------------------------------------


def _html_table(table: pa.Table, summary: str) -> str:
    """The first rows, and below them some words on all."""
    left, right = (f' style="text-align: {side}"' for side in ("left", "right"))
    styles = [right if _is_number(field.type) else left for field in table.schema]
    heads = "".join(
        f"<th{style}>{_escaped(name)}</th>"
        for name, style in zip(table.column_names, styles, strict=True)
    )
    rows = "".join(
        f"<tr>{''.join(map(_html_cell, row, styles))}</tr>\n"
        for row in zip(*_first_texts(table), strict=True)
    )
    head = f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}</tbody>\n"
    return f"<table>\n{head if heads else ''}</table>\n<p>{_escaped(summary)}</p>"


def _first_texts(table: pa.Table) -> list[list[str | None]]:
    """The first values of each column as DuckDB writes them."""
    if not table.num_columns:
        return []
    names = [f"c{number}" for number in range(table.num_columns)]
    rows = table.slice(0, _HTML_ROWS).rename_columns(names)
    with duckdb.connect(config={"python_enable_replacements": False}) as connection:
        casts = ", ".join(f"CAST({quote(name)} AS VARCHAR)" for name in names)
        texts = connection.from_arrow(rows).project(casts).to_arrow_table()
    return [column.to_pylist() for column in texts.columns]


def _is_number(type_: pa.DataType) -> bool:
    kinds = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
    return any(is_kind(type_) for is_kind in kinds)


def _html_cell(text: str | None, style: str) -> str:
    if text is None:
        return f"<td{style}><em>NULL</em></td>"
    short = text if len(text) <= _HTML_LETTERS else text[:_HTML_LETTERS] + "…"
    return f"<td{style}>{_escaped(short)}</td>"


def _escaped(text: str) -> str:
    """A text for HTML, in which letters that nobody can see stand as one that all can."""
    from html import escape

    return escape(
        "".join(
            letter if letter.isprintable() or letter == "\n" else "\N{REPLACEMENT CHARACTER}"
            for letter in text
        )
    )
