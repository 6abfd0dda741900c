"""One scan → its rows in DuckDB: its argument tuples, the way that asks least, its pages."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import duckdb

from connstat_sql.binder import Arguments
from connstat_sql.definitions import quote
from connstat_sql.errors import ExecuteError, PlanError, Span
from connstat_sql.executor.staging import Staging
from connstat_sql.fetcher import Budget, Failure, Fetch, Page, PageStream
from connstat_sql.planner import (
    CONNECTION,
    UNKNOWN_PAGES,
    Feed,
    Plan,
    Scan,
    Way,
    projected,
    refusal,
    source_in_words,
)
from connstat_sql.session import Session, named_values

Given = dict[str, str]


@dataclass(frozen=True, slots=True)
class ScanReport:
    """What one scan did: requests sent for it (retries aside), their pages, rows and bytes.

    `reused` are answers that an earlier scan of the statement had fetched.
    """

    name: str
    table: str
    method: str
    requests: int
    retries: int
    rows: int
    bytes: int
    no_row: int
    seconds: float
    reused: int = 0


@dataclass
class Tools:
    """What executing needs besides the plan."""

    session: Session
    stream: PageStream
    budget: Budget
    failures: list[Failure] | None
    mask_key: str | None


class Fetching:
    """Fetches one scan; `chosen` is the scan with the one way it went."""

    def __init__(self, scan: Scan, plan: Plan, tools: Tools, arguments: Arguments) -> None:
        self._plan = plan
        self._tools = tools
        self._arguments = arguments
        self.chosen = scan

    def run(self) -> ScanReport:
        """Fetch everything into the scan's table. Raises PlanError when that is over budget."""
        started = time.monotonic()
        tools, scan = self._tools, self.chosen
        feeds = [self._table_of(number, feed) for number, feed in enumerate(scan.feeds)]
        try:
            way, fetches = self._choose(scan.ways, feeds)
        finally:
            for name in feeds:
                if name:
                    tools.session.drop("TABLE", name)
        self.chosen = scan = scan.by(way)
        staging = Staging(tools.session, scan, tools.mask_key)
        pages: list[Page] = []
        sent_before = tools.budget.sent
        batches = tools.stream.batches(fetches, staging.reader, keep=scan.keeps, limit=way.limit)
        for batch in batches if fetches else ():
            staging.add(batch)
            pages += [replace(page, texts=()) for page in batch]
        return ScanReport(
            name=scan.name,
            table=str(scan.resource.table),
            method=way.method.name,
            requests=tools.budget.sent - sent_before,
            retries=sum(max(0, page.attempts - 1) for page in pages),
            rows=sum(page.count for page in pages),
            bytes=sum(0 if page.is_reused else page.size for page in pages),
            no_row=sum(page.is_no_row for page in pages),
            seconds=time.monotonic() - started,
            reused=sum(page.is_reused for page in pages),
        )

    # --- the tuples of arguments -------------------------------------------------------------

    def _table_of(self, number: int, feed: Feed) -> str:
        """A temporary table with a feed's tuples; "" where they are constants."""
        if not feed.sql:
            return ""
        name = f"temp._connstat_feed_{number}"
        connection = self._tools.session.duckdb
        failure: duckdb.Error | None = None
        for sql in (feed.sql, feed.plain_sql or feed.sql):
            try:
                connection.execute(
                    f"CREATE OR REPLACE TEMP TABLE _connstat_feed_{number} AS {sql}",
                    named_values(sql, self._arguments),
                )
            except duckdb.InterruptException as error:
                raise KeyboardInterrupt from error
            except duckdb.Error as error:  # a predicate may fail here and not where it stands
                failure = error
            else:
                return name
        raise ExecuteError(
            f"the values for {self.chosen.resource.table} cannot be found: {failure}",
            sql=self._plan.query.statement.sql,
            requests_sent=self._tools.budget.sent,
        ) from failure

    def _tuples(self, feeds: Sequence[str], names: Sequence[str]) -> list[Given]:
        """The distinct tuples of some arguments over all feeds."""
        found: dict[tuple[str, ...], None] = {}
        for feed, table in zip(self.chosen.feeds, feeds, strict=True):
            if not feed.constant.rows:
                continue
            own = [name for name in names if name in feed.columns]
            if table:
                listed = ", ".join(map(quote, own))
                sql = f"SELECT DISTINCT {listed} FROM {table} ORDER BY ALL"
                rows = self._tools.session.duckdb.execute(sql).fetchall()
            else:
                rows = list(projected(feed.constant, own))
            found.update((tuple(row), None) for row in rows)
        return [dict(zip(names, row, strict=True)) for row in found]

    def _count(self, way: Way, feeds: Sequence[str]) -> int:
        """How many requests a way would make, at least; an upper bound where feeds overlap."""
        names = (CONNECTION, *way.method.required)
        count = 0
        for feed, table in zip(self.chosen.feeds, feeds, strict=True):
            if table:
                listed = ", ".join(quote(name) for name in dict.fromkeys(names))
                sql = f"SELECT count(*) FROM (SELECT DISTINCT {listed} FROM {table})"
                found = self._tools.session.duckdb.execute(sql).fetchone()
                count += found[0] if found else 0
            elif feed.constant.rows:
                count += len(projected(feed.constant, names))
        return count

    # --- the way that asks least -------------------------------------------------------------

    def _choose(self, ways: Sequence[Way], feeds: Sequence[str]) -> tuple[Way, list[Fetch]]:
        if len(ways) == 1:
            self._check_limit(self._count(ways[0], feeds))
            fetches = self._fetches(ways[0], feeds)
            self._refuse(fetches)
            self._check_budget(self._tools.stream.unanswered(fetches))
            return ways[0], fetches
        weighed = []
        limit = self._tools.budget.limit
        counts = [self._count(way, feeds) for way in ways]
        self._check_limit(min(counts))
        for order, (way, count) in enumerate(zip(ways, counts, strict=True)):
            if count > limit:
                continue
            fetches = self._fetches(way, feeds)
            if any(self._refusals(fetches)):
                continue
            new = self._tools.stream.unanswered(fetches)
            pages = UNKNOWN_PAGES if way.method.paging else 1
            weighed.append((new * pages, order, way, fetches, new))
        if not weighed:
            fetches = self._fetches(ways[0], feeds)
            self._refuse(fetches)
            weighed.append((0, 0, ways[0], fetches, len(fetches)))
        _, _, way, fetches, new = min(weighed, key=lambda one: one[:2])
        self._check_budget(new)
        return way, fetches

    def _fetches(self, way: Way, feeds: Sequence[str]) -> list[Fetch]:
        scan = self.chosen
        size = None if scan.keeps else way.limit  # pages of another size are other requests
        return [
            Fetch(
                given.pop(CONNECTION),
                scan.resource,
                way.method,
                given,
                way.filters,
                size,
                way.order,
            )
            for given in self._tuples(feeds, way.arguments)
        ]

    def _refusals(self, fetches: Sequence[Fetch]) -> Iterator[tuple[str, str, str]]:
        """Values that cannot be sent in a path: the parameter, the value, and why."""
        for fetch in fetches:
            for name in fetch.method.path.params:
                why = refusal(self.chosen.provider, fetch.arguments[name])
                if why:
                    yield name, fetch.arguments[name], why

    def _refuse(self, fetches: Sequence[Fetch]) -> None:
        for name, value, why in self._refusals(fetches):
            words = [dict(feed.bound).get(name, "") for feed in self.chosen.feeds]
            came = source_in_words("".join(words[:1]), self._plan)
            raise PlanError(
                f"{self.chosen.resource.table}: {name} = {value!r} came from {came}, and {why}",
                sql=self._plan.query.statement.sql,
                span=self._span(),
                hint=f"say which rows you want:  AND {name} = '…'",
                requests_sent=self._tools.budget.sent,
            )

    def _check_limit(self, count: int) -> None:
        """More values than the whole budget are refused before they are read one by one."""
        if count > self._tools.budget.limit and len(self.chosen.feeds) == 1:
            self._check_budget(count)

    def _check_budget(self, count: int) -> None:
        budget = self._tools.budget
        if budget.sent + count <= budget.limit:
            return
        bound = [words for feed in self.chosen.feeds for _, words in feed.bound]
        sources = dict.fromkeys(source_in_words(words, self._plan) for words in bound)
        values = f", one for each of the values from {', '.join(sources)}" if sources else ""
        raise PlanError(
            f"{self.chosen.resource.table} needs {count:,} more requests after {budget.sent:,}"
            f"{values}; the budget is {budget.limit:,}",
            sql=self._plan.query.statement.sql,
            span=self._span(),
            hint=f"narrow the query, or raise it:  --max-requests {budget.sent + count}",
            requests_sent=budget.sent,
        )

    def _span(self) -> Span | None:
        placements = self._plan.placements
        return next((p.table.mention.span for p in placements if p.scan == self.chosen.name), None)
