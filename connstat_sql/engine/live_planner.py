"""What a statement over live tables will do: read, bind, plan and check, with nothing sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from sqlglot import exp

from connstat_sql.cache import MaxAge, RowCache, accounts
from connstat_sql.database.classifier import RefreshStatement, ShowStatement
from connstat_sql.database.session import Session
from connstat_sql.database.source_map import SourceText, leading_back
from connstat_sql.database.splitter import SqlStatement
from connstat_sql.database.values import Arguments
from connstat_sql.definitions.catalog import LiveTable
from connstat_sql.definitions.model import TableName
from connstat_sql.engine.options import Catalogs, EngineOptions
from connstat_sql.errors import ParseError, PlanError
from connstat_sql.executor import check
from connstat_sql.fetch import Clients
from connstat_sql.planner import Plan, check_budget, plan, secret_columns
from connstat_sql.planner.unsatisfiable import doubts_of
from connstat_sql.result import Options
from connstat_sql.sql.binder import BoundQuery, bind
from connstat_sql.sql.introspection import Introspection
from connstat_sql.sql.nodes import find_all
from connstat_sql.sql.recursion import with_room
from connstat_sql.sql.refresh import Refresh, refresh_of
from connstat_sql.sql.shows import described, shown
from connstat_sql.sql.statement import Statement, parse
from connstat_sql.sql.views import Definition, Views
from connstat_sql.telemetry import Telemetry
from connstat_sql.transport import ClientOptions, ProcessLimits, RealClock
from connstat_sql.transport.process_limits import of_process

T = TypeVar("T")
_WRITES = (exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.TruncateTable, exp.Copy)


@dataclass(frozen=True, slots=True)
class LiveQuery:
    """A statement that may read live tables, as it was `written`, and over the tables themselves.

    `arguments` are those that are left once macros are written out.
    """

    written: Statement
    statement: Statement
    arguments: Arguments


class LivePlanner:
    """Plans statements over live tables; owns the clients that fetch, and what is kept."""

    def __init__(
        self, session: Session, wiring: Catalogs, options: EngineOptions, mask_key: str | None
    ) -> None:
        self._session = session
        self._catalog = catalog = wiring.catalog
        self._connections = connections = wiring.connections
        self._mask_key = mask_key
        self._clock = options.clock or RealClock()
        self.telemetry = Telemetry(options.tracer_provider, self._clock.now, options.observe)
        client_options = self._client_options(options, wiring.answer_memory)
        self.clients = Clients(connections, catalog.definitions.provider, client_options)
        account = accounts(connections, catalog.definitions.provider, options.environment)
        cache_file = None if mask_key is None else wiring.cache_file
        self.cache = RowCache(session, cache_file, account=account)
        self.views = Views(session, catalog, self._bind_definition)

    def _client_options(self, options: EngineOptions, answer_memory: int | None) -> ClientOptions:
        limits = of_process() if options.shares_limits else ProcessLimits()
        if answer_memory is not None:
            limits.memory.most = answer_memory
        return ClientOptions(
            self._clock,
            options.environment,
            options.transport,
            self.telemetry.observe,
            options.timeout,
            options.connect_timeout,
            limits=limits,
            waiting=options.waiting,
        )

    def plan(self, statement: SqlStatement, arguments: Arguments, options: Options) -> Plan | None:
        """The plan of a statement, bound and checked with nothing sent.

        None for a statement without live tables, for SHOW and DESCRIBE, and for definitions.
        """
        match self.read(statement, arguments):
            case Definition() as definition:
                self.views.check(definition, arguments)
            case LiveQuery() as query:
                with leading_back(query.statement.source):
                    return self._plan(query, options, self._clock.now())
        return None

    def read(
        self, statement: SqlStatement, arguments: Arguments
    ) -> Definition | Refresh | SourceText | LiveQuery:
        """What is to be done for a statement; it may be SQL of ours that answers it, unsent."""
        sql = statement.sql
        match statement.facts.own:
            case RefreshStatement() as refresh:
                return refresh_of(refresh, sql, self._catalog)
            case ShowStatement() as show:
                answer = shown(show, sql, self._catalog)
                return SourceText(answer)
        definition = self.views.definition(sql) if statement.facts.defines else None
        if definition is not None:
            return definition
        written = self.views.completed(parse(sql, syntax_of=self._session.syntax_of))
        columns = described(written, self._catalog)
        if columns is not None:
            return SourceText(columns)
        parsed = self._deeply(sql, partial(self.views.written_out, written))
        return LiveQuery(written, parsed, _named(parsed, arguments))

    def doubts(self, query: LiveQuery, arguments: Arguments) -> tuple[str, ...]:
        """Comparisons that no row can satisfy, also behind views of the user's.

        Raises BindError for a connection that is not configured.
        """
        fold, parsed = self._session.fold, query.statement
        doubts = doubts_of(query.written, arguments, self._catalog, fold)
        if parsed.source.older is None:
            return doubts
        with leading_back(parsed.source):
            behind = doubts_of(parsed, arguments, self._catalog, fold)
        return tuple(dict.fromkeys((*doubts, *behind)))

    @contextmanager
    def running(self, query: LiveQuery) -> Iterator[None]:
        """While a query is planned and runs it has one time, and faults are those of its text."""
        parsed = query.statement
        with leading_back(parsed.source), self._session.at_one_moment(parsed.sql):
            yield

    def suggestion(self, statement: SqlStatement) -> str:
        """Which providers come close to names that lead nowhere, or "".

        Names of fewer parts are no business of ours, which DuckDB knows better.
        """
        heads = [
            mention.parts[0] for mention in parse(statement.sql).mentions if len(mention.parts) == 3
        ]
        close = {name: None for head in heads for name in self._catalog.nearest_provider(head)}
        return f"did you mean  {', '.join(close)}?" if close else ""

    def _max_age(self, options: Options, table: TableName) -> MaxAge:
        """The statement's own age for a table where it gives one, else that of each connection."""
        age = options.max_ages.get(table, options.max_age)
        return lambda name: (self._connections[name].max_age or 0.0) if age is None else age

    def _deeply(self, sql: str, act: Callable[[], T]) -> T:
        """What an act answers that goes down as deep as a statement is nested."""
        try:
            return with_room(act, self._session.duckdb.interrupt)
        except RecursionError:
            raise ParseError(
                "the statement is nested too deeply",
                sql=sql,
                hint="take it apart:  CREATE TEMP TABLE mine AS …",
            ) from None

    def _plan(self, query: LiveQuery, options: Options, now: float) -> Plan | None:
        sql = query.statement.sql
        with self._session.planning(sql, options.deadline):
            return self._deeply(sql, partial(self._plan_of, query, options, now))

    def _plan_of(self, query: LiveQuery, options: Options, now: float) -> Plan | None:
        statement, arguments = query.statement, query.arguments
        introspection = self._introspection(statement.sql, arguments)
        bound = self._bind(statement, introspection)
        if not bound.tables:
            return None
        best = plan(
            bound,
            self._catalog,
            introspection,
            max_requests=options.max_requests,
            strict=options.strict,
        )
        if self._mask_key is not None:
            best = replace(best, secrets=secret_columns(best))
        best = self.cache.with_cached(best, partial(self._max_age, options), now)
        check_budget(best)
        check(best, self._session, arguments)
        introspection.confirm()
        versions, defects = self.clients.versions(), tuple(introspection.defects)
        return replace(best, versions=versions, defects=defects)

    def _bind_definition(self, statement: Statement) -> BoundQuery:
        return self._bind(statement, self._introspection(statement.sql, None))

    def _introspection(self, sql: str, arguments: Arguments) -> Introspection:
        return Introspection(self._session, sql, arguments)

    def _bind(self, statement: Statement, introspection: Introspection) -> BoundQuery:
        tables = (self._catalog.resolve(mention.parts) for mention in statement.mentions)
        is_named = any(isinstance(table, LiveTable) for table in tables)
        if is_named:
            self._refuse(statement)  # before anything is asked about what cannot be asked about
        query = bind(statement, self._catalog, introspection)
        if query.tables and not is_named:
            self._refuse(statement)
        return query

    def _refuse(self, statement: Statement) -> None:
        """Refuse what no plan can answer rightly, whatever its tables."""
        if self._writes_within(statement):
            raise PlanError(
                "a WITH that writes cannot stand beside live tables",
                sql=statement.sql,
                hint="make it a statement of its own, before this one",
            )
        if self._session.has_default_collation():
            raise PlanError(
                "default_collation is set, and an API's equality knows no collation",
                sql=statement.sql,
                hint="RESET default_collation",
            )

    def _writes_within(self, statement: Statement) -> bool:
        """Whether a CTE writes: it would run whenever a part of the statement is asked for."""
        tree = statement.tree
        ctes = find_all(tree, exp.CTE) if tree is not None else ()
        if any(isinstance(cte.this, _WRITES) for cte in ctes):
            return True
        return self._session.writes_within(statement.sql)


def _named(statement: Statement, arguments: Arguments) -> Arguments:
    """The arguments that are left once macros are written out, which may use one not at all."""
    if statement.source.older is None or statement.tree is None or not arguments:
        return arguments
    names = {placeholder.name for placeholder in find_all(statement.tree, exp.Placeholder)}
    if len(names) == len(arguments):
        return arguments
    if not isinstance(arguments, Mapping):
        arguments = {str(number): value for number, value in enumerate(arguments, 1)}
    return {name: value for name, value in arguments.items() if name in names} or None
