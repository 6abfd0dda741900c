"""Queries that cannot fail while they run, as DuckDB plans them: no row has a value they refuse."""

from __future__ import annotations

import json
from typing import Any

import duckdb

from connstat_sql.database.syntax_tree import nodes_of
from connstat_sql.definitions.quoting import call

_SERIALIZED = f"SELECT {call('json_serialize_plan', '$1')}"
_STEPS = frozenset({
    "GET", "PROJECTION", "FILTER", "DISTINCT", "COMPARISON_JOIN", "CROSS_PRODUCT", "DELIM_JOIN",
    "DELIM_GET", "AGGREGATE_AND_GROUP_BY", "ORDER_BY", "UNION", "EXCEPT", "INTERSECT",
    "DUMMY_SCAN", "EXPRESSION_GET", "EMPTY_RESULT",
})  # fmt: skip
_CLASSES = frozenset({"BOUND_REF", "BOUND_COLUMN_REF", "BOUND_CONSTANT", "BOUND_CONJUNCTION"})
_OPERATORS = frozenset({
    "OPERATOR_NOT", "OPERATOR_IS_NULL", "OPERATOR_IS_NOT_NULL", "COMPARE_IN", "COMPARE_NOT_IN",
})  # fmt: skip
_FUNCTIONS = frozenset({
    "~~", "!~~", "~~*", "!~~*", "lower", "upper", "contains", "prefix", "suffix", "starts_with",
    "ends_with", "||", "concat", "count", "count_star", "min", "max", "first", "any_value",
})  # fmt: skip
_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
_PLAIN = (*_WHOLE, "BOOLEAN", "FLOAT", "DOUBLE", "DATE", "TIMESTAMP")
_LITERALS = {"STRING_LITERAL": ("VARCHAR",), "INTEGER_LITERAL": (*_WHOLE, "DOUBLE")}


def cannot_fail(connection: duckdb.DuckDBPyConnection, sql: str) -> bool:
    """Whether no row can make a query fail, however DuckDB reads them; False where it is not known.

    Asking leaves a transaction as it was, also of what cannot be planned.
    """
    row = connection.execute(_SERIALIZED, [sql]).fetchone()
    read = json.loads(row[0]) if row else {"error": True}
    return not read["error"] and all(
        _is_safe_step(node) and _is_safe_expression(node) for node in nodes_of(read["plans"])
    )


def _is_safe_step(node: dict[str, Any]) -> bool:
    kind = str(node.get("type", ""))
    if not kind.startswith("LOGICAL_"):
        return True
    step = kind.removeprefix("LOGICAL_")
    return step in _STEPS and (step != "GET" or _name(node) == "seq_scan")


def _is_safe_expression(node: dict[str, Any]) -> bool:
    of, kind = node.get("expression_class"), str(node.get("type", ""))
    if of is None or of in _CLASSES:
        return True
    if of == "BOUND_OPERATOR":
        return kind in _OPERATORS
    if of not in ("BOUND_FUNCTION", "BOUND_AGGREGATE"):
        return False
    if kind == "OPERATOR_CAST":
        return all(_fits(_type(child), _type(node)) for child in node["children"])
    return kind.startswith("COMPARE_") or _name(node) in _FUNCTIONS


def _fits(of: str, into: str) -> bool:
    """Whether each value of a type is one of another."""
    if into == "VARCHAR" or (of == into and of in _PLAIN):
        return True
    if of in _WHOLE and into in _WHOLE:
        return _WHOLE.index(of) < _WHOLE.index(into)
    return into in _LITERALS.get(of, ())


def _type(node: dict[str, Any]) -> str:
    of = node.get("return_type") or node.get("value", {}).get("type") or {}
    return str(of.get("id", ""))


def _name(node: dict[str, Any]) -> str:
    path = node.get("qname", {}).get("path") or [""]
    return str(path[-1])
