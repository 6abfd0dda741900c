"""What a setup says → definitions, connections, and the catalog of their tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from connstat_sql.bootstrap import CONFIG_NAME, Setup, find_config
from connstat_sql.config.attachments import Attachment, attachment_cautions, check_names
from connstat_sql.config.config_file import Configuration, read_config
from connstat_sql.config.connections import (
    Connection,
    build_connection,
    cautions,
    environment_connection,
)
from connstat_sql.definitions.catalog import Catalog
from connstat_sql.definitions.loader import Library, shipped_providers
from connstat_sql.definitions.model import Provider
from connstat_sql.errors import ConfigError, DefinitionError


class Wiring:
    """Definitions and connections of a setup, read when they are first asked for."""

    def __init__(self, setup: Setup, environment: Mapping[str, str]) -> None:
        self._setup = setup
        self._environment = environment

    @cached_property
    def file(self) -> Configuration:
        """What the configuration file says; nothing where connections were handed in."""
        return find_configuration(self._setup, self._environment)

    @cached_property
    def library(self) -> Library:
        """The definitions: shipped, the configuration file's, and the setup's own."""
        return Library([shipped_providers(), *self.file.providers, *self._setup.providers])

    @property
    def cache_file(self) -> Path | None:
        """Where fetched rows are kept between runs, as the configuration file says, or None."""
        return self.file.cache_file

    @property
    def answer_memory(self) -> int | None:
        """How many bytes answers may hold while they are read, as the file says, or None."""
        return self.file.answer_memory

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        """The databases that the configuration file names."""
        return self.file.attachments

    @property
    def views(self) -> Mapping[str, str]:
        """The views that the configuration file names, as SQL."""
        return self.file.views

    @property
    def origin(self) -> str:
        """What messages call the configuration file, or ""."""
        return "" if self.file.path is None else str(self.file.path)

    @cached_property
    def connections(self) -> Mapping[str, Connection]:
        """The connections by name."""
        return find_connections(self._setup, self.library, self._environment, self.file)

    @cached_property
    def catalog(self) -> Catalog:
        """The tables there are."""
        names = {name: connection.provider for name, connection in self.connections.items()}
        if self.attachments:
            check_names(self.attachments, (*self.library.providers, *names))
        return Catalog(self.library, names, str(self.file.path) if self.file.connections else "")

    @property
    def cautions(self) -> tuple[str, ...]:
        """What is unwise in the configuration file, though it works."""
        if self.file.path is None:
            return ()
        provider, connections = self.library.provider, self.connections.values()
        lines = (
            line
            for connection in connections
            for line in cautions(connection, provider(connection.provider))
        )
        return (*lines, *attachment_cautions(self.attachments))


def find_configuration(setup: Setup, environment: Mapping[str, str]) -> Configuration:
    """What the configuration file says; nothing where there is none, or it does not count."""
    if setup.connections is not None:
        return Configuration()
    path = find_config(setup.config, environment, setup.user, setup.here)
    return Configuration() if path is None else read_config(path)


def find_connections(
    setup: Setup,
    library: Library,
    environment: Mapping[str, str],
    file: Configuration | None = None,
) -> dict[str, Connection]:
    """The connections that were handed in, else the file's, else those of the environment.

    A file that speaks of other things alone leaves them to the environment.
    """
    if setup.connections is not None:
        return _built(setup.connections, library, environment, "connections", setup.here)
    file = file or find_configuration(setup, environment)
    if file.path is not None and file.connections:
        return _built(file.connections, library, environment, str(file.path), file.path.parent)
    connections = {}
    for provider in _providers(library):
        connection = environment_connection(provider, environment)
        if connection is not None:
            _check_shared(provider, library)
            connections[connection.name] = connection
    return connections


def _check_shared(provider: Provider, library: Library) -> None:
    """Definitions that others may have written name no variable that goes where they say."""
    wrong = library.distrust(provider.name)
    if wrong is not None:
        why, todo = wrong
        named = " and ".join(provider.variables.values())
        raise ConfigError(
            f"the definitions of {provider.name} are not given {named}: {why}",
            hint=f"{todo}, or name what they may have in a connection of {CONFIG_NAME}",
        )


def _built(
    tables: Mapping[str, Mapping[str, Any]],
    library: Library,
    environment: Mapping[str, str],
    origin: str,
    folder: Path,
) -> dict[str, Connection]:
    connections: dict[str, Connection] = {}
    for name, table in tables.items():
        if name.lower() in (known.lower() for known in connections):
            raise ConfigError(f"{origin}: two connections are called {name}")
        provider = library.provider(str(table.get("provider", "")))
        may_take = provider is None or library.distrust(provider.name) is None
        usual = environment if may_take else {}  # others might name what goes where they say
        connections[name] = build_connection(
            name, table, provider, origin, library.providers, folder, usual
        )
        _check_name(name, connections[name].provider, library.providers, origin)
    return connections


def _check_name(name: str, provider: str, providers: tuple[str, ...], origin: str) -> None:
    """Raise ConfigError where statements could not name the connection, or would mean another."""
    if not name.strip() or not name.isprintable():
        raise ConfigError(f"{origin}: a connection has no name that can be written: {name!r}")
    taken = next((known for known in providers if known.lower() == name.lower()), None)
    if taken is not None and taken != provider:
        raise ConfigError(
            f"{origin}: connection {name} is called like the provider {taken}, and is one of "
            f"{provider}",
            hint=f"in SQL the name would mean the provider; call it  {provider}_{name}",
        )


def _providers(library: Library) -> Iterator[Provider]:
    """Providers whose own file can be read; a broken one is reported when it is used."""
    for name in library.providers:
        try:
            provider = library.provider(name)
        except DefinitionError:
            continue
        if provider is not None:
            yield provider
