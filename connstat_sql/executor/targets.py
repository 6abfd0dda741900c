"""What a statement makes or fills, where DuckDB would refuse it only when all is fetched."""

from __future__ import annotations

import re
from pathlib import Path

from sqlglot import exp

from connstat_sql.database.session import Session
from connstat_sql.database.source_map import SourceText
from connstat_sql.definitions.quoting import call, literal
from connstat_sql.errors import BindError
from connstat_sql.sql.nodes import find
from connstat_sql.sql.statement import Statement

_MAKES_FOLDERS = re.compile(r"\b(partition_by|per_thread_output|file_size_bytes)\b", re.IGNORECASE)
_IN_THE_WAY = f"""SELECT kind FROM (
    SELECT database_name AS d, schema_name AS s, table_name AS n, 'table' AS kind
        FROM {call("duckdb_tables")} UNION ALL
    SELECT database_name, schema_name, view_name, 'view' FROM {call("duckdb_views")}
    ) WHERE """
_DATABASE = call("current_database")


def check_target(statement: Statement, session: Session) -> None:
    """Refuse to make a table or a file where none can be made. Raises BindError."""
    tree = statement.tree
    if isinstance(tree, exp.Create) and str(tree.args.get("kind")).upper() == "TABLE":
        _check_name(tree, statement, session)
    elif isinstance(tree, exp.Copy):
        _check_folder(tree, statement)


def _check_folder(tree: exp.Copy, statement: Statement) -> None:
    """COPY … TO a file makes no folder for it; more than one file has one of its own."""
    files = tree.args.get("files") or []
    file = files[0] if len(files) == 1 else None
    if not isinstance(file, exp.Literal) or _MAKES_FOLDERS.search(statement.sql):
        return
    folder = Path(file.name).expanduser().parent
    if "://" not in file.name and not folder.is_dir():
        raise BindError(
            f'cannot open file "{file.name}": there is no folder {folder}', sql=statement.sql
        )


def _check_name(tree: exp.Create, statement: Statement, session: Session) -> None:
    table = find(tree, exp.Table)
    if table is None or tree.args.get("exists"):
        return
    *place, name = (part.name for part in table.parts)
    where = _place(place, is_temporary=_is_temp(tree))
    sql = f"{_IN_THE_WAY}{_is_called('n', name)} AND ({where})"
    kinds = {row["kind"] for row in session.run(SourceText(sql), None).to_pylist()}
    if kinds and not (tree.args.get("replace") and kinds == {"table"}):
        raise BindError(
            f'there is a {min(kinds)} with name "{name}" already',
            sql=statement.sql,
            hint="" if kinds == {"view"} else "CREATE OR REPLACE TABLE puts another in its place",
        )


def _is_temp(tree: exp.Create) -> bool:
    properties = tree.args.get("properties")
    return properties is not None and find(properties, exp.TemporaryProperty) is not None


def _place(parts: list[str], *, is_temporary: bool) -> str:
    """SQL for where a name would be made: of `a.b`, `a` is a database or a schema."""
    if not parts:
        here = f"d = {_DATABASE} AND s = {call('current_schema')}"
        return "d = 'temp'" if is_temporary else here
    database, schema = _is_called("d", parts[0]), _is_called("s", parts[-1])
    if len(parts) > 1:
        return f"{schema} AND {database}"
    return f"{schema} AND d = {_DATABASE} OR {database} AND s = 'main'"


def _is_called(column: str, name: str) -> str:
    return f"{call('lower', column)} = {call('lower', literal(name))}"
