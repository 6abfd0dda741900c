"""The stages before the first request, one by one, over the made-up provider."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import httpx

from connstat_sql.definitions.model import literal, quote
from connstat_sql.engine import Engine
from connstat_sql.planner import (
    CONNECTION,
    ArgumentSource,
    Plan,
    Scan,
    as_text,
    mention_table,
    plan,
    scan_table,
)
from connstat_sql.sql.binder import BoundQuery, TableAccess, bind
from connstat_sql.sql.introspection import Introspection
from connstat_sql.sql.statement import parse
from tests.oracle.world import PROVIDER, SERVICE, open_zoo

Restriction = list[dict[str, str]] | None
"""Alternatives of equalities, sorted; None when nothing is restricted."""

Given = Mapping[str, Sequence[Mapping[str, object]]]
"""Rows by the name of the table that they are of."""


class Stages:
    """Binds and plans statements; any request is a failure of the test."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def bind(self, sql: str, arguments: Any = None) -> BoundQuery:
        """A statement bound."""
        statement = parse(sql)
        return bind(statement, self.engine.catalog, self._introspection(statement.sql, arguments))

    def rows(self, sql: str, arguments: Any = None, mention: int = 0) -> Restriction:
        """What restricts a mention of a statement that reads it once."""
        (access,) = self.bind(sql, arguments).tables[mention].accesses
        return _sorted(access)

    def where(self, predicate: str, arguments: Any = None) -> Restriction:
        """What restricts the one table of a query with the given WHERE."""
        return self.rows(f"SELECT 1 FROM zoo.w.items AS i WHERE {predicate}", arguments)

    def reaching(self, sql: str, table: str) -> list[Restriction]:
        """What restricts each reading of a table, over all mentions of it."""
        return [
            _sorted(access)
            for bound in self.bind(sql).tables
            if bound.live.resource.table.resource == table
            for access in bound.accesses
        ]

    def plan(self, sql: str, arguments: Any = None, **options: Any) -> Plan:
        """A statement planned, and checked by DuckDB."""
        given = {"max_requests": 1000, **options}
        bound = self.bind(sql, arguments)
        asking = self._introspection(bound.statement.sql, arguments)
        return plan(bound, self.engine.catalog, asking, **given)

    def explain(self, sql: str, **options: Any) -> str:
        """The text of a plan."""
        return as_text(self.plan(sql, **options))

    def fed(
        self, sql: str, table: str, given: Given, *, hidden: bool = False
    ) -> list[dict[str, str]]:
        """The arguments that the last scan of a table gets once the given rows have been fetched.

        `hidden` says to tell the connections too.
        """
        found = self.plan(sql)
        scan = [one for one in found.scans if one.resource.table.resource == table][-1]
        before = found.scans[: found.scans.index(scan)]
        tables = {scan_table(one.name): one for one in before}
        for place, placement in enumerate(found.placements):
            if placement.scan in {one.name for one in before}:
                tables[mention_table(place)] = found.scan(placement.scan)
        try:
            for name, one in tables.items():
                self._fill(name, one, given.get(one.resource.table.resource, ()))
            found_rows = [row for source in scan.sources for row in self._tuples(source)]
            kept = [
                {n: v for n, v in row.items() if hidden or n != CONNECTION} for row in found_rows
            ]
            return sorted(kept, key=str)
        finally:
            for name in tables:
                self.engine.session.drop("TABLE", name)

    def _fill(self, name: str, scan: Scan, rows: Sequence[Mapping[str, object]]) -> None:
        columns = {CONNECTION: "VARCHAR"}
        columns |= {one.name: str(one.type) for one in scan.resource.all_columns}
        listed = ", ".join(f"{quote(column)} {of}" for column, of in columns.items())
        con = self.engine.session.duckdb
        con.execute(f"CREATE TEMP TABLE {name.removeprefix('temp.')} ({listed})")
        for row in rows:
            full = {CONNECTION: "conn_a", **row}
            values = ["NULL" if full.get(c) is None else literal(str(full[c])) for c in columns]
            con.execute(f"INSERT INTO {name} VALUES ({', '.join(values)})")

    def _tuples(self, source: ArgumentSource) -> list[dict[str, str]]:
        rows: Sequence[Sequence[str]] = source.constant.rows
        if source.sql:
            con = self.engine.session.duckdb
            try:
                rows = con.execute(source.sql).fetchall()
            except duckdb.Error:  # a predicate may fail here and not where it stands
                rows = con.execute(source.plain_sql).fetchall()
        return [dict(zip(source.columns, row, strict=True)) for row in rows]

    def _introspection(self, sql: str, arguments: Any) -> Introspection:
        return Introspection(self.engine.session, sql, arguments)


def _sorted(access: TableAccess) -> Restriction:
    if access.rows is None:
        return None
    return [dict(items) for items in sorted(sorted(row.items()) for row in access.rows)]


@contextmanager
def open_stages(
    folder: Path, *, provider: str = PROVIDER, service: str = SERVICE
) -> Iterator[Stages]:
    """Stages over the made-up provider, or over other definitions in its place."""
    engine = open_zoo(folder, _refuse, provider=provider, service=service)
    try:
        yield Stages(engine)
    finally:
        engine.close()


def _refuse(request: httpx.Request) -> httpx.Response:
    raise AssertionError(f"a request was sent: {request.url}")
