"""The live tables in DuckDB's catalog: types and comments to see, nothing to read or to change.

Each is a view that DuckDB can bind only where it is about to define or describe something. All
else that reaches one fails while it is bound, before an optimizer could find that a predicate, a
LIMIT or an empty table beside it leaves no row.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from connstat_sql.definitions.quoting import SEARCH_PATH, call, literal, own, quote

if TYPE_CHECKING:
    from connstat_sql.definitions.catalog import Catalog
    from connstat_sql.definitions.model import Resource

_REFUSED = re.compile(r'on database "+([^"]+)"+ which is attached in read-only mode')
_OPEN = own("_connstat_binds_live")
"""A variable of the session: up to which transaction what is declared may be bound."""
_WHY = "is live: it has rows only where a statement that can be planned names it"
_WRITTEN: dict[tuple[str, ...], bytes] = {}
"""Files of such databases by the SQL that fills them: a second engine attaches a copy."""
_MOST = 16
_KINDS = {
    "schema": "oid", "table": "table_oid", "view": "view_oid", "function": "function_oid",
    "sequence": "sequence_oid", "type": "type_oid", "column": "table_oid",
}  # fmt: skip
"""What a database holds, in DuckDB's lists of each kind, with the number that it has there."""
_SAID = re.compile(rf"([\w-]+\.\w+\.\w+) {re.escape(_WHY)}")


class LiveCatalogs:
    """The databases of a session that hold nothing but live tables; they can only be read.

    DuckDB opens none in memory so: each is written to a file of its own in `folder`, which goes at
    once where the system lets it. Without a folder, or with a full disk, they are in memory, and
    what a statement has done to one is undone behind it.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, folder: Path | None = None) -> None:
        self._connection = connection
        self._folder = folder
        self._made = 0
        self._providers: dict[str, str] = {}
        self._numbers: dict[str, int] = {}
        self._in_memory: dict[str, tuple[object, ...]] = {}
        """What each of those holds that DuckDB would let a statement write to."""

    @property
    def names(self) -> frozenset[str]:
        """Their names, in lower case."""
        return frozenset(self._numbers)

    def declare(self, catalog: Catalog, sql: str) -> None:
        """Make one for each provider, and for each connection that a text names."""
        providers = catalog.definitions.providers
        for name in self._lost():  # with a transaction that was rolled back
            del self._numbers[name], self._providers[name]
        for name, provider in (*zip(providers, providers, strict=True), *_named_in(sql, catalog)):
            if name.lower() not in self._providers:
                self._providers[name.lower()] = provider  # what is wrong with one is said once
                self._make(name, catalog)

    def are_searched(self) -> bool:
        """Whether the search path leads to one of them."""
        if not self._numbers:
            return False
        try:
            row = self._connection.execute(SEARCH_PATH).fetchone()
        except duckdb.TransactionException:
            return False  # one that has failed reads nothing, and is due to be told so
        listed = ",".join(map(str, row or ())).lower()
        return any(name in listed for name in self._numbers)

    def put_back(self, catalog: Catalog) -> str | None:
        """Undo what a statement has done to one of them, or attached in its place: its name."""
        taken = {*catalog.definitions.providers, *catalog.connections}
        taken = {name.lower() for name in taken}
        with self._connection.cursor() as cursor:
            now = _databases(cursor)
            strange = [
                name
                for name, number in now.items()
                if self._numbers.get(name.lower()) != number
                and (name.lower() in taken or number in self._numbers.values())
            ]
            for name in strange:
                cursor.execute(f"DETACH DATABASE {quote(name)}")
        lost = self._lost()
        for name in lost:
            self._make(name, catalog)
        return next(iter((*lost, *strange)), None)

    def written_to(self, catalog: Catalog) -> str | None:
        """The name of one that a statement has written to; it is as before, but in a transaction.

        There the next statement that asks here does it, unless it is the ROLLBACK.
        """
        if not self._in_memory:
            return None
        with suppress(duckdb.TransactionException):  # what has failed is undone already
            now = _contents(self._connection, self._in_memory)
            changed = [name for name, held in self._in_memory.items() if now.get(name) != held]
            with self._connection.cursor() as cursor:
                now = _contents(cursor, changed)
            for name in changed:
                if now.get(name) != self._in_memory[name]:
                    self._make(name, catalog)
            return next(iter(changed), None)
        return None

    def _lost(self) -> list[str]:
        if not self._numbers:
            return []
        with self._connection.cursor() as cursor:
            now = {name.lower(): number for name, number in _databases(cursor).items()}
        return [name for name, number in self._numbers.items() if now.get(name) != number]

    def _make(self, name: str, catalog: Catalog) -> None:
        statements = (*_statements(name, catalog.tables_of(self._providers[name.lower()])),)
        with self._connection.cursor() as cursor, binding_live(cursor):
            if not self._attach(cursor, name, statements):
                cursor.execute(f"DETACH DATABASE IF EXISTS {quote(name)}")
                cursor.execute(f"ATTACH ':memory:' AS {quote(name)}")
                _fill(cursor, statements)
                self._in_memory[name] = _contents(cursor, [name])[name]
            self._numbers[name.lower()] = _databases(cursor)[name]

    def _attach(
        self, cursor: duckdb.DuckDBPyConnection, name: str, statements: tuple[str, ...]
    ) -> bool:
        """Whether it could be written to a file, and opened to be read."""
        if self._folder is None:
            return False
        self._made += 1
        path = self._folder / f"declared_{self._made}.db"
        file = literal(str(path))
        try:
            if (written := _WRITTEN.get(statements)) is not None:
                path.write_bytes(written)
            else:
                cursor.execute(f"ATTACH {file} AS {quote(name)}")
                _fill(cursor, statements)
                cursor.execute(f"DETACH {quote(name)}")
                while len(_WRITTEN) >= _MOST:
                    _WRITTEN.pop(next(iter(_WRITTEN)), None)
                _WRITTEN[statements] = path.read_bytes()
            cursor.execute(f"ATTACH {file} AS {quote(name)} (READ_ONLY)")
        except (OSError, duckdb.IOException, duckdb.PermissionException, duckdb.FatalException):
            with suppress(duckdb.Error):
                cursor.rollback()
            return False
        finally:
            for written_file in (path, path.with_name(f"{path.name}.wal")):
                with suppress(OSError):  # an open file cannot be removed everywhere
                    written_file.unlink(missing_ok=True)
        return True


def _databases(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    sql = f"SELECT database_name, database_oid FROM {call('duckdb_databases')}"
    return dict(connection.execute(sql).fetchall())


def _contents(
    connection: duckdb.DuckDBPyConnection, names: Iterable[str]
) -> dict[str, tuple[object, ...]]:
    """How much some databases hold, and a number that is another when anything has changed."""
    listed = ", ".join(map(literal, names))
    if not listed:
        return {}
    kinds = " UNION ALL ".join(
        f"SELECT database_name, {literal(kind)} AS kind, {number} AS number, comment "
        f"FROM {call(f'duckdb_{kind}s')}"
        for kind, number in _KINDS.items()
    )
    held = call("sum", call("hash", "kind", "number", "comment"))
    rows = connection.execute(
        f"SELECT database_name, {call('count', '*')}, {held} FROM ({kinds}) AS t "
        f"WHERE database_name IN ({listed}) GROUP BY database_name"
    ).fetchall()
    return {name: tuple(held) for name, *held in rows}


def _fill(cursor: duckdb.DuckDBPyConnection, statements: Iterable[str]) -> None:
    cursor.begin()  # one for each database: a transaction writes to one alone
    for statement in statements:
        cursor.execute(statement)
    cursor.commit()


def read_only_in(message: str) -> str | None:
    """The database that an error says can only be read."""
    match = _REFUSED.search(message)
    return match[1] if match else None


def _named_in(sql: str, catalog: Catalog) -> Iterator[tuple[str, str]]:
    """The connections that a text names and no provider is called like, each with its provider."""
    text = sql.lower()
    providers = {name.lower() for name in catalog.definitions.providers}
    for name, provider in catalog.connections.items():
        if name.lower() in text and name.lower() not in providers:
            yield name, provider


@contextmanager
def binding_live(
    connection: duckdb.DuckDBPyConnection, *, is_in_transaction: bool = False
) -> Iterator[None]:
    """Let a connection bind what reads declared tables: to define or describe it, never to run it.

    A transaction that fails takes no variable back: within one it is good for its time alone.
    """
    until = call("now") if is_in_transaction else "CAST('infinity' AS TIMESTAMPTZ)"
    with suppress(duckdb.TransactionException):  # what has failed binds nothing
        connection.execute(f"SET VARIABLE {quote(_OPEN)} = {until}")
    try:
        yield
    finally:
        with suppress(duckdb.TransactionException):
            connection.execute(f"RESET VARIABLE {quote(_OPEN)}")


def live_table_in(message: str) -> str | None:
    """The table that an error says cannot be read in the way that was tried."""
    match = _SAID.search(message)
    return match[1] if match else None


def _statements(head: str, tables: Iterable[Resource]) -> Iterator[str]:
    """SQL of a view for each table, in a database named `head`: a provider's, or a connection's."""
    made: set[str] = set()
    for resource in tables:
        table = resource.table
        schema = f"{quote(head)}.{quote(table.service)}"
        if schema not in made:
            yield f"CREATE SCHEMA IF NOT EXISTS {schema}"
            made.add(schema)
        guard = _guard(f"{head}.{table.service}.{table.resource}")
        name = f"{schema}.{quote(table.resource)}"
        columns = ", ".join(
            f"CAST(NULL AS {column.type}) AS {quote(column.name)}"
            for column in resource.all_columns
        )
        yield f"CREATE OR REPLACE VIEW {name} AS SELECT {columns} FROM {guard}"
        yield f"COMMENT ON VIEW {name} IS {literal(resource.description)}"
        for column in resource.all_columns:
            if column.description:
                comment = literal(column.description)
                yield f"COMMENT ON COLUMN {name}.{quote(column.name)} IS {comment}"


def _guard(table: str) -> str:
    """A source that is an error while it is bound, and had one been bound, while it is read."""
    error = call("error", literal(f"{table} {_WHY}"))
    is_open = f"{call('getvariable', literal(_OPEN))} >= {call('now')}"
    count = f"CASE WHEN {is_open} THEN 1 ELSE CAST({error} AS BIGINT) END"
    return f"{call('range', count)} WHERE {error} IS NULL"
