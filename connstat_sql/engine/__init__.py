"""The life of a query, on one screen: split, then parse, bind, plan, check and execute each.

What a statement is, its tokens say (`database/classifier.py`). One that names no live table is
DuckDB's own business and runs as it is (`local`); all others go through `live`, which is imported
when the first of them comes, and everything that it needs with it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from connstat_sql.database.session import Session
from connstat_sql.database.splitter import SqlStatement
from connstat_sql.database.statement_lock import Run, Turns
from connstat_sql.database.values import Arguments
from connstat_sql.engine.local import LocalStatements
from connstat_sql.engine.options import Catalogs, EngineOptions
from connstat_sql.errors import (
    BindError,
    DeadlinePassed,
    InterfaceError,
    PlanError,
    QueryError,
)
from connstat_sql.result import Options, Result

if TYPE_CHECKING:
    import duckdb

    from connstat_sql.database.configured import Configured
    from connstat_sql.definitions.catalog import Catalog
    from connstat_sql.engine.live import LiveTables
    from connstat_sql.executor.observed_values import TakeValues
    from connstat_sql.fetch import Clients
    from connstat_sql.planner import Plan
    from connstat_sql.transport import Connection

__all__ = ["Engine", "EngineOptions"]

_PATIENCE = 0.05
"""Seconds that a statement has to end in before it is interrupted, again."""


class Engine:
    """Runs statements over live tables, for threads in turn; close it when done."""

    def __init__(
        self,
        wiring: Catalogs,
        options: EngineOptions,
        *,
        reveal: bool = False,
        live: type[LiveTables] | None = None,
    ) -> None:
        """`live` replaces what runs statements over live tables (None: `LiveTables`)."""
        self._live_kind = live
        self.session = Session(is_sandboxed=options.is_sandboxed)
        self.session.macros.curl_options = partial(_curl_options, wiring)
        self._local = LocalStatements(self.session, lambda: wiring.catalog)
        self._wiring = wiring
        self._options = options
        self._mask_key = None if reveal else options.mask_key or secrets.token_hex(16)
        self._opened: LiveTables | None = None
        self._turns = Turns()
        self.session.watches.before_running = self._turns.confirm
        self._configured = _configured_of(wiring, self.session, options, self._define)
        self._take_values: TakeValues | None = None
        self._has_cautioned = self._is_closed = False

    def run(
        self, sql: str, arguments: Arguments = None, options: Options | None = None
    ) -> Iterator[Result]:
        """Run the statements of a text in order, yielding what each answers.

        Every statement is looked at before the first one runs, so a fault in a later one sends
        nothing. Raises a ConnstatError.
        """
        options, run = options or Options(), Run()
        with self._turn(options, run), self._with_configured(sql, options, is_new=True):
            statements = self._statements_of(sql, arguments, options)
        for statement in statements:
            configured = self._with_configured(statement.sql, options)
            with self._turn(options, run), configured as remarks, _placed(statement):
                result = self._run_one(statement, statement.arguments_of(arguments), options)
            yield replace(result, remarks=(*result.remarks, *remarks)) if remarks else result

    def interrupt(self) -> None:
        """Stop the statement that runs, if one does; from any thread, and from a signal.

        It raises Interrupted in the thread that runs it, and sends nothing more.
        """
        self._turns.interrupt()
        if self._opened is not None:
            self._opened.interrupt()
        self.session.watches.interrupt()

    def explain(
        self, sql: str, arguments: Arguments = None, options: Options | None = None
    ) -> Plan | None:
        """The plan of one statement, with nothing sent; None when it names no live table."""
        options = options or Options()
        with self._turn(options), self._with_configured(sql, options, is_new=True):
            statements = self._split(sql)
            if len(statements) != 1:
                raise PlanError("one statement at a time can be explained", sql=sql)
            [statement] = statements
            live, own_arguments = self._live_for(statement), statement.arguments_of(arguments)
            return None if live is None else live.plan(statement, own_arguments, options)

    def register(self, name: str, table: object) -> None:
        """Make an Arrow table or a data frame a table of SQL. Raises ExecuteError for others."""
        with self._turn(Options()):
            self.session.register(name, table)

    def hand_out(self) -> duckdb.DuckDBPyConnection:
        """The DuckDB connection underneath."""
        with self._turn(Options()):
            return self.session.hand_out()

    def end_transaction(self, statement: str) -> None:
        """Run COMMIT or ROLLBACK, where somebody has begun a transaction."""
        with self._turn(Options()):
            is_begun = self.session.is_in_transaction()
        if is_begun:
            list(self.run(statement))

    def confirm_open(self) -> None:
        """Raise InterfaceError once it is closed."""
        if self._is_closed:
            hint = "open another one:  connstat_sql.connect()"
            raise InterfaceError("the connection is closed", hint=hint)

    def close(self) -> None:
        """Close connections and the DuckDB session; a statement that runs is interrupted.

        In a forked process there is nothing to close: it is all another's.
        """
        while self._turns.is_of_this_process:
            with suppress(DeadlinePassed), self._turns.turn(_PATIENCE, is_last=True):
                if self._is_closed:
                    return
                self._is_closed = True
                if self._opened is not None:
                    self._opened.close()
                self.session.close()
                return
            self.interrupt()

    def watch_values(self, take: TakeValues) -> None:
        """From now on, tell of the texts in fetched rows; in the thread that runs the statement."""
        self._take_values = take
        if self._opened is not None:
            self._opened.take_values = take

    @property
    def catalog(self) -> Catalog:
        """The tables there are."""
        return self._wiring.catalog

    @property
    def connections(self) -> Mapping[str, Connection]:
        """The connections by name, as they are configured."""
        return self._wiring.connections

    @property
    def asked(self) -> tuple[str, ...]:
        """The connections that the last statement over live tables has asked, or would have."""
        return () if self._opened is None else self._opened.asked

    @property
    def cautions(self) -> tuple[str, ...]:
        """What is unwise in the configuration, though it works."""
        return self._wiring.cautions

    @property
    def clients(self) -> Clients:
        """The clients that fetch."""
        return self._live.clients

    # --- the life of a statement -------------------------------------------------------------

    @contextmanager
    def _turn(self, options: Options, run: Run | None = None) -> Iterator[None]:
        """The engine for this thread alone, and an interrupt is one of this run."""
        with self._turns.turn(options.deadline, run), self._advising():
            self.confirm_open()
            self._turns.confirm()
            yield

    def _with_configured(
        self, sql: str, options: Options, *, is_new: bool = False
    ) -> AbstractContextManager[tuple[str, ...]]:
        """What the configuration names is there for a text; there may be remarks on it."""
        if self._configured is None:
            return nullcontext(())
        return self._configured.made(sql, options.deadline, is_new=is_new)

    def _define(self, sql: str) -> None:
        """Create a view that the configuration names, as a statement of the user's would."""
        for statement in self._split(sql):
            live = self._live_for(statement)
            if live is None or live.run(statement, None, Options()) is None:
                with self._advising():
                    self._local.run(statement, None, None)

    @contextmanager
    def _advising(self) -> Iterator[None]:
        """Names that lead nowhere are told with what comes close."""
        try:
            yield
        except BindError as error:
            from connstat_sql.sql.suggestions import advise

            names = self._configured.names if self._configured is not None else ()
            advise(error, self.catalog, self.session.describe, names)
            raise

    def _run_one(self, statement: SqlStatement, arguments: Arguments, options: Options) -> Result:
        live = self._live_for(statement)
        result = None if live is None else self._run_live(live, statement, arguments, options)
        if result is None:
            try:
                result = self._local.run(statement, arguments, options.deadline)
            except BindError as error:
                if live is not None:
                    error.hint = error.hint or live.suggestion(statement)
                raise
            if self._opened is not None and not statement.is_query:
                self._opened.views.look_again()
        if not statement.is_query and self.session.declared:
            self.session.confirm_declared(self.catalog, statement.sql)
        return result

    def _run_live(
        self, live: LiveTables, statement: SqlStatement, arguments: Arguments, options: Options
    ) -> Result | None:
        with live.telemetry.statement(statement.sql) as tell:
            result = live.run(statement, arguments, options)
            tell(result)
        if result is not None and not self._has_cautioned:
            self._has_cautioned = True
            result = replace(result, remarks=(*result.remarks, *self._wiring.cautions))
        return result

    def _live_for(self, statement: SqlStatement) -> LiveTables | None:
        """What runs a statement that may name a live table, or a view or macro over some."""
        facts, opened = statement.facts, self._opened
        is_live = (
            facts.has_long_name
            or facts.own is not None
            or self.session.looks_into_declared()
            or (opened is not None and opened.views.may_be_mentioned(statement.sql))
        )
        return self._live if is_live else None

    @property
    def _live(self) -> LiveTables:
        if self._opened is None:
            from connstat_sql.engine.live import LiveTables

            kind = self._live_kind or LiveTables
            self._opened = kind(self.session, self._wiring, self._options, self._mask_key)
            self._opened.take_values = self._take_values
            self._turns.is_barred = self._opened.clients.are_here
        return self._opened

    def _statements_of(
        self, sql: str, arguments: Arguments, options: Options
    ) -> tuple[SqlStatement, ...]:
        """The statements of a text, once faults have been looked for in the later ones."""
        if options.partial:
            self._live.forget_failures()
        with self.session.watches.watched(options.deadline):
            statements = self._split(sql)
            for statement in statements if len(statements) > 1 else ():
                self._look_ahead(statement, statement.arguments_of(arguments), options)
                if not statement.is_query:  # later ones may depend on it
                    break
        return statements

    def _look_ahead(self, statement: SqlStatement, arguments: Arguments, options: Options) -> None:
        live = self._live_for(statement)
        with _placed(statement):
            if live is not None:
                live.plan(statement, arguments, options)
            elif statement.is_query:
                self._local.check(statement, arguments)

    def _split(self, sql: str) -> tuple[SqlStatement, ...]:
        statements = self.session.split(sql)
        if not statements:
            raise PlanError("there is no statement in the text", sql=sql, hint="write a SELECT")
        return statements


def _configured_of(
    wiring: Catalogs, session: Session, options: EngineOptions, define: Callable[[str], None]
) -> Configured | None:
    """What a configuration names beside connections; None where it names nothing."""
    if not (wiring.attachments or wiring.views):
        return None
    from connstat_sql.database.configured import Configured

    return Configured(
        session, wiring.attachments, wiring.views, options.environment, define, wiring.origin
    )


def _curl_options(wiring: Catalogs) -> dict[str, str]:
    """What `curl` needs to be taken for each connection."""
    from connstat_sql.transport.curl import curl_options

    definitions = wiring.catalog.definitions
    return {
        name: curl_options(provider, connection)
        for name, connection in wiring.connections.items()
        if (provider := definitions.provider(connection.provider)) is not None
    }


@contextmanager
def _placed(statement: SqlStatement) -> Iterator[None]:
    """Faults of a statement say where it begins in the whole text."""
    try:
        yield
    except QueryError as error:
        if error.sql == statement.sql:
            error.offset = statement.offset
        raise
