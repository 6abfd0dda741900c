"""What must hold of `filters`: which predicates of which columns an API can be told."""

from __future__ import annotations

from connstat_sql.definitions.loader.bodies import place_faults
from connstat_sql.definitions.loader.checks import Findings
from connstat_sql.definitions.loader.time_formats import TIMES, format_faults
from connstat_sql.definitions.loader.yaml import KeyPath
from connstat_sql.definitions.model import (
    BoundKeys,
    Column,
    Filter,
    InBody,
    Method,
    Redaction,
    Resource,
    SqlType,
)
from connstat_sql.definitions.spellings import ISO, needs_zone
from connstat_sql.definitions.sql_types import is_whole_number


def check_filters(resource: Resource, path: KeyPath, findings: Findings) -> None:
    """What the filters of a resource's methods cannot be."""
    for method in resource.methods:
        for filter_ in method.filters:
            where = (*path, "methods", method.name, "filters", filter_.column)
            _check_filter(filter_, resource, where, findings)
            _check_body(filter_, method, where, findings)


def _check_filter(filter_: Filter, resource: Resource, path: KeyPath, findings: Findings) -> None:
    """Bounds need a column with an order, whose values are those that the API compares."""
    column = resource.column(filter_.column)
    if not filter_.keys:
        findings.add(path, "names no key", "`query`, `body`, `gte`, `gt`, `lte` or `lt`")
    if filter_.several is not None and not filter_.key:
        findings.add((*path, "several"), "`several` says nothing without `query` or `body`")
    if column is None:
        return
    if filter_.format and filter_.format != ISO:
        for message, suggestion in format_faults(filter_.format, column.type):
            findings.add((*path, "format"), message, suggestion)
    _check_zone(filter_, column, path, findings)
    if filter_.bounds is not None:
        _check_bounds(filter_.bounds, column, path, findings)


def _check_zone(filter_: Filter, column: Column, path: KeyPath, findings: Findings) -> None:
    """Times are sent in UTC, so those of another time zone have to say it."""
    if column.spelling is None or column.spelling.timezone in ("", "UTC"):
        return
    form = filter_.format or column.spelling.format or ISO
    if form != ISO and needs_zone(form):
        message = f"`{form}` would be sent in UTC, and the times are of {column.spelling.timezone}"
        findings.add((*path, "format"), message, "`iso8601`, `epoch`, or a format with %z")


def _check_body(filter_: Filter, method: Method, path: KeyPath, findings: Findings) -> None:
    """Places in a body that the method's requests have not, or that hold something already."""
    for key in filter_.keys:
        for message, hint in place_faults(key, method) if isinstance(key, InBody) else ():
            findings.add(path, message, hint)


def _check_bounds(bounds: BoundKeys, column: Column, path: KeyPath, findings: Findings) -> None:
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
    return str(of) in TIMES or is_whole_number(of)
