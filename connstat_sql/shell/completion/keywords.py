"""Keywords by the place where they may stand."""

from __future__ import annotations

STATEMENTS = (
    "SELECT", "FROM", "WITH", "SHOW PROVIDERS", "SHOW SERVICES IN", "SHOW TABLES IN", "DESCRIBE",
    "SUMMARIZE", "EXPLAIN", "EXPLAIN ANALYZE", "CREATE TABLE", "CREATE VIEW", "CREATE TEMP TABLE",
    "INSERT INTO", "COPY", "UPDATE", "DELETE FROM", "DROP TABLE", "DROP VIEW", "SET", "RESET",
    "PIVOT", "UNPIVOT", "VALUES", "ATTACH", "INSTALL", "LOAD", "PRAGMA", "REFRESH",
    "SHOW ALL TABLES", "BEGIN", "COMMIT", "ROLLBACK",
)  # fmt: skip
SHOWS = ("PROVIDERS", "SERVICES IN", "TABLES IN", "ALL TABLES", "TABLES")
AFTER_SOURCE = (
    "WHERE", "JOIN", "LEFT JOIN", "GROUP BY", "ORDER BY", "LIMIT", "ON", "USING (", "AS", "SELECT",
    "INNER JOIN", "RIGHT JOIN", "FULL JOIN", "CROSS JOIN", "SEMI JOIN", "ANTI JOIN", "ASOF JOIN",
    "UNION ALL", "UNION", "EXCEPT", "INTERSECT", "HAVING", "QUALIFY", "WINDOW", "TABLESAMPLE",
)  # fmt: skip
AFTER_JOIN_WORD = ("JOIN", "OUTER JOIN")
JOIN_WORDS = ("LEFT", "RIGHT", "FULL", "INNER", "CROSS", "SEMI", "ANTI", "ASOF", "NATURAL", "OUTER")
OPERANDS = (
    "CASE", "NOT", "NULL", "TRUE", "FALSE", "CAST(", "EXISTS (", "DISTINCT", "INTERVAL",
    "current_date", "current_timestamp", "EXTRACT(", "unnest(", "COALESCE(", "TRY_CAST(",
    "COLUMNS(", "SELECT",
)  # fmt: skip
AFTER_IS = ("NULL", "NOT NULL", "DISTINCT FROM", "NOT DISTINCT FROM", "TRUE", "FALSE")
TYPES = (
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


def operators(clause: str) -> tuple[str, ...]:
    """What may follow an operand in a clause: how the predicate goes on, then what comes next."""
    following = _NEXT.get(clause, ())
    if clause == "SELECT":
        return (*following, *_CASES, *_PREDICATES)
    if clause in _PLACES_OF_PREDICATES:
        return (*_PREDICATES, *following, *_CASES)
    return (*following, *_CASES)
