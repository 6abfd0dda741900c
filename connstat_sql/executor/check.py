"""A statement is checked before any request: names, types, numbers, and what it makes or fills."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from sqlglot import exp

from connstat_sql.database.session import Session
from connstat_sql.database.source_map import SourceText
from connstat_sql.database.values import Arguments
from connstat_sql.definitions.quoting import call, literal
from connstat_sql.errors import BindError, Span
from connstat_sql.executor.run_text import checked_text
from connstat_sql.executor.staging import empty_mention, empty_tables
from connstat_sql.planner import Plan, mention_table
from connstat_sql.sql.nodes import find, find_all
from connstat_sql.sql.statement import DIALECT, Statement

_MAKES_FOLDERS = re.compile(r"\b(partition_by|per_thread_output|file_size_bytes)\b", re.IGNORECASE)
_IN_THE_WAY = f"""SELECT kind FROM (
    SELECT database_name AS d, schema_name AS s, table_name AS n, 'table' AS kind
        FROM {call("duckdb_tables")} UNION ALL
    SELECT database_name, schema_name, view_name, 'view' FROM {call("duckdb_views")}
    ) WHERE """
_DATABASE = call("current_database")


def check(plan: Plan, session: Session, arguments: Arguments) -> None:
    """Let DuckDB bind the statement against empty tables: names and types, and no request."""
    names = empty_tables(session, plan.query.tables)
    tree = plan.query.statement.tree
    if isinstance(tree, exp.Query):
        text = checked_text(plan.query, names)
        session.check(text, arguments, is_query=_is_plain_query(tree))
    else:
        _check_over_views(plan, names, session, arguments)
        _check_target(plan.query.statement, session)
    for number, span in _limits(plan.query.statement):
        session.check_number(number, arguments, plan.query.statement.sql, span)


def _check_over_views(
    plan: Plan, names: Sequence[str], session: Session, arguments: Arguments
) -> None:
    """What may write is checked over views, as it runs: nothing can be written to those."""
    try:
        for index, name in enumerate(names):
            empty_mention(session, index, name)
        views = [mention_table(index) for index in range(len(names))]
        session.check(checked_text(plan.query, views), arguments)
    finally:
        drop_mentions(session, plan)


def _limits(statement: Statement) -> Iterator[tuple[str, Span | None]]:
    """What LIMIT and OFFSET are given: DuckDB does not look at it before it runs the statement."""
    tree = statement.tree
    for clause in find_all(tree, exp.Limit, exp.Offset) if tree is not None else ():
        number = clause.expression
        if isinstance(number, exp.Literal) or find(number, exp.Column, exp.Query, exp.Star):
            continue
        places = [
            constant.meta for constant in find_all(number, exp.Literal) if "start" in constant.meta
        ]
        span = Span(places[0]["start"], places[-1]["end"] + 1) if places else None
        yield number.sql(dialect=DIALECT), span


def _is_plain_query(tree: exp.Expr | None) -> bool:
    """Whether binding it finds all that planning it would: not so where it may be correlated."""
    if not isinstance(tree, exp.Query):
        return False
    nodes = find_all(tree, exp.Subquery, exp.Exists, exp.Lateral, exp.Unnest)
    return all(isinstance(node, exp.Subquery) and _stands_first(node) for node in nodes)


def _stands_first(derived: exp.Subquery) -> bool:
    """Whether it is the first source of a FROM: there is nothing beside it to speak of."""
    return isinstance(derived.parent, exp.From) and not derived.args.get("lateral")


def drop_mentions(session: Session, plan: Plan) -> None:
    """Drop what stands for the mentions of a plan."""
    for index in range(len(plan.query.tables)):
        session.drop("VIEW", mention_table(index))


# --- what it makes or fills --------------------------------------------------------------------


def _check_target(statement: Statement, session: Session) -> None:
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
