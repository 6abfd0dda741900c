"""Argument tuples of one scan → fetches, by the path that asks least, within the budget."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from connstat_sql.definitions.model import VARCHAR, Method
from connstat_sql.errors import NotAsked, PlanError, Span
from connstat_sql.executor.arguments import ArgumentTuple, Tuples
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
    context: ExecutionContext
    reuse: Reuse
    known: dict[ArgumentTuple, None] = field(default_factory=dict)
    """The tuples that there are fetches for."""
    _refused: list[FailedFetch] = field(default_factory=list)
    _partial: dict[str, Method] = field(default_factory=dict)

    def choose(self, tuples: Tuples) -> AccessPath:
        """The access path of the fewest new requests, of those whose values can be sent."""
        paths = self.scan.access_paths
        if len(paths) == 1:
            return paths[0]
        limit = self.context.budget.limit
        counts = [tuples.count(path.method.required) for path in paths]
        self._check_count(min(counts), paths[0])
        weighed = []
        for order, (path, count) in enumerate(zip(paths, counts, strict=True)):
            if count > limit:
                continue
            fetches = [self._fetch(path, values) for values in tuples.distinct(path.arguments)]
            if not any(self._refusals(fetches)):
                weighed.append((self._cost(path, fetches), order, path))
        if not weighed:
            return paths[0]
        return min(weighed, key=lambda weight: weight[:2])[2]

    def _cost(self, path: AccessPath, fetches: Sequence[Fetch]) -> int:
        hits = {hit.number for hit in self.reuse.answered(path, fetches)}
        missing = [fetch for number, fetch in enumerate(fetches) if number not in hits]
        return pages_of(path.method) * _unanswered(self.context.stream.groups(missing))

    def new(self, path: AccessPath, tuples: Tuples) -> list[Fetch]:
        """Fetches for tuples that were not there before.

        One that no request can hold is left out where a part will do; else it raises PlanError.
        """
        self._check_count(tuples.count(path.method.required) - len(self.known), path)
        new = [values for values in tuples.distinct(path.arguments) if values not in self.known]
        only = self._only(path, tuples)
        fetches = [replace(self._fetch(path, values), only=only) for values in new]
        self.known.update(dict.fromkeys(new))
        return [fetch for fetch in fetches if not self._is_refused(fetch)]

    def _only(self, path: AccessPath, tuples: Tuples) -> dict[str, frozenset[str]]:
        """The keys of rows that anybody wants, where each row may cost a request of its own.

        Of what is kept for others nothing is left out, nor where more tuples may come.
        """
        may_come = self.scan.streams and not self.scan.is_constant
        if not path.method.fallback or self.reuse.is_wanted or may_come:
            return {}
        resource = self.scan.resource
        sources = [source for source in tuples.sources if source.constant.rows]
        return {
            name: frozenset(value for (value,) in tuples.distinct((name,)))
            for name in path.method.fills
            if (param := resource.param(name)) is not None
            and param.type == VARCHAR
            and sources
            and all(name in source.columns for source in sources)
        }

    def refused(self) -> list[FailedFetch]:
        """What was left out since this was asked last."""
        refused, self._refused = self._refused, []
        return refused

    def groups(self, path: AccessPath, fetches: Sequence[Fetch]) -> list[FetchGroup]:
        """The requests that these cost, which the budget has. Raises PlanError otherwise.

        With a limit the first may suffice: what more there are is counted when they are sent.
        """
        groups = self._groups(fetches)
        count = _unanswered(groups)
        if path.limit is not None:
            count = min(count, 1)
        self._check_budget(count)
        self.context.budget.promise(count)
        return groups

    def _fetch(self, path: AccessPath, values: ArgumentTuple) -> Fetch:
        scan = self.scan
        arguments = dict(zip(path.arguments, values, strict=True))
        size = None if scan.keeps else path.limit  # pages of another size are other requests
        connection = arguments.pop(CONNECTION)
        method = self._method(path)
        return Fetch(connection, scan.resource, method, arguments, path.filters, size, path.order)

    def _method(self, path: AccessPath) -> Method:
        """The method of a path, which asks for rows that it leaves out only where these count.

        What is kept for others is whole.
        """
        if (
            path.is_whole
            or self.reuse.is_wanted
            or not (path.method.known_by and path.method.fills)
        ):
            return path.method
        return self._partial.setdefault(
            path.method.name, replace(path.method, known_by="", rest_from="")
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
        words = [dict(source.bound).get(name, "") for source in self.scan.sources]
        came = source_in_words("".join(words[:1]), self.plan)
        says = f"{name} = {value!r} came from {came}, and {why}"
        if self.context.is_partial:
            self._leave_out(fetch, says)
            return True
        raise PlanError(
            f"{self.scan.resource.table}: {says}",
            sql=self.plan.query.statement.sql,
            span=self._span(),
            hint=f"say which rows you want:  AND {name} = '…', or leave it out with  --partial",
            requests_sent=self.context.budget.sent,
        )

    def _leave_out(self, fetch: Fetch, why: str) -> None:
        table, connection = str(fetch.resource.table), fetch.connection
        error = NotAsked(why, table=table, connection=connection)
        self._refused.append(FailedFetch(fetch, error, self.context.now()))

    def _groups(self, fetches: Sequence[Fetch]) -> list[FetchGroup]:
        """Fetches that ask the same together; those that cannot be built are told of or raise."""
        try:
            return self.context.stream.groups(fetches)
        except PlanError:
            if not self.context.is_partial:
                raise
        sound = []
        for fetch in fetches:
            try:
                self.context.stream.groups([fetch])
                sound.append(fetch)
            except PlanError as error:
                self._leave_out(fetch, error.message)
        return self.context.stream.groups(sound)

    def _check_count(self, count: int, path: AccessPath) -> None:
        """More values than the whole budget are refused before they are read one by one."""
        limit = self.context.budget.limit
        is_sure = len(self.scan.sources) == 1 and not self.reuse.is_wanted and path.limit is None
        if count > limit and is_sure:
            self._check_budget(count)

    def _check_budget(self, count: int) -> None:
        budget = self.context.budget
        if budget.fits(count):
            return
        bound = [words for source in self.scan.sources for _, words in source.bound]
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
