"""The names of result columns, as DuckDB makes them of a text that mentions views."""

from __future__ import annotations

import re
from collections.abc import Iterator

import duckdb

from connstat_sql.database.errors import interruptible
from connstat_sql.definitions.model import quote
from connstat_sql.definitions.quoting import call
from connstat_sql.sql.statement import Statement

_START = "SELECT * FROM "
_PRINT = "SELECT " + call("json_deserialize_sql", call("json_serialize_sql", "CAST($1 AS VARCHAR)"))
_ALIAS = " AS a"
_WHOLE_NAME = re.compile(r'"[^"]+"\."[^"]+"\."[^"]+"')


def as_written(
    names: list[str], statement: Statement, connection: duckdb.DuckDBPyConnection
) -> list[str]:
    """Names made of subqueries say the view, not what stands for it in the text that ran."""
    if statement.source.older is None or not any("SELECT" in name for name in names):
        return names
    pairs = sorted(_pairs(statement, connection), key=lambda pair: -len(pair[0]))
    for ours, users in pairs:
        names = [name.replace(ours, users) for name in names]
    return names


def _pairs(
    statement: Statement, connection: duckdb.DuckDBPyConnection
) -> Iterator[tuple[str, str]]:
    """What DuckDB prints of each derived table in place of a name, and what of the name."""
    tables = [mention.parts for mention in statement.mentions if len(mention.parts) == 3]
    quoted = {_printed(".".join(map(quote, parts)), connection): parts for parts in tables}
    for put, name in statement.source.replaced():
        if _WHOLE_NAME.fullmatch(put):  # of a table that is named in short
            yield _printed(put, connection), _printed(name, connection)
            continue
        has_own = not _printed(put + _ALIAS, connection)  # then an alias is part of it
        alias = "" if has_own else _ALIAS
        ours, users = (
            _printed(text + alias, connection).removesuffix(alias) + alias[:4]
            for text in (put, name)
        )
        for printed, parts in quoted.items():
            ours = ours.replace(printed, ".".join(parts)) if printed else ours
        if ours.strip() not in ("", "AS") and users:
            yield ours, users


def _printed(source: str, connection: duckdb.DuckDBPyConnection) -> str:
    """What stands behind FROM, as DuckDB prints it; "" when it is nothing of the kind."""
    try:
        with interruptible(), connection.cursor() as beside:  # the user's transaction goes on
            row = beside.execute(_PRINT, [_START + source]).fetchone()
    except duckdb.Error:
        return ""
    return str(row[0]).removeprefix(_START) if row else ""
