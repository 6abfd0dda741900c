"""Which columns of a SELECT let a predicate through from outside: one small function a clause."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from sqlglot import exp

from connstat_sql.definitions.model import quote
from connstat_sql.sql.binder.model import (
    ColumnField,
    Expression,
    Questions,
    Term,
    is_fixed,
    relations_of,
)
from connstat_sql.sql.binder.query_tree import OutputColumn
from connstat_sql.sql.binder.render import expression_columns, field_text, written
from connstat_sql.sql.binder.scopes import Scope
from connstat_sql.sql.nodes import children, find, find_all, is_edited, is_star, named_children

_OF_MORE_THAN_A_ROW = (
    exp.Query, exp.Window, exp.Explode, exp.Unnest, exp.AggFunc, exp.Columns,
)  # fmt: skip


@dataclass(frozen=True)
class UnstableFunctions:
    """Names of functions whose value is not one of a row alone."""

    volatile: frozenset[str]
    aggregates: frozenset[str]
    questions: Questions

    @cached_property
    def either(self) -> frozenset[str]:
        """All of them."""
        return self.volatile | self.aggregates

    def is_read_alike(self, node: exp.Expr) -> bool:
        """Whether DuckDB reads a node's text as the tree does, its functions being DuckDB's own."""
        if find(node, exp.Comprehension) is not None:
            return False  # `x` of `[x FOR x IN list]` is a column in the tree
        asked = self.questions
        return asked.is_grouped_alike(node) and not asked.calls_hiding(node)


@dataclass(frozen=True, eq=False)
class Clauses:
    """What the clauses of a SELECT say, read once for all its columns."""

    select: exp.Select
    functions: UnstableFunctions

    @cached_property
    def draws(self) -> bool:
        """Whether a column is made by a function that answers otherwise each time."""
        volatile, hides = self.functions.volatile, self.functions.questions.calls_hiding
        return any(calls(item, volatile) or hides(item) for item in self.select.expressions)

    @cached_property
    def has_aggregates(self) -> bool:
        """Whether it is one group, where there is no GROUP BY."""
        return has_aggregates(self.select, self.functions)

    @cached_property
    def has_grouping_sets(self) -> bool:
        """Whether GROUP BY makes rows in which a key is NULL."""
        group = self.select.args.get("group")
        return group is not None and has_grouping_sets(group)

    @cached_property
    def windows(self) -> tuple[exp.Window, ...]:
        """The windows in its columns, and in what sorts and filters them."""
        return tuple(_windows(self.select))


@dataclass(frozen=True, eq=False, slots=True)
class Projection:
    """A column of a SELECT: `place` counts from 1, 0 for what a star stands for."""

    clauses: Clauses
    scope: Scope
    node: exp.Expr
    name: str
    place: int
    term: Term | None

    @property
    def select(self) -> exp.Select:
        """Whose column it is."""
        return self.clauses.select

    @property
    def functions(self) -> UnstableFunctions:
        """The functions that there are."""
        return self.clauses.functions

    @property
    def is_fixed(self) -> bool:
        """Whether it has one value in all rows, so that what rules it out rules out all of them."""
        return self.term is not None and is_fixed(self.term)


Clause = Callable[[Projection], bool]
"""Whether a clause of the SELECT lets a predicate on a column through."""


def limit_lets_nothing_through(projection: Projection) -> bool:
    """Fewer rows in would be other rows out."""
    return projection.is_fixed or not any(
        projection.select.args.get(key) for key in ("limit", "offset", "fetch")
    )


def sample_lets_nothing_through(projection: Projection) -> bool:
    """A sample of fewer rows is another sample."""
    return not projection.select.args.get("sample")


def volatile_functions_let_nothing_through(projection: Projection) -> bool:
    """Fewer rows in would draw other numbers."""
    return not projection.clauses.draws


def grouping_lets_its_keys_through(projection: Projection) -> bool:
    """A group stays whole when its key is restricted."""
    group = projection.select.args.get("group")
    if projection.is_fixed:
        return True
    if group is None:
        return not projection.clauses.has_aggregates
    if group.args.get("all"):
        return not holds_aggregate(projection.node, projection.functions)
    places = {str(key.this) for key in group.expressions if isinstance(key, exp.Literal)}
    return str(projection.place) in places or any(
        _is_key(key, projection) for key in group.expressions
    )


def grouping_sets_let_nothing_through(projection: Projection) -> bool:
    """ROLLUP, CUBE and GROUPING SETS make rows in which a key is NULL."""
    return not projection.clauses.has_grouping_sets


def windows_let_their_partitions_through(projection: Projection) -> bool:
    """A window sees whole partitions, so only what all of them are split by may be restricted."""
    if projection.is_fixed:
        return True
    for window in projection.clauses.windows:
        parts = window.args.get("partition_by") or []
        if window.args.get("alias") or not any(_is_key(part, projection) for part in parts):
            return False
    return True


def distinct_on_lets_its_keys_through(projection: Projection) -> bool:
    """DISTINCT ON keeps one row a key; plain DISTINCT lets every column through."""
    distinct = projection.select.args.get("distinct")
    on = distinct.args.get("on") if distinct is not None else None
    return (
        on is None
        or projection.is_fixed
        or any(_is_distinct_key(key, projection) for key in on.expressions)
    )


CLAUSES: tuple[Clause, ...] = (
    limit_lets_nothing_through,
    sample_lets_nothing_through,
    volatile_functions_let_nothing_through,
    grouping_lets_its_keys_through,
    grouping_sets_let_nothing_through,
    windows_let_their_partitions_through,
    distinct_on_lets_its_keys_through,
)


def read_outputs(
    select: exp.Select,
    scope: Scope,
    functions: UnstableFunctions,
    missing: frozenset[int],
    clauses: Sequence[Clause] = CLAUSES,
) -> tuple[OutputColumn, ...] | None:
    """The columns of a SELECT in order; None when a star hides what they are.

    `missing` are relations of which a row may have nothing but NULLs.
    """
    outputs = []
    for projection in _projections(Clauses(select, functions), scope):
        if projection is None:
            return None
        inside = (
            relations_of([projection.term]) if projection.term is not None else frozenset[int]()
        )
        is_open = bool(inside) and not inside & missing
        outputs.append(
            OutputColumn(
                projection.name,
                projection.term,
                projection.term is not None and all(clause(projection) for clause in clauses),
                is_open
                and grouping_lets_its_keys_through(projection)
                and grouping_sets_let_nothing_through(projection),
            )
        )
    return tuple(outputs)


def _projections(clauses: Clauses, scope: Scope) -> Iterator[Projection | None]:
    for place, node in enumerate(clauses.select.expressions, 1):
        inner = node.unalias()
        if is_star(inner):
            listed = _starred(inner, scope)
            if listed is None:
                yield None
                return
            for name, term in listed:
                yield Projection(clauses, scope, exp.column(name), name, 0, term)
            continue
        if find(inner, exp.Columns) or _is_filtered_star(inner):
            yield None  # it stands for as many columns as there are
            return
        name = node.alias_or_name.lower()
        yield Projection(clauses, scope, inner, name, place, _term(inner, scope, clauses.functions))


def _is_filtered_star(node: exp.Expr) -> bool:
    """Whether it is `* LIKE …`, under whichever word."""
    return isinstance(node, exp.Binary) and isinstance(node.this, exp.Star)


def _starred(star: exp.Expr, scope: Scope) -> list[tuple[str, Term | None]] | None:
    if is_edited(star) or not all(source.relation.is_known for source in scope.sources):
        return None
    if isinstance(star, exp.Star):
        return list(scope.outputs())
    return list(scope.of_source(star.text("table").lower()).items())


def _term(node: exp.Expr, scope: Scope, functions: UnstableFunctions) -> Term | None:
    """What a projection is, where that is known from one row alone; a constant has no terms."""
    if isinstance(node, exp.Column):
        return scope.resolve(node)
    if not functions.is_read_alike(node):
        return None
    if find(node, *_OF_MORE_THAN_A_ROW) or calls(node, functions.either):
        return None
    terms: dict[int, Term] = {}
    for column in expression_columns(node):
        term = scope.resolve(column)
        if term is None:
            return None
        terms[id(column)] = term
    return Expression(node, terms)


def calls(node: exp.Expr, names: frozenset[str]) -> bool:
    """Whether an expression calls one of some functions."""
    return any(
        name in names for function in find_all(node, exp.Func) for name in own_names(function)
    )


def own_names(function: exp.Func) -> Iterator[str]:
    """The names of a function, as it is written and as it is."""
    yield str(function.meta.get("name", "")).lower()
    if isinstance(function, exp.Anonymous):
        yield function.name.lower()
    else:
        yield from (name.lower() for name in function.sql_names())


def has_aggregates(select: exp.Select, functions: UnstableFunctions) -> bool:
    """Whether a SELECT without GROUP BY is one group."""
    if select.args.get("having") is not None:
        return True
    clauses = (select.args.get("qualify"), select.args.get("order"), select.args.get("distinct"))
    spoken = [*select.expressions, *(clause for clause in clauses if clause is not None)]
    return any(holds_aggregate(part, functions) for part in spoken)


def has_grouping_sets(group: exp.Expr) -> bool:
    """Whether GROUP BY makes rows in which keys are NULL."""
    if any(group.args.get(key) for key in ("rollup", "cube", "grouping_sets", "totals")):
        return True
    return find(group, exp.Rollup, exp.Cube, exp.GroupingSets) is not None


def holds_aggregate(node: exp.Expr, functions: UnstableFunctions) -> bool:
    if functions.questions.calls_hiding(node):
        return True
    pending = [node]
    while pending:
        inner = pending.pop()
        if isinstance(inner, exp.AggFunc):
            return True
        if isinstance(inner, exp.Anonymous) and inner.name.lower() in functions.aggregates:
            return True
        if isinstance(inner, exp.Window):  # its own function is none, what that is given may be one
            pending += [each for key, each in named_children(inner) if key != "this"]
            pending += children(inner.this)
        elif not isinstance(inner, exp.Query):
            pending += children(inner)
    return False


def _windows(select: exp.Select) -> Iterator[exp.Window]:
    clauses = [*select.expressions, select.args.get("qualify"), *(select.args.get("windows") or [])]
    clauses.append(select.args.get("order"))
    for clause in clauses:
        if clause is not None:
            yield from find_all(clause, exp.Window)


def _is_distinct_key(key: exp.Expr, projection: Projection) -> bool:
    """As in ORDER BY, a name of the select list comes before a column."""
    names = {column.name.lower() for column in expression_columns(key) if len(column.parts) == 1}
    if not names & projection.scope.aliases.keys():
        return _is_key(key, projection)
    listed = [each.alias.lower() for each in projection.select.expressions]
    return (
        isinstance(key.unnest(), exp.Column)
        and names == {projection.name}
        and listed.count(projection.name) == 1
    )


def _is_key(key: exp.Expr, projection: Projection) -> bool:
    """Whether an expression of GROUP BY, PARTITION BY or DISTINCT ON is the projection."""
    key = key.unnest()
    if isinstance(key, exp.Literal):
        return False
    if isinstance(key, exp.Column):
        term = projection.scope.resolve(key)
        if isinstance(term, ColumnField):
            return term == projection.term
        return term is None and len(key.parts) == 1 and key.name.lower() == projection.name
    texts = (_resolved(each, projection.scope) for each in (key, projection.node))
    return projection.functions.is_read_alike(key) and projection.functions.questions.is_same(
        *texts
    )


def _resolved(node: exp.Expr, scope: Scope) -> str:
    """An expression with its columns by the sources that they are of, however they are spelt."""
    names = {}
    for column in expression_columns(node):
        term = scope.resolve(column)
        parts = [quote(part.name.lower()) for part in column.parts]
        names[id(column)] = field_text(term) if isinstance(term, ColumnField) else ".".join(parts)
    return written(node, names)
