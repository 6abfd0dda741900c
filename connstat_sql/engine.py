"""The life of a query, on one screen: split, then parse, bind, plan, check and execute each.

A statement that names no live table is DuckDB's own business and runs as it is; `live` does the
rest, and is imported when it is first needed.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Protocol, TypeVar

from connstat_sql.database.errors import RunText, interruptible
from connstat_sql.database.session import Session
from connstat_sql.database.splitter import SqlStatement, is_rowless, named_arguments
from connstat_sql.database.statement_lock import Turns
from connstat_sql.database.values import Arguments
from connstat_sql.definitions.lexer import names, split, spoken
from connstat_sql.errors import (
    BindError,
    DeadlinePassed,
    ExecuteError,
    InterfaceError,
    Interrupted,
    ParseError,
    PlanError,
    QueryError,
)
from connstat_sql.result import Options, Result
from connstat_sql.sql.in_lists import set_aside

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb
    import httpx
    from opentelemetry.trace import TracerProvider

    from connstat_sql.config.attachments import Attachment
    from connstat_sql.database.configured import Configured
    from connstat_sql.definitions.catalog import Catalog
    from connstat_sql.executor.observed_values import TakeValues
    from connstat_sql.executor.progress import Progress
    from connstat_sql.fetch import Clients
    from connstat_sql.live import LiveTables
    from connstat_sql.planner import Plan
    from connstat_sql.telemetry import Telemetry
    from connstat_sql.transport import Attempt, ClientOptions, Clock, Connection, RetryNotice

T = TypeVar("T")
_LISTED = ("providers", "services", "tables")
"""What a SHOW of ours lists."""
_MAKES_FUNCTIONS = re.compile(
    r"\b(create|drop|alter|attach|detach|load|install|import|rollback|abort|execute)\b",
    re.IGNORECASE,
)
_ATTACHES = re.compile(r"\b(attach|detach|alter)\b", re.IGNORECASE)
_DESCRIBES = re.compile(r"(describe|desc|show|pragma)\b", re.IGNORECASE)
"""What tells of tables, and reads none."""
_NO_TABLES = "these are tables of your own; SHOW ALL TABLES lists those of the APIs too"
_CATALOG_WORDS = re.compile(
    r"\b(information_schema|duckdb_\w+|pg_\w+|show|describe|use|pragma\w*|query_table|query"
    r"|sqlite_\w+|search_path|detach)\b",
    re.IGNORECASE,
)


_SETTING = ("set", "session", "local", "global")


class RealClock:
    """The machine's clock."""

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Wait without holding up other requests."""
        import asyncio

        await asyncio.sleep(seconds)


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """What an engine takes from outside; None and the defaults mean the real thing.

    `timeout` is for one request, `connect_timeout` for its connection, in seconds (None: as each
    connection says). An engine that `shares_limits` keeps to those of the process, as all others
    that do; else it has its own.
    `observe` is told of each attempt when it has ended, on another thread; `progress` of the scans
    under way, on the thread that runs the statement, at most about ten times a second. `mask_key`
    makes masks of credentials equal between processes (None: a new key for each engine).
    `is_sandboxed` keeps SQL from files, URLs, extensions and settings.
    `tracer_provider` makes OpenTelemetry spans (None: the program's own, once it has loaded
    OpenTelemetry). `waiting` is told of a request that waits for long, on another thread.
    """

    environment: Mapping[str, str] = field(repr=False)
    transport: httpx.AsyncBaseTransport | None = None
    clock: Clock = field(default_factory=RealClock)
    observe: Callable[[Attempt], None] = lambda _: None
    progress: Callable[[Sequence[Progress]], None] = lambda _: None
    timeout: float | None = None
    connect_timeout: float | None = None
    shares_limits: bool = False
    mask_key: str | None = field(default=None, repr=False)
    is_sandboxed: bool = False
    tracer_provider: TracerProvider | None = None
    waiting: Callable[[RetryNotice], None] = lambda _: None


class Catalogs(Protocol):
    """Definitions and connections, read when they are first asked for."""

    @property
    def catalog(self) -> Catalog:
        """The tables there are."""

    @property
    def connections(self) -> Mapping[str, Connection]:
        """The connections by name."""

    @property
    def cache_file(self) -> Path | None:
        """Where fetched rows are kept between runs (None: nowhere)."""

    @property
    def answer_memory(self) -> int | None:
        """How many bytes answers may hold while they are read (None: what is usual)."""

    @property
    def cautions(self) -> tuple[str, ...]:
        """What is unwise in the configuration, to be told once."""

    @property
    def attachments(self) -> Sequence[Attachment]:
        """Databases for DuckDB to attach where a statement names them."""

    @property
    def views(self) -> Mapping[str, str]:
        """SQL under names that statements may use."""

    @property
    def origin(self) -> str:
        """Where those were written, for messages."""


_PATIENCE = 0.05
"""Seconds that a statement has to end in before it is interrupted, again."""


@dataclass(slots=True)
class _Run:
    """The statements of one text, which an interrupt stops together."""

    is_interrupted: bool = False


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
        self.session.watches.before_running = self._stop_if_interrupted
        self.session.macros.curl_options = partial(_curl_options, wiring)
        self._wiring = wiring
        self._options = options
        self._mask_key = None if reveal else options.mask_key or secrets.token_hex(16)
        self._opened: LiveTables | None = None
        self._telemetry: Telemetry
        self._turns = Turns()
        self._run = _Run()
        self._configured: Configured | None = None
        if wiring.attachments or wiring.views:
            from connstat_sql.database.configured import Configured

            self._configured = Configured(
                self.session, wiring.attachments, wiring.views, options.environment,
                self._define, wiring.origin,
            )  # fmt: skip
        self._take_values: TakeValues | None = None
        self._has_cautioned = self._is_closed = False

    def run(
        self, sql: str, arguments: Arguments = None, options: Options | None = None
    ) -> Iterator[Result]:
        """Run the statements of a text in order, yielding what each answers.

        Every statement is looked at before the first one runs, so a fault in a later one sends
        nothing. Raises a ConnstatError.
        """
        options, run = options or Options(), _Run()
        with self._turn(run, options), self._with_configured(sql, options, is_new=True):
            statements = self._stoppable(partial(self._statements_of, sql, arguments, options))
        for statement in statements:
            own_arguments = named_arguments(statement, arguments)
            configured = self._with_configured(statement.sql, options)
            with self._turn(run, options), configured as remarks, _placed(statement):
                result = self._stoppable(partial(self._run_one, statement, own_arguments, options))
            yield replace(result, remarks=(*result.remarks, *remarks)) if remarks else result

    def interrupt(self) -> None:
        """Stop the statement that runs, if one does; from any thread, and from a signal.

        It raises Interrupted in the thread that runs it, and sends nothing more.
        """
        self._run.is_interrupted = True
        if self._opened is not None:
            self._opened.interrupt()
        self.session.watches.interrupt()

    def explain(
        self, sql: str, arguments: Arguments = None, options: Options | None = None
    ) -> Plan | None:
        """The plan of one statement, with nothing sent; None when it names no live table."""
        options = options or Options()
        with self._turn(_Run(), options), self._with_configured(sql, options, is_new=True):
            statements = self._split(sql)
            if len(statements) != 1:
                raise PlanError("one statement at a time can be explained", sql=sql)
            own_arguments = named_arguments(statements[0], arguments)
            return self._advising(lambda: self._plan(statements[0], own_arguments, options))

    def register(self, name: str, table: object) -> None:
        """Make an Arrow table or a data frame a table of SQL. Raises ExecuteError for others."""
        with self._turn(_Run(), Options()):
            self.session.register(name, table)

    def hand_out(self) -> duckdb.DuckDBPyConnection:
        """The DuckDB connection underneath."""
        with self._turn(_Run(), Options()):
            return self.session.hand_out()

    def end_transaction(self, statement: str) -> None:
        """Run COMMIT or ROLLBACK, where somebody has begun a transaction."""
        with self._turn(_Run(), Options()):
            is_begun = self.session.is_in_transaction()
        if is_begun:
            for _ in self.run(statement):
                pass

    def confirm_open(self) -> None:
        """Raise InterfaceError once it is closed."""
        if self._is_closed:
            raise InterfaceError(
                "the connection is closed", hint="open another one:  connstat_sql.connect()"
            )

    def close(self) -> None:
        """Close connections and the DuckDB session; a statement that runs is interrupted.

        In a forked process there is nothing to close: it is all another's.
        """
        while self._turns.is_of_this_process:
            with suppress(DeadlinePassed), self._turns.turn(_PATIENCE):
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
    def _turn(self, run: _Run, options: Options) -> Iterator[None]:
        """The engine for this thread alone, and an interrupt is one of this run."""
        if self._opened is not None and self._opened.is_loop():
            raise ExecuteError("whoever observes requests cannot run statements", sql="")
        with self._turns.turn(options.deadline):
            self.confirm_open()
            self._run = run
            yield

    @contextmanager
    def _with_configured(
        self, sql: str, options: Options, *, is_new: bool = False
    ) -> Iterator[tuple[str, ...]]:
        """What the configuration names is there for a text; where it is not, errors say why.

        So do remarks, where the text asks for all there is.
        """
        if self._configured is None:
            yield ()
            return
        from connstat_sql.database.configured import is_listing, meant

        if is_new:
            self._configured.begin()
        with self.session.watches.watched(options.deadline):
            failures = self._stoppable(partial(self._configured.make, sql))
        with meant(failures):
            yield tuple(failure.message for failure in failures.values()) if is_listing(sql) else ()

    def _define(self, sql: str) -> None:
        """Create a view that the configuration names, as a statement of the user's would."""
        for statement in self._split(sql):
            live = self._live if self._may_be_live(statement) else None
            if live is None or live.run(statement, None, Options()) is None:
                self._advising(partial(self._run_locally, statement, None, None))

    def _stoppable(self, act: Callable[[], T]) -> T:
        """What an act answers. Whatever DuckDB says when it is stopped, it is an interrupt."""
        try:
            self._stop_if_interrupted()
            with interruptible():
                return self._advising(act)
        except KeyboardInterrupt as error:
            if self._run.is_interrupted:  # DuckDB was asked to stop, and nobody has pressed a key
                raise Interrupted("interrupted") from error
            raise

    def _advising(self, act: Callable[[], T]) -> T:
        """What an act answers; names that lead nowhere are told with what comes close."""
        try:
            return act()
        except BindError as error:
            from connstat_sql.sql.suggestions import advise

            names = self._configured.names if self._configured is not None else ()
            advise(error, self.catalog, self.session.describe, names)
            raise

    def _stop_if_interrupted(self) -> None:
        if self._run.is_interrupted:
            raise Interrupted("interrupted")

    def _run_one(self, statement: SqlStatement, arguments: Arguments, options: Options) -> Result:
        result = (
            self._run_live(statement, arguments, options) if self._may_be_live(statement) else None
        )
        if result is None:
            result = self._run_locally(statement, arguments, options.deadline)
            if self._opened is not None and not statement.is_query:
                self._opened.views.look_again()
        if not statement.is_query and self.session.declared:
            self.session.confirm_declared(self.catalog, statement.sql)
        return result

    def _run_live(
        self, statement: SqlStatement, arguments: Arguments, options: Options
    ) -> Result | None:
        live = self._live
        with self._telemetry.statement(statement.sql) as tell:
            result = live.run(statement, arguments, options)
            tell(result)
        if result is not None and not self._has_cautioned:
            self._has_cautioned = True
            result = replace(result, remarks=(*result.remarks, *self._wiring.cautions))
        return result

    def _run_locally(
        self, statement: SqlStatement, arguments: Arguments, deadline: float | None
    ) -> Result:
        """A statement without live tables: DuckDB's own business, whatever it is."""
        started = time.monotonic()
        if _looks_into_catalogs(statement.sql):
            self.session.declare(self.catalog, statement.sql)
        binding = self.session.binding_live() if _DESCRIBES.match(statement.sql) else nullcontext()
        try:
            with binding:
                text = RunText(statement.sql, statement.sql)
                table = self.session.run(text, arguments, seconds=deadline)
        except BindError as error:
            if self._may_be_live(statement):
                error.hint = error.hint or self._live.suggestion(statement)
            raise
        if not statement.is_query and _MAKES_FUNCTIONS.search(statement.sql):
            self.session.forget_functions()
        if not statement.is_query and _ATTACHES.search(statement.sql):
            self.session.put_back(self.catalog, statement.sql)
        seconds = time.monotonic() - started
        is_lost = not table.num_rows and _is_show_tables(statement.sql)
        notes = (_NO_TABLES,) if is_lost else ()
        return Result(table, not is_rowless(statement, table), seconds=seconds, remarks=notes)

    def _plan(self, statement: SqlStatement, arguments: Arguments, options: Options) -> Plan | None:
        return (
            self._live.plan(statement, arguments, options) if self._may_be_live(statement) else None
        )

    def _may_be_live(self, statement: SqlStatement) -> bool:
        """Whether a statement may name a live table, or a view or macro over some."""
        if _may_name_live(statement.sql) or _may_be_own(statement.sql):
            return True
        if self.session.looks_into_declared():
            return True
        return self._opened is not None and self._opened.views.may_be_mentioned(statement.sql)

    @property
    def _live(self) -> LiveTables:
        if self._opened is None:
            from connstat_sql.live import LiveTables
            from connstat_sql.telemetry import Telemetry

            options = self._options
            self._telemetry = Telemetry(options.tracer_provider, options.clock.now, options.observe)
            self._opened = (self._live_kind or LiveTables)(
                self.session,
                self.catalog,
                self._wiring.connections,
                _client_options(options, self._telemetry, self._wiring.answer_memory),
                self._mask_key,
                options.progress,
                self._wiring.cache_file,
            )
            self._opened.before_fetching = self._stop_if_interrupted
            self._opened.take_values = self._take_values
        return self._opened

    # --- before the first statement runs -----------------------------------------------------

    def _statements_of(
        self, sql: str, arguments: Arguments, options: Options
    ) -> tuple[SqlStatement, ...]:
        if options.partial:
            self._live.forget_failures()
        with self.session.watches.watched(options.deadline):
            statements = self._split(sql)
            self._look_ahead(statements, arguments, options)
        return statements

    def _split(self, sql: str) -> tuple[SqlStatement, ...]:
        statements: tuple[SqlStatement, ...] = ()
        for text, is_own in _own_statements(sql):
            own = SqlStatement(text, 0, frozenset(), is_rowless=False, is_query=True)
            statements += (own,) if is_own else self._split_part(text)
        if not statements:
            raise PlanError("there is no statement in the text", sql=sql, hint="write a SELECT")
        return statements

    def _split_part(self, text: str) -> tuple[SqlStatement, ...]:
        short, lists = set_aside(text)
        if not lists:
            return self.session.split(text)
        try:
            statements = self.session.split(short)
        except ParseError:
            return self.session.split(text)
        whole = tuple(replace(statement, sql=_stretch(text, statement)) for statement in statements)
        is_same = all(_stretch(short, statement) == statement.sql for statement in statements)
        return whole if is_same else self.session.split(text)

    def _look_ahead(
        self, statements: Sequence[SqlStatement], arguments: Arguments, options: Options
    ) -> None:
        """Find the faults of later statements, as far as they do not depend on earlier ones."""
        if len(statements) == 1:
            return
        for statement in statements:
            own_arguments = named_arguments(statement, arguments)
            with _placed(statement):
                is_local = self._plan(statement, own_arguments, options) is None
                if is_local and statement.is_query and not self._may_be_live(statement):
                    self.session.check(RunText(statement.sql, statement.sql), own_arguments)
            if not statement.is_query:
                return


def _client_options(
    options: EngineOptions, telemetry: Telemetry, answer_memory: int | None
) -> ClientOptions:
    """What the engine's clients take of its options."""
    from connstat_sql.transport import ClientOptions, ProcessLimits
    from connstat_sql.transport.process_limits import of_process

    limits = of_process() if options.shares_limits else ProcessLimits()
    if answer_memory is not None:
        limits.memory.most = answer_memory
    return ClientOptions(
        options.clock,
        options.environment,
        options.transport,
        telemetry.observe,
        options.timeout,
        options.connect_timeout,
        limits=limits,
        waiting=options.waiting,
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


def _stretch(text: str, statement: SqlStatement) -> str:
    return text[statement.offset : statement.offset + len(statement.sql)]


def _own_statements(sql: str) -> Iterator[tuple[str, bool]]:
    """The text by statements where it holds a SHOW or REFRESH, which DuckDB does not know."""
    if not _may_be_own(sql):
        yield sql, False
        return
    from connstat_sql.sql.refresh import is_own

    for text, _ in split(sql):
        yield text, is_own(text)


@lru_cache(maxsize=8)
def _may_be_own(sql: str) -> bool:
    """Whether a text may hold a SHOW or REFRESH of ours."""
    text = sql.lower()
    is_likely = "refresh" in text or "show" in text
    words = ((name.before, name.parts[0].lower()) for name in names(sql)) if is_likely else ()
    return any(
        word == "refresh" or (before == "show" and word in _LISTED) for before, word in words
    )


@lru_cache(maxsize=8)
def _may_name_live(sql: str) -> bool:
    """Whether a text holds a name of three parts, as those of live tables are."""
    return sql.count(".") > 1 and any(len(name.parts) > 2 for name in names(sql))


def _looks_into_catalogs(sql: str) -> bool:
    """Whether a text may ask which databases, schemas and tables there are, or choose one."""
    if _CATALOG_WORDS.search(sql) is not None:
        return True
    listed = names(sql) if "schema" in sql.lower() else ()
    return any(name.before in _SETTING and name.parts[0].lower() == "schema" for name in listed)


def _is_show_tables(sql: str) -> bool:
    begun = [token.word for token in spoken(sql, 4)]
    return begun[:2] == ["show", "tables"] and begun[2:] in ([], [";"])
