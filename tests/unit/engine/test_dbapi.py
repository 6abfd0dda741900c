"""PEP 249, by its own list: what a library that takes any database relies on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import date, datetime

import pytest

import connstat_sql
from connstat_sql import dbapi
from connstat_sql.dbapi import Connection

NAMES = (
    "apilevel", "threadsafety", "paramstyle", "connect", "Warning", "Error", "InterfaceError",
    "DatabaseError", "DataError", "OperationalError", "IntegrityError", "InternalError",
    "ProgrammingError", "NotSupportedError", "Date", "Time", "Timestamp", "DateFromTicks",
    "TimeFromTicks", "TimestampFromTicks", "Binary", "STRING", "BINARY", "NUMBER", "DATETIME",
    "ROWID",
)  # fmt: skip
ERRORS = {
    "Warning": "Exception",
    "Error": "Exception",
    "InterfaceError": "Error",
    "DatabaseError": "Error",
    "DataError": "DatabaseError",
    "OperationalError": "DatabaseError",
    "IntegrityError": "DatabaseError",
    "InternalError": "DatabaseError",
    "ProgrammingError": "DatabaseError",
    "NotSupportedError": "DatabaseError",
}
KINDS = {"STRING", "BINARY", "NUMBER", "DATETIME", "ROWID"}


@pytest.fixture
def connection() -> Iterator[Connection]:
    with dbapi.connect(connections={}, environment={}) as opened:
        opened.sql("CREATE TABLE pets(name VARCHAR PRIMARY KEY, legs INT)")
        yield opened


# --- the module -----------------------------------------------------------------------------------


def test_the_module_has_every_name_and_so_has_the_package() -> None:
    for name in NAMES:
        assert getattr(dbapi, name) is getattr(connstat_sql, name)
        assert name in dbapi.__all__
    assert (dbapi.apilevel, dbapi.threadsafety, dbapi.paramstyle) == ("2.0", 2, "qmark")


@pytest.mark.parametrize(("name", "base"), ERRORS.items())
def test_errors_derive_from_each_other_and_stand_at_the_connection(
    name: str, base: str, connection: Connection
) -> None:
    error = getattr(dbapi, name)
    assert error.__base__ is (Exception if base == "Exception" else getattr(dbapi, base))
    assert getattr(connection, name) is error


@pytest.mark.parametrize(
    ("error", "ours"),
    [
        (dbapi.InterfaceError, connstat_sql.ConfigError),
        (dbapi.InterfaceError, connstat_sql.DefinitionError),
        (dbapi.ProgrammingError, connstat_sql.SavedQueryError),
        (dbapi.ProgrammingError, connstat_sql.ParseError),
        (dbapi.ProgrammingError, connstat_sql.BindError),
        (dbapi.ProgrammingError, connstat_sql.PlanError),
        (dbapi.DatabaseError, connstat_sql.ExecuteError),
        (dbapi.OperationalError, connstat_sql.FetchError),
        (dbapi.OperationalError, connstat_sql.Interrupted),
    ],
)
def test_our_errors_are_errors_of_pep_249(error: type[Exception], ours: type[Exception]) -> None:
    assert issubclass(ours, error)


@pytest.mark.parametrize(
    ("sql", "error", "ours"),
    [
        ("SELEC 1", dbapi.ProgrammingError, connstat_sql.ParseError),
        ("SELECT ears FROM pets", dbapi.ProgrammingError, connstat_sql.BindError),
        ("SELECT error('no')", dbapi.ProgrammingError, connstat_sql.ExecuteError),
        ("SELECT CAST(name AS INT) FROM pets", dbapi.DataError, connstat_sql.ExecuteError),
        ("INSERT INTO pets VALUES ('rex', 3)", dbapi.IntegrityError, connstat_sql.ExecuteError),
        ("FROM 'nowhere.csv'", dbapi.OperationalError, connstat_sql.ExecuteError),
        (
            "ALTER TABLE pets ADD CONSTRAINT few CHECK (legs < 9)",
            dbapi.NotSupportedError,
            connstat_sql.ExecuteError,
        ),
    ],
)
def test_what_duckdb_refuses_is_the_error_that_pep_249_has_for_it(
    connection: Connection, sql: str, error: type[Exception], ours: type[Exception]
) -> None:
    connection.sql("INSERT INTO pets VALUES ('rex', 4)")
    with pytest.raises(error) as caught:
        connection.cursor().execute(sql)
    assert isinstance(caught.value, ours)


def test_constructors_make_what_parameters_take(connection: Connection) -> None:
    values = [
        dbapi.Date(2024, 2, 29),
        dbapi.Time(23, 59, 58),
        dbapi.Timestamp(2024, 2, 29, 23, 59, 58),
        dbapi.Binary(b"\0\xff"),
        None,
    ]
    sql = "SELECT ?::DATE, ?::TIME, ?::TIMESTAMP, ?::BLOB, ?"
    assert connection.cursor().execute(sql, values).fetchone() == tuple(values)
    ticks = time.mktime((2002, 12, 25, 13, 45, 30, 0, 0, -1))
    assert dbapi.DateFromTicks(ticks) == date(2002, 12, 25)
    assert dbapi.TimeFromTicks(ticks) == dbapi.Time(13, 45, 30)
    assert dbapi.TimestampFromTicks(ticks) == datetime(2002, 12, 25, 13, 45, 30)


# --- the cursor -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("STRING", "'a', 'a'::ENUM('a', 'b'), uuid(), '[]'::JSON"),
        ("BINARY", r"'\xAA'::BLOB, '101'::BIT"),
        ("NUMBER", "true, 1::UTINYINT, 1::HUGEINT, 1::DECIMAL(9, 2), 1.5::DOUBLE, 1::BIGNUM"),
        ("DATETIME", "DATE '2024-02-29', TIME '10:00', now(), now()::TIMESTAMP_NS, INTERVAL 1 DAY"),
        (None, "[1], {'a': 1}, MAP {'a': 1}, [1, 2]::INT[2]"),
    ],
)
def test_a_type_code_equals_the_object_of_its_kind_alone(
    connection: Connection, kind: str | None, values: str
) -> None:
    cursor = connection.cursor().execute(f"SELECT {values}")
    assert cursor.description is not None
    for column in cursor.description:
        assert len(column) == 7
        equal = {name for name in KINDS if column[1] == getattr(dbapi, name)}
        assert equal == {kind} - {None}
    assert dbapi.STRING not in (dbapi.NUMBER, "no type", None, 1)


def test_rows_are_fetched_in_all_ways(connection: Connection) -> None:
    cursor = connection.cursor()
    assert (cursor.description, cursor.rowcount, cursor.arraysize) == (None, -1, 1)
    assert cursor.connection is connection
    cursor.execute("SELECT i FROM range(10) AS r(i) WHERE i >= ?", [1])
    assert cursor.description == [("i", "BIGINT", None, None, None, None, True)]
    assert cursor.rowcount == 9
    assert cursor.fetchone() == (1,)
    assert cursor.fetchmany() == [(2,)]
    cursor.arraysize = 2
    assert cursor.fetchmany() == [(3,), (4,)]
    assert cursor.fetchmany(size=1) == [(5,)]
    assert next(cursor) == (6,)
    assert [row for row in cursor if row != (9,)] == [(7,), (8,)]
    assert (cursor.fetchone(), cursor.fetchmany(3), cursor.fetchall()) == (None, [], [])
    assert cursor.execute("SELECT 1").nextset() is None  # type: ignore[func-returns-value]
    assert cursor.lastrowid is None
    assert not hasattr(cursor, "callproc")
    cursor.setinputsizes([10])
    cursor.setoutputsize(10)
    cursor.setoutputsize(10, 0)


def test_a_statement_without_rows_says_how_many_it_changed(connection: Connection) -> None:
    cursor = connection.cursor()
    pets = [("rex", 4), ("tweety", 2), ("nemo", 0)]
    assert cursor.executemany("INSERT INTO pets VALUES (?, ?)", pets).rowcount == 3
    assert cursor.description is None
    assert cursor.execute("UPDATE pets SET legs = 1 WHERE legs > 0").rowcount == 2
    assert cursor.execute("DELETE FROM pets WHERE name = 'rex'").rowcount == 1
    assert cursor.execute("CREATE TABLE other(i INT)").rowcount == -1
    assert cursor.executemany("DELETE FROM pets WHERE name = ?", []).rowcount == 0
    assert cursor.execute("DELETE FROM pets WHERE legs = 7 RETURNING *").fetchall() == []
    assert cursor.execute("SELECT * FROM pets WHERE legs = 7").fetchone() is None


@pytest.mark.parametrize(
    "execute",
    [
        lambda _: None,
        lambda cursor: cursor.execute("CREATE TABLE other(i INT)"),
        lambda cursor: cursor.execute("INSERT INTO pets VALUES ('rex', 4)"),
        lambda cursor: cursor.execute("SELECT 1").nextset(),
        lambda cursor: _fails(cursor.execute("SELECT 1"), "SELEC"),
    ],
)
@pytest.mark.parametrize("fetch", ["fetchone", "fetchmany", "fetchall", "__next__"])
def test_where_there_are_no_rows_to_fetch_there_is_an_error(
    connection: Connection, execute: Callable[[dbapi.Cursor], object], fetch: str
) -> None:
    cursor = connection.cursor()
    execute(cursor)
    with pytest.raises(dbapi.ProgrammingError, match="there are no rows to fetch"):
        getattr(cursor, fetch)()


def _fails(cursor: dbapi.Cursor, sql: str) -> None:
    with pytest.raises(dbapi.Error):
        cursor.execute(sql)


# --- transactions ---------------------------------------------------------------------------------


def test_commit_and_rollback_end_what_begin_has_begun(connection: Connection) -> None:
    cursor = connection.cursor()
    connection.commit()
    connection.rollback()  # there is none, and nothing to undo
    cursor.execute("BEGIN").execute("INSERT INTO pets VALUES ('rex', 4)")
    connection.rollback()
    assert cursor.execute("FROM pets").fetchall() == []
    cursor.execute("BEGIN").execute("INSERT INTO pets VALUES ('rex', 4)")
    connection.commit()
    connection.rollback()
    assert cursor.execute("FROM pets").fetchall() == [("rex", 4)]
    connection.duckdb.begin()
    cursor.execute("DELETE FROM pets")
    connection.rollback()
    assert cursor.execute("FROM pets").fetchall() == [("rex", 4)]


@pytest.mark.parametrize("end", [Connection.rollback, Connection.commit])
def test_a_transaction_that_has_failed_ends_without_a_trace(
    connection: Connection, end: Callable[[Connection], None]
) -> None:
    cursor = connection.cursor()
    cursor.execute("BEGIN").execute("INSERT INTO pets VALUES ('rex', 4)")
    with pytest.raises(dbapi.IntegrityError):
        cursor.execute("INSERT INTO pets VALUES ('rex', 4)")
    with pytest.raises(dbapi.OperationalError):
        cursor.execute("SELECT 1")
    end(connection)
    assert cursor.execute("FROM pets").fetchall() == []


# --- closing --------------------------------------------------------------------------------------

ON_CURSOR: dict[str, Callable[[dbapi.Cursor], object]] = {
    "execute": lambda cursor: cursor.execute("SELECT 1"),
    "executemany": lambda cursor: cursor.executemany("SELECT ?", [[1]]),
    "executemany of nothing": lambda cursor: cursor.executemany("SELECT ?", []),
    "fetchone": lambda cursor: cursor.fetchone(),
    "fetchmany": lambda cursor: cursor.fetchmany(),
    "fetchall": lambda cursor: cursor.fetchall(),
    "next": next,
    "nextset": lambda cursor: cursor.nextset(),
    "setinputsizes": lambda cursor: cursor.setinputsizes([]),
    "setoutputsize": lambda cursor: cursor.setoutputsize(1),
    "with": lambda cursor: cursor.__enter__(),
}
ON_CONNECTION: dict[str, Callable[[Connection], object]] = {
    "sql": lambda connection: connection.sql("SELECT 1"),
    "explain": lambda connection: connection.explain("SELECT 1"),
    "register": lambda connection: connection.register("t", None),
    "duckdb": lambda connection: connection.duckdb,
    "cursor": lambda connection: connection.cursor(),
    "commit": lambda connection: connection.commit(),
    "rollback": lambda connection: connection.rollback(),
    "with": lambda connection: connection.__enter__(),
}


@pytest.mark.parametrize("call", ON_CURSOR.values(), ids=ON_CURSOR)
def test_a_closed_cursor_says_so_and_so_does_that_of_a_closed_connection(
    connection: Connection, call: Callable[[dbapi.Cursor], object]
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    cursor.close()
    with pytest.raises(dbapi.InterfaceError, match="the cursor is closed"):
        call(cursor)
    another = connection.cursor().execute("SELECT 1")
    connection.close()
    with pytest.raises(dbapi.InterfaceError, match="the connection is closed"):
        call(another)
    another.close()


@pytest.mark.parametrize("call", ON_CONNECTION.values(), ids=ON_CONNECTION)
def test_a_closed_connection_says_so_whatever_is_called(
    connection: Connection, call: Callable[[Connection], object]
) -> None:
    connection.close()
    with pytest.raises(dbapi.InterfaceError, match="the connection is closed") as caught:
        call(connection)
    assert caught.value.hint == "open another one:  connstat_sql.connect()"
    connection.interrupt()
    connection.close()


def test_what_a_closed_connection_has_begun_is_gone_and_its_name_is_still_told() -> None:
    connection = dbapi.connect(connections={}, environment={})
    connection.close()
    assert repr(connection).startswith("<LiveDatabase of ")


def test_what_cannot_be_registered_is_an_error_of_ours(connection: Connection) -> None:
    with pytest.raises(connstat_sql.ExecuteError):
        connection.register("t", object())
