"""Rows of a scan → the distinct texts in its columns, for whoever completes what people type."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

import duckdb

from connstat_sql.database.errors import interruptible
from connstat_sql.database.session import Session
from connstat_sql.definitions.model import (
    VARCHAR,
    MapOf,
    Redaction,
    SqlType,
    Struct,
    TableName,
    quote,
)
from connstat_sql.definitions.quoting import call, member
from connstat_sql.planner import Scan, scan_table

MOST = 10_000
"""Values of one column that are told."""
_ROWS = 100_000
_LONGEST = 200
"""Rows that are looked at, and characters of a text that anyone would type."""


@dataclass(frozen=True, slots=True)
class SeenValues:
    """Distinct texts of a column, at most `MOST`; `path` leads to it: its name, fields of STRUCTs.

    A last part `*` says that they are the keys of a MAP.
    """

    table: TableName
    path: tuple[str, ...]
    values: tuple[str, ...]


TakeValues = Callable[[SeenValues], None]


def tell_values(scan: Scan, columns: tuple[str, ...], session: Session, take: TakeValues) -> None:
    """Tell the values in the table of a scan that has ended; never those of redacted columns.

    Rows that cannot be read now (a transaction that has failed) are left out.
    """
    paths = list(_paths(scan, columns))
    if not paths:
        return
    listed = ", ".join(sql for _, sql in paths)
    source = f"(FROM {scan_table(scan.name)} LIMIT {_ROWS})"
    try:
        with interruptible():
            lists = session.duckdb.execute(f"SELECT {listed} FROM {source}").fetchone()
    except duckdb.Error:
        return
    for (path, _), values in zip(paths, lists or (), strict=False):
        if values:
            take(SeenValues(scan.resource.table, path, tuple(islice(values, MOST))))


def _paths(scan: Scan, columns: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """The columns that hold texts, each with SQL for the list of them."""
    for name in columns:
        column, param = scan.resource.column(name), scan.resource.param(name)
        if column is not None and column.redaction is not Redaction.VALUE:
            yield from _inside((name,), column.type)
        elif param is not None:
            yield from _inside((name,), param.type)


def _inside(path: tuple[str, ...], of: SqlType) -> Iterator[tuple[tuple[str, ...], str]]:
    value = member(quote(path[0]), *path[1:])
    if of == VARCHAR:
        fits = f"FILTER ({call('length', value)} BETWEEN 1 AND {_LONGEST})"
        yield path, f"{call('list', f'DISTINCT {value} ORDER BY {value}')} {fits}"
    elif isinstance(of, MapOf):
        keys = call("flatten", call("list", call("map_keys", value)))
        yield (*path, "*"), call("list_sort", call("list_distinct", keys))
    elif isinstance(of, Struct):
        for name, inner in of.fields:
            yield from _inside((*path, name), inner)
