"""The argument sources of one scan → its argument tuples, out of the tables there by now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import duckdb

from connstat_sql.database.errors import interruptible
from connstat_sql.database.session import Session
from connstat_sql.database.splitter import named_values
from connstat_sql.database.values import Arguments
from connstat_sql.definitions.model import quote
from connstat_sql.definitions.quoting import call, own_table
from connstat_sql.errors import ExecuteError
from connstat_sql.planner import CONNECTION, ArgumentSource, Plan, Scan, projected

ArgumentTuple = tuple[str, ...]
"""The values of one request's arguments, in the order of the access path's."""


@dataclass(frozen=True, slots=True)
class Tuples:
    """Reads the tuples of a scan's sources; `names` are temporary tables, "" for constants."""

    session: Session
    sources: Sequence[ArgumentSource]
    names: Sequence[str]

    def distinct(self, columns: Sequence[str]) -> list[ArgumentTuple]:
        """The distinct tuples of some columns over all sources."""
        tuples: dict[ArgumentTuple, None] = {}
        for source, table in zip(self.sources, self.names, strict=True):
            if not source.constant.rows:
                continue
            own = [name for name in columns if name in source.columns]
            if table:
                listed = ", ".join(map(quote, own))
                sql = f"SELECT DISTINCT {listed} FROM {table} ORDER BY ALL"
                rows: Iterable[ArgumentTuple] = self.session.duckdb.execute(sql).fetchall()
            else:
                rows = projected(source.constant, own)
            tuples.update((tuple(row), None) for row in rows)
        return list(tuples)

    def count(self, columns: Sequence[str]) -> int:
        """How many there are; an upper bound where sources overlap."""
        names = dict.fromkeys((CONNECTION, *columns))
        count = 0
        for source, table in zip(self.sources, self.names, strict=True):
            if table:
                listed = ", ".join(map(quote, names))
                sql = f"SELECT {call('count', '*')} FROM (SELECT DISTINCT {listed} FROM {table})"
                row = self.session.duckdb.execute(sql).fetchone()
                count += row[0] if row else 0
            elif source.constant.rows:
                count += len(projected(source.constant, tuple(names)))
        return count

    def drop(self) -> None:
        """Drop the temporary tables."""
        for name in self.names:
            if name:
                self.session.drop("TABLE", name)


def source_table(scan: str, number: int) -> str:
    """The name, quoted, of the temporary table that holds the tuples of a scan's source."""
    return own_table(f"feed_{scan}_{number}")


def read_tuples(scan: Scan, plan: Plan, session: Session, arguments: Arguments) -> Tuples:
    """The tuples of a scan's sources as they are now. Raises ExecuteError."""
    names = [
        _filled(source_table(scan.name, number), source, scan, plan, session, arguments)
        for number, source in enumerate(scan.sources)
    ]
    return Tuples(session, scan.sources, names)


def _filled(
    name: str,
    source: ArgumentSource,
    scan: Scan,
    plan: Plan,
    session: Session,
    arguments: Arguments,
) -> str:
    """A temporary table with a source's tuples; "" where they are constants."""
    if not source.sql:
        return ""
    failure: duckdb.Error | None = None
    plain = source.plain_sql or source.sql
    tried = [source.sql, plain]
    if session.is_in_transaction():  # which would be aborted by one that fails
        tried = [source.sql if session.cannot_fail(source.sql, arguments) else plain]
    for sql in tried:
        try:
            with interruptible():
                session.duckdb.execute(
                    f"CREATE OR REPLACE TEMP TABLE {name} AS {sql}",
                    named_values(session.duckdb, sql, arguments),
                )
        except duckdb.Error as error:  # a predicate may fail here and not where it stands
            failure = error
        else:
            return name
    raise ExecuteError(
        f"the values for {scan.resource.table} cannot be found: {failure}",
        sql=plan.query.statement.sql,
    ) from failure
