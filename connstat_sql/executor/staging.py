"""Pages of rows → a DuckDB table of one scan, with arguments, hidden columns and masks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timezone

import pyarrow as pa

from connstat_sql.arrow import Field, RowReader, pages_table
from connstat_sql.binder import HIDDEN, BoundTable
from connstat_sql.definitions import quote
from connstat_sql.errors import UnexpectedShape
from connstat_sql.executor.redaction import redacted
from connstat_sql.fetcher import Page
from connstat_sql.planner import CONNECTION, Scan, mention_table, scan_table
from connstat_sql.session import Session

_PAGES = "_connstat_pages"
TEXTS_AT_ONCE = 16
"""Texts of rows decoded in one INSERT: enough for every core, little enough for the memory."""
_HIDDEN_TYPES = {"_connection": "VARCHAR", "_observed_at": "TIMESTAMPTZ", "_url": "VARCHAR"}


def reader_of(scan: Scan) -> RowReader:
    """Reads the bodies of a scan's method for the columns that the scan fetches."""
    return RowReader(scan.method.rows, tuple(_fields(scan)))


def _fields(scan: Scan) -> Iterator[Field]:
    for name in scan.columns:
        column = scan.resource.column(name)
        if column is not None:
            path = scan.method.columns.get(name, column.path)
            if path is not None:
                yield Field.of_column(column, path)
            continue
        param = scan.resource.param(name)
        if param is not None and name in scan.method.fills:
            yield Field.of_param(param, scan.method.fills[name])


class Staging:
    """The table of one scan: created empty, filled page by page."""

    def __init__(self, session: Session, scan: Scan, mask_key: str | None) -> None:
        self._duckdb = session.duckdb
        self._scan = scan
        self.reader = reader_of(scan)
        self._mask_key = mask_key
        self._in_rows = {field.name for field in self.reader.fields}
        self._arguments = tuple(
            name
            for name in scan.arguments
            if name != CONNECTION and name not in self._in_rows and scan.resource.param(name)
        )
        self._create()
        self._insert = self._insert_sql()

    def _create(self) -> None:
        types = {field.name: str(field.type) for field in self.reader.fields}
        for name in self._arguments:
            param = self._scan.resource.param(name)
            types[name] = str(param.type) if param else "VARCHAR"
        columns = ", ".join(f"{quote(n)} {t}" for n, t in {**types, **_HIDDEN_TYPES}.items())
        self._duckdb.execute(
            f"CREATE OR REPLACE TEMP TABLE {scan_table(self._scan.name)} ({columns})"
        )

    def add(self, pages: Sequence[Page]) -> None:
        """Decode pages into the table; raises UnexpectedShape when DuckDB reads them otherwise."""
        names = (*self._arguments, *HIDDEN)
        rows = sum(page.count for page in pages)
        if rows == 0:
            return
        texts = [(text, self._values(page)) for page in pages for text in page.texts]
        inserted = 0
        try:
            for start in range(0, len(texts), TEXTS_AT_ONCE):
                part = texts[start : start + TEXTS_AT_ONCE]
                inserted += self._insert_texts(pages_table(part, names))
        except Exception as error:
            page = pages[0]
            raise UnexpectedShape(
                f"{page.fetch.resource.table}: a value does not decode: {str(error)[:300]}",
                table=str(page.fetch.resource.table),
                connection=page.fetch.connection,
                attempts=page.attempts,
            ) from error
        if inserted != rows:
            raise UnexpectedShape(
                f"{self._scan.resource.table}: {rows} rows came, {inserted} were read"
            )

    def _insert_texts(self, table: pa.Table) -> int:
        self._duckdb.register(_PAGES, table)
        try:
            found = self._duckdb.execute(self._insert).fetchone()
            return int(found[0]) if found else 0
        finally:
            self._duckdb.unregister(_PAGES)

    def _values(self, page: Page) -> dict[str, str]:
        observed = datetime.fromtimestamp(page.observed_at, timezone.utc).isoformat()
        hidden = {"_connection": page.fetch.connection, "_observed_at": observed, "_url": page.url}
        return {**{name: page.fetch.arguments[name] for name in self._arguments}, **hidden}

    def _insert_sql(self) -> str:
        plain = dict(self.reader.select_list("r"))
        columns = [self._expression(name, value, plain) for name, value in plain.items()]
        columns += [quote(name) for name in (*self._arguments, *HIDDEN)]
        structure = self.reader.structure.replace("'", "''")
        return (
            f"INSERT INTO {scan_table(self._scan.name)} SELECT {', '.join(columns)} FROM "
            f"(SELECT unnest(from_json(rows, '[{structure}]')) AS r, * FROM {_PAGES})"
        )

    def _expression(self, name: str, value: str, plain: dict[str, str]) -> str:
        column = self._scan.resource.column(name)
        if column is None or self._mask_key is None:
            return value
        by = plain.get(column.redact_by) if column.redact_by else None
        return redacted(column, value, self._mask_key, by)


def empty_tables(session: Session, tables: Sequence[BoundTable]) -> list[str]:
    """What stands for mentions while a statement is only checked: all columns, no rows."""
    keys = [(table.live.resource.table, table.hidden) for table in tables]
    columns = {}
    for key, table in zip(keys, tables, strict=True):
        if key not in columns:
            types = {one.name: str(one.type) for one in table.live.resource.all_columns}
            types |= {name: _HIDDEN_TYPES[name] for name in table.hidden}
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
        one.name
        for one in resource.all_columns
        if one.name in have and (one.name in table.columns or not table.columns)
    ]
    columns = (
        ", ".join(quote(name) for name in (*names, *table.hidden))
        or f"{quote(CONNECTION)} AS _connstat_nothing"
    )
    _create_view(session, index, f"SELECT {columns} FROM {scan_table(scan.name)}")


def _create_view(session: Session, index: int, query: str) -> None:
    name = mention_table(index).removeprefix("temp.")
    session.duckdb.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS {query}")
