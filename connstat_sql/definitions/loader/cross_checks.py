"""What must hold between the tables of definitions: parents, views, parts, families of methods."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol

from connstat_sql.definitions.loader.checks import nearest
from connstat_sql.definitions.loader.views import part_faults, tables_of
from connstat_sql.definitions.loader.yaml import KeyPath, YamlFile
from connstat_sql.definitions.model import Parent, Part, Provider, Resource, Service, TableName
from connstat_sql.errors import DefinitionError, Problem


class DefinitionSource(Protocol):
    """Where further definitions are; a broken file raises DefinitionError."""

    @property
    def providers(self) -> tuple[str, ...]:
        """Names of the providers."""

    def services(self, provider: str) -> tuple[str, ...]:
        """Names of a provider's services."""

    def service(self, provider: str, name: str) -> Service | None:
        """A service's definition."""

    def resource(self, table: TableName) -> Resource | None:
        """A table's definition."""


class Tables:
    """Tables that definitions may speak of: those in `local` files, else those of a shelf."""

    def __init__(self, local: Mapping[tuple[str, str], Service], library: DefinitionSource) -> None:
        self._local = local
        self._library = library

    def find(self, table: TableName) -> Resource | None:
        """A table's definition; None when there is none, or its file is broken."""
        nearby = self._local.get((table.provider, table.service))
        if nearby is not None:
            return nearby.resources.get(table.resource)
        try:
            return self._library.resource(table)
        except DefinitionError:
            return None

    def knows(self, provider: str) -> bool:
        """Whether that is a provider, and not a connection or an alias."""
        return provider in {*self._library.providers, *(name for name, _ in self._local)}

    def faults(self, table: TableName) -> Iterator[tuple[str, str]]:
        """What is wrong with naming that table, and a suggestion.

        A table of a broken file is not missing: what is wrong is reported with that file.
        """
        if self.find(table) is None and not self._is_broken(table):
            known = [str(name) for name in self._names()]
            yield f"the table {table} does not exist", nearest(str(table), known)

    def _is_broken(self, table: TableName) -> bool:
        try:
            self._library.service(table.provider, table.service)
        except DefinitionError:
            return True
        return False

    def _names(self) -> Iterator[TableName]:
        for local in self._local.values():
            yield from (resource.table for resource in local.resources.values())
        for provider in self._library.providers:
            for name in self._library.services(provider):
                try:
                    service = self._library.service(provider, name)
                except DefinitionError:
                    continue
                if service is not None:
                    yield from (resource.table for resource in service.resources.values())


def provider_problems(
    service: Service, source: YamlFile, provider: Provider | None
) -> Iterator[Problem]:
    """What methods need of their provider's file that it does not declare."""
    if provider is None:
        return
    families = tuple(provider.limits.families)
    for resource in service.resources.values():
        for method in resource.methods:
            path = ("resources", resource.table.resource, "methods", method.name)
            if method.limit and method.limit not in families:
                what = f"names the family `{method.limit}`, which `limits` does not declare"
                yield source.problem((*path, "limit"), what, nearest(method.limit, families))
            if method.fallback and provider.server_version is None:
                what = "`fallback` is for older servers, and provider.yaml does not say how old"
                hint = "`server_version: {path: PATH, at: version}` in provider.yaml"
                yield source.problem((*path, "fallback"), what, hint)


def part_problems(
    parts: Mapping[TableName, Part], source: YamlFile, tables: Tables
) -> Iterator[Problem]:
    """What is wrong with what a provider gives to views."""
    for table, part in parts.items():
        path = ("parts", str(table))
        for message, hint in tables.faults(table):
            yield source.problem(path, message, hint)
        for named in tables_of(part):
            for message, hint in tables.faults(named) if tables.knows(named.provider) else ():
                yield source.problem(path, message, hint)
        view = tables.find(table)
        for column, message, hint in part_faults(view, part) if view else ():
            yield source.problem((*path, "columns", column), message, hint)


def view_problems(service: Service, source: YamlFile, tables: Tables) -> Iterator[Problem]:
    """What views are made of that is not there, or is themselves."""
    for resource in service.resources.values():
        path = ("resources", resource.table.resource, "view")
        for named in _tables_within(resource):
            for message, hint in tables.faults(named) if tables.knows(named.provider) else ():
                yield source.problem(path, message, hint)
        if circle := _circle(resource, _tables_within, tables):
            yield source.problem(path, f"views go in a circle: {' → '.join(circle)}")


def parent_problems(service: Service, source: YamlFile, tables: Tables) -> Iterator[Problem]:
    """Parameters whose values are said to live where they do not."""
    for resource in service.resources.values():
        for param in resource.params:
            if param.parent is not None:
                path: KeyPath = ("resources", resource.table.resource, "params", param.name, "from")
                if path not in source.lines:
                    path = path[2:]
                for message, hint in _parent_faults(resource, param.parent, tables):
                    yield source.problem(path, message, hint)


def _parent_faults(resource: Resource, parent: Parent, tables: Tables) -> Iterator[tuple[str, str]]:
    yield from tables.faults(parent.table)
    table = tables.find(parent.table)
    if table is None:
        return
    have = [column.name for column in table.all_columns]
    for column in (parent.column, *(column for column, _ in parent.shared)):
        if column not in have:
            yield f"{table.table} has no column `{column}`", nearest(column, have)
    if circle := _circle(resource, _parents_of, tables):
        yield f"parents go in a circle: {' → '.join(circle)}", ""


def _parents_of(resource: Resource) -> tuple[TableName, ...]:
    return tuple(param.parent.table for param in resource.params if param.parent is not None)


def _tables_within(resource: Resource) -> tuple[TableName, ...]:
    return () if resource.view is None else tables_of(resource.view)


def _circle(
    start: Resource, next_of: Callable[[Resource], Iterable[TableName]], tables: Tables
) -> tuple[str, ...]:
    """Tables on a path that comes back to where it began; () when there is none."""
    paths: list[tuple[Resource, tuple[str, ...]]] = [(start, (str(start.table),))]
    seen: set[TableName] = set()
    while paths:
        resource, path = paths.pop()
        for name in next_of(resource):
            if name == start.table:
                return (*path, str(name))
            following = tables.find(name)
            if following is not None and name not in seen:
                seen.add(name)
                paths.append((following, (*path, str(name))))
    return ()
