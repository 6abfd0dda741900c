"""The Python interface: `connect()`, and a PEP 249 face of the same thing.

Nothing here prints, and only `connect` reads the environment.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from connstat_sql.bootstrap import Setup, open_engine
from connstat_sql.engine import Engine, Outside
from connstat_sql.errors import ConnstatError
from connstat_sql.hints import in_python, worded
from connstat_sql.planner import Plan
from connstat_sql.result import DEFAULT_MAX_REQUESTS, Options, Result
from connstat_sql.sql.binder import Arguments
from connstat_sql.transport.process_limits import of_process

if TYPE_CHECKING:
    import httpx


def connect(  # noqa: PLR0913  # words that are all said by name
    config: str | os.PathLike[str] | None = None,
    *,
    connections: Mapping[str, Mapping[str, Any]] | None = None,
    providers: Sequence[str | os.PathLike[str]] = (),
    timeout: float | None = None,
    connect_timeout: float | None = None,
    reveal: bool = False,
    sandboxed: bool = False,
    environment: Mapping[str, str] | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
) -> LiveDatabase:
    """Open live tables to SQL.

    `config` is a `connstat.toml`; `connections` are its tables given directly instead. Without
    either, the file is looked for, and then the environment. `providers` are folders of further
    definitions. `timeout` is for one request, `connect_timeout` for its connection, in seconds
    (None: as the connection says, else 30 and 10). `reveal` shows credentials in rows
    instead of masking them. `sandboxed` keeps SQL from files, URLs, extensions, other databases and
    settings, for SQL of somebody else's. `environment` and `transport` replace `os.environ` and the
    network.

    Raises ConfigError or DefinitionError. Nothing is sent.
    """
    setup = Setup(
        config=None if config is None else Path(config),
        connections=connections,
        providers=tuple(map(Path, providers)),
    )
    outside = Outside(
        environment=os.environ if environment is None else environment,
        transport=transport,
        timeout=timeout,
        connect_timeout=connect_timeout,
        limits=of_process() if transport is None else None,
        is_sandboxed=sandboxed,
    )
    with worded(in_python):
        return LiveDatabase(open_engine(setup, outside, reveal=reveal))


class LiveDatabase:
    """A DuckDB database in which the tables of providers are live.

    Threads may share it: statements take turns, but not what is done with `duckdb` itself.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __repr__(self) -> str:
        names: Sequence[str] = ()
        with suppress(ConnstatError):  # a configuration that cannot be read is told by who uses it
            names = [*self._engine.catalog.connections]
        return f"<LiveDatabase of {', '.join(names) or 'no connection'}>"

    def sql(
        self,
        sql: str,
        parameters: Arguments = None,
        *,
        partial: bool = False,
        max_requests: int = DEFAULT_MAX_REQUESTS,
        strict: bool = False,
        deadline: float | None = None,
        max_age: float | None = None,
    ) -> Result:
        """Run statements; the result of the last one.

        `parameters` are values for `$name` (a mapping) or `?` (a sequence). The options are those
        of `Options`. Raises a ConnstatError that says what, where, and what to do next.
        """
        options = Options(partial, max_requests, strict, deadline, max_age)
        with worded(in_python):
            *_, last = self._engine.run(sql, parameters, options)
        return last

    def explain(
        self, sql: str, parameters: Arguments = None, *, max_requests: int = DEFAULT_MAX_REQUESTS
    ) -> Plan | None:
        """The plan of one statement, with nothing sent; None when it names no live table."""
        with worded(in_python):
            return self._engine.explain(sql, parameters, Options(max_requests=max_requests))

    def register(self, name: str, table: Any) -> None:
        """Make an Arrow table or a data frame a table of SQL."""
        self._engine.register(name, table)

    @property
    def duckdb(self) -> duckdb.DuckDBPyConnection:
        """The DuckDB connection underneath."""
        return self._engine.session.hand_out()

    def cursor(self) -> Cursor:
        """A PEP 249 cursor."""
        return Cursor(self)

    def commit(self) -> None:
        """PEP 249: reading needs no commit."""

    def rollback(self) -> None:
        """PEP 249: reading needs no rollback."""

    def interrupt(self) -> None:
        """Stop the statement that runs, if one does; from any thread.

        It raises Interrupted where it was called, and sends nothing more.
        """
        self._engine.interrupt()

    def close(self) -> None:
        """Close connections and the database."""
        self._engine.close()

    def __enter__(self) -> LiveDatabase:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class Cursor:
    """A PEP 249 cursor: rows of the last statement, fetched from memory."""

    arraysize = 1

    def __init__(self, database: LiveDatabase) -> None:
        self._database = database
        self._rows: Iterator[tuple[Any, ...]] | None = None
        self.description: list[tuple[Any, ...]] | None = None
        self.rowcount = -1

    def execute(self, operation: str, parameters: Arguments = None) -> Cursor:
        """Run statements; rows of the last one can be fetched."""
        result = self._database.sql(operation, parameters)
        self._rows = iter(result)
        self.rowcount = result.table.num_rows if result.has_rows else -1
        self.description = _description(result.table) if result.has_rows else None
        return self

    def executemany(self, operation: str, seq_of_parameters: Sequence[Arguments]) -> Cursor:
        """Run a statement once for each set of parameters."""
        for parameters in seq_of_parameters:
            self.execute(operation, parameters)
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

    def setinputsizes(self, sizes: Sequence[Any]) -> None:
        """PEP 249: not needed."""

    def setoutputsize(self, size: int, column: int | None = None) -> None:
        """PEP 249: not needed."""

    def close(self) -> None:
        """Forget the rows."""
        self._rows = None

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return self._open_rows()

    def _open_rows(self) -> Iterator[tuple[Any, ...]]:
        if self._rows is None:
            raise ConnstatError("no statement was executed", hint="call execute() first")
        return self._rows


def _description(table: pa.Table) -> list[tuple[Any, ...]]:
    return [(one.name, str(one.type), None, None, None, None, one.nullable) for one in table.schema]


__all__ = ["Cursor", "LiveDatabase", "connect"]
