"""The cursor of PEP 249: rows of the last statement, handed out from memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

import pyarrow as pa

from connstat_sql.database.session import noted_types
from connstat_sql.database.values import Arguments
from connstat_sql.errors import InterfaceError, ProgrammingError
from connstat_sql.result import Result

Description = tuple[str, str, None, None, None, None, bool]
"""Name and DuckDB type of a column; whether it may be NULL, which every one may."""


class OpenDatabase(Protocol):
    """What a cursor needs of its connection."""

    def sql(self, sql: str, parameters: Arguments = None) -> Result:
        """Run statements; the result of the last one."""

    def confirm_open(self) -> None:
        """Raise InterfaceError once it is closed."""


class Cursor:
    """A PEP 249 cursor: rows of the last statement, fetched from memory.

    `description` is of its columns, None where it answers with none. `rowcount` is how many rows it
    has answered with or changed, -1 where nobody knows. DuckDB gives rows no number that lasts:
    `lastrowid` is None.
    """

    arraysize = 1
    lastrowid: None = None

    def __init__(self, connection: OpenDatabase) -> None:
        self.connection = connection
        self.description: list[Description] | None = None
        self.rowcount = -1
        self._rows: Iterator[tuple[Any, ...]] | None = None
        self._is_closed = False

    def execute(self, operation: str, parameters: Arguments = None) -> Cursor:
        """Run statements; rows of the last one can be fetched."""
        self._forget()
        result = self.connection.sql(operation, parameters)
        self.rowcount = _count(result)
        if result.has_rows:
            self._rows, self.description = iter(result), _description(result.table)
        return self

    def executemany(self, operation: str, seq_of_parameters: Iterable[Arguments]) -> Cursor:
        """Run a statement once for each set of parameters; `rowcount` is of all of them."""
        self._forget()
        counts = [self.execute(operation, parameters).rowcount for parameters in seq_of_parameters]
        self.rowcount = -1 if -1 in counts else sum(counts)
        return self

    def fetchone(self) -> tuple[Any, ...] | None:
        """The next row, or None after the last."""
        return next(self._open_rows(), None)

    def fetchmany(self, size: int | None = None) -> list[tuple[Any, ...]]:
        """The next rows, at most `size` (default: `arraysize`)."""
        wanted = self.arraysize if size is None else size
        return [row for _, row in zip(range(wanted), self._open_rows(), strict=False)]

    def fetchall(self) -> list[tuple[Any, ...]]:
        """All remaining rows."""
        return list(self._open_rows())

    def nextset(self) -> None:
        """Leave these rows. There are no others: of several statements the last one's are there."""
        self._forget()

    def setinputsizes(self, sizes: Sequence[Any]) -> None:  # noqa: ARG002
        """PEP 249: not needed."""
        self._confirm_open()

    def setoutputsize(self, size: int, column: int | None = None) -> None:  # noqa: ARG002
        """PEP 249: not needed."""
        self._confirm_open()

    def close(self) -> None:
        """Forget the rows, for good."""
        self._rows, self._is_closed = None, True

    def __iter__(self) -> Cursor:
        return self

    def __next__(self) -> tuple[Any, ...]:
        return next(self._open_rows())

    def __enter__(self) -> Cursor:
        self._confirm_open()
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _confirm_open(self) -> None:
        self.connection.confirm_open()
        if self._is_closed:
            raise InterfaceError("the cursor is closed", hint="open another one:  cursor()")

    def _forget(self) -> None:
        self._confirm_open()
        self._rows, self.description, self.rowcount = None, None, -1

    def _open_rows(self) -> Iterator[tuple[Any, ...]]:
        self._confirm_open()
        if self._rows is None:
            raise ProgrammingError(
                "there are no rows to fetch", hint="execute() a statement that answers with some"
            )
        return self._rows


def _count(result: Result) -> int:
    """How many rows a statement has answered with, or has changed where it says so."""
    if result.has_rows:
        return int(result.table.num_rows)
    is_told = result.table.column_names == ["Count"] and result.table.num_rows == 1
    return int(result.table["Count"][0].as_py()) if is_told else -1


def _description(table: pa.Table) -> list[Description]:
    types = noted_types(table) or ["VARCHAR"] * table.num_columns
    columns = zip(table.column_names, types, strict=True)
    return [(name, of, None, None, None, None, True) for name, of in columns]
