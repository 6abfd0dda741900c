"""Configuration, environment and definitions → an `Engine`.

They are read by `assembly`, which is imported when there is something to read: SQL over tables of
one's own, without a configuration, needs none of it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connstat_sql.engine import Engine, EngineOptions
from connstat_sql.errors import ConfigError
from connstat_sql.files import distrust

if TYPE_CHECKING:
    from connstat_sql.bootstrap.assembly import Wiring
    from connstat_sql.definitions.catalog import Catalog
    from connstat_sql.transport import Connection

__all__ = [
    "CONFIG_NAME",
    "EngineOptions",
    "LateWiring",
    "Setup",
    "definition_folders",
    "find_config",
    "open_engine",
    "told_configuration",
]

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


class LateWiring:
    """A wiring where nobody has written down what to use: it is made when it is first asked for."""

    attachments = ()
    origin = ""

    def __init__(self, setup: Setup, environment: Mapping[str, str]) -> None:
        self._setup = setup
        self._environment = environment

    @cached_property
    def wiring(self) -> Wiring:
        """The wiring itself."""
        from connstat_sql.bootstrap.assembly import Wiring

        return Wiring(self._setup, self._environment)

    @property
    def views(self) -> Mapping[str, str]:
        """None."""
        return {}

    @property
    def catalog(self) -> Catalog:
        """The tables there are."""
        return self.wiring.catalog

    @property
    def connections(self) -> Mapping[str, Connection]:
        """The connections by name."""
        return self.wiring.connections

    @property
    def cache_file(self) -> Path | None:
        """Where fetched rows are kept between runs."""
        return self.wiring.cache_file

    @property
    def answer_memory(self) -> int | None:
        """How many bytes answers may hold while they are read."""
        return self.wiring.answer_memory

    @property
    def cautions(self) -> tuple[str, ...]:
        """What is unwise, though it works."""
        return self.wiring.cautions


def open_engine(setup: Setup, options: EngineOptions, *, reveal: bool = False) -> Engine:
    """Wire an engine. Raises ConfigError or DefinitionError; nothing is sent, no secret is read.

    What is wrong with what someone wrote down is said at once.
    """
    late = LateWiring(setup, options.environment)
    if not (setup.connections is not None or setup.providers or _has_file(setup, options)):
        return Engine(late, options, reveal=reveal)
    _ = late.catalog
    return Engine(late.wiring, options, reveal=reveal)


def _has_file(setup: Setup, options: EngineOptions) -> bool:
    return find_config(setup.config, options.environment, setup.user, setup.here) is not None


def definition_folders(setup: Setup, environment: Mapping[str, str]) -> tuple[Path, ...]:
    """The folders of definitions beside the shipped ones; of one provider, the later one counts."""
    from connstat_sql.bootstrap.assembly import find_configuration

    return (*find_configuration(setup, environment).providers, *setup.providers)


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
