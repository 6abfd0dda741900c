"""Engines that break a rule: they misread the statement, misjudge its values, or plan amiss.

What runs in the end is the text as it was written; only what is fetched for it differs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import product

import duckdb
import sqlglot
from sqlglot import exp

from connstat_sql.database.source_map import SourceText
from connstat_sql.database.splitter import SqlStatement
from connstat_sql.database.values import Arguments, Value
from connstat_sql.engine.live import LiveTables
from connstat_sql.engine.live_planner import LiveQuery
from connstat_sql.planner import ArgumentSource, Placement, Plan, Scan
from connstat_sql.result import Options, Result
from connstat_sql.sql.binder import (
    RULES_OF_SQL,
    BoundQuery,
    BoundTable,
    ColumnField,
    Conjunct,
    Constants,
    Rules,
    TableAccess,
    Types,
    bind,
    bindable_types,
    substituted,
)
from connstat_sql.sql.binder.restrictions import Restriction
from connstat_sql.sql.introspection import Introspection
from connstat_sql.sql.statement import DIALECT, Statement
from tests.oracle.misreading import Misread

Misbound = Callable[[BoundQuery, Introspection], BoundQuery]
"""Draws other conclusions from a bound query."""

Misplanned = Callable[[Plan], Plan]
"""Does something else than what was planned."""


def _as_it_is(_: exp.Expr) -> None:
    pass


def _as_bound(query: BoundQuery, _: Introspection) -> BoundQuery:
    return query


def nothing_missing(query: BoundQuery, _: Introspection) -> BoundQuery:
    """No relation's row may be missing."""
    return replace(query, missing=frozenset())


def _as_planned(plan: Plan) -> Plan:
    return plan


@dataclass(frozen=True)
class Mutant:
    """A broken engine: which rules it goes by, how it reads, what it asks, binds and plans.

    Without `plans` DuckDB reads the declared tables as if they were ordinary views.
    """

    rules: Rules = RULES_OF_SQL
    misread: Misread = _as_it_is
    introspection: type[Introspection] = Introspection
    misbound: Misbound = _as_bound
    misplanned: Misplanned = _as_planned
    plans: bool = True
    sees_writes: bool = True

    @property
    def engine(self) -> type[LiveTables]:
        """What runs statements over live tables in this way."""
        return type("Broken", (Broken,), {"mutant": self})


class Broken(LiveTables):
    """An engine with something broken; each subclass has another mutant."""

    mutant = Mutant()

    def run(self, statement: SqlStatement, arguments: Arguments, options: Options) -> Result | None:
        """As DuckDB runs it, where nothing is planned."""
        if self.mutant.plans:
            return super().run(statement, arguments, options)
        with self._session.binding_live():
            table = self._session.run(SourceText(statement.sql), arguments)
        return Result(table, has_rows=True)

    def _writes_within(self, statement: Statement) -> bool:
        return self.mutant.sees_writes and super()._writes_within(statement)

    def _introspection(self, sql: str, arguments: Arguments) -> Introspection:
        return self.mutant.introspection(self._session, sql, arguments)

    def _bind(self, statement: Statement, introspection: Introspection) -> BoundQuery:
        mutant = self.mutant
        if statement.tree is not None:
            mutant.misread(statement.tree)
        return mutant.misbound(
            bind(statement, self._catalog, introspection, mutant.rules), introspection
        )

    def _plan(self, query: LiveQuery, options: Options, now: float) -> Plan | None:
        found = super()._plan(query, options, now)
        return None if found is None else self.mutant.misplanned(found)


# --- misjudged values ----------------------------------------------------------------------------


class NothingVolatile(Introspection):
    """Every function is taken for one whose value stays."""

    def volatile(self) -> frozenset[str]:
        """No name at all."""
        return frozenset()


class SameInLowerCase(Introspection):
    """Expressions are the same where they differ in the case of letters alone."""

    def is_same(self, one: str, other: str) -> bool:
        """Without regard to letters that stand in texts."""
        return super().is_same(one.lower(), other.lower())


class OtherWords(Introspection):
    """What is folded is sqlglot's spelling of it."""

    def fold(self, sql: str) -> tuple[tuple[Value, ...], ...] | None:
        """The value of what sqlglot makes of the text."""
        return super().fold(sqlglot.parse_one(sql, dialect=DIALECT).sql(dialect=DIALECT))


class NothingHidden(Introspection):
    """Functions are DuckDB's, whatever macros there are."""

    def calls_hiding(self, _: exp.Expr) -> bool:
        """Never."""
        return False


class InTheTransaction(Introspection):
    """Questions are statements like others, which end the user's transaction where they fail."""

    def describe(self, sql: str) -> Types | None:
        """The columns, after a statement that asks for them."""
        with suppress(duckdb.Error):
            self.session.duckdb.execute(f"DESCRIBE {sql}")
        return super().describe(sql)


class AllText(Introspection):
    """Every value and column is taken for text."""

    def fold(self, sql: str) -> tuple[tuple[Value, ...], ...] | None:
        """The values, as text."""
        rows = super().fold(sql)
        texts = (tuple(Value(one.text, "VARCHAR") for one in row) for row in rows or ())
        return None if rows is None else tuple(texts)

    def describe(self, sql: str) -> Types | None:
        """The columns, as text."""
        types = super().describe(sql)
        return None if types is None else dict.fromkeys(types, "VARCHAR")


# --- misbound ------------------------------------------------------------------------------------


def every(change: Callable[[TableAccess], TableAccess]) -> Misbound:
    """Another conclusion about each reading of a live table."""

    def misbound(query: BoundQuery, _: Introspection) -> BoundQuery:
        return with_accesses(query, lambda table: [change(access) for access in table.accesses])

    return misbound


def with_accesses(
    query: BoundQuery, accesses: Callable[[BoundTable], Sequence[TableAccess]]
) -> BoundQuery:
    """The query with other readings of its live tables."""
    tables = [replace(table, accesses=tuple(accesses(table))) for table in query.tables]
    return replace(query, tables=tuple(tables))


def multiplied(access: TableAccess) -> TableAccess:
    """The product of the values of each column, where tuples are meant."""
    if not access.rows or len({frozenset(row) for row in access.rows}) > 1:
        return access
    names = [*access.rows[0]]
    values = [dict.fromkeys(row[name] for row in access.rows) for name in names]
    return replace(
        access, rows=tuple(dict(zip(names, one, strict=True)) for one in product(*values))
    )


def first_alternative(access: TableAccess) -> TableAccess:
    """The first of several alternatives."""
    return replace(access, rows=access.rows[:1] if access.rows else access.rows)


def no_contradictions(access: TableAccess) -> TableAccess:
    """What cannot be is looked up."""
    return unrestricted(access) if access.rows == () else access


def unrestricted(access: TableAccess) -> TableAccess:
    """Nothing is known of the rows wanted."""
    return replace(access, rows=None, conjuncts=())


def unlimited(access: TableAccess) -> TableAccess:
    """No number of rows is enough."""
    return replace(access, limit=None)


def one_row(access: TableAccess) -> TableAccess:
    """One row is enough."""
    return replace(access, limit=1, limited_by=frozenset(), order=None)


def first_use(query: BoundQuery, _: Introspection) -> BoundQuery:
    """Of several readings the first counts."""
    return with_accesses(query, lambda table: table.accesses[:1])


def restricted_uses(query: BoundQuery, _: Introspection) -> BoundQuery:
    """Readings that nothing restricts are overlooked, where there are others."""
    return with_accesses(
        query,
        lambda table: (
            [access for access in table.accesses if access.rows is not None] or table.accesses
        ),
    )


def limited(query: BoundQuery, _: Introspection) -> BoundQuery:
    """The first LIMIT counts rows of every table, whatever stands between."""
    assert query.statement.tree is not None
    limit = next(query.statement.tree.find_all(exp.Limit))
    (number,) = limit.find_all(exp.Literal)
    wanted = int(number.this)
    return every(lambda access: replace(access, limit=wanted, limited_by=frozenset(), order=None))(
        query, _
    )


def sorted_by_the_api(query: BoundQuery, introspection: Introspection) -> BoundQuery:
    """ORDER BY goes by the column of its name, with NULL last, and LIMIT counts such rows."""
    assert query.statement.tree is not None
    (key,) = query.statement.tree.find_all(exp.Ordered)
    columns = frozenset({"grp"})
    by = (key.this.name, False)
    stopped = limited(query, introspection)
    return every(lambda access: replace(access, limited_by=columns, order=by))(
        stopped, introspection
    )


def every_column(query: BoundQuery, _: Introspection) -> BoundQuery:
    """Columns are fetched that the statement does not use."""
    tables = [
        replace(table, columns=tuple(one.name for one in table.live.resource.all_columns))
        for table in query.tables
    ]
    return replace(query, tables=tuple(tables))


def unspoken(query: BoundQuery, _: Introspection) -> BoundQuery:
    """No column is taken to be spoken of."""
    tables = tuple(replace(table, spoken=frozenset()) for table in query.tables)
    return replace(query, tables=tables)


def with_conjuncts(
    query: BoundQuery,
    introspection: Introspection,
    conjuncts: Callable[[TableAccess], Sequence[Conjunct]],
) -> BoundQuery:
    """The query with other conjuncts about each reading, and what follows from them."""

    def again(table: BoundTable) -> Iterator[TableAccess]:
        for access in table.accesses:
            said = tuple(conjuncts(access))
            constants = Constants(introspection)
            types = bindable_types(table.live.resource)
            found = Restriction(access.relation, types, query.relations, constants).rows(said)
            yield replace(access, conjuncts=said, rows=found)

    return with_accesses(query, lambda table: [*again(table)])


def _all_conjuncts(query: BoundQuery) -> dict[int, Conjunct]:
    accesses = [access for table in query.tables for access in table.accesses]
    return {id(conjunct): conjunct for access in accesses for conjunct in access.conjuncts}


def said_anywhere(query: BoundQuery, introspection: Introspection) -> BoundQuery:
    """What is said of a table anywhere restricts it, also where that is said inside a subquery."""
    found = _all_conjuncts(query).values()

    def conjuncts(access: TableAccess) -> Sequence[Conjunct]:
        return [
            conjunct
            for conjunct in found
            if conjunct in access.conjuncts or access.relation in conjunct.relations
        ]

    return with_conjuncts(query, introspection, conjuncts)


def base_alone(query: BoundQuery, introspection: Introspection) -> BoundQuery:
    """A recursive CTE is taken to have the rows of its base alone, whose table comes first."""
    base = query.tables[0].accesses[0]
    column = query.tables[0].columns[0]
    (itself,) = [
        one for one in query.relations.values() if one.mention is None and one.node is None
    ]
    inward = {next(iter(itself.types)): ColumnField(base.relation, column)}

    def conjuncts(access: TableAccess) -> Sequence[Conjunct]:
        if access is base:
            return access.conjuncts
        inner = [substituted(conjunct, itself.id, inward) for conjunct in access.conjuncts]
        return [*(conjunct for conjunct in inner if conjunct is not None), *base.conjuncts]

    return with_conjuncts(query, introspection, conjuncts)


def same_connection(query: BoundQuery, introspection: Introspection) -> BoundQuery:
    """Tables that an equality ties are taken to be of one connection."""
    tied: list[Conjunct] = []
    for conjunct in _all_conjuncts(query).values():
        if isinstance(conjunct.predicate, exp.EQ) and len(conjunct.relations) == 2:
            columns = exp.column("_connection"), exp.column("_connection")
            fields = [ColumnField(number, "_connection") for number in sorted(conjunct.relations)]
            terms = {id(one): field for one, field in zip(columns, fields, strict=True)}
            equal = exp.EQ(this=columns[0], expression=columns[1])
            tied.append(Conjunct(equal, terms, conjunct.relations))

    def conjuncts(access: TableAccess) -> Sequence[Conjunct]:
        return [
            *access.conjuncts,
            *(conjunct for conjunct in tied if access.relation in conjunct.relations),
        ]

    tables = tuple(replace(one, hidden=(*one.hidden, "_connection")) for one in query.tables)
    return with_conjuncts(replace(query, tables=tables), introspection, conjuncts)


# --- misplanned ----------------------------------------------------------------------------------


def values_apart(plan: Plan) -> Plan:
    """Of rows that give several values each is taken apart, and all are combined."""
    scans = [
        replace(scan, sources=tuple(_apart(source) for source in scan.sources))
        for scan in plan.scans
    ]
    return replace(plan, scans=tuple(scans))


def _apart(source: ArgumentSource) -> ArgumentSource:
    columns = [f'"{name}"' for name in source.columns]
    if not source.sql or len(source.bound) < 2:
        return source
    parts = [f"(SELECT DISTINCT {name} FROM ({source.sql}))" for name in columns]
    return replace(source, sql=f"SELECT {', '.join(columns)} FROM {', '.join(parts)}", plain_sql="")


def first_tuple(plan: Plan) -> Plan:
    """Rows give one tuple of values, however many there are."""
    scans = [
        replace(scan, sources=tuple(replace(one, sql=_first(one.sql)) for one in scan.sources))
        for scan in plan.scans
    ]
    return replace(plan, scans=tuple(scans))


def _first(sql: str) -> str:
    return f"SELECT * FROM ({sql}) LIMIT 1" if sql else ""


def unfiltered(plan: Plan) -> Plan:
    """Rows that give values are not filtered first."""
    scans = [
        replace(
            scan,
            sources=tuple(
                replace(source, sql=source.plain_sql or source.sql, plain_sql="")
                for source in scan.sources
            ),
        )
        for scan in plan.scans
    ]
    return replace(plan, scans=tuple(scans))


def no_sharing(plan: Plan) -> Plan:
    """Each mention has a scan of its own, and no answer is kept."""
    scans, placements = list[Scan](), list[Placement]()
    for place, placement in enumerate(plan.placements):
        scan = replace(plan.scan(placement.scan), name=f"again_{place}", keeps=False)
        scans.append(scan)
        placements.append(replace(placement, scan=scan.name))
    return replace(plan, scans=tuple(scans), placements=tuple(placements), free=frozenset())
