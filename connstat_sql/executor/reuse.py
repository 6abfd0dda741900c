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
    context: ExecutionContext
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
        return self.context.max_age_of(self.scan.resource.table)

    @property
    def is_wanted(self) -> bool:
        """Whether kept rows may answer any fetch of the scan, or be made of it."""
        return any(self.max_age(name) > 0 for name in self.context.connections)

    def widened(self, path: AccessPath) -> AccessPath:
        """The access path with all columns that it can have: its rows are worth keeping then."""
        names = dict.fromkeys((*path.columns, *served(self.scan.resource, path.method)))
        return replace(path, columns=tuple(names))

    def number(self, fetch: Fetch) -> int:
        """The number of a fetch, the same each time."""
        return self._numbers.setdefault(id(fetch), len(self._numbers))

    def answered(self, path: AccessPath, fetches: Sequence[Fetch]) -> tuple[Hit, ...]:
        """Which fetches by an access path kept rows would answer."""
        if not self.is_wanted:
            return ()
        return self._find(path, dict(enumerate(fetches)))

    def _find(self, path: AccessPath, fetches: Mapping[int, Fetch]) -> tuple[Hit, ...]:
        cache, now = self.context.cache, self.context.now()
        hits = cache.find(self.scan.by(path), fetches, self.max_age, now)
        return tuple(hit for hit in hits if not self.must_know or cache.unknown_in(hit) is not None)

    def fill(
        self, path: AccessPath, table: str, columns: Sequence[str], fetches: Sequence[Fetch]
    ) -> list[Fetch]:
        """Put kept rows into a table with the scan's rows; the fetches that they do not answer."""
        context = self.context
        numbered = {self.number(fetch): fetch for fetch in fetches}
        hits = self._find(path, numbered)
        if not hits:
            return list(fetches)
        filled = {hit.number: hit for hit in context.cache.fill(table, (*columns, FETCH), hits)}
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
            observed = self._observed.get(number, self.context.now())
            self._whole.append(CompletedFetch(number, fetch, observed))

    def keep(self, path: AccessPath) -> None:
        """Keep the rows of what was fetched whole; what stopped at enough rows was not."""
        if path.limit is None and self._whole:
            table, context = scan_table(self.scan.name), self.context
            context.cache.keep(table, self._whole, self.max_age, context.now())
            for fetched in self._whole:
                is_sure = self.must_know and fetched.number not in self._unsure
                unknown = tuple(self._unknown.get(fetched.number, ()))
                context.cache.learn(fetched, unknown if is_sure else None)

    @property
    def unknown(self) -> tuple[str, ...]:
        """Why it is not known what plugins declare secret in the kept rows in use."""
        cache = self.context.cache
        reasons = (cache.unknown_in(hit) or () for hit in self.hits.values() if self.must_know)
        return tuple(dict.fromkeys(why for unknown in reasons for why in unknown))

    @property
    def oldest(self) -> float | None:
        """The age, in seconds, of the oldest kept rows in use; None: there are none."""
        now = self.context.now()
        return max((now - hit.observed_at for hit in self.hits.values()), default=None)
