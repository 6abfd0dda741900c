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
        raise _no_connection(provider)
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


def _no_connection(provider: Provider) -> ConfigError:
    variables = list(provider.variables.values())
    ways = ["add [connections.NAME] to connstat.toml"]
    if variables:
        ways.insert(0, f"set {' and '.join(variables[:3])}")
    return ConfigError(f"{provider.name} has no connection", hint=", or ".join(ways))
