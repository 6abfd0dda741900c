"""Which method serves a mention at the fewest requests, or why none does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from connstat_sql.definitions.model import Method, Provider, Resource
from connstat_sql.definitions.segments import is_refused, refusal
from connstat_sql.errors import BindError, Span
from connstat_sql.planner.estimates import UNKNOWN_PAGES, pages_of
from connstat_sql.planner.model import CONNECTION
from connstat_sql.planner.questions import (
    example,
    given_columns,
    has_default,
    listed,
    siblings,
    unserved,
    wanted_params,
)
from connstat_sql.sql.binder import Row


@dataclass(frozen=True)
class ArgumentSupply:
    """What one access of a table gives its parameters: constants, and rows that are there."""

    rows: Sequence[Row] | None
    bound: frozenset[str] = frozenset()

    @cached_property
    def columns(self) -> dict[str, bool]:
        """Columns that have a value."""
        return {**given_columns(self.rows), **dict.fromkeys(sorted(self.bound), True)}


@dataclass(frozen=True, slots=True)
class PathChoice:
    """A method and what it lacks: `missing` parameters, `details` when rows need a second look.

    `requests` are expected, None where the arguments come from rows; `shared` counts other scans
    that could ask the very same, `second` is how many rows are expected to need the second look.
    """

    method: Method
    missing: tuple[str, ...]
    requests: int | None
    details: Method | None
    shared: int = 0
    second: int = 0

    @property
    def cost(self) -> tuple[int, int, int, int]:
        """Less is better: unknown parameters first, then requests; details cost one a row."""
        requests = UNKNOWN_PAGES if self.requests is None else self.requests * pages_of(self.method)
        return (len(self.missing), requests + self.second, self.second, -self.shared)


@dataclass(frozen=True, slots=True)
class Blame:
    """Where an error points: the statement, the mention, and parameters of another type there."""

    sql: str = ""
    span: Span | None = None
    misfits: tuple[str, ...] = ()

    def error(self, message: str, hint: str) -> BindError:
        """A BindError at this place."""
        return BindError(message, sql=self.sql, span=self.span, hint=hint)


Weigh = Callable[[Method], "tuple[int, int]"]
"""Requests that a method with constant arguments would add, and scans that could share them."""


@dataclass(frozen=True, slots=True)
class Choosing:
    """The methods of one table, weighed.

    `strict` forbids enumerating parameters. `spoken` are columns that the query speaks of: their
    defaults are not used.
    """

    resource: Resource
    provider: Provider
    strict: bool
    spoken: frozenset[str] = frozenset()

    def choices(
        self, supplies: Sequence[ArgumentSupply], columns: tuple[str, ...], weigh: Weigh
    ) -> list[PathChoice]:
        """The covered methods, that which asks least first; the first declared among equals."""
        refused = self._refused_params(supplies)
        choices = [
            self._choice(method, supplies, columns, weigh)
            for method in self.resource.choices
            if refused.isdisjoint(method.path.params)
        ]
        usable = [choice for choice in choices if choice is not None]
        return sorted(usable, key=lambda choice: choice.cost)

    def unallowed(self, supplies: Sequence[ArgumentSupply], blame: Blame) -> BindError | None:
        """The error for a value that is none of those its parameter may have, if there is one."""
        rows = [row for supply in supplies for row in supply.rows or ()]
        for param in self.resource.params:
            if not param.allowed:
                continue
            values = {row[param.name]: True for row in rows if param.name in row}
            wrong = [value for value in values if value not in param.allowed]
            if wrong:
                return blame.error(
                    f"{self.resource.table}: {param.name} cannot be {wrong[0][:60]!r}",
                    f"it is one of  {', '.join(param.allowed)}",
                )
        return None

    def why_none(
        self, supplies: Sequence[ArgumentSupply], columns: tuple[str, ...], blame: Blame
    ) -> BindError:
        """The error when no method is covered (semantics, rule 7)."""
        refused = self._refused(supplies)
        if refused:
            return blame.error(refused, "such a row can only be reached through a list")
        lacking = [
            max(
                (self._lacking(method, columns, supply) for supply in supplies), key=len, default=[]
            )
            for method in self.resource.choices
        ]
        fewest = min(lacking, key=len)
        deaf = {name for method in self.resource.choices for name in self._deaf(method)}
        if not fewest and deaf:
            names = listed(sorted(deaf))
            message = f"no method of {self.resource.table} with these parameters takes {names}"
            return blame.error(message, "leave it out of the query")
        if not fewest:
            return blame.error(f"no method of {self.resource.table} serves these columns", "")
        message = f"{self.resource.table} needs {listed(fewest)}"
        misfits = [name for name in blame.misfits if name in fewest]
        if misfits:
            message += f"; {listed(misfits)} is compared with a value of another type"
        others = {", ".join(names) for names in lacking if names != fewest}
        message += "".join(f"\n  or {other}" for other in sorted(others))
        shown = sorted({name for supply in supplies for name in supply.columns} - {CONNECTION})
        message += f"\n  given: {', '.join(shown)}" if shown else ""
        return blame.error(message, self._hint(fewest))

    def _choice(
        self,
        method: Method,
        supplies: Sequence[ArgumentSupply],
        columns: tuple[str, ...],
        weigh: Weigh,
    ) -> PathChoice | None:
        if self._deaf(method):
            return None
        wanting = [supply for supply in supplies if supply.rows != ()]
        wanted = self._wanted(method, columns)
        missing: dict[str, bool] = {}
        for supply in wanting:
            for name in wanted:
                if name in supply.columns:
                    continue
                if not self._is_enumerable(name, supply.columns):
                    return None
                missing[name] = True
        details = None
        if unserved(method, columns):
            if method.details is None:
                return None
            details = self.resource.method(method.details)
        requests: int | None = None
        shared = 0
        if not any(supply.bound & set(method.required) for supply in wanting):
            requests, shared = weigh(method)
        second = _second_looks(details, wanting) if details is not None else 0
        return PathChoice(method, tuple(missing), requests, details, shared, second)

    def _wanted(self, method: Method, columns: tuple[str, ...]) -> tuple[str, ...]:
        """What the method wants a value for, defaults aside."""
        wanted = dict.fromkeys((*wanted_params(self.resource, method, columns), *method.required))
        return tuple(
            name for name in wanted if name in self.spoken or not has_default(self.resource, name)
        )

    def _deaf(self, method: Method) -> list[str]:
        """Parameters that the query speaks of and that the method neither takes nor fills.

        Its rows would bear whatever the query says, whether they are of that or not.
        """
        known = {*method.required, *method.fills}
        return [
            param.name
            for param in self.resource.params
            if param.name in self.spoken - known and param.parent is None
        ]

    def _lacking(
        self, method: Method, columns: tuple[str, ...], supply: ArgumentSupply
    ) -> list[str]:
        """What the query does not give a method and what cannot be enumerated either."""
        missing = [name for name in self._wanted(method, columns) if name not in supply.columns]
        return [name for name in missing if not self._is_enumerable(name, supply.columns)]

    def _is_enumerable(self, name: str, supplied: Mapping[str, bool]) -> bool:
        param = self.resource.param(name)
        if param is None or param.parent is None:
            return False
        return not self.strict or any(
            sibling.name in supplied for sibling in siblings(self.resource, param)
        )

    def _refused_params(self, supplies: Sequence[ArgumentSupply]) -> frozenset[str]:
        """Parameters with a value that no path can carry."""
        rows = [row for supply in supplies for row in supply.rows or ()]
        names = {name for method in self.resource.choices for name in method.path.params}
        return frozenset(
            name
            for name in names
            if is_refused(self.provider, {row[name] for row in rows if name in row})
        )

    def _refused(self, supplies: Sequence[ArgumentSupply]) -> str:
        rows = [row for supply in supplies for row in supply.rows or ()]
        for method in self.resource.choices:
            for row in rows:
                for name in method.path.params:
                    why = refusal(self.provider, row.get(name, "x"))
                    if why:
                        return f"{name} = {row[name][:60]!r} {why}"
        return ""

    def _hint(self, names: Sequence[str]) -> str:
        params = [self.resource.param(name) for name in names]
        pairs = zip(names, params, strict=True)
        conditions = " AND ".join(f"{name} = {example(param, name)}" for name, param in pairs)
        parents = [
            f"{param.name} from {param.parent.table}.{param.parent.column}"
            for param in params
            if param is not None and param.parent is not None
        ]
        return f"add  AND {conditions}" + (f"  ({', '.join(parents)})" if parents else "")


def _second_looks(details: Method, supplies: Sequence[ArgumentSupply]) -> int:
    """Rows of a list that are expected to need details: those that constants name, or some."""
    named = 0
    for supply in supplies:
        if not set(details.required) <= given_columns(supply.rows).keys():
            return UNKNOWN_PAGES
        named += len(supply.rows or ())
    return min(named, UNKNOWN_PAGES)
