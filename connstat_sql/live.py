"""Statements that name live tables: bind, plan, check, execute.

Imported when the first such statement comes: a plain DuckDB statement needs none of this.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial

import pyarrow as pa
from sqlglot import exp

from connstat_sql.asking import Asking
from connstat_sql.binder import Arguments, BoundQuery, bind
from connstat_sql.catalog import Catalog
from connstat_sql.errors import PlanError
from connstat_sql.executor import Execution, Tools, check, execute, failures_table
from connstat_sql.fetcher import Answers, Budget, Clients, Failure, Fetcher, PageStream
from connstat_sql.parser import Statement, leading_back, parse
from connstat_sql.planner import CONNECTION, Plan, as_text, plan
from connstat_sql.result import Options, Result
from connstat_sql.session import Piece, Session, is_rowless
from connstat_sql.shows import own_answer
from connstat_sql.translation import RunText
from connstat_sql.transport import Connection, Door
from connstat_sql.views import Views


class LiveTables:
    """Runs statements over live tables; owns the clients that fetch."""

    def __init__(
        self,
        session: Session,
        catalog: Catalog,
        connections: Mapping[str, Connection],
        door: Door,
        mask_key: str | None,
    ) -> None:
        self.clients = Clients(connections, catalog.definitions.provider, door)
        self._session = session
        self._catalog = catalog
        self._mask_key = mask_key
        self.views = Views(session, catalog, partial(self._bind, arguments=None))

    def run(self, piece: Piece, arguments: Arguments, options: Options) -> Result | None:
        """Run a statement; None when it names no live table after all."""
        started = time.monotonic()
        defined = self.views.define(piece.sql, arguments)
        if defined is not None:
            return Result(defined, has_rows=False, seconds=time.monotonic() - started)
        statement = parse(piece.sql)
        answer = own_answer(statement, self._catalog)
        if answer is not None:
            return Result(self._session.run(RunText(answer, answer), None), has_rows=True)
        statement = self.views.written_out(statement)
        with leading_back(statement.sql, statement.origin):
            return self._run(piece, statement, _named(statement, arguments), options, started)

    def _run(
        self,
        piece: Piece,
        statement: Statement,
        arguments: Arguments,
        options: Options,
        started: float,
    ) -> Result | None:
        found = self._plan(statement, arguments, options)
        if found is None:
            return None
        if statement.explain == "plan":
            return Result(_lines(as_text(found)), has_rows=True, plan=found)
        execution = self._execute(found, arguments, options, started)
        seconds = time.monotonic() - started
        table, has_rows = execution.table, not is_rowless(piece, execution.table)
        metadata, headers = table.schema.metadata, self.views.headers(table.column_names, statement)
        table = table.rename_columns(headers).replace_schema_metadata(metadata)
        if statement.explain == "analyze":
            table, has_rows = _lines(_analyzed(found, execution, seconds)), True
        return Result(table, has_rows, execution.scans, execution.failures, found, seconds)

    def plan(self, piece: Piece, arguments: Arguments, options: Options) -> Plan | None:
        """The plan of a statement, bound and checked with nothing sent.

        None for a statement without live tables, for SHOW and DESCRIBE, and for definitions.
        """
        if self.views.check(piece.sql, arguments):
            return None
        statement = parse(piece.sql)
        if own_answer(statement, self._catalog) is not None:
            return None
        statement = self.views.written_out(statement)
        with leading_back(statement.sql, statement.origin):
            return self._plan(statement, _named(statement, arguments), options)

    def suggestion(self, piece: Piece) -> str:
        """Which providers come close to names that lead nowhere, or ""."""
        heads = [
            mention.parts[0] for mention in parse(piece.sql).mentions if len(mention.parts) == 3
        ]
        close = {name: None for head in heads for name in self._catalog.nearest_provider(head)}
        return f"did you mean  {', '.join(close)}?" if close else ""

    def forget_failures(self) -> None:
        """Make the table `_errors` anew, and empty."""
        failures_table(self._session, ())

    def close(self) -> None:
        """Close the clients."""
        self.clients.close()

    def _plan(self, statement: Statement, arguments: Arguments, options: Options) -> Plan | None:
        query = self._bind(statement, arguments)
        if not query.tables:
            return None
        found = plan(
            query,
            self._catalog,
            Asking(self._session, statement.sql, arguments),
            max_requests=options.max_requests,
            strict=options.strict,
        )
        check(found, self._session, arguments)
        return found

    def _bind(self, statement: Statement, arguments: Arguments) -> BoundQuery:
        query = bind(statement, self._catalog, Asking(self._session, statement.sql, arguments))
        if query.tables and self._session.has_default_collation():
            raise PlanError(
                "default_collation is set, and an API's equality knows no collation",
                sql=statement.sql,
                hint="RESET default_collation",
            )
        return query

    def _execute(
        self, found: Plan, arguments: Arguments, options: Options, started: float
    ) -> Execution:
        for name in _connections(found):
            self.clients.open(name)  # what cannot be used is said before the first request
        budget = Budget(options.max_requests)
        failures: list[Failure] | None = [] if options.partial else None

        def remaining() -> float | None:
            if options.deadline is None:
                return None
            return max(0.0, options.deadline - (time.monotonic() - started))

        fetcher = Fetcher(self.clients.made, budget, failures, Answers())
        stream = PageStream(self.clients.loop, fetcher, remaining)
        tools = Tools(self._session, stream, budget, failures, self._mask_key)
        execution = execute(found, tools, arguments)
        if options.partial:
            failures_table(self._session, execution.failures)
        return execution


def _connections(found: Plan) -> list[str]:
    names: dict[str, None] = {}
    for scan in found.scans:
        for feed in scan.feeds:
            if CONNECTION in feed.constant.columns:
                place = feed.constant.columns.index(CONNECTION)
                names.update((row[place], None) for row in feed.constant.rows)
    return list(names)


def _named(statement: Statement, arguments: Arguments) -> Arguments:
    """The arguments that are left once macros are written out, which may use one not at all."""
    if statement.origin is None or statement.tree is None or not arguments:
        return arguments
    names = {one.name for one in statement.tree.find_all(exp.Placeholder)}
    if len(names) == len(arguments):
        return arguments
    if not isinstance(arguments, Mapping):
        arguments = {str(number): value for number, value in enumerate(arguments, 1)}
    return {name: value for name, value in arguments.items() if name in names} or None


def _lines(text: str) -> pa.Table:
    return pa.table({"plan": text.split("\n")})


def _analyzed(found: Plan, execution: Execution, seconds: float) -> str:
    lines = [as_text(found).rpartition("\n")[0], "what happened:"]
    for report in execution.scans:
        expected = found.expected(found.scan(report.name))
        lines.append(
            f"  {report.name} {report.table} by {report.method}: {report.requests:,} requests, "
            f"{'not known before' if expected is None else f'at least {expected:,} expected'}; "
            f"{report.reused:,} answers used again, {report.retries:,} retries, "
            f"{report.no_row:,} times no such row, {report.rows:,} rows, {report.bytes:,} bytes, "
            f"{report.seconds * 1000:.0f} ms"
        )
    lines.append(f"  answer: {execution.table.num_rows:,} rows in {seconds * 1000:.0f} ms")
    return "\n".join(lines)
