"""DuckDB's functions: which are volatile, which are over many rows, which hide its own."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb

from connstat_sql.database.macros import are_ours
from connstat_sql.database.syntax_tree import nodes_of
from connstat_sql.definitions.quoting import call, literal

_NAME = call("lower", "function_name")
_CALLED = literal(r"(\w+)\s*\(")
_LISTED = f"""SELECT {_NAME},
    function_type IN ('aggregate', 'table', 'table_macro'), stability = 'VOLATILE',
    stability = 'CONSISTENT',
    {call("regexp_extract_all", call("lower", "macro_definition"), _CALLED, "1")}
    FROM {call("duckdb_functions")} WHERE internal"""
_SYNTAX = call("json_serialize_sql", call("concat", literal("SELECT "), "macro_definition"))
_OWN = f"""WITH functions AS MATERIALIZED (
        SELECT {_NAME} AS name, function_type, internal,
        {call("hash", "name", "stability")} AS mark, function_oid, macro_definition,
        CASE WHEN NOT internal THEN {_SYNTAX} END AS syntax,
        function_type = 'macro' AND NOT internal AND {call("len", "parameters")} = 0
            AND database_name IN (SELECT database_name FROM {call("duckdb_databases")}
                WHERE path IS NULL) AS may_be_constant
        FROM {call("duckdb_functions")})
    SELECT marks.mark, name, function_oid, macro_definition, syntax, may_be_constant
    FROM (SELECT {call("sum", "mark")} FROM functions WHERE internal) AS marks(mark)
    LEFT JOIN functions
    ON NOT internal AND NOT coalesce({are_ours("name", "macro_definition")}, false)"""
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


@dataclass(frozen=True, slots=True)
class _BuiltIn:
    """DuckDB's own functions; `lasting` answer alike for like arguments, `calls` are of macros."""

    names: frozenset[str]
    volatile: frozenset[str]
    many: frozenset[str]
    lasting: frozenset[str]
    calls: tuple[tuple[str, frozenset[str]], ...]


_BUILT_IN: dict[object, _BuiltIn] = {}
"""By the sum of hashes of them all, as an extension adds some: listed once in a process."""


def functions_of(connection: duckdb.DuckDBPyConnection) -> Functions:
    """The functions that a connection has now."""
    (mark, *own), *others = connection.execute(_OWN).fetchall()
    if mark not in _BUILT_IN:
        _BUILT_IN[mark] = _built_in(connection)
    known = _BUILT_IN[mark]
    rows = [row for row in (own, *(row[1:] for row in others)) if row[0] is not None]
    names = frozenset(name for name, *_ in rows)
    many = known.many | names
    many |= {name for name, calls in known.calls if not many.isdisjoint(calls)}
    constants = _constants(connection, rows, known, many) if names else {}
    volatile = (known.volatile | names) - constants.keys()
    return Functions(volatile, many - constants.keys(), names, names & known.names, constants)


def _built_in(connection: duckdb.DuckDBPyConnection) -> _BuiltIn:
    rows = connection.execute(_LISTED).fetchall()
    names = frozenset(name for name, *_ in rows)
    return _BuiltIn(
        names,
        frozenset(name for name, _, is_volatile, *_ in rows if is_volatile),
        frozenset(name for name, is_many, *_ in rows if is_many),
        names - {name for name, _, _, is_lasting, _ in rows if not is_lasting},
        tuple((name, frozenset(calls)) for name, *_, calls in rows if calls),
    )


def _constants(
    connection: duckdb.DuckDBPyConnection,
    rows: Sequence[Sequence[Any]],
    known: _BuiltIn,
    many: frozenset[str],
) -> dict[str, tuple[object, ...]]:
    """Of the user's functions the macros that have one value, and what would be other later."""
    types = frozenset(name for (name,) in connection.execute(_TYPES).fetchall())
    count = Counter(name for name, *_ in rows)
    plain = known.lasting - count.keys() - many
    return {
        name: (number, definition)
        for name, number, definition, read, may_be_constant in rows
        if may_be_constant and count[name] == 1 and name not in known.names
        if not (syntax := json.loads(read))["error"] and _is_plain(syntax, plain, types)
    }


def _is_plain(syntax: Any, functions: frozenset[str], types: frozenset[str]) -> bool:
    """Whether a SELECT of one value calls nothing but some functions, and reads nothing."""
    values = [statement["node"]["select_list"] for statement in syntax["statements"]]
    return all(_is_known(node, functions, types) for node in nodes_of(values))


def _is_known(node: dict[str, Any], functions: frozenset[str], types: frozenset[str]) -> bool:
    kind = node.get("class")
    if kind == "FUNCTION":
        return node["function_name"].lower() in functions
    if kind == "TYPE":
        return node["type_name"].upper() in types
    return kind is None or kind in _PLAIN


_FRESH: list[Functions] = []


def built_in(connection: duckdb.DuckDBPyConnection) -> Functions:
    """Those of a connection that was given none of its own: listed once in a process."""
    if not _FRESH:
        _FRESH.append(functions_of(connection))
    return _FRESH[0]
