"""Nested values, laid out for reading: a line for each field, and an indented one for its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import duckdb
import pyarrow as pa

from connstat_sql.database.python_values import python_values, shape_of
from connstat_sql.output.rows import OutputField

_DEEPEST = 60
"""Levels that are laid out; what is below them is written on one line."""


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
