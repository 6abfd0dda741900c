"""What completion knows, as values: tables, columns, functions; and what names in a scope mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from connstat_sql.definitions.model import ListOf, MapOf, Param, Parent, SqlType, Struct, TableName
from connstat_sql.shell.completion.places import CompletionScope
from connstat_sql.shell.completion.scopes import FromSource, Query, SelectOutput

MOST_LEVELS = 20
"""Queries within queries that are looked into."""
HIDDEN = ("_connection", "_observed_at", "_url")


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
    """A table: its name in parts, live or DuckDB's own; `required` are parameters to be given.

    `is_union` says that it is made of tables of whichever providers have a connection.
    """

    parts: tuple[str, ...]
    fields: tuple[KnownField, ...]
    description: str = ""
    required: tuple[str, ...] = ()
    is_live: bool = False
    is_union: bool = False
    example: str = ""

    def field(self, name: str) -> KnownField | None:
        """The column of that name, or None."""
        lower = name.lower()
        return next((one for one in self.fields if one.name.lower() == lower), None)

    def parent(self, name: str) -> Parent | None:
        """Where the values of a parameter live, or None."""
        found = self.field(name)
        return found.param.parent if found is not None and found.param is not None else None


@dataclass(frozen=True, slots=True)
class Function:
    """A function: `signature` is how it is called, `kind` as DuckDB says (scalar, table, …)."""

    name: str
    signature: str
    kind: str = "scalar"
    description: str = ""


@dataclass(frozen=True)
class Metadata:
    """Everything but values. `tables` are live ones by provider, service and resource; `local`
    are DuckDB's own, by name in lower case. `connections` maps names to their providers.
    """

    services: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    connections: Mapping[str, str] = field(default_factory=dict)
    tables: Mapping[tuple[str, str, str], Table] = field(default_factory=dict)
    local: Mapping[str, Table] = field(default_factory=dict)
    functions: tuple[Function, ...] = ()
    reserved: frozenset[str] = frozenset()

    def provider_of(self, name: str) -> str | None:
        """The provider that a name means: its own, or that of a connection. None: no such name."""
        lower = name.lower()
        if lower in self.services:
            return lower
        return next((of for known, of in self.connections.items() if known.lower() == lower), None)

    def connection_of(self, name: str) -> str | None:
        """The connection that a name means, or None: a provider's name means the provider."""
        lower = name.lower()
        if lower in self.services:
            return None
        return next((known for known in self.connections if known.lower() == lower), None)

    def table(self, parts: Sequence[str]) -> Table | None:
        """The table that a name means, or None."""
        if len(parts) == 3:
            provider = self.provider_of(parts[0])
            if provider is not None:
                return self.tables.get((provider, parts[1].lower(), parts[2].lower()))
        return self.local.get(parts[-1].lower()) if parts else None

    @cached_property
    def used(self) -> frozenset[str]:
        """Providers of which there is something to read: that have a connection, or need none."""
        unions = {parts[0] for parts, table in self.tables.items() if table.is_union}
        return frozenset({*self.connections.values(), *unions})

    # --- scopes ------------------------------------------------------------------------------

    def fields_of(
        self, source: FromSource, scope: CompletionScope, depth: int = 0
    ) -> tuple[KnownField, ...]:
        """The columns of a source; () where they are not known."""
        if depth > MOST_LEVELS:
            return ()
        found: tuple[KnownField, ...] = ()
        if source.query is not None:
            found = self.outputs_of(source.query, scope, depth + 1)
        elif len(source.parts) == 1 and source.parts[0].lower() in scope.named:
            query = scope.named[source.parts[0].lower()]
            others = {n: q for n, q in scope.named.items() if n != source.parts[0].lower()}
            found = self.outputs_of(query, CompletionScope((), others, scope.asked), depth + 1)
        elif source.unnested:
            column = self._unnested(source, scope, depth + 1)
            found = () if column is None else (column,)
        elif not source.is_function:
            table = self.table(source.parts)
            found = table.fields if table is not None else ()
        return _renamed(found, source.renamed)

    def _unnested(
        self, source: FromSource, scope: CompletionScope, depth: int
    ) -> KnownField | None:
        others = tuple(one for one in scope.sources if one is not source)
        found = self.resolve(
            source.unnested, CompletionScope(others, scope.named, scope.asked), depth
        )
        return None if found is None else replace(found.element, name="unnest")

    @cached_property
    def _anywhere(self) -> Mapping[str, tuple[KnownField, ...]]:
        """The columns of all tables that have fields, by name."""
        found: dict[str, dict[tuple[str, ...], KnownField]] = {}
        for table in self.tables.values():
            for one in table.fields:
                inner = one if isinstance(one.type, Struct) else one.element
                if inner.fields:
                    names = tuple(field.name for field in inner.fields)
                    found.setdefault(one.name.lower(), {})[names] = one
        return {name: tuple(fields.values()) for name, fields in found.items()}

    def resolve_anywhere(self, chain: Sequence[str]) -> tuple[KnownField, ...]:
        """What a dotted name may mean where no source has been named yet."""
        found = (_inside(one, chain[1:]) for one in self._anywhere.get(chain[0].lower(), ()))
        return tuple(one for one in found if one is not None)

    def outputs_of(
        self, query: Query, scope: CompletionScope, depth: int = 0
    ) -> tuple[KnownField, ...]:
        """The columns that a query answers."""
        if not query.branches or depth > MOST_LEVELS:
            return ()
        if id(query) not in scope.asked:
            scope.asked[id(query)] = ()  # while it is looked into: it may speak of itself
            scope.asked[id(query)] = self._outputs_of(query, scope, depth)
        found: tuple[KnownField, ...] = scope.asked[id(query)]
        return found

    def _outputs_of(
        self, query: Query, scope: CompletionScope, depth: int
    ) -> tuple[KnownField, ...]:
        branch = query.branches[0]
        inner = CompletionScope(branch.sources, {**scope.named, **query.named}, scope.asked)
        found: dict[str, KnownField] = {}
        for one in branch.outputs:
            for each in self._output(one, inner, depth):
                found.setdefault(each.name.lower(), each)
        return _renamed(tuple(found.values()), query.renamed)

    def _output(
        self, output: SelectOutput, scope: CompletionScope, depth: int
    ) -> Iterator[KnownField]:
        if output.star:
            for source in scope.sources:
                if not output.chain or source.name.lower() == output.chain[-1].lower():
                    for one in self.fields_of(source, scope, depth):
                        if one.name.lower() not in output.without:
                            yield one
            return
        found = self.resolve(output.chain, scope, depth) if output.chain else None
        if found is None:
            yield KnownField(output.name)
            return
        yield KnownField(
            output.name, found.type, found.description, found.table, found.path, found.is_masked,
            found.param, type_text=found.type_text,
        )  # fmt: skip

    def resolve(
        self, chain: Sequence[str], scope: CompletionScope, depth: int = 0
    ) -> KnownField | None:
        """What a dotted name in an expression means: a column, or a field inside one."""
        if not chain or depth > MOST_LEVELS:
            return None
        for source, rest in self._readings(chain, scope):
            for one in (*self.fields_of(source, scope, depth), *_hidden(source)):
                if rest and one.name.lower() == rest[0].lower():
                    found = _inside(one, rest[1:])
                    if found is not None:
                        return found
        return None

    def source_of(self, chain: Sequence[str], scope: CompletionScope) -> FromSource | None:
        """The source whose column a dotted name means."""
        for source, rest in self._readings(chain, scope):
            fields = (*self.fields_of(source, scope), *_hidden(source))
            if rest and any(one.name.lower() == rest[0].lower() for one in fields):
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


def _hidden(source: FromSource) -> tuple[KnownField, ...]:
    if len(source.parts) != 3:
        return ()
    return tuple(KnownField(name, description="hidden") for name in HIDDEN)


def _inside(one: KnownField, path: Sequence[str]) -> KnownField | None:
    for name in path:
        inner = next((each for each in one.fields if each.name.lower() == name.lower()), None)
        if inner is None:
            return None
        one = inner
    return one


def _renamed(fields: Sequence[KnownField], names: Sequence[str]) -> tuple[KnownField, ...]:
    if not fields:
        return tuple(KnownField(name) for name in names)
    new = [
        KnownField(name, one.type, one.description, one.table, one.path, one.is_masked)
        for one, name in zip(fields, names, strict=False)
    ]
    return (*new, *fields[len(names) :])
