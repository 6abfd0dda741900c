"""A place and what is known → candidates: pure, over values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from connstat_sql.definitions.model import Resource
from connstat_sql.shell.completion.context import CompletionPlace, WantedKind
from connstat_sql.shell.completion.metadata import (
    Function,
    KnownField,
    Metadata,
    Table,
    hidden_of,
    needs,
)
from connstat_sql.shell.completion.parser import FromSource
from connstat_sql.shell.completion.ranking import Candidate, ranked
from connstat_sql.shell.completion.values import ObservedValues

_PLAIN = re.compile(r"[^\W\d]\w*")
_FEW = 300
"""So many tables are all offered where nothing has been typed."""
_FIRST = -50
"""Before everything else."""
_STATEMENTS = (
    "SELECT", "FROM", "WITH", "SHOW PROVIDERS", "SHOW SERVICES IN", "SHOW TABLES IN", "DESCRIBE",
    "SUMMARIZE", "EXPLAIN", "EXPLAIN ANALYZE", "CREATE TABLE", "CREATE VIEW", "CREATE TEMP TABLE",
    "INSERT INTO", "COPY", "UPDATE", "DELETE FROM", "DROP TABLE", "DROP VIEW", "SET", "RESET",
    "PIVOT", "UNPIVOT", "VALUES", "ATTACH", "INSTALL", "LOAD", "PRAGMA", "REFRESH",
    "SHOW ALL TABLES", "BEGIN", "COMMIT", "ROLLBACK",
)  # fmt: skip
_SHOWS = ("PROVIDERS", "SERVICES IN", "TABLES IN", "ALL TABLES", "TABLES")
_AFTER_SOURCE = (
    "WHERE", "JOIN", "LEFT JOIN", "GROUP BY", "ORDER BY", "LIMIT", "ON", "USING (", "AS", "SELECT",
    "INNER JOIN", "RIGHT JOIN", "FULL JOIN", "CROSS JOIN", "SEMI JOIN", "ANTI JOIN", "ASOF JOIN",
    "UNION ALL", "UNION", "EXCEPT", "INTERSECT", "HAVING", "QUALIFY", "WINDOW", "TABLESAMPLE",
)  # fmt: skip
_AFTER_JOIN_WORD = ("JOIN", "OUTER JOIN")
_JOINS = ("LEFT", "RIGHT", "FULL", "INNER", "CROSS", "SEMI", "ANTI", "ASOF", "NATURAL", "OUTER")
_OPERANDS = (
    "CASE", "NOT", "NULL", "TRUE", "FALSE", "CAST(", "EXISTS (", "DISTINCT", "INTERVAL",
    "current_date", "current_timestamp", "EXTRACT(", "unnest(", "COALESCE(", "TRY_CAST(",
    "COLUMNS(", "SELECT",
)  # fmt: skip
_AFTER_IS = ("NULL", "NOT NULL", "DISTINCT FROM", "NOT DISTINCT FROM", "TRUE", "FALSE")
_TYPES = (
    "VARCHAR", "INTEGER", "BIGINT", "DOUBLE", "BOOLEAN", "DATE", "TIMESTAMP", "TIMESTAMPTZ", "TIME",
    "DECIMAL(", "HUGEINT", "FLOAT", "SMALLINT", "TINYINT", "UBIGINT", "UUID", "BLOB", "JSON",
    "INTERVAL", "STRUCT(", "MAP(", "VARCHAR[]", "INTEGER[]",
)  # fmt: skip
_PREDICATES = (
    "AND", "OR", "IS NULL", "IS NOT NULL", "IN (", "NOT IN (", "LIKE '", "ILIKE '", "NOT LIKE '",
    "BETWEEN", "IS DISTINCT FROM",
)  # fmt: skip
_CASES = ("WHEN", "THEN", "ELSE", "END")
_NEXT = {
    "SELECT": ("FROM", "AS", "EXCLUDE (", "REPLACE (", "FILTER (WHERE", "OVER ("),
    "WHERE": ("GROUP BY", "ORDER BY", "LIMIT", "UNION ALL", "HAVING"),
    "FROM": ("WHERE", "JOIN", "LEFT JOIN", "GROUP BY", "ORDER BY", "LIMIT"),
    "GROUP BY": ("HAVING", "ORDER BY", "LIMIT", "UNION ALL"),
    "HAVING": ("ORDER BY", "LIMIT", "QUALIFY"),
    "QUALIFY": ("ORDER BY", "LIMIT"),
    "ORDER BY": ("DESC", "ASC", "LIMIT", "NULLS LAST", "NULLS FIRST"),
    "LIMIT": ("OFFSET",),
    "SET": ("WHERE", "FROM"),
}
_PLACES_OF_PREDICATES = frozenset({"WHERE", "FROM", "HAVING", "QUALIFY", "SELECT"})


class Candidates:
    """Everything that can be offered of one `Metadata`; lists are made once, when first wanted."""

    def __init__(self, known: Metadata, values: ObservedValues) -> None:
        self.known = known
        self._values = values
        self._by: dict[WantedKind, Callable[[CompletionPlace], Iterable[Candidate]]] = {
            WantedKind.STATEMENT: lambda at: _words(_STATEMENTS, at),
            WantedKind.SHOW: lambda at: _words(_SHOWS, at),
            WantedKind.TYPE: lambda at: _words(_TYPES, at),
            WantedKind.TABLE: self._tables,
            WantedKind.AFTER_TABLE: self._after_table,
            WantedKind.OPERAND: self._operands,
            WantedKind.OPERATOR: self._operators,
            WantedKind.JOIN_COLUMN: self._join_columns,
            WantedKind.STAR_COLUMN: self._star_columns,
            WantedKind.VALUE: self._value_candidates,
            WantedKind.MAP_KEY: self._map_keys,
            WantedKind.PARAMETER: self._parameters,
            WantedKind.PROVIDER: self._heads,
            WantedKind.SERVICE: self._services,
        }

    def at(self, place: CompletionPlace) -> list[Candidate]:
        """The candidates for a place, the likeliest first."""
        find = self._by.get(place.wanted)
        if find is None:
            return []
        word = place.word
        if place.wanted is WantedKind.VALUE:
            word = word.strip("%")
        return ranked(find(place), word)

    # --- tables ------------------------------------------------------------------------------

    def _tables(self, place: CompletionPlace) -> Iterator[Candidate]:
        if place.qualifier:
            yield from self._below(place)
            return
        for name in place.scope.named:
            yield self._name(name, place, "named by WITH", weight=-5)
        for table in self.known.local.values():
            text = ".".join(self._written(part, place) for part in table.parts)
            yield Candidate(text, ".".join(table.parts), "table in DuckDB", (table.parts[-1],))
        yield from self._heads(place)
        if place.word or len(self.known.tables) <= _FEW:
            yield from self._table_names
        if place.clause in ("FROM", "PIVOT"):
            yield from self._table_functions
            if place.after != "FROM" or place.word:
                yield from _words(("SELECT", *_JOINS), place, weight=50)

    def _heads(self, place: CompletionPlace) -> Iterator[Candidate]:
        """Providers and connections: what a name of three parts may begin with."""
        dot = "." if place.wanted is WantedKind.TABLE else ""
        catalog = self.known.catalog
        for name in catalog.definitions.providers:
            is_used = name in self.known.used
            meta = "provider" if is_used else "provider without a connection"
            yield self._name(name, place, meta, dot, weight=5 if is_used else 40)
        for name, of in catalog.connections.items():
            if catalog.connection_of(name) is not None:
                yield self._name(name, place, f"connection of {of}", dot, weight=6)

    def _services(self, place: CompletionPlace) -> Iterator[Candidate]:
        catalog = self.known.catalog
        provider = catalog.provider_of(place.qualifier[0]) if place.qualifier else None
        for name in catalog.definitions.services(provider or ""):
            yield self._name(name, place, "service")

    def _below(self, place: CompletionPlace) -> Iterator[Candidate]:
        """What stands below `provider.` or `provider.service.`."""
        catalog = self.known.catalog
        provider = catalog.provider_of(place.qualifier[0])
        service = place.qualifier[1].lower() if len(place.qualifier) > 1 else None
        if provider is None:
            for table in self.known.local.values():
                if [p.lower() for p in table.parts[:-1]] == [p.lower() for p in place.qualifier]:
                    yield self._name(table.parts[-1], place, "")
            return
        if service is None and not place.is_quoted:
            for name in catalog.definitions.services(provider):
                yield self._name(name, place, "service", ".", weight=-5)
        tables = (
            (table for table in self.known.tables if table.table.provider == provider)
            if service is None
            else self.known.tables_of(provider, service)
        )
        for resource in tables:
            _, *rest = str(resource.table).split(".")
            rest = rest if service is None else rest[1:]
            text = ".".join(self._written(part, place) for part in rest)
            yield Candidate(text, ".".join(rest), _about(resource), (rest[-1], ".".join(rest)))

    @cached_property
    def _table_names(self) -> tuple[Candidate, ...]:
        """Every live table by its whole name, found by its last part alone."""
        used = self.known.used
        return tuple(
            Candidate(
                str(table), str(table), _about(resource),
                (table.resource, f"{table.service}.{table.resource}", str(table)),
                weight=(20 if resource.methods else 15)
                if table.provider in used or not used
                else 45,
            )
            for resource in self.known.tables
            for table in (resource.table,)
        )  # fmt: skip

    @cached_property
    def _table_functions(self) -> tuple[Candidate, ...]:
        return tuple(_called(f, 60) for f in self.known.functions if f.kind.startswith("table"))

    @cached_property
    def _functions(self) -> tuple[Candidate, ...]:
        kinds = ("table", "pragma")
        return tuple(_called(f, 40) for f in self.known.functions if not f.kind.startswith(kinds))

    # --- expressions -------------------------------------------------------------------------

    def _operands(self, place: CompletionPlace) -> Iterator[Candidate]:
        if place.qualifier or place.is_element:
            yield from self._members(place) if place.qualifier else ()
            return
        if place.after == "IS":
            yield from _words(_AFTER_IS, place)
            return
        if place.clause in ("WHERE", "FROM") and not place.is_quoted:
            yield from _Conditions(self.known, place).operands()
        yield from self._columns(place)
        if place.is_quoted:
            return
        if place.clause in ("ORDER BY", "GROUP BY", "HAVING", "QUALIFY"):
            for name in place.outputs:
                yield self._name(name, place, "named in SELECT", weight=-2)
        yield from (
            self._name(source.name, place, "source", ".", weight=8) for source in _distinct(place)
        )
        yield from (
            Candidate(f"${name}", f"${name}", "parameter", (name, f"${name}"), weight=35)
            for name in dict.fromkeys(place.parameters)
        )
        yield from _words(_OPERANDS, place, weight=30)
        yield from self._functions
        if not place.scope.sources and place.word and place.clause == "SELECT":
            yield from self._all_columns

    def _members(self, place: CompletionPlace) -> Iterator[Candidate]:
        """What stands behind the dot: columns of a source, or fields of a STRUCT."""
        fields: dict[str, KnownField] = {}
        for source in place.scope.sources:
            names = (source.name.lower(), ".".join(source.parts).lower())
            if ".".join(place.qualifier).lower() in names:
                for field in self.known.fields_of(source, place.scope):
                    fields.setdefault(field.name.lower(), field)
        column = self.known.resolve(place.qualifier, place.scope)
        columns: tuple[KnownField, ...] = (column,) if column is not None else ()
        if not place.scope.sources:
            columns = self.known.resolve_anywhere(place.qualifier)
        for each in columns:
            inner = each.element if place.is_element else each
            fields = {**{field.name.lower(): field for field in inner.fields}, **fields}
        for field in fields.values():
            yield self._column(field, place)

    def _columns(self, place: CompletionPlace) -> Iterator[Candidate]:
        """Columns of the sources, by their plain name where that means one of them only."""
        seen: dict[str, int] = {}
        listed: list[tuple[int, FromSource, KnownField]] = []
        for order, source in enumerate(place.scope.sources):
            for field in self.known.fields_of(source, place.scope):
                seen[field.name.lower()] = seen.get(field.name.lower(), 0) + 1
                listed.append((order, source, field))
        for order, source, field in listed:
            is_unique = seen[field.name.lower()] == 1 or not source.name or place.is_quoted
            yield self._column(field, place, "" if is_unique else source.name, min(order, 4))
        hidden = (field.name for source in place.scope.sources for field in hidden_of(source))
        for name in dict.fromkeys(hidden):
            yield self._name(name, place, "of every live table", weight=7)

    def _star_columns(self, place: CompletionPlace) -> Iterator[Candidate]:
        for source in place.scope.sources:
            for field in self.known.fields_of(source, place.scope):
                yield self._column(field, place)

    def _join_columns(self, place: CompletionPlace) -> Iterator[Candidate]:
        sources = place.scope.sources
        if len(sources) < 2:
            return
        earlier = {
            field.name.lower()
            for source in sources[:-1]
            for field in self.known.fields_of(source, place.scope)
        }
        for field in self.known.fields_of(sources[-1], place.scope):
            if field.name.lower() in earlier:
                yield self._column(field, place, weight=0 if field.is_required else 2)

    @cached_property
    def _all_columns(self) -> tuple[Candidate, ...]:
        """Columns of every table, for a SELECT whose FROM is not written yet."""
        tables: dict[str, list[str]] = {}
        for resource in self.known.tables:
            for column in resource.all_columns:
                tables.setdefault(column.name, []).append(str(resource.table))
        return tuple(
            Candidate(name, name, f"column of {of[0]}" + (" and others" if of[1:] else ""),
                      (name,), weight=25)
            for name, of in tables.items() if _PLAIN.fullmatch(name)
        )  # fmt: skip

    def _after_table(self, place: CompletionPlace) -> Iterator[Candidate]:
        if place.after in _JOINS:
            yield from _words(_AFTER_JOIN_WORD, place)
            return
        conditions = _Conditions(self.known, place)
        yield from conditions.after_table()
        yield from _words(_AFTER_SOURCE, place)

    def _operators(self, place: CompletionPlace) -> Iterator[Candidate]:
        if place.clause in ("WHERE", "FROM"):
            yield from _Conditions(self.known, place).operators()
        yield from _words(_after_operand(place.clause), place)

    def _parameters(self, place: CompletionPlace) -> Iterator[Candidate]:
        for name in dict.fromkeys(place.parameters):
            yield Candidate(name, f"${name}", "parameter", (name,))

    # --- values ------------------------------------------------------------------------------

    def _value_candidates(self, place: CompletionPlace) -> Iterator[Candidate]:
        if len(place.compared) and place.compared[-1].lower() == "_connection":
            yield from self._connection_names(place)
            return
        field = self.known.resolve(place.compared, place.scope)
        if field is None or field.is_masked:
            return
        for value in field.allowed:
            yield Candidate(value, value, "allowed", weight=-5)
        yield from self._values.candidates(field, place.word.strip("%"))

    def _connection_names(self, place: CompletionPlace) -> Iterator[Candidate]:
        source = self.known.source_of(place.compared, place.scope)
        catalog = self.known.catalog
        provider = catalog.provider_of(source.parts[0]) if source and source.parts else None
        are_its = provider in catalog.connections.values()
        for name, of in catalog.connections.items():
            if provider == of or not are_its:
                yield Candidate(name, name, f"connection of {of}")

    def _map_keys(self, place: CompletionPlace) -> Iterator[Candidate]:
        field = self.known.resolve(place.compared, place.scope)
        if field is not None and field.is_map:
            yield from self._values.keys(field, place.word)

    # --- writing -----------------------------------------------------------------------------

    def _column(
        self, field: KnownField, place: CompletionPlace, source: str = "", weight: int = 0
    ) -> Candidate:
        text = self._written(field.name, place)
        if source:
            text = f"{self._written(source, place)}.{text}"
        meta = " · ".join(
            part for part in ("required" if field.is_required else "", field.shown_type,
                              field.description) if part
        )  # fmt: skip
        return Candidate(text, text, meta, (field.name, text), weight=weight)

    def _name(
        self, name: str, place: CompletionPlace, meta: str, suffix: str = "", weight: int = 0
    ) -> Candidate:
        suffix = "" if place.is_quoted else suffix
        return Candidate(self._written(name, place) + suffix, name, meta, (name,), weight)

    def _written(self, name: str, place: CompletionPlace) -> str:
        """A name as SQL has to write it there; quotes around the cursor are added later."""
        if place.is_quoted:
            return name.replace('"', '""')
        if _PLAIN.fullmatch(name) and name.lower() not in self.known.reserved:
            return name
        return '"' + name.replace('"', '""') + '"'


def _distinct(place: CompletionPlace) -> Iterator[FromSource]:
    names = {source.name.lower(): source for source in reversed(place.scope.sources) if source.name}
    yield from names.values()


def _called(function: Function, weight: int) -> Candidate:
    name, signature = function.name, function.signature
    return Candidate(f"{name}(", name, signature, (name,), weight)


def _about(resource: Resource) -> str:
    required = needs(resource)
    return (f"needs {', '.join(required)} · " if required else "") + resource.description


def _words(words: Sequence[str], place: CompletionPlace, weight: int = 10) -> Iterator[Candidate]:
    for order, word in enumerate(words):
        text = word.lower() if place.is_lower else word
        yield Candidate(text, text, "", (word,), weight + order // 4)


def _after_operand(clause: str) -> tuple[str, ...]:
    """What may follow an operand in a clause: how the predicate goes on, then what comes next."""
    following = _NEXT.get(clause, ())
    if clause == "SELECT":
        return (*following, *_CASES, *_PREDICATES)
    if clause in _PLACES_OF_PREDICATES:
        return (*_PREDICATES, *following, *_CASES)
    return (*following, *_CASES)


# --- predicates ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Pair:
    """A parameter of a source, and what of another source holds its values."""

    param: str
    ours: str
    theirs: str


@dataclass(frozen=True, slots=True)
class _Conditions:
    """Predicates that are ready to insert: for what is still missing, and between joined tables."""

    known: Metadata
    place: CompletionPlace

    def after_table(self) -> Iterator[Candidate]:
        """`WHERE key = '` for what the sources need, and how the last one joins those before."""
        yield from self._joins()
        if "WHERE" in self.place.clauses:
            return
        missing = list(self._missing())
        if missing:
            yield self._ready(self._word("WHERE "), missing)

    def operands(self) -> Iterator[Candidate]:
        """Predicates to begin with, after WHERE, AND or ON."""
        if self.place.after == "ON":
            yield from (
                Candidate(f"{pair.ours} = {pair.theirs}", f"{pair.ours} = {pair.theirs}",
                          "joins by a key", (pair.param, pair.ours), _FIRST)
                for pair in self._pairs()
            )  # fmt: skip
        if self.place.after in ("WHERE", "AND") and self.place.clause == "WHERE":
            for param in self._missing():
                yield self._ready("", [param])

    def operators(self) -> Iterator[Candidate]:
        """Further predicates, after a whole one."""
        if self.place.after in ("ON", "AND", "OR", "NOT", "IN", "IS"):
            return
        if self.place.clause == "WHERE":
            for param in self._missing():
                yield self._ready(self._word("AND "), [param])
        else:
            yield from self._joins(self._word("AND "))
            missing = list(self._missing())
            if missing and "WHERE" not in self.place.clauses:
                yield self._ready(self._word("WHERE "), missing)

    # --- what is missing ---------------------------------------------------------------------

    def _missing(self) -> Iterator[tuple[str, str]]:
        """Parameters that are required and not given: as written, and plain."""
        sources = self.place.scope.sources
        for source in sources:
            table = self._table(source)
            if table is None:
                continue
            for name in table.required:
                if not self._is_given(source, name):
                    shown = f"{source.name}.{name}" if len(sources) > 1 else name
                    yield shown, name

    def _is_given(self, source: FromSource, name: str) -> bool:
        equalities = self.place.equalities
        return any(
            spelling.lower() in equalities
            for spelling in (name, f"{source.name}.{name}", ".".join((*source.parts, name)))
        )

    def _table(self, source: FromSource) -> Table | None:
        is_table = source.query is None and not source.is_function
        if not is_table or (len(source.parts) == 1 and source.parts[0] in self.place.scope.named):
            return None
        return self.known.table(source.parts)

    def _ready(self, prefix: str, missing: list[tuple[str, str]]) -> Candidate:
        """One candidate for all that is missing; the cursor comes to stand in the first value."""
        joined = self._word(" AND ").join(f"{shown} = ''" for shown, _ in missing)
        text = f"{prefix}{missing[0][0]} = '"
        names = (*([prefix.strip()] if prefix else []), *(name for _, name in missing))
        return Candidate(text, prefix + joined, "required", names, _FIRST)

    # --- joins -------------------------------------------------------------------------------

    def _joins(self, prefix: str = "") -> Iterator[Candidate]:
        pairs = list(self._pairs())
        if not pairs or (not prefix and self.place.after in ("ON", "USING")):
            return
        joined = self._word(" AND ").join(f"{pair.ours} = {pair.theirs}" for pair in pairs)
        start = prefix or self._word("ON ")
        yield Candidate(start + joined, start + joined, "joins by its keys",
                        (start.strip(), *(pair.param for pair in pairs)), _FIRST - 1)  # fmt: skip

    def _pairs(self) -> Iterator[_Pair]:
        """Missing parameters of the last source, and where earlier sources have their values."""
        source = self.place.last
        table = self._table(source) if source is not None else None
        if source is None or table is None:
            return
        others = [
            other for other in self.place.scope.sources if other is not source and other != source
        ]
        for name in (field.name for field in table.fields if field.param is not None):
            if self._is_given(source, name):
                continue
            theirs = next((t for other in others for t in self._holder(table, name, other)), None)
            if theirs is not None:
                yield _Pair(name, f"{source.name}.{name}", theirs)

    def _holder(self, table: Table, name: str, other: FromSource) -> Iterator[str]:
        """Columns of another source that hold values of the parameter: its parent's, its own."""
        parent = table.parent(name)
        for field in self.known.fields_of(other, self.place.scope):
            is_parents = parent is not None and field.table == parent.table and (
                field.path == (parent.column,)
            )  # fmt: skip
            if is_parents and other.name:
                yield f"{other.name}.{field.name}"
        for field in self.known.fields_of(other, self.place.scope):
            if field.param is not None and field.name.lower() == name.lower() and other.name:
                yield f"{other.name}.{field.name}"

    def _word(self, text: str) -> str:
        return text.lower() if self.place.is_lower else text
