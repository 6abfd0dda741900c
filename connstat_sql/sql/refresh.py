"""`REFRESH`: forget kept rows, so that the next statement fetches.

REFRESH;  REFRESH confluent;  REFRESH plant_a.connect;  REFRESH confluent.connect.connectors
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from connstat_sql.definitions.catalog import Catalog, LiveTable, NoSuchTable
from connstat_sql.errors import BindError, Span
from connstat_sql.sql.statement import without_comments

MAY_REFRESH = re.compile(r"\brefresh\b", re.IGNORECASE)
_NAME = r'(?:"(?:[^"]|"")+"|[^\W\d]\w*)'
_REFRESH = re.compile(
    rf"\s*refresh(?:\s+(?P<names>{_NAME}(?:\s*\.\s*{_NAME})*))?\s*;?\s*", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Refresh:
    """What to forget: of one connection (None: of all), the provider, service, table named."""

    connection: str | None
    names: tuple[str, ...]


def is_refresh(sql: str) -> bool:
    """Whether one statement is a REFRESH, which DuckDB does not know."""
    return _match(sql) is not None


def read_refresh(sql: str, catalog: Catalog) -> Refresh | None:
    """What a REFRESH names; None for other statements.

    Raises BindError for a name that leads nowhere, with those that come close.
    """
    match = _match(sql)
    if match is None:
        return None
    parts = tuple(_unquoted(name) for name in re.findall(_NAME, match["names"] or ""))
    if not parts:
        return Refresh(None, ())
    try:
        return _resolved(parts, catalog)
    except BindError as error:
        error.sql = sql
        start = sql.find((match["names"] or "").split(".")[0])
        error.span = Span(start, start + len(match["names"] or "")) if start >= 0 else None
        raise


def _match(sql: str) -> re.Match[str] | None:
    if MAY_REFRESH.search(sql) is None:
        return None
    return _REFRESH.fullmatch(without_comments(sql))


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


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
        known = {**connections, **providers}
        raise _unknown(f"there is no provider or connection {parts[0]}", head, known.values())
    connection = None if head in providers else connections[head]
    provider = providers[head] if connection is None else catalog.connections[connection]
    names = (provider, *(part.lower() for part in parts[1:]))
    if len(names) > 1 and names[1] not in definitions.services(provider):
        what = f"{parts[0]} has no service {parts[1]}"
        raise _unknown(what, names[1], definitions.services(provider))
    table = catalog.resolve(parts)
    if isinstance(table, NoSuchTable):
        raise BindError(table.missing, hint=f"there is  {', '.join(table.candidates)}")
    if isinstance(table, LiveTable) and table.resource.view is not None:
        return Refresh(None, ())  # its rows are those of others, wherever they are
    return Refresh(connection, names)


def _unknown(what: str, word: str, known: Iterable[str]) -> BindError:
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=3) or names
    return BindError(what, hint=f"there is  {', '.join(close)}")
