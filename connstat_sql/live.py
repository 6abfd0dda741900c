"""Statements that name live tables: bind, plan, check, execute.

Imported when the first such statement comes: a plain DuckDB statement needs none of this.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import duckdb
import pyarrow as pa
from sqlglot import exp

from connstat_sql.cache import MaxAge, RowCache, accounts
from connstat_sql.database.errors import RunText
from connstat_sql.database.session import Session
from connstat_sql.database.splitter import SqlStatement, is_rowless
from connstat_sql.database.values import Arguments
from connstat_sql.definitions.catalog import Catalog, LiveTable
from connstat_sql.definitions.model import TableName
from connstat_sql.errors import ParseError, PlanError, counted
from connstat_sql.executor import (
    Execution,
    ExecutionContext,
    Progress,
    TakeValues,
    check,
    execute,
    failures_table,
    in_words,
)
from connstat_sql.fetch import (
    Clients,
    DeclaredSecrets,
    Inquiry,
    PageStream,
    RequestBudget,
    Responses,
)
from connstat_sql.planner import (
    Cached,
    Plan,
    as_text,
    check_budget,
    plan,
    secret_columns,
)
from connstat_sql.planner.unsatisfiable import doubts_of
from connstat_sql.result import Options, Result
from connstat_sql.sql.binder import BoundQuery, bind
from connstat_sql.sql.introspection import Introspection
from connstat_sql.sql.nodes import find_all
from connstat_sql.sql.recursion import with_room
from connstat_sql.sql.refresh import Refresh, read_refresh
from connstat_sql.sql.shows import own_answer
from connstat_sql.sql.source_map import leading_back
from connstat_sql.sql.statement import Statement, parse
from connstat_sql.sql.views import Views
from connstat_sql.transport import ClientOptions, Connection

T = TypeVar("T")
_WRITES = (exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.TruncateTable, exp.Copy)


class LiveTables:
    """Runs statements over live tables; owns the clients that fetch."""

    def __init__(
        self,
        session: Session,
        catalog: Catalog,
        connections: Mapping[str, Connection],
        client_options: ClientOptions,
        mask_key: str | None,
        progress: Callable[[Sequence[Progress]], None] = lambda _: None,
        cache_file: Path | None = None,
    ) -> None:
        self.clients = Clients(connections, catalog.definitions.provider, client_options)
        account = accounts(connections, catalog.definitions.provider, client_options.environment)
        in_clear = mask_key is None
        self.cache = RowCache(session, None if in_clear else cache_file, account=account)
        self._connections = connections
        self._client_options = client_options
        self._progress = progress
        self._stream: PageStream | None = None
        self.asked: tuple[str, ...] = ()
        self.before_fetching: Callable[[], None] = lambda: None
        self.take_values: TakeValues | None = None
        self._session = session
        self._catalog = catalog
        self._mask_key = mask_key
        self._declared = DeclaredSecrets(catalog.definitions.resource)
        self.views = Views(session, catalog, self._bind_definition)

    def run(self, statement: SqlStatement, arguments: Arguments, options: Options) -> Result | None:
        """Run a statement; None when it names no live table after all."""
        started, begun = time.monotonic(), self._client_options.clock.now()
        defined = self.views.define(statement.sql, arguments)
        if defined is not None:
            return Result(defined, has_rows=False, seconds=time.monotonic() - started)
        refresh = read_refresh(statement.sql, self._catalog)
        if refresh is not None:
            return self._refreshed(refresh, started)
        parsed = self._read(statement.sql)
        answer = own_answer(parsed, self._catalog)
        if answer is not None:
            return Result(self._session.run(RunText(answer, answer), None), has_rows=True)
        doubts = doubts_of(parsed, arguments, self._catalog, self._session.fold)
        parsed = self._written_out(parsed)
        if parsed.origin is not None:  # what stands behind a view of the user's
            with leading_back(parsed.sql, parsed.origin):
                doubts_behind = doubts_of(parsed, arguments, self._catalog, self._session.fold)
            doubts = tuple(dict.fromkeys((*doubts, *doubts_behind)))
        moment = self._session.at_one_moment(parsed.sql)
        with leading_back(parsed.sql, parsed.origin), moment:
            arguments = _named(parsed, arguments)
            result = self._run(statement, parsed, arguments, options, started, begun)
        return result if result is None or not doubts else replace(result, doubts=doubts)

    def _run(
        self,
        statement: SqlStatement,
        parsed: Statement,
        arguments: Arguments,
        options: Options,
        started: float,
        begun: float,
    ) -> Result | None:
        plan = self._plan(parsed, arguments, options)
        if plan is None:
            return None
        until = None if options.deadline is None else begun + options.deadline
        if parsed.explain == "plan":
            return Result(_lines(as_text(plan)), has_rows=True, plan=plan)
        execution = self._execute(plan, arguments, options, until)
        self._session.confirm_macros(parsed.sql)
        seconds = time.monotonic() - started
        table, has_rows = execution.table, not is_rowless(statement, execution.table)
        metadata, headers = table.schema.metadata, self.views.headers(table.column_names, parsed)
        table = table.rename_columns(headers).replace_schema_metadata(metadata)
        if parsed.explain == "analyze":
            table, has_rows = _lines(_analyzed(plan, execution, seconds)), True
        notes = (*execution.notes, *self.cache.take_notes())
        return Result(table, has_rows, execution.scans, execution.failures, plan, seconds, notes)

    def plan(self, statement: SqlStatement, arguments: Arguments, options: Options) -> Plan | None:
        """The plan of a statement, bound and checked with nothing sent.

        None for a statement without live tables, for SHOW and DESCRIBE, and for definitions.
        """
        if self.views.check(statement.sql, arguments) or read_refresh(statement.sql, self._catalog):
            return None
        parsed = self._read(statement.sql)
        if own_answer(parsed, self._catalog) is not None:
            return None
        parsed = self._written_out(parsed)
        with leading_back(parsed.sql, parsed.origin):
            return self._plan(parsed, _named(parsed, arguments), options)

    def suggestion(self, statement: SqlStatement) -> str:
        """Which providers come close to names that lead nowhere, or "".

        Names of fewer parts are no business of ours, which DuckDB knows better.
        """
        heads = [
            mention.parts[0] for mention in parse(statement.sql).mentions if len(mention.parts) == 3
        ]
        close = {name: None for head in heads for name in self._catalog.nearest_provider(head)}
        return f"did you mean  {', '.join(close)}?" if close else ""

    def forget_failures(self) -> None:
        """Make the table `_errors` anew, and empty.

        Not within a transaction that has failed: the statement itself is then answered so, unless
        it is the ROLLBACK that is due.
        """
        with suppress(duckdb.TransactionException):
            failures_table(self._session, ())

    def interrupt(self) -> None:
        """Stop the statement that is fetching, if one is; from any thread, and from a signal."""
        if self._stream is not None:
            self._stream.interrupt()
        self.cache.interrupt()

    def is_loop(self) -> bool:
        """Whether this is the thread that sends requests, which nobody may hold up."""
        return self._stream is not None and self.clients.loop.is_here()

    def close(self) -> None:
        """Close the clients, and forget what is kept in memory."""
        self.clients.close()
        self.cache.close()

    def _refreshed(self, refresh: Refresh, started: float) -> Result:
        count = self.cache.forget(refresh.connection, refresh.names)
        self._declared.forget(refresh.connection)
        fetches = counted(count, "fetch", "fetches")
        remarks = (f"rows of {fetches} forgotten", *self.cache.take_notes())
        seconds = time.monotonic() - started
        return Result(pa.table({"Count": [count]}), False, seconds=seconds, remarks=remarks)

    def _with_cached(self, plan: Plan, options: Options) -> Plan:
        """The plan, with what kept rows would answer of it."""
        now, names = self._client_options.clock.now(), plan.connections
        cached: dict[str, Cached] = {}
        for scan in plan.scans:
            max_age = self._max_age(options, scan.resource.table)
            if not any(max_age(name) > 0 for name in names):
                continue
            must_know = scan.name in plan.secrets
            of_scan = self.cache.cached(scan, max_age, now, must_know=must_know)
            if of_scan is not None:
                cached[scan.name] = of_scan
        return replace(plan, cached=cached)

    def _max_age(self, options: Options, table: TableName) -> MaxAge:
        """The statement's own age for a table where it gives one, else that of each connection."""
        age = options.max_ages.get(table, options.max_age)
        return lambda name: (self._connections[name].max_age or 0.0) if age is None else age

    def _read(self, sql: str) -> Statement:
        return self.views.completed(parse(sql, syntax_of=self._session.syntax_of))

    def _written_out(self, statement: Statement) -> Statement:
        return self._deeply(statement.sql, partial(self.views.written_out, statement))

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

    def _plan(self, statement: Statement, arguments: Arguments, options: Options) -> Plan | None:
        with self._session.watches.watched(options.deadline):
            act = partial(self._plan_of, statement, arguments, options)
            return self._deeply(statement.sql, act)

    def _plan_of(self, statement: Statement, arguments: Arguments, options: Options) -> Plan | None:
        self._session.confirm_transaction(statement.sql)
        self._session.begin()
        introspection = self._introspection(statement.sql, arguments)
        query = self._bind(statement, introspection)
        if not query.tables:
            return None
        best = plan(
            query,
            self._catalog,
            introspection,
            max_requests=options.max_requests,
            strict=options.strict,
        )
        if self._mask_key is not None:
            best = replace(best, secrets=secret_columns(best))
        best = replace(self._with_cached(best, options), versions=self.clients.versions())
        check_budget(best)
        check(best, self._session, arguments)
        introspection.confirm()
        return replace(best, defects=tuple(introspection.defects))

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

    def _execute(
        self, plan: Plan, arguments: Arguments, options: Options, until: float | None
    ) -> Execution:
        names = plan.connections
        self.asked = names
        if options.partial:
            self.clients.open_all(names)
        else:
            for name in names:
                self.clients.open(name)  # what cannot be used is said before the first request
        budget = RequestBudget(options.max_requests)

        now = self._client_options.clock.now
        answers = Responses(budget, until)
        self._stream = stream = PageStream(
            self.clients.loop, self.clients.made, answers, now, is_partial=options.partial,
            inquiry=Inquiry(self._declared, budget, until),
        )  # fmt: skip
        self.before_fetching()  # an interrupt from here on reaches the stream
        context = ExecutionContext(
            session=self._session,
            stream=stream,
            budget=budget,
            is_partial=options.partial,
            mask_key=self._mask_key,
            connections=names,
            cache=self.cache,
            max_age_of=partial(self._max_age, options),
            now=now,
            tell=self._progress,
            take_values=self.take_values,
            deadline=options.deadline,
            until=until,
        )
        execution = execute(plan, context, arguments)
        if options.partial:
            failures_table(self._session, execution.failures)
        return execution


def _named(statement: Statement, arguments: Arguments) -> Arguments:
    """The arguments that are left once macros are written out, which may use one not at all."""
    if statement.origin is None or statement.tree is None or not arguments:
        return arguments
    names = {placeholder.name for placeholder in find_all(statement.tree, exp.Placeholder)}
    if len(names) == len(arguments):
        return arguments
    if not isinstance(arguments, Mapping):
        arguments = {str(number): value for number, value in enumerate(arguments, 1)}
    return {name: value for name, value in arguments.items() if name in names} or None


def _lines(text: str) -> pa.Table:
    return pa.table({"plan": text.split("\n")})


def _analyzed(plan: Plan, execution: Execution, seconds: float) -> str:
    lines = [as_text(plan).rpartition("\n")[0], "what happened:"]
    begun = min((report.began for report in execution.scans), default=0.0)
    for report in execution.scans:
        expected = plan.expected(plan.scan(report.name))
        lines.append(f"  {in_words(report, expected, report.began - begun)}")
    rows = counted(execution.table.num_rows, "row")
    lines.append(f"  answer: {rows} in {seconds * 1000:.0f} ms")
    return "\n".join(lines)
