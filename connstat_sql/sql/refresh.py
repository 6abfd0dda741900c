"""`REFRESH`: forget kept rows, so that the next statement fetches.

REFRESH;  REFRESH confluent;  REFRESH plant_a.connect;  REFRESH confluent.connect.connectors
"""

from __future__ import annotations

from dataclasses import dataclass

from connstat_sql.definitions.catalog import Catalog, LiveTable, NoSuchTable, no_such
from connstat_sql.definitions.lexer import Lexeme, read_name, spoken
from connstat_sql.errors import BindError, Span
from connstat_sql.sql.statement import read_show

_LONGEST = 20
"""Tokens: more than a name of too many parts has, which is said of it."""


@dataclass(frozen=True, slots=True)
class Refresh:
    """What to forget: of one connection (None: of all), the provider, service, table named."""

    connection: str | None
    names: tuple[str, ...]


def is_own(sql: str) -> bool:
    """Whether one statement is a SHOW or REFRESH of ours, which DuckDB does not know."""
    return _named(sql) is not None or read_show(sql) is not None


def read_refresh(sql: str, catalog: Catalog) -> Refresh | None:
    """What a REFRESH names; None for other statements.

    Raises BindError for a name that leads nowhere, with those that come close.
    """
    named = _named(sql)
    if named is None:
        return None
    if not named:
        return Refresh(None, ())
    try:
        return _resolved(read_name(named), catalog)
    except BindError as error:
        error.sql, error.span = sql, Span(named[0].start, named[-1].end)
        raise


def _named(sql: str) -> list[Lexeme] | None:
    """The tokens of the name behind REFRESH, which may be none; None for other statements."""
    listed = spoken(sql, _LONGEST)
    if listed and listed[-1].text == ";":
        listed.pop()
    is_refresh = [token.word for token in listed[:1]] == ["refresh"]
    return listed[1:] if is_refresh and (listed[1:] == [] or read_name(listed[1:])) else None


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
