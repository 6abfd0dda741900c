"""What every format needs to know of the rows: names, types, and values as text."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

import duckdb
import pyarrow as pa

from connstat_sql.database.python_values import distinct_names
from connstat_sql.database.session import noted_types
from connstat_sql.definitions.quoting import quote

_NUMBERS = re.compile("U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL|BIGNUM")
_NESTED = ("STRUCT(", "MAP(", "UNION(", "VARIANT", "JSON")


class CellKind(Enum):
    """What a column holds, as far as drawing it goes."""

    NUMBER = "number"
    TIME = "time"
    NESTED = "nested"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class OutputField:
    """A column: `type` is DuckDB's, as text."""

    name: str
    type: str
    kind: CellKind


def columns_of(table: pa.Table) -> list[OutputField]:
    """The columns, by the types that the session noted, or those that DuckDB sees in Arrow's."""
    types = noted_types(table)
    if types is None and table.num_columns:
        with registered(table) as rows:
            types = [str(of) for of in rows.types]
    return [
        OutputField(name, of, kind_of(of))
        for name, of in zip(table.column_names, types or (), strict=True)
    ]


def kind_of(type_: str) -> CellKind:
    """What a column of a DuckDB type holds."""
    if type_.endswith("]") or type_.startswith(_NESTED):
        return CellKind.NESTED
    base = type_.partition("(")[0]
    if _NUMBERS.fullmatch(base):
        return CellKind.NUMBER
    return CellKind.TIME if base == "DATE" or base.startswith("TIME") else CellKind.TEXT


def texts_of(table: pa.Table) -> list[list[str | None]]:
    """The values of each column as DuckDB writes them; None for NULL."""
    if not table.num_columns:
        return []
    names = distinct_names(table.column_names)
    casts = ", ".join(f"CAST({quote(name)} AS VARCHAR)" for name in names)
    with registered(table) as rows:
        texts = rows.project(casts).to_arrow_table()
    return [column.to_pylist() for column in texts.columns]


@contextlib.contextmanager
def registered(table: pa.Table) -> Iterator[duckdb.DuckDBPyRelation]:
    """The rows as a relation of a DuckDB of their own."""
    connection = duckdb.connect(config={"python_enable_replacements": False})
    try:
        connection.execute("SET TimeZone = 'UTC'")
        if table.num_columns:
            table = table.rename_columns(distinct_names(table.column_names))
        yield connection.from_arrow(table)
    finally:
        connection.close()
