"""`BoundQuery` → `Plan`: which methods are asked for which arguments, in which order.

Mentions are placed one after the other, those first that need nothing from others. The rows of
what is placed, and all that is local, can give values to what comes later; a parameter that gets
none in this way is enumerated from its declared parent. Nothing is sent here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

from connstat_sql.definitions.catalog import Catalog
from connstat_sql.definitions.model import Method, OrderPairs, TableName
from connstat_sql.errors import PlanError
from connstat_sql.planner.access_paths import Blame, PathChoice
from connstat_sql.planner.arguments import Binding
from connstat_sql.planner.connections import constant_of
from connstat_sql.planner.cost import Weighing
from connstat_sql.planner.model import (
    CONNECTION,
    AccessPath,
    ArgumentSource,
    Constant,
    Instead,
    Placement,
    Plan,
    Scan,
)
from connstat_sql.planner.parents import Parents
from connstat_sql.planner.questions import (
    default_values,
    fetched,
    listed,
    may_use_left_out,
    pushed_filters,
    unserved,
    wanted_params,
    with_defaults,
)
from connstat_sql.planner.relations import ReadableRows
from connstat_sql.planner.scan_order import Ordering
from connstat_sql.planner.targets import AccessTarget, by_resource, distinct
from connstat_sql.sql.binder import BoundQuery, Questions

MANY = 10.0
"""Expected requests of which another way that may need fewer is kept in mind."""


def plan(
    query: BoundQuery,
    catalog: Catalog,
    questions: Questions,
    *,
    max_requests: int,
    strict: bool = False,
) -> Plan:
    """Decide how the rows of every live table are fetched.

    Raises BindError when a parameter has neither a value nor a parent.

    >>> from connstat_sql.database.session import Session
    >>> from connstat_sql.definitions.loader import Library, shipped_providers
    >>> from connstat_sql.sql.binder import bind
    >>> from connstat_sql.sql.introspection import Introspection
    >>> from connstat_sql.sql.statement import parse
    >>> catalog = Catalog(Library([shipped_providers()]), {"plant_a": "kafka_connect"})
    >>> sql = "FROM kafka_connect.connect.connector_status WHERE connector_name = 'orders'"
    >>> introspection = Introspection(Session(), sql, None)
    >>> query = bind(parse(sql), catalog, introspection)
    >>> (scan,) = plan(query, catalog, introspection, max_requests=10).scans
    >>> scan.method.name, scan.constants.columns, scan.constants.rows
    ('get', ('_connection', 'connector_name'), (('plant_a', 'orders'),))
    """
    planning = Planning(query, Weighing(catalog, ReadableRows(query, questions), strict))
    placements = planning.place_all()
    sharing = planning.weighing.sharing
    scans = sharing.kept(tuple(planning.scans.values()))
    return Plan(query, scans, tuple(placements), max_requests, sharing.free(scans))


@dataclass
class Planning:
    """The state of planning one statement."""

    query: BoundQuery
    weighing: Weighing
    scans: dict[str, Scan] = field(default_factory=dict)
    _path: list[TableName] = field(default_factory=list)
    _blame: Blame = field(default_factory=Blame)
    _expected: Callable[[], float] = lambda: 0.0

    @cached_property
    def parents(self) -> Parents:
        """What supplies parameters that have no value."""
        return Parents(self.weighing, self.place)

    def place_all(self) -> list[Placement]:
        """A scan for every mention; those first that need the least from others."""
        pending = [
            target
            for group in by_resource(self.query.tables)
            for target in self.weighing.merged(group)
        ]
        for target in pending:
            self.weighing.sharing.expect(target.live.resource, target.columns)
        placements: dict[int, str] = {}
        ordering = Ordering(pending, self.weighing)
        placed = 0
        while placed + 1 < 1 << len(pending):
            number = self._next(ordering.ranked(placed), pending)
            self._expected = partial(ordering.expected, number, placed)
            placed |= 1 << number
            target = pending[number]
            self.weighing.sharing.no_longer_expect(target.live.resource, target.columns)
            self._blame = self._blame_of(target)
            scan = self.place(target)
            for place in target.places:
                placements[place] = scan
                self.weighing.rows.scans_of_mentions[place] = scan
        tables = self.query.tables
        return [Placement(tables[place], placements[place]) for place in sorted(placements)]

    def _next(self, ranked: Sequence[int], targets: Sequence[AccessTarget]) -> int:
        """The first of them that has values for its parameters; else that which lacks the fewest.

        The order is chosen by what conjuncts say; what is there to be read is seen when it is
        placed.
        """
        lacking = []
        for number in ranked:
            lacks = self.weighing.lacking(targets[number])
            if not lacks:
                return number
            lacking.append((lacks, number))
        fewest = min(lacks for lacks, _ in lacking)
        return next(number for lacks, number in lacking if lacks == fewest)

    def _blame_of(self, target: AccessTarget) -> Blame:
        table = self.query.tables[target.places[0]]
        return Blame(self.query.statement.sql, table.mention.span, table.misfits)

    # --- one scan ----------------------------------------------------------------------------

    def place(self, target: AccessTarget) -> str:
        """Plan a scan of a table and of what it depends on; answers the scan's name."""
        resource = target.live.resource
        if resource.table in self._path:
            access_path = " → ".join(map(str, (*self._path, resource.table)))
            raise PlanError(f"parents go in a circle: {access_path}", sql=self.query.statement.sql)
        choosing = self.weighing.choosing(target)
        bindings = distinct(self.weighing.bindings(target))
        supplies = self.weighing.supplies(target, bindings)
        unallowed = choosing.unallowed(supplies, self._blame)
        if unallowed is not None:
            raise unallowed
        choices = choosing.choices(supplies, target.columns, self.weighing.weigh(target, bindings))
        if not choices:
            raise choosing.why_none(supplies, target.columns, self._blame)
        choices = self.parents.fewest_first(target, bindings, choices)
        self._path.append(resource.table)
        try:
            if choices[0].details is not None:
                return self._place_details(target, bindings, choices[0])
            return self._place_scan(target, bindings, choices)
        finally:
            self._path.pop()

    def _place_scan(
        self, target: AccessTarget, bindings: Sequence[Binding], choices: Sequence[PathChoice]
    ) -> str:
        best = choices[0]
        instead = self._instead(target, bindings, choices)
        if best.missing:
            bindings = [
                self.parents.supplied(target, binding, best.missing) for binding in bindings
            ]
        usable = [best.method]
        supplies = self.weighing.supplies(target, bindings)
        if best.missing or best.requests is None:
            again = self.weighing.choosing(target).choices(
                supplies, target.columns, lambda _: (1, 0)
            )
            usable += [
                choice.method for choice in again if not choice.missing and choice.details is None
            ]
        elif best.method.paging is not None:
            usable += [
                choice.method
                for choice in choices
                if not choice.missing and choice.requests is None and choice.details is None
            ]
        methods = self._differing(target, usable)
        return self._add(target, bindings, methods, _why(best, target), instead=instead)

    def _instead(
        self, target: AccessTarget, bindings: Sequence[Binding], choices: Sequence[PathChoice]
    ) -> tuple[Instead, ...]:
        """Ways through parents that may be few, where rows are expected to give many values."""
        best, is_limited = choices[0], any(access.limit is not None for access in target.accesses)
        if len(self._path) > 1 or self.weighing.strict or is_limited:
            return ()
        is_told = not best.missing and best.requests is not None
        if is_told or self._expected() < MANY:
            return ()
        others = [choice for choice in choices[1:] if choice.missing and choice.details is None]
        alternatives = (
            self._through(target, bindings, choice)
            for choice in others
            if not {*choice.missing} & {*best.missing, *best.method.required}
        )
        return tuple(alternative for alternative in alternatives if alternative is not None)

    def _through(
        self, target: AccessTarget, bindings: Sequence[Binding], choice: PathChoice
    ) -> Instead | None:
        looked, scans = [], set()
        for binding in bindings:
            looked_at = self.parents.looked_at(target, binding, choice.missing)
            if looked_at is None:
                return None
            looked.append(looked_at[0])
            scans |= {*looked_at[1:]} - {""}
        method = choice.method
        wanted = (CONNECTION, *wanted_params(target.live.resource, method, target.columns))
        sources = [self._source(target, binding, (method,), wanted) for binding in looked]
        access_path = self._access_path(target, method, sources)
        fits = len(scans) == 1 and _is_supplied(access_path, sources)
        return Instead(scans.pop(), access_path, tuple(sources)) if fits else None

    def _differing(self, target: AccessTarget, usable: Sequence[Method]) -> list[Method]:
        """Methods that may need another number of requests: each once, the lightest of its kind."""
        by_kind: dict[object, Method] = {}
        for method in usable:
            shares = self.weighing.sharing.may_share(target.live.resource, method)
            key: object = method.name if shares else (frozenset(method.required), method.paging)
            by_kind.setdefault(key, method)
        return list({method.name: method for method in by_kind.values()}.values())

    def _place_details(
        self, target: AccessTarget, bindings: Sequence[Binding], choice: PathChoice
    ) -> str:
        """Columns that a list does not serve: its rows' keys first, then each by its details."""
        details = choice.details
        assert details is not None
        resource = target.live.resource
        served = [name for name in target.columns if name not in unserved(choice.method, (name,))]
        columns = tuple(dict.fromkeys((*details.required, *served)))
        listing = self._place_scan(replace(target, columns=columns), bindings, [choice])
        reason = (
            f"{choice.method.name} does not serve {listed(unserved(choice.method, target.columns))}"
        )
        tied = []
        for binding in bindings:
            pairs = {name: name for name in (CONNECTION, *columns)}
            tied.append(self.parents.tied(target, binding, listing, pairs, resource))
        return self._add(
            target, tied, (details,), f"{reason}: one {details.name} a row", only_bound=True
        )

    def _add(
        self,
        target: AccessTarget,
        bindings: Sequence[Binding],
        methods: Sequence[Method],
        reason: str,
        *,
        only_bound: bool = False,
        instead: tuple[Instead, ...] = (),
    ) -> str:
        """A scan under a new name, or the name of one that asks the very same."""
        resource = target.live.resource
        sources, access_paths = [], []
        for binding in bindings:
            params = [param.name for param in resource.params]
            names = (CONNECTION, *params) if only_bound else (*_wanted(target, methods), *params)
            sources.append(self._source(target, binding, methods, names, only_bound=only_bound))
        for method in methods:
            access_paths.append(self._access_path(target, method, sources))
        access_paths = _only_needed(access_paths, sources)
        scan = Scan(
            "",
            self.weighing.provider(resource),
            resource,
            tuple(access_paths),
            tuple(sources),
            reason=reason,
            instead=instead,
            looks=target.looks,
        )
        for name, other in self.scans.items():
            if _asks_the_same(other, scan):
                self.scans[name] = _with_columns(other, scan)
                return name
        name = f"scan_{len(self.scans) + 1}"
        self.scans[name] = replace(scan, name=name)
        self.weighing.sharing.add(self.scans[name])
        return name

    def _access_path(
        self, target: AccessTarget, method: Method, sources: Sequence[ArgumentSource]
    ) -> AccessPath:
        resource, columns = target.live.resource, target.columns
        filled, asked = set(method.fills), set(method.required)
        wanted = wanted_params(resource, method, columns)
        supplied = [
            param.name
            for param in resource.params
            if param.name not in filled and all(param.name in source.columns for source in sources)
        ]
        names = dict.fromkeys((CONNECTION, *wanted, *supplied))
        names = dict.fromkeys(name for name in names if name not in filled or name in asked)
        limit, order = _enough(target, method, sources)
        return AccessPath(
            method,
            tuple(names),
            fetched(resource, method, columns),
            pushed_filters(resource, method, target.accesses),
            limit,
            order,
            may_use_left_out(resource, method, target.accesses),
        )

    def _source(
        self,
        target: AccessTarget,
        binding: Binding,
        methods: Sequence[Method],
        names: Sequence[str],
        *,
        only_bound: bool = False,
    ) -> ArgumentSource:
        resource = target.live.resource
        constant = Constant((), ((),))
        if not only_bound:
            constant = constant_of(
                target.live,
                binding.access.rows,
                self.weighing.catalog,
                self.weighing.provider(resource),
            )
        defaults: dict[str, str] = {}
        for method in methods:
            defaults |= default_values(resource, method, constant, target.columns)
        bound = {*binding.bound}
        constant = with_defaults(
            constant, {n: v for n, v in defaults.items() if n not in bound and not only_bound}
        )
        return binding.source(constant, tuple(dict.fromkeys(names)))


def _wanted(target: AccessTarget, methods: Sequence[Method]) -> tuple[str, ...]:
    resource, columns = target.live.resource, target.columns
    return tuple(name for method in methods for name in wanted_params(resource, method, columns))


def _enough(
    target: AccessTarget, method: Method, sources: Sequence[ArgumentSource]
) -> tuple[int | None, OrderPairs]:
    """How many rows are enough, and what asks for the first of an order."""
    access = target.accesses[0]
    if (
        len(target.accesses) > 1
        or access.limit is None
        or not access.limited_by <= set(method.required)
    ):
        return None, ()
    if not all(access.limited_by <= row.keys() for row in access.rows or ({},)):
        return None, ()  # what is compared there is not all that is asked for
    if access.order is None:
        return access.limit, ()
    column, is_descending = access.order
    for order in method.order:
        pairs = order.descending if is_descending else order.ascending
        if order.column == column and pairs is not None:
            is_one_request = not sources[0].sql and len(sources[0].constant.rows) == 1
            return (access.limit, pairs) if is_one_request else (None, ())
    return None, ()


def _is_supplied(access_path: AccessPath, sources: Sequence[ArgumentSource]) -> bool:
    return all(
        {*access_path.arguments} <= {*source.columns} or not source.constant.rows
        for source in sources
    )


def _only_needed(
    access_paths: Sequence[AccessPath], sources: Sequence[ArgumentSource]
) -> list[AccessPath]:
    """Access paths whose arguments every source has; one, where all is constant."""
    fit = [
        access_path for access_path in access_paths if _is_supplied(access_path, sources)
    ] or list(access_paths[:1])
    return fit if any(source.sql for source in sources) else fit[:1]


def _asks_the_same(scan: Scan, other: Scan) -> bool:
    if scan.sources != other.sources:
        return False

    def bare(scan: Scan) -> Scan:
        access_paths = tuple(replace(access_path, columns=()) for access_path in scan.access_paths)
        return replace(scan, name="", reason="", access_paths=access_paths, keeps=False)

    return bare(scan) == bare(other)


def _with_columns(scan: Scan, other: Scan) -> Scan:
    access_paths = tuple(
        replace(mine, columns=tuple(dict.fromkeys((*mine.columns, *theirs.columns))))
        for mine, theirs in zip(scan.access_paths, other.access_paths, strict=True)
    )
    return replace(scan, access_paths=access_paths)


def _why(choice: PathChoice, target: AccessTarget) -> str:
    resource = target.live.resource
    if all(access.relation == 0 and access.rows == () for access in target.accesses):
        return "nobody reads its rows"
    if all(access.rows == () for access in target.accesses):
        return "no row can satisfy the query"
    if choice.missing:
        parents = [
            str(param.parent.table)
            for name in choice.missing
            if (param := resource.param(name)) is not None and param.parent is not None
        ]
        source = listed(tuple(dict.fromkeys(parents)))
        return f"{listed(choice.missing)} enumerated from {source}, no value given"
    if len(resource.choices) == 1:
        return "the only method"
    return "the fewest requests"
