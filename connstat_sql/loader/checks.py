"""What must hold of names and paths within one definition file."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field

from connstat_sql.definitions import (
    KEY,
    VARCHAR,
    Method,
    Path,
    Redaction,
    Resource,
    Shape,
    SqlType,
    Struct,
)
from connstat_sql.errors import Problem
from connstat_sql.loader.source import KeyPath, Source

HIDDEN_COLUMNS = ("_connection", "_observed_at", "_url")


@dataclass
class Findings:
    """Problems of one file, gathered while its values are built."""

    source: Source
    problems: list[Problem] = field(default_factory=list)

    def add(self, path: KeyPath, message: str, suggestion: str = "") -> None:
        """Note a problem at a place of the file."""
        self.problems.append(self.source.problem(path, message, suggestion))


def nearest(word: str, known: Iterable[str]) -> str:
    """`did you mean …?` for a misspelt word, or "" when nothing comes close."""
    by_lower = {name.lower(): name for name in known}
    close = difflib.get_close_matches(word.lower(), list(by_lower), n=1, cutoff=0.6)
    return f"did you mean `{by_lower[close[0]]}`?" if close else ""


def check_names(
    names: Iterable[str], known: Iterable[str], what: str, path: KeyPath, findings: Findings
) -> None:
    """Note each name that is not among the known ones."""
    for name in names:
        if name not in known:
            findings.add(path, f"names {{{name}}}, which is not a {what}", nearest(name, known))


def check_resource(
    resource: Resource, declared: set[str], path: KeyPath, findings: Findings
) -> None:
    """What must hold within one resource."""
    params = {param.name for param in resource.params}
    columns = {column.name for column in resource.columns}
    if not resource.methods:
        findings.add((*path, "methods"), "no method serves it")
    for name in sorted(params & columns):
        findings.add(
            (*path, "columns", name),
            f"`{name}` is a parameter too; its column holds the argument",
            "give the row's own value another name, with `path`",
        )
    for name in (*columns, *params):
        if name.lower() in HIDDEN_COLUMNS:
            findings.add(path, f"`{name}` is a column of every table", "choose another name")
    if len({name.lower() for name in (*columns, *params)}) < len(columns | params):
        findings.add(path, "two columns differ only by upper and lower case")
    _check_overlaps(resource, path, findings)
    for column in resource.columns:
        if column.redaction is Redaction.VALUE and column.type != VARCHAR:
            findings.add((*path, "columns", column.name), "`redact: value` needs the type VARCHAR")
        if column.redact_by is not None and column.redact_by not in columns:
            where = (*path, "columns", column.name, "redact_by")
            check_names([column.redact_by], columns, "column", where, findings)
    for method in resource.methods:
        _check_method(method, resource, declared, (*path, "methods", method.name), findings)


def _check_overlaps(resource: Resource, path: KeyPath, findings: Findings) -> None:
    """A value may be read twice only where the outer column is a STRUCT that holds the inner."""
    for outer in resource.columns:
        for inner in resource.columns:
            depth = len(outer.path)
            is_inside = depth and inner.path[:depth] == outer.path and inner.path != outer.path
            if is_inside and not _holds(outer.type, inner.path[depth:], inner.type):
                findings.add(
                    (*path, "columns", inner.name),
                    f"is inside the column `{outer.name}`, which does not declare it alike",
                    f"make `{outer.name}` a STRUCT that holds it with the same type",
                )


def _holds(outer: SqlType, path: Path, inner: SqlType) -> bool:
    if not path:
        return outer == inner
    if not isinstance(outer, Struct):
        return False
    return any(name == path[0] and _holds(of, path[1:], inner) for name, of in outer.fields)


def _check_method(
    method: Method, resource: Resource, declared: set[str], path: KeyPath, findings: Findings
) -> None:
    columns = {column.name for column in resource.columns}
    check_names(method.required, declared | columns, "declared parameter or column", path, findings)
    check_names(method.columns, columns, "column", (*path, "columns"), findings)
    check_names(method.fills, declared, "declared parameter", (*path, "fills"), findings)
    filters = [one.column for one in method.filters]
    check_names(filters, columns, "column", (*path, "filters"), findings)
    others = {other.name for other in resource.methods} - {method.name}
    if method.details is not None:
        check_names([method.details], others, "other method", (*path, "details"), findings)
    for param in resource.params:
        known = param.name in method.required or param.name in method.fills
        if not known and param.default is None and param.parent is None:
            findings.add(
                path,
                f"neither asks for the parameter `{param.name}` nor fills it",
                f"say where a row holds it: `fills: {{{param.name}: PATH}}`",
            )
    if method.rows.shape is not Shape.MAP and KEY in (
        *method.columns.values(),
        *method.fills.values(),
    ):
        findings.add(path, "`$key` needs rows of the shape `map`")
