"""Views that definitions declare, as SQL: only the columns that a statement may use.

What nobody uses is not written, so that nothing is fetched for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from connstat_sql.database.macros import called_by_ours
from connstat_sql.definitions.loader.reach import outside_reach
from connstat_sql.definitions.model import Part, Resource, View, quote
from connstat_sql.sql.statement import tokens

_PARTS = "parts"


def select_of(resource: Resource, columns: Sequence[str], parts: Sequence[Part]) -> str:
    """A view's SELECT with the given columns, of `parts` where it is a union.

    Where no column is asked for, as in `count(*)`, its first one stands for the rows.
    """
    view = resource.view
    assert view is not None, "the resource is a view"
    names = tuple(columns) or (resource.columns[0].name,)
    listed = ", ".join(_item(view.values.get(name), name) for name in names)
    if not view.is_union:
        return called_by_ours(f"SELECT {listed} FROM {view.source}")
    needed = _needed(resource, view, names)
    rows = " UNION ALL ".join(_branch(part, needed) for part in parts)
    if set(names) & set(view.values):
        rows = f"SELECT {listed} FROM ({rows}) AS {_PARTS}"
    return called_by_ours(rows)


def reached_by(
    resource: Resource, parts: Sequence[Part], is_provider: Callable[[str], bool]
) -> str | None:
    """What a view would read that is no table of a provider; None where there is nothing.

    Which providers there are is not known when a definition is read, and a table in a database of
    the user's has a name of three parts as well.
    """
    view = resource.view
    assert view is not None, "the resource is a view"
    sources = [(view.source, view.values), *((part.source, part.values) for part in parts)]
    reached = (
        outside_reach(sql, is_source=is_source, is_provider=is_provider)
        for source, values in sources
        for sql, is_source in ((source, True), *((value, False) for value in values.values()))
    )
    return next((what for what in reached if what is not None), None)


def _needed(resource: Resource, view: View, names: Sequence[str]) -> dict[str, str]:
    """Columns of the parts that the wanted columns are made of, with their types."""
    types = {
        column.name: str(column.type)
        for column in resource.columns
        if column.name not in view.values
    }
    types |= {name: str(of) for name, of in view.inputs.items()}
    spoken = {name for name in names if name not in view.values}
    for name in names:
        spoken |= _words(view.values.get(name, ""))
    kept = {name: of for name, of in types.items() if name.lower() in spoken or name in spoken}
    return kept or dict([next(iter(types.items()))])


@lru_cache(maxsize=1000)
def _words(expression: str) -> frozenset[str]:
    return frozenset(str(token.text).lower() for token in tokens(expression))


def _branch(part: Part, needed: Mapping[str, str]) -> str:
    listed = ", ".join(
        _item(part.values.get(name, f"CAST(NULL AS {of})"), name) for name, of in needed.items()
    )
    return f"SELECT {listed} FROM {part.source}"


def _item(value: str | None, name: str) -> str:
    return quote(name) if value is None else f"{value} AS {quote(name)}"
