"""Columns behind those of views over all providers: their values are seen in vendors' rows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from connstat_sql.definitions.catalog import Catalog
from connstat_sql.definitions.loader.views import tables_of
from connstat_sql.definitions.model import Part, TableName

Column = tuple[TableName, tuple[str, ...]]
"""A table, and the way to a column in it: its name, fields of STRUCTs."""
_ALIAS = re.compile(r"\bas\s+(\w+)\s*\Z", re.IGNORECASE)
_PLAIN = re.compile(r"[a-z_]\w*(?:\.[a-z_]\w*)*", re.IGNORECASE)


def columns_behind(catalog: Catalog) -> Mapping[Column, tuple[Column, ...]]:
    """For each column of a view, those of vendors' tables that it hands on as they are."""
    columns: dict[Column, tuple[Column, ...]] = {}
    for provider in catalog.definitions.providers:
        for view, part in catalog.definitions.parts(provider).items():
            for name, behind in _of_part(part, catalog):
                columns[(view, (name,))] = (*columns.get((view, (name,)), ()), behind)
    return columns


def _of_part(part: Part, catalog: Catalog) -> Iterator[tuple[str, Column]]:
    tables, alias = tables_of(part), _ALIAS.search(part.source.strip())
    if not tables:
        return
    table = tables[0]
    resource = catalog.definitions.resource(table)
    if resource is None:
        return
    columns, params = resource.columns, resource.params
    known = {*(column.name for column in columns), *(param.name for param in params)}
    for name, value in part.values.items():
        path = value.strip().split(".")
        if alias is not None and path[0] == alias[1]:
            path = path[1:]
        if _PLAIN.fullmatch(value.strip()) and path and path[0] in known:
            yield name, (table, tuple(path))
