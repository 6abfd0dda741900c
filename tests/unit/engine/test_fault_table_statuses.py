"""The table of faults: statuses, the waits they ask for, credentials and redirects."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connstat_sql import LiveDatabase, RateLimited, Status, Unauthorized
from connstat_sql.demo import DemoServers, Fault, World
from tests.chaos import chaos_of
from tests.conftest import FakeClock
from tests.fault_table import Case, DateIn, Said, Survived, check, fault, live, rows_of

ALWAYS = 1000
CLOCK = FakeClock()
SOON, PAST, LATER = DateIn(9), DateIn(-900), DateIn(86_400)

TABLE = (
    *(
        case
        for status in (408, 425, 429, 500, 502, 503, 504)
        for case in (
            fault(f"answers {status} once", "status", Survived(2), status=status),
            fault(f"answers {status} in a burst of three", "status", Survived(4),
                  status=status, times=3),
            fault(f"answers {status} for good", "status",
                  Said(RateLimited if status == 429 else Status, f"answered {status}: this is", 4),
                  status=status, times=ALWAYS),
        )
    ),
    *(
        fault(f"answers {status}", "status", Said(kind, f"answered {status}: no", 1),
              status=status, message="no")
        for kind, statuses in ((Unauthorized, (401, 403)), (Status, (400, 404, 405, 409, 418, 501)))
        for status in statuses
    ),
    fault("answers 503 to each page once", "status", Survived(6), total=25),
    fault("answers 503 to the second page", "status", Survived(4), total=25, at_page=2),
    *(
        fault(f"answers {status} and asks to wait {words}", "status", Survived(2, seconds),
              status=status, retry_after=text)
        for status in (429, 503)
        for words, text, seconds in (
            ("no second", "0", 0.0), ("7 seconds", "7", 7.0), ("a minute", "60", 60.0),
            ("until a date", SOON, 9.0), ("until a date long past", PAST, 0.0),
        )
    ),
    fault("asks to wait twice", "status", Survived(3, 14.0), status=429, retry_after="7", times=2),
    *(
        fault(f"asks to wait {text!r}, which means nothing", "status", Survived(2),
              status=429, retry_after=text)
        for text in ("soon", "-5", "1e3", "0x7", "Yesterday, 99 Foo 2026", "7, 7")
    ),
    *(
        fault(f"redirects with {status}", "redirect",
              Said(Status, "redirects are not followed", 1), status=status)
        for status in (301, 302, 303, 307, 308)
    ),
)  # fmt: skip

TOO_LONG = tuple(
        fault(f"asks to wait {words}", "status", Said(RateLimited, "wait", 1),
              status=429, retry_after=text, times=ALWAYS)
        for words, text in (("too long", "3600"), ("until tomorrow", LATER), ("for ever", "9" * 20))
)  # fmt: skip


@pytest.fixture(scope="module")
def database(sandbox: DemoServers) -> Iterator[LiveDatabase]:
    with live({"chaos": chaos_of(sandbox)}, clock=CLOCK) as opened:
        yield opened


@pytest.mark.parametrize("case", TABLE, ids=str)
def test_a_fault_is_survived_with_exact_rows_or_said(
    case: Case, database: LiveDatabase, sandbox: DemoServers
) -> None:
    check(case, database, sandbox, CLOCK)


@pytest.mark.parametrize("case", TOO_LONG, ids=str)
def test_a_wait_that_is_too_long_is_said_at_once(case: Case, sandbox: DemoServers) -> None:
    with live({"chaos": chaos_of(sandbox)}, clock=CLOCK) as database:
        check(case, database, sandbox, CLOCK)


# one page among several


def test_what_fails_for_good_on_a_later_page_is_said_or_leaves_the_pages_before(
    database: LiveDatabase, sandbox: DemoServers
) -> None:
    case = fault("fails on page 3", "status", Said(Status, "503", 4),
                 total=25, at_page=3, times=ALWAYS)  # fmt: skip
    with pytest.raises(Status) as caught:
        database.sql(case.sql(CLOCK.time))
    assert caught.value.attempts == 4
    assert [one.status for one in sandbox.requests] == [200, 200, 503, 503, 503, 503]
    result = database.sql(case.sql(CLOCK.time), partial=True)
    assert not result.complete
    assert result.fetchall() == rows_of(25)[:20]
    sql = "SELECT connection, status, attempts, url LIKE '%page_token=%' FROM _errors"
    assert database.sql(sql).fetchall() == [("chaos", 503, 4, True)]


# credentials

GUARDED = """\
provider: guarded
description: The pages of chaos behind a token, and a limit that ends at a time since 1970
settings:
  token_url: {description: Where the token comes from}
  client_id: {description: Client id}
  client_secret: {secret: true, description: Its secret}
auth:
  - client_credentials:
      token_url: "{token_url}"
      client_id: "{client_id}"
      client_secret: "{client_secret}"
limits: {reset: epoch}
"""
LISTS = """\
service: lists
description: Rows by token
resources:
  rows:
    description: Twenty-five rows on three pages
    columns:
      number: BIGINT -- Number of the row
      name: VARCHAR -- Name of the row
    methods:
      list:
        path: /pages/tokens
        query: {total: "25", size: "10"}
        rows: items
        paging: {style: token, request: page_token, response: next_page_token}
    example: SELECT number FROM guarded.lists.rows
"""
ROWS = "SELECT number, name FROM guarded.lists.rows ORDER BY number"


@pytest.fixture
def guarded(sandbox: DemoServers, tmp_path: Path) -> Iterator[LiveDatabase]:
    folder = tmp_path / "guarded"
    folder.mkdir()
    (folder / "provider.yaml").write_text(GUARDED)
    (folder / "lists.yaml").write_text(LISTS)
    proof = sandbox.connections["redpanda"]
    keys = ("token_url", "client_id", "client_secret")
    told = {
        "guarded": {
            "provider": "guarded",
            "base_url": f"{sandbox.url}/chaos",
            **{key: proof[key] for key in keys},
        }
    }
    with live(told, (folder,), clock=CLOCK) as opened:
        yield opened


def tokens_asked(sandbox: DemoServers) -> int:
    return sum(one.path == "/oauth/token" for one in sandbox.requests)


def pages_asked(sandbox: DemoServers) -> list[tuple[int, int]]:
    """Which page each request was for, from 1, and the status of its answer."""
    found: dict[str, int] = {}
    asked = [one for one in sandbox.requests if one.path == "/pages/tokens"]
    return [(found.setdefault(one.query, len(found) + 1), one.status) for one in asked]


@pytest.mark.parametrize("page", [1, 2, 3])
def test_a_token_that_expires_while_paging_is_renewed_once_and_paging_goes_on_at_the_same_page(
    guarded: LiveDatabase, sandbox: DemoServers, page: int
) -> None:
    sandbox.inject(Fault(path="/pages/tokens", status=401, after=page - 1, times=1))
    assert guarded.sql(ROWS).fetchall() == rows_of(25)
    expected = [(1, 200), (2, 200), (3, 200)]
    expected.insert(page - 1, (page, 401))
    assert pages_asked(sandbox) == expected
    assert tokens_asked(sandbox) == 2


@pytest.mark.parametrize("page", [1, 3])
def test_a_401_that_stays_is_said_after_one_renewal(
    guarded: LiveDatabase, sandbox: DemoServers, page: int
) -> None:
    sandbox.inject(Fault(path="/pages/tokens", status=401, after=page - 1))
    with pytest.raises(Unauthorized) as caught:
        guarded.sql(ROWS)
    assert caught.value.status == 401
    assert pages_asked(sandbox)[page - 1 :] == [(page, 401), (page, 401)]
    assert tokens_asked(sandbox) == 2


def test_tokens_that_end_at_once_are_each_used_once(
    guarded: LiveDatabase, sandbox: DemoServers
) -> None:
    sandbox.token_lifetime = 0.0
    try:
        assert guarded.sql(ROWS).fetchall() == rows_of(25)
    finally:
        sandbox.token_lifetime = 3600.0
    assert pages_asked(sandbox) == [(1, 200), (2, 200), (3, 200)]
    assert tokens_asked(sandbox) == 3


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_token_that_is_refused_is_said_once_and_no_page_is_asked(
    guarded: LiveDatabase, sandbox: DemoServers, status: int
) -> None:
    sandbox.inject(Fault(path="/oauth/token", status=status))
    with pytest.raises(Unauthorized, match="gave no token"):
        guarded.sql(ROWS)
    assert (tokens_asked(sandbox), pages_asked(sandbox)) == (1, [])


def test_a_token_server_that_fails_in_a_burst_is_survived(
    guarded: LiveDatabase, sandbox: DemoServers
) -> None:
    sandbox.inject(Fault(path="/oauth/token", status=503, times=3))
    assert guarded.sql(ROWS).fetchall() == rows_of(25)
    assert (tokens_asked(sandbox), len(pages_asked(sandbox))) == (4, 3)


# limits that end at some time


def test_a_limit_that_ends_at_a_time_is_waited_for(
    guarded: LiveDatabase, sandbox: DemoServers
) -> None:
    CLOCK.slept.clear()
    headers = {"X-RateLimit-Reset": str(int(CLOCK.time) + 12)}
    sandbox.inject(Fault(path="/pages/tokens", status=429, headers=headers, after=1, times=1))
    assert guarded.sql(ROWS).fetchall() == rows_of(25)
    assert 11 <= sum(CLOCK.slept) <= 12
    assert pages_asked(sandbox) == [(1, 200), (2, 429), (2, 200), (3, 200)]


ENVIRONMENTS = "SELECT id FROM confluent.org.environments"


def test_a_limit_that_ends_in_some_seconds_is_waited_for(sandbox: DemoServers) -> None:
    clock = FakeClock()
    headers = {"Retry-After": "", "X-RateLimit-Reset": "12"}
    sandbox.inject(Fault(status=429, headers=headers, times=2))
    with live({"confluent": sandbox.connections["confluent"]}, clock=clock) as confluent:
        assert len(confluent.sql(ENVIRONMENTS).fetchall()) == 3
    assert sum(clock.slept) == 24
    assert sandbox.count() == 3


# redirects


@pytest.fixture(scope="module")
def other() -> Iterator[DemoServers]:
    """Another host, which nobody trusts."""
    with DemoServers(World.seeded(8)) as running:
        yield running


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    ("connection", "path", "sql"),
    [
        ("confluent", "/org/v2/environments", ENVIRONMENTS),
        ("redpanda", "/v1/clusters", "SELECT name FROM redpanda.controlplane.clusters"),
        ("redpanda", "/oauth/token", "SELECT name FROM redpanda.controlplane.clusters"),
        ("aeontel", "*", "SELECT id FROM aeontel.workspaces.workspaces"),
    ],
)
def test_nothing_follows_a_redirect_to_another_host(
    sandbox: DemoServers, other: DemoServers, status: int, connection: str, path: str, sql: str
) -> None:
    target = f"{other.url}/{connection}{'' if path == '*' else path}"
    sandbox.inject(Fault(path=path, status=status, headers={"Location": target}))
    with (
        live({connection: sandbox.connections[connection]}) as database,
        pytest.raises(Status, match=f"answered {status}") as caught,
    ):
        database.sql(sql)
    assert "redirects are not followed" in caught.value.hint
    assert sum(one.status == status for one in sandbox.requests) == 1
    assert other.count() == 0


# statuses that mean something to one table


def test_a_404_is_no_row_where_that_is_declared_and_an_error_where_it_is_not(
    sandbox: DemoServers,
) -> None:
    told = {"plant_a": sandbox.connections["plant_a"]}
    names = "('pricing-mysql-source', 'no-such-connector')"
    with live(told) as database:
        result = database.sql(
            f"SELECT name FROM plant_a.connect.connector_status WHERE connector_name IN {names}"
        )
        assert result.fetchall() == [("pricing-mysql-source",)]
        assert result.complete
        sandbox.inject(Fault(path="/connectors", status=404))
        with pytest.raises(Status, match="answered 404"):
            database.sql("SELECT name FROM plant_a.connect.connectors")


@pytest.mark.parametrize("status", [409, 500])
def test_a_rebalance_is_waited_out_and_another_fault_of_that_status_is_said(
    sandbox: DemoServers, status: int
) -> None:
    sql = "SELECT name FROM plant_a.connect.connectors ORDER BY name"
    with live({"plant_a": sandbox.connections["plant_a"]}) as database:
        expected = database.sql(sql).fetchall()
        sandbox.inject(Fault(api="plant_a", status=status, times=3))
        assert database.sql(sql).fetchall() == expected
        sandbox.heal()
        sandbox.reset()
        sandbox.inject(Fault(api="plant_a", status=status, body=b'{"message": "no"}'))
        with pytest.raises(Status, match=f"answered {status}: no"):
            database.sql(sql)
    assert sandbox.count() == 1
