"""Views in documents → definitions: tables that are SQL over other tables, and parts of unions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from connstat_sql.definitions.lexer import names
from connstat_sql.definitions.loader.checks import Findings, nearest
from connstat_sql.definitions.loader.documents import (
    ColumnDocument,
    PartsDocument,
    ResourceDocument,
)
from connstat_sql.definitions.loader.reach import outside_reach
from connstat_sql.definitions.loader.types import UnknownType, parse_type, suggestion_for
from connstat_sql.definitions.loader.yaml import KeyPath
from connstat_sql.definitions.model import Part, Resource, SqlType, TableName, View

_BEFORE_TABLES = ("", "from", "join", "(", ",")
"""What stands before a table where SQL names one; others are found when they are asked for."""
_Find = Callable[[TableName], "Resource | None"]


def build_view(document: ResourceDocument, path: KeyPath, findings: Findings) -> View | None:
    """What a resource is made of where no method serves it; None where methods do."""
    values = {
        name: column.value
        for name, column in document.columns.items()
        if isinstance(column, ColumnDocument) and column.value is not None
    }
    if document.view is None:
        for name in values:
            findings.add((*path, "columns", name, "value"), "`value` says nothing without `view`")
        return None
    for word in ("methods", "params"):
        if getattr(document, word):
            findings.add((*path, word), f"a view has no `{word}`")
    inputs = _inputs(document.view.inputs, (*path, "view", "inputs"), findings)
    if document.view.from_ and inputs:
        findings.add((*path, "view", "inputs"), "`inputs` says nothing beside `from`")
    if not document.columns:
        findings.add((*path, "columns"), "a view needs columns")
    _check_reach(document.view.from_, (*path, "view", "from"), findings, is_source=True)
    for name, value in values.items():
        _check_reach(value, (*path, "columns", name, "value"), findings)
        if not value.strip():
            findings.add((*path, "columns", name, "value"), "an empty `value`", "leave it out")
    for name in set(inputs) & set(document.columns):
        findings.add((*path, "view", "inputs", name), f"`{name}` is a column already")
    return View(document.view.from_, values, inputs)


def _check_reach(sql: str, path: KeyPath, findings: Findings, *, is_source: bool = False) -> None:
    reached = outside_reach(sql, is_source=is_source)
    if reached is not None:
        findings.add(path, f"SQL of a definition reads tables of providers alone, not {reached}")


def _inputs(texts: Mapping[str, str], path: KeyPath, findings: Findings) -> dict[str, SqlType]:
    inputs = {}
    for name, text in texts.items():
        try:
            inputs[name] = parse_type(text.partition(" -- ")[0])
        except UnknownType as error:
            findings.add((*path, name), str(error), suggestion_for(error.word))
    return inputs


def build_parts(document: PartsDocument, findings: Findings) -> dict[TableName, Part]:
    """What a provider gives to views over all of them."""
    parts = {}
    for name, part in document.parts.items():
        words = name.split(".")
        _check_reach(part.from_, ("parts", name, "from"), findings, is_source=True)
        for column, value in part.columns.items():
            _check_reach(value, ("parts", name, "columns", column), findings)
        if len(words) == 3:
            parts[TableName(*words)] = Part(part.from_, part.columns)
        else:
            findings.add(("parts", name), f"`{name}` is not provider.service.resource")
    return parts


def part_faults(view: Resource, part: Part) -> Iterator[tuple[str, str, str]]:
    """What is wrong with a part of a view: its column, a message, a suggestion."""
    if view.view is None or not view.view.is_union:
        yield "", f"{view.table} takes no parts", "it would be a view without `from`"
        return
    if not part.source.strip():
        yield "", "the part has no `from`", "say what its rows are"
    for name, value in part.values.items():
        if not value.strip():
            yield name, f"`{name}` is empty", "leave it out: it is NULL then"
    computed = view.view.values
    known = [column.name for column in view.columns if column.name not in computed]
    known += view.view.inputs
    for name in part.values:
        if name in computed:
            yield name, f"{view.table} makes `{name}` itself", "leave it out"
        elif name not in known:
            yield name, f"{view.table} has no column `{name}`", nearest(name, known)


def tables_of(view: View | Part) -> tuple[TableName, ...]:
    """The tables that its own SQL names with provider and service."""
    texts = (f"FROM {view.source}", *(f" {value}" for value in view.values.values()))
    sources = (name for text in texts for name in names(text) if name.before in _BEFORE_TABLES)
    tables = (TableName(*name.parts) for name in sources if len(name.parts) == 3)
    return tuple(dict.fromkeys(tables))
