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

        The order is chosen by what facts say; what is there to be read is seen when it is placed.
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
            way = " → ".join(map(str, (*self._path, resource.table)))
            raise PlanError(f"parents go in a circle: {way}", sql=self.query.statement.sql)
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
        best, is_limited = choices[0], any(use.limit is not None for use in target.uses)
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
        feeds = [self._feed(target, binding, (method,), wanted) for binding in looked]
        way = self._way(target, method, feeds)
        fits = len(scans) == 1 and _is_fed(way, feeds)
        return Instead(scans.pop(), way, tuple(feeds)) if fits else None

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
        feeds, ways = [], []
        for binding in bindings:
            params = [param.name for param in resource.params]
            names = (CONNECTION, *params) if only_bound else (*_wanted(target, methods), *params)
            feeds.append(self._feed(target, binding, methods, names, only_bound=only_bound))
        for method in methods:
            ways.append(self._way(target, method, feeds))
        ways = _only_needed(ways, feeds)
        scan = Scan(
            "",
            self.weighing.provider(resource),
            resource,
            tuple(ways),
            tuple(feeds),
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

    def _way(
        self, target: AccessTarget, method: Method, feeds: Sequence[ArgumentSource]
    ) -> AccessPath:
        resource, columns = target.live.resource, target.columns
        filled, asked = set(method.fills), set(method.required)
        wanted = wanted_params(resource, method, columns)
        supplied = [
            param.name
            for param in resource.params
            if param.name not in filled and all(param.name in feed.columns for feed in feeds)
        ]
        names = dict.fromkeys((CONNECTION, *wanted, *supplied))
        names = dict.fromkeys(name for name in names if name not in filled or name in asked)
        limit, order = _enough(target, method, feeds)
        return AccessPath(
            method,
            tuple(names),
            fetched(resource, method, columns),
            pushed_filters(resource, method, target.uses),
            limit,
            order,
            may_use_left_out(resource, method, target.uses),
        )

    def _feed(
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
                binding.use.rows,
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
        return binding.feed(constant, tuple(dict.fromkeys(names)))


def _wanted(target: AccessTarget, methods: Sequence[Method]) -> tuple[str, ...]:
    resource, columns = target.live.resource, target.columns
    return tuple(name for method in methods for name in wanted_params(resource, method, columns))


def _enough(
    target: AccessTarget, method: Method, feeds: Sequence[ArgumentSource]
) -> tuple[int | None, OrderPairs]:
    """How many rows are enough, and what asks for the first of an order."""
    use = target.uses[0]
    if len(target.uses) > 1 or use.limit is None or not use.limited_by <= set(method.required):
        return None, ()
    if not all(use.limited_by <= row.keys() for row in use.rows or ({},)):
        return None, ()  # what is compared there is not all that is asked for
    if use.order is None:
        return use.limit, ()
    column, is_descending = use.order
    for order in method.order:
        pairs = order.descending if is_descending else order.ascending
        if order.column == column and pairs is not None:
            is_one_request = not feeds[0].sql and len(feeds[0].constant.rows) == 1
            return (use.limit, pairs) if is_one_request else (None, ())
    return None, ()


def _is_fed(way: AccessPath, feeds: Sequence[ArgumentSource]) -> bool:
    return all({*way.arguments} <= {*feed.columns} or not feed.constant.rows for feed in feeds)


def _only_needed(ways: Sequence[AccessPath], feeds: Sequence[ArgumentSource]) -> list[AccessPath]:
    """Ways whose arguments every feed has; one, where all is constant."""
    fit = [way for way in ways if _is_fed(way, feeds)] or list(ways[:1])
    return fit if any(feed.sql for feed in feeds) else fit[:1]


def _asks_the_same(scan: Scan, other: Scan) -> bool:
    if scan.feeds != other.feeds:
        return False

    def bare(scan: Scan) -> Scan:
        ways = tuple(replace(way, columns=()) for way in scan.ways)
        return replace(scan, name="", reason="", ways=ways, keeps=False)

    return bare(scan) == bare(other)


def _with_columns(scan: Scan, other: Scan) -> Scan:
    ways = tuple(
        replace(mine, columns=tuple(dict.fromkeys((*mine.columns, *theirs.columns))))
        for mine, theirs in zip(scan.ways, other.ways, strict=True)
    )
    return replace(scan, ways=ways)


def _why(choice: PathChoice, target: AccessTarget) -> str:
    resource = target.live.resource
    if all(use.relation == 0 and use.rows == () for use in target.uses):
        return "nobody reads its rows"
    if all(use.rows == () for use in target.uses):
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
