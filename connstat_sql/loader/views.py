"""Views in documents → definitions: tables that are SQL over other tables, and parts of unions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from connstat_sql.definitions import Part, Resource, SqlType, TableName, View
from connstat_sql.loader.checks import Findings, nearest
from connstat_sql.loader.documents import ColumnDocument, PartsDocument, ResourceDocument
from connstat_sql.loader.source import KeyPath
from connstat_sql.loader.types import UnknownType, parse_type, suggestion_for


def build_view(document: ResourceDocument, path: KeyPath, findings: Findings) -> View | None:
    """What a resource is made of where no method serves it; None where methods do."""
    values = {
        name: one.value
        for name, one in document.columns.items()
        if isinstance(one, ColumnDocument) and one.value is not None
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
    for name in set(inputs) & set(document.columns):
        findings.add((*path, "view", "inputs", name), f"`{name}` is a column already")
    return View(document.view.from_, values, inputs)


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
    found = {}
    for name, one in document.parts.items():
        words = name.split(".")
        if len(words) == 3:
            found[TableName(*words)] = Part(one.from_, one.columns)
        else:
            findings.add(("parts", name), f"`{name}` is not provider.service.resource")
    return found


def part_faults(view: Resource, part: Part) -> Iterator[tuple[str, str, str]]:
    """What is wrong with a part of a view: its column, a message, a suggestion."""
    if view.view is None or not view.view.is_union:
        yield "", f"{view.table} takes no parts", "it would be a view without `from`"
        return
    computed = view.view.values
    known = [one.name for one in view.columns if one.name not in computed]
    known += view.view.inputs
    for name in part.values:
        if name in computed:
            yield name, f"{view.table} makes `{name}` itself", "leave it out"
        elif name not in known:
            yield name, f"{view.table} has no column `{name}`", nearest(name, known)
