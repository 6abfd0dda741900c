"""What every format needs to know of the rows: names, types, and values as text."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

import duckdb
import pyarrow as pa

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

    @property
    def is_json(self) -> bool:
        """Whether its values are JSON as text."""
        return self.type == "JSON"


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
    casts = ", ".join(f"CAST({quote(name)} AS VARCHAR)" for name in unique(table))
    with registered(table) as rows:
        texts = rows.project(casts).to_arrow_table()
    return [column.to_pylist() for column in texts.columns]


def unique(table: pa.Table) -> list[str]:
    """Column names, made distinct: an object has each key once."""
    names: list[str] = []
    for name in table.column_names:
        number, unique = 1, name
        while unique in names:
            unique, number = f"{name}_{number}", number + 1
        names.append(unique)
    return names


@contextlib.contextmanager
def registered(table: pa.Table) -> Iterator[duckdb.DuckDBPyRelation]:
    """The rows as a relation of a DuckDB of their own."""
    connection = duckdb.connect(config={"python_enable_replacements": False})
    try:
        connection.execute("SET TimeZone = 'UTC'")
        renamed = table.rename_columns(unique(table)) if table.num_columns else table
        yield connection.from_arrow(renamed)
    finally:
        connection.close()


Shape = Callable[[Any], Any]


def shape_of(of: Any, json_value: Shape) -> Shape:
    """How a Python value out of Arrow becomes one of dicts, lists and scalars, by DuckDB type.

    `json_value` is what the text of a JSON value becomes.
    """
    kind = of.id
    if str(of) == "JSON":
        return json_value
    if kind in ("list", "array"):
        element = shape_of(of.children[0][1], json_value)
        return lambda values: [None if v is None else element(v) for v in values]
    if kind == "struct":
        fields = {name: shape_of(child, json_value) for name, child in of.children}
        return lambda row: {k: None if row[k] is None else f(row[k]) for k, f in fields.items()}
    if kind == "map":
        value = shape_of(of.children[1][1], json_value)
        return lambda pairs: {str(k): None if v is None else value(v) for k, v in pairs}
    return lambda value: value
