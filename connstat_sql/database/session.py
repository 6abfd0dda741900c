"""The DuckDB connection: splitting, folding, checking and running SQL."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import duckdb
import pyarrow as pa

from connstat_sql.database import writes
from connstat_sql.database.catalogs import LiveCatalogs, binding_live, live_table_in, read_only_in
from connstat_sql.database.causes import TEXTS
from connstat_sql.database.errors import interruptible, translated
from connstat_sql.database.functions import Functions, built_in, functions_of
from connstat_sql.database.infallible import cannot_fail
from connstat_sql.database.macros import NAMES, Macros
from connstat_sql.database.source_map import Edit, SourceText
from connstat_sql.database.splitter import SqlStatement, named_values, statements_of
from connstat_sql.database.statement_lock import Watches
from connstat_sql.database.values import Arguments, Value
from connstat_sql.definitions.quoting import call, literal, own, own_table, quote
from connstat_sql.errors import BindError, ExecuteError, ParseError, QueryError, Span
from connstat_sql.files import make_scratch, remove_scratch

if TYPE_CHECKING:
    from connstat_sql.definitions.catalog import Catalog

T = TypeVar("T")
Note = Callable[[duckdb.Error], None]
CONFIG = {"python_enable_replacements": False}
HARMLESS = (
    "errors_as_json", "disabled_optimizers", "timezone", "calendar", "schema", "search_path",
    "default_collation", "default_order", "default_null_order",
)  # fmt: skip
"""Settings that may be changed in a sandbox; the first two are our own business."""
_ROWS = quote(own("_connstat_rows"))
"""The attached database that holds the rows of large scans, compressed, while a statement runs."""
_MAY_BEGIN = re.compile(r"\b(begin|start|execute)\b", re.IGNORECASE)
_COLLATED = (
    f"SELECT {call('count', '*')} FROM {call('duckdb_tables')} "
    f"WHERE {call('contains', call('lower', 'sql'), literal('collate'))}"
)
_TEXTS_AND_TYPES = f"CAST(COLUMNS(*) AS VARCHAR), {call('typeof', 'COLUMNS(*)')}"
_TRANSACTION = f"SELECT {call('txid_current')}"
_TIMELY = re.compile(
    r"\b(?:current_(?:date|time|timestamp|localtime|localtimestamp)|localtime(?:stamp)?)\b"
    r"|\b(?:now|today|age|txid_current|transaction_timestamp|get_current_time(?:stamp)?)"
    r'"?(?:\s|--[^\n]*\n|/\*.*?\*/)*\(',
    re.IGNORECASE | re.DOTALL,
)
"""Functions that answer by the time at which the transaction began."""
_VARIABLES = f"SELECT name, CAST(value AS VARCHAR), type FROM {call('duckdb_variables')}"


class Session:
    """A DuckDB connection with the providers' catalogs declared in it when they are needed."""

    def __init__(self, database: str = ":memory:", *, is_sandboxed: bool = False) -> None:
        self.is_sandboxed = is_sandboxed
        self._scratch = None if is_sandboxed else make_scratch()
        spill = "" if self._scratch is None else str(self._scratch / "spill")
        self.duckdb = duckdb.connect(database, config={**CONFIG, "temp_directory": spill})
        self.duckdb.execute("SET TimeZone = 'UTC'")
        if is_sandboxed:
            self._lock()
        self._declared = LiveCatalogs(self.duckdb, self._scratch)
        self.macros = Macros(self.duckdb)
        self.watches = Watches(self._interrupt)
        self._known_functions: Functions | None = None
        self._has_own_functions = database != ":memory:"
        self.readings: dict[str, str] = {}
        """What DuckDB reads in texts; `Introspection` keeps and reads it."""
        self._empty: dict[str, str] = {}
        self._kept: set[str] = set()
        self._compact: set[str] = set()
        self._may_have_begun = self._is_handed_out = False

    def close(self) -> None:
        """Close the connection."""
        self.duckdb.close()
        if self._scratch is not None:
            remove_scratch(self._scratch)

    def _interrupt(self) -> None:
        with suppress(duckdb.ConnectionException):  # it has been closed: there is nothing to stop
            self.duckdb.interrupt()

    def _lock(self) -> None:
        """No SQL reaches files, URLs, extensions or other databases from here on, for good.

        DuckDB lets SQL into the folder in which it puts rows aside, so there is none: an answer has
        to fit into memory. Settings that change no more than how it looks stay.
        """
        harmless = ", ".join(map(literal, HARMLESS))
        self.duckdb.execute(f"SET allowed_configs = [{harmless}]")
        self.duckdb.execute("SET enable_external_access = false")
        self.duckdb.execute("SET lock_configuration = true")

    # --- what DuckDB knows of SQL ------------------------------------------------------------

    def split(self, sql: str) -> tuple[SqlStatement, ...]:
        """The statements of a text, as DuckDB's parser sees them, and ours. Raises ParseError.

        >>> [part.is_query for part in Session().split("CREATE TABLE t (n INT);SELECT $n")]
        [False, True]
        """

        def extract(part: str) -> list[duckdb.Statement]:
            extracted = partial(self.duckdb.extract_statements, part)
            return self._asked(extracted, SourceText(part), ParseError)

        self.make_macros(sql)
        return tuple(statements_of(self.duckdb, sql, extract))

    def volatile(self) -> frozenset[str]:
        """Names of functions whose value may change from one evaluation to the next."""
        return self._functions.volatile

    def aggregates(self) -> frozenset[str]:
        """Names of functions over many rows, and of those that make rows."""
        return self._functions.many

    @property
    def _functions(self) -> Functions:
        if self._known_functions is None:
            known = functions_of if self._has_own_functions else built_in
            self._known_functions = known(self.duckdb)
        return self._known_functions

    def make_macros(self, sql: str) -> None:
        """Make the functions of ours that a text calls."""
        if any(name in sql.lower() for name in NAMES):
            with suppress(duckdb.Error):  # a transaction that has failed: it is told by the text
                self.macros.make(sql, is_lasting=not self.is_in_transaction())

    def hand_out(self) -> duckdb.DuckDBPyConnection:
        """The connection, for whoever does with it what is not seen here."""
        self.make_macros("".join(f"{name}(" for name in TEXTS))
        self.forget_functions()
        self._is_handed_out = True
        return self.duckdb

    def register(self, name: str, table: object) -> None:
        """Make what Python holds a table of SQL. Raises ExecuteError where it is none."""
        self._asked(partial(self.duckdb.register, name, table), SourceText(""), ExecuteError)

    def forget_functions(self) -> None:
        """A macro may have been created: look again when next asked."""
        self._known_functions = None
        self._has_own_functions = True

    def describe(
        self, sql: str, arguments: Arguments, note: Note = lambda _: None
    ) -> dict[str, str] | None:
        """The columns a query would have, in lower case, with their types; None: it cannot run.

        `note` is told why it cannot. What is no query has none: to bind it would be to run it.

        >>> Session().describe("SELECT 1 AS Number, 'a' AS letter", None)
        {'number': 'INTEGER', 'letter': 'VARCHAR'}
        """
        self.watches.confirm()
        try:
            with interruptible():
                statement = self.duckdb.extract_statements(sql)[0]
                if statement.type is not duckdb.StatementType.SELECT:
                    return None
                relation = self._bound(statement, named_values(self.duckdb, sql, arguments))
        except duckdb.Error as error:
            note(error)
            return None
        types = {
            name.lower(): str(of) for name, of in zip(relation.columns, relation.types, strict=True)
        }
        return types if len(types) == len(relation.columns) else None

    def _bound(self, statement: duckdb.Statement, arguments: Arguments) -> duckdb.DuckDBPyRelation:
        """A query that DuckDB has bound and not run.

        What is wrong with it leaves a transaction as it was: every statement that runs, DESCRIBE
        too, would abort it.
        """
        self.duckdb.abort()  # of what `execute` ran before, nobody may have read all rows
        return self.duckdb.sql(statement, params=arguments)

    def writes_within(self, sql: str) -> bool:
        """Whether a WITH of a statement holds something that writes."""
        return writes.writes_within(self.duckdb, sql)

    def has_collations(self) -> bool:
        """Whether any table of the session compares text in a way of its own."""
        row = self.duckdb.execute(_COLLATED).fetchone()
        return bool(row and row[0])

    def reading_of(self, sql: str) -> str | None:
        """DuckDB's own reading of a SELECT as the JSON that it writes, or None of all else."""
        read = self._read(sql)
        return read if read.startswith('{"error":false') else None

    def syntax_of(self, sql: str) -> Any:
        """DuckDB's own reading of a SELECT; () of other SQL, None of what is no SQL."""
        read = json.loads(self._read(sql) or '{"error": true}')
        if not read["error"]:
            return read["statements"]
        return () if read.get("error_type") == "not implemented" else None

    def _read(self, sql: str) -> str:
        self.watches.confirm()
        try:
            with interruptible():
                row = self.duckdb.execute(writes.READ, [sql]).fetchone()
        except duckdb.Error:
            return ""
        return str(row[0]) if row else ""

    def own_functions(self, names: Container[str] = ()) -> frozenset[str]:
        """Functions of the user's own that hide DuckDB's, or have one of some other names."""
        known = self._functions
        return known.shadowing | {name for name in known.own if name in names}

    def fold(
        self, sql: str, arguments: Arguments, note: Note = lambda _: None
    ) -> tuple[tuple[Value, ...], ...] | None:
        """Run a constant query: its rows as text with types, or None when DuckDB refuses.

        `note` is told why it refuses.

        >>> Session().fold("SELECT 6 * 7", None)
        ((Value(text='42', type='INTEGER'),),)
        """
        query = f"SELECT {_TEXTS_AND_TYPES} FROM ({sql}) AS f"
        self.watches.confirm()
        try:
            with interruptible():
                used = named_values(self.duckdb, query, arguments)
                is_careful = self.is_in_transaction()  # before the answer lies half read
                bound = self._bound(self.duckdb.extract_statements(query)[0], used)
                if is_careful and not self._runs_beside(query, used):
                    return None
                rows = bound.fetchall()
        except duckdb.Error as error:
            note(error)
            return None
        width = len(rows[0]) // 2 if rows else 0  # all the texts, then all the types
        return tuple(tuple(map(Value, row[:width], row[width:])) for row in rows)

    def _runs_beside(self, sql: str, arguments: Arguments) -> bool:
        """Whether a constant query runs outside of the user's transaction, which it cannot abort.

        What the transaction has made and not committed is unknown there: such a query does not run.
        """
        with self.duckdb.cursor() as cursor:
            try:
                if "getvariable" in sql.lower():
                    for name, text, kind in self.duckdb.execute(_VARIABLES).fetchall():
                        cursor.execute(f"SET VARIABLE {quote(name)} = CAST($1 AS {kind})", [text])
                cursor.execute(sql, arguments).fetchall()
            except duckdb.Error:
                return False
        return True

    def cannot_fail(self, sql: str, arguments: Arguments) -> bool:
        """Whether no row can make a query fail; False where it is not known."""
        return not named_values(self.duckdb, sql, arguments) and cannot_fail(self.duckdb, sql)

    def has_default_collation(self) -> bool:
        """Whether `=` on text means something else than equal text."""
        sql = f"SELECT {call('current_setting', literal('default_collation'))}"
        read = partial(self.duckdb.execute, sql)
        row = self._asked(read, SourceText(sql), ExecuteError).fetchone()
        return bool(row and row[0])

    def check(self, text: SourceText, arguments: Arguments, *, is_query: bool = False) -> None:
        """Bind a statement without running it. Raises ParseError or BindError.

        DESCRIBE binds a query and leaves it at that; EXPLAIN takes any statement, and plans it too.
        """
        bound = text.edited([Edit(Span(0, 0), "DESCRIBE " if is_query else "EXPLAIN ")])
        self._asked(partial(self.duckdb.execute, bound.sql, arguments), bound, BindError)

    def check_number(self, number: str, arguments: Arguments, sql: str, span: Span | None) -> None:
        """Evaluate what a LIMIT or OFFSET is given; `span` is its place in the statement `sql`.

        Raises BindError where it is no number of rows.
        """
        text = f"SELECT 1 LIMIT {number}"

        def run() -> object:
            return self.duckdb.execute(text, named_values(self.duckdb, text, arguments)).fetchall()

        try:
            self._asked(run, SourceText(text), BindError)
        except QueryError as error:
            error.sql, error.span = sql, span
            raise

    def empty_tables(self, columns: Iterable[str]) -> dict[str, str]:
        """Temporary tables without rows, by their columns: made once, for statements to bind to."""
        names = {
            of: self._empty.setdefault(of, own_table(f"empty_{len(self._empty)}")) for of in columns
        }
        missing = [(of, name) for of, name in names.items() if name not in self._kept]
        for of, name in missing:
            self.duckdb.execute(f"CREATE TEMP TABLE IF NOT EXISTS {name} ({of})")
        if missing and not self.is_in_transaction():  # else they may go with a ROLLBACK
            self._kept.update(name for _, name in missing)
        return names

    def is_in_transaction(self) -> bool:
        """Whether the user has begun a transaction: two statements are then of one."""
        if not (self._may_have_begun or self._is_handed_out):
            return False
        ask = partial(self.duckdb.execute, _TRANSACTION)
        try:
            self._may_have_begun = ask().fetchone() == ask().fetchone()
        except duckdb.TransactionException:  # it has failed
            self._may_have_begun = True
        return self._may_have_begun

    @contextmanager
    def at_one_moment(self, sql: str) -> Iterator[None]:
        """For what is asked of DuckDB on behalf of one statement, `now()` is the same.

        A transaction of ours is around a statement that may ask for the time, unless the user has
        begun one: DuckDB's time is that at which the transaction began.
        """
        if _TIMELY.search(sql) is None or self.is_in_transaction():
            yield
            return
        self.duckdb.begin()
        self._may_have_begun = True
        try:
            yield
        except BaseException:
            with suppress(duckdb.Error):
                self.duckdb.rollback()
            raise
        self.duckdb.commit()

    def confirm_macros(self, text: str) -> None:
        """Raise ExecuteError where a macro that had one value has been made anew since.

        None can be while a statement runs but by whoever was handed the connection.
        """
        known = self._functions.constants if self._is_handed_out else {}
        used = {name for name in known if name in text.lower()}
        if not used:
            return
        now = functions_of(self.duckdb).constants
        for name in sorted(used):
            if now.get(name) != known[name]:
                raise ExecuteError(
                    f"the macro {name} was changed while the statement ran",
                    sql=text,
                    hint="run it again",
                )

    def confirm_transaction(self, sql: str) -> None:
        """Refuse a statement in a transaction that has failed. Raises ExecuteError."""
        if self._may_have_begun or self._is_handed_out:
            self.refuse_failed(sql)

    def refuse_failed(self, sql: str) -> None:
        """Raises ExecuteError for a statement in a transaction that has failed."""
        self.run(SourceText(sql).edited([Edit(Span(0, len(sql)), "SELECT 1")]), None)

    @contextmanager
    def planning(self, sql: str, seconds: float | None) -> Iterator[None]:
        """For what is asked of DuckDB while a statement is planned, which may take so long.

        Raises ExecuteError in a transaction that has failed. Whoever was handed the connection may
        have made functions since the last one.
        """
        with self.watches.watched(seconds):
            self.confirm_transaction(sql)
            if self._is_handed_out:
                self.forget_functions()
            yield

    def compact(self, table: str) -> str:
        """Compress the rows of a temporary table; answers the name of the table that has them now.

        DuckDB compresses no temporary tables, but those of an attached database in memory: the rows
        move there, and a view takes the table's place. While the user has a transaction open they
        stay where they are, since it may write to one attached database only, which is the user's.
        """
        if self.is_in_transaction():
            return table
        compact = f"{_ROWS}.{table.rpartition('.')[2]}"
        if table not in self._compact:
            self.duckdb.execute(f"ATTACH IF NOT EXISTS ':memory:' AS {_ROWS} (COMPRESS)")
            self.duckdb.execute(f"CREATE OR REPLACE TABLE {compact} AS FROM {table}")
            self.drop("TABLE", table)
            self._compact.add(table)
            view = table.removeprefix("temp.")
            self.duckdb.execute(f"CREATE OR REPLACE TEMP VIEW {view} AS FROM {compact}")
        self.duckdb.execute(f"CHECKPOINT {_ROWS}")
        return compact

    def drop_compact(self) -> None:
        """Forget all rows that were compressed."""
        for table in self._compact:
            self.drop("VIEW", table)
        if self._compact:
            self.duckdb.execute(f"DETACH DATABASE IF EXISTS {_ROWS}")
        self._compact.clear()

    def run(
        self,
        text: SourceText,
        arguments: Arguments,
        *,
        requests_sent: int = 0,
        seconds: float | None = None,
    ) -> pa.Table:
        """Run a statement; its rows as Arrow. Raises a QueryError, or DeadlinePassed."""
        watched = self.watches.watched(seconds)
        self._may_have_begun = self._may_have_begun or _MAY_BEGIN.search(text.sql) is not None
        with self._translating(text, ExecuteError, requests_sent), watched:
            relation = self.duckdb.sql(text.sql, params=arguments)
            if relation is None:
                return pa.table({})
            types = json.dumps([str(of) for of in relation.types]).encode()
            return relation.to_arrow_table().replace_schema_metadata({TYPES: types})

    @contextmanager
    def without_statistics(self) -> Iterator[None]:
        """Let DuckDB plan without what it knows of the values in tables.

        Beside a table without rows it may drop a LIMIT (2.0.0: the outer side of a join with
        nothing, in a UNION ALL, is taken for nothing as well).
        """
        disabled = call("current_setting", literal("disabled_optimizers"))
        row = self.duckdb.execute(f"SELECT {disabled}").fetchone()
        before = str(row[0]) if row and row[0] else ""
        names = ",".join(name for name in (before, "statistics_propagation") if name)
        self.duckdb.execute(f"SET disabled_optimizers = {literal(names)}")
        try:
            yield
        finally:
            with suppress(duckdb.Error):  # an aborted transaction takes no settings
                self.duckdb.execute(f"SET disabled_optimizers = {literal(before)}")

    # --- the providers' catalogs -------------------------------------------------------------

    def declare(self, catalog: Catalog, sql: str = "") -> None:
        """Create every table as a view that cannot be read: real types, comments, no rows.

        Once for each provider, and for each connection that is named in a text `sql`.

        A live table gets its rows where a statement mentions it by name; whatever reaches it in
        another way is an error, never an empty table.
        """
        self._kept.clear()
        for name in self._empty.values():
            self.drop("TABLE", name)  # whoever looks at the catalog sees no tables of ours
        self._declared.declare(catalog, sql)

    def put_back(self, catalog: Catalog, sql: str) -> None:
        """Undo what a statement `sql` has done to databases of live tables. Raises BindError."""
        name = self._declared.put_back(catalog)
        if name is not None:
            raise BindError(
                f"{name} is the name of live tables: no database can take or leave it",
                sql=sql,
                hint="give a database of your own another name:  ATTACH … AS mine",
            )

    def confirm_declared(self, catalog: Catalog, sql: str) -> None:
        """Undo what a statement `sql` has written where live tables are. Raises BindError."""
        name = self._declared.written_to(catalog)
        if name is not None:
            raise _read_only(name, sql)

    @property
    def declared(self) -> frozenset[str]:
        """The databases that hold nothing but live tables, in lower case."""
        return self._declared.names

    @contextmanager
    def binding_live(self) -> Iterator[None]:
        """Let DuckDB bind what reads declared tables: to define or describe it, never to run it."""
        with binding_live(self.duckdb, is_in_transaction=self.is_in_transaction()):
            yield

    def looks_into_declared(self) -> bool:
        """Whether a name without its provider may mean a declared table, by the search path."""
        return self._declared.are_searched()

    def is_bound_to(self, name: str, table: str) -> bool:
        """Whether DuckDB takes a name in FROM for a declared table."""
        try:
            self._bound(self.duckdb.extract_statements(f"FROM {name}")[0], None)
        except duckdb.Error as error:
            return (live_table_in(str(error)) or "").lower() == table.lower()
        return False

    def drop(self, kind: str, name: str) -> None:
        """Drop a temporary table or view of ours; an aborted transaction takes it along anyway."""
        try:
            self.duckdb.execute(f"DROP {kind} IF EXISTS {name}")
        except duckdb.TransactionException:
            return

    # --- errors ------------------------------------------------------------------------------

    def _asked(self, ask: Callable[[], T], text: SourceText, otherwise: type[QueryError]) -> T:
        """What DuckDB answers to something that may be asked again.

        It is, where it fails, for an error that says where: to be told of that costs two settings.
        """
        try:
            with interruptible():
                return ask()
        except (duckdb.Error, ValueError, TypeError, NotImplementedError) as error:
            try:
                with self._translating(text, otherwise):
                    return ask()
            except QueryError as again:
                if not isinstance(again.__cause__, duckdb.TransactionException):
                    raise
                if not isinstance(error, duckdb.Error):
                    raise
                # it aborted a transaction
                raise self._translated(error, text, otherwise, 0) from error

    @contextmanager
    def _translating(
        self, text: SourceText, otherwise: type[QueryError], requests_sent: int = 0
    ) -> Iterator[None]:
        self._set_json_errors(on=True)
        try:
            with interruptible():
                yield
        except duckdb.Error as error:
            raise self._translated(error, text, otherwise, requests_sent) from error
        except (RuntimeError, ValueError, TypeError, NotImplementedError) as error:
            raise otherwise(str(error), sql=text.written, requests_sent=requests_sent) from error
        finally:
            self._set_json_errors(on=False)

    def _translated(
        self, error: duckdb.Error, text: SourceText, otherwise: type[QueryError], requests_sent: int
    ) -> QueryError:
        database = read_only_in(str(error).replace("\\", ""))
        if database is None or database.lower() not in self.declared:
            return translated(error, text, otherwise, requests_sent)
        return _read_only(database, text.written, requests_sent)

    def _set_json_errors(self, *, on: bool) -> None:
        try:
            self.duckdb.execute(f"SET errors_as_json = {str(on).lower()}")
        except duckdb.Error:
            return  # an aborted transaction takes no settings; errors are then plain text


def _read_only(database: str, sql: str, requests_sent: int = 0) -> BindError:
    return BindError(
        f"{database} is live and read-only",
        sql=sql,
        hint="USE memory  leads back to tables of your own",
        requests_sent=requests_sent,
    )


TYPES = b"duckdb_types"
"""Key of the schema metadata that holds the DuckDB type of each column, as a JSON array."""


def noted_types(table: pa.Table) -> list[str] | None:
    """The DuckDB type of each column, as the session noted it; None where it did not."""
    noted = (table.schema.metadata or {}).get(TYPES)
    types: list[str] = json.loads(noted) if noted else []
    return types if len(types) == table.num_columns else None
