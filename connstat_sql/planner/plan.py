"""`BoundQuery` → `Plan`: which methods are asked for which arguments, in which order.

Each table that the statement accesses has access paths: methods whose parameters have values. One
loop places the target that is expected to need the fewest requests next, until all are placed. The
rows of what is placed, and all that is local, can give values to what comes later; a parameter that
gets none in this way is enumerated from its declared parent. Nothing is sent here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import product

from sqlglot import exp

from connstat_sql.definitions.catalog import Catalog
from connstat_sql.definitions.model import Method, OrderPairs, TableName
from connstat_sql.errors import PlanError
from connstat_sql.planner.access_paths import (
    AccessTarget,
    ArgumentSupply,
    Blame,
    PathChoice,
    Weigh,
    check_allowed,
    fetched,
    listed,
    may_use_left_out,
    path_choices,
    unserved,
    why_none,
)
from connstat_sql.planner.arguments import Binding, bindings_of, constant_of, source_of
from connstat_sql.planner.cost import PAGE_ROWS, Asked, SharedRequests, with_reuse
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
from connstat_sql.planner.parents import fewest_first, needed, parents_of, tied
from connstat_sql.planner.relations import ReadableRows
from connstat_sql.planner.scan_order import ScanOrder, TargetCosts
from connstat_sql.planner.wire_values import pushed_filters
from connstat_sql.sql.binder import BoundQuery, ColumnField, Questions, TableAccess

MANY = 10.0
"""Expected requests of which another way that may need fewer is kept in mind."""
NOT_COVERED = 9
"""More parameters than any method can lack: there is none that could be asked."""


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
    planner = _Planner(query, catalog, ReadableRows(query, questions))
    targets = [
        target
        for places in _by_table(query)
        for target in _merged(query, places, catalog, planner.rows, is_strict=strict)
    ]
    for target in targets:
        planner.requests.expect(target.provider.name, target.serving)
    costs = TargetCosts(targets, planner.rows, planner.choices_of)
    order, placed = ScanOrder(targets, costs), 0
    while placed + 1 < 1 << len(targets):
        number, bindings = planner.next_of(order.ranked(placed), targets)
        target = targets[number]
        planner.requests.no_longer_expect(target.provider.name, target.serving)
        scan = planner.place(target, bindings, partial(costs.of, number, placed))
        planner.rows.scans_of_mentions.update(dict.fromkeys(target.places, scan))
        placed |= 1 << number
    scans = with_reuse(tuple(planner.scans.values()))
    names = planner.rows.scans_of_mentions
    placements = tuple(Placement(query.tables[place], names[place]) for place in sorted(names))
    return Plan(query, scans, placements, max_requests, planner.requests.free(scans))


def _by_table(query: BoundQuery) -> Iterable[list[int]]:
    """Places of mentions, those of one table together."""
    groups: dict[tuple[TableName, str | None], list[int]] = {}
    for place, table in enumerate(query.tables):
        groups.setdefault((table.live.resource.table, table.live.connection), []).append(place)
    return groups.values()


def _merged(
    query: BoundQuery,
    places: Sequence[int],
    catalog: Catalog,
    rows: ReadableRows,
    *,
    is_strict: bool,
) -> list[AccessTarget]:
    """Mentions of one table together when that costs no more requests than apart."""
    targets = [_target_of(query, [place], catalog, is_strict) for place in places]
    accesses = [access for place in places for access in query.tables[place].accesses]
    is_limited = bool(accesses) and all(access.limit is not None for access in accesses)
    if len(targets) == 1 or is_limited:
        return targets  # so many rows of each are fewer than all of both
    whole = _target_of(query, places, catalog, is_strict)
    apart = [_constant_choice(target, catalog) for target in targets]
    together = _constant_choice(whole, catalog)
    known = [choice for choice in apart if choice is not None]
    if together is None or len(known) < len(apart):
        return targets
    separate = sum(choice.requests or 0 for choice in known)
    is_within = all(set(choice.missing) <= set(together.missing) for choice in known)
    if not is_within or (together.requests or 0) > separate:
        return targets
    is_same = all(choice.missing == together.missing for choice in known)
    for target, choice in zip(targets, known, strict=True):
        if choice.missing and _may_be_bound(target, whole if is_same else target, rows):
            return targets
    return [whole]


def _target_of(
    query: BoundQuery, places: Sequence[int], catalog: Catalog, is_strict: bool
) -> AccessTarget:
    """Mentions of one table as one target."""
    tables = [query.tables[place] for place in places]
    live = tables[0].live
    provider = catalog.definitions.provider(live.resource.table.provider)
    assert provider is not None
    return AccessTarget(
        live,
        provider,
        tuple(a for table in tables for a in table.accesses) or (TableAccess(0, (), ()),),
        tuple(dict.fromkeys(name for table in tables for name in table.columns)),
        Blame(query.statement.sql, tables[0].mention.span, tables[0].misfits),
        is_strict,
        frozenset(name for table in tables for name in table.spoken),
        tuple(places),
    )


def _may_be_bound(target: AccessTarget, whole: AccessTarget, rows: ReadableRows) -> bool:
    """Whether a parameter of the target equals something of another table."""
    own = {access.relation for access in whole.accesses}
    params = {param.name for param in target.resource.params}
    return any(
        isinstance(conjunct.predicate, (exp.EQ, exp.NullSafeEQ))
        and any(not rows.is_there(relation) for relation in conjunct.relations - own)
        and any(
            isinstance(term, ColumnField)
            and term.relation == access.relation
            and term.column in params
            for term in conjunct.terms.values()
        )
        for access in target.accesses
        for conjunct in access.conjuncts
    )


def _weigh(
    target: AccessTarget,
    accesses: Sequence[TableAccess],
    catalog: Catalog,
    requests: SharedRequests,
) -> Weigh:
    """How many requests a method adds when the arguments of some accesses are constants."""
    resource, name = target.resource, target.provider.name
    constants = [constant_of(target, access.rows, catalog) for access in accesses]

    def weigh(method: Method) -> tuple[int, int]:
        filters = pushed_filters(resource, method, target.accesses)
        kinds = [(method, filters)]
        if may_use_left_out(resource, method, target.accesses):
            kinds.append((resource.method(method.known_by), ()))
        asked = set[Asked]()
        for each, constant in product(kinds, constants):
            asked |= requests.requests(name, constant, *each)
        return len(requests.new(asked)), requests.count(name, method)

    return weigh


def _constant_choice(
    target: AccessTarget, catalog: Catalog, requests: SharedRequests | None = None
) -> PathChoice | None:
    """The method for a target of which only constants are known."""
    supplies = [ArgumentSupply(access.rows) for access in target.accesses]
    weigh = _weigh(target, target.accesses, catalog, requests or SharedRequests())
    return next(iter(path_choices(target, supplies, weigh)), None)


@dataclass
class _Planner:
    """The scans of one statement so far, the rows that they give, and the requests they send."""

    query: BoundQuery
    catalog: Catalog
    rows: ReadableRows
    requests: SharedRequests = field(default_factory=SharedRequests)
    scans: dict[str, Scan] = field(default_factory=dict)

    def choices_of(
        self, target: AccessTarget, access: TableAccess, bound: frozenset[str]
    ) -> list[PathChoice]:
        """The methods for one access of a table, with values from rows for some parameters."""
        weigh = _weigh(target, [access], self.catalog, self.requests)
        return path_choices(target, [ArgumentSupply(access.rows, bound)], weigh)

    def next_of(
        self, ranked: Sequence[int], targets: Sequence[AccessTarget]
    ) -> tuple[int, list[Binding]]:
        """The first of them that has values for its parameters; else that which lacks the fewest.

        The order is chosen by what conjuncts say; what is there to be read is seen when it is
        placed.
        """
        best: tuple[int, int, list[Binding]] | None = None
        for number in ranked:
            bindings = bindings_of(targets[number], self.rows)
            choices = path_choices(targets[number], [binding.supply for binding in bindings])
            lacks = len(choices[0].missing) if choices else NOT_COVERED
            if best is None or lacks < best[0]:
                best = (lacks, number, bindings)
            if not lacks:
                break
        assert best is not None
        return best[1:]

    # --- one scan ----------------------------------------------------------------------------

    def place(
        self,
        target: AccessTarget,
        bindings: Sequence[Binding],
        expected: Callable[[], tuple[float, float]] | None = None,
    ) -> str:
        """Plan a scan of a table and of what it depends on; answers the scan's name.

        `expected` tells how many requests it is expected to need (None: nobody mentions it).
        """
        if target.resource.table in target.within:
            circle = " → ".join(map(str, (*target.within, target.resource.table)))
            raise PlanError(f"parents go in a circle: {circle}", sql=target.blame.sql)
        supplies = [binding.supply for binding in bindings]
        check_allowed(target, supplies)
        weigh = _weigh(
            target, [binding.access for binding in bindings], self.catalog, self.requests
        )
        choices = path_choices(target, supplies, weigh)
        if not choices:
            raise why_none(target, supplies)
        choices = fewest_first(target, bindings, choices, self.catalog)
        if choices[0].details is not None:
            return self._place_details(target, bindings, choices[0], choices[0].details)
        return self._place_scan(target, bindings, choices, expected)

    def _place_scan(
        self,
        target: AccessTarget,
        bindings: Sequence[Binding],
        choices: Sequence[PathChoice],
        expected: Callable[[], tuple[float, float]] | None = None,
    ) -> str:
        best = choices[0]
        is_known = not best.missing and best.requests is not None
        instead: tuple[Instead, ...] = ()
        if not is_known and expected is not None:
            instead = tuple(self._instead(target, bindings, choices, expected))
        if best.missing:
            bindings = [self._with_parents(target, each, best.missing) for each in bindings]
        usable: Sequence[PathChoice] = ()
        if not is_known:
            again = path_choices(target, [binding.supply for binding in bindings])
            usable = [choice for choice in again if not choice.missing]
        elif best.method.paging is not None:
            usable = [c for c in choices if not c.missing and c.requests is None]
        methods = [best.method, *(each.method for each in usable if each.details is None)]
        methods = self._differing(target, methods)
        params = [param.name for param in target.resource.params]
        names = [name for method in methods for name in target.wanted_params(method)]
        names = list(dict.fromkeys((CONNECTION, *names, *params)))
        sources = [source_of(target, each, methods, names, self.catalog) for each in bindings]
        return self._add(target, sources, methods, _why(best, target), instead)

    def _differing(self, target: AccessTarget, usable: Sequence[Method]) -> list[Method]:
        """Methods that may need another number of requests: each once, the lightest of its kind."""
        by_kind: dict[object, Method] = {}
        for method in usable:
            shares = self.requests.may_share(target.provider.name, method)
            key: object = method.name if shares else (frozenset(method.required), method.paging)
            by_kind.setdefault(key, method)
        return list({method.name: method for method in by_kind.values()}.values())

    def _place_details(
        self,
        target: AccessTarget,
        bindings: Sequence[Binding],
        choice: PathChoice,
        details: Method,
    ) -> str:
        """Columns that a list does not serve: its rows' keys first, then each by its details."""
        lacks = unserved(choice.method, target.columns)
        served = [name for name in target.columns if name not in lacks]
        columns = tuple(dict.fromkeys((*details.required, *served)))
        listing = self._place_scan(replace(target, columns=columns), bindings, [choice])
        names = (CONNECTION, *(param.name for param in target.resource.params))
        pairs = {name: name for name in (CONNECTION, *columns)}
        sources = []
        for binding in bindings:
            number = self.rows.next_relation()
            rows = tied(target, binding, listing, pairs, target.resource, number)
            sources.append(rows.source(Constant((), ((),)), names))
        reason = f"{choice.method.name} does not serve {listed(lacks)}: one {details.name} a row"
        return self._add(target, sources, (details,), reason)

    # --- values from parents -----------------------------------------------------------------

    def _with_parents(
        self, target: AccessTarget, binding: Binding, missing: Sequence[str]
    ) -> Binding:
        """The access with what its parents' rows supply."""
        for parent in needed(parents_of(target, missing, self.catalog), binding):
            number = self.rows.next_relation()
            access = parent.access(binding.access, number)
            above = parent.target(target, access)
            scan = self.place(above, bindings_of(above, self.rows))
            binding = tied(target, binding, scan, parent.pairs, parent.resource, number)
        return binding

    def _instead(
        self,
        target: AccessTarget,
        bindings: Sequence[Binding],
        choices: Sequence[PathChoice],
        expected: Callable[[], tuple[float, float]],
    ) -> Iterator[Instead]:
        """Ways through parents that may be few, where rows are expected to give many values."""
        best, is_limited = choices[0], any(access.limit is not None for access in target.accesses)
        if target.is_strict or is_limited or expected()[0] < MANY:
            return
        for choice in choices[1:]:
            known = {*best.missing, *best.method.required}
            if choice.missing and choice.details is None and not {*choice.missing} & known:
                other = self._through(target, bindings, choice)
                if other is not None:
                    yield other

    def _through(
        self, target: AccessTarget, bindings: Sequence[Binding], choice: PathChoice
    ) -> Instead | None:
        sources, scans, method = [], set(), choice.method
        names = (CONNECTION, *target.wanted_params(method))
        for binding in bindings:
            look = self._looked_at(target, binding, choice.missing)
            if look is None:
                return None
            sources.append(source_of(target, look[0], (method,), names, self.catalog))
            scans |= {look[1]} - {""}
        access_path = _access_path(target, method, sources)
        fits = len(scans) == 1 and _is_supplied(access_path, sources)
        return Instead(scans.pop(), access_path, tuple(sources)) if fits else None

    def _looked_at(
        self, target: AccessTarget, binding: Binding, missing: Sequence[str]
    ) -> tuple[Binding, str] | None:
        """The access with what a parent supplies that is asked for one page, and the scan that is.

        None where that takes more than one request, or does not supply all that is missing; no
        scan where no row is wanted.
        """
        if binding.access.rows == ():
            return binding, ""
        (parent,) = parents_of(target, missing[:1], self.catalog)
        if not set(missing) <= parent.links.keys():
            return None
        number = self.rows.next_relation()
        access = TableAccess(number, (), parent.rows(binding.access))
        look = replace(parent.target(target, access), looks=True)
        choice = _constant_choice(look, self.catalog, self.requests)
        if choice is None or choice.missing or choice.details or (choice.requests or 0) > 1:
            return None
        if choice.method.paging is not None:
            access = replace(access, limit=choice.method.paging.size or PAGE_ROWS)
            look = replace(look, accesses=(access,))
        scan = self.place(look, bindings_of(look, self.rows))
        return tied(target, binding, scan, parent.pairs, parent.resource, number), scan

    # --- the scan's own values ---------------------------------------------------------------

    def _add(
        self,
        target: AccessTarget,
        sources: Sequence[ArgumentSource],
        methods: Sequence[Method],
        reason: str,
        instead: tuple[Instead, ...] = (),
    ) -> str:
        """A scan under a new name, or the name of one that asks the very same."""
        access_paths = [_access_path(target, method, sources) for method in methods]
        scan = Scan(
            f"scan_{len(self.scans) + 1}",
            target.provider,
            target.resource,
            tuple(_only_needed(access_paths, sources)),
            tuple(sources),
            reason=reason,
            instead=instead,
            looks=target.looks,
        )
        for name, other in self.scans.items():
            if _asks_the_same(other, scan):
                self.scans[name] = _with_columns(other, scan)
                return name
        self.scans[scan.name] = scan
        self.requests.add(scan)
        return scan.name


def _access_path(
    target: AccessTarget, method: Method, sources: Sequence[ArgumentSource]
) -> AccessPath:
    resource, columns = target.resource, target.columns
    filled, asked = set(method.fills), set(method.required)
    supplied = [
        param.name
        for param in resource.params
        if param.name not in filled and all(param.name in source.columns for source in sources)
    ]
    names = dict.fromkeys((CONNECTION, *target.wanted_params(method), *supplied))
    limit, order = _enough(target, method, sources)
    return AccessPath(
        method,
        tuple(name for name in names if name not in filled or name in asked),
        fetched(resource, method, columns),
        pushed_filters(resource, method, target.accesses),
        limit,
        order,
        may_use_left_out(resource, method, target.accesses),
    )


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
    resource = target.resource
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


# --- the budget --------------------------------------------------------------------------------


def check_budget(plan: Plan) -> None:
    """Raise PlanError when the requests that are known already exceed the budget."""
    known = 0  # with a limit one may be enough
    for scan in plan.scans:
        expected = plan.expected(scan) or 0
        known += expected if scan.access_paths[0].limit is None else min(expected, 1)
    if known <= plan.max_requests:
        return
    worst = max(plan.scans, key=lambda scan: scan.expected_requests or 0)
    span = next((p.table.mention.span for p in plan.placements if p.scan == worst.name), None)
    raise PlanError(
        f"this needs at least {known:,} requests, {worst.expected_requests:,} of them for "
        f"{worst.resource.table}; the budget is {plan.max_requests:,}",
        sql=plan.query.statement.sql,
        span=span,
        hint=f"give fewer values, or raise it:  --max-requests {known}",
    )
