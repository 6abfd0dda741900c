"""Each paging fault of the chaos provider over a real socket: exact rows, or what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connstat_sql.demo import DemoServers
from connstat_sql.engine import Engine
from connstat_sql.errors import FetchError, PlanError, UnexpectedShape
from connstat_sql.result import Options
from connstat_sql.transport import Attempt
from tests.chaos import chaos_of
from tests.conftest import engine_of
from tests.examples import examples

SENT: list[Attempt] = []


@pytest.fixture(scope="module")
def engine(sandbox: DemoServers) -> Iterator[Engine]:
    with engine_of({"chaos": chaos_of(sandbox)}, observe=SENT.append) as opened:
        yield opened


def numbers(engine: Engine, table: str, where: str, **options: Any) -> list[int]:
    """Numbers of a table's rows, in the order of the pages."""
    sql = f"SELECT number FROM chaos.paging_faults.{table} WHERE {where} ORDER BY page, number"
    *_, result = engine.run(sql, None, Options(**options))
    assert result.complete
    return [row[0] for row in result.fetchall()]


def said(engine: Engine, table: str, where: str) -> FetchError:
    with pytest.raises(UnexpectedShape) as caught:
        numbers(engine, table, where)
    assert caught.value.table == f"chaos.paging_faults.{table}"
    assert caught.value.request is not None
    return caught.value


def test_an_endless_cursor_ends_at_the_budget_with_an_error(
    engine: Engine, sandbox: DemoServers
) -> None:
    with pytest.raises(PlanError) as caught:
        numbers(engine, "endless", "pages = 0", max_requests=7)
    assert caught.value.requests_sent == sandbox.count() == 7
    assert "--max-requests" in caught.value.hint
    assert "7 pages of one list were read" in caught.value.message


def test_a_list_may_be_as_long_as_the_budget(engine: Engine, sandbox: DemoServers) -> None:
    found = numbers(engine, "endless", "pages = 7 AND size = 3", max_requests=7)
    assert found == list(range(21))
    assert sandbox.count() == 7


@pytest.mark.parametrize("period", [1, 2, 5])
def test_a_cursor_that_comes_again_is_an_error(
    engine: Engine, sandbox: DemoServers, period: int
) -> None:
    error = said(engine, "repeating", f"period = {period} AND total = 100")
    assert "repeats its page_token" in error.message
    assert sandbox.count() <= 2 * period + 1


def test_more_pages_without_a_token_are_an_error(engine: Engine, sandbox: DemoServers) -> None:
    error = said(engine, "lost_tokens", "lost_after = 2")
    assert "there are more pages, but `next_page_token` holds no token" in error.message
    assert sandbox.count() == 2


HOSTS = ["elsewhere.example", "user:pw@elsewhere.example", "elsewhere.example:1", "[::1]:9"]


@pytest.mark.parametrize("table", ["foreign_links", "foreign_link_headers"])
@pytest.mark.parametrize("host", HOSTS)
def test_links_to_another_host_are_an_error_and_nothing_is_sent_there(
    engine: Engine, sandbox: DemoServers, table: str, host: str
) -> None:
    SENT.clear()
    error = said(engine, table, f"host = '{host}'")
    assert "the link to the next page leads to 'https://" in error.message
    assert f", not to {sandbox.url}" in error.message
    assert "any_host: true" in error.hint
    assert "pw" not in error.message
    assert sandbox.count() == len(SENT) == 1


@pytest.mark.parametrize("table", ["foreign_links", "foreign_link_headers"])
def test_links_to_our_own_host_are_followed(
    engine: Engine, sandbox: DemoServers, table: str
) -> None:
    assert numbers(engine, table, "host = ''") == list(range(25))
    assert sandbox.count() == 3


@pytest.mark.parametrize("host", ["", *HOSTS])
def test_links_that_may_name_any_host_are_followed_on_our_own(
    engine: Engine, sandbox: DemoServers, host: str
) -> None:
    SENT.clear()
    assert numbers(engine, "gateway_links", f"host = '{host}'") == list(range(25))
    assert sandbox.count() == len(SENT) == 3
    assert all(one.line.url.startswith(f"{sandbox.url}/chaos/") for one in SENT)


@pytest.mark.parametrize(("every", "requests"), [(2, 2), (3, 3), (1, 1)])
def test_an_empty_page_with_a_token_is_an_error(
    engine: Engine, sandbox: DemoServers, every: int, requests: int
) -> None:
    error = said(engine, "empty_pages", f"every = {every}")
    assert "1 page without rows, and the API says that there are more" in error.message
    assert "empty_pages: 10" in error.hint
    assert sandbox.count() == requests


@pytest.mark.parametrize(("every", "requests"), [(0, 3), (2, 5), (3, 4)])
def test_empty_pages_that_are_expected_lose_no_row(
    engine: Engine, sandbox: DemoServers, every: int, requests: int
) -> None:
    assert numbers(engine, "filtered_pages", f"every = {every}") == list(range(25))
    assert sandbox.count() == requests


def test_nothing_but_empty_pages_is_more_than_was_expected(
    engine: Engine, sandbox: DemoServers
) -> None:
    assert "page 3: 3 pages without rows" in said(engine, "filtered_pages", "every = 1").message
    assert sandbox.count() == 3


@pytest.mark.parametrize("length", [0, 100, 4_000])
def test_a_long_token_is_sent_as_it_is(engine: Engine, sandbox: DemoServers, length: int) -> None:
    assert numbers(engine, "long_tokens", f"length = {length}") == list(range(25))
    assert sandbox.count() == 3


def test_a_token_too_long_to_be_sent_is_an_error(engine: Engine, sandbox: DemoServers) -> None:
    error = said(engine, "long_tokens", "length = 20000")
    assert "more than 16,384 cannot be sent" in error.message
    assert len(error.message) < 300
    assert sandbox.count() == 1


def test_tokens_hold_while_rows_are_inserted(engine: Engine, sandbox: DemoServers) -> None:
    assert numbers(engine, "shifting_tokens", "total = 25") == list(range(25))
    assert sandbox.count() == 3


@pytest.mark.parametrize(
    ("inserted", "found"),
    [
        (0, [*range(25)]),
        (1, [*range(10), *range(9, 19), *range(18, 25)]),
        (3, [*range(10), *range(7, 17), *range(14, 24), *range(21, 25)]),
        (-2, [*range(10), *range(12, 22), 24]),
    ],
)
def test_offsets_give_what_the_server_gives_while_rows_move(
    engine: Engine, sandbox: DemoServers, inserted: int, found: list[int]
) -> None:
    assert numbers(engine, "shifting_offsets", f"inserted = {inserted}") == found
    assert sandbox.count() == -(-len(found) // 10)


@pytest.mark.parametrize(("inserted", "requests"), [(0, 3), (1, 3), (3, 4), (9, 16)])
def test_rows_that_come_again_are_left_out_by_their_key(
    engine: Engine, sandbox: DemoServers, inserted: int, requests: int
) -> None:
    assert numbers(engine, "shifting_keys", f"inserted = {inserted}") == list(range(25))
    assert sandbox.count() <= requests


@pytest.mark.parametrize("inserted", [1, 3, -2, -10])
def test_a_total_that_shifts_is_an_error(engine: Engine, inserted: int) -> None:
    error = said(engine, "shifting_totals", f"inserted = {inserted}")
    assert "`count.rows` is " in error.message
    assert ", and was 25 on page 1" in error.message
    assert "run the query again" in error.hint


@pytest.mark.parametrize(("page", "lost"), [(1, 10), (2, 1), (2, 10), (3, 1), (3, 5)])
def test_a_page_that_lacks_rows_of_the_total_is_an_error(
    engine: Engine, page: int, lost: int
) -> None:
    error = said(engine, "short_pages", f"short_page = {page} AND lost = {lost}")
    assert "though " in error.message
    assert "`count.rows` is 25" in error.message


@pytest.mark.parametrize("table", ["totals", "page_totals"])
def test_pages_that_are_counted_are_asked_for_once_each(
    engine: Engine, sandbox: DemoServers, table: str
) -> None:
    sql = f"SELECT number FROM chaos.pages.{table} WHERE total = 1234 AND size = 50"
    *_, result = engine.run(f"{sql} ORDER BY number")
    assert [row[0] for row in result.fetchall()] == list(range(1234))
    assert sandbox.count() == 25


def test_pages_beyond_a_limit_are_not_asked_for(engine: Engine, sandbox: DemoServers) -> None:
    *_, result = engine.run("SELECT number FROM chaos.pages.totals WHERE total = 999 LIMIT 35")
    assert len(result.fetchall()) == 35
    assert sandbox.count() == 4


def test_a_list_longer_than_the_budget_is_refused_after_its_first_page(
    engine: Engine, sandbox: DemoServers
) -> None:
    sql = "SELECT count(*) FROM chaos.pages.totals WHERE total = 1000"
    with pytest.raises(PlanError, match="needs 100 of the 100 pages of a list") as caught:
        [*engine.run(sql, None, Options(max_requests=99))]
    assert "--max-requests 100" in caught.value.hint
    assert sandbox.count() == 1


SURVIVED = {
    "tokens": ("pages", ""), "cursors": ("pages", ""), "links": ("pages", ""),
    "link_headers": ("pages", ""), "page_numbers": ("pages", ""),
    "totals": ("pages", ""), "page_totals": ("pages", ""),
    "filtered_pages": ("paging_faults", "AND every = 2"),
    "shifting_tokens": ("paging_faults", ""), "gateway_links": ("paging_faults", ""),
    "shifting_keys": ("paging_faults", "AND inserted = 0"),
    "shifting_totals": ("paging_faults", "AND inserted = 0"),
    "short_pages": ("paging_faults", "AND lost = 0"),
}  # fmt: skip


@settings(max_examples=examples(40), deadline=None)
@given(
    table=st.sampled_from(sorted(SURVIVED)),
    total=st.integers(0, 60),
    size=st.integers(1, 40),
    seed=st.integers(0, 3),
)
def test_pages_of_any_size_give_what_the_whole_list_gives(
    engine: Engine, table: str, total: int, size: int, seed: int
) -> None:
    service, more = SURVIVED[table]
    wanted = f"total = {total} AND seed = {seed}"
    paged = f"SELECT number, name FROM chaos.{service}.{table} WHERE {wanted} AND size = {size}"
    whole = f"SELECT number, name FROM chaos.pages.whole WHERE {wanted}"
    found, expected = (
        [*engine.run(f"{sql} ORDER BY number")][-1].fetchall() for sql in (f"{paged} {more}", whole)
    )
    assert found == expected
    assert len(found) == total
