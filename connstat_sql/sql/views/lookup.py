"""What the names of views, tables and macros mean in DuckDB at the moment: its catalog decides."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import duckdb

from connstat_sql.definitions.quoting import SEARCH_PATH, call

Path = tuple["tuple[str, str]", ...]
"""Databases and schemas to look into, in order."""


@dataclass(frozen=True, slots=True)
class Found:
    """An object of DuckDB's catalog; `sql` is what created a view, "" for tables and macros."""

    database: str
    schema: str
    name: str
    oid: int
    sql: str


_RELATIONS = f"""SELECT database_name, schema_name, view_name, view_oid, sql
    FROM {call("duckdb_views")}
    WHERE NOT internal AND {call("lower", "view_name")} = $1
    UNION ALL SELECT database_name, schema_name, table_name, -1, '' FROM {call("duckdb_tables")}
    WHERE NOT internal AND {call("lower", "table_name")} = $1"""
_MACROS = f"""SELECT database_name, schema_name, function_name, function_oid, ''
    FROM {call("duckdb_functions")} WHERE NOT internal AND function_type = 'table_macro'"""
_VIEW_NAMES = (
    f"SELECT database_name, view_name, view_oid FROM {call('duckdb_views')} WHERE NOT internal"
)
_TEMPORARY = ("temp", "main")


class CatalogLookup:
    """A look at DuckDB's catalog: good for one statement."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._duckdb = connection
        self._relations: dict[str, list[Found]] = {}
        self._macros: list[Found] | None = None
        self._path: Path | None = None

    def relation(self, parts: tuple[str, ...], home: Path = ()) -> Found | None:
        """The view or table that a dotted name means, looking into `home` before all others."""
        name = parts[-1].lower()
        if name not in self._relations:
            rows = self._duckdb.execute(_RELATIONS, [name]).fetchall()
            self._relations[name] = [Found(*row) for row in rows]
        return self._choose(parts, self._relations[name], home)

    def macro(self, parts: tuple[str, ...], home: Path = ()) -> Found | None:
        """The table macro that a dotted name means."""
        if self._macros is None:
            self._macros = [Found(*row) for row in self._duckdb.execute(_MACROS).fetchall()]
        name = parts[-1].lower()
        return self._choose(
            parts, [macro for macro in self._macros if macro.name.lower() == name], home
        )

    def _choose(self, parts: tuple[str, ...], candidates: list[Found], home: Path) -> Found | None:
        path = (_TEMPORARY, *home, *self._search_path()) if candidates else ()
        scope = [part.lower() for part in parts[:-1]]
        if len(scope) == 2:
            fits = [candidate for candidate in candidates if _at(candidate) == tuple(scope)]
            return fits[0] if fits else None
        by_place = {_at(candidate): candidate for candidate in candidates}
        if scope:
            named = by_place.get((scope[0], "main"))
            near = (by_place.get((database, scope[0])) for database, _ in path)
            first = next((candidate for candidate in near if candidate is not None), None)
            return None if named and first else named or first  # DuckDB calls both ambiguous
        return next((by_place[at] for at in path if at in by_place), None)

    def _search_path(self) -> Path:
        if self._path is None:
            row = self._duckdb.execute(SEARCH_PATH).fetchone()
            listed, current = row or ("", "")
            path = []
            for entry in str(listed).lower().split(","):
                names = [part.strip('" ') for part in entry.split(".")]
                if names[-1]:
                    path.append((names[-2] if len(names) > 1 else current.lower(), names[-1]))
            self._path = (*path, (current.lower(), "main"))
        return self._path


def home_of(view: Found) -> Path:
    """Where DuckDB looks first for the names in a view."""
    return (_at(view),)


def view_names(
    connection: duckdb.DuckDBPyConnection, without: Collection[str] = ()
) -> dict[int, str]:
    """The names of all views by their numbers in DuckDB's catalog, but for some databases."""
    rows = connection.execute(_VIEW_NAMES).fetchall()
    return {oid: name for database, name, oid in rows if database.lower() not in without}


def macro_names(connection: duckdb.DuckDBPyConnection) -> dict[int, str]:
    """The names of all table macros by their numbers in DuckDB's catalog."""
    rows = connection.execute(_MACROS).fetchall()
    return {oid: name for _, _, name, oid, _ in rows}


def _at(relation: Found) -> tuple[str, str]:
    return relation.database.lower(), relation.schema.lower()
