"""From the outside of a query down to its live tables: which facts reach which reading of them.

A fact that reaches a live table must be true of every row of it that can change the answer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from connstat_sql.binder.joins import Sides, positional, silent, sound_on
from connstat_sql.binder.rules import Rules
from connstat_sql.binder.trees import (
    Block,
    Join,
    Leaf,
    Limit,
    Output,
    Query,
    SetOperation,
    Tree,
)
from connstat_sql.binder.values import Fact, Field, Relation, Term, relations_of

Facts = tuple[Fact, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Reached:
    """A live mention that the walk has reached; `relation` is None where nothing restricts it."""

    relation: int | None
    facts: Facts = ()
    limit: Limit | None = None


@dataclass
class Walking:
    """Collects what reaches each live mention, by its place."""

    rules: Rules
    relations: Mapping[int, Relation]
    reached: dict[int, list[Reached]] = field(default_factory=lambda: defaultdict(list))

    def walk(self, query: Query, relation: Relation | None = None, facts: Facts = ()) -> None:
        """Go through a query that is read as `relation`; the facts hold for the rows wanted."""
        if isinstance(query, Block):
            entering = _entering(facts, relation, query.outputs, self._is_fitting)
            self._block(query, entering)
        elif isinstance(query, SetOperation):
            self._set_operation(query, relation, facts)
        else:
            for branch in query.branches:
                self.walk(branch)

    def _set_operation(self, query: SetOperation, relation: Relation | None, facts: Facts) -> None:
        """Into every branch alike, where a column has the type there that it has in the whole."""
        if not query.is_open:
            facts = silent(facts, frozenset({relation.id})) if relation is not None else facts
        for branch in query.branches:
            if isinstance(branch, Block):
                outputs: Sequence[Output] | None = branch.outputs
                if query.by_name and self.rules.minds_names and relation is not None:
                    outputs = _by_name(outputs, relation)
                self._block(branch, _entering(facts, relation, outputs, self._is_same_type))
            else:
                self.walk(branch, relation, facts if not query.by_name else ())

    def _block(self, block: Block, above: Facts) -> None:
        whole = (*block.where, *above)
        context = whole
        if block.tree is not None:
            sound = silent(whole, block.tree.missing)
            self._descend(block.tree, sound, whole, block.limit)
            context = (*sound, *block.tree.held)
        for nested in block.nested:
            self.walk(nested, None, context)
        for beside in block.beside:
            self.walk(beside, None, above if block.is_one_group else context)
        for loose in block.loose:
            self.walk(loose)

    def _descend(self, tree: Tree, above: Facts, raw: Facts, limit: Limit | None = None) -> None:
        if isinstance(tree, Leaf):
            self._arrive(tree, above, limit)
            return
        sides = Sides(
            above, sound_on(tree, self.rules.rejects), tree.left.held, tree.right.held,
            tree.left.relations, tree.right.relations, raw,
        )  # fmt: skip
        to_left, to_right = self.rules.joins.get(tree.kind, positional)(sides)
        raw_left, raw_right = _raw_inside(tree, raw)
        self._descend(tree.left, to_left, raw_left)
        self._descend(tree.right, to_right, raw_right)

    def _arrive(self, leaf: Leaf, facts: Facts, limit: Limit | None) -> None:
        if leaf.closed is not None:
            self.reached[leaf.closed].append(Reached(None))
        if leaf.relation.mention is not None:
            self.reached[leaf.relation.mention].append(Reached(leaf.relation.id, facts, limit))
        if leaf.query is not None:
            self.walk(leaf.query, leaf.relation, facts)

    def _is_same_type(self, term: Term, wanted: str) -> bool:
        if not self.rules.minds_types:
            return True
        if not isinstance(term, Field) or term.path or term.relation not in self.relations:
            return False
        return bool(wanted) and self.relations[term.relation].types.get(term.column) == wanted

    def _is_fitting(self, _: Term, __: str) -> bool:
        return True


def _entering(
    facts: Facts,
    relation: Relation | None,
    outputs: Sequence[Output] | None,
    fits: Callable[[Term, str], bool],
) -> Facts:
    """Facts about a subquery in terms of what is inside; those that may not enter stay out."""
    if relation is None:
        return facts
    inward: dict[str, Term] = {}
    names = list(relation.types)
    if outputs is not None and len(outputs) == len(names):
        for name, one in zip(names, outputs, strict=True):
            if one.is_passed and one.term is not None and fits(one.term, relation.types[name]):
                inward[name] = one.term
    found = (substituted(fact, relation.id, inward) for fact in facts)
    return tuple(fact for fact in found if fact is not None)


def substituted(fact: Fact, relation: int, inward: Mapping[str, Term]) -> Fact | None:
    """A fact with a relation's columns in other terms; None when one of them has none."""
    if relation not in fact.relations:
        return fact
    terms: dict[int, Term] = {}
    for key, term in fact.terms.items():
        if relation not in relations_of([term]):
            terms[key] = term
            continue
        if not isinstance(term, Field) or term.relation != relation or term.column not in inward:
            return None
        found = inward[term.column]
        if term.path:
            if not isinstance(found, Field):
                return None
            found = Field(found.relation, found.column, (*found.path, *term.path))
        terms[key] = found
    kept = fact.relations - relations_of(fact.terms.values())  # what marks it as unusable
    return Fact(fact.predicate, terms, relations_of(terms.values()) | kept)


def _by_name(outputs: Sequence[Output] | None, relation: Relation) -> list[Output] | None:
    if outputs is None:
        return None
    named = {one.name: one for one in outputs}
    absent = Output("", None, False, False)
    return [named.get(name, absent) for name in relation.types]


def _raw_inside(join: Join, raw: Facts) -> tuple[Facts, Facts]:
    if join.kind in ("INNER", "CROSS"):
        return raw, raw
    if join.kind in ("LEFT", "SEMI", "ANTI", "NOT IN"):
        return raw, ()
    return ((), raw) if join.kind == "RIGHT" else ((), ())
