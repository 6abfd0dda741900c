"""The tables there are, by name: what a mention in SQL means, and what was perhaps meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from connstat_sql.definitions.model import Part, Provider, Resource, Service, TableName
from connstat_sql.errors import BindError


class Definitions(Protocol):
    """Where definitions come from: the loader's library, or a test's."""

    @property
    def providers(self) -> tuple[str, ...]:
        """Names of the providers."""

    def services(self, provider: str) -> tuple[str, ...]:
        """Names of a provider's services."""

    def provider(self, name: str) -> Provider | None:
        """A provider by name."""

    def service(self, provider: str, name: str) -> Service | None:
        """A service by name."""

    def resource(self, table: TableName) -> Resource | None:
        """A resource by name."""

    def parts(self, provider: str) -> Mapping[TableName, Part]:
        """What a provider gives to views over all of them, by the view."""

    def tables(self) -> Iterator[Resource]:
        """Every resource."""


_MOST_LISTED = 12


@dataclass(frozen=True, slots=True)
class LiveTable:
    """A table as a mention names it; `connection` is None when it spans all of its provider's."""

    resource: Resource
    connection: str | None


@dataclass(frozen=True, slots=True)
class NoSuchTable:
    """A name under a provider (or connection) that leads nowhere; `candidates` come close."""

    name: str
    missing: str
    candidates: tuple[str, ...]


class Catalog:
    """Resolves names; `connections` maps each connection's name to its provider's.

    `file` is the configuration file that connections come from ("": there is none).
    """

    def __init__(
        self, definitions: Definitions, connections: Mapping[str, str], file: str = ""
    ) -> None:
        self.definitions = definitions
        self.file = file
        self.connections = connections
        self._providers = {name.lower(): name for name in definitions.providers}
        self._connections = {name.lower(): name for name in connections}

    def is_provider(self, name: str) -> bool:
        """Whether a provider or a connection bears the name."""
        return self.provider_of(name) is not None

    def provider_of(self, name: str) -> str | None:
        """The provider that a name means: its own, or that of a connection; None: neither."""
        connection = self.connection_of(name)
        own = self._providers.get(name.lower())
        return own if connection is None else self.connections[connection]

    def connection_of(self, name: str) -> str | None:
        """The connection that a name means; None where it means a provider, or nothing."""
        lower = name.lower()
        return None if lower in self._providers else self._connections.get(lower)

    def resolve(self, parts: tuple[str, ...]) -> LiveTable | NoSuchTable | None:
        """What a dotted name of three parts means; None when it is none of our names.

        A provider's name always means the provider, also where a connection bears the same name.
        """
        provider = self.provider_of(parts[0]) if len(parts) == 3 else None
        if provider is None:
            return None
        connection = self.connection_of(parts[0])
        service_name, resource_name = parts[1].lower(), parts[2].lower()
        shown = connection or provider
        services = self.definitions.services(provider)
        service = (
            self.definitions.service(provider, service_name) if service_name in services else None
        )
        if service is None:
            return _missing(parts, f"{shown} has no service {parts[1]}", services, shown)
        resource = service.resources.get(resource_name)
        if resource is None:
            what = f"{shown}.{service.name} has no table {parts[2]}"
            return _missing(parts, what, tuple(service.resources), f"{shown}.{service.name}")
        return LiveTable(resource, connection)

    def parts(self, view: TableName) -> tuple[Part, ...]:
        """What a union is made of: the parts of providers that have a connection."""
        used = set(self.connections.values())
        of_providers = (
            self.definitions.parts(name).get(view)
            for name in self.definitions.providers
            if name in used
        )
        return tuple(part for part in of_providers if part is not None)

    def nearest_provider(self, name: str) -> tuple[str, ...]:
        """Providers and connections whose names come close to one that does not exist."""
        known = {**self._providers, **self._connections}
        return tuple(known[n] for n in difflib.get_close_matches(name.lower(), known, n=3))

    def tables_called(self, name: str) -> tuple[str, ...]:
        """Whole names of the tables whose last part, or parts, are these; connected ones first."""
        return self._ending(tuple(name.lower().replace('"', "").split(".")))

    def tables_near(self, name: str, most: int = 8) -> tuple[str, ...]:
        """Whole names of tables that a name of fewer parts, or a misspelt one, may mean."""
        called = self.tables_called(name)
        if called:
            return called[:most]
        lower = name.lower().replace('"', "")
        known = [str(resource.table).lower() for resource in self.definitions.tables()]
        ends = {name.rpartition(".")[2] for name in known}
        whole = difflib.get_close_matches(lower, known, n=3)
        near = difflib.get_close_matches(lower.rpartition(".")[2], sorted(ends), n=3)
        close = (*whole, *(table for end in near for table in self._ending((end,))))
        return tuple(dict.fromkeys(close))[:most]

    def _ending(self, parts: tuple[str, ...]) -> tuple[str, ...]:
        names = [str(resource.table) for resource in self.definitions.tables()]
        close = [name for name in names if tuple(name.lower().split("."))[-len(parts) :] == parts]
        return tuple(sorted(close, key=lambda name: not self.is_awake(name.partition(".")[0])))

    def is_awake(self, provider: str) -> bool:
        """Whether tables of a provider can be asked: it has a connection, or needs none."""
        if self.connections_of(provider):
            return True
        services = (
            self.definitions.service(provider, name) for name in self.definitions.services(provider)
        )
        return all(
            not table.methods
            for service in services
            if service
            for table in service.resources.values()
        )

    def tables_of(self, provider: str) -> Iterator[Resource]:
        """Every table of a provider."""
        for name in self.definitions.services(provider):
            service = self.definitions.service(provider, name)
            yield from service.resources.values() if service else ()

    def connections_of(self, provider: str) -> tuple[str, ...]:
        """Names of a provider's connections, in the order of the configuration."""
        return tuple(name for name, of in self.connections.items() if of == provider)


def _missing(parts: tuple[str, ...], what: str, known: tuple[str, ...], scope: str) -> NoSuchTable:
    word = parts[1] if what.endswith(f"service {parts[1]}") else parts[2]
    close = difflib.get_close_matches(word.lower(), known, n=3, cutoff=0.5) or sorted(known)
    return NoSuchTable(".".join(parts), what, tuple(f"{scope}.{name}" for name in close[:8]))


def no_such(what: str, word: str, known: Sequence[str], sql: str = "") -> BindError:
    """The error for a name that is none of those known, with those that come close."""
    close = difflib.get_close_matches(word, known, n=3) or known
    return BindError(what, sql=sql, hint=f"there is  {', '.join(close)}")


def nearest_to(value: str, known: Sequence[str]) -> str:
    """Which of the known values was perhaps meant, or what they are.

    >>> nearest_to("runing", ["running", "paused"]), nearest_to("x", ["a", "b"])
    (" (did you mean 'running'?)", ' (it is one of a, b)')
    """
    by_lower = {candidate.lower(): candidate for candidate in known}
    close = difflib.get_close_matches(value.lower(), by_lower, n=1, cutoff=0.5)
    if close:
        return f" (did you mean {by_lower[close[0]]!r}?)"
    return f" (it is one of {shortened(known)})" if known else ""


def shortened(values: Sequence[str]) -> str:
    """The first of some names, and how many more there are."""
    more = f", and {len(values) - _MOST_LISTED} more" if len(values) > _MOST_LISTED else ""
    return ", ".join(values[:_MOST_LISTED]) + more
