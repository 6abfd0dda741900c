"""Which method serves a mention at the fewest requests, or why none does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connstat_sql.binder import Row
from connstat_sql.definitions import Method, Provider, Resource
from connstat_sql.errors import BindError, Span
from connstat_sql.planner.questions import (
    example,
    given_columns,
    has_default,
    listed,
    refusal,
    siblings,
    unserved,
    wanted_params,
)
from connstat_sql.planner.values import CONNECTION


@dataclass(frozen=True, slots=True)
class Choice:
    """A method and what it lacks: `missing` parameters, `details` when rows need a second look."""

    method: Method
    missing: tuple[str, ...]
    requests: int
    details: Method | None

    @property
    def cost(self) -> tuple[int, int, int]:
        """Less is better: unknown parameters first, then requests; details cost one a row."""
        return (len(self.missing), self.requests, 1 if self.details else 0)


@dataclass(frozen=True, slots=True)
class Blame:
    """Where an error points: the statement, the mention, and parameters of another type there."""

    sql: str = ""
    span: Span | None = None
    misfits: tuple[str, ...] = ()

    def error(self, message: str, hint: str) -> BindError:
        """A BindError at this place."""
        return BindError(message, sql=self.sql, span=self.span, hint=hint)


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

    def cheapest(self, rows: Sequence[Row] | None, columns: tuple[str, ...]) -> Choice | None:
        """The covered method that asks least; the first declared among equals; None: none is."""
        choices = [self._choice(method, rows, columns) for method in self.resource.methods]
        usable = [choice for choice in choices if choice is not None]
        return min(usable, key=lambda choice: choice.cost) if usable else None

    def unallowed(self, rows: Sequence[Row] | None, blame: Blame) -> BindError | None:
        """The error for a value that is none of those its parameter may have, if there is one."""
        for param in self.resource.params:
            given = {row[param.name]: True for row in rows or () if param.name in row}
            wrong = [value for value in given if param.allowed and value not in param.allowed]
            if wrong:
                return blame.error(
                    f"{self.resource.table}: {param.name} cannot be {wrong[0][:60]!r}",
                    f"it is one of  {', '.join(param.allowed)}",
                )
        return None

    def why_none(
        self, rows: Sequence[Row] | None, columns: tuple[str, ...], blame: Blame
    ) -> BindError:
        """The error when no method is covered (semantics, rule 7)."""
        refused = self._refused(rows)
        if refused:
            return blame.error(refused, "such a row can only be reached through a list")
        given = self._given(rows)
        lacking = [self._lacking(method, columns, given) for method in self.resource.methods]
        fewest = min(lacking, key=len)
        if not fewest:
            return blame.error(f"no method of {self.resource.table} serves these columns", "")
        message = f"{self.resource.table} needs {listed(fewest)}"
        misfits = [name for name in blame.misfits if name in fewest]
        if misfits:
            message += f"; {listed(misfits)} is compared with a value of another type"
        others = {", ".join(names) for names in lacking if names != fewest}
        message += "".join(f"\n  or {other}" for other in sorted(others))
        shown = sorted(set(given) - {CONNECTION})
        message += f"\n  given: {', '.join(shown)}" if shown else ""
        return blame.error(message, self._hint(fewest))

    def _choice(
        self, method: Method, rows: Sequence[Row] | None, columns: tuple[str, ...]
    ) -> Choice | None:
        given = self._given(rows)
        missing = self._missing(method, columns, given)
        if self._lacking(method, columns, given) or self._cannot_carry(method, rows):
            return None
        details = None
        if unserved(method, columns):
            if method.details is None:
                return None
            details = self.resource.method(method.details)
        known = [name for name in (CONNECTION, *method.required) if name in given]
        requests = len({tuple(row[name] for name in known) for row in rows}) if rows else 1
        return Choice(method, missing, 0 if rows == () else requests, details)

    def _given(self, rows: Sequence[Row] | None) -> dict[str, bool]:
        """Columns that need no further value: all of them where no row is wanted."""
        if rows == ():
            return dict.fromkeys((param.name for param in self.resource.params), True)
        return given_columns(rows)

    def _missing(
        self, method: Method, columns: tuple[str, ...], given: Mapping[str, bool]
    ) -> tuple[str, ...]:
        """What the method wants and the query does not give, defaults aside."""
        wanted = dict.fromkeys((*wanted_params(self.resource, method, columns), *method.required))
        return tuple(n for n in wanted if n not in given and not self._has_default(n))

    def _has_default(self, name: str) -> bool:
        return name not in self.spoken and has_default(self.resource, name)

    def _lacking(
        self, method: Method, columns: tuple[str, ...], given: Mapping[str, bool]
    ) -> list[str]:
        """Of what is missing, that which cannot be enumerated either."""
        missing = self._missing(method, columns, given)
        return [name for name in missing if not self._is_enumerable(name, given)]

    def _is_enumerable(self, name: str, given: Mapping[str, bool]) -> bool:
        param = self.resource.param(name)
        if param is None or param.parent is None:
            return False
        return not self.strict or any(one.name in given for one in siblings(self.resource, param))

    def _cannot_carry(self, method: Method, rows: Sequence[Row] | None) -> bool:
        names = method.path.params
        return any(refusal(self.provider, row[n]) for row in rows or () for n in names if n in row)

    def _refused(self, rows: Sequence[Row] | None) -> str:
        for method in self.resource.methods:
            for row in rows or ():
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
