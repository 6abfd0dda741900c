"""An engine → `Metadata`: the catalog at once, lists of its tables beside the typing."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from connstat_sql.database.macros import DESCRIBED
from connstat_sql.definitions.loader.types import UnknownType, parse_type
from connstat_sql.definitions.loader.views import tables_of
from connstat_sql.definitions.model import Part, SqlType, TableName
from connstat_sql.definitions.quoting import call, literal
from connstat_sql.shell.background_engine import Worker
from connstat_sql.shell.completion.metadata import Function, KnownField, Metadata, Table
from connstat_sql.shell.completion.values import ObservedValues

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
  {call("any_value", "return_type")}
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
    """Learns what an engine knows, on a worker, so that typing never waits for it.

    `lock` is held by whoever uses the engine's DuckDB connection.
    """

    def __init__(
        self,
        ready: Callable[[], Engine | None],
        lock: threading.RLock,
        values: ObservedValues,
        now: Callable[[], float] = time.monotonic,
        worker: Worker | None = None,
    ) -> None:
        """`ready` gives the engine once there is one; `values` are told what its rows had.

        `worker` is that of a shell (None: one of its own).
        """
        self._worker = worker or Worker()
        self._ready = ready
        self._lock = lock
        self._values = values
        self._now = now
        self._known = Metadata()
        self._has_begun = self._is_looking = False
        self._looked = 0.0
        self._failures = 0

    def known(self) -> Metadata:
        """What is known by now."""
        engine = self._ready()
        if engine is None:
            return self._known
        if not self._has_begun:
            self._has_begun, self._looked = True, self._now()
            engine.watch_values(self._values.take)
            self._worker.do(lambda: self._safely(self._learn, engine))
        elif self._now() - self._looked > LOOK_AGAIN and not self._is_looking:
            self._is_looking, self._looked = True, self._now()
            self._worker.do(lambda: self._safely(self._look_again, engine))
        return self._known

    def wait(self, seconds: float = 60.0) -> Metadata:
        """What is known when all has been learnt that there is now; for those who need it all."""
        self.known()
        self._worker.wait(seconds)
        return self._known

    # --- beside the typing -------------------------------------------------------------------

    def _safely(self, act: Callable[[Engine], None], engine: Engine) -> None:
        try:
            act(engine)
        except Exception as error:  # a statement went first, or the engine is closed
            log.debug("what can be completed could not be learnt: %s", error)
            self._failures += 1
            if act == self._learn and self._failures < MOST_FAILURES:
                self._has_begun = False  # the next key press begins it anew

    def _learn(self, engine: Engine) -> None:
        with self._lock:
            catalog = engine.catalog
        self._now_known(catalog=catalog)
        self._learn_functions(engine)
        self._look_again(engine)
        connected = {*catalog.connections.values()}
        self._read(sorted(catalog.definitions.providers, key=lambda name: name not in connected))

    def _read(self, providers: Sequence[str]) -> None:
        """Read the tables of the first provider, and then, after what others want, of the rest."""
        catalog = self._known.catalog
        if not providers:
            self._values.behind = columns_behind(catalog)
            return
        self._worker.do(lambda: self._read(providers[1:]))
        services = catalog.definitions.services(providers[0])
        read = (table for name in services for table in self._known.tables_of(providers[0], name))
        self._now_known(tables=(*self._known.tables, *read))

    def _learn_functions(self, engine: Engine) -> None:
        """Not on the engine's own connection: a statement that begins would stop that."""
        with engine.session.duckdb.cursor() as beside:
            rows = beside.execute(_FUNCTIONS).fetchall()
            reserved = beside.execute(_RESERVED).fetchall()
        functions = tuple(
            Function(name, _signature(name, params or (), of), kind)
            for name, kind, params, of in rows
        ) + tuple(Function(signature.partition("(")[0], signature) for signature in DESCRIBED)
        self._now_known(functions=functions, reserved=frozenset(word for (word,) in reserved))

    def _look_again(self, engine: Engine) -> None:
        """Look which tables DuckDB itself has; not while a statement runs."""
        self._is_looking = False
        if not self._lock.acquire(blocking=False):
            return
        try:
            self._now_known(local=_local_tables(engine.session.duckdb))
        finally:
            self._lock.release()

    def _now_known(self, **changes: object) -> None:
        if any(getattr(self._known, name) != value for name, value in changes.items()):
            self._known = replace(self._known, **changes)  # type: ignore[arg-type]


# --- into our values ------------------------------------------------------------------------------


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
