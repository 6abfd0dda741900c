"""Each fault of the chaos provider over a real socket: survived with exact rows, or said."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from email.utils import formatdate, parsedate_to_datetime
from typing import Any

import httpx
import pytest

from connstat_sql.engine import Engine
from connstat_sql.errors import (
    ConnectionFailed,
    FetchError,
    RateLimited,
    Status,
    Unauthorized,
    UnexpectedShape,
)
from connstat_sql.result import Options, Result
from connstat_sql.sandbox import Sandbox
from tests.conftest import FakeClock, engine_of

CLOCK = FakeClock()


@pytest.fixture(scope="module")
def engine(sandbox: Sandbox) -> Iterator[Engine]:
    with engine_of({"chaos": sandbox.connections["chaos"]}, clock=CLOCK) as opened:
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


def expected(engine: Engine, sandbox: Sandbox, total: int = 3) -> list[tuple[Any, ...]]:
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

MENDED: Mapping[str, Mapping[str, object]] = {
    "status 503": {"table": "status", "status": 503},
    "status 408": {"table": "status", "status": 408},
    "status 429": {"table": "status", "status": 429},
    "status 500": {"table": "status", "status": 500},
    "no byte": {"table": "cut", "bytes": 0},
    "one byte": {"table": "cut", "bytes": 1},
    "some bytes": {"table": "cut", "bytes": 100},
    "too long by one": {"table": "length", "off": 1},
    "too long": {"table": "length", "off": 5000},
    "too short": {"table": "length", "off": -1},
    "reset": {"table": "reset"},
    "packed": {"table": "packing", "packing": "gzip"},
    "deflated": {"table": "packing", "packing": "deflate"},
    "no chunks": {"table": "chunks", "kind": "garbage"},
    "endless chunks": {"table": "chunks", "kind": "endless"},
    "web page of 502": {"table": "html", "status": 502},
    "empty 504": {"table": "empty", "status": 504},
}


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("fault", MENDED.values(), ids=MENDED)
def test_a_fault_within_the_attempts_is_survived_with_exact_rows(
    engine: Engine, sandbox: Sandbox, slept: list[float], fault: dict[str, Any], times: int
) -> None:
    rows = expected(engine, sandbox)
    result = answer(engine, select(**fault, times=times))
    assert result.fetchall() == rows
    assert result.complete
    assert sandbox.count() == times + 1
    assert result.scans[0].retries == len(slept) == times
    assert sandbox.requests[-1].status == 200


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
    engine: Engine, sandbox: Sandbox, fault: dict[str, Any], kind: type[FetchError], says: str
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


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 418, 451, 501])
def test_a_status_that_stays_is_asked_for_once(
    engine: Engine, sandbox: Sandbox, status: int
) -> None:
    sql = select("status", status=status, times=100, message=f"said {status}")
    error = failure(engine, sql, Unauthorized if status in (401, 403) else Status)
    assert error.message == f"chaos answered {status}: said {status}"
    assert (error.status, error.attempts, sandbox.count()) == (status, 1, 1)


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ({"table": "html", "status": 200}, "JSON"),
        ({"table": "html", "status": 203}, "JSON"),
        ({"table": "empty", "status": 204}, ""),
        ({"table": "empty", "status": 200}, ""),
        ({"table": "packing", "packing": "br", "times": 100}, "packed as 'br'"),
        ({"table": "packing", "packing": "gzip, gzip", "times": 100}, "packed as 'gzip, gzip'"),
    ],
    ids=str,
)
def test_a_success_without_rows_is_never_an_empty_table(
    engine: Engine, sandbox: Sandbox, fault: dict[str, Any], says: str
) -> None:
    error = failure(engine, select(**fault), UnexpectedShape)
    assert says in error.message
    assert sandbox.count() == 1


@pytest.mark.parametrize("location", ["", "http://elsewhere.example/", "//x", "?"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_said_and_not_followed(
    engine: Engine, sandbox: Sandbox, status: int, location: str
) -> None:
    error = failure(engine, select("redirect", status=status, location=location), Status)
    assert error.status == status
    assert "redirects are not followed" in error.hint
    assert [one.path for one in sandbox.requests] == ["/faults/redirect"]


def test_a_redirect_leads_to_rows_for_who_follows_it(sandbox: Sandbox) -> None:
    url = f"{sandbox.url}/chaos/faults/redirect"
    found = httpx.get(url, params={"total": 2, "times": 1}, follow_redirects=True).json()
    assert [row["number"] for row in found["items"]] == [0, 1]
    assert [one.status for one in sandbox.requests] == [302, 200]


# waits


@pytest.mark.parametrize(("text", "waited"), [("0", 0.0), ("7", 7.0), ("60", 60.0)])
def test_seconds_to_wait_are_kept(
    engine: Engine, sandbox: Sandbox, slept: list[float], text: str, waited: float
) -> None:
    answer(engine, select("status", status=429, retry_after=text, times=2))
    assert slept == [waited, waited]
    assert sandbox.count() == 3


def test_a_date_to_wait_for_is_kept(engine: Engine, slept: list[float]) -> None:
    date = formatdate(int(CLOCK.now()) + 9, usegmt=True)
    answer(engine, select("status", retry_after=date))
    assert slept == [pytest.approx(9, abs=1)]


def test_a_date_can_be_so_many_seconds_ahead(sandbox: Sandbox) -> None:
    before = time.time()
    given: dict[str, str | int] = {"times": 1, "retry_after": "+50"}
    reply = httpx.get(f"{sandbox.url}/chaos/faults/status", params=given)
    date = parsedate_to_datetime(reply.headers["Retry-After"])
    assert date.timestamp() > before + 49


@pytest.mark.parametrize("text", ["61", "99999999999999999999"])
def test_a_wait_that_is_too_long_is_said_at_once(
    engine: Engine, sandbox: Sandbox, slept: list[float], text: str
) -> None:
    error = failure(engine, select("status", status=429, retry_after=text), RateLimited)
    assert "wait" in error.hint
    assert (slept, sandbox.count()) == ([], 1)
    answer(engine, select("status", status=429, retry_after=text))


@pytest.mark.parametrize("text", ["soon", "-5", "1e3", "Yesterday, 99 Foo 2026"])
def test_a_wait_that_means_nothing_is_as_good_as_none(
    engine: Engine, sandbox: Sandbox, slept: list[float], text: str
) -> None:
    answer(engine, select("status", retry_after=text))
    assert sandbox.count() == 2
    assert [0 <= one <= 8 for one in slept] == [True]


def test_a_header_of_the_error_is_sent_as_it_is_told(sandbox: Sandbox) -> None:
    given: dict[str, str | int] = {"times": 1, "status": 401}
    given["header"] = 'WWW-Authenticate: Basic realm="x"'
    reply = httpx.get(f"{sandbox.url}/chaos/faults/status", params=given)
    assert reply.headers["WWW-Authenticate"] == 'Basic realm="x"'
    assert reply.headers["Server"] == "chaos"


def test_a_slow_answer_is_waited_for(engine: Engine, sandbox: Sandbox) -> None:
    rows = expected(engine, sandbox)
    assert answer(engine, select("slow", milliseconds=5, times=1)).fetchall() == rows
    assert sandbox.count() == 1


def test_a_slow_answer_is_asked_for_again_when_it_comes_too_late(
    engine: Engine, sandbox: Sandbox
) -> None:
    rows = expected(engine, sandbox)
    with engine_of({"chaos": sandbox.connections["chaos"]}, timeout=1.0) as hurried:
        result = answer(hurried, select("slow", milliseconds=60_000, times=1))
    assert result.fetchall() == rows
    assert result.scans[0].retries == 1


def test_answers_that_are_all_too_slow_are_given_up(sandbox: Sandbox) -> None:
    with engine_of({"chaos": sandbox.connections["chaos"]}, timeout=0.05) as hurried:
        error = failure(hurried, select("slow", milliseconds=60_000, times=1000), ConnectionFailed)
    assert "no answer within 0.05 s" in error.message
    assert error.attempts == 4


# one page among several


def test_each_page_goes_wrong_by_itself(
    engine: Engine, sandbox: Sandbox, slept: list[float]
) -> None:
    rows = expected(engine, sandbox, total=25)
    assert answer(engine, select("status", total=25, times=2)).fetchall() == rows
    assert [one.status for one in sandbox.requests] == [503, 503, 200] * 3
    assert len(slept) == 6


def test_a_page_in_the_middle_can_be_the_only_one_that_fails(
    engine: Engine, sandbox: Sandbox
) -> None:
    rows = expected(engine, sandbox, total=25)
    assert answer(engine, select("status", total=25, at_page=2)).fetchall() == rows
    assert [one.status for one in sandbox.requests] == [200, 503, 200, 200]


def test_without_its_last_page_a_list_is_an_error_or_partial(
    engine: Engine, sandbox: Sandbox
) -> None:
    rows = expected(engine, sandbox, total=25)
    sql = select("status", total=25, at_page=3, times=1000)
    assert failure(engine, sql, Status).attempts == 4
    sandbox.reset()
    result = answer(engine, sql, partial=True)
    assert not result.complete
    assert result.fetchall() == rows[:20]
    assert [one.error.status for one in result.errors] == [503]


def test_arguments_fail_each_by_itself(engine: Engine, sandbox: Sandbox) -> None:
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
    engine: Engine, sandbox: Sandbox, column: str, value: str
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
