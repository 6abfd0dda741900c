"""`REFRESH`: forget kept rows, so that the next statement fetches.

REFRESH;  REFRESH confluent;  REFRESH plant_a.connect;  REFRESH confluent.connect.connectors
"""

from __future__ import annotations

from dataclasses import dataclass

from connstat_sql.database.classifier import RefreshStatement
from connstat_sql.definitions.catalog import Catalog, LiveTable, NoSuchTable, no_such
from connstat_sql.errors import BindError


@dataclass(frozen=True, slots=True)
class Refresh:
    """What to forget: of one connection (None: of all), the provider, service, table named."""

    connection: str | None
    names: tuple[str, ...]


def refresh_of(statement: RefreshStatement, sql: str, catalog: Catalog) -> Refresh:
    """What a REFRESH, whose text is `sql`, is to forget.

    Raises BindError for a name that leads nowhere, with those that come close.
    """
    if not statement.scope:
        return Refresh(None, ())
    try:
        return _resolved(statement.scope, catalog)
    except BindError as error:
        error.sql, error.span = sql, statement.span
        raise


def _resolved(parts: tuple[str, ...], catalog: Catalog) -> Refresh:
    """A provider's name means the provider, also where a connection bears the same name."""
    if len(parts) > 3:
        raise BindError(
            f"{'.'.join(parts)} has too many parts",
            hint="write  REFRESH provider.service.table,  or fewer parts",
        )
    definitions, head = catalog.definitions, parts[0].lower()
    providers = {name.lower(): name for name in definitions.providers}
    connections = {name.lower(): name for name in catalog.connections}
    if head not in providers and head not in connections:
        known = sorted({**connections, **providers}.values())
        raise no_such(f"there is no provider or connection {parts[0]}", head, known)
    connection = None if head in providers else connections[head]
    provider = providers[head] if connection is None else catalog.connections[connection]
    names = (provider, *(part.lower() for part in parts[1:]))
    if len(names) > 1 and names[1] not in definitions.services(provider):
        what = f"{parts[0]} has no service {parts[1]}"
        raise no_such(what, names[1], sorted(definitions.services(provider)))
    table = catalog.resolve(parts)
    if isinstance(table, NoSuchTable):
        raise BindError(table.missing, hint=f"there is  {', '.join(table.candidates)}")
    if isinstance(table, LiveTable) and table.resource.view is not None:
        return Refresh(None, ())  # its rows are those of others, wherever they are
    return Refresh(connection, names)
