"""One scan → its rows in DuckDB: begun when there is something to ask, fed until all is known."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from connstat_sql.database.values import Arguments
from connstat_sql.definitions.model import Column
from connstat_sql.errors import ConnectionFailed, DeadlinePassed
from connstat_sql.executor.arguments import Tuples, read_tuples
from connstat_sql.executor.fetches import Fetches
from connstat_sql.executor.observed_values import tell_values
from connstat_sql.executor.reuse import Reuse
from connstat_sql.executor.staging import Staging
from connstat_sql.executor.stats import Count, ExecutionContext, ScanReport
from connstat_sql.fetch import FailedFetch, Fetch, FetchGroup, Finished, Page
from connstat_sql.planner import UNKNOWN_PAGES, AccessPath, Instead, Plan, Scan, declared_columns

MANY = 5 * UNKNOWN_PAGES
"""Requests of which it is worth one more to find out that another access path may need fewer."""
WHOLE_PAGES = 100
"""Pages that a whole table is taken for, beside one for each value that it is asked for by."""


@dataclass
class Fetching:
    """Fetches one scan; `chosen` is the scan with the one path it takes, once it has begun."""

    chosen: Scan
    plan: Plan
    context: ExecutionContext
    arguments: Arguments
    has_begun: bool = False
    has_ended: bool = False
    is_complete: bool = False
    """Whether all fetches are known."""
    seen: int = 0
    """Rows of the sources that the fetches known so far are made of."""
    failures: list[FailedFetch] = field(default_factory=list)
    _open: dict[int, Fetch] = field(default_factory=dict)
    _count: Count = field(default_factory=Count)
    _began: float = 0.0
    _started: float = 0.0
    _ended: float = 0.0

    def __post_init__(self) -> None:
        self._choose(self.chosen)

    def _choose(self, scan: Scan) -> None:
        """Go by this form of the scan; nothing has been asked for it yet."""
        self.chosen = scan
        must_know = scan.name in self.plan.secrets
        self._reuse = Reuse(self.chosen, self.context, must_know)
        self._fetches = Fetches(self.chosen, self.plan, self.context, self._reuse)

    def begin(self, rows: int, *, is_last: bool, whole: Collection[str] = ()) -> None:
        """Begin with what so many rows of the sources give; `is_last` says that no more will come.

        `whole` are sources of which every row is there. Raises PlanError when it is over budget.
        """
        groups = self.prepare(whole)
        scan = self.chosen
        self._intake = self.context.stream.open(
            scan.name,
            self._staging.reader,
            keep=scan.keeps,
            limit=self._path.limit,
            may_fail=scan.looks,
            columns=self._asked_columns(),
        )
        self._hand_in(groups, rows, is_last=is_last)

    def prepare(self, whole: Collection[str] = ()) -> list[FetchGroup]:
        """Choose the path and make the scan's table; what is to be asked for, as known by now."""
        self._began, self._started = self.context.now(), time.monotonic()
        others = [other for other in self.chosen.instead if other.probe in whole]
        if others:
            self._take_another_path(others)
        tuples = self._tuples(self.chosen)
        try:
            self._path = self._fetches.choose(tuples)
            fetches = self._fetches.new(self._path, tuples)
        finally:
            tuples.drop()
        self._make_table()
        self.has_begun = True
        return self._missing(fetches)

    def _take_another_path(self, others: Sequence[Instead]) -> None:
        """That through few rows of another table, where what was meant asks for far more."""
        least, best = self.asked_at_least, self.chosen
        for instead in others:
            other = self.chosen.by_other(instead)
            count = _requests_of_all(self._least(other), instead.access_path)
            if count < least:
                least, best = count, other
        self._choose(best)

    @property
    def has_many(self) -> bool:
        """Whether it would ask for so much that another access path is worth a look."""
        return self.asked_at_least > MANY

    @cached_property
    def asked_at_least(self) -> int:
        """How many fetches it would have if it took no other path; all sources have ended."""
        return self._least(self.chosen)

    def _least(self, scan: Scan) -> int:
        """How many tuples there are for the access path that has the fewest."""
        tuples = self._tuples(scan)
        try:
            return min(tuples.count(path.method.required) for path in scan.access_paths)
        finally:
            tuples.drop()

    def _tuples(self, scan: Scan) -> Tuples:
        context = self.context
        with context.session.watches.watched(context.seconds_for_sources):
            return read_tuples(scan, self.plan, context.session, self.arguments)

    def _make_table(self) -> None:
        reuse = self._reuse
        self.chosen = self.chosen.by(reuse.widened(self._path) if reuse.is_wanted else self._path)
        number = reuse.number if reuse.is_wanted else None
        named = {
            name
            for placement in self.plan.placements
            if placement.scan == self.chosen.name
            for name in placement.table.hidden
        }
        session, mask_key = self.context.session, self.context.mask_key
        self._staging = Staging(session, self.chosen, mask_key, number, named)

    def _asked_columns(self) -> tuple[Column, ...]:
        """Columns of which it is asked what is secret in them: those that are read, or kept."""
        asked = self.plan.secrets.get(self.chosen.name, ())
        return tuple(column for column in declared_columns(self.chosen) if column.name in asked)

    def go_on(self, rows: int, *, is_last: bool) -> None:
        """Fetch for the tuples that have come since. Raises PlanError when over budget."""
        self._hand_in(self.further() if rows > self.seen else [], rows, is_last=is_last)

    def further(self) -> list[FetchGroup]:
        """What is to be asked for beside what was known."""
        tuples = self._tuples(self.chosen)
        try:
            fetches = self._fetches.new(self._path, tuples)
        finally:
            tuples.drop()
        return self._missing(fetches)

    def _missing(self, fetches: Sequence[Fetch]) -> list[FetchGroup]:
        """What kept rows do not answer; what no request can hold has failed."""
        self.failures += self._fetches.refused()
        if self._reuse.is_wanted:
            staging = self._staging
            fetches = self._reuse.fill(self._path, staging.table, staging.columns, fetches)
            if self._path.limit is not None and self.rows >= self._path.limit:
                return []
        groups = self._fetches.groups(self._path, fetches)
        self.failures += self._fetches.refused()
        self._open.update((id(fetch), fetch) for group in groups for fetch in group.fetches)
        return groups

    def _hand_in(self, groups: Sequence[FetchGroup], rows: int, *, is_last: bool) -> None:
        self.is_complete, self.seen = is_last, rows
        self._intake.add(groups, is_last=is_last)

    @property
    def is_idle(self) -> bool:
        """Whether it would have something to do if there were more fetches."""
        return self._intake.waiting == 0

    # --- what arrives ------------------------------------------------------------------------

    def take(self, page: Page) -> None:
        """Take a page that has arrived."""
        self._count.add(page)
        self._reuse.take(page)
        self._staging.add(page)

    def flush(self) -> None:
        """Let everything that has arrived be seen in the scan's table."""
        self._staging.flush()

    def finish(self, item: Finished) -> None:
        """Some fetches have come to an end."""
        for fetch in item.fetches:
            self._open.pop(id(fetch), None)
        if item.failures:
            for error in {id(failure.error): failure.error for failure in item.failures}.values():
                self._count.fail(error.attempts, error.confirming)
            self.failures += item.failures
        else:
            self._reuse.finish(item.fetches)

    def give_up(self, error: DeadlinePassed) -> None:
        """Nothing that is under way will be finished."""
        for fetch in self._open.values():
            failed = ConnectionFailed(
                f"{fetch.connection} had not answered when the deadline passed",
                table=str(fetch.resource.table),
                connection=fetch.connection,
                hint=error.hint,
            )
            self.failures.append(FailedFetch(fetch, failed, self.context.now()))
        self.end()

    def look_for(self, rows: int) -> None:
        """Look whether there are fewer rows than these, or than a page has."""
        (path,) = self.chosen.access_paths
        if path.limit is not None and path.limit < rows:
            self._choose(self.chosen.by(replace(path, limit=rows)))

    def leave_out(self) -> None:
        """Nobody needs any of its rows: it asks for nothing."""
        self._path, self.has_begun, self.is_complete = self.chosen.access_paths[0], True, True
        self._make_table()
        self.end()

    def stop(self) -> None:
        """Nobody needs more of its rows."""
        self._intake.stop()
        self.end()

    def end(self) -> None:
        """No more pages will arrive."""
        self.flush()
        self.has_ended = True
        self._ended = time.monotonic()

    def keep(self) -> None:
        """Leave the rows of what was fetched whole to later statements, and tell their values."""
        self._reuse.keep(self._path)
        if self.context.take_values is not None and self.has_begun and self.rows:
            columns, take = self._staging.columns, self.context.take_values
            tell_values(self.chosen, columns, self.context.session, take)

    # --- what it has done --------------------------------------------------------------------

    @property
    def open(self) -> tuple[Fetch, ...]:
        """Fetches that have not come to their end."""
        return tuple(self._open.values())

    @property
    def known(self) -> int:
        """How many fetches are known by now."""
        return len(self._fetches.known)

    @property
    def expected(self) -> int | None:
        """How many requests it takes; None where that is not known by now."""
        known = self.is_complete and self.chosen.method.paging is None
        return self.known if known else None

    @property
    def done(self) -> int:
        """How many requests have been answered."""
        if self.chosen.method.paging is not None:
            return self._count.requests
        return self.known - len(self._open)

    @property
    def rows(self) -> int:
        """How many rows are there by now."""
        return self._count.rows + self._reuse.rows

    @property
    def is_whole(self) -> bool:
        """Whether every row is there that it asked for."""
        if not self.has_ended or self.failures:
            return False
        return self._path.limit is None or self.rows < self._path.limit

    def report(self) -> ScanReport:
        """What it did."""
        count, scan = self._count, self.chosen
        return ScanReport(
            name=scan.name,
            table=str(scan.resource.table),
            method=scan.method.name,
            pages=count.pages,
            requests=count.requests,
            retries=count.retries,
            rows=self.rows,
            bytes=count.bytes,
            no_row=count.no_row,
            seconds=self._ended - self._started,
            reused=count.reused,
            waited=count.waited,
            may_go_on=count.may_go_on,
            fell_back=tuple(count.fell_back),
            fetches=self.known,
            began=self._began,
            kept=len(self._reuse.hits),
            oldest=self._reuse.oldest,
            asked_aside=count.asked_aside,
            confirming=count.confirming,
            unknown=tuple(dict.fromkeys((*count.unknown, *self._reuse.unknown))),
        )


def _requests_of_all(values: int, path: AccessPath) -> int:
    """What all rows of a table are expected to cost by so many values: few of them have many."""
    if path.method.paging is None:
        return values
    return min(values * UNKNOWN_PAGES, values + WHOLE_PAGES)
