"""SHOW and DESCRIBE of live tables: answered from the definitions, with nothing sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from connstat_sql.database.classifier import Show, ShowStatement
from connstat_sql.definitions.catalog import Catalog, LiveTable, no_such
from connstat_sql.definitions.model import Param, Resource
from connstat_sql.definitions.quoting import literal, quote
from connstat_sql.errors import BindError
from connstat_sql.sql.statement import Statement, TableUse

Scope = tuple[str, ...]
"""The dotted name at the end of a SHOW, as parts."""


def shown(show: ShowStatement, sql: str, catalog: Catalog) -> str:
    """SQL whose rows answer a SHOW of ours, whose own text is `sql`."""
    return _ANSWERS[show.what](show.scope, sql, catalog)


def described(statement: Statement, catalog: Catalog) -> str | None:
    """SQL whose rows answer a DESCRIBE of a live table; None for all others."""
    for mention in statement.mentions:
        live = catalog.resolve(mention.parts) if mention.use is TableUse.DESCRIBE else None
        if isinstance(live, LiveTable):
            columns = ("column_name", "column_type", "null", "key", "default", "extra")
            return values_table(columns, _column_rows(live.resource))
    return None


def _providers(_scope: Scope, _sql: str, catalog: Catalog) -> str:
    rows = []
    for name in catalog.definitions.providers:
        provider = catalog.definitions.provider(name)
        if provider is not None:
            connections = ", ".join(catalog.connections_of(name))
            rows.append((name, provider.description, connections))
    return values_table(("provider", "description", "connections"), rows)


def _services(scope: Scope, sql: str, catalog: Catalog) -> str:
    provider = _provider_of(scope, sql, catalog, parts=1)
    rows = []
    for name in catalog.definitions.services(provider):
        service = catalog.definitions.service(provider, name)
        if service is not None:
            rows.append((provider, name, service.description, str(len(service.resources))))
    return values_table(("provider", "service", "description", "tables"), rows)


def _tables(scope: Scope, sql: str, catalog: Catalog) -> str:
    provider = _provider_of(scope, sql, catalog, parts=2)
    wanted = scope[1:2]
    services = catalog.definitions.services(provider)
    if wanted and wanted[0].lower() not in services:
        what = f"{provider} has no service {wanted[0]}"
        raise no_such(what, wanted[0].lower(), services, sql)
    rows = []
    for name in wanted or services:
        service = catalog.definitions.service(provider, name.lower())
        for resource in service.resources.values() if service else ():
            rows.append((str(resource.table), resource.description, ", ".join(required(resource))))
    return values_table(("table", "description", "required"), rows)


def required(resource: Resource) -> list[str]:
    """Parameters that the cheapest-to-satisfy method needs and that have no default."""
    defaults = {param.name for param in resource.params if param.default is not None}
    needs = [[n for n in method.required if n not in defaults] for method in resource.choices]
    return min(needs, key=len, default=[])


def _provider_of(scope: Scope, sql: str, catalog: Catalog, parts: int) -> str:
    if not 1 <= len(scope) <= parts:
        raise BindError("name a provider", sql=sql, hint="SHOW SERVICES IN confluent")
    provider = catalog.provider_of(scope[0])
    if provider is not None:
        return provider
    what = f"there is no provider {scope[0]}"
    raise no_such(what, scope[0].lower(), catalog.definitions.providers, sql)


def values_table(columns: Sequence[str], rows: Iterable[Sequence[str | None]]) -> str:
    """SQL that answers with the given rows of text."""
    listed = [
        "(" + ", ".join("NULL" if v is None else literal(v) for v in row) + ")" for row in rows
    ]
    names = ", ".join(map(quote, columns))
    if not listed:
        nothing = ", ".join(f"CAST(NULL AS VARCHAR) AS {quote(name)}" for name in columns)
        return f"SELECT {nothing} WHERE false"
    return f"SELECT * FROM (VALUES {', '.join(listed)}) AS listed({names})"


def _column_rows(resource: Resource) -> Iterator[tuple[str | None, ...]]:
    """A table's columns as DESCRIBE answers them; parameters are marked."""
    required = {name for method in resource.choices for name in method.required}
    for column in resource.columns:
        yield column.name, str(column.type), "YES", None, None, column.description or None
    for param in resource.params:
        yield (
            param.name,
            str(param.type),
            "NO",
            _param_word(param, required),
            param.default,
            param.description,
        )


def _param_word(param: Param, required: set[str]) -> str:
    if param.default is not None or param.name not in required:
        return "parameter"
    return "required" if param.parent is None else "parameter, enumerated"


_ANSWERS = {Show.PROVIDERS: _providers, Show.SERVICES: _services, Show.TABLES: _tables}
