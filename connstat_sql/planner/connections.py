"""The connections that a table spans, and the constant tuples over them."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from connstat_sql.definitions.catalog import Catalog, LiveTable
from connstat_sql.definitions.model import Provider
from connstat_sql.errors import BindError, ConfigError
from connstat_sql.planner.model import CONNECTION, Constant
from connstat_sql.planner.questions import given_columns
from connstat_sql.sql.binder import Row

_MOST_LISTED = 12


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
    columns = [name for name in given_columns(rows) if name != CONNECTION]
    tuples: dict[tuple[str, ...], None] = {}
    for row in [{}] if rows is None else rows:
        only = row.get(CONNECTION)
        values = [row[name] for name in columns]
        for connection in names:
            if only is None or only == connection:
                tuples[(connection, *values)] = None
    return Constant((CONNECTION, *columns), tuple(tuples))


def _no_connection(provider: Provider, file: str) -> ConfigError:
    name = provider.name
    access_paths = [f"set {' and '.join(variables)}" for variables in provider.ways_to_connect]
    if not file:
        access_paths.append("add [connections.NAME] to connstat.toml")
        return ConfigError(f"{name} has no connection", hint=", or ".join(access_paths))
    return ConfigError(
        f"{name} has no connection in {file}",
        hint=f'write there  [connections.{name}]  provider = "{name}"; what it does not say is '
        "taken from the variables of its provider",
    )


def no_such_connection(
    name: str, known: Sequence[str], catalog: Catalog, sql: str = ""
) -> BindError:
    """The error for the name of a connection that a table has none of; `known` are its own."""
    of = catalog.connections.get(name)
    said = f"there is no connection {name[:60]!r}{nearest_to(name, known)}"
    if of is not None:
        said = f"the connection {name!r} is of {of}, and has no row of that table"
    return BindError(said, sql=sql, hint=f"connections:  {_listed(known)}")


def nearest_to(value: str, known: Sequence[str]) -> str:
    """Which of the known values was perhaps meant, or what they are.

    >>> nearest_to("runing", ["running", "paused"]), nearest_to("x", ["a", "b"])
    (" (did you mean 'running'?)", ' (it is one of a, b)')
    """
    by_lower = {candidate.lower(): candidate for candidate in known}
    close = difflib.get_close_matches(value.lower(), by_lower, n=1, cutoff=0.5)
    if close:
        return f" (did you mean {by_lower[close[0]]!r}?)"
    return f" (it is one of {_listed(known)})" if known else ""


def _listed(values: Sequence[str]) -> str:
    more = f", and {len(values) - _MOST_LISTED} more" if len(values) > _MOST_LISTED else ""
    return ", ".join(values[:_MOST_LISTED]) + more
