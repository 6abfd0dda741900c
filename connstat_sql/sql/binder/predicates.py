"""Predicates → conjuncts: each with its columns resolved, and what subqueries make of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from sqlglot import exp

from connstat_sql.sql.binder.clause_rules import calls, has_grouping_sets, holds_aggregate
from connstat_sql.sql.binder.constants import Constants
from connstat_sql.sql.binder.group_by import grouping_keys, keeps_whole_partitions, window_keys
from connstat_sql.sql.binder.model import (
    ColumnField,
    Conjunct,
    Expression,
    Merged,
    Term,
    relations_of,
)
from connstat_sql.sql.binder.query_tree import Block, Leaf, OutputColumn, Query
from connstat_sql.sql.binder.render import (
    expression_columns,
    written,
)
from connstat_sql.sql.binder.scopes import Cte, Scope
from connstat_sql.sql.binder.sources import Sources
from connstat_sql.sql.nodes import bare_queries, find, named_children, outermost_queries, walk

UNKNOWN = 0
"""The relation of what cannot be told: it is never there to be read."""

Joined = tuple[str, Leaf, tuple[Conjunct, ...]]


ReadQuery = Callable[[exp.Expr, "Scope | None", Mapping[str, Cte]], Query]
"""Reads a query in the place where it stands."""


class Predicates:
    """Reads predicates; `query` reads the subqueries in them.

    `membership` says as which kind of join each word counts that takes a subquery.
    """

    def __init__(self, sources: Sources, query: ReadQuery, membership: Mapping[str, str]) -> None:
        self._sources = sources
        self._query = query
        self._membership = membership
        self._constants = Constants(sources.questions)

    def conjunct(self, predicate: exp.Expr, scope: Scope, ctes: Mapping[str, Cte]) -> Conjunct:
        """A predicate with its columns resolved; where DuckDB reads another, it says nothing."""
        if not self.is_told(predicate):
            return Conjunct(exp.Star(), {}, frozenset({UNKNOWN}))
        terms: dict[int, Term] = {}
        for column in expression_columns(predicate):
            term = scope.resolve(column)
            terms[id(column)] = ColumnField(UNKNOWN, column.name.lower()) if term is None else term
        for node in outermost_queries(predicate):
            terms[id(node)] = self._sources.scalar(node, ctes, scope)
        relations = relations_of(terms.values())
        functions = self._sources.functions
        if calls(predicate, functions.volatile) or holds_aggregate(predicate, functions):
            relations |= {UNKNOWN}
        return Conjunct(predicate, terms, relations)

    def is_told(self, predicate: exp.Expr) -> bool:
        """Whether DuckDB reads a predicate as the tree does."""
        return self._sources.functions.is_read_alike(predicate)

    def split_and(self, clause: exp.Expr) -> Iterator[exp.Expr]:
        """The parts of a clause that AND joins; all in one where DuckDB groups it otherwise."""
        if not self._sources.questions.is_grouped_alike(clause):
            yield clause
            return
        for part in split_and(clause):
            yield from self._without_dead_branches(part)

    def _without_dead_branches(self, part: exp.Expr) -> Iterator[exp.Expr]:
        """`false OR a` as `a`: a branch that is never true selects no row."""
        if isinstance(part, exp.Or):
            branches = [branch.unnest() for branch in part.flatten()]
            live = [branch for branch in branches if not self._constants.is_never_true(branch)]
            if len(live) == 1 < len(branches):
                yield from self.split_and(live[0])
                return
        yield part

    def where(self, select: exp.Select, scope: Scope) -> Iterator[exp.Expr]:
        """The conjuncts of WHERE; those of HAVING and QUALIFY that speak of keys alone."""
        clause, functions = select.args.get("where"), self._sources.functions
        if clause is not None:
            yield from self.split_and(clause.this)
        clause = select.args.get("qualify")
        if clause is not None:
            parts = window_keys(select, scope, functions)
            whole = filter(keeps_whole_partitions, self.split_and(clause.this))
            yield from (
                conjunct for conjunct in whole if self.speaks_only_of(conjunct, parts, scope)
            )
        clause, group = select.args.get("having"), select.args.get("group")
        if clause is not None and group is not None and not has_grouping_sets(group):
            keys = [scope.resolve(key) for key in grouping_keys(select, group, functions)]
            listed = self.split_and(clause.this)
            yield from (
                conjunct for conjunct in listed if self.speaks_only_of(conjunct, keys, scope)
            )

    def queries_in(self, predicate: exp.Expr, scope: Scope, ctes: Mapping[str, Cte]) -> list[Query]:
        """The subqueries of a predicate; of `true OR a` nothing has to be known."""
        queries = [self._query(query, scope, ctes) for query in bare_queries(predicate)]
        either = predicate.unnest()
        if queries and isinstance(either, exp.Or) and self.is_told(predicate):
            branches = (branch.unnest() for branch in either.flatten())
            if any(map(self._constants.is_always_true, branches)):
                return [_never_read(query) for query in queries]
        return queries

    def queries_beside(self, select: exp.Select) -> Iterator[exp.Query]:
        """Subqueries of a block outside FROM and WHERE."""
        for key, node in named_children(select):
            if key not in ("from_", "joins", "where", "with_", "laterals"):
                yield from bare_queries(node)

    def subquery_join(
        self, predicate: exp.Expr, scope: Scope, ctes: Mapping[str, Cte]
    ) -> Joined | None:
        """A conjunct that is a subquery with rows of its own, as the join that it means."""
        node, is_not = predicate.unnest(), False
        if not self.is_told(predicate):
            return None
        if isinstance(node, exp.Not):
            node, is_not = node.this.unnest(), True
        membership = _membership(node)
        if membership is None or (isinstance(node, exp.EQ) and is_not):
            return None
        word, sides, query = membership
        if find(query, exp.Table) is None:
            return None
        kind = self._membership[f"NOT {word}" if is_not else word]
        inner = self._query(query, scope, ctes)
        relation = self._sources.derived(query, inner, ctes)
        on: list[Conjunct] = []
        names = list(relation.types)
        if len(sides) == len(names):
            for side, name in zip(sides, names, strict=True):
                on.append(self._equal_to(side, ColumnField(relation.id, name), scope, ctes))
        if relation.node is None:
            on += relation.invariants
        return kind, Leaf(relation, inner), tuple(on)

    def merged(self, ours: Iterable[ColumnField], theirs: Iterable[ColumnField]) -> Merged:
        """What FULL JOIN … USING makes of a column."""
        return Merged((*ours, *theirs))

    def speaks_only_of(
        self, predicate: exp.Expr, keys: Sequence[Term | None], scope: Scope
    ) -> bool:
        """Whether a predicate of HAVING is about grouping keys alone."""
        if find(predicate, exp.AggFunc, exp.Query, exp.Anonymous) is not None:
            return False
        columns = [*expression_columns(predicate)]
        if any(map(scope.has_two_meanings, columns)):
            return False  # which of them is meant differs between versions of DuckDB
        terms = [scope.resolve(column) for column in columns]
        return bool(columns) and all(isinstance(t, ColumnField) and t in keys for t in terms)

    def fixed_column(self, conjunct: Conjunct) -> str | None:
        """The column that a conjunct fixes to plain constants and says nothing else of, or None."""
        node = conjunct.predicate.unnest()
        options: list[exp.Expr] = []
        if isinstance(node, exp.EQ):
            options = [node.expression]
        elif isinstance(node, exp.In) and not node.args.get("query"):
            options = node.expressions
        if not options or not all(isinstance(option, exp.Literal) for option in options):
            return None
        term = conjunct.terms.get(id(node.this))
        return term.column if isinstance(term, ColumnField) and not term.path else None

    def order(
        self, select: exp.Select, scope: Scope, outputs: Sequence[OutputColumn] | None
    ) -> tuple[str, bool] | None:
        """The one column that ORDER BY sorts by, with NULL last, and whether it descends.

        A name is that of an output column first, so it must be known what each of them is.
        """
        keys = select.args["order"].expressions
        key = keys[0] if len(keys) == 1 else None
        if outputs is None or not isinstance(key, exp.Ordered) or key.args.get("nulls_first"):
            return None
        column = key.this
        term = scope.resolve(column) if isinstance(column, exp.Column) else None
        if not isinstance(term, ColumnField) or term.path:
            return None
        name = column.name.lower()
        if len(column.parts) == 1 and any(o.name == name and o.term != term for o in outputs):
            return None
        descends = self._sources.descends(key.args.get("desc"))
        return None if descends is None else (term.column, descends)

    def _equal_to(
        self, side: exp.Expr, field: ColumnField, scope: Scope, ctes: Mapping[str, Cte]
    ) -> Conjunct:
        inner = self.conjunct(side, scope, ctes)
        term = inner.terms.get(id(side), Expression(side, inner.terms))
        conjunct = equality(term, field, field.column)
        return Conjunct(conjunct.predicate, conjunct.terms, conjunct.relations | inner.relations)


def _never_read(query: Query) -> Query:
    """A query whose rows nobody needs."""
    never = Conjunct(exp.false(), {}, frozenset())
    return Block(None, (never,), (query,), (), (), is_one_group=False, outputs=None, invariants=())


def equality(left: Term, right: Term, name: str) -> Conjunct:
    """The conjunct that two things are equal which the text does not compare, such as by USING."""
    ours, theirs = exp.column(name), exp.column(name)
    terms = {id(ours): left, id(theirs): right}
    return Conjunct(exp.EQ(this=ours, expression=theirs), terms, relations_of(terms.values()))


def part_of(node: exp.Expr, conjunct: Conjunct) -> Conjunct | None:
    """A part of a predicate as a conjunct of its own; None where it speaks of a subquery."""
    if find(node, exp.Query) is not None:
        return None
    keys = {id(part) for part in walk(node)} & conjunct.terms.keys()
    terms = {key: conjunct.terms[key] for key in keys}
    return Conjunct(node, terms, relations_of(terms.values()))


def chained(kind: type[exp.And] | type[exp.Or], parts: Sequence[exp.Expr]) -> exp.Expr:
    """All parts under one AND or OR, each in parentheses."""
    first, *others = parts
    for other in others:
        first = kind(this=exp.Paren(this=first), expression=exp.Paren(this=other))
    return first


def weakened(conjunct: Conjunct, kept: Callable[[Conjunct], Expression | None]) -> Conjunct | None:
    """An OR of what is kept of the parts of its branches: less is said, and still true.

    None where a branch keeps nothing, or it is no OR.
    """
    either = conjunct.predicate.unnest()
    if not isinstance(either, exp.Or):
        return None
    terms: dict[int, Term] = {}
    branches: list[exp.Expr] = []
    for branch in either.flatten():
        parts = (part_of(node, conjunct) for node in split_and(branch))
        expressions = [kept(part) for part in parts if part is not None]
        rest = [expression for expression in expressions if expression is not None]
        if not rest:
            return None
        for expression in rest:
            terms |= expression.terms
        branches.append(chained(exp.And, [expression.node for expression in rest]))
    return Conjunct(chained(exp.Or, branches), terms, relations_of(terms.values()))


def split_and(predicate: exp.Expr) -> Iterator[exp.Expr]:
    """The parts of a predicate that AND joins, in order, and those that every branch of OR has.

    >>> from sqlglot import parse_one
    >>> [part.sql() for part in split_and(parse_one("a = 1 AND (b = 2 AND c IN (3))"))]
    ['a = 1', 'b = 2', 'c IN (3)']
    """
    pending = [predicate]
    while pending:
        part = pending.pop().unnest()
        if isinstance(part, exp.And):
            pending += [part.expression, part.this]
        else:
            yield part
            if isinstance(part, exp.Or):
                yield from _common(part)


def _common(either: exp.Or) -> Iterator[exp.Expr]:
    """Comparisons that stand in every branch of an OR: whichever is true, they are."""
    branches = [branch.unnest() for branch in either.flatten()]
    if not all(isinstance(branch, exp.And) for branch in branches):
        return
    texts = [
        {
            written(part): part
            for part in split_and(branch)
            if isinstance(part, exp.EQ) and find(part, exp.Query) is None
        }
        for branch in branches
    ]
    first, *others = texts
    for text, part in first.items():
        if all(text in other for other in others):
            yield part


def is_listing(select: exp.Select) -> bool:
    """Whether rows of the source are rows of the result, one for one."""
    clauses = ("group", "having", "qualify", "distinct", "sample", "windows")
    if any(select.args.get(key) for key in clauses):
        return False
    return find(select, exp.Explode, exp.Unnest, exp.Window) is None


def _membership(node: exp.Expr) -> tuple[str, list[exp.Expr], exp.Query] | None:
    """`x IN (SELECT …)`, `x = ANY (SELECT …)`, `EXISTS (SELECT …)`: the word, sides and query."""
    if isinstance(node, exp.Exists):
        query = node.this.unnest()
        return ("EXISTS", [], query) if isinstance(query, exp.Query) else None
    if isinstance(node, exp.In):
        query = node.args.get("query")
    elif isinstance(node, exp.EQ) and isinstance(node.expression, exp.Any):
        query = node.expression.this
    else:
        return None
    query = query.unnest() if query is not None else None
    if not isinstance(query, exp.Query):
        return None
    side = node.this.unnest()
    return "IN", list(side.expressions) if isinstance(side, exp.Tuple) else [side], query
