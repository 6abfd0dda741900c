"""What each kind of join lets through to its sides: one small function a kind.

A rule is given the facts from above and those of ON, and answers those of the left and of the
right side: predicates without whose truth a row of that side cannot change the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sqlglot import exp

from connstat_sql.sql.binder.model import Conjunct, Merged, relations_of
from connstat_sql.sql.binder.nulls import rejects_null
from connstat_sql.sql.binder.query_tree import Join, Leaf, Tree

Facts = tuple[Conjunct, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Sides:
    """One join on the way down.

    `above` are facts that come from outside, `on` its own. `held_left` and `held_right` hold for
    each row that the side gives, `left` and `right` are the relations there. `raw` are the facts
    from outside before those were left out that speak of columns which may be missing.
    """

    above: Facts
    on: Facts
    held_left: Facts
    held_right: Facts
    left: frozenset[int]
    right: frozenset[int]
    raw: Facts


Rule = Callable[[Sides], tuple[Facts, Facts]]


def inner(sides: Sides) -> tuple[Facts, Facts]:
    """Everything reaches both sides."""
    both = (*sides.above, *sides.on)
    return (*both, *sides.held_right), (*both, *sides.held_left)


def left(sides: Sides) -> tuple[Facts, Facts]:
    """ON reaches the right side alone; what is known of the left side matters to both."""
    above = silent(sides.above, sides.right)
    return above, (*above, *sides.on, *sides.held_left)


def right(sides: Sides) -> tuple[Facts, Facts]:
    """LEFT mirrored."""
    above = silent(sides.above, sides.left)
    return (*above, *sides.on, *sides.held_right), above


def full(sides: Sides) -> tuple[Facts, Facts]:
    """Only what USING merged: the merged column is each side's own for the rows of that side."""
    above = silent(sides.above, sides.left | sides.right)
    return (
        (*above, *_merged(sides.raw, sides.left, sides.right)),
        (*above, *_merged(sides.raw, sides.right, sides.left)),
    )


def semi(sides: Sides) -> tuple[Facts, Facts]:
    """As an inner join: nothing above can speak of the right side."""
    return inner(sides)


def anti(sides: Sides) -> tuple[Facts, Facts]:
    """ON reaches the right side alone: the left wants the rows that find no partner."""
    return sides.above, (*sides.above, *sides.on, *sides.held_left)


def not_in(sides: Sides) -> tuple[Facts, Facts]:
    """ON reaches nothing: a single NULL on the right changes the answer."""
    return sides.above, (*sides.above, *sides.held_left)


def asof(sides: Sides) -> tuple[Facts, Facts]:
    """Equalities of ON reach both; WHERE not the right side, where the nearest counts."""
    equal = _equalities(sides.on)
    above = silent(sides.above, sides.right)
    return (*sides.above, *equal, *sides.held_right), (*above, *equal, *sides.held_left)


def asof_left(sides: Sides) -> tuple[Facts, Facts]:
    """As ASOF for the right side, as LEFT for the left."""
    above = silent(sides.above, sides.right)
    return above, (*above, *_equalities(sides.on), *sides.held_left)


def positional(_: Sides) -> tuple[Facts, Facts]:
    """Nothing: every row counts by its place."""
    return (), ()


RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "INNER": inner, "CROSS": inner, "LEFT": left, "RIGHT": right, "FULL": full, "SEMI": semi,
        "ANTI": anti, "NOT IN": not_in, "ASOF": asof, "ASOF LEFT": asof_left,
        "POSITIONAL": positional,
    }
)  # fmt: skip
"""A kind that is not listed restricts nothing."""


# --- outer joins that are none -------------------------------------------------------------------

Rejects = Callable[[Conjunct, frozenset[int]], bool]


def demoted(tree: Tree, above: Facts, rejects: Rejects = rejects_null) -> Tree:
    """Outer joins whose missing rows a fact rejects anyway, as the narrower joins they are."""
    if isinstance(tree, Leaf):
        return tree
    kind = _demoted_kind(tree, above, rejects)
    to_left, to_right = _inside_of(kind, above, tree.on)
    left_side, right_side = (
        demoted(tree.left, to_left, rejects), demoted(tree.right, to_right, rejects)
    )  # fmt: skip
    return join(kind, left_side, right_side, tree.on)


def _demoted_kind(tree: Join, above: Facts, rejects: Rejects) -> str:
    missing_right = tree.kind in ("LEFT", "FULL", "ASOF LEFT")
    missing_left = tree.kind in ("RIGHT", "FULL")
    sides = tree.left.relations, tree.right.relations
    keeps_left = missing_left and not any(rejects(fact, sides[0]) for fact in above)
    keeps_right = missing_right and not any(rejects(fact, sides[1]) for fact in above)
    if keeps_left == missing_left and keeps_right == missing_right:
        return tree.kind
    if tree.kind == "ASOF LEFT":
        return "ASOF"
    names = {(True, True): "FULL", (True, False): "RIGHT", (False, True): "LEFT"}
    return names.get((keeps_left, keeps_right), "INNER")


def _inside_of(kind: str, above: Facts, on: Facts) -> tuple[Facts, Facts]:
    """Facts that every row of a side which survives the join makes true, to look for NULLs."""
    if kind in ("INNER", "CROSS", "SEMI"):
        return (*above, *on), (*above, *on)
    if kind == "LEFT":
        return above, on
    if kind == "RIGHT":
        return on, above
    if kind == "ANTI":
        return above, on
    return (), ()


# --- what is known of a tree ---------------------------------------------------------------------


def join(kind: str, left: Tree, right: Tree, on: Facts = ()) -> Join:
    """A join, with what is known of it."""
    sound = _sound(on, left.missing | right.missing)
    return Join(
        kind, left, right, on, left.relations | right.relations, _missing(kind, left, right),
        _held(kind, left, right, sound),
    )  # fmt: skip


def sound_on(tree: Join, rejects: Rejects = rejects_null) -> Facts:
    """The facts of ON for which the rows they speak of are there."""
    return _sound(tree.on, tree.left.missing | tree.right.missing, rejects)


def _sound(on: Facts, missing: frozenset[int], rejects: Rejects = rejects_null) -> Facts:
    return tuple(
        fact
        for fact in on
        if all(rejects(fact, frozenset({relation})) for relation in fact.relations & missing)
    )


def _missing(kind: str, left: Tree, right: Tree) -> frozenset[int]:
    missing = left.missing | right.missing
    if kind in ("LEFT", "FULL", "ASOF LEFT", "POSITIONAL") or kind not in RULES:
        missing |= right.relations
    if kind in ("RIGHT", "FULL", "POSITIONAL") or kind not in RULES:
        missing |= left.relations
    return missing


def _held(kind: str, left: Tree, right: Tree, on: Facts) -> Facts:
    if kind in ("INNER", "CROSS"):
        return (*left.held, *right.held, *on)
    if kind == "SEMI":
        return (*left.held, *on)
    if kind == "ASOF":
        return (*left.held, *_equalities(on))
    if kind in ("LEFT", "ANTI", "NOT IN", "ASOF LEFT"):
        return left.held
    return right.held if kind == "RIGHT" else ()


# --- choosing among facts ------------------------------------------------------------------------


def silent(facts: Iterable[Conjunct], relations: frozenset[int]) -> Facts:
    """The facts that say nothing of the given relations."""
    return tuple(fact for fact in facts if not fact.relations & relations)


def _equalities(facts: Facts) -> Facts:
    return tuple(fact for fact in facts if isinstance(fact.predicate.unnest(), exp.EQ))


def _merged(raw: Facts, own: frozenset[int], other: frozenset[int]) -> Facts:
    """Facts about merged columns alone, told of the own side's column."""
    facts = []
    for fact in raw:
        if not fact.relations & own:
            continue
        terms = {}
        for key, term in fact.terms.items():
            fields = term.fields if isinstance(term, Merged) else ()
            ours = [field for field in fields if field.relation in own]
            terms[key] = ours[0] if len(ours) == 1 else term
        is_told = all(terms[k] is not t for k, t in fact.terms.items() if relations_of([t]) & own)
        relations = relations_of(terms.values())
        if is_told and not relations & other:
            facts.append(Conjunct(fact.predicate, terms, relations))
    return tuple(facts)
