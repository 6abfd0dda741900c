"""Statements that name no live table: DuckDB's own business, whatever they are."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connstat_sql.database.session import Session
from connstat_sql.database.source_map import SourceText
from connstat_sql.database.splitter import SqlStatement
from connstat_sql.database.values import Arguments
from connstat_sql.result import Result

if TYPE_CHECKING:
    from connstat_sql.definitions.catalog import Catalog

_NO_TABLES = "these are tables of your own; SHOW ALL TABLES lists those of the APIs too"


@dataclass(frozen=True, slots=True)
class LocalStatements:
    """Runs them; `catalog` answers the live tables, which DuckDB is told of when it matters."""

    session: Session
    catalog: Callable[[], Catalog]

    def run(self, statement: SqlStatement, arguments: Arguments, deadline: float | None) -> Result:
        """Run a statement. Raises a QueryError, or DeadlinePassed after so many seconds."""
        started, facts, session = time.monotonic(), statement.facts, self.session
        if facts.may_list_catalogs:
            session.declare(self.catalog(), statement.sql)
        with session.binding_live() if facts.describes else nullcontext():
            text = SourceText(statement.sql)
            table = session.run(text, arguments, seconds=deadline)
        if not statement.is_query and facts.may_make_functions:
            session.forget_functions()
        if not statement.is_query and facts.may_attach:
            session.put_back(self.catalog(), statement.sql)
        notes = (_NO_TABLES,) if facts.lists_tables and not table.num_rows else ()
        seconds = time.monotonic() - started
        return Result(table, statement.answers_rows(table), seconds=seconds, remarks=notes)

    def check(self, statement: SqlStatement, arguments: Arguments) -> None:
        """Bind a statement without running it. Raises ParseError or BindError."""
        self.session.check(SourceText(statement.sql), arguments)
