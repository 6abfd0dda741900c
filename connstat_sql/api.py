"""The Python interface: `connect()`, whose connection is one of PEP 249 too (`dbapi`).

Nothing here prints, and only `connect` reads the environment.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from connstat_sql import errors
from connstat_sql.bootstrap import Setup, open_engine
from connstat_sql.cursor import Cursor
from connstat_sql.database.values import Arguments
from connstat_sql.engine import Engine, EngineOptions
from connstat_sql.errors import ConnstatError
from connstat_sql.hints import in_python, worded
from connstat_sql.planner import Plan
from connstat_sql.result import DEFAULT_MAX_REQUESTS, Options, Result

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
    outside = EngineOptions(
        environment=os.environ if environment is None else environment,
        transport=transport,
        timeout=timeout,
        connect_timeout=connect_timeout,
        shares_limits=transport is None,
        is_sandboxed=sandboxed,
    )
    with worded(in_python):
        return LiveDatabase(open_engine(setup, outside, reveal=reveal))


class LiveDatabase:
    """A DuckDB database in which the tables of providers are live.

    Threads may share it: statements take turns, but not what is done with `duckdb` itself.
    Each statement stands by itself, as in DuckDB, unless BEGIN has begun a transaction. PEP 249's
    errors are here too: `except con.IntegrityError`. Once it is closed, whatever is called raises
    InterfaceError, `close` and `interrupt` aside, which have nothing to do.
    """

    Warning = errors.Warning
    Error = errors.ConnstatError
    InterfaceError = errors.InterfaceError
    DatabaseError = errors.DatabaseError
    DataError = errors.DataError
    OperationalError = errors.OperationalError
    IntegrityError = errors.IntegrityError
    InternalError = errors.InternalError
    ProgrammingError = errors.ProgrammingError
    NotSupportedError = errors.NotSupportedError

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
        with worded(in_python):
            self._engine.register(name, table)

    @property
    def duckdb(self) -> duckdb.DuckDBPyConnection:
        """The DuckDB connection underneath."""
        return self._engine.hand_out()

    def cursor(self) -> Cursor:
        """A PEP 249 cursor."""
        self.confirm_open()
        return Cursor(self)

    def commit(self) -> None:
        """Keep what the transaction has changed that BEGIN began; without one, there is nothing.

        Of one in which a statement has failed DuckDB keeps nothing.
        """
        with worded(in_python):
            self._engine.end_transaction("COMMIT")

    def rollback(self) -> None:
        """Undo what the transaction has changed that BEGIN began; without one, there is nothing."""
        with worded(in_python):
            self._engine.end_transaction("ROLLBACK")

    def confirm_open(self) -> None:
        """Raise InterfaceError once it is closed."""
        self._engine.confirm_open()

    def interrupt(self) -> None:
        """Stop the statement that runs, if one does; from any thread.

        It raises Interrupted where it was called, and sends nothing more.
        """
        self._engine.interrupt()

    def close(self) -> None:
        """Close connections and the database; what no COMMIT has kept is gone."""
        self._engine.close()

    def __enter__(self) -> LiveDatabase:
        self.confirm_open()
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


__all__ = ["Cursor", "LiveDatabase", "connect"]
