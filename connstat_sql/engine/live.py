"""Statements over live tables: read, bind, plan, check, execute.

The engine imports it when the first of them comes, and what is below is imported with it: a plain
DuckDB statement needs none of this.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from functools import partial

import duckdb
import pyarrow as pa

from connstat_sql.database.session import Session
from connstat_sql.database.source_map import SourceText
from connstat_sql.database.splitter import SqlStatement
from connstat_sql.database.values import Arguments
from connstat_sql.engine.live_planner import LivePlanner, LiveQuery
from connstat_sql.engine.options import Catalogs, EngineOptions
from connstat_sql.errors import counted
from connstat_sql.executor import (
    Execution,
    ExecutionContext,
    TakeValues,
    execute,
    failures_table,
    in_words,
)
from connstat_sql.fetch import (
    DeclaredSecrets,
    Inquiry,
    PageStream,
    RequestBudget,
    Responses,
)
from connstat_sql.planner import Plan, as_text
from connstat_sql.result import Options, Result
from connstat_sql.sql.refresh import Refresh
from connstat_sql.sql.views import Definition


class LiveTables(LivePlanner):
    """Runs statements over live tables, as they are planned."""

    def __init__(
        self, session: Session, wiring: Catalogs, options: EngineOptions, mask_key: str | None
    ) -> None:
        super().__init__(session, wiring, options, mask_key)
        self._progress = options.progress
        self._declared = DeclaredSecrets(self._catalog.definitions.resource)
        self._stream: PageStream | None = None
        self.asked: tuple[str, ...] = ()
        self.take_values: TakeValues | None = None

    def run(self, statement: SqlStatement, arguments: Arguments, options: Options) -> Result | None:
        """Run a statement; None when it names no live table after all."""
        started, begun = time.monotonic(), self._clock.now()
        match self.read(statement, arguments):
            case Definition() as definition:
                table = self.views.define(definition, arguments)
                return Result(table, has_rows=False, seconds=time.monotonic() - started)
            case Refresh() as refresh:
                return self._refreshed(refresh, started)
            case SourceText() as answer:
                return Result(self._session.run(answer, None), has_rows=True)
            case query:
                doubts = self.doubts(query, arguments)
                with self.running(query):
                    result = self._answer(statement, query, options, started, begun)
                return result if result is None else replace(result, doubts=doubts)

    def _answer(
        self,
        statement: SqlStatement,
        query: LiveQuery,
        options: Options,
        started: float,
        begun: float,
    ) -> Result | None:
        plan, parsed = self._plan(query, options, begun), query.statement
        if plan is None:
            return None
        if parsed.explain == "plan":
            return Result(_lines(as_text(plan)), has_rows=True, plan=plan)
        until = None if options.deadline is None else begun + options.deadline
        execution = self._execute(plan, query.arguments, options, until)
        self._session.confirm_macros(parsed.sql)
        seconds = time.monotonic() - started
        table, has_rows = execution.table, statement.answers_rows(execution.table)
        metadata, headers = table.schema.metadata, self.views.headers(table.column_names, parsed)
        table = table.rename_columns(headers).replace_schema_metadata(metadata)
        if parsed.explain == "analyze":
            table, has_rows = _lines(_analyzed(plan, execution, seconds)), True
        notes = (*execution.notes, *self.cache.take_notes())
        return Result(table, has_rows, execution.scans, execution.failures, plan, seconds, notes)

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

        now = self._clock.now
        answers = Responses(budget, until)
        self._stream = stream = PageStream(
            self.clients.loop, self.clients.made, answers, now, is_partial=options.partial,
            inquiry=Inquiry(self._declared, budget, until),
        )  # fmt: skip
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
