"""Each fault of the chaos provider over a real socket: survived with exact rows, or said."""

from __future__ import annotations

import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from connstat_sql.demo import DemoServers
from connstat_sql.engine import Engine
from connstat_sql.errors import (
    ConnectionFailed,
    FetchError,
    RateLimited,
    Status,
    UnexpectedShape,
)
from connstat_sql.result import Options, Result
from tests.chaos import chaos_of
from tests.conftest import FakeClock, engine_of

CLOCK = FakeClock()


@pytest.fixture(scope="module")
def engine(sandbox: DemoServers) -> Iterator[Engine]:
    with engine_of({"chaos": chaos_of(sandbox)}, clock=CLOCK) as opened:
        yield opened


@pytest.fixture
def slept() -> list[float]:
    """The waits of one test."""
    CLOCK.slept.clear()
    return CLOCK.slept


def select(table: str, **arguments: object) -> str:
    """A query for three columns, with the arguments in WHERE."""
    wanted = " AND ".join(
        f"{name} = '{value}'" if isinstance(value, str) else f"{name} = {value}"
        for name, value in arguments.items()
    )
    return f"SELECT number, name FROM chaos.faults.{table} WHERE {wanted} ORDER BY number"


def answer(engine: Engine, sql: str, **options: Any) -> Result:
    *_, result = engine.run(sql, None, Options(**options))
    return result


def expected(engine: Engine, sandbox: DemoServers, total: int = 3) -> list[tuple[Any, ...]]:
    """The rows that every table has when nothing goes wrong."""
    sql = f"SELECT number, name FROM chaos.pages.whole WHERE total = {total} ORDER BY number"
    found = answer(engine, sql).fetchall()
    sandbox.reset()
    CLOCK.slept.clear()
    assert len(found) == total
    return found


def failure(engine: Engine, sql: str, kind: type[FetchError]) -> FetchError:
    with pytest.raises(FetchError) as caught:
        answer(engine, sql)
    assert type(caught.value) is kind, repr(caught.value)
    assert caught.value.connection == "chaos"
    return caught.value


# faults that another try mends


@pytest.mark.parametrize(
    ("fault", "kind", "says"),
    [
        ({"table": "status", "status": 503}, Status, "answered 503: this is try 4"),
        ({"table": "status", "status": 429}, RateLimited, "answered 429"),
        ({"table": "cut", "bytes": 20}, ConnectionFailed, "cut short"),
        ({"table": "length", "off": 5}, ConnectionFailed, "cut short"),
        ({"table": "length", "off": -100}, ConnectionFailed, "did not answer"),
        ({"table": "reset"}, ConnectionFailed, "did not answer"),
        ({"table": "packing", "packing": "gzip"}, ConnectionFailed, "did not answer"),
        ({"table": "chunks", "kind": "garbage"}, ConnectionFailed, "did not answer"),
        ({"table": "chunks", "kind": "endless"}, ConnectionFailed, "cut short"),
        ({"table": "html", "status": 502}, Status, "(an HTML page)"),
    ],
    ids=str,
)
def test_a_fault_beyond_the_attempts_is_said_and_the_next_query_succeeds(
    engine: Engine, sandbox: DemoServers, fault: dict[str, Any], kind: type[FetchError], says: str
) -> None:
    rows = expected(engine, sandbox)
    sql = select(**fault, times=4)
    error = failure(engine, sql, kind)
    assert says in error.message
    assert error.table == f"chaos.faults.{fault['table']}"
    assert (error.attempts, sandbox.count()) == (4, 4)
    assert answer(engine, sql).fetchall() == rows
    assert sandbox.count() == 5


# faults that no other try mends


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ({"table": "html", "status": 200}, "JSON"),
        ({"table": "html", "status": 203}, "JSON"),
        ({"table": "empty", "status": 204}, ""),
        ({"table": "empty", "status": 200}, ""),
        ({"table": "packing", "packing": "gzip, gzip", "times": 100}, "packed as 'gzip, gzip'"),
    ],
    ids=str,
)
def test_a_success_without_rows_is_never_an_empty_table(
    engine: Engine, sandbox: DemoServers, fault: dict[str, Any], says: str
) -> None:
    error = failure(engine, select(**fault), UnexpectedShape)
    assert says in error.message
    assert sandbox.count() == 1


@pytest.mark.parametrize("location", ["", "http://elsewhere.example/", "//x", "?"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_said_and_not_followed(
    engine: Engine, sandbox: DemoServers, status: int, location: str
) -> None:
    error = failure(engine, select("redirect", status=status, location=location), Status)
    assert error.status == status
    assert "redirects are not followed" in error.hint
    assert [one.path for one in sandbox.requests] == ["/faults/redirect"]


def test_a_redirect_leads_to_rows_for_who_follows_it(sandbox: DemoServers) -> None:
    url = f"{sandbox.url}/chaos/faults/redirect"
    found = httpx.get(url, params={"total": 2, "times": 1}, follow_redirects=True).json()
    assert [row["number"] for row in found["items"]] == [0, 1]
    assert [one.status for one in sandbox.requests] == [302, 200]


# waits


def test_a_date_can_be_so_many_seconds_ahead(sandbox: DemoServers) -> None:
    before = time.time()
    given: dict[str, str | int] = {"times": 1, "retry_after": "+50"}
    reply = httpx.get(f"{sandbox.url}/chaos/faults/status", params=given)
    date = parsedate_to_datetime(reply.headers["Retry-After"])
    assert date.timestamp() > before + 49


def test_a_header_of_the_error_is_sent_as_it_is_told(sandbox: DemoServers) -> None:
    given: dict[str, str | int] = {"times": 1, "status": 401}
    given["header"] = 'WWW-Authenticate: Basic realm="x"'
    reply = httpx.get(f"{sandbox.url}/chaos/faults/status", params=given)
    assert reply.headers["WWW-Authenticate"] == 'Basic realm="x"'
    assert reply.headers["Server"] == "chaos"


# one page among several


def test_arguments_fail_each_by_itself(engine: Engine, sandbox: DemoServers) -> None:
    sql = """SELECT status, times, count(*) FROM chaos.faults.status
             WHERE status IN (500, 503) AND times IN (0, 1, 2) GROUP BY ALL ORDER BY ALL"""
    found = answer(engine, sql).fetchall()
    assert found == [(status, times, 3) for status in (500, 503) for times in (0, 1, 2)]
    assert sandbox.count() == 2 * (1 + 2 + 3)


# values


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("number", '"x"'), ("number", "1.5"), ("number", "true"), ("name", "7"), ("name", "{}"),
        ("price", '"much"'), ("price", "[]"), ("made_at", '"yesterday"'), ("made_at", "0"),
        ("in_stock", '"yes"'), ("in_stock", "1"), ("tags", '"a"'), ("tags", "[1]"),
        ("tags", '{"a": 1}'),
    ],
)  # fmt: skip
def test_a_value_of_another_type_is_an_error_that_names_its_column(
    engine: Engine, sandbox: DemoServers, column: str, value: str
) -> None:
    sql = f"""SELECT {column} FROM chaos.faults.wrong WHERE wrong_column = '{column}'
              AND wrong_value = '{value}'"""
    if column == "number":
        sql += " AND wrong_row = 0"
    error = failure(engine, sql, UnexpectedShape)
    assert column in error.message
    assert sandbox.count() == 1


def test_a_definition_may_take_a_wrong_value_for_null_or_as_text(engine: Engine) -> None:
    sql = """SELECT number, price_or_null IS NULL, name_as_text FROM chaos.faults.wrong
             WHERE wrong_column = '{}' AND wrong_value = '[1, "a"]' ORDER BY number"""
    found = answer(engine, sql.format("price")).fetchall()
    assert [one[:2] for one in found] == [(0, False), (1, True), (2, False)]
    found = answer(engine, sql.format("name")).fetchall()
    assert [one[1] for one in found] == [False] * 3
    assert found[1][2] in ('[1, "a"]', '[1,"a"]')


@pytest.mark.parametrize("value", ["null", '"a text"'])
def test_a_value_that_fits_or_is_missing_is_no_error(engine: Engine, value: str) -> None:
    sql = f"""SELECT name FROM chaos.faults.wrong WHERE number = 1 AND wrong_column = 'name'
              AND wrong_value = '{value}'"""
    assert answer(engine, sql).fetchall() == [(None if value == "null" else "a text",)]


def test_only_the_row_that_is_told_is_wrong(engine: Engine) -> None:
    sql = """SELECT count(*) FROM chaos.faults.wrong WHERE wrong_column = 'price'
             AND wrong_value = '[]' AND wrong_row = 99"""
    assert answer(engine, sql).fetchall() == [(3,)]
