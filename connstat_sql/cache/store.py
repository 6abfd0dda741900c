"""Kept rows in one DuckDB database: found by their keys, replaced, trimmed, all or nothing.

fetches            one row a kept fetch: what it was, when it was answered, how many rows
rows_<digest>      the rows of one method's fetches; `KEPT` is the id of theirs
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from connstat_sql.cache.keys import CachedShape, cached_shape, is_public, keys_of
from connstat_sql.definitions.model import literal, quote
from connstat_sql.definitions.quoting import own
from connstat_sql.fetch import Fetch
from connstat_sql.planner import CONNECTION

BATCH = 100_000
"""Rows handed over at once: some megabytes."""
_FETCHES = (
    "id BIGINT, kind VARCHAR, key VARCHAR, connection VARCHAR, provider VARCHAR, "
    "service VARCHAR, resource VARCHAR, observed_at DOUBLE, rows BIGINT"
)
FETCH, KEPT = own("fetch"), own("kept")
"""The number of the fetch that a row came with, in a scan's table; the id of one that is kept."""
KEPT_ROWS = own("_connstat_rows")
"""The name under which kept rows are handed to a session."""
_GIVEN = "_connstat_given"
_BATCH = "_connstat_batch"

MaxAge = Callable[[str], float]
"""Connection's name → the age, in seconds, up to which its kept rows answer; 0: none do."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A fetch that kept rows answer: `number` is that of the fetch among those asked about.

    `observed_at` is when the oldest of its pages came, in seconds since the epoch.
    """

    number: int
    fetch: Fetch
    observed_at: float
    rows: int
    is_on_disk: bool = False


@dataclass(frozen=True, slots=True)
class CompletedFetch:
    """A fetch that went to its last page, all of it in the scan's table under this number.

    `observed_at` is when the oldest of its pages came.
    """

    number: int
    fetch: Fetch
    observed_at: float


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """A kept fetch; `observed_at` is in seconds since the epoch."""

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


def create_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Create what every database of kept rows has."""
    connection.execute(f"CREATE TABLE IF NOT EXISTS fetches ({_FETCHES})")


class CacheStore:
    """One place where fetches are kept, in memory or on disk, beside the tables of scans.

    `connection` is to the database that keeps them, its default one; `session` has the tables of
    scans. All fetches handed in together are of one method of one table. Raises duckdb.Error as it
    comes: whoever uses it knows what to do without it.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        session: duckdb.DuckDBPyConnection,
        account: Callable[[str], str],
        *,
        is_on_disk: bool,
    ) -> None:
        self._duckdb = connection
        self._session = session
        self._account = account
        self._is_on_disk = is_on_disk

    def find(self, fetches: Mapping[int, Fetch], max_age: MaxAge, now: float) -> dict[int, Hit]:
        """The newest that answers each; what comes from a time to come has no age to speak of."""
        hits: dict[int, Hit] = {}
        for number, entry in self._entries(fetches):
            fetch, at = fetches[number], entry.observed_at
            if not 0 <= now - at <= max_age(fetch.connection):
                continue
            if number not in hits or at > hits[number].observed_at:
                hits[number] = Hit(number, fetch, at, entry.rows, self._is_on_disk)
        return hits

    def fill(self, table: str, columns: Sequence[str], hits: Sequence[Hit]) -> list[Hit]:
        """Put the rows of hits into a scan's table, as far as they are still there."""
        fetches = {hit.number: hit.fetch for hit in hits}
        known = {(hit.number, hit.observed_at, hit.rows): hit for hit in hits}
        ids: dict[int, int] = {}
        for number, entry in self._entries(fetches):
            if (number, entry.observed_at, entry.rows) in known:
                ids[number] = entry.id
        there = [hit for hit in hits if hit.number in ids]
        if any(hit.rows for hit in there):
            self._copy(table, columns, there, ids)
        return there

    def keep(self, table: str, finished: Sequence[CompletedFetch]) -> None:
        """Keep the rows of fetches that are in a scan's table, in place of older ones."""
        if self._is_on_disk:
            finished = [fetched for fetched in finished if is_public(fetched.fetch)]
        new: dict[str, NewEntry] = {}
        for fetched in finished:
            key = self._keys(fetched.fetch)[0]
            new.setdefault(
                key, NewEntry(fetched.number, key, fetched.fetch.connection, fetched.observed_at)
            )
        if not new:
            return
        shape = self._shape(finished[0].fetch)
        names = (*shape.names, "_observed_at", "_url", FETCH)
        rows = batches(self._session, f"SELECT {', '.join(map(quote, names))} FROM {table}")
        with closing(rows), _transaction(self._duckdb):
            self._write(shape, tuple(new.values()), rows)

    def has_any(self, fetches: Sequence[Fetch]) -> bool:
        """Whether anything is kept that could answer one of these fetches, at any age."""
        return next(self._entries(dict(enumerate(fetches))), None) is not None

    def forget(self, fetches: Sequence[Fetch]) -> None:
        """Forget what would answer these fetches."""
        if fetches:
            keys = [key for fetch in fetches for key in self._keys(fetch)]
            with _transaction(self._duckdb):
                self._remove_keys(self._shape(fetches[0]), keys)

    def forget_where(self, condition: str) -> int:
        """Forget the fetches for which an SQL condition holds; answers how many."""
        with _transaction(self._duckdb):
            return self._remove(condition)

    def trim(self, *, before: float, most_rows: int) -> None:
        """Forget what was fetched before a time, and the oldest where there are too many rows.

        A fetch without rows counts as one.
        """
        newest_first = "OVER (ORDER BY observed_at DESC, id DESC)"
        many = f"SELECT id, sum(rows + 1) {newest_first} AS so_far FROM fetches"
        self.forget_where(
            f"observed_at < {before} OR id IN "
            f"(SELECT id FROM ({many}) WHERE so_far > {most_rows} + 1)"
        )

    def compact(self) -> None:
        """Give back the room of what was forgotten, and compress what is there."""
        self._duckdb.execute("CHECKPOINT")

    # --- rows from here to there -------------------------------------------------------------

    def _entries(self, fetches: Mapping[int, Fetch]) -> Iterator[tuple[int, CacheEntry]]:
        """What is kept under the keys of fetches, whatever its age."""
        if not fetches:
            return
        keys, numbers = [], []
        for number, fetch in fetches.items():
            for key in self._keys(fetch):
                keys.append(key)
                numbers.append(number)
        shape = self._shape(next(iter(fetches.values())))
        _give(self._duckdb, {"place": "BIGINT", "key": "VARCHAR"}, enumerate(keys))
        rows = self._duckdb.execute(
            "SELECT place, id, observed_at, rows FROM fetches "
            f"JOIN {_GIVEN} USING (key) WHERE kind = {literal(shape.name)}"
        ).fetchall()
        for place, *entry in rows:
            yield numbers[place], CacheEntry(*entry)

    def _copy(
        self, table: str, columns: Sequence[str], hits: Sequence[Hit], ids: Mapping[int, int]
    ) -> None:
        fetch = hits[0].fetch
        shape = self._shape(fetch)
        arguments = [n for n in columns if n in fetch.arguments and n not in shape.names]
        types = {"id": "BIGINT", FETCH: "INTEGER", CONNECTION: "VARCHAR"}
        types |= {f"argument_{place}": "VARCHAR" for place in range(len(arguments))}
        wanted = [
            (ids[h.number], h.number, h.fetch.connection, *map(h.fetch.arguments.get, arguments))
            for h in hits
        ]
        selected = [_selected(name, shape, arguments) for name in columns]
        listed = ", ".join(map(quote, columns))
        insert = f"INSERT INTO {table} ({listed}) SELECT {listed} FROM temp.main.{quote(KEPT_ROWS)}"
        try:
            _give(self._duckdb, types, wanted)
            kept = batches(
                self._duckdb,
                f"SELECT {', '.join(selected)} FROM {quote(shape.name)} r "
                f"JOIN {_GIVEN} w ON r.{quote(KEPT)} = w.id",
            )
            with closing(kept) as rows:
                for batch in rows:
                    self._insert(insert, batch)
        except BaseException:  # half of a fetch is none
            numbers = ", ".join(str(hit.number) for hit in hits)
            with suppress(duckdb.Error):
                self._session.execute(
                    f"DELETE FROM {table} WHERE {quote(FETCH)} IN ({numbers})"
                ).fetchall()
            raise

    def _insert(self, sql: str, rows: pa.Table) -> None:
        self._session.register(KEPT_ROWS, rows)
        try:
            self._session.execute(sql).fetchall()
        finally:
            self._session.unregister(KEPT_ROWS)

    def _shape(self, fetch: Fetch) -> CachedShape:
        return cached_shape(fetch.resource, fetch.method, is_public=self._is_on_disk)

    def _keys(self, fetch: Fetch) -> tuple[str, ...]:
        return keys_of(fetch, self._account(fetch.connection))

    # --- inside a transaction ----------------------------------------------------------------

    def _write(self, shape: CachedShape, new: Sequence[NewEntry], rows: Iterable[pa.Table]) -> None:
        self._remove_keys(shape, [entry.key for entry in new])
        name = quote(shape.name)
        types = {**dict(shape.columns), "_observed_at": "TIMESTAMPTZ", "_url": "VARCHAR"}
        columns = ", ".join(f"{quote(column)} {of}" for column, of in types.items())
        self._duckdb.execute(f"CREATE TABLE IF NOT EXISTS {name} ({quote(KEPT)} BIGINT, {columns})")
        [(last,)] = self._duckdb.execute("SELECT coalesce(max(id), 0) FROM fetches").fetchall()
        first = int(last) + 1
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
        _give(self._duckdb, {FETCH: "BIGINT", KEPT: "BIGINT"}, ids.items())
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
        _give(
            self._duckdb,
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

    def _remove_keys(self, shape: CachedShape, keys: Sequence[str]) -> int:
        _give(self._duckdb, {"key": "VARCHAR"}, ((key,) for key in keys))
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
def _transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """All or nothing, however it ends."""
    connection.begin()
    try:
        yield
    except BaseException:
        connection.rollback()
        raise
    connection.commit()


def _give(
    connection: duckdb.DuckDBPyConnection,
    types: Mapping[str, str],
    rows: Iterable[Sequence[object]],
) -> None:
    """Values as a table for the next statement (a list made into Arrow imports pandas)."""
    text = json.dumps([dict(zip(types, row, strict=True)) for row in rows])
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {_GIVEN} AS SELECT unnest("
        f"from_json($rows, {literal(json.dumps([types]))}), recursive := true)",
        {"rows": text},
    )


def _selected(name: str, shape: CachedShape, arguments: Sequence[str]) -> str:
    """SQL for one column of a scan's table, over a kept row and the fetch that it answers."""
    if name in (FETCH, CONNECTION):
        return f"w.{quote(name)}"
    if name in arguments:
        return f"w.argument_{arguments.index(name)} AS {quote(name)}"
    if name in shape.names or name in ("_observed_at", "_url"):
        return f"r.{quote(name)}"
    return f"NULL AS {quote(name)}"  # a credential, which is not kept here and not used
