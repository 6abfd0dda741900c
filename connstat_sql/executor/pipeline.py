"""The scans of a plan, side by side: each begins as soon as there is something for it to ask.

Rows go into DuckDB while later pages are on the way. A scan that takes its arguments from the rows
of others begins with their first ones where more rows can only add tuples, and otherwise when the
others have ended; so does one that may use the answers of an earlier one again.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from connstat_sql.errors import DeadlinePassed
from connstat_sql.executor.scan import WHOLE_PAGES, Fetching
from connstat_sql.executor.staging import filled_mention
from connstat_sql.executor.stats import ExecutionContext, Progress
from connstat_sql.fetch import Arrived, Ended, FailedFetch, Finished
from connstat_sql.planner import Plan

SHOWN = 3
"""Connections that an error names."""
TELL_EVERY = 0.1
"""Seconds between two words on the progress."""


@dataclass
class Pipeline:
    """Runs the scans of a plan; afterwards every mention of it can be read."""

    plan: Plan
    context: ExecutionContext
    scans: dict[str, Fetching]
    _told: float = 0.0

    def run(self) -> None:
        """Fetch everything. Raises what made a scan fail; with `is_partial`, goes on without it."""
        self.context.session.watches.confirm()
        try:
            self._begin_what_can()
            while self._running():
                for item in self.context.stream.take():
                    self._accept(item)
                self._begin_what_can()
                self._tell()
        except DeadlinePassed as error:
            if not self.context.is_partial:
                raise self._late(error) from error
            self._leave_unfinished(error)
        self.context.tell(())
        for scan in self.scans.values():
            scan.keep()

    @property
    def failures(self) -> tuple[FailedFetch, ...]:
        """The fetches that failed, scan by scan."""
        scans = [scan for scan in self.scans.values() if not scan.chosen.looks]
        return tuple(failure for scan in scans for failure in scan.failures)

    def _running(self) -> list[Fetching]:
        return [scan for scan in self.scans.values() if not scan.has_ended]

    def _accept(self, item: object) -> None:
        if isinstance(item, Arrived):
            self.scans[item.scan].take(item.page)
        elif isinstance(item, Finished):
            self.scans[item.scan].finish(item)
        elif isinstance(item, Ended):
            self.scans[item.scan].end()
            self._stop_sources()

    def _stop_sources(self) -> None:
        """A scan that only others read can stop when they have all they want, which a limit says.

        Later ones come first: when one stops, so may its own sources.
        """
        for name in reversed(self.scans):
            scan = self.scans[name]
            if scan.has_begun and not scan.has_ended and not self._is_read(name):
                scan.stop()

    def _is_read(self, name: str) -> bool:
        """Whether a mention has a scan's rows, or a scan takes more arguments from them."""
        if any(placement.scan == name for placement in self.plan.placements):
            return True
        return any(
            not scan.has_ended for scan in self.scans.values() if name in scan.chosen.depends_on
        )

    # --- who can begin, or go on -------------------------------------------------------------

    def _begin_what_can(self) -> None:
        for scan in self._running():
            if scan.chosen.looks and not scan.has_begun:
                if not self._is_read(scan.chosen.name):
                    scan.leave_out()
            elif not (scan.has_begun and scan.is_complete):
                sources = self._sources(scan)
                is_last = all(source.has_ended for source in sources)
                if scan.has_begun:
                    if is_last or scan.is_idle:
                        self._go_on(scan, sources, is_last=is_last)
                elif self._is_free(scan) and (
                    (is_last and self._has_looked(scan)) or self._may_stream(scan, sources)
                ):
                    self._begin(scan, sources, is_last=is_last)

    def _sources(self, scan: Fetching) -> list[Fetching]:
        """The scans whose rows it needs, whichever access path it takes."""
        sources = [self.scans[name] for name in scan.chosen.depends_on]
        return [source for source in sources if not source.chosen.looks]

    def _has_looked(self, scan: Fetching) -> bool:
        """Whether it is known which other path is open; nobody looks for one to save little."""
        looks = [self.scans[other.probe] for other in scan.chosen.instead]
        unseen = [look for look in looks if not look.has_begun]
        if unseen and scan.has_many and self._can_spare(len(unseen), scan.asked_at_least):
            for look in unseen:
                look.look_for(scan.asked_at_least - WHOLE_PAGES)
                self._begin(look, (), is_last=True)
        return all(look.has_ended or not look.has_begun for look in looks)

    def _can_spare(self, more: int, needed: int) -> bool:
        """Whether the budget has some requests more than what is needed, or too few for that."""
        budget = self.context.budget
        return budget.fits(more) and budget.fits(needed) == budget.fits(needed + more)

    def _may_stream(self, scan: Fetching, sources: Sequence[Fetching]) -> bool:
        """Whether rows have come that it can begin with."""
        if not scan.chosen.streams or not all(source.has_begun for source in sources):
            return False
        return any(source.rows for source in sources)

    def _is_free(self, scan: Fetching) -> bool:
        """Whether those whose answers it may use again have theirs."""
        return all(self.scans[name].has_ended for name in scan.chosen.reuses)

    def _begin(self, scan: Fetching, sources: Sequence[Fetching], *, is_last: bool) -> None:
        for source in sources:
            source.flush()
        looks = [self.scans[other.probe] for other in scan.chosen.instead]
        whole = {look.chosen.name for look in looks if look.is_whole}
        scan.begin(sum(source.rows for source in sources), is_last=is_last, whole=whole)
        self._fill_mentions(scan)

    def _go_on(self, scan: Fetching, sources: Sequence[Fetching], *, is_last: bool) -> None:
        rows = sum(source.rows for source in sources)
        if is_last or rows > scan.seen:
            for source in sources:
                source.flush()
            scan.go_on(rows, is_last=is_last)

    def _fill_mentions(self, scan: Fetching) -> None:
        for place, placement in enumerate(self.plan.placements):
            if placement.scan == scan.chosen.name:
                filled_mention(self.context.session, place, placement.table, scan.chosen)

    # --- the deadline ------------------------------------------------------------------------

    def _late(self, error: DeadlinePassed) -> DeadlinePassed:
        """The error, with whose answers were waited for."""
        scan = next((scan for scan in self._running() if scan.open), None)
        if scan is None:
            return error
        names = Counter(fetch.connection for fetch in scan.open)
        silent = ", ".join(f"{name} ({count:,})" for name, count in names.most_common(SHOWN))
        return DeadlinePassed(
            f"{error.message}: {sum(names.values()):,} of {scan.known:,} requests of "
            f"{scan.chosen.resource.table} were not answered, by {silent}",
            hint=f"{error.hint}, ask for less, or keep what has come with  --partial",
        )

    def _leave_unfinished(self, error: DeadlinePassed) -> None:
        """What has not been answered by now has failed, and so has what was not asked yet."""
        self.context.stream.close()
        for scan in self._running():
            if not scan.has_begun:
                scan.prepare()
                self._fill_mentions(scan)
            elif not scan.is_complete:
                scan.further()
            scan.give_up(error)

    # --- how far it has come -----------------------------------------------------------------

    def _tell(self) -> None:
        now = time.monotonic()
        if now - self._told < TELL_EVERY:
            return
        self._told = now
        self.context.tell(tuple(self._progress()))

    def _progress(self) -> Iterator[Progress]:
        for scan in self._running():
            if scan.has_begun:
                table = str(scan.chosen.resource.table)
                waits = self.context.stream.waits()
                yield Progress(table, scan.done, scan.expected, scan.rows, waits)
