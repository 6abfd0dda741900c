"""What completion knows: the catalog, and DuckDB's own; and what names in a scope mean."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from connstat_sql.definitions.catalog import Catalog, LiveTable
from connstat_sql.definitions.loader import Library
from connstat_sql.definitions.model import (
    HIDDEN_COLUMNS,
    ListOf,
    MapOf,
    Param,
    Parent,
    Redaction,
    Resource,
    SqlType,
    Struct,
    TableName,
)
from connstat_sql.errors import ConnstatError
from connstat_sql.shell.completion.context import CompletionScope
from connstat_sql.shell.completion.parser import FromSource, Query, SelectOutput

MOST_LEVELS = 20
"""Queries within queries that are looked into."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class KnownField:
    """A column, or a field of a STRUCT.

    `type` is None where it is not known. `table` and `path` say whose values it has (None: those
    of no live table). `is_masked` says that its values hold credentials; of a MAP, its values do
    and its keys do not. `param` is the parameter that it is (None: it is none);
    `allowed` are all values that it can have (empty: nobody knows).
    """

    name: str
    type: SqlType | None = None
    description: str = ""
    table: TableName | None = None
    path: tuple[str, ...] = ()
    is_masked: bool = False
    param: Param | None = None
    is_required: bool = False
    type_text: str = ""
    allowed: tuple[str, ...] = ()

    @property
    def shown_type(self) -> str:
        """Its type as text, or ""."""
        return str(self.type) if self.type is not None else self.type_text

    @property
    def fields(self) -> tuple[KnownField, ...]:
        """The fields of a STRUCT; () for everything else."""
        if not isinstance(self.type, Struct):
            return ()
        return tuple(
            KnownField(name, of, "", self.table, (*self.path, name), self.is_masked)
            for name, of in self.type.fields
        )

    @property
    def element(self) -> KnownField:
        """What its lists hold, or a nameless column without a type."""
        of = self.type.element if isinstance(self.type, ListOf) else None
        return KnownField(self.name, of, self.description, is_masked=self.is_masked)

    @property
    def is_map(self) -> bool:
        """Whether it has keys."""
        return isinstance(self.type, MapOf)


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its name in parts, live or DuckDB's own; `required` are parameters to be given."""

    parts: tuple[str, ...]
    fields: tuple[KnownField, ...]
    required: tuple[str, ...] = ()

    @classmethod
    def of(cls, resource: Resource) -> Table:
        """A live table."""
        name, required = resource.table, needs(resource)
        columns = [
            KnownField(
                column.name, column.type, column.description, name, (column.name,),
                is_masked=column.redaction in (Redaction.KEYS, Redaction.VALUE),
                allowed=column.allowed,
            )
            for column in resource.columns
        ]  # fmt: skip
        params = [
            KnownField(
                param.name, param.type, param.description, name, (param.name,), param=param,
                is_required=param.name in required, allowed=param.allowed,
            )
            for param in resource.params
        ]  # fmt: skip
        parts = (name.provider, name.service, name.resource)
        return cls(parts, (*columns, *params), required)

    def field(self, name: str) -> KnownField | None:
        """The column of that name, or None."""
        lower = name.lower()
        return next((field for field in self.fields if field.name.lower() == lower), None)

    def parent(self, name: str) -> Parent | None:
        """Where the values of a parameter live, or None."""
        field = self.field(name)
        return field.param.parent if field is not None and field.param is not None else None


@dataclass(frozen=True, slots=True)
class Function:
    """A function: `signature` is how it is called, `kind` as DuckDB says (scalar, table, …)."""

    name: str
    signature: str
    kind: str = "scalar"


def needs(resource: Resource) -> tuple[str, ...]:
    """The parameters of a live table that have to be given."""
    from connstat_sql.sql.shows import required

    return tuple(required(resource))


@dataclass(frozen=True)
class Metadata:
    """Everything but values. `tables` are those live ones that have been read, for lists of them;
    one that is named is read then. `local` are DuckDB's own, by name in lower case.
    """

    catalog: Catalog = field(default_factory=lambda: Catalog(Library(()), {}))
    tables: tuple[Resource, ...] = ()
    local: Mapping[str, Table] = field(default_factory=dict)
    functions: tuple[Function, ...] = ()
    reserved: frozenset[str] = frozenset()

    def table(self, parts: Sequence[str]) -> Table | None:
        """The table that a name means, or None."""
        if len(parts) == 3 and self.catalog.is_provider(parts[0]):
            try:
                live = self.catalog.resolve((parts[0], parts[1], parts[2]))
            except ConnstatError as error:
                log.debug("nothing to complete in %s: %s", parts, error)
                return None
            return Table.of(live.resource) if isinstance(live, LiveTable) else None
        return self.local.get(parts[-1].lower()) if parts else None

    def live_table(self, name: TableName) -> Table | None:
        """The live table of that name, or None."""
        return self.table((name.provider, name.service, name.resource))

    def tables_of(self, provider: str, service: str) -> tuple[Resource, ...]:
        """The tables of a service; none of one whose file is broken, which others will say."""
        try:
            declared = self.catalog.definitions.service(provider, service)
        except ConnstatError as error:
            log.debug("nothing to complete in %s.%s: %s", provider, service, error)
            return ()
        return tuple(declared.resources.values()) if declared is not None else ()

    @cached_property
    def used(self) -> frozenset[str]:
        """Providers of which there is something to read: that have a connection, or need none."""
        unions = {resource.table.provider for resource in self.tables if not resource.methods}
        return frozenset({*self.catalog.connections.values(), *unions})

    # --- scopes ------------------------------------------------------------------------------

    def fields_of(
        self, source: FromSource, scope: CompletionScope, depth: int = 0
    ) -> tuple[KnownField, ...]:
        """The columns of a source; () where they are not known."""
        if depth > MOST_LEVELS:
            return ()
        fields: tuple[KnownField, ...] = ()
        if source.query is not None:
            fields = self.outputs_of(source.query, scope, depth + 1)
        elif len(source.parts) == 1 and source.parts[0].lower() in scope.named:
            query = scope.named[source.parts[0].lower()]
            others = {n: q for n, q in scope.named.items() if n != source.parts[0].lower()}
            fields = self.outputs_of(query, CompletionScope((), others, scope.outputs), depth + 1)
        elif source.unnested:
            column = self._unnested(source, scope, depth + 1)
            fields = () if column is None else (column,)
        elif not source.is_function:
            table = self.table(source.parts)
            fields = table.fields if table is not None else ()
        return _renamed(fields, source.renamed)

    def _unnested(
        self, source: FromSource, scope: CompletionScope, depth: int
    ) -> KnownField | None:
        others = tuple(other for other in scope.sources if other is not source)
        column = self.resolve(
            source.unnested, CompletionScope(others, scope.named, scope.outputs), depth
        )
        return None if column is None else replace(column.element, name="unnest")

    @cached_property
    def _anywhere(self) -> Mapping[str, tuple[KnownField, ...]]:
        """The columns of all tables that have fields, by name."""
        fields: dict[str, dict[tuple[str, ...], KnownField]] = {}
        for resource in self.tables:
            for column in Table.of(resource).fields:
                inner = column if isinstance(column.type, Struct) else column.element
                if inner.fields:
                    names = tuple(field.name for field in inner.fields)
                    fields.setdefault(column.name.lower(), {})[names] = column
        return {name: tuple(columns.values()) for name, columns in fields.items()}

    def resolve_anywhere(self, chain: Sequence[str]) -> tuple[KnownField, ...]:
        """What a dotted name may mean where no source has been named yet."""
        meant = (_inside(column, chain[1:]) for column in self._anywhere.get(chain[0].lower(), ()))
        return tuple(column for column in meant if column is not None)

    def outputs_of(
        self, query: Query, scope: CompletionScope, depth: int = 0
    ) -> tuple[KnownField, ...]:
        """The columns that a query answers."""
        if not query.branches or depth > MOST_LEVELS:
            return ()
        if id(query) not in scope.outputs:
            scope.outputs[id(query)] = ()  # while it is looked into: it may speak of itself
            scope.outputs[id(query)] = self._outputs_of(query, scope, depth)
        fields: tuple[KnownField, ...] = scope.outputs[id(query)]
        return fields

    def _outputs_of(
        self, query: Query, scope: CompletionScope, depth: int
    ) -> tuple[KnownField, ...]:
        branch = query.branches[0]
        inner = CompletionScope(branch.sources, {**scope.named, **query.named}, scope.outputs)
        fields: dict[str, KnownField] = {}
        for output in branch.outputs:
            for each in self._output(output, inner, depth):
                fields.setdefault(each.name.lower(), each)
        return _renamed(tuple(fields.values()), query.renamed)

    def _output(
        self, output: SelectOutput, scope: CompletionScope, depth: int
    ) -> Iterator[KnownField]:
        if output.star:
            for source in scope.sources:
                if not output.chain or source.name.lower() == output.chain[-1].lower():
                    for field in self.fields_of(source, scope, depth):
                        if field.name.lower() not in output.without:
                            yield field
            return
        column = self.resolve(output.chain, scope, depth) if output.chain else None
        if column is None:
            yield KnownField(output.name)
            return
        yield KnownField(
            output.name, column.type, column.description, column.table, column.path,
            column.is_masked, column.param, type_text=column.type_text,
        )  # fmt: skip

    def resolve(
        self, chain: Sequence[str], scope: CompletionScope, depth: int = 0
    ) -> KnownField | None:
        """What a dotted name in an expression means: a column, or a field inside one."""
        if not chain or depth > MOST_LEVELS:
            return None
        for source, rest in self._readings(chain, scope):
            for column in (*self.fields_of(source, scope, depth), *hidden_of(source)):
                if rest and column.name.lower() == rest[0].lower():
                    field = _inside(column, rest[1:])
                    if field is not None:
                        return field
        return None

    def source_of(self, chain: Sequence[str], scope: CompletionScope) -> FromSource | None:
        """The source whose column a dotted name means."""
        for source, rest in self._readings(chain, scope):
            fields = (*self.fields_of(source, scope), *hidden_of(source))
            if rest and any(column.name.lower() == rest[0].lower() for column in fields):
                return source
        return None

    def _readings(
        self, chain: Sequence[str], scope: CompletionScope
    ) -> Iterator[tuple[FromSource, Sequence[str]]]:
        for source in scope.sources:
            if len(chain) > 1 and source.name.lower() == chain[0].lower():
                yield source, chain[1:]
            size = len(source.parts)
            if size > 1 and [p.lower() for p in chain[:size]] == [p.lower() for p in source.parts]:
                yield source, chain[size:]
        for source in scope.sources:
            yield source, chain


def hidden_of(source: FromSource) -> tuple[KnownField, ...]:
    """The columns that a live table has where they are named."""
    return _HIDDEN if len(source.parts) == 3 else ()


_HIDDEN = tuple(KnownField(name, description="hidden") for name in HIDDEN_COLUMNS)


def _inside(column: KnownField, path: Sequence[str]) -> KnownField | None:
    for name in path:
        inner = next((each for each in column.fields if each.name.lower() == name.lower()), None)
        if inner is None:
            return None
        column = inner
    return column


def _renamed(fields: Sequence[KnownField], names: Sequence[str]) -> tuple[KnownField, ...]:
    if not fields:
        return tuple(KnownField(name) for name in names)
    new = [
        KnownField(name, field.type, field.description, field.table, field.path, field.is_masked)
        for field, name in zip(fields, names, strict=False)
    ]
    return (*new, *fields[len(names) :])
