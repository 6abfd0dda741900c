"""What must hold of `filters`: which predicates of which columns an API can be told."""

from __future__ import annotations

from connstat_sql.definitions import Bounds, Column, Filter, Redaction, Resource, SqlType
from connstat_sql.definitions.spellings import ISO
from connstat_sql.loader.checks import Findings
from connstat_sql.loader.formats import TIMES, format_faults
from connstat_sql.loader.source import KeyPath


def check_filters(resource: Resource, path: KeyPath, findings: Findings) -> None:
    """What the filters of a resource's methods cannot be."""
    for method in resource.methods:
        for one in method.filters:
            where = (*path, "methods", method.name, "filters", one.column)
            _check_filter(one, resource, where, findings)


def _check_filter(one: Filter, resource: Resource, path: KeyPath, findings: Findings) -> None:
    """Bounds need a column with an order, whose values are those that the API compares."""
    column = resource.column(one.column)
    if not one.keys:
        findings.add(path, "names no query key", "`query`, `gte`, `gt`, `lte` or `lt`")
    if one.several is not None and not one.key:
        findings.add((*path, "several"), "`several` says nothing without `query`")
    if column is None:
        return
    if one.format and one.format != ISO:
        for message, suggestion in format_faults(one.format, column.type):
            findings.add((*path, "format"), message, suggestion)
    if one.bounds is not None:
        _check_bounds(one.bounds, column, path, findings)


def _check_bounds(bounds: Bounds, column: Column, path: KeyPath, findings: Findings) -> None:
    if not has_intervals(column.type):
        message = f"`{column.name}` is {column.type}"
        findings.add(path, f"{message}: only times, dates and whole numbers have bounds")
    if column.redaction is not Redaction.NONE:
        findings.add(path, f"`redact` hides the values of `{column.name}`")
    for words, keys in (("`gte` and `gt`", (bounds.at_least, bounds.above)),
                        ("`lte` and `lt`", (bounds.at_most, bounds.below))):  # fmt: skip
        if all(keys):
            findings.add(path, f"{words} say the same twice", "leave one out")
    for word, bound in zip(("gte", "gt", "lte", "lt"), bounds.keys, strict=True):
        if bound is not None and set(bound[1].params) != {"value"}:
            shown = f"`{bound[1]}` does not hold the value alone"
            findings.add((*path, word), shown, "write it as {value}")


def has_intervals(of: SqlType) -> bool:
    """Whether an API can be told between which values of a type a column is."""
    name = str(of)
    return name in TIMES or name.endswith("INT") or name == "INTEGER"
