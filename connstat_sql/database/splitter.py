"""The statements of a text, and the arguments that each takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from connstat_sql.database import writes
from connstat_sql.database.values import Arguments
from connstat_sql.definitions.lexer import length_of_comments

_ROWLESS = (["Count"], ["Success"])


@dataclass(frozen=True, slots=True)
class SqlStatement:
    """One statement of a text: `offset` is where it begins; `names` are its `$` parameters.

    `is_query` says that it only reads, so that no later statement depends on it.
    """

    sql: str
    offset: int
    names: frozenset[str]
    is_rowless: bool
    is_query: bool


def statements_of(
    connection: duckdb.DuckDBPyConnection, sql: str, duckdb_statements: Iterable[duckdb.Statement]
) -> tuple[SqlStatement, ...]:
    """The statements of a text that DuckDB has split."""
    statements, start = [], 0
    for split in duckdb_statements:
        start = max(sql.find(split.query, start), start)
        kinds = _results_of(split)
        kind = writes.kind_of(split)
        is_rowless = "QUERY_RESULT" not in kinds or kind in ("CREATE", "COPY")
        names = frozenset(split.named_parameters)
        before = length_of_comments(split.query)
        text_alone = split.query[before:]
        is_query = writes.is_query(connection, kind, text_alone)
        statements.append(SqlStatement(text_alone, start + before, names, is_rowless, is_query))
        start += len(split.query)
    return tuple(statements)


def _results_of(statement: duckdb.Statement) -> set[str]:
    """What a statement may answer; DuckDB fails where it does not know (UPDATE EXTENSIONS)."""
    try:
        return {str(kind).rpartition(".")[2] for kind in statement.expected_result_type}
    except duckdb.InternalException:
        return {"QUERY_RESULT"}


def named_values(
    connection: duckdb.DuckDBPyConnection, sql: str, arguments: Arguments
) -> Arguments:
    """Of the arguments of a statement, those that some SQL of it names; DuckDB refuses others.

    Raises duckdb.Error where DuckDB cannot read that SQL.
    """
    if not arguments or "$" not in sql:
        return None
    if not isinstance(arguments, Mapping):
        arguments = {str(index + 1): value for index, value in enumerate(arguments)}
    named = {
        name
        for statement in connection.extract_statements(sql)
        for name in statement.named_parameters
    }
    return {name: value for name, value in arguments.items() if name in named} or None


def named_arguments(statement: SqlStatement, arguments: Arguments) -> Arguments:
    """The arguments that one statement takes, out of those for the whole text."""
    if isinstance(arguments, Mapping):
        return {name: value for name, value in arguments.items() if name in statement.names} or None
    return list(arguments) if arguments and statement.names else None


def is_rowless(statement: SqlStatement, table: pa.Table) -> bool:
    """Whether a statement answers with no rows of its own: CREATE, SET, plain INSERT."""
    return statement.is_rowless or table.column_names in _ROWLESS
