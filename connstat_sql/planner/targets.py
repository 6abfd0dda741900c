"""What is to be placed: uses of one table, for one or several mentions of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from connstat_sql.definitions.catalog import LiveTable
from connstat_sql.definitions.model import Resource, TableName
from connstat_sql.planner.arguments import Binding
from connstat_sql.planner.questions import spoken_columns, used_columns
from connstat_sql.sql.binder import BoundTable, TableAccess


@dataclass(frozen=True, eq=False, slots=True)
class AccessTarget:
    """What is to be placed: uses of one table, for one or several mentions of it.

    One that `looks` wants to know how many rows there are, and may fail.
    """

    live: LiveTable
    accesses: tuple[TableAccess, ...]
    columns: tuple[str, ...]
    spoken: frozenset[str] = frozenset()
    places: tuple[int, ...] = ()
    looks: bool = False


def by_resource(tables: Sequence[BoundTable]) -> Iterable[list[int]]:
    """Places of mentions, those of one table together."""
    groups: dict[tuple[TableName, str | None], list[int]] = {}
    for place, table in enumerate(tables):
        groups.setdefault((table.live.resource.table, table.live.connection), []).append(place)
    return groups.values()


def target_of(tables: Sequence[BoundTable], places: Sequence[int]) -> AccessTarget:
    """Mentions of one table as one target."""
    accesses = tuple(access for table in tables for access in table.accesses)
    return AccessTarget(
        tables[0].live,
        accesses or (TableAccess(0, (), ()),),
        used_columns(tables),
        spoken_columns(tables),
        tuple(places),
    )


def distinct(bindings: Sequence[Binding]) -> list[Binding]:
    """Accesses of a table that want the same rows are one, where nothing else feeds them.

    What holds for one of several may not hold for the others, so it is forgotten.
    """
    groups: dict[object, list[Binding]] = {}
    for binding in bindings:
        access = binding.access
        own = [conjunct for conjunct in access.conjuncts if conjunct.relations == {access.relation}]
        key: object = access.relation
        if not binding.bound and not own:
            rows = (
                access.rows
                if access.rows is None
                else tuple(tuple(row.items()) for row in access.rows)
            )
            key = (rows, access.limit)
        groups.setdefault(key, []).append(binding)
    return [
        first if not others else replace(first, access=replace(first.access, conjuncts=()))
        for first, *others in groups.values()
    ]


def types_of(resource: Resource, names: Iterable[str] | None = None) -> dict[str, str]:
    """Types of a table's columns: of those named, or of all."""
    types = {column.name: str(column.type) for column in resource.all_columns}
    return types if names is None else {name: types[name] for name in names if name in types}
