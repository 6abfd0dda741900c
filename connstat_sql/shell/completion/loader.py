"""An engine → `Metadata`: names at once, tables beside the typing, a service when it is named."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from connstat_sql.database.macros import DESCRIBED
from connstat_sql.definitions.loader.types import UnknownType, parse_type
from connstat_sql.definitions.loader.views import tables_of
from connstat_sql.definitions.model import Part, Redaction, Resource, SqlType, TableName
from connstat_sql.definitions.quoting import call, literal
from connstat_sql.errors import ConnstatError
from connstat_sql.shell.background_engine import Threads
from connstat_sql.shell.completion.context import CompletionPlace
from connstat_sql.shell.completion.metadata import Function, KnownField, Metadata, Table
from connstat_sql.shell.completion.parser import FromSource

if TYPE_CHECKING:
    import duckdb

    from connstat_sql.definitions.catalog import Catalog
    from connstat_sql.engine import Engine

log = logging.getLogger(__name__)
MOST_FAILURES = 10
LOOK_AGAIN = 1.0
"""Seconds after which DuckDB's own tables are looked up again."""
_LOCAL = f"""
SELECT schema_name, table_name, column_name, data_type, comment FROM {call("duckdb_columns")}
WHERE NOT internal AND database_name IN ({call("current_database")}, 'temp')
AND NOT {call("starts_with", "table_name", literal("_connstat_"))}
ORDER BY schema_name, table_name, column_index"""
_NAME = literal(r"[a-z]\w+")
_FUNCTIONS = f"""
SELECT {call("lower", "function_name")}, {call("any_value", "function_type")},
  {call("min_by", call("list_zip", "parameters", "parameter_types"), call("len", "parameters"))},
  {call("any_value", "return_type")}, {call("any_value", "description")}
FROM {call("duckdb_functions")}
WHERE {call("regexp_full_match", "function_name", _NAME)}
GROUP BY ALL ORDER BY ALL"""
_ALIAS = re.compile(r"\bas\s+(\w+)\s*\Z", re.IGNORECASE)
_PLAIN = re.compile(r"[a-z_]\w*(?:\.[a-z_]\w*)*", re.IGNORECASE)
_Column = tuple[TableName, tuple[str, ...]]
"""A table, and the way to a column in it: its name, fields of STRUCTs."""
_RESERVED = f"""
SELECT keyword_name FROM {call("duckdb_keywords")} WHERE keyword_category = 'reserved'"""


class Learner:
    """Learns what an engine knows, on threads of its own, so that typing never waits for it.

    `lock` is held by whoever uses the engine's DuckDB connection.
    """

    def __init__(
        self,
        ready: Callable[[], Engine | None],
        lock: threading.RLock,
        prepare: Callable[[Engine], None] = lambda _: None,
        now: Callable[[], float] = time.monotonic,
        learnt: Callable[[Catalog], None] = lambda _: None,
        threads: Threads | None = None,
    ) -> None:
        """`ready` gives the engine once there is one; `prepare` is done with it first.

        `learnt` is called at the end, with the catalog, on the thread that learns. `threads` are
        those that somebody waits for at the end.
        """
        self._threads = threads or Threads()
        self._ready = ready
        self._lock = lock
        self._prepare = prepare
        self._now = now
        self._learnt = learnt
        self._known = Metadata()
        self._catalog: Catalog | None = None
        self._guard = threading.Lock()
        self._learning: threading.Thread | None = None
        self._looking: threading.Thread | None = None
        self._looked = 0.0
        self._read: set[tuple[str, str]] = set()
        self._failures = 0

    def known(self, place: CompletionPlace | None = None) -> Metadata:
        """What is known by now; with the tables of services that a place names."""
        engine = self._ready()
        if engine is None:
            return self._known
        if self._learning is None:
            self._looked = self._now()
            self._prepare(engine)
            self._learning = self._begun(self._learn, engine)
        elif self._now() - self._looked > LOOK_AGAIN and not (
            self._looking is not None and self._looking.is_alive()
        ):
            self._looked = self._now()
            self._looking = self._begun(self._look_again, engine)
        if place is not None and self._catalog is not None:
            self._read_named(place)
        return self._known

    def wait(self, seconds: float = 60.0) -> Metadata:
        """What is known when all has been learnt that there is now; for those who need it all."""
        self.known()
        for thread in (self._learning, self._looking):
            if thread is not None:
                thread.join(seconds)
        return self._known

    # --- beside the typing -------------------------------------------------------------------

    def _learn(self, engine: Engine) -> None:
        with self._lock:
            catalog = engine.catalog
        definitions = catalog.definitions
        services = {name: definitions.services(name) for name in definitions.providers}
        self._swap(services=services, connections=dict(catalog.connections))
        self._catalog = catalog
        self._learn_functions(engine)
        self._look_again(engine)
        connected = {*catalog.connections.values()}
        for provider in sorted(services, key=lambda name: name not in connected):
            tables = [
                table for name in services[provider] for table in self._tables(provider, name)
            ]
            self._add(tables)
        self._learnt(catalog)

    def _learn_functions(self, engine: Engine) -> None:
        """Not on the engine's own connection: a statement that begins would stop that."""
        with engine.session.duckdb.cursor() as beside:
            rows = beside.execute(_FUNCTIONS).fetchall()
            reserved = beside.execute(_RESERVED).fetchall()
        functions = tuple(
            Function(name, _signature(name, params or (), of), kind, description or "")
            for name, kind, params, of, description in rows
        ) + tuple(
            Function(signature.partition("(")[0], signature, description=description)
            for signature, description in DESCRIBED.items()
        )
        self._swap(functions=functions, reserved=frozenset(word for (word,) in reserved))

    def _look_again(self, engine: Engine) -> None:
        """Look which tables DuckDB itself has; not while a statement runs."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            self._swap(local=_local_tables(engine.session.duckdb))
        finally:
            self._lock.release()

    # --- tables ------------------------------------------------------------------------------

    def _read_named(self, place: CompletionPlace) -> None:
        names = [place.qualifier, *(source.parts for source in _mentioned(place))]
        for parts in names:
            if len(parts) >= 2:
                provider, service = self._known.provider_of(parts[0]), parts[1].lower()
                if provider is not None and (provider, service) not in self._read:
                    self._add(self._tables(provider, service))

    def _tables(self, provider: str, service: str) -> list[Table]:
        """The tables of a service; none of one whose file is broken, which others will say."""
        self._read.add((provider, service))
        assert self._catalog is not None
        try:
            declared = self._catalog.definitions.service(provider, service)
        except ConnstatError as error:
            log.debug("nothing to complete in %s.%s: %s", provider, service, error)
            return []
        return (
            [table_of(resource) for resource in declared.resources.values()]
            if declared is not None
            else []
        )

    def _add(self, tables: Iterable[Table]) -> None:
        new = {(table.parts[0], table.parts[1], table.parts[2]): table for table in tables}
        if new:
            with self._guard:
                self._known = replace(self._known, tables={**self._known.tables, **new})

    def _begun(self, act: Callable[[Engine], None], engine: Engine) -> threading.Thread:
        def safely() -> None:
            try:
                act(engine)
            except Exception as error:  # a statement went first, or the engine is closed
                log.debug("what can be completed could not be learnt: %s", error)
                self._failures += 1
                if act == self._learn and self._failures < MOST_FAILURES:
                    self._learning = None  # the next key press begins it anew

        return self._threads.begin(safely, "connstat-completion")

    def _swap(self, **changes: object) -> None:
        with self._guard:
            if any(getattr(self._known, name) != value for name, value in changes.items()):
                self._known = replace(self._known, **changes)  # type: ignore[arg-type]


def _mentioned(place: CompletionPlace) -> Iterator[FromSource]:
    """Every source in reach of a place, also those inside queries."""
    yield from _deep(place.scope.sources)
    for query in place.scope.named.values():
        for branch in query.branches:
            yield from _deep(branch.sources)


def _deep(sources: Iterable[FromSource]) -> Iterator[FromSource]:
    for source in sources:
        yield source
        if source.query is not None:
            for query in (source.query, *source.query.named.values()):
                for branch in query.branches:
                    yield from _deep(branch.sources)


# --- into our values ------------------------------------------------------------------------------


def table_of(resource: Resource) -> Table:
    """A live table as completion knows it."""
    from connstat_sql.sql.shows import required

    name, needed = resource.table, tuple(required(resource))
    columns = [
        KnownField(
            column.name, column.type, column.description, name, (column.name,),
            is_masked=column.redaction in (Redaction.KEYS, Redaction.VALUE), allowed=column.allowed,
        )
        for column in resource.columns
    ]  # fmt: skip
    params = [
        KnownField(
            param.name, param.type, param.description, name, (param.name,), param=param,
            is_required=param.name in needed, allowed=param.allowed,
        )
        for param in resource.params
    ]  # fmt: skip
    parts = (name.provider, name.service, name.resource)
    fields, example = (*columns, *params), resource.example.strip()
    return Table(parts, fields, resource.description, needed, not resource.methods, example)


def _local_tables(connection: duckdb.DuckDBPyConnection) -> dict[str, Table]:
    fields: dict[tuple[str, ...], list[KnownField]] = {}
    for schema, table, column, of, comment in connection.execute(_LOCAL).fetchall():
        parts = (table,) if schema == "main" else (schema, table)
        type_ = _type(of)
        field = KnownField(column, type_, comment or "", type_text="" if type_ else of)
        fields.setdefault(parts, []).append(field)
    return {parts[-1].lower(): Table(parts, tuple(columns)) for parts, columns in fields.items()}


def _type(text: str) -> SqlType | None:
    try:
        return parse_type(text)
    except (UnknownType, RecursionError):
        return None


def _signature(name: str, params: Iterable[tuple[str, str | None]], of: str | None) -> str:
    listed = ", ".join(f"{param} {kind}" if kind else str(param) for param, kind in params)
    return f"{name}({listed})" + (f" → {of}" if of else "")


# --- columns behind those of views ----------------------------------------------------------------


def columns_behind(catalog: Catalog) -> Mapping[_Column, tuple[_Column, ...]]:
    """For each column of a view, those of vendors' tables that it hands on as they are."""
    columns: dict[_Column, tuple[_Column, ...]] = {}
    for provider in catalog.definitions.providers:
        for view, part in catalog.definitions.parts(provider).items():
            for name, behind in _of_part(part, catalog):
                columns[(view, (name,))] = (*columns.get((view, (name,)), ()), behind)
    return columns


def _of_part(part: Part, catalog: Catalog) -> Iterator[tuple[str, _Column]]:
    tables, alias = tables_of(part), _ALIAS.search(part.source.strip())
    if not tables:
        return
    table = tables[0]
    resource = catalog.definitions.resource(table)
    if resource is None:
        return
    columns, params = resource.columns, resource.params
    known = {*(column.name for column in columns), *(param.name for param in params)}
    for name, value in part.values.items():
        path = value.strip().split(".")
        if alias is not None and path[0] == alias[1]:
            path = path[1:]
        if _PLAIN.fullmatch(value.strip()) and path and path[0] in known:
            yield name, (table, tuple(path))
