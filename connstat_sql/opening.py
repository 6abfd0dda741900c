"""Configuration, environment and definitions → an `Engine`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connstat_sql.catalog import Catalog
from connstat_sql.engine import Engine, Outside
from connstat_sql.errors import ConfigError, DefinitionError
from connstat_sql.loader import Library, shipped_providers
from connstat_sql.transport import (
    Connection,
    build_connection,
    environment_connection,
    find_config,
    read_config,
)


@dataclass(frozen=True, slots=True)
class Setup:
    """What a user says of connections and definitions.

    `connections` are tables as in `connstat.toml`; None means: the configuration file, or the
    environment when there is no file. `providers` are further folders of definitions. `user` is
    the user's configuration directory, `here` the working directory.
    """

    config: Path | None = None
    connections: Mapping[str, Mapping[str, Any]] | None = field(default=None, repr=False)
    providers: tuple[Path, ...] = ()
    user: Path = field(default_factory=lambda: Path.home() / ".config" / "connstat")
    here: Path = Path()


def open_engine(setup: Setup, outside: Outside, *, reveal: bool = False) -> Engine:
    """Wire an engine. Raises ConfigError or DefinitionError; nothing is sent, no secret is read."""
    library = Library([shipped_providers(), *setup.providers])
    connections = find_connections(setup, library, outside.environment)
    catalog = Catalog(library, {name: one.provider for name, one in connections.items()})
    return Engine(catalog, connections, outside, reveal=reveal)


def find_connections(
    setup: Setup, library: Library, environment: Mapping[str, str]
) -> dict[str, Connection]:
    """The connections that were handed in, else the file's, else those of the environment."""
    if setup.connections is not None:
        return _built(setup.connections, library, "connections", setup.here)
    path = find_config(setup.config, environment, setup.user, setup.here)
    if path is not None:
        return _built(read_config(path), library, str(path), path.parent)
    found = (environment_connection(provider, environment) for provider in _providers(library))
    return {one.name: one for one in found if one is not None}


def _built(
    tables: Mapping[str, Mapping[str, Any]], library: Library, origin: str, folder: Path
) -> dict[str, Connection]:
    found: dict[str, Connection] = {}
    for name, table in tables.items():
        if name.lower() in (known.lower() for known in found):
            raise ConfigError(f"{origin}: two connections are called {name}")
        provider = library.provider(str(table.get("provider", "")))
        found[name] = build_connection(name, table, provider, origin, library.providers, folder)
    return found


def _providers(library: Library) -> Iterable[Any]:
    """Providers whose own file can be read; a broken one is reported when it is used."""
    for name in library.providers:
        try:
            yield library.provider(name)
        except DefinitionError:
            continue
