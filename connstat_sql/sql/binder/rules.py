"""The rules by which restrictions travel down a query, as one value that can be varied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from connstat_sql.sql.binder.clause_rules import CLAUSES, Clause
from connstat_sql.sql.binder.join_rules import RULES, Rejects, Rule
from connstat_sql.sql.binder.nulls import rejects_null


@dataclass(frozen=True, slots=True)
class Rules:
    """What joins and clauses let through, and which predicates reject NULLs.

    `seals_recursion` keeps predicates out of recursive CTEs; `minds_types` lets them into a branch
    of a set operation only where a column has the type of the whole, `minds_names` matches columns
    BY NAME.
    """

    joins: Mapping[str, Rule] = field(default_factory=lambda: RULES)
    clauses: tuple[Clause, ...] = CLAUSES
    rejects: Rejects = rejects_null
    membership: Mapping[str, str] = field(
        default_factory=lambda: {"IN": "SEMI", "EXISTS": "SEMI", "NOT EXISTS": "ANTI",
                                 "NOT IN": "NOT IN"}
    )  # fmt: skip
    seals_recursion: bool = True
    minds_types: bool = True
    minds_names: bool = True


RULES_OF_SQL = Rules()
