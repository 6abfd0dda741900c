"""What a name in FROM may stand for: CTEs, and mentions of live tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlglot import exp

from connstat_sql.sql.binder.model import Types
from connstat_sql.sql.binder.scopes import Scope
from connstat_sql.sql.nodes import find_all


@dataclass(frozen=True, eq=False, slots=True)
class Cte:
    """A CTE where it is visible: `ctes` and `outer` are what it could name itself.

    `is_itself` marks the name inside the recursive half of the CTE.
    """

    node: exp.CTE
    ctes: Mapping[str, Cte]
    outer: Scope | None
    is_recursive: bool
    is_itself: bool = False

    @property
    def names_itself(self) -> bool:
        """Whether it is a UNION that reads its own rows."""
        query = self.node.this
        name = self.node.alias.lower()
        return isinstance(query, exp.SetOperation) and any(
            len(table.parts) == 1 and table.name.lower() == name
            for table in find_all(query, exp.Table)
        )


@dataclass(frozen=True, eq=False, slots=True)
class LiveMention:
    """A live mention: its place among the statement's, and its columns with those named hidden."""

    place: int
    node: exp.Table
    types: Types
