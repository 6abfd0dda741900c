"""One place where rows are kept, in memory or on disk, beside the tables of scans."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from connstat_sql.cache.keys import CachedShape, cached_shape, is_public, keys_of
from connstat_sql.cache.store import FETCH, CacheEntry, CacheStore, NewEntry, batches
from connstat_sql.definitions.model import quote
from connstat_sql.definitions.quoting import own
from connstat_sql.fetch import Fetch
from connstat_sql.planner import CONNECTION

KEPT_ROWS = own("_connstat_rows")

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
class CacheTier:
    """A store and what may be kept in it; `session` has the tables of scans.

    All fetches handed in together are of one method of one table.
    """

    store: CacheStore
    session: duckdb.DuckDBPyConnection
    account: Callable[[str], str]
    is_on_disk: bool

    def find(self, fetches: Mapping[int, Fetch], max_age: MaxAge, now: float) -> dict[int, Hit]:
        """The newest that answers each; what comes from a time to come has no age to speak of."""
        hits: dict[int, Hit] = {}
        for number, entry in self._entries(fetches):
            fetch, at = fetches[number], entry.observed_at
            if not 0 <= now - at <= max_age(fetch.connection):
                continue
            if number not in hits or at > hits[number].observed_at:
                hits[number] = Hit(number, fetch, at, entry.rows, self.is_on_disk)
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
        if self.is_on_disk:
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
        rows = batches(self.session, f"SELECT {', '.join(map(quote, names))} FROM {table}")
        with closing(rows):
            self.store.write(shape, tuple(new.values()), rows)

    def has_any(self, fetches: Sequence[Fetch]) -> bool:
        """Whether anything is kept that could answer one of these fetches, at any age."""
        return next(self._entries(dict(enumerate(fetches))), None) is not None

    def forget(self, fetches: Sequence[Fetch]) -> None:
        """Forget what would answer these fetches."""
        if fetches:
            keys = [key for fetch in fetches for key in self._keys(fetch)]
            self.store.forget_keys(self._shape(fetches[0]), keys)

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
        for entry in self.store.find(shape, keys):
            yield numbers[entry.number], entry

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
            with closing(self.store.read(shape, selected, types, wanted)) as rows:
                for batch in rows:
                    self._insert(insert, batch)
        except BaseException:  # half of a fetch is none
            numbers = ", ".join(str(hit.number) for hit in hits)
            with suppress(duckdb.Error):
                self.session.execute(
                    f"DELETE FROM {table} WHERE {quote(FETCH)} IN ({numbers})"
                ).fetchall()
            raise

    def _insert(self, sql: str, rows: pa.Table) -> None:
        self.session.register(KEPT_ROWS, rows)
        try:
            self.session.execute(sql).fetchall()
        finally:
            self.session.unregister(KEPT_ROWS)

    def _shape(self, fetch: Fetch) -> CachedShape:
        return cached_shape(fetch.resource, fetch.method, is_public=self.is_on_disk)

    def _keys(self, fetch: Fetch) -> tuple[str, ...]:
        return keys_of(fetch, self.account(fetch.connection))


def _selected(name: str, shape: CachedShape, arguments: Sequence[str]) -> str:
    """SQL for one column of a scan's table, over a kept row and the fetch that it answers."""
    if name in (FETCH, CONNECTION):
        return f"w.{quote(name)}"
    if name in arguments:
        return f"w.argument_{arguments.index(name)} AS {quote(name)}"
    if name in shape.names or name in ("_observed_at", "_url"):
        return f"r.{quote(name)}"
    return f"NULL AS {quote(name)}"  # a credential, which is not kept here and not used
