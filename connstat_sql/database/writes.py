"""Which statements change something, as DuckDB itself reads them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import duckdb

from connstat_sql.database.explain_prefix import read_explain
from connstat_sql.database.syntax_tree import nodes_of
from connstat_sql.definitions.quoting import call

_QUERIES = ("SELECT", "RELATION")
_WRITE_WORDS = re.compile(r"\b(insert|update|delete|truncate|merge|copy)\b", re.IGNORECASE)
_READS = frozenset({
    "SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE", "STATEMENT_NODE",
})  # fmt: skip
READ = f"SELECT {call('json_serialize_sql', '$1')}"
_WHOLE = 'WITH "_connstat_whole" AS ({}) SELECT 1'


def kind_of(statement: duckdb.Statement) -> str:
    """The type of a statement; "" of one for which this DuckDB has no name (UPDATE EXTENSIONS)."""
    try:
        return statement.type.name
    except ValueError:
        return ""


def is_query(connection: duckdb.DuckDBPyConnection, kind: str, sql: str) -> bool:
    """Whether a statement of DuckDB's type `kind` only reads; if in doubt, it does not."""
    if kind != "EXPLAIN":
        return kind in _QUERIES and not writes_within(connection, sql)
    explain = read_explain(sql)
    if explain is None or not explain.may_run:
        return explain is not None
    inner = sql[explain.start :]
    try:
        statements = connection.extract_statements(inner)
    except (duckdb.Error, ValueError):
        return False
    return len(statements) == 1 and is_query(connection, kind_of(statements[0]), inner)


def writes_within(connection: duckdb.DuckDBPyConnection, sql: str) -> bool:
    """Whether a WITH of a statement holds something that writes: `WITH x AS (DELETE …) SELECT`.

    DuckDB shows its reading of queries alone, and of what may stand in such a WITH: no MERGE, and
    no CREATE.
    """
    if _WRITE_WORDS.search(sql) is None:
        return False
    read = _read(connection, sql)
    if read is not None:
        return any(_writing(read))
    whole = _read(connection, _WHOLE.format(sql.rstrip().rstrip(";")))
    return whole is not None and sum(1 for _ in _writing(whole)) > 1


def _read(connection: duckdb.DuckDBPyConnection, sql: str) -> Any:
    with connection.cursor() as cursor:  # a transaction that has failed answers nothing
        row = cursor.execute(READ, [sql]).fetchone()
    read = json.loads(row[0]) if row else {"error": True}
    return None if read["error"] else read["statements"]


def _writing(syntax: Any) -> Iterator[str]:
    """The kinds of queries in a part of a syntax tree that do more than read."""
    kinds = (node.get("type") for node in nodes_of(syntax))
    return (
        kind
        for kind in kinds
        if isinstance(kind, str) and kind.endswith("_NODE") and kind not in _READS
    )
