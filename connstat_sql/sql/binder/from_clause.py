"""Syntax → blocks and trees of joins, with every column resolved to the source it belongs to.

Each reading of a live table, CTE or derived table gets a relation of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlglot import exp

from connstat_sql.sql.binder.clause_rules import (
    has_aggregates,
    read_outputs,
)
from connstat_sql.sql.binder.group_by import (
    makes_one_group,
)
from connstat_sql.sql.binder.join_rules import demoted, join, not_mentioning
from connstat_sql.sql.binder.model import Conjunct, Term
from connstat_sql.sql.binder.predicates import Predicates, equality, is_listing
from connstat_sql.sql.binder.query_tree import (
    Block,
    Leaf,
    Opaque,
    OutputColumn,
    Query,
    RowLimit,
    SetOperation,
    Tree,
)
from connstat_sql.sql.binder.rules import Rules
from connstat_sql.sql.binder.scopes import Cte, Merge, Scope, Source, fields_of
from connstat_sql.sql.binder.sources import Sources
from connstat_sql.sql.nodes import children, is_natural, outermost_queries

Ctes = Mapping[str, Cte]


@dataclass
class _From:
    """A FROM clause while it is read: what is joined so far, and what can be named."""

    tree: Tree | None = None
    scope: Scope = field(default_factory=Scope)
    unseen: frozenset[int] = frozenset()
    uncorrelated: list[Query] = field(default_factory=list)


@dataclass
class FromClauses:
    """Reads the queries of one statement."""

    sources: Sources
    rules: Rules

    def __post_init__(self) -> None:
        self.predicates = Predicates(self.sources, self.query, self.rules.membership)

    # --- queries -----------------------------------------------------------------------------

    def query(self, node: exp.Expr, outer: Scope | None, ctes: Ctes) -> Query:
        """Read a query in the place where it stands: `outer` is the scope around it."""
        ctes = self._with(node, outer, ctes)
        if isinstance(node, exp.Subquery):
            inner = node.this
            if isinstance(inner, exp.Query) and not _changes_rows(node):
                return self.query(inner, outer, ctes)
            return self._opaque(node, outer, ctes)
        if isinstance(node, exp.SetOperation):
            return self._set_operation(node, outer, ctes)
        if isinstance(node, exp.Select):
            return self._block(node, outer, ctes)
        return self._opaque(node, outer, ctes)

    def _opaque(self, node: exp.Expr, outer: Scope | None, ctes: Ctes) -> Opaque:
        """What is not looked into, with the queries in it."""
        inner = outermost_queries(*children(node))
        return Opaque(tuple(self.query(query, outer, ctes) for query in inner))

    def ctes_of(self, node: exp.Expr) -> Ctes:
        """The CTEs in front of what is no query, such as INSERT, for the queries in it."""
        return self._with(node, None, {})

    def _with(self, node: exp.Expr, outer: Scope | None, ctes: Ctes) -> Ctes:
        clause = node.args.get("with_")
        if clause is None:
            return ctes
        named = dict(ctes)
        for cte in clause.expressions:
            name = cte.alias.lower()
            named[name] = Cte(cte, dict(named), outer, bool(clause.args.get("recursive")))
        return named

    def _set_operation(self, node: exp.SetOperation, outer: Scope | None, ctes: Ctes) -> Query:
        branches: list[Query] = []
        pending: list[exp.Expr] = [node.expression, node.this]
        is_open = not any(node.args.get(key) for key in ("limit", "offset", "fetch"))
        by_name = bool(node.args.get("by_name"))
        kind = (type(node), by_name)
        while pending:  # a long chain of UNIONs is one, however deep its tree
            branch = pending.pop()
            is_plain = not any(branch.args.get(k) for k in ("limit", "offset", "with_", "fetch"))
            is_same = (type(branch), bool(branch.args.get("by_name"))) == kind
            if isinstance(branch, exp.Union) and is_plain and is_same:
                pending += [branch.expression, branch.this]
                continue
            branches.append(self.query(branch, outer, ctes))
        return SetOperation(tuple(branches), is_open, by_name)

    def _block(self, select: exp.Select, outer: Scope | None, ctes: Ctes) -> Block:
        read = self._from(select, outer, ctes)
        scope = replace(read.scope, aliases=_aliases(select), outer=outer)
        visible = replace(
            scope, sources=tuple(s for s in scope.sources if s.relation.id not in read.unseen)
        )
        tree, where, nested = read.tree, list[Conjunct](), list[Query]()
        for predicate in self.predicates.where(select, visible):
            if select.args.get("sample"):  # drawn before WHERE: fewer rows would be other rows
                nested += self.predicates.queries_in(predicate, visible, ctes)
                continue
            tree = self._apply(predicate, visible, ctes, tree, where, nested)
        conjuncts = tuple(where)
        if tree is not None:
            tree = demoted(tree, conjuncts, self.rules.rejects)
        missing = tree.missing if tree is not None else frozenset()
        self.sources.missing |= missing
        beside = [
            self.query(query, visible, ctes) for query in self.predicates.queries_beside(select)
        ]
        outputs = read_outputs(select, visible, self.sources.functions, missing, self.rules.clauses)
        is_one_group = makes_one_group(select, self.sources.functions)
        invariants = (
            ()
            if is_one_group
            else (*not_mentioning(conjuncts, missing), *(tree.invariants if tree else ()))
        )
        limit = None if nested or beside else self._limit(select, tree, conjuncts, visible, outputs)
        return Block(
            tree, conjuncts, tuple(nested), tuple(beside), tuple(read.uncorrelated), is_one_group,
            outputs, invariants, limit,
        )  # fmt: skip

    def _apply(
        self,
        predicate: exp.Expr,
        scope: Scope,
        ctes: Ctes,
        tree: Tree | None,
        where: list[Conjunct],
        nested: list[Query],
    ) -> Tree | None:
        """One conjunct: a conjunct, or a join with the subquery that it is about."""
        joined = self.predicates.subquery_join(predicate, scope, ctes)
        if joined is None or tree is None:
            where.append(self.predicates.conjunct(predicate, scope, ctes))
            nested += self.predicates.queries_in(predicate, scope, ctes)
            return tree
        kind, leaf, on = joined
        return join(kind, tree, leaf, on)

    def _limit(
        self,
        select: exp.Select,
        tree: Tree | None,
        conjuncts: tuple[Conjunct, ...],
        scope: Scope,
        outputs: Sequence[OutputColumn] | None,
    ) -> RowLimit | None:
        """How many rows are enough, where nothing else stands between them and the result."""
        if not isinstance(tree, Leaf) or tree.relation.mention is None:
            return None
        if not is_listing(select) or has_aggregates(select, self.sources.functions):
            return None
        at_most = 1 if _is_only_tested(select) else None
        wanted = self.sources.whole_number(select.args.get("limit"), absent=at_most)
        skipped = self.sources.whole_number(select.args.get("offset"), absent=0)
        columns = [self.predicates.fixed_column(conjunct) for conjunct in conjuncts]
        if wanted is None or skipped is None or None in columns:
            return None
        order = None
        if select.args.get("order") is not None:
            order = self.predicates.order(select, scope, outputs)
            if order is None:
                return None
        wanted = wanted if at_most is None else min(wanted, at_most)
        return RowLimit(wanted + skipped, frozenset(name for name in columns if name), order)

    # --- FROM --------------------------------------------------------------------------------

    def _from(self, select: exp.Select, outer: Scope | None, ctes: Ctes) -> _From:
        whole = _From()
        first = select.args.get("from_")
        if first is None:
            return whole
        chain = self._started(first.this, Scope(outer=outer), ctes)
        for clause in select.args.get("joins") or []:
            before = whole.scope.joined(chain.scope)
            if _is_comma(clause):
                whole = _beside(whole, chain)
                chain = self._started(clause.this, replace(before, outer=outer), ctes)
            else:
                chain = self._joined(chain, clause, replace(before, outer=outer), outer, ctes)
        return _beside(whole, chain)

    def _started(self, node: exp.Expr, before: Scope, ctes: Ctes) -> _From:
        """A chain of joins begins; `before` is what a LATERAL source may name."""
        first, joins = _inner_joins(node)
        if first is node:
            leaf, source = self._source(node, before, ctes)
            chain = _From(leaf, Scope((source,)))
        else:
            chain = self._started(first, before, ctes)
        for clause in joins:
            if _is_comma(clause):
                chain = _beside(chain, self._started(clause.this, before, ctes))
            else:
                chain = self._joined(chain, clause, before, before.outer, ctes)
        return chain

    def _joined(
        self, chain: _From, clause: exp.Join, before: Scope, outer: Scope | None, ctes: Ctes
    ) -> _From:
        right = self._started(clause.this, before, ctes)
        assert chain.tree is not None
        assert right.tree is not None
        kind = join_kind(clause)
        left_scope = replace(
            chain.scope,
            sources=tuple(s for s in chain.scope.sources if s.relation.id not in chain.unseen),
            outer=None,
        )
        scope = replace(left_scope.joined(right.scope), outer=outer)
        conjuncts, merged, uncorrelated = (
            list[Conjunct](),
            dict(scope.merged),
            [*chain.uncorrelated, *right.uncorrelated],
        )
        for name in _common(clause, left_scope, right.scope):
            conjunct, merge = self._merge(name, kind, left_scope, right.scope)
            merged[name] = merge
            if conjunct is not None and not (kind.startswith("ASOF")):
                conjuncts.append(conjunct)
        on = clause.args.get("on")
        for predicate in self.predicates.split_and(on) if on is not None else ():
            conjuncts.append(self.predicates.conjunct(predicate, scope, ctes))
            uncorrelated += self.predicates.queries_in(predicate, scope, ctes)
        unseen = chain.unseen | right.unseen
        if kind in ("SEMI", "ANTI"):
            unseen |= {source.relation.id for source in right.scope.sources}
        tree = join(kind, chain.tree, right.tree, tuple(conjuncts))
        return _From(tree, replace(scope, merged=merged, outer=None), unseen, uncorrelated)

    def _merge(
        self, name: str, kind: str, left: Scope, right: Scope
    ) -> tuple[Conjunct | None, Merge]:
        """One column of USING or NATURAL: what makes it equal, and what it then is."""
        ours, theirs = left.named(name), right.named(name)
        having = [s.relation.id for s in (*left.sources, *right.sources) if s.field(name)]
        members = frozenset(having)
        if ours is None or theirs is None:
            return None, Merge(None, members)
        conjunct = equality(ours, theirs, name)
        term: Term | None = ours
        if kind == "RIGHT":
            term = theirs
        elif kind.startswith("ASOF"):
            term = None
        elif kind == "FULL":
            term = self.predicates.merged(fields_of(ours), fields_of(theirs))
        return conjunct, Merge(term, members)

    def _source(self, node: exp.Expr, before: Scope, ctes: Ctes) -> tuple[Leaf, Source]:
        """One source of FROM, with the query inside it where it is one."""
        inner = node.this if isinstance(node, exp.Lateral) else node
        names = source_names(node)
        if isinstance(node, exp.Table) and not _changes_rows(node):
            place = self.sources.live_place(node)
            if place is not None:
                relation = self.sources.live(node, place)
                return Leaf(relation), Source(relation, names, self.sources.renamed(node, relation))
            cte = ctes.get(node.name.lower()) if len(node.parts) == 1 else None
            if cte is not None:
                return self._cte(node, cte, ctes, names)
        if isinstance(inner, exp.Subquery) and not _changes_rows(inner):
            query = self.query(inner, before, ctes)
            relation = self.sources.derived(node, query, ctes)
            return Leaf(relation, query), Source(relation, names)
        query = self._opaque(inner, before, ctes)
        relation = self.sources.local(node, ctes)
        place = self.sources.live_place(inner)
        return Leaf(relation, query if query.branches else None, place), Source(relation, names)

    def _cte(
        self, node: exp.Table, cte: Cte, ctes: Ctes, names: tuple[str, ...]
    ) -> tuple[Leaf, Source]:
        query: Query | None = None
        name = node.name.lower()
        if self.sources.may_read(cte):
            if cte.is_itself:
                query = None
            elif cte.is_recursive and cte.names_itself:
                itself = replace(cte, is_itself=True)
                branches = tuple(
                    self.query(branch, cte.outer, {**cte.ctes, name: itself})
                    for branch in (cte.node.this.this, cte.node.this.expression)
                )
                seals = self.rules.seals_recursion
                query = Opaque(branches) if seals else SetOperation(branches, True, False)
            else:
                query = self.query(cte.node.this, cte.outer, cte.ctes)
        relation = self.sources.of_cte(node, cte, query, ctes)
        return Leaf(relation, query), Source(relation, names)


# --- syntax --------------------------------------------------------------------------------------


def join_kind(join: exp.Join) -> str:
    """One word for how a join treats its sides; NATURAL joins have no ON, so their side counts."""
    method, side, kind = (
        str(join.args.get(key) or "").upper() for key in ("method", "side", "kind")
    )
    if method == "POSITIONAL":
        return method
    if method == "ASOF":
        return f"ASOF {side}".strip()
    if kind in ("SEMI", "ANTI"):
        return kind
    return side or "INNER"


def source_names(node: exp.Expr) -> tuple[str, ...]:
    """How columns of a source may be qualified: its alias, or the parts of its name."""
    alias = node.alias
    if alias:
        return (alias.lower(),)
    if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
        return tuple(part.name.lower() for part in node.parts)
    return (node.alias_or_name.lower() or "\0",)


def _is_comma(join: exp.Join) -> bool:
    return not any(join.args.get(key) for key in ("method", "side", "kind", "on", "using"))


def _beside(whole: _From, chain: _From) -> _From:
    tree = chain.tree
    if whole.tree is not None and chain.tree is not None:
        tree = join("CROSS", whole.tree, chain.tree)
    return _From(
        tree,
        whole.scope.joined(chain.scope),
        whole.unseen | chain.unseen,
        [*whole.uncorrelated, *chain.uncorrelated],
    )


def _common(join: exp.Join, left: Scope, right: Scope) -> list[str]:
    """Columns that USING names, or that NATURAL finds on both sides."""
    using = [column.name.lower() for column in join.args.get("using") or []]
    if not is_natural(join):
        return using
    theirs = dict(right.outputs())
    return [name for name, _ in left.outputs() if name in theirs]


def _inner_joins(node: exp.Expr) -> tuple[exp.Expr, list[exp.Join]]:
    """What stands first in a source of FROM, and the joins that the parser has put inside it."""
    joins = node.args.get("joins") or []
    inner = node.this
    is_group = isinstance(node, exp.Subquery) and not node.alias and not _changes_rows(node)
    if is_group and isinstance(inner, (exp.Table, exp.Subquery)):
        return inner, joins
    return node, joins


def _is_only_tested(select: exp.Select) -> bool:
    """Whether all that counts is that there is a row."""
    around = select.parent
    while isinstance(around, (exp.Paren, exp.Subquery)) and not _changes_rows(around):
        around = around.parent
    return isinstance(around, exp.Exists)


def _changes_rows(node: exp.Expr) -> bool:
    return any(node.args.get(key) for key in ("pivots", "sample", "limit", "offset"))


def _aliases(select: exp.Select) -> dict[str, exp.Expr | None]:
    """The names that a select list gives, and what it gives them to."""
    aliases: dict[str, exp.Expr | None] = {}
    for item in select.expressions:
        if item.alias:
            name = item.alias.lower()
            aliases[name] = None if name in aliases else item.unalias()
    return aliases
