"""The life of a query, on one screen: split, parse, bind, plan, check, execute.

`Engine` wires the stages together and owns what lives longer than a statement: definitions,
connections, the DuckDB session, the event loop and its clients.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import httpx
import pyarrow as pa

from connstat_sql.binder import Arguments, BoundQuery, bind
from connstat_sql.catalog import Catalog
from connstat_sql.errors import PlanError
from connstat_sql.executor import (
    Execution,
    RunText,
    Session,
    Tools,
    check,
    execute,
    failures_table,
)
from connstat_sql.executor.session import Piece, is_rowless, named_arguments
from connstat_sql.fetcher import Budget, Clients, Failure, Fetcher, PageStream
from connstat_sql.parser import Statement, has_own_statements, parse, split_on_semicolons
from connstat_sql.planner import CONNECTION, Plan, as_text, plan
from connstat_sql.result import Options, Result
from connstat_sql.shows import own_answer
from connstat_sql.transport import Clock, Connection, Door, Sent


class RealClock:
    """The machine's clock."""

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Wait without holding up other requests."""
        await asyncio.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Outside:
    """Everything that comes in through the door; None and the defaults mean the real thing."""

    environment: Mapping[str, str]
    transport: httpx.AsyncBaseTransport | None = None
    clock: Clock = field(default_factory=RealClock)
    observe: Callable[[Sent], None] = lambda _: None
    timeout: float = 30.0
    mask_key: str | None = None


class Engine:
    """Runs statements over live tables. One thread at a time; close it when done."""

    def __init__(
        self,
        catalog: Catalog,
        connections: Mapping[str, Connection],
        outside: Outside,
        *,
        reveal: bool = False,
    ) -> None:
        self.catalog = catalog
        self.session = Session()
        door = Door(
            outside.clock, outside.environment, outside.transport, outside.observe, outside.timeout
        )
        self.clients = Clients(connections, catalog.definitions.provider, door)
        self._mask_key = None if reveal else outside.mask_key or secrets.token_hex(16)

    def run(
        self, sql: str, arguments: Arguments = None, options: Options | None = None
    ) -> Iterator[Result]:
        """Run the statements of a text in order, yielding what each answers.

        Every statement is looked at before the first one runs, so a fault in a later one sends
        nothing. Raises a ConnstatError.
        """
        options = options or Options()
        if options.partial:
            failures_table(self.session, ())
        pieces = self._split(sql)
        statements = [parse(piece.sql) for piece in pieces]
        self._look_ahead(pieces, statements, arguments, options)
        for piece, statement in zip(pieces, statements, strict=True):
            yield self._run_one(piece, statement, named_arguments(piece, arguments), options)

    def explain(
        self, sql: str, arguments: Arguments = None, options: Options | None = None
    ) -> Plan | None:
        """The plan of one statement, with nothing sent; None when it names no live table."""
        pieces = self._split(sql)
        if len(pieces) != 1:
            raise PlanError("one statement at a time can be explained", sql=sql)
        given = named_arguments(pieces[0], arguments)
        return self._plan(parse(pieces[0].sql), given, options or Options())

    def close(self) -> None:
        """Close connections and the DuckDB session."""
        self.clients.close()
        self.session.close()

    # --- the life of a statement -------------------------------------------------------------

    def _run_one(
        self, piece: Piece, statement: Statement, arguments: Arguments, options: Options
    ) -> Result:
        started = time.monotonic()
        answer = own_answer(statement, self.catalog)
        if answer is not None:
            return Result(self.session.run(RunText(answer, answer), None), has_rows=True)
        found = self._plan(statement, arguments, options)
        if found is None:
            return self._run_locally(piece, arguments, started)
        if statement.explain == "plan":
            return Result(_lines(as_text(found)), has_rows=True, plan=found)
        execution = self._execute(found, arguments, options, started)
        seconds = time.monotonic() - started
        if statement.explain == "analyze":
            table = _lines(_analyzed(found, execution, seconds))
            return Result(table, True, execution.scans, execution.failures, found, seconds)
        has_rows = not is_rowless(piece, execution.table)
        return Result(
            execution.table, has_rows, execution.scans, execution.failures, found, seconds
        )

    def _run_locally(self, piece: Piece, arguments: Arguments, started: float) -> Result:
        """A statement without live tables: DuckDB's own business, whatever it is."""
        table = self.session.run(RunText(piece.sql, piece.sql), arguments)
        self.session.forget_functions()
        return Result(table, not is_rowless(piece, table), seconds=time.monotonic() - started)

    def _plan(self, statement: Statement, arguments: Arguments, options: Options) -> Plan | None:
        """Bind, plan and check; None for a statement without live tables."""
        query = self._bind(statement, arguments)
        if not query.tables:
            if _CATALOG_WORDS.search(statement.sql):
                self.session.declare(self.catalog)
            return None
        found = plan(query, self.catalog, max_requests=options.max_requests, strict=options.strict)
        check(found, self.session, arguments)
        return found

    def _bind(self, statement: Statement, arguments: Arguments) -> BoundQuery:
        fold = partial(self.session.fold, arguments=arguments)
        query = bind(statement, self.catalog, fold, self.session.volatile)
        if query.tables and self.session.has_default_collation():
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

        fetcher = Fetcher(self.clients.made, budget, failures)
        stream = PageStream(self.clients.loop, fetcher, remaining)
        execution = execute(
            found, Tools(self.session, stream, budget, failures, self._mask_key), arguments
        )
        if options.partial:
            failures_table(self.session, execution.failures)
        return execution

    # --- before the first statement runs -----------------------------------------------------

    def _split(self, sql: str) -> tuple[Piece, ...]:
        if has_own_statements(sql):
            found: tuple[Piece, ...] = ()
            for text, offset in split_on_semicolons(sql):
                own = parse(text).show is not None
                found += (
                    (Piece(text, offset, frozenset(), False),) if own else self.session.split(text)
                )
        else:
            found = self.session.split(sql)
        if not found:
            raise PlanError("there is no statement in the text", sql=sql, hint="write a SELECT")
        return found

    def _look_ahead(
        self,
        pieces: Sequence[Piece],
        statements: Sequence[Statement],
        arguments: Arguments,
        options: Options,
    ) -> None:
        """Find the faults of later statements, as far as they do not depend on earlier ones."""
        if len(statements) == 1:
            return
        for piece, statement in zip(pieces, statements, strict=True):
            given = named_arguments(piece, arguments)
            if own_answer(statement, self.catalog) is None:
                is_local = self._plan(statement, given, options) is None
                if is_local and statement.is_query:
                    self.session.check(RunText(statement.sql, statement.sql), given)
            if not statement.is_query:
                return


_CATALOG_WORDS = re.compile(
    r"\b(information_schema|duckdb_\w+|pg_catalog|show|describe|use|pragma|query_table|query"
    r"|sqlite_master)\b",
    re.IGNORECASE,
)


def _connections(found: Plan) -> list[str]:
    names: dict[str, None] = {}
    for scan in found.scans:
        if CONNECTION in scan.constant.columns:
            place = scan.constant.columns.index(CONNECTION)
            names.update((row[place], None) for row in scan.constant.rows)
    return list(names)


def _lines(text: str) -> pa.Table:
    return pa.table({"plan": text.split("\n")})


def _analyzed(found: Plan, execution: Execution, seconds: float) -> str:
    lines = [as_text(found).rpartition("\n")[0], "what happened:"]
    lines += [
        f"  {scan.name} {scan.table}: {scan.requests} requests, {scan.retries} retries, "
        f"{scan.rows:,} rows, {scan.bytes:,} bytes, {scan.seconds * 1000:.0f} ms"
        for scan in execution.scans
    ]
    lines.append(f"  answer: {execution.table.num_rows:,} rows in {seconds * 1000:.0f} ms")
    return "\n".join(lines)
