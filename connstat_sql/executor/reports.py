"""What the scans of a statement did, counted while they do it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from connstat_sql.executor.kept import Kept, MaxAge
from connstat_sql.executor.progress import Progress
from connstat_sql.fetcher import Budget, Page, PageStream
from connstat_sql.session import Session


@dataclass
class Tools:
    """What executing needs besides the plan.

    `connections` are those the plan can name; `now` and ages are in seconds.
    """

    session: Session
    stream: PageStream
    budget: Budget
    is_partial: bool
    mask_key: str | None
    connections: Sequence[str]
    kept: Kept
    max_age: MaxAge
    now: Callable[[], float]
    tell: Callable[[Sequence[Progress]], None]


@dataclass(frozen=True, slots=True)
class ScanReport:
    """What one scan did: requests sent for it (retries aside), their pages, rows and bytes.

    `reused` are answers that an earlier scan of the statement had fetched. `kept` of its `fetches`
    were answered from rows of earlier statements, the oldest of them `oldest` seconds old (None:
    there were none). `began` is in seconds since the epoch.
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


@dataclass
class Count:
    """What has arrived so far."""

    requests: int = 0
    retries: int = 0
    rows: int = 0
    bytes: int = 0
    no_row: int = 0
    reused: int = 0

    def add(self, page: Page) -> None:
        """One more page."""
        self.requests += not page.is_reused
        self.retries += max(0, page.attempts - 1)
        self.rows += page.count
        self.bytes += page.size
        self.no_row += page.is_no_row
        self.reused += page.is_reused
