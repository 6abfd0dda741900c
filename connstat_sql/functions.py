"""DuckDB's functions: which are volatile, which are over many rows, which go by other names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

_LISTED = """SELECT lower(function_name),
    function_type IN ('aggregate', 'table', 'table_macro')
        OR (function_type = 'macro' AND NOT internal),
    stability = 'VOLATILE' OR (function_type LIKE '%macro' AND NOT internal),
    regexp_extract_all(lower(macro_definition), '(\\w+)\\s*\\(', 1),
    lower(alias_of)
    FROM duckdb_functions()"""


@dataclass(frozen=True, slots=True)
class Functions:
    """What is asked about functions, of all of them at once: the list takes DuckDB a while.

    `volatile` may change from one evaluation to the next, `many` are over many rows or make rows;
    `aliases` are functions by their other names.
    """

    volatile: frozenset[str]
    many: frozenset[str]
    aliases: Mapping[str, str]


_BUILT_IN: list[Functions] = []


def functions_of(connection: duckdb.DuckDBPyConnection) -> Functions:
    """The functions that a connection has now."""
    rows = connection.execute(_LISTED).fetchall()
    volatile = frozenset(name for name, _, is_volatile, *_ in rows if is_volatile)
    many = frozenset(name for name, is_many, *_ in rows if is_many)
    many |= {name for name, _, _, calls, _ in rows if not many.isdisjoint(calls or ())}
    return Functions(volatile, many, {name: of for name, *_, of in rows if of is not None})


def built_in(connection: duckdb.DuckDBPyConnection) -> Functions:
    """Those of a connection that was given none of its own: listed once in a process."""
    if not _BUILT_IN:
        _BUILT_IN.append(functions_of(connection))
    return _BUILT_IN[0]
