"""What the scans of a statement do: counted, shown while it runs, and reported."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from connstat_sql.cache import MaxAge, RowCache
from connstat_sql.database.session import Session
from connstat_sql.definitions.model import TableName
from connstat_sql.errors import counted
from connstat_sql.executor.observed_values import TakeValues
from connstat_sql.fetch import Page, PageStream, RequestBudget

AT_LEAST = 1.0
"""Seconds for the SQL over rows that came in time."""


@dataclass(frozen=True, slots=True)
class Progress:
    """One scan under way.

    `done` of `expected` requests are answered (None: it is not known how many there will be).
    `waits` are the seconds until requests may go on when a rate limit holds them back, else 0.
    """

    table: str
    done: int
    expected: int | None
    rows: int
    waits: float = 0.0


@dataclass
class ExecutionContext:
    """What executing needs besides the plan.

    `connections` are those the plan can name; `max_age_of` says of a table how old rows may be; it
    and `now` are in seconds. `take_values` is told of the texts in the rows that came (None: nobody
    asks). `deadline` is in seconds for all of it, which is over at `until`.
    """

    session: Session
    stream: PageStream
    budget: RequestBudget
    is_partial: bool
    mask_key: str | None
    connections: Sequence[str]
    cache: RowCache
    max_age_of: Callable[[TableName], MaxAge]
    now: Callable[[], float]
    tell: Callable[[Sequence[Progress]], None]
    take_values: TakeValues | None = None
    deadline: float | None = None
    until: float | None = None

    @property
    def seconds_left(self) -> float | None:
        """For what is left once everything has come: as long again where some may be missing."""
        if self.deadline is None or self.until is None:
            return None
        return self.deadline if self.is_partial else max(self.until - self.now(), AT_LEAST)

    @property
    def seconds_for_sources(self) -> float | None:
        """For the SQL that finds what to ask for; afterwards it only tells what was not asked."""
        if self.until is None:
            return None
        return max(self.until - self.now(), AT_LEAST if self.is_partial else 0)


@dataclass(frozen=True, slots=True)
class ScanReport:
    """What one scan did: requests sent for it (retries aside), pages, rows and bytes that came.

    `reused` are answers that an earlier scan of the statement had fetched. `kept` of its `fetches`
    were answered from rows of earlier statements, the oldest of them `oldest` seconds old (None:
    there were none). `began` is in seconds since the epoch; `waited` are the seconds
    that its requests spent waiting for rate limits and between tries, in all. `may_go_on` is why
    one of its lists may have further pages that nothing leads to ("": none has). `fell_back` says
    which servers are too old for the method, and by what they were asked instead. `asked_aside` of
    the requests asked what plugins declare to be secret, and `unknown` is why some of that is not
    known. `confirming` were sent to see whether lists are whole.
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
    fetches: int = 0
    kept: int = 0
    oldest: float | None = None
    began: float = 0.0
    pages: int = 0
    waited: float = 0.0
    may_go_on: str = ""
    fell_back: tuple[str, ...] = ()
    asked_aside: int = 0
    unknown: tuple[str, ...] = ()
    confirming: int = 0


def in_words(report: ScanReport, expected: int | None, after: float) -> str:
    """What a scan did, for people; it began so many seconds `after` the first one."""
    known = "not known before" if expected is None else f"at least {expected:,} expected"
    parts = [
        f"{counted(report.requests, 'request')} ({known})",
        f"{report.asked_aside:,} of them for what plugins declare secret"
        if report.asked_aside
        else "",
        f"{report.confirming:,} of them to see whether a list is whole"
        if report.confirming
        else "",
        counted(report.pages, "page"),
        counted(report.rows, "row"),
        counted(report.bytes, "byte"),
        counted(report.retries, "retry", "retries") if report.retries else "",
        f"waited {report.waited:.1f} s in all" if report.waited >= 0.05 else "",
        f"{counted(report.reused, 'answer')} used again" if report.reused else "",
        f"{report.kept:,} of {report.fetches:,} fetches from kept rows" if report.kept else "",
        f"{report.no_row:,} times no such row" if report.no_row else "",
        f"began after {after * 1000:.0f} ms" if after >= 0.0005 else "",
        f"{report.seconds * 1000:.0f} ms",
        *report.fell_back,
    ]
    said = ", ".join(part for part in parts if part)
    return f"{report.name.replace('_', ' ')}, {report.table} by {report.method}: {said}"


@dataclass
class Count:
    """What has arrived so far."""

    pages: int = 0
    requests: int = 0
    retries: int = 0
    rows: int = 0
    bytes: int = 0
    no_row: int = 0
    reused: int = 0
    waited: float = 0.0
    may_go_on: str = ""
    fell_back: dict[str, None] = field(default_factory=dict)
    asked_aside: int = 0
    unknown: dict[str, None] = field(default_factory=dict)
    confirming: int = 0

    def add(self, page: Page) -> None:
        """One more page."""
        self.pages += 1
        self.requests += (not page.is_reused) + page.learnt.sent + page.confirming
        self.confirming += page.confirming
        self.asked_aside += page.learnt.sent
        self.unknown |= dict.fromkeys(page.learnt.unknown)
        self.retries += max(0, page.attempts - 1)
        self.rows += page.count
        self.bytes += page.size
        self.no_row += page.is_no_row
        self.reused += page.is_reused
        self.waited += page.waited
        self.may_go_on = self.may_go_on or page.may_go_on
        if page.fell_back:
            self.fell_back[page.fell_back] = None

    def fail(self, attempts: int, confirming: int) -> None:
        """A fetch has failed after so many tries of one more request, 0 if none was sent.

        `confirming` requests were sent to see whether a list is whole.
        """
        self.requests += (attempts > 0) + confirming
        self.confirming += confirming
        self.retries += max(0, attempts - 1)
