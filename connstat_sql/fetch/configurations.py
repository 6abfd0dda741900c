"""Whose configurations a body has: the value of one setting tells, such as the plugin's class."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import msgspec

from connstat_sql.decode import OpenBody
from connstat_sql.decode.body import decoded, descend, kind
from connstat_sql.definitions.model import KEY, Column, Method, Path, Resource, SecretKeys
from connstat_sql.fetch.request import Fetch

Owners = dict[str, str]
"""What tells a configuration from others → the value of the setting that is asked for."""


def owners_in(
    fetch: Fetch, body: OpenBody, column: Column, secret: SecretKeys
) -> tuple[Owners, int]:
    """The owners of the configurations in a column, and how many configurations have none.

    A map is told by that value itself; rows of keys and values by the parameter that they fill.
    """
    if column.redact_by is not None:
        return _owners_of_rows(fetch, body, column, secret)
    values = [*_values(fetch, body, column, secret.setting)]
    there = dict.fromkeys(value for value in values if value)
    return {value: value for value in there}, values.count("")


def _values(fetch: Fetch, body: OpenBody, column: Column, setting: str) -> Iterator[str]:
    """The setting of each configuration; "" where it has others and not that."""
    path, wanted = path_of(fetch.resource, fetch.method, column.name), _having(setting)
    for _, row in body.rows(fetch.method.rows) if path is not None else ():
        settings = descend(row, path or ())
        if settings is not None and kind(settings) == "an object" and bytes(settings) != b"{}":
            value = decoded(settings, wanted).value
            yield value if isinstance(value, str) else ""


@cache
def _having(setting: str) -> Any:
    """A type that reads one key of an object and skips the others."""
    return msgspec.defstruct("_Having", [("value", Any, None)], rename={"value": setting})


def _owners_of_rows(
    fetch: Fetch, body: OpenBody, column: Column, secret: SecretKeys
) -> tuple[Owners, int]:
    method = fetch.method
    name, value = (
        path_of(fetch.resource, method, column_name)
        for column_name in (column.redact_by or "", column.name)
    )
    if name is None or value is None:
        return {}, 0
    owner = owner_of(method)
    paths = [method.fills[owner] if owner else KEY, name, value]
    there: Owners = {}
    seen: set[str] = set()
    for key, row in body.rows(method.rows):
        of, setting, said = texts_at(key, row, paths)
        of = (of or "") if owner else ""
        seen.add(of)
        if setting == secret.setting and said:
            there[of] = said
    return there, len(seen - set(there))


def owner_of(method: Method) -> str:
    """The parameter that tells whose settings rows of keys and values are; "" where it is one's."""
    return next((name for name in method.fills if name not in method.required), "")


def path_of(resource: Resource, method: Method, name: str) -> Path | None:
    """Where a column is in a method's rows; None where it is not served."""
    column = resource.column(name)
    return method.columns.get(name, column.path if column else None)


def texts_at(key: str | None, row: bytes | msgspec.Raw, paths: Iterable[Path]) -> list[str | None]:
    """The texts at some paths of a row, of which `key` is the key; None where there is none."""
    texts: list[str | None] = []
    for path in paths:
        value: object = None if key is None else str(key)  # a plain one: ours refuses an equal one
        if path != KEY:
            inside = descend(row, path)
            value = None if inside is None else decoded(inside, Any)
        texts.append(value if isinstance(value, str) else None)
    return texts
