"""The files that connstat reads in a setup, which no answer may take the place of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from connstat_sql.bootstrap import Setup, find_config
from connstat_sql.bootstrap.assembly import find_configuration
from connstat_sql.definitions.loader import shipped_providers
from connstat_sql.output.protected_files import Input
from connstat_sql.saved import standard_folders


def inputs_of(setup: Setup, environment: Mapping[str, str]) -> Iterator[Input]:
    """Configuration, what it names, definitions and saved queries. Raises ConfigError."""
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
