"""Configuration, environment and definitions → an `Engine`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connstat_sql.engine import Engine, EngineOptions
from connstat_sql.errors import ConfigError, DefinitionError
from connstat_sql.files import distrust

if TYPE_CHECKING:
    from connstat_sql.config.attachments import Attachment
    from connstat_sql.definitions.catalog import Catalog
    from connstat_sql.definitions.loader import Library
    from connstat_sql.definitions.model import Provider
    from connstat_sql.transport import Configuration, Connection

CONFIG_NAME = "connstat.toml"
CONFIG_VARIABLE = "CONNSTAT_CONFIG"


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
        from connstat_sql.definitions.loader import Library, shipped_providers

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
        return self.file.attachments if self._has_file else ()

    @property
    def views(self) -> Mapping[str, str]:
        """The views that the configuration file names, as SQL."""
        return self.file.views if self._has_file else {}

    @property
    def origin(self) -> str:
        """What messages call the configuration file, or ""."""
        return str(self.file.path) if self._has_file else ""

    @cached_property
    def _has_file(self) -> bool:
        """Whether there is one, seen without the modules that read it: their import takes long."""
        setup = self._setup
        if setup.connections is not None:
            return False
        return find_config(setup.config, self._environment, setup.user, setup.here) is not None

    @cached_property
    def connections(self) -> Mapping[str, Connection]:
        """The connections by name."""
        return find_connections(self._setup, self.library, self._environment, self.file)

    @cached_property
    def catalog(self) -> Catalog:
        """The tables there are."""
        from connstat_sql.definitions.catalog import Catalog

        names = {name: connection.provider for name, connection in self.connections.items()}
        if self.attachments:
            from connstat_sql.config.attachments import check_names

            check_names(self.attachments, (*self.library.providers, *names))
        return Catalog(self.library, names, str(self.file.path) if self.file.connections else "")

    @property
    def cautions(self) -> tuple[str, ...]:
        """What is unwise in the configuration file, though it works."""
        if self.file.path is None:
            return ()
        from connstat_sql.config.attachments import attachment_cautions
        from connstat_sql.transport import cautions

        provider, connections = self.library.provider, self.connections.values()
        lines = (
            line
            for connection in connections
            for line in cautions(connection, provider(connection.provider))
        )
        return (*lines, *attachment_cautions(self.attachments))

    @property
    def is_explicit(self) -> bool:
        """Whether someone wrote down what to use, so that a fault in it is said at once."""
        setup = self._setup
        return setup.connections is not None or bool(setup.providers) or self._has_file


def open_engine(setup: Setup, options: EngineOptions, *, reveal: bool = False) -> Engine:
    """Wire an engine. Raises ConfigError or DefinitionError; nothing is sent, no secret is read."""
    wiring = Wiring(setup, options.environment)
    if wiring.is_explicit:
        _ = wiring.catalog
    return Engine(wiring, options, reveal=reveal)


def find_config(
    named: Path | None, environment: Mapping[str, str], user: Path, here: Path = Path()
) -> Path | None:
    """The configuration file: the one given, `$CONNSTAT_CONFIG`, here, or the user's.

    `user` is the user's configuration directory, `here` the working directory. None when there is
    no file. Raises ConfigError when one is named and does not exist, where something else than a
    file bears its name, and when others could have written the one that is here.
    """
    if named is not None:
        return _existing(named, "")
    if environment.get(CONFIG_VARIABLE):
        return _existing(Path(environment[CONFIG_VARIABLE]), f"${CONFIG_VARIABLE} names it")
    for path in (here / CONFIG_NAME, user / CONFIG_NAME):
        if os.path.lexists(path):
            _existing(path, "move it away, or name another one:  --config FILE")
            return _trusted(path) if path.parent == here else path
    return None


def told_configuration(setup: Setup, environment: Mapping[str, str]) -> str:
    """Which configuration counts, for people. Raises ConfigError."""
    if setup.connections is not None:
        return "configuration: handed in"
    path = find_config(setup.config, environment, setup.user, setup.here)
    if path is None:
        return "configuration: no file; connections are made of environment variables"
    return f"configuration: {path.absolute()}"


def _trusted(path: Path) -> Path:
    wrong = distrust(path)
    if wrong is None:
        return path
    why, todo = wrong
    raise ConfigError(
        f"the configuration file of this folder is not used: {why}",
        hint=f"{todo}, or name it with --config if it is to be trusted",
    )


def _existing(path: Path, hint: str) -> Path:
    if path.is_dir():
        raise ConfigError(f"{path} is a directory, not a configuration file", hint=hint)
    if not path.is_file() and not path.is_fifo():
        raise ConfigError(f"there is no configuration file {path}", hint=hint)
    return path


def find_configuration(setup: Setup, environment: Mapping[str, str]) -> Configuration:
    """What the configuration file says; nothing where there is none, or it does not count."""
    from connstat_sql.transport import Configuration, read_config

    if setup.connections is not None:
        return Configuration()
    path = find_config(setup.config, environment, setup.user, setup.here)
    return Configuration() if path is None else read_config(path)


def definition_folders(setup: Setup, environment: Mapping[str, str]) -> tuple[Path, ...]:
    """The folders of definitions beside the shipped ones; of one provider, the later one counts."""
    return (*find_configuration(setup, environment).providers, *setup.providers)


def find_connections(
    setup: Setup,
    library: Library,
    environment: Mapping[str, str],
    file: Configuration | None = None,
) -> dict[str, Connection]:
    """The connections that were handed in, else the file's, else those of the environment.

    A file that speaks of other things alone leaves them to the environment.
    """
    from connstat_sql.transport import environment_connection

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
    from connstat_sql.transport import build_connection

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
