"""What one scan takes from the rows of earlier statements, and what it leaves to later ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from connstat_sql.cache import FETCH, CompletedFetch, Hit, MaxAge, served
from connstat_sql.executor.stats import ExecutionContext
from connstat_sql.fetch import Fetch, Page
from connstat_sql.planner import AccessPath, Scan, scan_table


@dataclass
class Reuse:
    """The fetches of one scan by their numbers, and which of them kept rows answer."""

    scan: Scan
    tools: ExecutionContext
    must_know: bool = False
    """Whether kept rows are of use only where it was asked what plugins declare secret in them."""
    hits: dict[int, Hit] = field(default_factory=dict)
    rows: int = 0
    """How many rows kept ones have given."""
    _numbers: dict[int, int] = field(default_factory=dict)
    _observed: dict[int, float] = field(default_factory=dict)
    _unknown: dict[int, dict[str, None]] = field(default_factory=dict)
    _unsure: set[int] = field(default_factory=set)
    _whole: list[CompletedFetch] = field(default_factory=list)

    @cached_property
    def max_age(self) -> MaxAge:
        """How old rows of the scan's table may be, by the connection."""
        return self.tools.max_age_of(self.scan.resource.table)

    @property
    def is_wanted(self) -> bool:
        """Whether kept rows may answer any fetch of the scan, or be made of it."""
        return any(self.max_age(name) > 0 for name in self.tools.connections)

    def widened(self, way: AccessPath) -> AccessPath:
        """The way with all columns that it can have, so that its rows are worth keeping."""
        names = dict.fromkeys((*way.columns, *served(self.scan.resource, way.method)))
        return replace(way, columns=tuple(names))

    def number(self, fetch: Fetch) -> int:
        """The number of a fetch, the same each time."""
        return self._numbers.setdefault(id(fetch), len(self._numbers))

    def answered(self, way: AccessPath, fetches: Sequence[Fetch]) -> tuple[Hit, ...]:
        """Which fetches by a way kept rows would answer."""
        if not self.is_wanted:
            return ()
        return self._find(way, dict(enumerate(fetches)))

    def _find(self, way: AccessPath, fetches: Mapping[int, Fetch]) -> tuple[Hit, ...]:
        kept, now = self.tools.kept, self.tools.now()
        hits = kept.find(self.scan.by(way), fetches, self.max_age, now)
        return tuple(hit for hit in hits if not self.must_know or kept.unknown_in(hit) is not None)

    def fill(
        self, way: AccessPath, table: str, columns: Sequence[str], fetches: Sequence[Fetch]
    ) -> list[Fetch]:
        """Put kept rows into a table with the scan's rows; the fetches that they do not answer."""
        tools = self.tools
        numbered = {self.number(fetch): fetch for fetch in fetches}
        hits = self._find(way, numbered)
        if not hits:
            return list(fetches)
        filled = {hit.number: hit for hit in tools.kept.fill(table, (*columns, FETCH), hits)}
        self.hits |= filled
        self.rows += sum(hit.rows for hit in filled.values())
        return [fetch for number, fetch in numbered.items() if number not in filled]

    def take(self, page: Page) -> None:
        """A page has come: a fetch is as old as the oldest of its pages."""
        number = self.number(page.fetch)
        at = page.observed_at
        self._unknown.setdefault(number, {}).update(dict.fromkeys(page.learnt.unknown))
        if page.learnt.may_change:
            self._unsure.add(number)
        self._observed[number] = min(at, self._observed.get(number, at))

    def finish(self, fetches: Sequence[Fetch]) -> None:
        """Fetches have come to their end, with all their pages."""
        for fetch in fetches:
            number = self.number(fetch)
            observed = self._observed.get(number, self.tools.now())
            self._whole.append(CompletedFetch(number, fetch, observed))

    def keep(self, way: AccessPath) -> None:
        """Keep the rows of what was fetched whole; what stopped at enough rows was not."""
        if way.limit is None and self._whole:
            table, tools = scan_table(self.scan.name), self.tools
            tools.kept.keep(table, self._whole, self.max_age, tools.now())
            for fetched in self._whole:
                is_sure = self.must_know and fetched.number not in self._unsure
                unknown = tuple(self._unknown.get(fetched.number, ()))
                tools.kept.learn(fetched, unknown if is_sure else None)

    @property
    def unknown(self) -> tuple[str, ...]:
        """Why it is not known what plugins declare secret in the kept rows in use."""
        kept = self.tools.kept
        reasons = (kept.unknown_in(hit) or () for hit in self.hits.values() if self.must_know)
        return tuple(dict.fromkeys(why for unknown in reasons for why in unknown))

    @property
    def oldest(self) -> float | None:
        """The age, in seconds, of the oldest kept rows in use; None: there are none."""
        now = self.tools.now()
        return max((now - hit.observed_at for hit in self.hits.values()), default=None)
