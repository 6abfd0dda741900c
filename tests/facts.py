"""What the vendors' documents say of requests and answers, read from `tests/specs/*.json`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from connstat_sql.definitions import model as definitions
from connstat_sql.definitions.model import (
    Column,
    ListOf,
    MapOf,
    Method,
    Resource,
    RowsPath,
    Scalar,
    Shape,
    SqlType,
    Struct,
)

Keys = definitions.Path
FACTS: dict[str, Any] = {
    file.stem: json.loads(file.read_text("utf-8"))
    for file in (Path(__file__).parent / "specs").glob("*.json")
}


def facts_of(resource: Resource, method: Method) -> dict[str, Any] | None:
    """What the document says about a method's request; None when it does not know it."""
    requests = FACTS[resource.table.provider].get(resource.table.service, {})
    name = f"{method.verb} {place(str(method.path))}"
    if any(item.key == "expand" for item in method.query):
        # Confluent's document describes this form of the list under a path of its own.
        name = next((one for one in requests if one.startswith(f"{name}?")), name)
    found: dict[str, Any] | None = requests.get(name)
    return found


def place(path: str) -> str:
    """A path with `{}` in place of each parameter."""
    parts = path.split("{")
    return parts[0] + "".join("{}" + part.partition("}")[2] for part in parts[1:])


def step(schema: Any, keys: Keys) -> Any:
    """The schema at the end of a path, or None where there is none."""
    for key in keys:
        if schema == "any":
            return "any"
        if not isinstance(schema, dict):
            return None
        schema = schema.get(key, schema.get("*"))
    return schema


def row_schema(rows: RowsPath, body: Any) -> Any:
    """The schema of a row, at the first place that the body has; None when it has none."""
    for at in rows.at:
        found = step(body, at)
        if found == "any":
            return "any"
        if rows.shape in (Shape.ARRAY, Shape.SCALARS):
            if isinstance(found, list):
                return step(found[0], rows.item)
        elif isinstance(found, dict):
            return step(found.get("*") if rows.shape is Shape.MAP else found, rows.item)
    return None


def path_in(column: Column, method: Method) -> Keys | None:
    """Where a column is in a method's rows; None when the method does not serve it."""
    return method.columns.get(column.name, column.path)


def fits(sql_type: SqlType, schema: Any) -> bool:
    """Whether values of that schema fit the type."""
    if schema is None:
        return False
    if schema == "any" or sql_type == Scalar("JSON"):
        return True
    if isinstance(sql_type, Struct):
        return isinstance(schema, dict) and all(
            fits(inner, step(schema, (name,))) for name, inner in sql_type.fields
        )
    if isinstance(sql_type, ListOf):
        return isinstance(schema, list) and fits(sql_type.element, schema[0])
    if isinstance(sql_type, MapOf):
        return isinstance(schema, dict) and all(
            fits(sql_type.value, inner) for inner in schema.values()
        )
    return isinstance(schema, str) and scalar_fits(str(sql_type), schema)


def scalar_fits(sql_type: str, schema: str) -> bool:
    """Whether a JSON scalar fits; a date that is declared as text does not."""
    kind, _, form = schema.partition(":")
    if form in ("date-time", "date"):
        wanted = "TIMESTAMP WITH TIME ZONE" if form == "date-time" else "DATE"
        return sql_type == wanted
    if form == "int64" and kind == "string":
        return sql_type == "BIGINT"
    if kind == "integer":
        return sql_type in ("INTEGER", "BIGINT") and not (form == "int64" and sql_type == "INTEGER")
    if kind == "number":
        return sql_type == "DOUBLE" or sql_type.startswith("DECIMAL")
    return sql_type == {"string": "VARCHAR", "boolean": "BOOLEAN"}.get(kind)


def missing(columns: list[tuple[Keys, SqlType]], schema: Any, path: Keys = ()) -> Iterator[Keys]:
    """Paths of properties that no column shows."""
    here = [sql_type for keys, sql_type in columns if keys == path]
    if any(not isinstance(one, (Struct, ListOf)) for one in here):
        return
    fields = [
        ((*path, name), inner)
        for one in map(element, here)
        if isinstance(one, Struct)
        for name, inner in one.fields
    ]
    if here and not fields:
        return
    inside = schema[0] if isinstance(schema, list) else schema
    if not isinstance(inside, dict) or set(inside) == {"*"}:
        yield path
        return
    for name, inner in inside.items():
        if name != "*":
            yield from missing([*columns, *fields], inner, (*path, name))


def element(sql_type: SqlType) -> SqlType:
    """The type inside a list, or the type itself."""
    return element(sql_type.element) if isinstance(sql_type, ListOf) else sql_type
