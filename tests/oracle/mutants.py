"""Rules of the binder, each broken in the way that the breach of the same name says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from connstat_sql.asking import Asking
from connstat_sql.binder import RULES_OF_SQL, Arguments, BoundQuery, Rules, bind
from connstat_sql.binder import outputs as clauses
from connstat_sql.binder.joins import Rule, inner
from connstat_sql.binder.outputs import Clause
from connstat_sql.binder.values import Fact
from connstat_sql.live import LiveTables
from connstat_sql.parser import Statement


class Broken(LiveTables):
    """An engine whose binder goes by other rules; each subclass breaks another."""

    rules: Rules = RULES_OF_SQL

    def _bind(self, statement: Statement, arguments: Arguments) -> BoundQuery:
        asking = Asking(self._session, statement.sql, arguments)
        return bind(statement, self._catalog, asking, self.rules)


def broken(rules: Rules) -> type[LiveTables]:
    """An engine that goes by the given rules."""
    return type("Broken", (Broken,), {"rules": rules})


def _joins(**other: Rule) -> Rules:
    named = {name.replace("_", " "): rule for name, rule in other.items()}
    return replace(RULES_OF_SQL, joins={**RULES_OF_SQL.joins, **named})


def _without(*dropped: Clause) -> Rules:
    kept = tuple(one for one in RULES_OF_SQL.clauses if one not in dropped)
    return replace(RULES_OF_SQL, clauses=kept)


def _member(**other: str) -> Rules:
    named = {name.replace("_", " "): kind for name, kind in other.items()}
    return replace(RULES_OF_SQL, membership={**RULES_OF_SQL.membership, **named})


def _always(fact: Fact, side: frozenset[int]) -> bool:
    return bool(fact.relations & side)


_LEFT, _REJECTS = _joins(LEFT=inner), replace(RULES_OF_SQL, rejects=_always)
_LIMIT = _without(clauses.limit_lets_nothing_through)
_WINDOW = _without(clauses.windows_let_their_partitions_through)

MUTANTS: Mapping[str, Rules] = {
    "ON restricts the preserved side of LEFT": _LEFT,
    "ON restricts the preserved side of RIGHT": _joins(RIGHT=inner),
    "ON restricts the left of FULL": _joins(FULL=inner),
    "ON restricts the right of FULL": _joins(FULL=inner),
    "ON restricts the left of ANTI": _joins(ANTI=inner),
    "WHERE restricts the right of ASOF": _joins(ASOF=inner),
    "the test for rejecting NULL is inverted": _REJECTS,
    "FULL counts as INNER where nothing rejects NULL": _REJECTS,
    "ON inside brackets restricts what is outside": _LEFT,
    "a predicate goes below LIMIT": _LIMIT,
    "a predicate goes below OFFSET": _LIMIT,
    "a predicate goes below the LIMIT of an IN": _LIMIT,
    "a predicate goes through a window that has no such partition": _WINDOW,
    "a predicate goes through a window over all rows": _WINDOW,
    "a predicate goes through one of two windows": _WINDOW,
    "a predicate goes through QUALIFY": _WINDOW,
    "a predicate goes below DISTINCT ON": _without(clauses.distinct_on_lets_its_keys_through),
    "NOT EXISTS restricts the outside": _member(NOT_EXISTS="SEMI"),
}
"""Breaches by name; those that are not here break what no table of rules holds."""
