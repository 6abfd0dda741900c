"""From the outside of a query down to its live tables: which conjuncts reach which reading of them.

A conjunct that reaches a live table must be true of every row of it that can change the answer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from connstat_sql.sql.binder.constants import INTEGERS, SHORT, Constants, is_short_number
from connstat_sql.sql.binder.join_rules import Sides, not_mentioning, positional, sound_on
from connstat_sql.sql.binder.model import (
    Beside,
    ColumnField,
    Conjunct,
    Expression,
    Relation,
    ScalarSubquery,
    Term,
    is_fixed,
    relations_of,
    type_of,
)
from connstat_sql.sql.binder.predicates import weakened
from connstat_sql.sql.binder.query_tree import (
    Block,
    Join,
    Leaf,
    OutputColumn,
    Query,
    RowLimit,
    SetOperation,
    Tree,
)
from connstat_sql.sql.binder.rules import Rules
from connstat_sql.sql.excerpts import put_in_place
from connstat_sql.sql.nodes import walk

Conjuncts = tuple[Conjunct, ...]
_OF_EQUALITY = (exp.EQ, exp.In, exp.And, exp.Or, exp.Paren, exp.Column, exp.Identifier)


@dataclass(frozen=True, eq=False, slots=True)
class PushedPredicates:
    """A live mention that was reached; `relation` is None where nothing restricts it."""

    relation: int | None
    conjuncts: Conjuncts = ()
    limit: RowLimit | None = None


@dataclass
class Pushdown:
    """Collects what reaches each live mention, by its place."""

    rules: Rules
    relations: Mapping[int, Relation]
    constants: Constants
    pushed: dict[int, list[PushedPredicates]] = field(default_factory=lambda: defaultdict(list))

    def push(
        self, query: Query, relation: Relation | None = None, conjuncts: Conjuncts = ()
    ) -> None:
        """Go through a query that is read as `relation`; the conjuncts hold for the rows wanted."""
        if isinstance(query, Block):
            entering = _entering(conjuncts, relation, query.outputs, self._as_it_is)
            self._block(query, entering)
        elif isinstance(query, SetOperation):
            self._set_operation(query, relation, conjuncts)
        else:
            for branch in query.branches:
                self.push(branch)

    def _set_operation(
        self, query: SetOperation, relation: Relation | None, conjuncts: Conjuncts
    ) -> None:
        """Into every branch alike, where a column has the type there that it has in the whole."""
        if not query.is_open:
            conjuncts = (
                not_mentioning(conjuncts, frozenset({relation.id}))
                if relation is not None
                else conjuncts
            )
        for branch in query.branches:
            if isinstance(branch, Block):
                outputs: Sequence[OutputColumn] | None = branch.outputs
                if query.by_name and self.rules.minds_names:
                    outputs = _by_name(outputs, query.outputs)
                self._block(branch, self._into_branch(conjuncts, relation, outputs))
            else:
                self.push(branch, relation, conjuncts if not query.by_name else ())

    def _into_branch(
        self,
        conjuncts: Conjuncts,
        relation: Relation | None,
        outputs: Sequence[OutputColumn] | None,
    ) -> Conjuncts:
        """Conjuncts about the whole in terms of one of its branches."""
        inside: list[Conjunct] = []
        for conjunct in conjuncts:
            entered = _entering((conjunct,), relation, outputs, self._as_in_the_whole)
            if not entered and relation and self._compares_numbers(conjunct, relation.id):
                entered = _entering((conjunct,), relation, outputs, self._as_a_number)
            inside += entered
        return tuple(inside)

    def _compares_numbers(self, conjunct: Conjunct, whole: int) -> bool:
        """Whether it is about nothing but which numbers are equal, whatever their types.

        Those of the whole aside these are whole numbers, or written with few digits.
        """
        terms = [term for term in conjunct.terms.values() if isinstance(term, ColumnField)]
        others = [term for term in terms if type_of(term, self.relations) not in INTEGERS]
        if len(terms) < len(conjunct.terms) or any(term.relation != whole for term in others):
            return False
        return all(
            isinstance(node, _OF_EQUALITY)
            or (isinstance(node, exp.Literal) and not node.is_string and is_short_number(node.name))
            or (isinstance(node, exp.Literal) and node.is_int and not others)
            for node in walk(conjunct.predicate)
        )

    def _as_a_number(self, term: Term, wanted: str) -> Term | None:
        """A whole number of a branch, where the whole has a type that holds every such number."""
        kind = type_of(term, self.relations)
        is_held = wanted in INTEGERS or wanted.startswith("DECIMAL(")
        is_held = is_held or (wanted == "DOUBLE" and kind in SHORT)
        return term if kind in INTEGERS and is_held else None

    def _block(self, block: Block, above: Conjuncts) -> None:
        whole = (*block.where, *above)
        context = whole
        if block.tree is not None:
            sound = not_mentioning(whole, block.tree.missing)
            self._descend(block.tree, sound, whole, block.limit)
            context = (*sound, *block.tree.invariants)
        for nested in block.nested:
            self.push(nested, None, context)
        for beside in block.beside:
            self.push(beside, None, above if block.is_one_group else context)
        for uncorrelated in block.uncorrelated:
            self.push(uncorrelated)

    def _descend(
        self, tree: Tree, above: Conjuncts, raw: Conjuncts, limit: RowLimit | None = None
    ) -> None:
        if isinstance(tree, Leaf):
            self._arrive(tree, above, limit)
            return
        sides = Sides(
            above, sound_on(tree, self.rules.rejects), tree.left.invariants, tree.right.invariants,
            tree.left.relations, tree.right.relations, raw,
        )  # fmt: skip
        to_left, to_right = self.rules.joins.get(tree.kind, positional)(sides)
        raw_left, raw_right = _raw_inside(tree, raw)
        self._descend(tree.left, to_left, raw_left)
        self._descend(tree.right, to_right, raw_right)

    def _arrive(self, leaf: Leaf, conjuncts: Conjuncts, limit: RowLimit | None) -> None:
        if leaf.closed is not None:
            self.pushed[leaf.closed].append(PushedPredicates(None))
        if leaf.relation.mention is not None:
            self.pushed[leaf.relation.mention].append(
                PushedPredicates(leaf.relation.id, conjuncts, limit)
            )
        if leaf.query is not None:
            self.push(leaf.query, leaf.relation, conjuncts)

    def _as_in_the_whole(self, term: Term, wanted: str) -> Term | None:
        """A term of a branch, where its values are those of the whole."""
        if not self.rules.minds_types:
            return self._as_it_is(term, "")
        if is_fixed(term):
            return self._as_it_is(term, wanted) if wanted else None
        if not isinstance(term, ColumnField) or term.relation not in self.relations:
            return None
        kind = self.relations[term.relation].types.get(term.column, "")
        if term.path and kind and wanted:
            kind = self.constants.type_inside(kind, term.path)
        return term if wanted and kind == wanted else None

    def _as_it_is(self, term: Term, wanted: str) -> Term | None:
        """A term of the only query there is; a constant as what says its type."""
        if not isinstance(term, Expression) or term.terms:
            return term
        typed = self.constants.typed(term.node, wanted)
        return Expression(typed, {}) if typed is not None else None


def _entering(
    conjuncts: Conjuncts,
    relation: Relation | None,
    outputs: Sequence[OutputColumn] | None,
    rewrite: Callable[[Term, str], Term | None],
) -> Conjuncts:
    """Conjuncts about a subquery in terms of what is inside; those that may not enter stay out.

    `rewrite` answers what a column is for the conjuncts (None: that cannot be said), given its
    type.
    """
    if relation is None:
        return conjuncts
    inward: dict[str, Term] = {}
    names = list(relation.types)
    if outputs is not None and len(outputs) == len(names):
        spoken = {
            field.column for conjunct in conjuncts for field in _fields(conjunct.terms.values())
        }
        for name, output in zip(names, outputs, strict=True):
            if output.is_passed and output.term is not None and name in spoken:
                term = rewrite(output.term, relation.types[name])
                if term is not None:
                    inward[name] = term
    rewritten = (
        substituted(conjunct, relation.id, inward) or _weakened(conjunct, relation.id, inward)
        for conjunct in conjuncts
    )
    return tuple(conjunct for conjunct in rewritten if conjunct is not None)


def _weakened(conjunct: Conjunct, relation: int, inward: Mapping[str, Term]) -> Conjunct | None:
    """An OR without what cannot be told inside of its branches."""

    def copied_inside(part: Conjunct) -> Expression | None:
        inner = substituted(part, relation, inward)
        return None if inner is None else _filled(inner.predicate, inner.terms, {})

    return weakened(conjunct, copied_inside)


def _fields(terms: Iterable[Term]) -> Iterable[ColumnField]:
    for term in terms:
        if isinstance(term, ColumnField):
            yield term
        elif isinstance(term, Expression):
            yield from _fields(term.terms.values())


def substituted(conjunct: Conjunct, relation: int, inward: Mapping[str, Term]) -> Conjunct | None:
    """A conjunct with a relation's columns in other terms; None when one of them has none."""
    if relation not in conjunct.relations:
        return conjunct
    expression = _rewritten(conjunct.predicate, conjunct.terms, relation, inward)
    if expression is None:
        return None
    kept = conjunct.relations - relations_of(conjunct.terms.values())  # what marks it as unusable
    return Conjunct(
        expression.node, expression.terms, relations_of(expression.terms.values()) | kept
    )


def _rewritten(
    node: exp.Expr, terms: Mapping[int, Term], relation: int, inward: Mapping[str, Term]
) -> Expression | None:
    """An expression with a relation's columns in other terms; constants are put into the text."""
    rewritten: dict[int, Term] = {}
    for key, term in terms.items():
        inner = _term_rewritten(term, relation, inward)
        if inner is None:
            return None
        rewritten[key] = inner
    fixed = {key: term for key, term in rewritten.items() if is_fixed(term)}
    return _filled(node, rewritten, fixed) if fixed else Expression(node, rewritten)


def _term_rewritten(term: Term, relation: int, inward: Mapping[str, Term]) -> Term | None:
    if relation not in relations_of([term]):
        return term
    if isinstance(term, Expression):
        return _rewritten(term.node, term.terms, relation, inward)
    if isinstance(term, ScalarSubquery):
        return _scalar_rewritten(term, relation, inward)
    if not isinstance(term, ColumnField) or term.column not in inward:
        return None
    inner = inward[term.column]
    if not term.path:
        return inner
    if not isinstance(inner, ColumnField):
        return None
    return ColumnField(inner.relation, inner.column, (*inner.path, *term.path))


def _scalar_rewritten(
    term: ScalarSubquery, relation: int, inward: Mapping[str, Term]
) -> ScalarSubquery | None:
    """A subquery with the columns around it in other terms, where these are columns too."""
    beside = []
    for source in term.beside:
        rewritten = [
            (name, _term_rewritten(field, relation, inward)) for name, field in source.columns
        ]
        columns = tuple(
            (name, field) for name, field in rewritten if isinstance(field, ColumnField)
        )
        if len(columns) < len(rewritten):
            return None
        beside.append(Beside(source.alias, columns))
    return None if relation == term.relation else ScalarSubquery(term.relation, tuple(beside))


def _filled(node: exp.Expr, terms: Mapping[int, Term], fixed: Mapping[int, Term]) -> Expression:
    """A copy of an expression with constants in the places of columns."""
    copy = node.copy()
    others, places = dict[int, Term](), list[tuple[exp.Expr, exp.Expr]]()
    for original, twin in zip(walk(node), walk(copy), strict=True):
        term = fixed.get(id(original))
        if isinstance(term, Expression):
            value = put_in_place(exp.Paren(this=term.node.copy()), original)
            places.append((twin, value))
        elif id(original) in terms:
            others[id(twin)] = terms[id(original)]
    for twin, value in places:
        if twin is copy:
            copy = value
        else:
            twin.replace(value)
    return Expression(copy, others)


def _by_name(
    outputs: Sequence[OutputColumn] | None, whole: Sequence[OutputColumn] | None
) -> list[OutputColumn] | None:
    """The columns of a branch in the order of the whole; NULL where the branch has none."""
    if outputs is None or whole is None:
        return None
    named = {output.name: output for output in outputs}
    absent = OutputColumn("", Expression(exp.Null(), {}), True, False)
    return [named.get(output.name, absent) for output in whole]


def _raw_inside(join: Join, raw: Conjuncts) -> tuple[Conjuncts, Conjuncts]:
    if join.kind in ("INNER", "CROSS"):
        return raw, raw
    if join.kind in ("LEFT", "SEMI", "ANTI", "NOT IN"):
        return raw, ()
    return ((), raw) if join.kind == "RIGHT" else ((), ())
