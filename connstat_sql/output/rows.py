"""What every format needs to know of the rows: names, types, and values as text."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

import duckdb
import pyarrow as pa

from connstat_sql.database.python_values import distinct_names, python_values, shape_of
from connstat_sql.database.session import noted_types
from connstat_sql.definitions.quoting import quote

_NUMBERS = re.compile("U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL|BIGNUM")
_DEEPEST = 60
"""Levels of a value that are laid out; what is below them is written on one line."""
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


# --- nested values, for reading ------------------------------------------------------------------


def reader_of(column: OutputField) -> Callable[[Any], Any]:
    """What turns a value out of Arrow into dicts, lists and scalars."""
    return shape_of(duckdb.sqltype(column.type), _json)


def values_of(table: pa.Table, index: int, column: OutputField) -> list[Any]:
    """The values of a column as dicts, lists and scalars; None for NULL."""
    read = reader_of(column)
    return [None if value is None else read(value) for value in python_values(table.column(index))]


def outline(value: object, depth: int = 0) -> Iterator[str]:
    """The lines of a value; lines of a text stay lines."""
    if depth > _DEEPEST:
        yield str(value)
    elif isinstance(value, dict) and value:
        for name, inner in value.items():
            parts = list(outline(inner, depth + 1))
            if _is_leaf(inner) and len(parts) == 1:
                yield f"{name}: {parts[0]}"
            else:
                yield f"{name}:"
                yield from (f"  {line}" for line in parts)
    elif isinstance(value, list) and value:
        for inner in value:
            first, *others = outline(inner, depth + 1)
            yield f"- {first}"
            yield from (f"  {line}" for line in others)
    else:
        yield from _scalar(value).replace("\r\n", "\n").removesuffix("\n").split("\n")


def _is_leaf(value: object) -> bool:
    return not (isinstance(value, (dict, list)) and value)


def _scalar(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    return "''" if value == "" else str(value)


def _json(text: str) -> object:
    """A JSON value, its numbers as they are written; the text itself where it is none."""
    try:
        return json.loads(text, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError):
        return text
