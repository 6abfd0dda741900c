"""The live tables in DuckDB's catalog: types and comments to see, nothing to read or to change.

Each is a view that DuckDB can bind only where it is about to define or describe something. All
else that reaches one fails while it is bound, before an optimizer could find that a predicate, a
LIMIT or an empty table beside it leaves no row.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import duckdb

from connstat_sql.quoting import call, literal, own, quote

if TYPE_CHECKING:
    from connstat_sql.binder import Arguments
    from connstat_sql.catalog import Catalog
    from connstat_sql.definitions import Resource

_REFUSED = re.compile(
    r'Cannot write to database "+([^"]+)"+ - transaction is launched in read-only'
)
_AS_IT_IS = re.compile(r"(?:explain|comment)\b", re.IGNORECASE)
"""What EXPLAIN cannot stand before."""
_OPEN = own("_connstat_binds_live")
"""A variable of the session: whether what is declared may be bound."""
_WHY = "is live: it has rows only where a statement that can be planned names it"
_SAID = re.compile(rf"([\w-]+\.\w+\.\w+) {re.escape(_WHY)}")


def declare(connection: duckdb.DuckDBPyConnection, name: str, tables: Iterable[Resource]) -> None:
    """Create a view for each table of a provider, in a database of that name, or a connection's."""
    made: set[str] = set()
    tables = [*tables]
    with connection.cursor() as beside, binding_live(beside):
        beside.execute(f"ATTACH ':memory:' AS {quote(name)}")
        beside.begin()  # one each: a transaction writes to one database alone
        for resource in tables:
            _declare(beside, name, resource, made)
        beside.commit()


def named_in(sql: str, catalog: Catalog) -> Iterator[tuple[str, str]]:
    """The connections that a text names and no provider is called like, each with its provider."""
    text = sql.lower()
    providers = {name.lower() for name in catalog.definitions.providers}
    for name, provider in catalog.connections.items():
        if name.lower() in text and name.lower() not in providers:
            yield name, provider


@contextmanager
def binding_live(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Let a connection bind what reads declared tables: to define or describe it, never to run."""
    with suppress(duckdb.TransactionException):  # what has failed binds nothing
        connection.execute(f"SET VARIABLE {quote(_OPEN)} = true")
    try:
        yield
    finally:
        with suppress(duckdb.TransactionException):
            connection.execute(f"RESET VARIABLE {quote(_OPEN)}")


def written_by(connection: duckdb.DuckDBPyConnection, sql: str, arguments: Arguments) -> str | None:
    """The database that a definition would change, where it is not of temporary tables.

    DuckDB says so in a transaction that may only read, and nothing is done. There may be none yet.
    """
    asked = sql if _AS_IT_IS.match(sql) else f"EXPLAIN {sql}"
    connection.execute("BEGIN TRANSACTION READ ONLY")
    try:
        connection.execute(asked, arguments)
    except (duckdb.Error, ValueError, TypeError) as error:
        found = _REFUSED.search(str(error))
        return found[1] if found else None
    finally:
        connection.execute("ROLLBACK")
    return None


def live_table_in(message: str) -> str | None:
    """The table that an error says cannot be read in the way that was tried."""
    found = _SAID.search(message)
    return found[1] if found else None


def _declare(
    beside: duckdb.DuckDBPyConnection, head: str, resource: Resource, made: set[str]
) -> None:
    table = resource.table
    schema = f"{quote(head)}.{quote(table.service)}"
    if schema not in made:
        beside.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        made.add(schema)
    guard = _guard(f"{head}.{table.service}.{table.resource}")
    name = f"{schema}.{quote(table.resource)}"
    columns = ", ".join(
        f"CAST(NULL AS {one.type}) AS {quote(one.name)}" for one in resource.all_columns
    )
    beside.execute(f"CREATE OR REPLACE VIEW {name} AS SELECT {columns} FROM {guard}")
    beside.execute(f"COMMENT ON VIEW {name} IS {literal(resource.description)}")
    for one in resource.all_columns:
        if one.description:
            comment = literal(one.description)
            beside.execute(f"COMMENT ON COLUMN {name}.{quote(one.name)} IS {comment}")


def _guard(table: str) -> str:
    """A source that is an error while it is bound, and had one been bound, while it is read."""
    error = call("error", literal(f"{table} {_WHY}"))
    is_open = call("getvariable", literal(_OPEN))
    count = f"CASE WHEN {is_open} THEN 1 ELSE CAST({error} AS BIGINT) END"
    return f"{call('range', count)} WHERE {error} IS NULL"
