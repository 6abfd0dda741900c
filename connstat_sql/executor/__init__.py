"""`Plan` → rows: fetch each scan into DuckDB, then run the user's own text there."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
from sqlglot import exp

from connstat_sql.binder import Arguments
from connstat_sql.definitions import literal, quote
from connstat_sql.errors import PlanError
from connstat_sql.executor.run_text import run_text
from connstat_sql.executor.staging import (
    Staging,
    empty_mention,
    filled_mention,
    mention_table,
    scan_table,
)
from connstat_sql.fetcher import Budget, Failure, Fetch, Page, PageStream
from connstat_sql.planner import CONNECTION, Plan, Scan, refusal
from connstat_sql.session import Session, values_table

__all__ = [
    "Execution", "ScanReport", "Tools", "check", "execute", "failures_table",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class ScanReport:
    """What one scan did: requests sent for it (retries aside), their pages, rows and bytes."""

    name: str
    table: str
    method: str
    requests: int
    retries: int
    rows: int
    bytes: int
    no_row: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Execution:
    """A statement's rows, what each scan did, and the fetches that failed (with `--partial`)."""

    table: pa.Table
    scans: tuple[ScanReport, ...]
    failures: tuple[Failure, ...]


def check(plan: Plan, session: Session, arguments: Arguments) -> None:
    """Let DuckDB bind the statement against empty tables: names and types, and no request."""
    try:
        for index, table in enumerate(plan.query.tables):
            empty_mention(session, index, table)
        session.check(run_text(plan.query), arguments)
    finally:
        _drop(session, plan, "TABLE")


@dataclass
class Tools:
    """What executing needs besides the plan."""

    session: Session
    stream: PageStream
    budget: Budget
    failures: list[Failure] | None
    mask_key: str | None


def execute(plan: Plan, tools: Tools, arguments: Arguments) -> Execution:
    """Fetch every scan in order, then run the text. Temporary tables are gone afterwards."""
    session = tools.session
    if isinstance(plan.query.statement.tree, exp.Describe):
        return Execution(_described(plan, session, arguments), (), ())
    reports = []
    try:
        for scan in plan.scans:
            reports.append(_fetch(scan, plan, tools))
        for index, table in enumerate(plan.query.tables):
            placement = next(p for p in plan.placements if p.table is table)
            filled_mention(session, index, table, plan.scan(placement.scan))
        table = session.run(run_text(plan.query), arguments, requests_sent=tools.budget.sent)
    finally:
        _drop(session, plan, "VIEW")
        for scan in plan.scans:
            session.drop("TABLE", scan_table(scan.name))
    return Execution(_as_written(table, plan), tuple(reports), tuple(tools.failures or ()))


def _described(plan: Plan, session: Session, arguments: Arguments) -> pa.Table:
    """What DESCRIBE answers depends on types alone: empty tables will do, and no request."""
    try:
        for index, table in enumerate(plan.query.tables):
            empty_mention(session, index, table)
        return _as_written(session.run(run_text(plan.query), arguments), plan)
    finally:
        _drop(session, plan, "TABLE")


def _as_written(table: pa.Table, plan: Plan) -> pa.Table:
    """Headers that DuckDB made of the run text, with the user's names in place of ours."""
    names = list(table.column_names)
    if not any("_connstat_table_" in name for name in names):
        return table
    for index, live in enumerate(plan.query.tables):
        ours = re.escape(f'"temp"._connstat_table_{index}')
        alias = "" if live.mention.has_alias else r'(?: AS (?:"[^"]+"|\w+))?'
        written = ".".join(live.mention.parts)
        names = [re.sub(ours + alias + r"\b", written.replace("\\", r"\\"), n) for n in names]
    return table.rename_columns(names).replace_schema_metadata(table.schema.metadata)


def _fetch(scan: Scan, plan: Plan, tools: Tools) -> ScanReport:
    started = time.monotonic()
    staging = Staging(tools.session, scan, tools.mask_key)
    fetches = [
        Fetch(given.pop(CONNECTION), scan.resource, scan.method, given, scan.filters)
        for given in _argument_tuples(scan, tools.session)
    ]
    fetches = _distinct(fetches)
    _check_budget(len(fetches), scan, plan, tools.budget)
    pages: list[Page] = []
    sent_before = tools.budget.sent
    for batch in tools.stream.batches(fetches, staging.reader) if fetches else ():
        staging.add(batch)
        pages += [_without_rows(page) for page in batch]
    return ScanReport(
        name=scan.name,
        table=str(scan.resource.table),
        method=scan.method.name,
        requests=tools.budget.sent - sent_before,
        retries=sum(page.attempts - 1 for page in pages),
        rows=sum(page.count for page in pages),
        bytes=sum(page.size for page in pages),
        no_row=sum(page.is_no_row for page in pages),
        seconds=time.monotonic() - started,
    )


def _without_rows(page: Page) -> Page:
    """A page's figures, so that its rows need not be kept."""
    return Page(page.fetch, (), page.count, page.size, "", 0.0, page.attempts, page.is_no_row)


def _distinct(fetches: Sequence[Fetch]) -> list[Fetch]:
    """No request twice: fetches that ask the same, with the same arguments, are one."""
    return list({(f.connection, *sorted(f.arguments.items())): f for f in fetches}.values())


def _check_budget(count: int, scan: Scan, plan: Plan, budget: Budget) -> None:
    if budget.sent + count > budget.limit:
        span = next((p.table.mention.span for p in plan.placements if p.scan == scan.name), None)
        raise PlanError(
            f"{scan.resource.table} needs {count:,} more requests after {budget.sent:,}; "
            f"the budget is {budget.limit:,}",
            sql=plan.query.statement.sql,
            span=span,
            hint=f"narrow the query, or raise it:  --max-requests {budget.sent + count}",
            requests_sent=budget.sent,
        )


def _argument_tuples(scan: Scan, session: Session) -> Iterator[dict[str, str]]:
    """One mapping for each tuple of arguments; tuples that hold a NULL are left out."""
    if not scan.sources:
        for row in scan.constant.rows:
            yield dict(zip(scan.constant.columns, row, strict=True))
        return
    names, sql = _argument_query(scan)
    for row in session.duckdb.execute(sql).fetchall():
        given = dict(zip(names, row, strict=True))
        _refuse(given, scan)
        yield given


def _refuse(given: Mapping[str, str], scan: Scan) -> None:
    for name in scan.method.path.params:
        why = refusal(scan.provider, given[name])
        if why:
            raise PlanError(
                f"{scan.resource.table}: {name} = {given[name]!r} came from "
                f"{scan.sources[0].table}, and {why}",
                hint=f"say which rows you want:  AND {name} = '…'",
            )


def _argument_query(scan: Scan) -> tuple[tuple[str, ...], str]:
    """SQL for the distinct argument tuples: constants joined with the rows of earlier scans."""
    known = {name: f"c.{quote(name)}" for name in scan.constant.columns}
    constant = values_table((*scan.constant.columns, "_"), [(*r, "") for r in scan.constant.rows])
    joins = [f"FROM ({constant}) AS c"]
    for index, source in enumerate(scan.sources):
        alias = f"s{index}"
        matches = [
            f"CAST({alias}.{quote(theirs)} AS VARCHAR) = {known[ours]}"
            for ours, theirs in source.matches
            if ours in known
        ]
        joins.append(
            f"JOIN {scan_table(source.scan)} AS {alias} ON {' AND '.join(matches) or 'true'}"
        )
        for ours, theirs in (*source.supplies, (CONNECTION, CONNECTION)):
            known.setdefault(ours, f"CAST({alias}.{quote(theirs)} AS VARCHAR)")
    names = tuple(name for name in scan.arguments if name in known)
    listed = ", ".join(f"{known[name]} AS {quote(name)}" for name in names)
    present = " AND ".join(f"{known[name]} IS NOT NULL" for name in names)
    return names, f"SELECT DISTINCT {listed} {' '.join(joins)} WHERE {present} ORDER BY ALL"


def _drop(session: Session, plan: Plan, kind: str) -> None:
    for index in range(len(plan.query.tables)):
        session.drop(kind, mention_table(index))


def failures_table(session: Session, failures: Sequence[Failure]) -> None:
    """Keep the failed fetches of the last statement as the table `_errors`."""
    session.duckdb.execute(
        'CREATE OR REPLACE TEMP TABLE _errors (connection VARCHAR, "table" VARCHAR, '
        "arguments MAP(VARCHAR, VARCHAR), url VARCHAR, status INTEGER, message VARCHAR, "
        'attempts INTEGER, "at" TIMESTAMPTZ)'
    )
    for failure in failures:
        session.duckdb.execute(f"INSERT INTO _errors VALUES ({_failure_values(failure)})")


def _failure_values(failure: Failure) -> str:
    error = failure.error
    keys = ", ".join(map(literal, failure.fetch.arguments))
    values = ", ".join(map(literal, failure.fetch.arguments.values()))
    url = literal(str(error.request.url)) if error.request else "NULL"
    status = "NULL" if error.status is None else str(error.status)
    return (
        f"{literal(failure.fetch.connection)}, {literal(str(failure.fetch.resource.table))}, "
        f"MAP([{keys}], [{values}]), {url}, {status}, {literal(error.message)}, {error.attempts}, "
        f"to_timestamp({failure.at})"
    )
