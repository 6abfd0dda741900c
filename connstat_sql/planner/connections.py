"""The connections that a table spans, and the constant tuples over them."""

from __future__ import annotations

from collections.abc import Sequence

from connstat_sql.binder import Row
from connstat_sql.catalog import Catalog, LiveTable
from connstat_sql.definitions import Provider
from connstat_sql.errors import ConfigError
from connstat_sql.planner.questions import given_columns
from connstat_sql.planner.values import CONNECTION, Constant


def constant_of(
    live: LiveTable, rows: Sequence[Row] | None, catalog: Catalog, provider: Provider
) -> Constant:
    """The alternatives as tuples over the columns that all of them give, and connections.

    Raises ConfigError when the provider has no connection.
    """
    names = (live.connection,) if live.connection else catalog.connections_of(provider.name)
    if not names:
        raise _no_connection(provider, catalog.file)
    if rows == ():
        return Constant((CONNECTION, *(param.name for param in live.resource.params)), ())
    given = [name for name in given_columns(rows) if name != CONNECTION]
    found: dict[tuple[str, ...], None] = {}
    for row in [{}] if rows is None else rows:
        only = row.get(CONNECTION)
        values = [row[name] for name in given]
        for connection in names:
            if only is None or only == connection:
                found[(connection, *values)] = None
    return Constant((CONNECTION, *given), tuple(found))


def _no_connection(provider: Provider, file: str) -> ConfigError:
    name = provider.name
    ways = [f"set {' and '.join(variables)}" for variables in provider.ways_to_connect]
    if not file:
        ways.append("add [connections.NAME] to connstat.toml")
        return ConfigError(f"{name} has no connection", hint=", or ".join(ways))
    return ConfigError(
        f"{name} has no connection in {file}",
        hint=f'write there  [connections.{name}]  provider = "{name}"; what it does not say is '
        "taken from the variables of its provider",
    )
