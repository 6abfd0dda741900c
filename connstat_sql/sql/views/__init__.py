"""Views and table macros over live tables: kept by DuckDB, planned where they are mentioned.

DuckDB itself stores each definition over the declared catalogs, which cannot be read: so its own
catalog says what there is, of which type, since when and under which name, and a way into a view
that nobody planned is an error. What is remembered here is only the text that its author wrote,
by the number of the object in DuckDB's catalog: DROP, OR REPLACE, RENAME and ROLLBACK cannot make
it stale. A statement that mentions one is planned with the definition in place of the name.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import duckdb
import pyarrow as pa

from connstat_sql.database.session import Session
from connstat_sql.database.source_map import Edit, SourceText, leading_back
from connstat_sql.database.values import Arguments
from connstat_sql.definitions.catalog import Catalog
from connstat_sql.definitions.model import HIDDEN_COLUMNS, quote
from connstat_sql.errors import BindError, QueryError
from connstat_sql.sql.binder import BoundQuery, BoundTable
from connstat_sql.sql.statement import Statement, parse
from connstat_sql.sql.views.create_statements import DefinedKind, Definition, read_definition
from connstat_sql.sql.views.expand import Columns, Writer, derived, view_of
from connstat_sql.sql.views.headers import as_written
from connstat_sql.sql.views.lookup import CatalogLookup, macro_names, view_names

__all__ = ["Definition", "Views"]

_STATEMENTS_KEPT = 10


class Views:
    """The views and macros over live tables of one session; `bind` binds a SELECT."""

    def __init__(
        self, session: Session, catalog: Catalog, bind: Callable[[Statement], BoundQuery]
    ) -> None:
        self._session = session
        self._catalog = catalog
        self._bind = bind
        self._defined: dict[int, Definition] = {}
        self._kept: dict[str, Statement] = {}
        self._selects: dict[Columns, str] = {}
        self._words: re.Pattern[str] | None = None

    # --- mentions ----------------------------------------------------------------------------

    def may_be_mentioned(self, sql: str) -> bool:
        """Whether a text holds the name of a view or macro that may read live tables."""
        return self._words is not None and self._words.search(sql) is not None

    def completed(self, statement: Statement) -> Statement:
        """The statement with the whole name of each live table that USE lets it name in short."""
        if not statement.mentions or not self._session.looks_into_declared():
            return statement
        try:
            edits = self._writer().short_names(statement, self._session.is_bound_to)
        except duckdb.TransactionException:  # one that has failed reads no catalog
            self._session.refuse_failed(statement.sql)
            return statement
        return self._made_of(statement, statement.source.edited(edits)) if edits else statement

    def written_out(self, statement: Statement) -> Statement:
        """The statement over the live tables themselves; itself when it mentions no definition."""
        if statement.tree is None or not self._is_mentioned(statement):
            return statement
        try:
            source = self._writer().written_out(statement)
        except duckdb.TransactionException:  # one that has failed reads no catalog
            self._session.refuse_failed(statement.sql)
            return statement
        if source is statement.source:
            return statement
        self._session.make_macros(source.sql)
        return self.completed(self._made_of(statement, source))

    def _made_of(self, statement: Statement, source: SourceText) -> Statement:
        parsed = self._parsed(source.sql)
        return replace(parsed, offset=statement.offset, explain=statement.explain, source=source)

    def _parsed(self, text: str) -> Statement:
        """A text that was written out: what is asked again and again is parsed once."""
        if text not in self._kept:
            if len(self._kept) >= _STATEMENTS_KEPT:
                self._kept.clear()
            self._kept[text] = parse(text, syntax_of=self._session.syntax_of)
        return self._kept[text]

    def _is_mentioned(self, statement: Statement) -> bool:
        if self.may_be_mentioned(statement.sql):
            return True
        return any(view_of(self._catalog, mention.parts) for mention in statement.mentions)

    def headers(self, names: list[str], statement: Statement) -> list[str]:
        """The names of a result's columns as DuckDB makes them of the user's own text."""
        return as_written(names, statement, self._session.duckdb)

    def look_again(self) -> None:
        """A statement may have renamed or defined something: learn the names there are."""
        if not self._defined:
            return
        connection = self._session.duckdb
        names = {*view_names(connection, self._session.declared).values()}
        if any(definition.kind is DefinedKind.MACRO for definition in self._defined.values()):
            names |= {name for oid, name in macro_names(connection).items() if oid in self._defined}
        listed = "|".join(re.escape(name.replace('"', '""')) for name in sorted(names))
        self._words = re.compile(rf"(?<!\w)(?:{listed})(?!\w)", re.IGNORECASE) if names else None

    # --- definitions -------------------------------------------------------------------------

    def define(self, definition: Definition, arguments: Arguments) -> pa.Table:
        """Create a view or macro over live tables.

        DuckDB judges the definition over the declared catalogs; nothing is sent.
        """
        before = self._numbers(definition)
        source = self._declared(definition)
        with leading_back(source), self._session.binding_live():
            self._session.check(SourceText(source.sql), arguments)
            table = self._session.run(SourceText(source.sql), arguments)
        for oid in self._numbers(definition) - before:
            self._defined[oid] = definition
        self._session.forget_functions()
        self.look_again()
        return table

    def check(self, definition: Definition, arguments: Arguments) -> None:
        """Let DuckDB judge a definition, and create nothing. Raises a QueryError."""
        source = self._declared(definition)
        with leading_back(source), self._session.binding_live():
            self._session.check(SourceText(source.sql), arguments)

    def definition(self, sql: str) -> Definition | None:
        """The view or macro over live tables that a statement creates; None for all others."""
        definition = read_definition(sql)
        if definition is None:
            return None
        if len(definition.parts) == 3 and self._catalog.is_provider(definition.parts[0]):
            return None  # under a live table's name nothing can be defined
        self._session.refuse_failed(sql)
        if not self._is_over_live(definition):
            return None
        if definition.kind in (DefinedKind.SCALAR, DefinedKind.SEVERAL):
            raise BindError(
                f"a {definition.kind.value} cannot read live tables",
                sql=sql,
                span=definition.name,
                hint="make it a table:  CREATE MACRO … AS TABLE SELECT …",
            )
        return definition

    def _is_over_live(self, definition: Definition) -> bool:
        query = definition.query
        if definition.kind is DefinedKind.SCALAR:
            query = f"SELECT {query}"
        return self._writer().is_live(query)

    def _declared(self, definition: Definition) -> SourceText:
        """The statement with the live tables' names as DuckDB's catalog has them."""
        self._session.declare(self._catalog)
        try:
            query = self._bind(parse(definition.query, syntax_of=self._session.syntax_of))
        except QueryError as error:
            _move(error, definition.query, definition)
            raise
        edits = [*query.edits]
        for table in query.tables:
            if table.hidden or table.live.connection is not None:
                edits.append(derived(definition.query, table.mention, _stand_in(table), ""))
        start = definition.body.start
        return SourceText(definition.sql).edited(
            Edit(edit.span.moved(start), edit.text) for edit in edits
        )

    def _numbers(self, definition: Definition) -> set[int]:
        """The numbers of all that bears a definition's name."""
        connection = self._session.duckdb
        is_view = definition.kind is DefinedKind.VIEW
        names = view_names(connection) if is_view else macro_names(connection)
        wanted = definition.parts[-1].lower()
        return {oid for oid, name in names.items() if name.lower() == wanted}

    def _writer(self) -> Writer:
        names = CatalogLookup(self._session.duckdb)
        syntax_of = self._session.syntax_of
        return Writer(names, self._defined, self._catalog, self._selects, syntax_of)


def _move(error: QueryError, query: str, definition: Definition) -> None:
    """A fault found in the SELECT of a definition is told of the whole statement."""
    if error.sql != query:
        return
    error.sql = definition.sql
    if error.span is not None:
        by = definition.body.start - (len(query) - len(definition.query))
        error.span = error.span.moved(by)


def _stand_in(table: BoundTable) -> str:
    """What DuckDB reads in place of a mention: the declared table, and hidden columns it names."""
    own = table.live.resource.table
    hidden = "".join(
        f", CAST(NULL AS {HIDDEN_COLUMNS[name]}) AS {quote(name)}"
        for name in table.hidden
        if table.live.resource.column(name) is None
    )
    declared = ".".join(map(quote, (own.provider, own.service, own.resource)))
    return f"SELECT *{hidden} FROM {declared}"
