"""Pages of rows → a DuckDB table of one scan, with arguments, hidden columns and masks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property

import duckdb
import pyarrow as pa

from connstat_sql.cache import FETCH
from connstat_sql.database.errors import interruptible
from connstat_sql.database.session import Session
from connstat_sql.decode import ROWS, FieldLayout, RowReader, pages_table
from connstat_sql.definitions.model import (
    HIDDEN_COLUMNS,
    JSON,
    VARCHAR,
    Column,
    ListOf,
    MapOf,
    Redaction,
    Scalar,
    SqlType,
    Struct,
    literal,
    quote,
)
from connstat_sql.definitions.quoting import call, own
from connstat_sql.errors import UnexpectedShape
from connstat_sql.executor.redaction import (
    LEARNT,
    Redactor,
    names_of_entries,
    names_of_rows,
    together,
)
from connstat_sql.fetch import Fetch, Page, owner_of
from connstat_sql.planner import CONNECTION, Scan, declared_columns, mention_table, scan_table
from connstat_sql.sql.binder import HIDDEN, BoundTable

PAGES, DECODED = own("_connstat_pages"), own("_connstat_decoded")
"""The names under which pages, and rows that were masked, are handed to DuckDB."""
ROWS_AT_ONCE = 16_000
BYTES_AT_ONCE = 4_000_000
"""Decoded in one INSERT: enough for every core, little enough for the memory."""
BYTES_LOOSE = 64_000_000
"""Decoded between two times that the table is compressed, which takes a tenth of a second."""
_HIDDEN_VALUES = {
    "_connection": "_connection",
    "_observed_at": call("to_timestamp", "CAST(_observed_at AS DOUBLE)"),
    "_url": "_url",
}
_NOT_IN_ARROW = (Scalar("HUGEINT"), Scalar("UUID"), JSON)


def reader_of(scan: Scan) -> RowReader:
    """Reads the bodies of a scan's method for the columns that the scan fetches."""
    return RowReader(scan.method.rows, tuple(_fields(scan)))


def _fields(scan: Scan) -> Iterator[FieldLayout]:
    for name in scan.columns:
        column = scan.resource.column(name)
        if column is not None:
            path = scan.method.columns.get(name, column.path)
            if path is not None:
                yield FieldLayout.of_column(column, path)
            continue
        param = scan.resource.param(name)
        if param is not None and name in scan.method.fills:
            yield FieldLayout.of_param(param, scan.method.fills[name])


class Staging:
    """The table of one scan: created empty, filled as pages come.

    Small pages are held for a while, since an INSERT costs as much as hundreds of rows.
    """

    def __init__(
        self,
        session: Session,
        scan: Scan,
        mask_key: str | None,
        number: Callable[[Fetch], int] | None = None,
        named: Collection[str] = (),
    ) -> None:
        """`number` numbers fetches, for a further column (None: there is none).

        `named` are hidden columns that are read; argument sources read `_connection`, and kept
        rows have all.
        """
        self._session = session
        self._duckdb = session.duckdb
        self._scan = scan
        self.reader = reader_of(scan)
        self._redactor = None if mask_key is None else Redactor(mask_key)
        self._learns = mask_key is not None and bool(declared_columns(scan))
        self._number = number
        self._hidden = tuple(
            name for name in HIDDEN if number is not None or name in (CONNECTION, *named)
        )
        self._in_rows = {field.name for field in self.reader.fields}
        self._arguments = tuple(
            name
            for name in scan.arguments
            if name != CONNECTION and name not in self._in_rows and scan.resource.param(name)
        )
        self._held: list[tuple[bytes, Mapping[str, str]]] = []
        self._held_by = self.reader
        self._held_bytes = self._loose_bytes = 0
        self._came = self._read = 0
        self.table = scan_table(scan.name)
        """The table that rows are put into; they are read by the scan's own name."""
        self._create()

    def _create(self) -> None:
        types = {field.name: str(field.type) for field in self.reader.fields}
        for name in self._arguments:
            param = self._scan.resource.param(name)
            types[name] = str(param.type) if param else "VARCHAR"
        types |= {name: HIDDEN_COLUMNS[name] for name in self._hidden}
        self.columns = tuple(types)
        """Names of the table's columns, the number of the fetch aside."""
        if self._number is not None:
            types[FETCH] = "INTEGER"
        columns = ", ".join(f"{quote(name)} {of}" for name, of in types.items())
        self._duckdb.execute(f"CREATE OR REPLACE TEMP TABLE {self.table} ({columns})")

    def add(self, page: Page) -> None:
        """Take a page; raises UnexpectedShape when DuckDB reads its rows otherwise."""
        if page.count == 0:
            return
        reader = page.reader or self.reader
        if reader is not self._held_by and self._held:
            self._insert_held()
        self._held_by = reader
        values = self._values(page)
        for text in page.texts:
            self._held.append((text, values))
            self._held_bytes += len(text)
            if self._held_bytes >= BYTES_AT_ONCE:
                self._insert_held()
        self._came += page.count
        if self._came - self._read >= ROWS_AT_ONCE:
            self.flush()

    def flush(self) -> None:
        """Decode what is held into the table."""
        if self._held:
            self._insert_held()
        if self._came != self._read:
            table = self._scan.resource.table
            raise UnexpectedShape(f"{table}: {self._came} rows came, {self._read} were read")

    def _insert_held(self) -> None:
        held, self._held = self._held, []
        self._loose_bytes += self._held_bytes
        self._held_bytes = 0
        try:
            with interruptible():
                self._read += self._insert_texts(pages_table(held, self._beside))
        except duckdb.Error as error:
            table = self._scan.resource.table
            raise UnexpectedShape(
                f"{table}: a value does not decode: {str(error)[:300]}", table=str(table)
            ) from error
        if self._loose_bytes >= BYTES_LOOSE:
            self._loose_bytes = 0
            self.table = self._session.compact(self.table)

    def _insert_texts(self, table: pa.Table) -> int:
        rows = self._rows if self._held_by is self.reader else self._rows_of(self._held_by)
        with self._registered(PAGES, table):
            if not self._redacted:
                return self._insert(rows)
            decoded = self._masked(self._duckdb.sql(rows).to_arrow_table())
        with self._registered(DECODED, decoded):
            return self._insert(f"FROM temp.main.{quote(DECODED)}")

    def _insert(self, rows: str) -> int:
        row = self._duckdb.execute(f"INSERT INTO {self.table} {rows}").fetchone()
        return int(row[0]) if row else 0

    @contextmanager
    def _registered(self, name: str, table: pa.Table) -> Iterator[None]:
        self._duckdb.register(name, table)
        try:
            yield
        finally:
            self._duckdb.unregister(name)

    @cached_property
    def _redacted(self) -> dict[str, Column]:
        """Columns that hold credentials, by name."""
        columns = (self._scan.resource.column(field.name) for field in self.reader.fields)
        return {
            column.name: column
            for column in columns
            if column and column.redaction is not Redaction.NONE and self._redactor
        }

    def _masked(self, decoded: pa.Table) -> pa.Table:
        masked = decoded
        for name, column in self._redacted.items():
            assert self._redactor is not None
            by = column.redact_by if column.redact_by in decoded.column_names else None
            told_by, names = by and decoded[by], None
            if self._learns and column.secret_keys is not None:
                learnt = together(decoded[LEARNT])
                if told_by is None:
                    names = names_of_entries(column, together(decoded[name]), learnt)
                else:
                    told_by = names_of_rows(column, told_by, self._owners(decoded), learnt)
            values = self._redactor.column(column, decoded[name], told_by, names)
            masked = masked.set_column(masked.column_names.index(name), name, values)
        return masked.drop_columns([LEARNT]) if self._learns else masked

    def _owners(self, decoded: pa.Table) -> list[str]:
        """Whose settings rows of keys and values are; "" where all of an answer are of one."""
        owner = owner_of(self._scan.method)
        if not owner:
            return [""] * decoded.num_rows
        return ["" if name is None else str(name) for name in decoded[owner].to_pylist()]

    def _values(self, page: Page) -> dict[str, str]:
        values = {name: page.fetch.arguments[name] for name in self._arguments}
        values["_connection"] = page.fetch.connection
        values["_observed_at"] = repr(page.observed_at)
        values["_url"] = page.url
        if self._number is not None:
            values[FETCH] = str(self._number(page.fetch))
        if self._learns:
            values[LEARNT] = page.learnt.names
        return values

    @property
    def _beside(self) -> tuple[str, ...]:
        """What comes with each text of rows."""
        number = (FETCH,) if self._number is not None else ()
        learnt = (LEARNT,) if self._learns else ()
        return (*self._arguments, *self._hidden, *number, *learnt)

    @cached_property
    def _rows(self) -> str:
        """SQL that answers the rows of the pages at hand."""
        return self._rows_of(self.reader)

    def _rows_of(self, reader: RowReader) -> str:
        row, rows = quote(own("row")), quote(ROWS)
        types = {field.name: field.type for field in reader.fields}
        columns = [
            f"{self._expression(types[name], value)} AS {quote(name)}"
            for name, value in reader.select_list(row)
        ]
        columns += map(quote, self._arguments)
        columns += [f"{_HIDDEN_VALUES[name]} AS {quote(name)}" for name in self._hidden]
        columns += [quote(FETCH)] if self._number is not None else []
        columns += [quote(LEARNT)] if self._learns else []
        decoded = call("from_json", rows, literal(f"[{reader.structure}]"))
        return (
            f"SELECT {', '.join(columns)} FROM "
            f"(SELECT {call('unnest', decoded)} AS {row}, * FROM temp.main.{quote(PAGES)})"
        )

    def _expression(self, of: SqlType, value: str) -> str:
        """SQL for a value, as Arrow can hold it where it goes through Arrow."""
        if self._redacted and (held := _as_held_by_arrow(of)) != of:
            return f"CAST({value} AS {held})"
        return value


def _as_held_by_arrow(of: SqlType) -> SqlType:
    """A type without those of which DuckDB makes none of Arrow's own, or a DOUBLE of HUGEINT."""
    if isinstance(of, Struct):
        return Struct(tuple((name, _as_held_by_arrow(field)) for name, field in of.fields))
    if isinstance(of, ListOf):
        return ListOf(_as_held_by_arrow(of.element))
    if isinstance(of, MapOf):
        return MapOf(_as_held_by_arrow(of.value))
    return VARCHAR if of in _NOT_IN_ARROW else of


def empty_tables(session: Session, tables: Sequence[BoundTable]) -> list[str]:
    """What stands for mentions while a statement is only checked: all columns, no rows."""
    keys = [(table.live.resource.table, table.hidden) for table in tables]
    columns = {}
    for key, table in zip(keys, tables, strict=True):
        if key not in columns:
            types = {column.name: str(column.type) for column in table.live.resource.all_columns}
            types |= {name: HIDDEN_COLUMNS[name] for name in table.hidden}
            columns[key] = ", ".join(f"{quote(name)} {of}" for name, of in types.items())
    names = session.empty_tables(columns.values())
    return [names[columns[key]] for key in keys]


def empty_mention(session: Session, index: int, name: str) -> None:
    """An empty table by the name that a mention has when the statement runs."""
    _create_view(session, index, f"FROM {name}")


def filled_mention(session: Session, index: int, table: BoundTable, scan: Scan) -> None:
    """What stands for a mention when the statement runs: the used columns of its scan's rows."""
    resource = table.live.resource
    have = {*scan.columns, *scan.arguments}
    names = [
        column.name
        for column in resource.all_columns
        if column.name in have and (column.name in table.columns or not table.columns)
    ]
    columns = (
        ", ".join(quote(name) for name in (*names, *table.hidden))
        or f"{quote(CONNECTION)} AS {quote(own('_connstat_nothing'))}"
    )
    _create_view(session, index, f"SELECT {columns} FROM {scan_table(scan.name)}")


def _create_view(session: Session, index: int, query: str) -> None:
    name = mention_table(index).removeprefix("temp.")
    session.duckdb.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS {query}")
