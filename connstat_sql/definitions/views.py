"""Tables that are SQL over other tables, as definitions say them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from connstat_sql.definitions.sql_types import SqlType


@dataclass(frozen=True, slots=True)
class View:
    """What a table is made of that no method serves.

    `source` is the SQL after FROM; "" makes it a union, whose rows are those of its parts.
    `values` are SQL expressions by column, over the source's columns or the parts'; a column
    without one is there under its own name. `inputs` are names and types of what the parts give
    beside its columns, for `values` to read.
    """

    source: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, SqlType] = field(default_factory=dict)

    @property
    def is_union(self) -> bool:
        """Whether its rows are those of its parts."""
        return not self.source


@dataclass(frozen=True, slots=True)
class Part:
    """What a provider gives to a union: `source` is the SQL after FROM, `values` its columns.

    A column or input of the union that it does not give is NULL in its rows.
    """

    source: str
    values: Mapping[str, str]
