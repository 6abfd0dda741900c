"""Values of Arrow as Python has them, and as text where Python has none.

Python's dates end at the years 1 and 9999; DuckDB's go on, and it has infinite ones. A day may
end at 24:00:00 in DuckDB, for which Arrow gives Python's midnight, where it begins.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import time
from typing import Any

import duckdb
import pyarrow as pa

from connstat_sql.definitions.quoting import quote

_BEYOND = (OverflowError, ValueError)
"""What Arrow raises where Python has no such value."""
_IN_TIME = re.compile(r"^(\S+) (\d\d:\d\d:\d\d(?:\.\d+)?)(?:(\+00)|$)")


def python_values(column: pa.Array | pa.ChunkedArray) -> list[Any]:
    """The values of a column; of times that Python cannot hold, the text, as ISO 8601 has it."""
    if not _has_times(column.type):
        try:
            values: list[Any] = column.to_pylist()
        except _BEYOND:
            pass
        else:
            return values
    return [_value(scalar, text) for scalar, text in zip(column, _texts(column), strict=True)]


def _has_times(of: pa.DataType) -> bool:
    """Whether a type holds times of a day, which few tables have."""
    if pa.types.is_time(of):
        return True
    return any(_has_times(of.field(place).type) for place in range(of.num_fields))


def _value(scalar: Any, text: Any) -> Any:
    try:
        return _with_ends(scalar.as_py(), text)
    except _BEYOND:
        return _iso(text)


def _with_ends(value: Any, text: Any) -> Any:
    """A value in which what ends a day is not where it begins."""
    if isinstance(value, time):
        return text if text.startswith("24:") else value
    if isinstance(value, dict):
        return {name: _with_ends(inner, text[name]) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(map(_with_ends, value, text))
    return value


def _iso(text: Any) -> Any:
    """DuckDB writes a blank between date and time, and +00 for UTC."""
    if isinstance(text, str):
        return _IN_TIME.sub(lambda match: f"{match[1]}T{match[2]}{'Z' if match[3] else ''}", text)
    if isinstance(text, dict):
        return {name: _iso(inner) for name, inner in text.items()}
    if isinstance(text, (list, tuple)):
        return type(text)(map(_iso, text))
    return text


def _texts(column: pa.Array | pa.ChunkedArray) -> list[Any]:
    """The same values with texts in place of times, at any depth."""
    with duckdb.connect(config={"python_enable_replacements": False}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        rows = connection.from_arrow(pa.table({"v": column}))
        cast = f"CAST(v AS {_with_texts(rows.types[0])}) AS v"
        texts: list[Any] = rows.project(cast).to_arrow_table().column(0).to_pylist()
    return texts


def _with_texts(of: Any) -> str:
    """A DuckDB type with VARCHAR in place of times."""
    if of.id == "list":
        return f"{_with_texts(of.child)}[]"
    if of.id == "array":
        (_, inner), (_, size) = of.children
        return f"{_with_texts(inner)}[{size}]"
    if of.id == "struct":
        fields = (f"{quote(name)} {_with_texts(inner)}" for name, inner in of.children)
        return f"STRUCT({', '.join(fields)})"
    if of.id == "map":
        (_, key), (_, value) = of.children
        return f"MAP({_with_texts(key)}, {_with_texts(value)})"
    if of.id == "union":
        members = (f"{quote(name)} {_with_texts(inner)}" for name, inner in of.children[1:])
        return f"UNION({', '.join(members)})"
    return "VARCHAR" if str(of).startswith(("DATE", "TIME")) else str(of)


Shape = Callable[[Any], Any]


def shape_of(of: Any, json_value: Shape, float_value: Shape = lambda value: value) -> Shape:
    """How a Python value out of Arrow becomes one of dicts, lists and scalars, by DuckDB type.

    `json_value` is what the text of a JSON value becomes, `float_value` what a number does that
    may be none. Maps and JSON become mappings, whose order does not count when they are compared.

    >>> shape_of(duckdb.sqltype("MAP(VARCHAR, INTEGER[])"), str)([("tasks", [1, None])])
    {'tasks': [1, None]}
    """
    kind = of.id
    if str(of) == "JSON":
        return json_value
    if kind in ("list", "array"):
        element = shape_of(of.children[0][1], json_value, float_value)
        return lambda values: [None if v is None else element(v) for v in values]
    if kind == "struct":
        fields = {name: shape_of(child, json_value, float_value) for name, child in of.children}
        return lambda row: {k: None if row[k] is None else f(row[k]) for k, f in fields.items()}
    if kind == "map":
        value = shape_of(of.children[1][1], json_value, float_value)
        return lambda pairs: {str(k): None if v is None else value(v) for k, v in pairs}
    return float_value if kind in ("double", "float") else lambda value: value


def shaped_rows(
    table: pa.Table,
    types: Sequence[str] | None,
    json_value: Shape,
    float_value: Shape = lambda value: value,
) -> Iterator[tuple[Any, ...]]:
    """The rows of a table of those DuckDB types (None: of texts), as `shape_of` makes values."""
    texts = types or ["VARCHAR"] * table.num_columns
    shapes = [shape_of(duckdb.sqltype(text), json_value, float_value) for text in texts]
    for batch in table.to_batches(max_chunksize=1000):
        columns = [
            [None if value is None else shape(value) for value in python_values(column)]
            for shape, column in zip(shapes, batch.columns, strict=True)
        ]
        yield from zip(*columns, strict=True)


def distinct_names(names: Sequence[str]) -> list[str]:
    """Names of columns, made distinct: an object has each key once.

    >>> distinct_names(["name", "state", "name"])
    ['name', 'state', 'name_1']
    """
    distinct: list[str] = []
    for name in names:
        number, unique = 1, name
        while unique in distinct:
            unique, number = f"{name}_{number}", number + 1
        distinct.append(unique)
    return distinct
