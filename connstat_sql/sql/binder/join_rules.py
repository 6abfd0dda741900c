"""What each kind of join lets through to its sides: one small function a kind.

A rule is given the conjuncts from above and those of ON, and answers those of the left and of the
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

Conjuncts = tuple[Conjunct, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Sides:
    """One join on the way down.

    `above` are conjuncts that come from outside, `on` its own. `left_invariants` and
    `right_invariants` hold for each row that the side gives, `left` and `right` are the relations
    there. `raw` are the conjuncts from outside before those were left out that speak of columns
    which may be missing.
    """

    above: Conjuncts
    on: Conjuncts
    left_invariants: Conjuncts
    right_invariants: Conjuncts
    left: frozenset[int]
    right: frozenset[int]
    raw: Conjuncts


Rule = Callable[[Sides], tuple[Conjuncts, Conjuncts]]


def inner(sides: Sides) -> tuple[Conjuncts, Conjuncts]:
    """Everything reaches both sides."""
    both = (*sides.above, *sides.on)
    return (*both, *sides.right_invariants), (*both, *sides.left_invariants)


def left(sides: Sides) -> tuple[Conjuncts, Conjuncts]:
    """ON reaches the right side alone; what is known of the left side matters to both."""
    above = not_mentioning(sides.above, sides.right)
    return above, (*above, *sides.on, *sides.left_invariants)


def right(sides: Sides) -> tuple[Conjuncts, Conjuncts]:
    """LEFT mirrored."""
    above = not_mentioning(sides.above, sides.left)
    return (*above, *sides.on, *sides.right_invariants), above


def full(sides: Sides) -> tuple[Conjuncts, Conjuncts]:
    """Only what USING merged: the merged column is each side's own for the rows of that side."""
    above = not_mentioning(sides.above, sides.left | sides.right)
    return (
        (*above, *_merged(sides.raw, sides.left, sides.right)),
        (*above, *_merged(sides.raw, sides.right, sides.left)),
    )


def semi(sides: Sides) -> tuple[Conjuncts, Conjuncts]:
    """As an inner join: nothing above can speak of the right side."""
    return inner(sides)


def anti(sides: Sides) -> tuple[Conjuncts, Conjuncts]:
    """ON reaches the right side alone: the left wants the rows that find no partner."""
    return sides.above, (*sides.above, *sides.on, *sides.left_invariants)


def not_in(sides: Sides) -> tuple[Conjuncts, Conjuncts]:
    """ON reaches nothing: a single NULL on the right changes the answer."""
    return sides.above, (*sides.above, *sides.left_invariants)


def asof(sides: Sides) -> tuple[Conjuncts, Conjuncts]:
    """Equalities of ON reach both; WHERE not the right side, where the nearest counts."""
    equal = _equalities(sides.on)
    above = not_mentioning(sides.above, sides.right)
    return (*sides.above, *equal, *sides.right_invariants), (*above, *equal, *sides.left_invariants)


def asof_left(sides: Sides) -> tuple[Conjuncts, Conjuncts]:
    """As ASOF for the right side, as LEFT for the left."""
    above = not_mentioning(sides.above, sides.right)
    return above, (*above, *_equalities(sides.on), *sides.left_invariants)


def positional(_: Sides) -> tuple[Conjuncts, Conjuncts]:
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


def demoted(tree: Tree, above: Conjuncts, rejects: Rejects = rejects_null) -> Tree:
    """Outer joins whose missing rows a conjunct rejects anyway, as the narrower joins they are."""
    if isinstance(tree, Leaf):
        return tree
    kind = _demoted_kind(tree, above, rejects)
    to_left, to_right = _inside_of(kind, above, tree.on)
    left_side, right_side = (
        demoted(tree.left, to_left, rejects), demoted(tree.right, to_right, rejects)
    )  # fmt: skip
    return join(kind, left_side, right_side, tree.on)


def _demoted_kind(tree: Join, above: Conjuncts, rejects: Rejects) -> str:
    missing_right = tree.kind in ("LEFT", "FULL", "ASOF LEFT")
    missing_left = tree.kind in ("RIGHT", "FULL")
    sides = tree.left.relations, tree.right.relations
    keeps_left = missing_left and not any(rejects(conjunct, sides[0]) for conjunct in above)
    keeps_right = missing_right and not any(rejects(conjunct, sides[1]) for conjunct in above)
    if keeps_left == missing_left and keeps_right == missing_right:
        return tree.kind
    if tree.kind == "ASOF LEFT":
        return "ASOF"
    names = {(True, True): "FULL", (True, False): "RIGHT", (False, True): "LEFT"}
    return names.get((keeps_left, keeps_right), "INNER")


def _inside_of(kind: str, above: Conjuncts, on: Conjuncts) -> tuple[Conjuncts, Conjuncts]:
    """Conjuncts that every row of a side which survives the join makes true, to look for NULLs."""
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


def join(kind: str, left: Tree, right: Tree, on: Conjuncts = ()) -> Join:
    """A join, with what is known of it."""
    sound = _sound(on, left.missing | right.missing)
    return Join(
        kind, left, right, on, left.relations | right.relations, _missing(kind, left, right),
        _invariants(kind, left, right, sound),
    )  # fmt: skip


def sound_on(tree: Join, rejects: Rejects = rejects_null) -> Conjuncts:
    """The conjuncts of ON for which the rows they speak of are there."""
    return _sound(tree.on, tree.left.missing | tree.right.missing, rejects)


def _sound(on: Conjuncts, missing: frozenset[int], rejects: Rejects = rejects_null) -> Conjuncts:
    return tuple(
        conjunct
        for conjunct in on
        if all(
            rejects(conjunct, frozenset({relation})) for relation in conjunct.relations & missing
        )
    )


def _missing(kind: str, left: Tree, right: Tree) -> frozenset[int]:
    missing = left.missing | right.missing
    if kind in ("LEFT", "FULL", "ASOF LEFT", "POSITIONAL") or kind not in RULES:
        missing |= right.relations
    if kind in ("RIGHT", "FULL", "POSITIONAL") or kind not in RULES:
        missing |= left.relations
    return missing


def _invariants(kind: str, left: Tree, right: Tree, on: Conjuncts) -> Conjuncts:
    if kind in ("INNER", "CROSS"):
        return (*left.invariants, *right.invariants, *on)
    if kind == "SEMI":
        return (*left.invariants, *on)
    if kind == "ASOF":
        return (*left.invariants, *_equalities(on))
    if kind in ("LEFT", "ANTI", "NOT IN", "ASOF LEFT"):
        return left.invariants
    return right.invariants if kind == "RIGHT" else ()


# --- choosing among conjuncts --------------------------------------------------------------------


def not_mentioning(conjuncts: Iterable[Conjunct], relations: frozenset[int]) -> Conjuncts:
    """The conjuncts that say nothing of the given relations."""
    return tuple(conjunct for conjunct in conjuncts if not conjunct.relations & relations)


def _equalities(conjuncts: Conjuncts) -> Conjuncts:
    return tuple(
        conjunct for conjunct in conjuncts if isinstance(conjunct.predicate.unnest(), exp.EQ)
    )


def _merged(raw: Conjuncts, own: frozenset[int], other: frozenset[int]) -> Conjuncts:
    """Conjuncts about merged columns alone, told of the own side's column."""
    conjuncts = []
    for conjunct in raw:
        if not conjunct.relations & own:
            continue
        terms = {}
        for key, term in conjunct.terms.items():
            fields = term.fields if isinstance(term, Merged) else ()
            ours = [field for field in fields if field.relation in own]
            terms[key] = ours[0] if len(ours) == 1 else term
        is_told = all(
            terms[k] is not t for k, t in conjunct.terms.items() if relations_of([t]) & own
        )
        relations = relations_of(terms.values())
        if is_told and not relations & other:
            conjuncts.append(Conjunct(conjunct.predicate, terms, relations))
    return tuple(conjuncts)
