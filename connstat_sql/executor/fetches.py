"""The argument tuples of one scan → fetches, by the way that asks least, within the budget."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from connstat_sql.definitions.model import VARCHAR, Method
from connstat_sql.errors import NotAsked, PlanError, Span
from connstat_sql.executor.arguments import Given, Tuples
from connstat_sql.executor.reuse import Reuse
from connstat_sql.executor.stats import ExecutionContext
from connstat_sql.fetch import FailedFetch, Fetch, FetchGroup
from connstat_sql.planner import (
    CONNECTION,
    AccessPath,
    Plan,
    Scan,
    pages_of,
    refusal,
    source_in_words,
)


@dataclass
class Fetches:
    """The fetches of one scan, as they become known."""

    scan: Scan
    plan: Plan
    tools: ExecutionContext
    reuse: Reuse
    known: dict[Given, None] = field(default_factory=dict)
    """The tuples that there are fetches for."""
    _refused: list[FailedFetch] = field(default_factory=list)
    _partial: dict[str, Method] = field(default_factory=dict)

    def choose(self, tuples: Tuples) -> AccessPath:
        """The way of the fewest new requests, of those whose values can be sent."""
        ways = self.scan.ways
        if len(ways) == 1:
            return ways[0]
        limit = self.tools.budget.limit
        counts = [tuples.count(way.method.required) for way in ways]
        self._check_count(min(counts), ways[0])
        weighed = []
        for order, (way, count) in enumerate(zip(ways, counts, strict=True)):
            if count > limit:
                continue
            fetches = [self._fetch(way, values) for values in tuples.distinct(way.arguments)]
            if not any(self._refusals(fetches)):
                weighed.append((self._cost(way, fetches), order, way))
        if not weighed:
            return ways[0]
        return min(weighed, key=lambda weight: weight[:2])[2]

    def _cost(self, way: AccessPath, fetches: Sequence[Fetch]) -> int:
        hits = {hit.number for hit in self.reuse.answered(way, fetches)}
        missing = [fetch for number, fetch in enumerate(fetches) if number not in hits]
        return pages_of(way.method) * _unanswered(self.tools.stream.groups(missing))

    def new(self, way: AccessPath, tuples: Tuples) -> list[Fetch]:
        """Fetches for tuples that were not there before.

        One that no request can hold is left out where a part will do; else it raises PlanError.
        """
        self._check_count(tuples.count(way.method.required) - len(self.known), way)
        new = [values for values in tuples.distinct(way.arguments) if values not in self.known]
        only = self._only(way, tuples)
        fetches = [replace(self._fetch(way, values), only=only) for values in new]
        self.known.update(dict.fromkeys(new))
        return [fetch for fetch in fetches if not self._is_refused(fetch)]

    def _only(self, way: AccessPath, tuples: Tuples) -> dict[str, frozenset[str]]:
        """The keys of rows that anybody wants, where each row may cost a request of its own.

        Of what is kept for others nothing is left out, nor where more tuples may come.
        """
        may_come = self.scan.streams and not self.scan.is_constant
        if not way.method.fallback or self.reuse.is_wanted or may_come:
            return {}
        resource = self.scan.resource
        feeds = [source for source in tuples.feeds if source.constant.rows]
        return {
            name: frozenset(value for (value,) in tuples.distinct((name,)))
            for name in way.method.fills
            if (param := resource.param(name)) is not None
            and param.type == VARCHAR
            and feeds
            and all(name in feed.columns for feed in feeds)
        }

    def refused(self) -> list[FailedFetch]:
        """What was left out since this was asked last."""
        refused, self._refused = self._refused, []
        return refused

    def groups(self, way: AccessPath, fetches: Sequence[Fetch]) -> list[FetchGroup]:
        """The requests that these cost, which the budget has. Raises PlanError otherwise.

        With a limit the first may suffice: what more there are is counted when they are sent.
        """
        groups = self._groups(fetches)
        count = _unanswered(groups)
        if way.limit is not None:
            count = min(count, 1)
        self._check_budget(count)
        self.tools.budget.promise(count)
        return groups

    def _fetch(self, way: AccessPath, values: Given) -> Fetch:
        scan = self.scan
        arguments = dict(zip(way.arguments, values, strict=True))
        size = None if scan.keeps else way.limit  # pages of another size are other requests
        connection = arguments.pop(CONNECTION)
        method = self._method(way)
        return Fetch(connection, scan.resource, method, arguments, way.filters, size, way.order)

    def _method(self, way: AccessPath) -> Method:
        """The method of a way, which asks for rows that it leaves out only where these count.

        What is kept for others is whole.
        """
        if way.is_whole or self.reuse.is_wanted or not (way.method.known_by and way.method.fills):
            return way.method
        return self._partial.setdefault(
            way.method.name, replace(way.method, known_by="", rest_from="")
        )

    # --- what is refused ---------------------------------------------------------------------

    def _refusals(self, fetches: Sequence[Fetch]) -> Iterator[tuple[str, str, str]]:
        """Values that cannot be sent in a path: the parameter, the value, and why."""
        for fetch in fetches:
            for name in fetch.method.path.params:
                why = refusal(self.scan.provider, fetch.arguments[name])
                if why:
                    yield name, fetch.arguments[name], why

    def _is_refused(self, fetch: Fetch) -> bool:
        """Whether no request can hold a value of a fetch, which is kept in mind or raised."""
        refused = next(self._refusals([fetch]), None)
        if refused is None:
            return False
        name, value, why = refused
        words = [dict(feed.bound).get(name, "") for feed in self.scan.feeds]
        came = source_in_words("".join(words[:1]), self.plan)
        says = f"{name} = {value!r} came from {came}, and {why}"
        if self.tools.is_partial:
            self._leave_out(fetch, says)
            return True
        raise PlanError(
            f"{self.scan.resource.table}: {says}",
            sql=self.plan.query.statement.sql,
            span=self._span(),
            hint=f"say which rows you want:  AND {name} = '…', or leave it out with  --partial",
            requests_sent=self.tools.budget.sent,
        )

    def _leave_out(self, fetch: Fetch, why: str) -> None:
        table, connection = str(fetch.resource.table), fetch.connection
        error = NotAsked(why, table=table, connection=connection)
        self._refused.append(FailedFetch(fetch, error, self.tools.now()))

    def _groups(self, fetches: Sequence[Fetch]) -> list[FetchGroup]:
        """Fetches that ask the same together; those that cannot be built are told of or raise."""
        try:
            return self.tools.stream.groups(fetches)
        except PlanError:
            if not self.tools.is_partial:
                raise
        sound = []
        for fetch in fetches:
            try:
                self.tools.stream.groups([fetch])
                sound.append(fetch)
            except PlanError as error:
                self._leave_out(fetch, error.message)
        return self.tools.stream.groups(sound)

    def _check_count(self, count: int, way: AccessPath) -> None:
        """More values than the whole budget are refused before they are read one by one."""
        limit = self.tools.budget.limit
        is_sure = len(self.scan.feeds) == 1 and not self.reuse.is_wanted and way.limit is None
        if count > limit and is_sure:
            self._check_budget(count)

    def _check_budget(self, count: int) -> None:
        budget = self.tools.budget
        if budget.fits(count):
            return
        bound = [words for feed in self.scan.feeds for _, words in feed.bound]
        sources = dict.fromkeys(source_in_words(words, self.plan) for words in bound)
        values = f", one for each of the values from {', '.join(sources)}" if sources else ""
        raise PlanError(
            f"{self.scan.resource.table} needs {count:,} more requests after {budget.taken:,}"
            f"{values}; the budget is {budget.limit:,}",
            sql=self.plan.query.statement.sql,
            span=self._span(),
            hint=f"narrow the query, or raise it:  --max-requests {budget.taken + count}",
            requests_sent=budget.sent,
        )

    def _span(self) -> Span | None:
        placements = self.plan.placements
        return next((p.table.mention.span for p in placements if p.scan == self.scan.name), None)


def _unanswered(groups: Sequence[FetchGroup]) -> int:
    """How many requests these would send for their first pages."""
    return sum(not group.is_answered for group in groups)
