"""DuckDB's functions: which are volatile, which are over many rows, which hide its own."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from connstat_sql.quoting import call, literal

_CALLED = literal(r"(\w+)\s*\(")
_LISTED = f"""SELECT {call("lower", "function_name")},
    function_type IN ('aggregate', 'table', 'table_macro')
        OR (function_type = 'macro' AND NOT internal),
    stability = 'VOLATILE' OR (function_type IN ('macro', 'table_macro') AND NOT internal),
    {call("regexp_extract_all", call("lower", "macro_definition"), _CALLED, "1")},
    internal
    FROM {call("duckdb_functions")}"""


@dataclass(frozen=True, slots=True)
class Functions:
    """What is asked about functions, of all of them at once: the list takes DuckDB a while.

    `volatile` may change from one evaluation to the next, `many` are over many rows or make rows;
    `own` are the user's; `shadowing` those of them that have names of DuckDB's, as operators and
    brackets have as well.
    """

    volatile: frozenset[str]
    many: frozenset[str]
    own: frozenset[str]
    shadowing: frozenset[str]


_BUILT_IN: list[Functions] = []


def functions_of(connection: duckdb.DuckDBPyConnection) -> Functions:
    """The functions that a connection has now."""
    rows = connection.execute(_LISTED).fetchall()
    volatile = frozenset(name for name, _, is_volatile, *_ in rows if is_volatile)
    many = frozenset(name for name, is_many, *_ in rows if is_many)
    many |= {name for name, _, _, calls, _ in rows if not many.isdisjoint(calls or ())}
    internal = {name for name, *_, is_internal in rows if is_internal}
    own = frozenset(name for name, *_, is_internal in rows if not is_internal)
    return Functions(volatile, many, own, own & internal)


def built_in(connection: duckdb.DuckDBPyConnection) -> Functions:
    """Those of a connection that was given none of its own: listed once in a process."""
    if not _BUILT_IN:
        _BUILT_IN.append(functions_of(connection))
    return _BUILT_IN[0]
