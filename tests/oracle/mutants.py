"""Rules of the planner, each broken in the way that the breach of the same name says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from connstat_sql.sql.binder import RULES_OF_SQL, Rules
from connstat_sql.sql.binder import clause_rules as clauses
from connstat_sql.sql.binder.clause_rules import Clause
from connstat_sql.sql.binder.join_rules import Conjuncts, Rule, Sides, inner
from connstat_sql.sql.binder.model import Conjunct
from tests.oracle import broken, misreading
from tests.oracle.broken import Misbound, Mutant
from tests.oracle.misreading import Misread


def _joins(**other: Rule) -> Mutant:
    return Mutant(_joined(**other))


def _joined(**other: Rule) -> Rules:
    named = {name.replace("_", " "): rule for name, rule in other.items()}
    return replace(RULES_OF_SQL, joins={**RULES_OF_SQL.joins, **named})


def _without(*dropped: Clause) -> Mutant:
    kept = tuple(one for one in RULES_OF_SQL.clauses if one not in dropped)
    return Mutant(replace(RULES_OF_SQL, clauses=kept))


def _member(rules: Rules = RULES_OF_SQL, **other: str) -> Mutant:
    named = {name.replace("_", " "): kind for name, kind in other.items()}
    return Mutant(replace(rules, membership={**rules.membership, **named}))


def _misread(misread: Misread) -> Mutant:
    return Mutant(misread=misread)


def _misbound(misbound: Misbound) -> Mutant:
    return Mutant(misbound=misbound)


def _always(conjunct: Conjunct, side: frozenset[int]) -> bool:
    return bool(conjunct.relations & side)


def _all_to_both(sides: Sides) -> tuple[Conjuncts, Conjuncts]:
    both = (*sides.raw, *sides.above, *sides.on)
    return both, both


def _all_to_the_right(sides: Sides) -> tuple[Conjuncts, Conjuncts]:
    return sides.above, (*sides.raw, *sides.above, *sides.on, *sides.left_invariants)


_LEFT, _REJECTS = _joins(LEFT=inner), Mutant(replace(RULES_OF_SQL, rejects=_always))
_POSITIONAL = _joins(POSITIONAL=_all_to_both)
_LIMIT = _without(clauses.limit_lets_nothing_through)
_WINDOW = _without(clauses.windows_let_their_partitions_through)
_SETS = _without(clauses.grouping_sets_let_nothing_through, clauses.grouping_lets_its_keys_through)
_GROUPS = _misread(misreading.aggregates_as_their_arguments)
_FIRST_BRANCH, _LAST_BRANCH = (
    _misread(misreading.branch_of_or(0)),
    _misread(misreading.branch_of_or(1)),
)
_SHARED, _ANYWHERE = _misread(misreading.branches_share_where), _misbound(broken.said_anywhere)
_UNTYPED = Mutant(replace(RULES_OF_SQL, minds_types=False))
_SORTED = _misbound(broken.sorted_by_the_api)
_ONE_ROW = _misbound(broken.every(broken.one_row))
_STOPPED, _TEXT = _misbound(broken.limited), Mutant(introspection=broken.AllText)

MUTANTS: Mapping[str, Mutant] = {
    # joins
    "ON restricts the preserved side of LEFT": _LEFT,
    "ON restricts the preserved side of RIGHT": _joins(RIGHT=inner),
    "ON restricts the left of FULL": _joins(FULL=inner),
    "ON restricts the right of FULL": _joins(FULL=inner),
    "ON restricts the left of ANTI": _joins(ANTI=inner),
    "the equality of ANTI restricts its left": _joins(ANTI=inner),
    "the equality of ANTI with values restricts its left": _joins(ANTI=inner),
    "WHERE restricts the right of ASOF": _joins(ASOF=inner),
    "ON restricts the left of ASOF LEFT": _joins(ASOF_LEFT=inner),
    "something restricts a POSITIONAL join": replace(
        _POSITIONAL, misread=misreading.branch_of_or(0)
    ),
    "WHERE restricts a POSITIONAL join": _POSITIONAL,
    "the test for rejecting NULL is inverted": _REJECTS,
    "coalesce is taken to reject NULL": _REJECTS,
    "IS NOT DISTINCT FROM is taken to reject NULL": _REJECTS,
    "FULL counts as INNER where nothing rejects NULL": _REJECTS,
    "a predicate on the side that may be missing filters what is fetched": _joins(
        LEFT=_all_to_the_right
    ),
    "values are taken from a LEFT join as if it were INNER": replace(
        _REJECTS, misbound=broken.nothing_missing
    ),
    "ON inside brackets restricts what is outside": _LEFT,
    "a LATERAL block restricts the left of its LEFT JOIN": _ANYWHERE,
    "connections are joined although the SQL does not say so": _misbound(broken.same_connection),
    # blocks
    "a predicate goes below LIMIT": _LIMIT,
    "a predicate goes below OFFSET": _LIMIT,
    "a predicate goes below the LIMIT of an IN": _LIMIT,
    "a predicate goes below a sample": _without(clauses.sample_lets_nothing_through),
    "a predicate goes below a function that counts its calls": _without(
        clauses.volatile_functions_let_nothing_through
    ),
    "a predicate goes through a window that has no such partition": _WINDOW,
    "a predicate goes through a window over all rows": _WINDOW,
    "a predicate goes through one of two windows": _WINDOW,
    "a predicate goes through QUALIFY": _WINDOW,
    "QUALIFY restricts what no window is split by": _misread(misreading.qualify_as_where),
    "a predicate goes through an aggregate": _GROUPS,
    "a predicate goes through an aggregate without keys": _GROUPS,
    "HAVING restricts what is not a key": _GROUPS,
    "grouping sets are ignored": _SETS,
    "grouping sets are ignored where NULL is asked for": _SETS,
    "HAVING ignores grouping sets": _misread(misreading.grouping_sets_as_keys),
    "a constant goes through grouping sets": _SETS,
    "a predicate goes below DISTINCT ON": _without(clauses.distinct_on_lets_its_keys_through),
    "a volatile function is taken for a constant": Mutant(introspection=broken.NothingVolatile),
    "an output column is taken for the column it is made of": _misread(
        misreading.functions_as_their_arguments
    ),
    "renamed columns keep their old names": _misread(misreading.no_column_aliases),
    "of two columns that an alias gives one name the second is taken": _misread(
        misreading.no_column_aliases
    ),
    "ORDER BY goes by a column though the list makes another of its name": _SORTED,
    "ORDER BY goes by a column that COLUMNS makes anew": _SORTED,
    "NULL comes last whatever the session says": _SORTED,
    "one branch of OR restricts": _FIRST_BRANCH,
    "the first of several alternatives is kept": _misbound(broken.every(broken.first_alternative)),
    "NOT is overlooked": _misread(misreading.without_not),
    "IS NOT TRUE is overlooked": _misread(misreading.without_not),
    "what is not an equality restricts to nothing": _misread(misreading.inequalities_as_never),
    # subqueries, CTEs, set operations
    "the correlation restricts the inside of NOT IN": _member(NOT_IN="ANTI"),
    "the values outside NOT IN restrict a LEFT JOIN inside": _member(
        _joined(LEFT=_all_to_both), NOT_IN="ANTI"
    ),
    "NOT EXISTS restricts the outside": _member(NOT_EXISTS="SEMI"),
    "a subquery of the select list restricts the outside": _ANYWHERE,
    "IN counts under OR": _LAST_BRANCH,
    "a branch of EXCEPT restricts the other": _SHARED,
    "the right of EXCEPT takes nothing away": _misread(misreading.except_takes_nothing),
    "a branch of UNION restricts the other": _SHARED,
    "a predicate goes below the LIMIT of a UNION": replace(
        _UNTYPED, misread=misreading.unions_without_limit
    ),
    "BY NAME goes by position": Mutant(replace(RULES_OF_SQL, minds_names=False)),
    "a constant of a branch keeps its own type": _UNTYPED,
    "a constant that may be missing rules its side out": _joins(LEFT=_all_to_the_right),
    "a predicate goes into a branch of another type": _UNTYPED,
    "the recursive half is restricted by the base": _misbound(broken.base_alone),
    "a predicate outside restricts the base of a recursion": Mutant(
        replace(RULES_OF_SQL, seals_recursion=False)
    ),
    "of a CTE that is mentioned twice the first mention counts": _misbound(broken.first_use),
    "an unrestricted mention of a CTE is overlooked": _misbound(broken.restricted_uses),
    "a CTE is taken for the one it shadows": _misread(misreading.inner_ctes_under_other_names),
    # words
    "keys are compared in lower case": Mutant(introspection=broken.SameInLowerCase),
    "a constant is folded in the words of another parser": Mutant(introspection=broken.OtherWords),
    "a macro is taken for the function that it hides": Mutant(introspection=broken.NothingHidden),
    # what stands around
    "a short name is read as the catalog has it": Mutant(plans=False),
    "a WITH that writes is let through": Mutant(sees_writes=False),
    "a question is asked in the user's transaction": Mutant(introspection=broken.InTheTransaction),
    # values from rows
    "one branch of OR gives the values": _FIRST_BRANCH,
    "one element of a list gives the values": Mutant(misplanned=broken.first_tuple),
    "a subquery of each row is told for one row": Mutant(misplanned=broken.first_tuple),
    # types
    "a number is taken for its text": _TEXT,
    "a joined number is taken for its text": _TEXT,
    "a collation is overlooked": _misread(misreading.no_collations),
    "a default stands although its column is spoken of": _misbound(broken.unspoken),
    # LIMIT
    "LIMIT stops paging though a predicate is left": _STOPPED,
    "EXISTS stops paging though a predicate is left": _ONE_ROW,
    "EXISTS stops paging though OFFSET skips rows": _ONE_ROW,
    "LIMIT stops paging though an order is wanted": _STOPPED,
    "LIMIT stops paging though DISTINCT is wanted": _STOPPED,
    "LIMIT stops paging though rows are counted": _STOPPED,
    "LIMIT stops paging though rows are joined": _STOPPED,
    "OFFSET is not counted": _STOPPED,
    "a share is taken for a number of rows": _STOPPED,
    # requests
    "values are multiplied where pairs are meant": _misbound(broken.every(broken.multiplied)),
    "columns of rows are multiplied where pairs are meant": Mutant(misplanned=broken.values_apart),
    "a contradiction is looked up": _misbound(broken.every(broken.no_contradictions)),
    "the same is asked twice": Mutant(misplanned=broken.no_sharing),
    "details are fetched without need": _misbound(broken.every_column),
    "values that are given are enumerated": _misbound(broken.every(broken.unrestricted)),
    "values are taken from rows that a predicate leaves out": Mutant(misplanned=broken.unfiltered),
    "paging goes on after enough rows": _misbound(broken.every(broken.unlimited)),
}
"""How each breach is brought about, by its name."""
