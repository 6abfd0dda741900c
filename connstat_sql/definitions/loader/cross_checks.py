"""What must hold between the tables of definitions: parents, views, parts, families of methods."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from connstat_sql.definitions.loader.checks import nearest
from connstat_sql.definitions.loader.views import circle_of, part_faults, tables_of, tables_of_part
from connstat_sql.definitions.loader.yaml import YamlFile
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
        for named in tables_of_part(part):
            for message, hint in tables.faults(named) if tables.knows(named.provider) else ():
                yield source.problem(path, message, hint)
        view = tables.find(table)
        for column, message, hint in part_faults(view, part) if view else ():
            yield source.problem((*path, "columns", column), message, hint)


def view_problems(service: Service, source: YamlFile, tables: Tables) -> Iterator[Problem]:
    """What views are made of that is not there, or is themselves."""
    for resource in service.resources.values():
        path = ("resources", resource.table.resource, "view")
        for named in tables_of(resource.view) if resource.view is not None else ():
            for message, hint in tables.faults(named) if tables.knows(named.provider) else ():
                yield source.problem(path, message, hint)
        if circle := circle_of(resource, tables.find):
            yield source.problem(path, f"views go in a circle: {' → '.join(circle)}")


def parent_problems(service: Service, source: YamlFile, tables: Tables) -> Iterator[Problem]:
    """Parameters whose values are said to live where they do not."""
    for resource in service.resources.values():
        for param in resource.params:
            if param.parent is not None:
                path = _param_place(source, resource, param.name)
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
    cycle = _cycle(resource, tables)
    if cycle:
        yield f"parents go in a circle: {' → '.join(cycle)}", ""


def _param_place(source: YamlFile, resource: Resource, param: str) -> tuple[str | int, ...]:
    own = ("resources", resource.table.resource, "params", param, "from")
    return own if own in source.lines else ("params", param, "from")


def _cycle(start: Resource, tables: Tables) -> tuple[str, ...]:
    """Tables on a way of parents that comes back to where it began; () when there is none."""
    ways: list[tuple[Resource, tuple[str, ...]]] = [(start, (str(start.table),))]
    seen: set[TableName] = set()
    while ways:
        resource, way = ways.pop()
        for param in resource.params:
            if param.parent is None:
                continue
            name = str(param.parent.table)
            if name == str(start.table):
                return (*way, name)
            parent = tables.find(param.parent.table)
            if parent is not None and parent.table not in seen:
                seen.add(parent.table)
                ways.append((parent, (*way, name)))
    return ()
