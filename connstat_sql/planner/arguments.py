"""Accesses of a table → argument sources: constants, and values from rows that are there."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

from sqlglot import exp

from connstat_sql.definitions.catalog import Catalog
from connstat_sql.definitions.model import Method, Provider, literal, quote
from connstat_sql.definitions.quoting import own
from connstat_sql.errors import ConfigError
from connstat_sql.planner.access_paths import AccessTarget, ArgumentSupply
from connstat_sql.planner.model import CONNECTION, ArgumentSource, Constant, given_columns
from connstat_sql.planner.parameter_sql import Bound, ParameterValues
from connstat_sql.planner.relations import ReadableRows
from connstat_sql.sql.binder import (
    ColumnField,
    Conjunct,
    EqualColumns,
    Expression,
    Row,
    TableAccess,
    Term,
    Types,
    relations_of,
)
from connstat_sql.sql.binder.nulls import rejects_null
from connstat_sql.sql.binder.predicates import weakened
from connstat_sql.sql.binder.render import node_text
from connstat_sql.sql.nodes import find

CONSTANTS = quote(own("constants"))
"""The alias of the tuples of constants in the SQL of a source."""
MAX_FILTER_VALUES = 500
"""Values of one IN list that a source is filtered by; a longer list is left to DuckDB's own run."""


@dataclass
class Binding:
    """What one access of a table can be fed with; `types` are those of the table's columns.

    `wanted` are the columns that are worth a value; `extra` are columns that rows made for this
    use have, by their names.
    """

    access: TableAccess
    types: Types
    rows: ReadableRows
    wanted: tuple[str, ...] = ()
    extra: Mapping[str, ColumnField] = field(default_factory=dict)

    @cached_property
    def conjuncts(self) -> tuple[Conjunct, ...]:
        """Conjuncts that speak only of rows that are there; subqueries are looked into."""
        return self._sorted_conjuncts[0]

    @cached_property
    def _sorted_conjuncts(self) -> tuple[tuple[Conjunct, ...], tuple[Conjunct, ...]]:
        """Those, and conjuncts that speak of rows besides that are still to come."""
        present: list[Conjunct] = []
        later: list[Conjunct] = []
        pending, opened = deque(self.access.conjuncts), set[int]()
        while pending:
            conjunct = pending.popleft()
            closed = next(iter(self.rows.absent(conjunct) - {self.access.relation}), None)
            if closed is None:
                if self._is_sound(conjunct):
                    present.append(conjunct)
                continue
            relation = self.rows.relation(closed)
            if relation is None or not relation.inside:
                if self._is_sound(conjunct):
                    later.append(conjunct)
                continue
            inner = self.rows.looked_into(conjunct, relation)
            if inner is not None:
                pending.append(inner)
            if relation.id not in opened:
                opened.add(relation.id)
                pending += relation.invariants
        return tuple(present), tuple(later)

    def _is_sound(self, conjunct: Conjunct) -> bool:
        """Whether it is true only where the rows that it speaks of are there, not of NULLs."""
        if not self.rows.query.missing:
            return True
        missing = conjunct.relations & self.rows.query.missing - {self.access.relation}
        return all(rejects_null(conjunct, frozenset({relation})) for relation in missing)

    @cached_property
    def bound(self) -> dict[str, Bound]:
        """Values for parameters, and for the connection, out of the rows that are there."""
        equal = self.rows.equal_columns(self._ties)
        lookups: Sequence[Callable[[str], Bound | None]] = (
            lambda name: self.values.of_column(name, equal),
            lambda name: self.values.of_expression(name, equal),
            lambda name: self.values.of_options(name, equal, self.conjuncts),
            lambda name: self.values.of_column(name, self._equal_at_last),
        )
        values: dict[str, Bound] = {}
        for lookup in lookups:
            for name in self.wanted:
                value = lookup(name) if name not in values else None
                if value is not None:
                    values[name] = value
        return values

    @property
    def supply(self) -> ArgumentSupply:
        """Which parameters have a value."""
        fixed = given_columns(self.access.rows).keys()
        return ArgumentSupply(self.access.rows, frozenset(self.bound.keys() - fixed - {CONNECTION}))

    @cached_property
    def _equal_at_last(self) -> EqualColumns:
        """What is equal when all rows are there: where a = b and b = c, a = c without any b."""
        later = (conjunct for conjunct in self._sorted_conjuncts[1] if _is_joining(conjunct))
        return self.rows.equal_columns((*self._ties, *later))

    @cached_property
    def values(self) -> ParameterValues:
        """What finds them."""
        return ParameterValues(self.access.relation, self.types, self.rows)

    @cached_property
    def _ties(self) -> tuple[Conjunct, ...]:
        """The equalities that are there between two sources."""
        return tuple(conjunct for conjunct in self.conjuncts if _is_joining(conjunct))

    def source(self, constant: Constant, wanted: Sequence[str]) -> ArgumentSource:
        """Tuples of the constants and of the wanted columns, filtered by all that is known."""
        chosen = {name: self.bound[name] for name in wanted if name in self.bound}
        chosen = {name: bound for name, bound in chosen.items() if name not in constant.columns}
        if not chosen:
            return ArgumentSource(constant)
        needed = frozenset[int]().union(*(bound.relations for bound in chosen.values()))
        joined, conjuncts = self._joined(needed, constant, chosen)
        equal = [conjunct for conjunct in conjuncts if self._is_harmless(conjunct)]
        sql = partial(_source_sql, self, constant, chosen, joined)
        scans = dict.fromkeys(name for number in sorted(joined) for name in self.rows.scans(number))
        for conjunct in conjuncts:
            for number in sorted(conjunct.relations - joined - {self.access.relation}):
                scans.update(dict.fromkeys(self.rows.scans(number)))
        return ArgumentSource(
            constant,
            tuple((name, bound.words) for name, bound in chosen.items()),
            sql(conjuncts),
            "" if len(equal) == len(conjuncts) else sql(equal),
            tuple(scans),
            self._is_product(needed, conjuncts),
            all(bound.grows for bound in chosen.values()) and self._grows(joined, conjuncts),
        )

    def _grows(self, joined: frozenset[int], conjuncts: Sequence[Conjunct]) -> bool:
        """Whether live rows are only joined and filtered, never counted or ruled out.

        A subquery, in place of a table or in an expression, may answer less for more rows.
        """
        spoken = frozenset[int]().union(joined, *(conjunct.relations for conjunct in conjuncts))
        if any(find(conjunct.predicate, exp.Query) is not None for conjunct in conjuncts):
            return False
        relations = map(self.rows.relation, spoken - {self.access.relation})
        return not any(each and each.mention is None and each.needs for each in relations)

    def _is_product(self, needed: frozenset[int], conjuncts: Sequence[Conjunct]) -> bool:
        """Whether values come from sources that nothing ties: every combination of their rows."""
        groups = [{number} for number in self.values.read(needed)]
        for conjunct in conjuncts:
            tied = self.values.read(conjunct.relations) - {self.access.relation}
            touched = [group for group in groups if group & tied]
            groups = [group for group in groups if not group & tied]
            groups.append(set(tied).union(*touched))
        return sum(bool(group & needed) for group in groups) > 1

    # --- all values together -----------------------------------------------------------------

    def _joined(
        self, needed: frozenset[int], constant: Constant, chosen: Mapping[str, Bound]
    ) -> tuple[frozenset[int], list[Conjunct]]:
        """The relations that equalities tie to the needed ones, and the conjuncts about them."""
        known = {*constant.columns, *chosen, *self.extra}
        weakened = (self._weakened(conjunct, known) for conjunct in self.conjuncts)
        tellable = [
            conjunct for conjunct in weakened if conjunct and self._is_tellable(conjunct, known)
        ]
        joined = set(needed) | {field.relation for field in self.extra.values()}
        tied: dict[int, list[Conjunct]] = {}
        for conjunct in filter(_is_joining, tellable):
            for number in conjunct.relations:
                tied.setdefault(number, []).append(conjunct)
        pending = [*joined, self.access.relation]
        while pending:
            for conjunct in tied.get(pending.pop(), ()):
                others = self.values.read(conjunct.relations) - {self.access.relation} - joined
                joined |= others
                pending += others
        own = joined | {self.access.relation}
        return frozenset(joined), [
            conjunct
            for conjunct in tellable
            if self.values.read(conjunct.relations) <= own
            and not _is_fixed(conjunct, self.access.relation, constant)
        ]

    def _weakened(self, conjunct: Conjunct, known: set[str]) -> Conjunct | None:
        """An OR without what cannot be told yet in its branches; all others as they are."""
        either = conjunct.predicate.unnest()
        if self._is_tellable(conjunct, known) or not isinstance(either, exp.Or):
            return conjunct

        def tellable(part: Conjunct) -> Expression | None:
            column = exp.column("part")
            is_tellable = self._is_tellable(part, known)
            terms = {id(column): Expression(part.predicate, part.terms)}
            return Expression(column, terms) if is_tellable else None

        return weakened(conjunct, tellable)

    def _is_tellable(self, conjunct: Conjunct, known: set[str]) -> bool:
        """Whether it can be evaluated over what is known of the table itself."""
        if not all(self._is_known(term, known) for term in conjunct.terms.values()):
            return False
        if not all(self.values.is_faithful(term) for term in conjunct.terms.values()):
            return False
        predicate = conjunct.predicate
        return not isinstance(predicate, exp.In) or len(predicate.expressions) <= MAX_FILTER_VALUES

    def _is_known(self, term: Term, known: set[str]) -> bool:
        if isinstance(term, ColumnField):
            return term.relation != self.access.relation or term.column in known
        if isinstance(term, Expression):
            return all(self._is_known(inner, known) for inner in term.terms.values())
        return self.access.relation not in relations_of([term])

    def _is_harmless(self, conjunct: Conjunct) -> bool:
        """Whether it ties columns of one type, so that evaluating it cannot fail."""
        fields = [term for term in conjunct.terms.values() if isinstance(term, ColumnField)]
        if not _is_joining(conjunct) or len(fields) < len(conjunct.terms):
            return False
        types = {
            self.rows.types(field.relation).get(field.column) for field in fields if not field.path
        }
        return len(types) == 1 and not any(field.path for field in fields)


def _is_joining(conjunct: Conjunct) -> bool:
    """Whether it is an equality between sources."""
    return isinstance(conjunct.predicate, (exp.EQ, exp.NullSafeEQ)) and len(conjunct.relations) > 1


def _is_fixed(conjunct: Conjunct, relation: int, constant: Constant) -> bool:
    """Whether the constants for a relation say it already."""
    if conjunct.relations != {relation}:
        return False
    fields = [term for term in conjunct.terms.values() if isinstance(term, ColumnField)]
    return all(field.column in constant.columns for field in fields)


def _source_sql(
    binding: Binding,
    constant: Constant,
    chosen: Mapping[str, Bound],
    joined: frozenset[int],
    conjuncts: Sequence[Conjunct],
) -> str:
    """SQL that answers the tuples of the constants and of the chosen values, filtered."""
    own_relation, rows = binding.access.relation, binding.rows
    used: dict[int, set[str]] = {number: set() for number in joined}

    def name(field: ColumnField) -> str:
        if field.relation != own_relation:
            used.setdefault(field.relation, set()).add(field.column)
            return binding.values.name(field)
        if field.column in constant.columns:
            of = binding.types.get(field.column, "VARCHAR")
            text = f"{CONSTANTS}.{quote(field.column)}"
            return text if of == "VARCHAR" else f"CAST({text} AS {of})"
        if field.column in chosen:
            return chosen[field.column].sql
        return binding.values.name(binding.extra[field.column])

    where = []
    for conjunct in conjuncts:
        text = node_text(conjunct.predicate, conjunct.terms, name, rows.scalar_text)
        left, _, right = text.partition(" = ")
        if left != right:  # what binds a parameter says nothing more
            where.append(f"({text})")
    values = {column: f"CAST({bound.sql} AS VARCHAR)" for column, bound in chosen.items()}
    where += [f"{value} IS NOT NULL" for value in values.values()]
    listed = [f"{CONSTANTS}.{quote(column)}" for column in constant.columns]
    listed += [f"{value} AS {quote(column)}" for column, value in values.items()]
    read = frozenset[int]().union(*(bound.relations for bound in chosen.values()))
    sources = [
        f"({constants_text(constant)}) AS {CONSTANTS}",
        *(
            rows.text(number) if number in read else rows.distinct(number, used[number])
            for number in sorted(joined)
        ),
        *(bound.source for bound in chosen.values() if bound.source),
    ]
    return (
        f"SELECT DISTINCT {', '.join(listed)} FROM {', '.join(sources)} "
        f"WHERE {' AND '.join(dict.fromkeys(where))}"
    )


def constants_text(constant: Constant) -> str:
    """SQL that answers with the constant tuples."""
    names = ", ".join(map(quote, (*constant.columns, own("nothing"))))
    rows = ["(" + ", ".join((*map(literal, row), "''")) + ")" for row in constant.rows]
    if not rows:
        columns = ", ".join(f"CAST(NULL AS VARCHAR) AS {quote(n)}" for n in constant.columns)
        return f"SELECT {columns or '1'} WHERE false"
    return f"SELECT * FROM (VALUES {', '.join(rows)}) AS listed({names})"


# --- the sources of a target's accesses ---------------------------------------------------------


def bindings_of(target: AccessTarget, rows: ReadableRows) -> list[Binding]:
    """What each access can be fed with now; those that want the same rows are one.

    What holds for one of several may not hold for the others, so it is forgotten.
    """
    types = rows.types_of(target.resource)
    wanted = tuple(param.name for param in target.resource.params)
    groups: dict[object, list[Binding]] = {}
    for access in target.accesses:
        if not access.relation:  # where nothing is said of it, it has no number yet
            access = replace(access, relation=rows.next_relation())  # noqa: PLW2901
        if access.relation not in rows.query.relations:
            rows.own_types[access.relation] = types
        binding = Binding(access, types, rows, wanted)
        key: object = access.relation
        own = {access.relation}
        if not (any(c.relations == own for c in access.conjuncts) or binding.bound):
            values = None if access.rows is None else tuple(tuple(r.items()) for r in access.rows)
            key = (values, access.limit)
        groups.setdefault(key, []).append(binding)
    return [
        first if not others else replace(first, access=replace(first.access, conjuncts=()))
        for first, *others in groups.values()
    ]


def source_of(
    target: AccessTarget,
    binding: Binding,
    methods: Sequence[Method],
    names: Sequence[str],
    catalog: Catalog,
) -> ArgumentSource:
    """Where the named arguments of some methods come from: constants, defaults, other rows."""
    constant = constant_of(target, binding.access.rows, catalog)
    wanted = {name for method in methods for name in target.wanted_params(method)}
    defaults = {
        param.name: param.default
        for param in target.resource.params
        if param.name in wanted
        and param.default is not None
        and param.name not in constant.columns
        and param.name not in binding.bound
    }
    columns = (*constant.columns, *defaults)
    rows = tuple((*row, *defaults.values()) for row in constant.rows)
    return binding.source(Constant(columns, rows), names)


def constant_of(target: AccessTarget, rows: Sequence[Row] | None, catalog: Catalog) -> Constant:
    """The alternatives as tuples over the columns that all of them give, and connections.

    Raises ConfigError when the provider has no connection.
    """
    own = target.live.connection
    names = (own,) if own else catalog.connections_of(target.provider.name)
    if not names:
        raise _no_connection(target.provider, catalog.file)
    if rows == ():
        return Constant((CONNECTION, *(param.name for param in target.resource.params)), ())
    columns = [name for name in given_columns(rows) if name != CONNECTION]
    tuples: dict[tuple[str, ...], None] = {}
    for row in [{}] if rows is None else rows:
        only = row.get(CONNECTION)
        values = [row[name] for name in columns]
        for connection in names:
            if only is None or only == connection:
                tuples[(connection, *values)] = None
    return Constant((CONNECTION, *columns), tuple(tuples))


def _no_connection(provider: Provider, file: str) -> ConfigError:
    name = provider.name
    steps = [f"set {' and '.join(variables)}" for variables in provider.ways_to_connect]
    if not file:
        steps.append("add [connections.NAME] to connstat.toml")
        return ConfigError(f"{name} has no connection", hint=", or ".join(steps))
    return ConfigError(
        f"{name} has no connection in {file}",
        hint=f'write there  [connections.{name}]  provider = "{name}"; what it does not say is '
        "taken from the variables of its provider",
    )
