"""Which methods can serve the accesses of a table, at how many requests, or why none does."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

from connstat_sql.definitions.catalog import LiveTable
from connstat_sql.definitions.model import Method, Param, Provider, Resource, TableName, literal
from connstat_sql.definitions.segments import is_refused, refusal
from connstat_sql.errors import BindError, Span
from connstat_sql.planner.cost import UNKNOWN_PAGES, pages_of
from connstat_sql.planner.model import CONNECTION, given_columns
from connstat_sql.sql.binder import Row, TableAccess
from connstat_sql.sql.binder.nulls import rejects_null


@dataclass(frozen=True, slots=True)
class Blame:
    """Where an error points: the statement, the mention, and parameters of another type there."""

    sql: str = ""
    span: Span | None = None
    misfits: tuple[str, ...] = ()

    def error(self, message: str, hint: str) -> BindError:
        """A BindError at this place."""
        return BindError(message, sql=self.sql, span=self.span, hint=hint)


@dataclass(frozen=True, eq=False, slots=True)
class AccessTarget:
    """What is to be placed: accesses of one table, for one or several mentions of it.

    `spoken` are columns that the query speaks of: their defaults are not used. `places` are those
    of the mentions. One that `looks` wants to know how many rows there are, and may fail.
    `is_strict` forbids enumerating parameters. `within` are the tables that wait for its rows.
    """

    live: LiveTable
    provider: Provider
    accesses: tuple[TableAccess, ...]
    columns: tuple[str, ...]
    blame: Blame
    is_strict: bool = False
    spoken: frozenset[str] = frozenset()
    places: tuple[int, ...] = ()
    looks: bool = False
    within: tuple[TableName, ...] = ()

    @property
    def resource(self) -> Resource:
        """The table's definition."""
        return self.live.resource

    @property
    def serving(self) -> tuple[Method, ...]:
        """The methods whose rows have all the columns."""
        methods = self.resource.choices
        return tuple(method for method in methods if not unserved(method, self.columns))

    def wanted_params(self, method: Method) -> tuple[str, ...]:
        """Parameters that need a value: asked for, or used and not filled from the row."""
        asked, filled, columns = {*method.required}, method.fills, self.columns
        return tuple(
            param.name
            for param in self.resource.params
            if param.name in asked or (param.name in columns and param.name not in filled)
        )


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


Weigh = Callable[[Method], "tuple[int, int]"]
"""Requests that a method with constant arguments would add, and scans that could share them."""


def unweighed(method: Method) -> tuple[int, int]:
    """Every method alike, where it only counts which of them can be asked."""
    del method
    return 1, 0


def path_choices(
    target: AccessTarget, supplies: Sequence[ArgumentSupply], weigh: Weigh = unweighed
) -> list[PathChoice]:
    """The covered methods, that which asks least first; the first declared among equals."""
    rows = [row for supply in supplies for row in supply.rows or ()]
    names = {name for method in target.resource.choices for name in method.path.params}
    refused = {
        name
        for name in names
        if is_refused(target.provider, {row[name] for row in rows if name in row})
    }
    choices = (
        _choice(target, method, supplies, weigh)
        for method in target.resource.choices
        if refused.isdisjoint(method.path.params)
    )
    return sorted((choice for choice in choices if choice is not None), key=lambda c: c.cost)


def _choice(
    target: AccessTarget, method: Method, supplies: Sequence[ArgumentSupply], weigh: Weigh
) -> PathChoice | None:
    if _deaf(target, method):
        return None
    wanting = [supply for supply in supplies if supply.rows != ()]
    wanted = _without_default(target, method)
    missing: dict[str, bool] = {}
    for supply in wanting:
        for name in wanted:
            if name not in supply.columns:
                if not _is_enumerable(target, name, supply.columns):
                    return None
                missing[name] = True
    details, second = None, 0
    if unserved(method, target.columns):
        if method.details is None:
            return None
        details = target.resource.method(method.details)
        second = _second_looks(details, wanting)
    requests: int | None = None
    shared = 0
    if not any(supply.bound & set(method.required) for supply in wanting):
        requests, shared = weigh(method)
    return PathChoice(method, tuple(missing), requests, details, shared, second)


def _second_looks(details: Method, supplies: Sequence[ArgumentSupply]) -> int:
    """Rows of a list that are expected to need details: those that constants name, or some."""
    named = 0
    for supply in supplies:
        if not set(details.required) <= given_columns(supply.rows).keys():
            return UNKNOWN_PAGES
        named += len(supply.rows or ())
    return min(named, UNKNOWN_PAGES)


def _without_default(target: AccessTarget, method: Method) -> tuple[str, ...]:
    """What the method wants a value for, defaults aside."""
    params = {param.name: param for param in target.resource.params}
    return tuple(
        name
        for name in dict.fromkeys((*target.wanted_params(method), *method.required))
        if name in target.spoken or name not in params or params[name].default is None
    )


def _deaf(target: AccessTarget, method: Method) -> list[str]:
    """Parameters that the query speaks of and that the method neither takes nor fills.

    Its rows would bear whatever the query says, whether they are of that or not.
    """
    if not target.spoken:
        return []
    unknown = target.spoken - {*method.required, *method.fills}
    params = target.resource.params
    return [param.name for param in params if param.name in unknown and param.parent is None]


def _is_enumerable(target: AccessTarget, name: str, supplied: Collection[str]) -> bool:
    param = target.resource.param(name)
    if param is None or param.parent is None:
        return False
    if not target.is_strict:
        return True
    return any(sibling.name in supplied for sibling in siblings(target.resource, param))


# --- why a table cannot be asked ---------------------------------------------------------------


def check_allowed(target: AccessTarget, supplies: Sequence[ArgumentSupply]) -> None:
    """Raise BindError for a value that is none of those its parameter may have."""
    rows = [row for supply in supplies for row in supply.rows or ()]
    for param in target.resource.params:
        if not param.allowed:
            continue
        values = dict.fromkeys(row[param.name] for row in rows if param.name in row)
        wrong = [value for value in values if value not in param.allowed]
        if wrong:
            raise target.blame.error(
                f"{target.resource.table}: {param.name} cannot be {wrong[0][:60]!r}",
                f"it is one of  {', '.join(param.allowed)}",
            )


def why_none(target: AccessTarget, supplies: Sequence[ArgumentSupply]) -> BindError:
    """The error when no method is covered (semantics, rule 7)."""
    table, methods, blame = target.resource.table, target.resource.choices, target.blame
    refused = _refused(target, supplies)
    if refused:
        return blame.error(refused, "such a row can only be reached through a list")
    lacking = [
        max((_lacking(target, method, supply) for supply in supplies), key=len, default=[])
        for method in methods
    ]
    fewest = min(lacking, key=len)
    deaf = {name for method in methods for name in _deaf(target, method)}
    if not fewest and deaf:
        message = f"no method of {table} with these parameters takes {listed(sorted(deaf))}"
        return blame.error(message, "leave it out of the query")
    if not fewest:
        return blame.error(f"no method of {table} serves these columns", "")
    message = f"{table} needs {listed(fewest)}"
    misfits = [name for name in blame.misfits if name in fewest]
    if misfits:
        message += f"; {listed(misfits)} is compared with a value of another type"
    others = {", ".join(names) for names in lacking if names != fewest}
    message += "".join(f"\n  or {other}" for other in sorted(others))
    shown = sorted({name for supply in supplies for name in supply.columns} - {CONNECTION})
    message += f"\n  given: {', '.join(shown)}" if shown else ""
    return blame.error(message, _hint(target.resource, fewest))


def _lacking(target: AccessTarget, method: Method, supply: ArgumentSupply) -> list[str]:
    """What the query does not give a method and what cannot be enumerated either."""
    missing = [name for name in _without_default(target, method) if name not in supply.columns]
    return [name for name in missing if not _is_enumerable(target, name, supply.columns)]


def _refused(target: AccessTarget, supplies: Sequence[ArgumentSupply]) -> str:
    """Why a value cannot stand in a path; "" where all can."""
    rows = [row for supply in supplies for row in supply.rows or ()]
    for method in target.resource.choices:
        for row in rows:
            for name in method.path.params:
                why = refusal(target.provider, row.get(name, "x"))
                if why:
                    return f"{name} = {row[name][:60]!r} {why}"
    return ""


def _hint(resource: Resource, names: Sequence[str]) -> str:
    params = [resource.param(name) for name in names]
    pairs = zip(names, params, strict=True)
    conditions = " AND ".join(f"{name} = {_example(param, name)}" for name, param in pairs)
    parents = [
        f"{param.name} from {param.parent.table}.{param.parent.column}"
        for param in params
        if param is not None and param.parent is not None
    ]
    return f"add  AND {conditions}" + (f"  ({', '.join(parents)})" if parents else "")


def _example(param: Param | None, name: str) -> str:
    """A value for a hint, of the parameter's type."""
    if param is not None and param.default is not None:
        return literal(param.default)
    if param is not None and str(param.type) == "DATE":
        return "'2026-12-01'" if "end" in name else "'2026-11-01'"
    return "'…'"


def listed(names: Sequence[str]) -> str:
    """Names as an enumeration in words."""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


# --- what a method gives and takes -------------------------------------------------------------


def fetched(resource: Resource, method: Method, columns: tuple[str, ...]) -> tuple[str, ...]:
    """What is read from the rows: used columns, and filled parameters.

    Those also that tell whose settings rows are, where it has to be known what is secret.
    """
    names = [column.name for column in resource.columns if column.name in columns]
    tells = any(c.secret_keys and c.redact_by and c.name in names for c in resource.columns)
    filled = [
        name for name in method.fills if (name in columns or tells) and name not in method.required
    ]
    for column in resource.columns:
        if column.redact_by is not None and column.name in names and column.redact_by not in names:
            names.append(column.redact_by)
    return (*names, *filled)


def unserved(method: Method, columns: tuple[str, ...]) -> tuple[str, ...]:
    """The columns that a method's rows do not have."""
    return tuple(name for name, path in method.columns.items() if path is None and name in columns)


def may_use_left_out(resource: Resource, method: Method, accesses: Sequence[TableAccess]) -> bool:
    """Whether rows that a list leaves out could be in the answer, most of their columns NULL."""
    if not method.known_by or not method.fills:
        return False
    others = [resource.method(name) for name in (method.known_by, method.rest_from) if name]
    unknown = frozenset(
        column.name
        for column in resource.columns
        if all(other.columns.get(column.name, column.path) is None for other in others)
    )
    return not all(
        any(
            rejects_null(conjunct, frozenset({access.relation}), unknown)
            for conjunct in access.conjuncts
        )
        for access in accesses
        if access.rows != ()
    )


def siblings(resource: Resource, param: Param) -> list[Param]:
    """Parameters that live in the same row of the same parent, the given one among them."""
    table = param.parent.table if param.parent else None
    return [p for p in resource.params if p.parent is not None and p.parent.table == table]
