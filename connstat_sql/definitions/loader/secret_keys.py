"""`secret_keys`: which table tells what settings are secrets, and what must hold of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import msgspec

from connstat_sql.definitions.loader.checks import Findings, nearest
from connstat_sql.definitions.loader.cross_checks import Tables
from connstat_sql.definitions.loader.documents import ColumnDocument, SecretKeysDocument
from connstat_sql.definitions.loader.yaml import KeyPath, YamlFile
from connstat_sql.definitions.model import (
    JSON,
    VARCHAR,
    Column,
    MapOf,
    Redaction,
    Resource,
    SecretKeys,
    Service,
    TableName,
)
from connstat_sql.errors import Problem


def with_secret_keys(
    column: Column,
    document: str | ColumnDocument,
    shared: SecretKeysDocument | None,
    path: KeyPath,
    findings: Findings,
) -> Column:
    """The column, with what it or its service says of which of its settings are secrets."""
    own = msgspec.UNSET if isinstance(document, str) else document.secret_keys
    if isinstance(own, SecretKeysDocument):
        path = (*path, "secret_keys")
        if not _has_settings(column):
            findings.add(
                path, "there are no names of settings here",
                "`redact: keys` of a MAP(VARCHAR, VARCHAR), or `redact: value` with `redact_by`",
            )  # fmt: skip
        return replace(column, secret_keys=_build(own, path, findings))
    if own is None or shared is None or not _has_settings(column):
        return column
    return replace(column, secret_keys=_build(shared, ("secret_keys",), findings))


def _has_settings(column: Column) -> bool:
    if column.redact_by is not None:
        return True
    return column.redaction is Redaction.KEYS and column.type in (MapOf(VARCHAR), MapOf(JSON))


def _build(document: SecretKeysDocument, path: KeyPath, findings: Findings) -> SecretKeys | None:
    parts = document.from_.split(".")
    if len(parts) != 4:
        findings.add((*path, "from"), f"`{document.from_}` is not provider.service.resource.column")
        return None
    if len(document.with_) != 1:
        what = "names one parameter and the setting that has its value"
        findings.add((*path, "with"), what, "{plugin_class: connector.class}")
        return None
    ((param, setting),) = document.with_.items()
    where = tuple(
        (column, (values,) if isinstance(values, str) else tuple(values))
        for column, values in document.where.items()
    )
    return SecretKeys(TableName(*parts[:3]), parts[3], param, setting, where, tuple(document.never))


def secret_problems(service: Service, source: YamlFile, tables: Tables) -> Iterator[Problem]:
    """Tables that are said to tell what is secret, and cannot."""
    for resource in service.resources.values():
        for column in resource.columns:
            if column.secret_keys is not None:
                place = ("resources", resource.table.resource, "columns", column.name)
                own = (*place, "secret_keys")
                path = own if own in source.lines else ("secret_keys",)
                for word, message, hint in _faults(resource, column.secret_keys, tables):
                    yield source.problem((*path, word), message, hint)


def _faults(
    resource: Resource, secret: SecretKeys, tables: Tables
) -> Iterator[tuple[str, str, str]]:
    for message, hint in tables.faults(secret.table):
        yield "from", message, hint
    table = tables.find(secret.table)
    if table is None:
        return
    if secret.table.provider != resource.table.provider:
        yield "from", f"{secret.table} is of another provider, and so of other connections", ""
    have = [column.name for column in table.columns]
    for word, name in (("from", secret.column), *(("where", name) for name, _ in secret.where)):
        if name not in have:
            yield word, f"{table.table} has no column `{name}`", nearest(name, have)
    params = [param.name for param in table.params]
    if secret.param not in params:
        why = f"{table.table} has no parameter `{secret.param}`"
        yield "with", why, nearest(secret.param, params)
    elif table.method_asked_by(secret.param, {param.name for param in resource.params}) is None:
        why = f"no method of {table.table} without pages asks for `{secret.param}`, and else for "
        yield "with", f"{why}parameters of {resource.table} alone", ""
