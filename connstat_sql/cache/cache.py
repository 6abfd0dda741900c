"""The kept rows of an engine, in memory and on disk.

Kept in memory, in a DuckDB database of its own: what the user's session has of tables, settings
and transactions has nothing to do with it. Where a file is configured, kept there too, without
the columns that hold credentials.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import duckdb

from connstat_sql.cache.file import FileNotUsable, KeptFile, first_line, is_broken
from connstat_sql.cache.keys import keys_of, redacted
from connstat_sql.cache.store import (
    CacheStore,
    CompletedFetch,
    Hit,
    MaxAge,
    create_tables,
    open_memory,
)
from connstat_sql.database.errors import interruptible
from connstat_sql.database.session import Session
from connstat_sql.definitions.model import TableName, literal
from connstat_sql.definitions.quoting import call
from connstat_sql.fetch import Fetch
from connstat_sql.planner import CONNECTION, Cached, Plan, Scan, projected

MOST_ROWS = 1_000_000
"""Rows that are kept, in memory and on disk each: about a tenth of a gigabyte of connectors with
their configurations, compressed. More than a whole fleet has, and less than a laptop misses."""
OLDEST = 7 * 24 * 3600.0
"""Seconds after which rows are forgotten, whatever age a statement would take."""

_T = TypeVar("_T")


class RowCache:
    """The kept rows of an engine. Used from the thread that uses its session.

    `account` tells connections of one name apart that see other rows in another run; `pause`
    waits for a file that others have open.
    """

    def __init__(
        self,
        session: Session,
        file: Path | None = None,
        *,
        account: Callable[[str], str] = lambda _: "",
        most_rows: int = MOST_ROWS,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._session = session
        self._account = (lambda _: "") if file is None else account
        self._most_rows = most_rows
        self._notes: dict[str, None] = {}
        self._file = None if file is None else KeptFile(file, self._note, pause)
        self._opened: duckdb.DuckDBPyConnection | None = None
        self._learnt: dict[tuple[str, ...], tuple[float, tuple[str, ...]]] = {}

    def close(self) -> None:
        """Forget what is in memory; what is on disk stays."""
        self._forget_memory()
        if self._file is not None:
            self._file.close()

    def interrupt(self) -> None:
        """Stop what is being read or written, from any thread: nothing of it is kept."""
        if self._opened is not None:
            self._opened.interrupt()
        if self._file is not None:
            self._file.interrupt()

    def take_notes(self) -> tuple[str, ...]:
        """What should be known of the file, once."""
        notes, self._notes = tuple(self._notes), {}
        return notes

    # --- answering from kept rows ------------------------------------------------------------

    def find(
        self, scan: Scan, fetches: Mapping[int, Fetch], max_age: MaxAge, now: float
    ) -> tuple[Hit, ...]:
        """Which of a scan's fetches kept rows answer; those in memory come before those on disk.

        `fetches` go by their numbers in the scan, all by one method.
        `scan` takes the same access path and fetches no more columns than the statement uses: rows
        on disk have no credentials, and do not answer for such a column.
        """
        missing = {n: fetch for n, fetch in fetches.items() if max_age(fetch.connection) > 0}
        hits: dict[int, Hit] = {}
        nothing: dict[int, Hit] = {}
        for is_on_disk in (False, True):
            if is_on_disk and not redacted(scan.resource).isdisjoint(scan.columns):
                break
            if missing:
                find = partial(CacheStore.find, fetches=missing, max_age=max_age, now=now)
                hits |= self._with_store(find, nothing, is_on_disk=is_on_disk)
            missing = {number: fetch for number, fetch in missing.items() if number not in hits}
        return tuple(hits[number] for number in sorted(hits))

    def fill(self, table: str, columns: Sequence[str], hits: Sequence[Hit]) -> tuple[Hit, ...]:
        """Put the rows of hits into a scan's table; answers those whose rows are there now.

        `columns` are those of the table, arguments and `FETCH` (the hit's number) among them.
        What others have replaced in the meantime is not filled, and is to be fetched.
        """
        filled: list[Hit] = []
        for is_on_disk in (False, True):
            wanted = [hit for hit in hits if hit.is_on_disk is is_on_disk]
            if wanted:
                fill = partial(CacheStore.fill, table=table, columns=columns, hits=wanted)
                filled += self._with_store(fill, [], is_on_disk=is_on_disk)
        return tuple(sorted(filled, key=lambda hit: hit.number))

    def cached(
        self, scan: Scan, max_age: MaxAge, now: float, *, must_know: bool = False
    ) -> Cached | None:
        """How much of a scan kept rows would answer; `must_know` as in `Reuse`.

        None where no kept rows are wanted, and where the arguments are not known yet.
        """
        fetches = _constant_fetches(scan)
        if not any(max_age(fetch.connection) > 0 for fetch in fetches):
            return None
        hits = self.find(scan.by(scan.access_paths[0]), dict(enumerate(fetches)), max_age, now)
        hits = tuple(hit for hit in hits if not must_know or self.unknown_in(hit) is not None)
        oldest = max((now - hit.observed_at for hit in hits), default=None)
        return Cached(len(fetches), len(hits), oldest)

    def with_cached(
        self, plan: Plan, max_age_of: Callable[[TableName], MaxAge], now: float
    ) -> Plan:
        """The plan, with what kept rows would answer of it."""
        names, cached = plan.connections, dict[str, Cached]()
        for scan in plan.scans:
            max_age = max_age_of(scan.resource.table)
            if not any(max_age(name) > 0 for name in names):
                continue
            of_scan = self.cached(scan, max_age, now, must_know=scan.name in plan.secrets)
            if of_scan is not None:
                cached[scan.name] = of_scan
        return replace(plan, cached=cached)

    # --- keeping -----------------------------------------------------------------------------

    def keep(
        self, table: str, finished: Sequence[CompletedFetch], max_age: MaxAge, now: float
    ) -> None:
        """Keep the rows of fetches of one scan's table, in place of older rows of the same.

        Where the connection's kept rows are of no use (an age of 0), older ones are only
        forgotten: no later statement goes back behind this one.
        """
        wanted = [fetched for fetched in finished if max_age(fetched.fetch.connection) > 0]
        others = [fetched.fetch for fetched in finished if max_age(fetched.fetch.connection) <= 0]

        def refill(store: CacheStore) -> None:
            if not wanted or self._rows(table) > self._most_rows:
                store.forget([fetched.fetch for fetched in finished])
            else:
                store.forget(others)
                store.keep(table, wanted)
                store.trim(before=now - OLDEST, most_rows=self._most_rows)
                store.compact()

        has_any = partial(CacheStore.has_any, fetches=others)
        for is_on_disk in (False, True):
            if wanted or (others and self._with_store(has_any, False, is_on_disk=is_on_disk)):
                self._with_store(refill, None, is_on_disk=is_on_disk, to_write=True)

    def _rows(self, table: str) -> int:
        sql = f"SELECT {call('count', '*')} FROM {table}"
        return int(self._session.duckdb.execute(sql).fetchall()[0][0])

    def learn(self, kept: CompletedFetch, unknown: tuple[str, ...] | None) -> None:
        """It was asked what plugins declare secret in a fetch; `unknown` is why some is not known.

        None: nobody asked, or somebody may know later. On disk there are none of these columns.
        """
        key = _names_of(kept.fetch, self._account)[0]
        self._learnt.pop(key, None)
        if unknown is not None:
            self._learnt[key] = (kept.observed_at, unknown)

    def unknown_in(self, hit: Hit) -> tuple[str, ...] | None:
        """Why some of what plugins declare secret in kept rows is not known; None: nobody asked."""
        learnt = (self._learnt.get(key) for key in _names_of(hit.fetch, self._account))
        return next((why for at, why in filter(None, learnt) if at == hit.observed_at), None)

    def forget(self, connection: str | None, names: Sequence[str]) -> int:
        """Forget fetches, and answer how many.

        `names` are a provider, a service of it, a table of it, as many as are given; of all
        connections, where `connection` is None.
        """
        columns = ("provider", "service", "resource")
        values = dict(zip(columns, names, strict=False))
        if connection is not None:
            values["connection"] = connection
        condition = " AND ".join(f"{n} = {literal(v)}" for n, v in values.items()) or "true"

        def forget(store: CacheStore) -> int:
            return store.forget_where(condition)

        count = 0
        for is_on_disk in (False, True):
            if self._is_there(is_on_disk=is_on_disk):
                forgotten = self._with_store(forget, 0, is_on_disk=is_on_disk, to_write=True)
                count = max(count, forgotten)
        return count

    # --- where it is -------------------------------------------------------------------------

    def _is_there(self, *, is_on_disk: bool) -> bool:
        if is_on_disk:
            return self._file is not None and self._file.exists()
        return self._opened is not None

    def _with_store(
        self,
        action: Callable[[CacheStore], _T],
        otherwise: _T,
        *,
        is_on_disk: bool,
        to_write: bool = False,
    ) -> _T:
        """What `action` makes of one place, or `otherwise` where there is nothing to be had.

        What goes wrong is noted: it costs requests, never an answer.
        """
        try:
            with interruptible():
                if is_on_disk and self._file is not None:
                    with self._file.open(to_write=to_write) as connection:
                        return action(self._store(connection, is_on_disk=True))
                if not is_on_disk and (to_write or self._opened is not None):
                    return action(self._store(self._in_memory(), is_on_disk=False))
        except FileNotUsable as error:
            self._note(f"rows are kept in memory only: {error}" if str(error) else "")
        except duckdb.Error as error:
            if is_broken(error):
                self._forget_memory()
            self._note(f"kept rows could not be used: {first_line(error)}")
        return otherwise

    def _store(self, connection: duckdb.DuckDBPyConnection, *, is_on_disk: bool) -> CacheStore:
        return CacheStore(connection, self._session.duckdb, self._account, is_on_disk=is_on_disk)

    def _in_memory(self) -> duckdb.DuckDBPyConnection:
        if self._opened is None:
            self._opened = open_memory()
            create_tables(self._opened)
        return self._opened

    def _forget_memory(self) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def _note(self, text: str) -> None:
        if text:
            self._notes[text] = None


def _names_of(fetch: Fetch, account: Callable[[str], str]) -> list[tuple[str, ...]]:
    about = (str(fetch.resource.table), fetch.method.name)
    return [(*about, key) for key in keys_of(fetch, account(fetch.connection))]


def _constant_fetches(scan: Scan) -> list[Fetch]:
    """The fetches of a scan whose arguments are constants, one for each request; else none."""
    access_path, constants = scan.access_paths[0], scan.constants
    names = (CONNECTION, *access_path.method.required)
    if not scan.is_constant or not {*names} <= {*constants.columns}:
        return []
    fetches = []
    for row in projected(constants, names):
        arguments = dict(zip(names, row, strict=True))
        fetches.append(
            Fetch(
                arguments.pop(CONNECTION),
                scan.resource,
                access_path.method,
                arguments,
                access_path.filters,
            )
        )
    return fetches
