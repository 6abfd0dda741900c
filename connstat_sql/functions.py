"""DuckDB's functions: which are volatile, which are over many rows, which hide its own."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import duckdb

from connstat_sql.quoting import call, literal
from connstat_sql.syntax import nodes_of

_CALLED = literal(r"(\w+)\s*\(")
_LISTED = f"""SELECT {call("lower", "function_name")},
    function_type IN ('aggregate', 'table', 'table_macro')
        OR (function_type = 'macro' AND NOT internal),
    stability = 'VOLATILE' OR (function_type IN ('macro', 'table_macro') AND NOT internal),
    {call("regexp_extract_all", call("lower", "macro_definition"), _CALLED, "1")},
    internal, stability = 'CONSISTENT'
    FROM {call("duckdb_functions")}"""
_MACROS = f"""SELECT {call("lower", "function_name")}, function_oid, function_type,
    {call("len", "parameters")}, macro_definition,
    {call("json_serialize_sql", call("concat", literal("SELECT "), "macro_definition"))},
    database_name IN (
        SELECT database_name FROM {call("duckdb_databases")} WHERE path IS NULL)
    FROM {call("duckdb_functions")}
    WHERE function_type IN ('macro', 'table_macro') AND NOT internal"""
_TYPES = f"""SELECT {call("upper", "type_name")} FROM {call("duckdb_types")}
    GROUP BY ALL HAVING {call("bool_and", "internal")}"""
_PLAIN = frozenset({
    "CONSTANT", "CAST", "COMPARISON", "CONJUNCTION", "OPERATOR", "CASE", "BETWEEN",
})  # fmt: skip
"""Classes of DuckDB's expressions whose values come from their parts alone."""


@dataclass(frozen=True, slots=True)
class Functions:
    """What is asked about functions, of all of them at once: the list takes DuckDB a while.

    `volatile` may change from one evaluation to the next, `many` are over many rows or make rows;
    `own` are the user's; `shadowing` those of them that have names of DuckDB's, as operators and
    brackets have as well; `constants` those whose value their definition alone says, with that.
    """

    volatile: frozenset[str]
    many: frozenset[str]
    own: frozenset[str]
    shadowing: frozenset[str]
    constants: Mapping[str, tuple[object, ...]] = field(default_factory=dict)


_BUILT_IN: list[Functions] = []


def functions_of(connection: duckdb.DuckDBPyConnection) -> Functions:
    """The functions that a connection has now."""
    rows = connection.execute(_LISTED).fetchall()
    volatile = frozenset(name for name, _, is_volatile, *_ in rows if is_volatile)
    many = frozenset(name for name, is_many, *_ in rows if is_many)
    many |= {name for name, _, _, calls, *_ in rows if not many.isdisjoint(calls or ())}
    internal = frozenset(name for name, *_, is_internal, _ in rows if is_internal)
    own = frozenset(name for name, *_, is_internal, _ in rows if not is_internal)
    moving = frozenset(name for name, *_, is_lasting in rows if not is_lasting)
    constants = _constants(connection, own - internal, internal - moving - many) if own else {}
    volatile, many = volatile - constants.keys(), many - constants.keys()
    return Functions(volatile, many, own, own & internal, constants)


def _constants(
    connection: duckdb.DuckDBPyConnection, names: frozenset[str], plain: frozenset[str]
) -> dict[str, tuple[object, ...]]:
    """Of the user's functions the macros that have one value, and what would be other later."""
    rows = connection.execute(_MACROS).fetchall()
    types = frozenset(name for (name,) in connection.execute(_TYPES).fetchall())
    count = Counter(name for name, *_ in rows)
    return {
        name: (number, definition)
        for name, number, kind, width, definition, read, is_in_memory in rows
        if name in names and count[name] == 1 and kind == "macro" and not width and is_in_memory
        if not (syntax := json.loads(read))["error"] and _is_plain(syntax, plain, types)
    }


def _is_plain(syntax: Any, functions: frozenset[str], types: frozenset[str]) -> bool:
    """Whether a SELECT of one value calls nothing but some functions, and reads nothing."""
    values = [one["node"]["select_list"] for one in syntax["statements"]]
    return all(_is_known(node, functions, types) for node in nodes_of(values))


def _is_known(node: dict[str, Any], functions: frozenset[str], types: frozenset[str]) -> bool:
    kind = node.get("class")
    if kind == "FUNCTION":
        return node["function_name"].lower() in functions
    if kind == "TYPE":
        return node["type_name"].upper() in types
    return kind is None or kind in _PLAIN


def built_in(connection: duckdb.DuckDBPyConnection) -> Functions:
    """Those of a connection that was given none of its own: listed once in a process."""
    if not _BUILT_IN:
        _BUILT_IN.append(functions_of(connection))
    return _BUILT_IN[0]
