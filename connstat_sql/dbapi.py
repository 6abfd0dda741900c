"""PEP 249, whole: what a library that takes any database looks for in its module.

    from connstat_sql import dbapi

    with dbapi.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT name FROM confluent.connect.connectors WHERE name = ?", ["orders"])
        for row in cursor:
            ...

The type code of a column is the name of its DuckDB type, which equals one of the type objects here:
`cursor.description[0][1] == dbapi.STRING`. Lists, maps and structs are none of what PEP 249 knows.
"""

from __future__ import annotations

from datetime import date as Date  # noqa: N812  # so PEP 249 calls it
from datetime import datetime as Timestamp  # noqa: N812
from datetime import time as Time  # noqa: N812

import duckdb

from connstat_sql import apilevel, paramstyle, threadsafety
from connstat_sql.api import LiveDatabase as Connection
from connstat_sql.api import connect
from connstat_sql.cursor import Cursor
from connstat_sql.errors import (
    ConnstatError,
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    Warning,  # noqa: A004
)

Error = ConnstatError
Binary = bytes


class TypeObject:
    """A kind of columns, by the names that DuckDB has for their types: equal to each of them."""

    def __init__(self, *kinds: str) -> None:
        self._kinds = frozenset(kinds)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, str):
            return self is other
        try:
            return duckdb.sqltype(other).id in self._kinds
        except duckdb.Error:  # not the name of a type
            return False

    def __hash__(self) -> int:
        return hash(self._kinds)


STRING = TypeObject("varchar", "char", "enum", "uuid")
BINARY = TypeObject("blob", "bit")
NUMBER = TypeObject(
    "boolean", "tinyint", "smallint", "integer", "bigint", "hugeint", "utinyint", "usmallint",
    "uinteger", "ubigint", "uhugeint", "bignum", "float", "double", "decimal",
)  # fmt: skip
DATETIME = TypeObject(
    "date", "time", "time_ns", "time with time zone", "timestamp", "timestamp_s", "timestamp_ms",
    "timestamp_ns", "timestamp with time zone", "timestamptz_ns", "interval",
)  # fmt: skip
ROWID = TypeObject()
"""No column has numbers of rows that last."""


def DateFromTicks(ticks: float) -> Date:  # noqa: N802
    """The day, here, so many seconds after the epoch."""
    return Date.fromtimestamp(ticks)


def TimeFromTicks(ticks: float) -> Time:  # noqa: N802
    """The time of the day, here, so many seconds after the epoch."""
    return Timestamp.fromtimestamp(ticks).time()


def TimestampFromTicks(ticks: float) -> Timestamp:  # noqa: N802
    """The moment, in the time that is used here, so many seconds after the epoch."""
    return Timestamp.fromtimestamp(ticks)


__all__ = [
    "BINARY",
    "DATETIME",
    "NUMBER",
    "ROWID",
    "STRING",
    "Binary",
    "Connection",
    "Cursor",
    "DataError",
    "DatabaseError",
    "Date",
    "DateFromTicks",
    "Error",
    "IntegrityError",
    "InterfaceError",
    "InternalError",
    "NotSupportedError",
    "OperationalError",
    "ProgrammingError",
    "Time",
    "TimeFromTicks",
    "Timestamp",
    "TimestampFromTicks",
    "TypeObject",
    "Warning",
    "apilevel",
    "connect",
    "paramstyle",
    "threadsafety",
]
