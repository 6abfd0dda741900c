"""Subqueries that stand for a value and speak of the sources around them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlglot import exp

from connstat_sql.definitions.model import quote
from connstat_sql.sql.binder.model import COLLATED, Beside, ColumnField, Relation
from connstat_sql.sql.binder.render import own_nodes
from connstat_sql.sql.binder.scopes import Scope, Source


def sources_beside(node: exp.Expr, scope: Scope) -> tuple[Beside, ...]:
    """The sources around a subquery that it may speak of, with such of their columns.

    Under their own names DuckDB finds in them what it finds in the statement, and the columns of
    the subquery itself first, as there. None where names could mean another thing.
    """
    columns = [part for part in own_nodes(node) if isinstance(part, exp.Column)]
    if any(isinstance(column.this, exp.Star) for column in columns):
        return ()
    spoken = [tuple(part.name.lower() for part in column.parts) for column in columns]
    names = {parts[0] for parts in spoken if len(parts) == 1}
    called = [source.names[-1] for source in scope.sources]
    if names & {*scope.merged, *called}:
        return ()
    sources = [source for source in scope.sources if _may_speak_of(spoken, source)]
    aliases = [source.names[-1] for source in sources]
    if len({*aliases}) < len(aliases) or not all(source.relation.is_known for source in sources):
        return ()
    beside = tuple(
        Beside(source.names[-1], _columns(spoken, source.columns, source)) for source in sources
    )
    relations = {source.relation.id: source.relation for source in sources}
    is_typed = all(
        relations[field.relation].types.get(field.column)
        for source in beside
        for _, field in source.columns
    )
    return beside if is_typed and all(source.columns for source in beside) else ()


def empty_sources(beside: Sequence[Beside], relations: Mapping[int, Relation]) -> str:
    """SQL for such sources, without rows."""
    return ", ".join(
        f"(SELECT {', '.join(_null(field, name, relations) for name, field in source.columns)} "
        f"WHERE false) AS {quote(source.alias)}"
        for source in beside
    )


def _null(field: ColumnField, name: str, relations: Mapping[int, Relation]) -> str:
    of = relations[field.relation].types[field.column]
    return f"CAST(NULL AS {'VARCHAR' if of == COLLATED else of}) AS {quote(name)}"


def _may_speak_of(spoken: Sequence[tuple[str, ...]], source: Source) -> bool:
    return any(
        source.is_called(parts[:-1]) if len(parts) > 1 else parts[0] in source.columns
        for parts in (part[:end] for part in spoken for end in range(1, len(part) + 1))
    )


def _columns(
    spoken: Sequence[tuple[str, ...]], columns: Mapping[str, str], source: Source
) -> tuple[tuple[str, ColumnField], ...]:
    """Of a source's columns those of which a subquery has the names."""
    named = {name for parts in spoken for name in parts}
    return tuple(
        (name, ColumnField(source.relation.id, own))
        for name, own in columns.items()
        if name in named
    )
