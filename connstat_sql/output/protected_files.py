"""Files that connstat itself reads: no answer is written in their place."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from connstat_sql.bootstrap import Setup, find_config
from connstat_sql.bootstrap.assembly import find_configuration
from connstat_sql.files import NotOurs


class Input(NamedTuple):
    """A file that is read, and what it is."""

    path: Path
    what: str


def inputs_of(setup: Setup, environment: Mapping[str, str]) -> Iterator[Input]:
    """Configuration, what it names, definitions and saved queries. Raises ConfigError."""
    from connstat_sql.definitions.loader import shipped_providers
    from connstat_sql.saved import standard_folders

    if setup.connections is None:
        path = find_config(setup.config, environment, setup.user, setup.here)
        if path is not None:
            yield Input(path, "the configuration that is in use")
    file = find_configuration(setup, environment)
    yield from (Input(path, what) for path, what in file.names)
    folders = (*file.providers, *setup.providers)
    for folder in (*folders, shipped_providers()):
        yield from (Input(path, "a definition") for path in folder.glob("**/*.yaml"))
    for folder in standard_folders(setup.here, setup.user, folders):
        yield from (Input(path, "a saved query") for path in folder.glob("*.sql"))


def refuse_inputs(path: Path, inputs: Iterable[Input]) -> None:
    """Raise NotOurs where a path leads to a file that is read, by whatever name."""
    if not os.path.lexists(path):
        return
    for input_ in inputs:
        if _is_same(path, input_.path):
            raise NotOurs(path, f"it is {input_.what}; name another file")


def _is_same(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except OSError:  # one of them leads nowhere
        return path.resolve() == other.resolve()
