"""Pages become rows of a scan's table: all of them, in order, and no more than is read of them."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from connstat_sql.cache import FETCH
from connstat_sql.database.session import Session
from connstat_sql.definitions.quoting import quote
from connstat_sql.errors import UnexpectedShape
from connstat_sql.executor.staging import BYTES_AT_ONCE, BYTES_LOOSE, ROWS_AT_ONCE, Staging
from connstat_sql.fetch import Fetch, Page
from connstat_sql.planner import scan_table
from tests.benchmarks.rows import make_body, make_scan

SCAN = make_scan("array")
TABLE = scan_table(SCAN.name)


@pytest.fixture
def session() -> Iterator[Session]:
    opened = Session()
    yield opened
    opened.close()


def page_of(staging: Staging, body: bytes) -> Page:
    read = staging.reader.read(body)
    fetch = Fetch("plant", SCAN.resource, SCAN.method, {}, ())
    return Page(fetch, read.texts, read.count, len(body), "GET /connectors", 1.5, 1)


def named(*names: str) -> bytes:
    return json.dumps([{"name": name, "type": "sink"} for name in names]).encode()


def rows_of(session: Session, what: str) -> list[tuple[object, ...]]:
    return session.duckdb.execute(f"SELECT {what} FROM {TABLE}").fetchall()


def held(session: Session) -> int:
    """Bytes that tables in memory take."""
    sql = "SELECT memory_usage_bytes FROM duckdb_memory() WHERE tag = 'IN_MEMORY_TABLE'"
    return int(session.duckdb.execute(sql).fetchall()[0][0])


class TestColumns:
    def test_of_the_hidden_ones_only_those_that_are_read_are_there(self, session: Session) -> None:
        hidden = [
            [name for name in Staging(session, SCAN, None, None, wanted).columns if name[0] == "_"]
            for wanted in ((), ("_url",), ("_observed_at", "_connection"))
        ]
        expected = [["_connection"], ["_connection", "_url"], ["_connection", "_observed_at"]]
        assert hidden == expected

    def test_rows_that_may_be_kept_have_all(self, session: Session) -> None:
        staging = Staging(session, SCAN, None, lambda _: 7)
        staging.add(page_of(staging, named("a")))
        staging.flush()
        columns = f"connector_name, _connection, epoch(_observed_at), _url, {quote(FETCH)}"
        found = rows_of(session, columns)
        assert found == [("a", "plant", 1.5, "GET /connectors", 7)]


class TestRows:
    def test_pages_of_every_size_arrive_whole_and_in_order(self, session: Session) -> None:
        staging = Staging(session, SCAN, None)
        large = make_body(BYTES_AT_ONCE // 100, "array")
        assert len(large) > 2 * BYTES_AT_ONCE
        for body in (named("x"), large, b"[]", named("y", "z")):
            staging.add(page_of(staging, body))
        staging.flush()
        names = [row["name"] for row in json.loads(large)]
        assert [name for (name,) in rows_of(session, "connector_name")] == ["x", *names, "y", "z"]

    def test_small_pages_wait_for_others(self, session: Session) -> None:
        staging = Staging(session, SCAN, None)
        page = page_of(staging, named("a"))
        for _ in range(ROWS_AT_ONCE - 1):
            staging.add(page)
        assert rows_of(session, "count(*)") == [(0,)]
        staging.add(page)
        assert rows_of(session, "count(*)") == [(ROWS_AT_ONCE,)]

    def test_a_row_that_is_lost_on_the_way_is_an_error(self, session: Session) -> None:
        staging = Staging(session, SCAN, None)
        whole = page_of(staging, named("a", "b"))
        short = page_of(staging, named("a"))
        staging.add(Page(whole.fetch, short.texts, whole.count, 1, whole.url, 1.5, 1))
        with pytest.raises(UnexpectedShape, match="2 rows came, 1 were read"):
            staging.flush()


class TestMemory:
    def test_many_rows_are_compressed_and_stay_the_same(self, session: Session) -> None:
        staging = Staging(session, SCAN, None)
        body = make_body(10_000, "array")
        page, times = page_of(staging, body), BYTES_LOOSE // len(body) + 1
        staging.add(page)
        staging.flush()
        once = held(session)
        for _ in range(times - 1):
            staging.add(page)
        staging.flush()
        assert held(session) < times * once / 3
        found = rows_of(session, "count(*), count(DISTINCT connector_name), sum(len(tasks))")
        assert found == [(times * 10_000, 10_000, times * 19_999)]

    def test_kept_rows_go_where_the_others_are(self, session: Session) -> None:
        staging = Staging(session, SCAN, None)
        staging.add(page_of(staging, named("a")))
        staging.flush()
        compact = session.compact(staging.table)
        assert compact != staging.table
        assert session.compact(staging.table) == compact
        session.duckdb.execute(f"INSERT INTO {compact} (connector_name) VALUES ('b')")
        assert rows_of(session, "connector_name") == [("a",), ("b",)]

    def test_nothing_is_left_of_them(self, session: Session) -> None:
        for _ in range(2):
            staging = Staging(session, SCAN, None)
            session.compact(staging.table)
            session.drop_compact()
            names = session.duckdb.execute(
                "SELECT database_name FROM duckdb_databases()"
            ).fetchall()
            assert not [name for (name,) in names if name.startswith("_connstat")]
            assert not session.duckdb.execute(
                "FROM duckdb_views() WHERE view_name LIKE '%connstat%'"
            ).fetchall()

    def test_a_transaction_that_is_open_goes_on(self, session: Session) -> None:
        sql = "BEGIN; CREATE TABLE own AS SELECT 1; CREATE TEMP TABLE more AS FROM range(300000)"
        session.hand_out().execute(sql)
        assert session.compact("temp.more") == "temp.more"
        assert session.duckdb.execute("FROM own").fetchall() == [(1,)]
        before = held(session)
        session.duckdb.execute("COMMIT")
        compact = session.compact("temp.more")
        assert held(session) < before
        assert session.duckdb.execute(f"SELECT count(*) FROM {compact}").fetchall() == [(300000,)]
