"""Kept rows in one DuckDB database: found by their keys, replaced, trimmed, all or nothing.

fetches            one row a kept fetch: what it was, when it was answered, how many rows
rows_<digest>      the rows of one method's fetches; `KEPT` is the id of theirs
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from connstat_sql.cache.keys import CachedShape
from connstat_sql.definitions.model import literal, quote
from connstat_sql.definitions.quoting import own

BATCH = 100_000
"""Rows handed over at once: some megabytes."""
_FETCHES = (
    "id BIGINT, kind VARCHAR, key VARCHAR, connection VARCHAR, provider VARCHAR, "
    "service VARCHAR, resource VARCHAR, observed_at DOUBLE, rows BIGINT"
)
FETCH, KEPT = own("fetch"), own("kept")
"""The number of the fetch that a row came with, in a scan's table; the id of one that is kept."""
_GIVEN = "_connstat_given"
_BATCH = "_connstat_batch"


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """A kept fetch, found for the `number`-th key; `observed_at` is in seconds since the epoch."""

    number: int
    id: int
    observed_at: float
    rows: int


@dataclass(frozen=True, slots=True)
class NewEntry:
    """A fetch to be kept; `number` is the value of `FETCH` in its rows."""

    number: int
    key: str
    connection: str
    observed_at: float


def open_memory() -> duckdb.DuckDBPyConnection:
    """A DuckDB database of our own. Kept rows are not spilled to a folder nearby."""
    return duckdb.connect(
        ":memory:", config={"python_enable_replacements": False, "temp_directory": ""}
    )


def batches(connection: duckdb.DuckDBPyConnection, sql: str) -> Generator[pa.Table, None, None]:
    """The rows of a query, some at once; the connection does nothing else until the last.

    Raises duckdb.Error: Arrow, which stands between, makes an OSError of whatever DuckDB says.
    """
    reader = connection.sql(sql).to_arrow_reader(BATCH)
    try:
        while True:
            try:
                batch = reader.read_next_batch()
            except StopIteration:
                return
            except OSError as error:
                raise _as_duckdb_says(error) from error
            yield pa.Table.from_batches([batch])
    finally:
        reader.close()


def _as_duckdb_says(error: OSError) -> duckdb.Error:
    """The error that it was; what has no kind here is one of the database itself."""
    text = str(error).lower()
    if text.startswith("interrupt"):
        return duckdb.InterruptException(str(error))
    if text.startswith("out of memory"):
        return duckdb.OutOfMemoryException(str(error))
    return duckdb.Error(str(error))


class CacheStore:
    """Kept fetches of one database, over a connection whose default database it is.

    Raises duckdb.Error as it comes: whoever uses it knows what to do without it.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._duckdb = connection

    def set_up(self) -> None:
        """Create what every store has."""
        self._duckdb.execute(f"CREATE TABLE IF NOT EXISTS fetches ({_FETCHES})")

    def find(self, shape: CachedShape, keys: Sequence[str]) -> list[CacheEntry]:
        """The fetches of a kind that are kept under any of the keys, by the key's number."""
        self._give({"number": "BIGINT", "key": "VARCHAR"}, enumerate(keys))
        rows = self._duckdb.execute(
            "SELECT number, id, observed_at, rows FROM fetches "
            f"JOIN {_GIVEN} USING (key) WHERE kind = {literal(shape.name)}"
        ).fetchall()
        return [CacheEntry(*row) for row in rows]

    def read(
        self,
        shape: CachedShape,
        columns: Sequence[str],
        types: Mapping[str, str],
        wanted: Iterable[Sequence[object]],
    ) -> Generator[pa.Table, None, None]:
        """Rows of kept fetches in batches; `columns` are SQL over `r`, a row, and `w`, its fetch.

        `wanted` are the fetches, with columns of these types, `id` among them.
        """
        self._give(types, wanted)
        return batches(
            self._duckdb,
            f"SELECT {', '.join(columns)} FROM {quote(shape.name)} r "
            f"JOIN {_GIVEN} w ON r.{quote(KEPT)} = w.id",
        )

    def write(self, shape: CachedShape, new: Sequence[NewEntry], rows: Iterable[pa.Table]) -> None:
        """Keep the rows of complete fetches in place of older ones of the same keys.

        `rows` have the kind's columns, `_observed_at`, `_url` and `FETCH`.
        """
        with self._transaction():
            self._write(shape, new, rows)

    def forget(self, condition: str) -> int:
        """Forget the fetches for which an SQL condition holds; answers how many."""
        with self._transaction():
            return self._remove(condition)

    def forget_keys(self, shape: CachedShape, keys: Sequence[str]) -> int:
        """Forget the fetches of these keys."""
        with self._transaction():
            return self._remove_keys(shape, keys)

    def trim(self, *, before: float, most_rows: int) -> None:
        """Forget what was fetched before a time, and the oldest where there are too many rows.

        A fetch without rows counts as one.
        """
        newest_first = "OVER (ORDER BY observed_at DESC, id DESC)"
        many = f"SELECT id, sum(rows + 1) {newest_first} AS so_far FROM fetches"
        self.forget(
            f"observed_at < {before} OR id IN "
            f"(SELECT id FROM ({many}) WHERE so_far > {most_rows} + 1)"
        )

    def compact(self) -> None:
        """Give back the room of what was forgotten, and compress what is there."""
        self._duckdb.execute("CHECKPOINT")

    # --- inside a transaction ----------------------------------------------------------------

    def _write(self, shape: CachedShape, new: Sequence[NewEntry], rows: Iterable[pa.Table]) -> None:
        self._remove_keys(shape, [entry.key for entry in new])
        name = quote(shape.name)
        types = {**dict(shape.columns), "_observed_at": "TIMESTAMPTZ", "_url": "VARCHAR"}
        columns = ", ".join(f"{quote(column)} {of}" for column, of in types.items())
        self._duckdb.execute(f"CREATE TABLE IF NOT EXISTS {name} ({quote(KEPT)} BIGINT, {columns})")
        first = self._next_id()
        ids = {entry.number: first + place for place, entry in enumerate(new)}
        self._insert_rows(name, tuple(types), ids, rows)
        kept = quote(KEPT)
        counted = self._duckdb.execute(
            f"SELECT {kept}, count(*) FROM {name} WHERE {kept} >= {first} GROUP BY ALL"
        ).fetchall()
        counts = {int(number): int(count) for number, count in counted}
        self._insert_fetches(shape, new, [counts.get(ids[entry.number], 0) for entry in new], first)

    def _insert_rows(
        self, name: str, columns: Sequence[str], ids: dict[int, int], rows: Iterable[pa.Table]
    ) -> None:
        listed = ", ".join(map(quote, columns))
        kept, fetch = quote(KEPT), quote(FETCH)
        self._give({FETCH: "BIGINT", KEPT: "BIGINT"}, ids.items())
        try:
            for batch in rows:
                self._duckdb.register(_BATCH, batch)
                self._duckdb.execute(
                    f"INSERT INTO {name} ({kept}, {listed}) "
                    f"SELECT {kept}, {listed} FROM {_BATCH} JOIN {_GIVEN} USING ({fetch})"
                )
        finally:
            self._duckdb.unregister(_BATCH)

    def _insert_fetches(
        self, shape: CachedShape, new: Sequence[NewEntry], counts: Sequence[int], first: int
    ) -> None:
        table = shape.table
        fixed = ", ".join(map(literal, (table.provider, table.service, table.resource)))
        types = {
            "id": "BIGINT", "key": "VARCHAR", "connection": "VARCHAR", "observed_at": "DOUBLE",
            "rows": "BIGINT",
        }  # fmt: skip
        self._give(
            types,
            (
                (first + place, entry.key, entry.connection, entry.observed_at, count)
                for place, (entry, count) in enumerate(zip(new, counts, strict=True))
            ),
        )
        self._duckdb.execute(
            f"INSERT INTO fetches SELECT id, {literal(shape.name)}, key, connection, "
            f"{fixed}, observed_at, rows FROM {_GIVEN}"
        )

    def _next_id(self) -> int:
        [(last,)] = self._duckdb.execute("SELECT coalesce(max(id), 0) FROM fetches").fetchall()
        return int(last) + 1

    def _remove_keys(self, shape: CachedShape, keys: Sequence[str]) -> int:
        self._give({"key": "VARCHAR"}, ((key,) for key in keys))
        return self._remove(f"kind = {literal(shape.name)} AND key IN (SELECT key FROM {_GIVEN})")

    def _remove(self, condition: str) -> int:
        removed = self._duckdb.execute(
            f"DELETE FROM fetches WHERE {condition} RETURNING kind"
        ).fetchall()
        for name in {name for (name,) in removed}:
            ids = f"SELECT id FROM fetches WHERE kind = {literal(name)}"
            if self._duckdb.execute(f"{ids} LIMIT 1").fetchall():
                self._duckdb.execute(
                    f"DELETE FROM {quote(name)} WHERE {quote(KEPT)} NOT IN ({ids})"
                )
            else:
                self._duckdb.execute(f"DROP TABLE {quote(name)}")
        return len(removed)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All or nothing, however it ends."""
        self._duckdb.begin()
        try:
            yield
        except BaseException:
            self._duckdb.rollback()
            raise
        self._duckdb.commit()

    def _give(self, types: Mapping[str, str], rows: Iterable[Sequence[object]]) -> None:
        """Values as a table for the next statement (a list made into Arrow imports pandas)."""
        text = json.dumps([dict(zip(types, row, strict=True)) for row in rows])
        self._duckdb.execute(
            f"CREATE OR REPLACE TEMP TABLE {_GIVEN} AS SELECT unnest("
            f"from_json($rows, {literal(json.dumps([types]))}), recursive := true)",
            {"rows": text},
        )
