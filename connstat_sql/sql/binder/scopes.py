"""Which source of which block a column belongs to, by DuckDB's rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlglot import exp

from connstat_sql.definitions.model import quote
from connstat_sql.sql.binder.model import (
    COLLATED,
    Beside,
    ColumnField,
    Merged,
    Outputs,
    Relation,
    Term,
    Types,
)
from connstat_sql.sql.binder.render import own_nodes
from connstat_sql.sql.nodes import find_all


@dataclass(frozen=True, eq=False, slots=True)
class Source:
    """A relation as one FROM clause knows it; `names` is how columns may be qualified.

    `renamed` are the relation's columns by the names that they have here (None: by their own).
    """

    relation: Relation
    names: tuple[str, ...]
    renamed: Mapping[str, str] | None = None

    @property
    def columns(self) -> Mapping[str, str]:
        """The relation's columns, by the names that they have here."""
        if self.renamed is not None:
            return self.renamed
        return {name: name for name in self.relation.types}

    def field(self, name: str) -> ColumnField | None:
        """The column of a name; None when there is none."""
        if self.renamed is not None:
            own = self.renamed.get(name)
            return None if own is None else ColumnField(self.relation.id, own)
        return ColumnField(self.relation.id, name) if name in self.relation.types else None

    def is_called(self, qualifier: tuple[str, ...]) -> bool:
        """Whether a qualifier names this source."""
        return self.names[-len(qualifier) :] == qualifier


@dataclass(frozen=True, slots=True)
class Merge:
    """A column that USING or NATURAL made of several; `term` is None when it is none of them."""

    term: Term | None
    members: frozenset[int]


@dataclass(frozen=True, eq=False)
class Scope:
    """What can be named at one place of a query.

    `merged` are columns that USING or NATURAL made one of several. `aliases` are names of the
    select list, which WHERE may use too, and what they stand for (None: several). `outer` is the
    scope of the query around this one.
    """

    sources: tuple[Source, ...] = ()
    merged: Mapping[str, Merge] = field(default_factory=dict)
    aliases: Mapping[str, exp.Expr | None] = field(default_factory=dict)
    outer: Scope | None = None

    def joined(self, other: Scope) -> Scope:
        """Both scopes side by side, as a comma joins them."""
        return replace(
            self, sources=(*self.sources, *other.sources), merged={**self.merged, **other.merged}
        )

    def resolve(self, column: exp.Column) -> Term | None:
        """What a column is; None when that cannot be told."""
        parts = tuple(part.name.lower() for part in column.parts)
        return self._resolve(parts)

    def has_two_meanings(self, column: exp.Column) -> bool:
        """Whether a name is a column and, in the select list, a name of something else."""
        name = column.name.lower()
        is_alias = len(column.parts) == 1 and name in self.aliases
        return is_alias and self._aliased((name,)) != self.resolve(column)

    def named(self, name: str) -> Term | None:
        """What a plain name is among the sources themselves; None when none or several have it."""
        if not all(source.relation.is_known for source in self.sources):
            return None
        having = [source for source in self.sources if source.field(name) is not None]
        if name in self.merged:
            merge = self.merged[name]
            return (
                merge.term if {source.relation.id for source in having} <= merge.members else None
            )
        return having[0].field(name) if len(having) == 1 else None

    def outputs(self) -> Iterator[tuple[str, Term | None]]:
        """What `*` gives, in order; a merged column once, at the place of its first source."""
        seen: set[str] = set()
        for source in self.sources:
            for name in source.columns:
                if name not in self.merged:
                    yield name, source.field(name)
                elif name not in seen:
                    seen.add(name)
                    yield name, self.merged[name].term

    def of_source(self, qualifier: str) -> Outputs:
        """What `name.*` gives."""
        called = [source for source in self.sources if source.is_called((qualifier,))]
        if len(called) != 1:
            return {}
        source = called[0]
        return {name: ColumnField(source.relation.id, own) for name, own in source.columns.items()}

    def _resolve(self, parts: tuple[str, ...], *, is_own: bool = True) -> Term | None:
        for split in range(len(parts) - 1, -1, -1):
            qualifier, name, path = parts[:split], parts[split], parts[split + 1 :]
            if qualifier:
                called = [source for source in self.sources if source.is_called(qualifier)]
                if len(called) > 1:
                    return None
                field = called[0].field(name) if called else None
                if field is not None:
                    return ColumnField(field.relation, field.column, path)
                if called and not called[0].relation.is_known:
                    return None
            elif self._may_have(name):
                return _into(self.named(name), path)
        if parts[0] in self.aliases:
            return self._aliased(parts) if is_own else None
        return self.outer._resolve(parts, is_own=False) if self.outer is not None else None

    def _aliased(self, parts: tuple[str, ...]) -> Term | None:
        """What a name of the select list stands for, where that is a column."""
        named = self.aliases[parts[0]]
        if not isinstance(named, exp.Column) or isinstance(named.this, exp.Star):
            return None
        bare = replace(self, aliases=dict.fromkeys(self.aliases))  # no alias of an alias
        return _into(bare.resolve(named), parts[1:])

    def _may_have(self, name: str) -> bool:
        return name in self.merged or any(
            source.field(name) is not None or not source.relation.is_known
            for source in self.sources
        )


def _into(term: Term | None, path: tuple[str, ...]) -> Term | None:
    if not path:
        return term
    if isinstance(term, ColumnField):
        return ColumnField(term.relation, term.column, (*term.path, *path))
    return None


def fields_of(term: Term | None) -> tuple[ColumnField, ...]:
    """The columns that a plain term consists of."""
    if isinstance(term, ColumnField):
        return (term,)
    return term.fields if isinstance(term, Merged) else ()


# --- what a name in FROM may stand for ------------------------------------------------------------


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


# --- subqueries that speak of the sources around them --------------------------------------------


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
