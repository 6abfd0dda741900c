"""The feeds of one scan → its argument tuples, out of the tables that are there by now."""

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

Given = tuple[str, ...]
"""The values of one request's arguments, in the order of the way's."""


@dataclass(frozen=True, slots=True)
class Tuples:
    """Reads the tuples of a scan's feeds; `names` are temporary tables, "" for constants."""

    session: Session
    feeds: Sequence[ArgumentSource]
    names: Sequence[str]

    def distinct(self, columns: Sequence[str]) -> list[Given]:
        """The distinct tuples of some columns over all feeds."""
        tuples: dict[Given, None] = {}
        for feed, table in zip(self.feeds, self.names, strict=True):
            if not feed.constant.rows:
                continue
            own = [name for name in columns if name in feed.columns]
            if table:
                listed = ", ".join(map(quote, own))
                sql = f"SELECT DISTINCT {listed} FROM {table} ORDER BY ALL"
                rows: Iterable[Given] = self.session.duckdb.execute(sql).fetchall()
            else:
                rows = projected(feed.constant, own)
            tuples.update((tuple(row), None) for row in rows)
        return list(tuples)

    def count(self, columns: Sequence[str]) -> int:
        """How many there are; an upper bound where feeds overlap."""
        names = dict.fromkeys((CONNECTION, *columns))
        count = 0
        for feed, table in zip(self.feeds, self.names, strict=True):
            if table:
                listed = ", ".join(map(quote, names))
                sql = f"SELECT {call('count', '*')} FROM (SELECT DISTINCT {listed} FROM {table})"
                row = self.session.duckdb.execute(sql).fetchone()
                count += row[0] if row else 0
            elif feed.constant.rows:
                count += len(projected(feed.constant, tuple(names)))
        return count

    def drop(self) -> None:
        """Drop the temporary tables."""
        for name in self.names:
            if name:
                self.session.drop("TABLE", name)


def feed_table(scan: str, number: int) -> str:
    """The name, quoted, of the temporary table that holds the tuples of a scan's feed."""
    return own_table(f"feed_{scan}_{number}")


def read_tuples(scan: Scan, plan: Plan, session: Session, arguments: Arguments) -> Tuples:
    """The tuples of a scan's feeds as they are now. Raises ExecuteError."""
    names = [
        _filled(feed_table(scan.name, number), feed, scan, plan, session, arguments)
        for number, feed in enumerate(scan.feeds)
    ]
    return Tuples(session, scan.feeds, names)


def _filled(
    name: str, feed: ArgumentSource, scan: Scan, plan: Plan, session: Session, arguments: Arguments
) -> str:
    """A temporary table with a feed's tuples; "" where they are constants."""
    if not feed.sql:
        return ""
    failure: duckdb.Error | None = None
    plain = feed.plain_sql or feed.sql
    tried = [feed.sql, plain]
    if session.is_in_transaction():  # which would be aborted by one that fails
        tried = [feed.sql if session.cannot_fail(feed.sql, arguments) else plain]
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
