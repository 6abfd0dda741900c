"""`Plan` → rows: fetch each scan into DuckDB, then run the user's own text there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass

import duckdb
import pyarrow as pa
from sqlglot import exp

from connstat_sql.cache import KEPT_ROWS
from connstat_sql.database.errors import interruptible
from connstat_sql.database.session import Session
from connstat_sql.database.values import Arguments
from connstat_sql.definitions.model import literal
from connstat_sql.definitions.quoting import call
from connstat_sql.executor.arguments import source_table
from connstat_sql.executor.check import check, drop_mentions
from connstat_sql.executor.masked_comparisons import unseen
from connstat_sql.executor.observed_values import SeenValues, TakeValues
from connstat_sql.executor.pipeline import Pipeline
from connstat_sql.executor.run_text import run_text
from connstat_sql.executor.scan import Fetching
from connstat_sql.executor.staging import PAGES, empty_mention, empty_tables
from connstat_sql.executor.stats import ExecutionContext, Progress, ScanReport, in_words
from connstat_sql.fetch import FailedFetch
from connstat_sql.planner import Plan, mention_table, scan_table

__all__ = [
    "Execution",
    "ExecutionContext",
    "Progress",
    "ScanReport",
    "SeenValues",
    "TakeValues",
    "check",
    "execute",
    "failures_table",
    "in_words",
]  # fmt: skip

_REGISTERED = (PAGES, KEPT_ROWS)
"""Names under which rows are handed to DuckDB, for one INSERT each."""


@dataclass(frozen=True, slots=True)
class Execution:
    """A statement's rows, what each scan did, and the fetches that failed (with `--partial`)."""

    table: pa.Table
    scans: tuple[ScanReport, ...]
    failures: tuple[FailedFetch, ...]
    notes: tuple[str, ...] = ()


def execute(plan: Plan, context: ExecutionContext, arguments: Arguments) -> Execution:
    """Fetch every scan in order, then run the text. Temporary tables are gone afterwards."""
    session = context.session
    if isinstance(plan.query.statement.tree, exp.Describe):
        return Execution(_described(plan, session, arguments), (), ())
    scans = {scan.name: Fetching(scan, plan, context, arguments) for scan in plan.scans}
    pipeline = Pipeline(plan, context, scans)
    try:
        pipeline.run()
        reports = tuple(scan.report() for scan in scans.values())
        has_nothing = any(not (scan.rows or scan.chosen.looks) for scan in scans.values())
        with session.without_statistics() if has_nothing else nullcontext():
            table = session.run(
                run_text(plan.query),
                arguments,
                requests_sent=context.budget.sent,
                seconds=context.seconds_left,
            )
        notes = () if context.mask_key is None else unseen(plan, session)
    finally:
        _wind_up(plan, context)
    return Execution(_as_written(table, plan), reports, pipeline.failures, notes)


def _wind_up(plan: Plan, context: ExecutionContext) -> None:
    """Stop all fetching and drop what was made; an interrupt in the middle of it has to wait."""
    try:
        with interruptible():
            _leave_nothing(plan, context)
    except KeyboardInterrupt:
        _leave_nothing(plan, context)
        raise


def _leave_nothing(plan: Plan, context: ExecutionContext) -> None:
    context.stream.close()
    context.session.duckdb.abort()  # whoever read an answer may have been interrupted
    for name in _REGISTERED:  # whoever did so was interrupted in the middle
        with suppress(duckdb.TransactionException):  # an aborted one takes it along anyway
            context.session.duckdb.unregister(name)
    drop_mentions(context.session, plan)
    context.session.drop_compact()
    for scan in plan.scans:
        context.session.drop("TABLE", scan_table(scan.name))
        for number, source in enumerate(scan.sources):
            if source.sql:
                context.session.drop("TABLE", source_table(scan.name, number))


def _described(plan: Plan, session: Session, arguments: Arguments) -> pa.Table:
    """What DESCRIBE answers depends on types alone: empty tables will do, and no request."""
    try:
        for index, name in enumerate(empty_tables(session, plan.query.tables)):
            empty_mention(session, index, name)
        table = session.run(run_text(plan.query), arguments)
    finally:
        drop_mentions(session, plan)
    headers = table["column_name"].to_pylist()
    names = _written(headers, plan)
    if names == headers:
        return table  # a list made into Arrow imports pandas
    return table.set_column(0, table.schema.field("column_name"), pa.array(names, pa.string()))


def _as_written(table: pa.Table, plan: Plan) -> pa.Table:
    names = _written(table.column_names, plan)
    return table.rename_columns(names).replace_schema_metadata(table.schema.metadata)


def _written(names: Sequence[str], plan: Plan) -> list[str]:
    """Headers that DuckDB made of the run text, with the user's names in place of ours."""
    if not any("_connstat_table_" in name for name in names):
        return list(names)
    for index, live in enumerate(plan.query.tables):
        *before, last = (part.replace("\\", r"\\") for part in live.mention.parts)
        ours = re.escape(f'"temp".{mention_table(index).removeprefix("temp.")}')
        if not live.mention.has_alias:  # ours then; DuckDB quotes it where the name needs that
            aliased = ours + r' AS ("[^"]+"|\w+)'
            names = [re.sub(aliased, ".".join((*before, r"\1")), name) for name in names]
        names = [re.sub(ours, ".".join((*before, last)), name) for name in names]
    return list(names)


def failures_table(session: Session, failures: Sequence[FailedFetch]) -> None:
    """Keep the failed fetches of the last statement as the table `_errors`."""
    session.duckdb.execute(
        'CREATE OR REPLACE TEMP TABLE _errors (connection VARCHAR, "table" VARCHAR, '
        "arguments MAP(VARCHAR, VARCHAR), url VARCHAR, status INTEGER, message VARCHAR, "
        'attempts INTEGER, "at" TIMESTAMPTZ)'
    )
    for failure in failures:
        session.duckdb.execute(f"INSERT INTO _errors VALUES ({_failure_values(failure)})")


def _failure_values(failure: FailedFetch) -> str:
    error = failure.error
    keys, values = (
        call("list_value", *map(literal, texts))
        for texts in (failure.fetch.arguments, failure.fetch.arguments.values())
    )
    arguments, at = call("map", keys, values), call("to_timestamp", str(failure.at))
    url = literal(str(error.request.url)) if error.request else "NULL"
    status = "NULL" if error.status is None else str(error.status)
    return (
        f"{literal(failure.fetch.connection)}, {literal(str(failure.fetch.resource.table))}, "
        f"{arguments}, {url}, {status}, {literal(error.message)}, {error.attempts}, {at}"
    )
