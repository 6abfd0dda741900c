"""Where an API tells which settings of a configuration are secrets."""

from __future__ import annotations

from dataclasses import dataclass

from connstat_sql.definitions.names import TableName


@dataclass(frozen=True, slots=True)
class SecretKeys:
    """A table with the names of those settings, asked for by the value of another setting.

    Their names are in its `column`, in the rows that have for each column of `where` one of its
    values. `param` of that table is the value of `setting` in the same configuration; its other
    parameters have the values that ours have under those names. `never` are settings that are no
    secrets, whatever the table says: who reads no others need not ask.
    """

    table: TableName
    column: str
    param: str
    setting: str
    where: tuple[tuple[str, tuple[str, ...]], ...] = ()
    never: tuple[str, ...] = ()
