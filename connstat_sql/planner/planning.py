"""`BoundQuery` → `Plan`: which methods are asked for which arguments, in which order.

A scan's arguments are tuples: constants taken from the SQL, joined with rows of scans that run
before it where a parameter is looked up or enumerated from its declared parent. Nothing is sent
here, and what is decided here is what runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from connstat_sql.binder import BoundQuery, BoundTable, Row
from connstat_sql.catalog import Catalog, LiveTable
from connstat_sql.definitions import Filter, Method, Param, Provider, Resource, TableName
from connstat_sql.errors import ConfigError, PlanError
from connstat_sql.planner.choosing import Blame, Choice, Choosing
from connstat_sql.planner.questions import (
    default_values,
    fetched,
    given_columns,
    listed,
    narrowed,
    pushed_filters,
    siblings,
    spoken_columns,
    union_of,
    unserved,
    used_columns,
    wanted_params,
    with_defaults,
)
from connstat_sql.planner.values import CONNECTION, Constant, FromScan, Placement, Plan, Scan


def plan(query: BoundQuery, catalog: Catalog, *, max_requests: int, strict: bool = False) -> Plan:
    """Decide how the rows of every live table are fetched.

    Raises BindError when a parameter has neither a value nor a parent, PlanError when the known
    requests exceed the budget.
    """
    planning = _Planning(query, catalog, strict)
    placements = []
    for group in _by_resource(query.tables):
        for tables in planning.merged(group):
            placements += planning.place_mentions(tables)
    found = Plan(query, tuple(planning.scans.values()), tuple(placements), max_requests)
    known = sum(scan.expected_requests or 0 for scan in found.scans)
    if known > max_requests:
        _over_budget(found, known)
    return found


def _over_budget(found: Plan, known: int) -> None:
    worst = max(found.scans, key=lambda scan: scan.expected_requests or 0)
    span = next((p.table.mention.span for p in found.placements if p.scan == worst.name), None)
    raise PlanError(
        f"this needs at least {known:,} requests, {worst.expected_requests:,} of them for "
        f"{worst.resource.table}; the budget is {found.max_requests:,}",
        sql=found.query.statement.sql,
        span=span,
        hint=f"give fewer values, or raise it:  --max-requests {known}",
    )


def _by_resource(tables: Iterable[BoundTable]) -> list[list[BoundTable]]:
    groups: dict[tuple[TableName, str | None], list[BoundTable]] = {}
    for table in tables:
        groups.setdefault((table.live.resource.table, table.live.connection), []).append(table)
    return list(groups.values())


@dataclass
class _Planning:
    query: BoundQuery
    catalog: Catalog
    strict: bool
    scans: dict[str, Scan] = field(default_factory=dict)
    _path: list[TableName] = field(default_factory=list)
    _blame: Blame = field(default_factory=Blame)

    def _choosing(self, resource: Resource, spoken: frozenset[str] = frozenset()) -> Choosing:
        return Choosing(resource, self._provider(resource), self.strict, spoken)

    def merged(self, tables: list[BoundTable]) -> list[list[BoundTable]]:
        """Mentions of one table together when that costs no more requests than apart."""
        if len(tables) == 1:
            return [tables]
        resource = tables[0].live.resource
        rows, columns = union_of(tables), used_columns(tables)
        apart = [self._choosing(resource, t.spoken).cheapest(t.rows, t.columns) for t in tables]
        together = self._choosing(resource, spoken_columns(tables)).cheapest(rows, columns)
        if None in apart or together is None:
            return [[table] for table in tables]
        separate = sum(choice.requests for choice in apart if choice)
        worst = max(len(choice.missing) for choice in apart if choice)
        if len(together.missing) <= worst and together.requests <= separate:
            return [tables]
        return [[table] for table in tables]

    def place_mentions(self, tables: list[BoundTable]) -> list[Placement]:
        """One scan for the given mentions of one table."""
        first = tables[0]
        self._blame = Blame(self.query.statement.sql, first.mention.span, first.misfits)
        scan = self.place(
            first.live, union_of(tables), used_columns(tables), spoken_columns(tables)
        )
        return [Placement(table, scan) for table in tables]

    def place(
        self,
        live: LiveTable,
        rows: Sequence[Row] | None,
        columns: tuple[str, ...],
        spoken: frozenset[str] = frozenset(),
    ) -> str:
        """Plan a scan of a table and of what it depends on; answers the scan's name."""
        resource = live.resource
        if resource.table in self._path:
            way = " → ".join(map(str, (*self._path, resource.table)))
            raise PlanError(f"parents go in a circle: {way}", sql=self.query.statement.sql)
        choosing = self._choosing(resource, spoken)
        unallowed = choosing.unallowed(rows, self._blame)
        if unallowed is not None:
            raise unallowed
        choice = choosing.cheapest(rows, columns)
        if choice is None:
            raise choosing.why_none(rows, columns, self._blame)
        self._path.append(resource.table)
        try:
            if choice.details is not None:
                return self._place_details(live, rows, columns, choice)
            return self._place_scan(live, rows, columns, choice)
        finally:
            self._path.pop()

    def _place_scan(
        self, live: LiveTable, rows: Sequence[Row] | None, columns: tuple[str, ...], choice: Choice
    ) -> str:
        resource, method = live.resource, choice.method
        constant = self._constant(live, rows)
        filled = set(method.fills)
        asked = set(method.required)
        given = [p for p in resource.params if p.name in constant.columns and p.name not in filled]
        defaults = default_values(resource, method, constant, columns)
        constant = with_defaults(constant, defaults)
        wanted = wanted_params(resource, method, columns)
        missing = [name for name in wanted if name not in constant.columns]
        sources = self._sources(live, missing, constant, rows)
        supplied = [name for source in sources for name, _ in source.supplies]
        names = dict.fromkeys((CONNECTION, *wanted, *(p.name for p in given), *supplied))
        names = dict.fromkeys(name for name in names if name not in filled or name in asked)
        return self._add(
            resource, method, tuple(names), narrowed(constant, tuple(names)), sources,
            fetched(resource, method, columns), pushed_filters(method, rows),
            _why(choice, resource),
        )  # fmt: skip

    def _place_details(
        self, live: LiveTable, rows: Sequence[Row] | None, columns: tuple[str, ...], choice: Choice
    ) -> str:
        """Columns that a list does not serve: its rows' keys first, then each by its details."""
        details = choice.details
        assert details is not None
        listing = self._place_scan(live, rows, details.required, choice)
        source = FromScan(
            listing,
            live.resource.table,
            tuple((name, name) for name in details.required),
            ((CONNECTION, CONNECTION),),
        )
        reason = f"{choice.method.name} does not serve {listed(unserved(choice.method, columns))}"
        return self._add(
            live.resource, details, (CONNECTION, *details.required), Constant((), ((),)), (source,),
            fetched(live.resource, details, columns), (), f"{reason}: one {details.name} a row",
        )  # fmt: skip

    def _add(
        self,
        resource: Resource,
        method: Method,
        arguments: tuple[str, ...],
        constant: Constant,
        sources: tuple[FromScan, ...],
        columns: tuple[str, ...],
        filters: tuple[tuple[Filter, tuple[str, ...]], ...],
        reason: str,
    ) -> str:
        """A scan under a new name, or the name of one that asks the very same."""
        provider = self._provider(resource)
        scan = Scan(
            "", provider, resource, method, arguments, constant, sources, columns, filters, reason
        )
        for name, other in self.scans.items():
            if replace(other, name="", columns=(), reason="") == replace(
                scan, columns=(), reason=""
            ):
                both = tuple(dict.fromkeys((*other.columns, *columns)))
                self.scans[name] = replace(other, columns=both)
                return name
        name = f"scan_{len(self.scans) + 1}"
        self.scans[name] = replace(scan, name=name)
        return name

    # --- parameters without a value ----------------------------------------------------------

    def _sources(
        self,
        live: LiveTable,
        missing: Sequence[str],
        constant: Constant,
        rows: Sequence[Row] | None,
    ) -> tuple[FromScan, ...]:
        """Scans of the parents that supply what is missing; each supplies all that it can."""
        sources: list[FromScan] = []
        pending = dict.fromkeys(missing)
        for name in sorted(
            missing, key=lambda n: -len(_links(self._param(live, n), live.resource, self))
        ):
            if name not in pending:
                continue
            source = self._source(live, self._param(live, name), constant, rows, sources)
            sources.append(source)
            for supplied, _ in source.supplies:
                pending.pop(supplied, None)
        return tuple(sources)

    def _source(
        self,
        live: LiveTable,
        param: Param,
        constant: Constant,
        rows: Sequence[Row] | None,
        before: Sequence[FromScan],
    ) -> FromScan:
        assert param.parent is not None
        parent = self._resource(param.parent.table)
        links = _links(param, live.resource, self)
        known = {*constant.columns} | {name for source in before for name, _ in source.supplies}
        matches = tuple((ours, theirs) for ours, theirs in links if ours in known)
        supplies = tuple((ours, theirs) for ours, theirs in links if ours not in known)
        restricted: Sequence[Row] | None = None
        if rows is not None:
            fixed = [(ours, theirs) for ours, theirs in matches if ours in constant.columns]
            restricted = [
                {theirs: row[ours] for ours, theirs in fixed if ours in row} for row in rows
            ]
            restricted = _carry_connection(rows, restricted)
        columns = tuple(dict.fromkeys(theirs for _, theirs in links))
        scan = self.place(LiveTable(parent, live.connection), restricted, columns)
        return FromScan(scan, parent.table, supplies, ((CONNECTION, CONNECTION), *matches))

    def _param(self, live: LiveTable, name: str) -> Param:
        param = live.resource.param(name)
        assert param is not None
        return param

    def _resource(self, table: TableName) -> Resource:
        resource = self.catalog.definitions.resource(table)
        if resource is None:
            raise PlanError(f"the parent {table} does not exist", sql=self.query.statement.sql)
        return resource

    def _provider(self, resource: Resource) -> Provider:
        provider = self.catalog.definitions.provider(resource.table.provider)
        assert provider is not None
        return provider

    # --- constants ---------------------------------------------------------------------------

    def _constant(self, live: LiveTable, rows: Sequence[Row] | None) -> Constant:
        """The alternatives as tuples over the columns that all of them give, and connections."""
        provider = live.resource.table.provider
        names = (live.connection,) if live.connection else self.catalog.connections_of(provider)
        if not names:
            raise _no_connection(self._provider(live.resource))
        if rows == ():
            return Constant((CONNECTION, *(param.name for param in live.resource.params)), ())
        given = [name for name in given_columns(rows) if name != CONNECTION]
        found: dict[tuple[str, ...], None] = {}
        for row in [{}] if rows is None else rows:
            for connection in names:
                if row.get(CONNECTION, connection) == connection:
                    values = (connection, *(row[name] for name in given))
                    found[values] = None
        return Constant((CONNECTION, *given), tuple(found))


# --- in words, and in pairs ---


def _links(param: Param, resource: Resource, planning: _Planning) -> tuple[tuple[str, str], ...]:
    """Pairs (our parameter, parent's column) that hold the same value in one row of the parent."""
    if param.parent is None:
        return ()
    parent = planning._resource(param.parent.table)
    pairs = {p.name: p.parent.column for p in siblings(resource, param) if p.parent}
    ours = {p.name for p in resource.params}
    pairs |= {mine: theirs for theirs, mine in param.parent.shared if mine in ours}
    for theirs in parent.params:
        if theirs.name in ours and theirs.name not in pairs and theirs.name not in pairs.values():
            pairs[theirs.name] = theirs.name
    return tuple(pairs.items())


def _carry_connection(rows: Sequence[Row], restricted: Sequence[Row]) -> tuple[Row, ...]:
    return tuple(
        {**narrow, CONNECTION: row[CONNECTION]} if CONNECTION in row else narrow
        for row, narrow in zip(rows, restricted, strict=True)
    )


def _why(choice: Choice, resource: Resource) -> str:
    if choice.missing:
        parents = [
            str(param.parent.table)
            for name in choice.missing
            if (param := resource.param(name)) is not None and param.parent is not None
        ]
        source = listed(tuple(dict.fromkeys(parents)))
        return f"{listed(choice.missing)} enumerated from {source}, no value given"
    if len(resource.methods) == 1:
        return "the only method"
    return "no row can satisfy the query" if not choice.requests else "the fewest requests"


def _no_connection(provider: Provider) -> ConfigError:
    variables = [setting.env for setting in provider.settings if setting.env]
    return ConfigError(
        f"{provider.name} has no connection",
        hint=f"set {' and '.join(variables[:3])}, or add [connections.NAME] to connstat.toml",
    )
