"""The statements of a text, and the arguments that each takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import duckdb
import pyarrow as pa

from connstat_sql.database import writes
from connstat_sql.database.classifier import StatementFacts, classify, may_hold_own
from connstat_sql.database.in_lists import set_aside
from connstat_sql.database.values import Arguments
from connstat_sql.definitions.lexer import length_of_comments, split
from connstat_sql.errors import ParseError

_ROWLESS = (["Count"], ["Success"])
Extract = Callable[[str], Sequence[duckdb.Statement]]
"""Lets DuckDB split a text. Raises ParseError."""


@dataclass(frozen=True, slots=True)
class SqlStatement:
    """One statement of a text: `offset` is where it begins; `names` are its `$` parameters.

    `is_query` says that it only reads, so that no later statement depends on it. `facts` are what
    else its tokens say of it.
    """

    sql: str
    offset: int
    names: frozenset[str]
    is_rowless: bool
    is_query: bool
    facts: StatementFacts

    def arguments_of(self, arguments: Arguments) -> Arguments:
        """The arguments that it takes, out of those for the whole text."""
        if isinstance(arguments, Mapping):
            taken = {name: value for name, value in arguments.items() if name in self.names}
            return taken or None
        return list(arguments) if arguments and self.names else None

    def answers_rows(self, table: pa.Table) -> bool:
        """Whether its answer has rows of its own: not that of CREATE, SET or a plain INSERT."""
        return not self.is_rowless and table.column_names not in _ROWLESS


def statements_of(
    connection: duckdb.DuckDBPyConnection, sql: str, extract: Extract
) -> Iterator[SqlStatement]:
    """The statements of a text: DuckDB splits it, beside any SHOW or REFRESH of ours."""
    if not may_hold_own(sql):
        yield from _of_duckdb(connection, sql, 0, extract)
        return
    for text, offset in split(sql):
        facts = classify(text)
        if facts.own is None:
            yield from _of_duckdb(connection, text, offset, extract)
        else:
            yield SqlStatement(text, offset, frozenset(), False, True, facts)


def _of_duckdb(
    connection: duckdb.DuckDBPyConnection, sql: str, offset: int, extract: Extract
) -> Iterator[SqlStatement]:
    """DuckDB's own statements of a text that begins at `offset`."""
    statements = _without_lists(connection, sql, extract)
    for statement in statements or _extracted(connection, sql, extract):
        yield replace(statement, offset=offset + statement.offset)


def _without_lists(
    connection: duckdb.DuckDBPyConnection, sql: str, extract: Extract
) -> list[SqlStatement]:
    """The statements of a text whose long lists are set aside while it is split.

    None where there are no such lists, or where DuckDB does not show each at its place.
    """
    short, lists = set_aside(sql)
    if not lists:
        return []
    with suppress(ParseError):  # it is told of the whole text
        statements = [*_extracted(connection, short, extract)]
        if all(_stretch(short, statement) == statement.sql for statement in statements):
            return [replace(each, sql=_stretch(sql, each)) for each in statements]
    return []


def _extracted(
    connection: duckdb.DuckDBPyConnection, sql: str, extract: Extract
) -> Iterator[SqlStatement]:
    start = 0
    for part in extract(sql):
        start = max(sql.find(part.query, start), start)
        kinds = _results_of(part)
        kind = writes.kind_of(part)
        is_rowless = "QUERY_RESULT" not in kinds or kind in ("CREATE", "COPY")
        names = frozenset(part.named_parameters)
        before = length_of_comments(part.query)
        text = part.query[before:]
        is_query = writes.is_query(connection, kind, text)
        yield SqlStatement(text, start + before, names, is_rowless, is_query, classify(text))
        start += len(part.query)


def _stretch(text: str, statement: SqlStatement) -> str:
    return text[statement.offset : statement.offset + len(statement.sql)]


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
