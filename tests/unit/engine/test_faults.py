"""What an API does wrong, over real sockets, as SQL sees it: exact rows or a located error."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from connstat_sql.demo import DemoServers, Fault
from connstat_sql.engine import Engine
from connstat_sql.errors import (
    FetchError,
    PlanError,
    RateLimited,
    Status,
    Unauthorized,
    UnexpectedShape,
)
from connstat_sql.result import Options, Result
from tests.conftest import FakeClock, engine_of

ENVIRONMENTS = "SELECT id, display_name FROM confluent.org.environments ORDER BY id"
STATUS = "SELECT name, type FROM plant_a.connect.connector_status WHERE connector_name = '{}'"
ALL = "SELECT name FROM plant_a.connect.connectors ORDER BY name"
NAME = "pricing-mysql-source"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def engine(sandbox: DemoServers, clock: FakeClock) -> Iterator[Engine]:
    with engine_of(sandbox.connections, clock=clock) as engine:
        yield engine


def answer(engine: Engine, sql: str, **options: Any) -> Result:
    (result,) = engine.run(sql, None, Options(**options))
    return result


def rows(engine: Engine, sql: str) -> list[dict[str, Any]]:
    return list(answer(engine, sql).table.to_pylist())


def failure(engine: Engine, sql: str, kind: type[FetchError]) -> FetchError:
    with pytest.raises(FetchError) as caught:
        rows(engine, sql)
    assert type(caught.value) is kind, repr(caught.value)
    assert caught.value.message
    return caught.value


def located(error: FetchError) -> tuple[str, str, str, int | None, int]:
    """Table, connection, path of the request, status, attempts."""
    assert error.request is not None
    path = error.request.url.partition("127.0.0.1:")[2].partition("/")[2]
    place = f"{error.request.method} /{path}"
    return error.table, error.connection, place, error.status, error.attempts


ENVIRONMENTS_PLACE = "GET /confluent/org/v2/environments?page_size=100"
STATUS_PLACE = f"GET /kafka-connect/plant_a/connectors/{NAME}/status"


# nobody answers


@pytest.mark.parametrize(
    "fault",
    [Fault(reset=True, times=1), Fault(cut=10, times=3), Fault(status=503, times=3),
     Fault(status=502, times=1, body=b"<html>"), Fault(status=429, times=2)],
)  # fmt: skip
def test_faults_within_the_attempts_are_survived(
    sandbox: DemoServers, engine: Engine, clock: FakeClock, fault: Fault
) -> None:
    with engine_of(sandbox.connections) as another:
        expected = rows(another, ENVIRONMENTS)
    sandbox.inject(fault)
    result = answer(engine, ENVIRONMENTS)
    assert list(result.table.to_pylist()) == expected
    assert result.scans[0].retries == len(clock.slept) == fault.times
    assert result.complete
    assert all(0 <= waited <= 8 for waited in clock.slept)


# statuses


@pytest.mark.parametrize(
    ("status", "kind", "attempts"),
    [
        (400, Status, 1), (401, Unauthorized, 1), (403, Unauthorized, 1), (404, Status, 1),
        (409, Status, 1), (418, Status, 1), (429, RateLimited, 4), (500, Status, 4),
        (503, Status, 4), (302, Status, 1),
    ],
)  # fmt: skip
def test_a_bad_status_is_an_error_and_never_no_rows(
    sandbox: DemoServers, engine: Engine, status: int, kind: type[FetchError], attempts: int
) -> None:
    sandbox.inject(Fault(status=status))
    error = failure(engine, ENVIRONMENTS, kind)
    expected = ("confluent.org.environments", "confluent", ENVIRONMENTS_PLACE, status, attempts)
    assert located(error) == expected
    assert f"confluent answered {status}" in error.message
    assert sandbox.count() == attempts


@pytest.mark.parametrize("status", [401, 403])
def test_being_refused_one_connector_is_an_error_and_not_a_missing_row(
    sandbox: DemoServers, engine: Engine, status: int
) -> None:
    sandbox.inject(Fault(path="*/status", status=status))
    sql = STATUS.format(NAME)
    error = failure(engine, sql, Unauthorized)
    assert (error.status, error.attempts) == (status, 1)
    assert "plant_a" in error.hint


def test_a_declared_404_is_no_row_and_a_note(sandbox: DemoServers, engine: Engine) -> None:
    result = answer(engine, STATUS.format("no-such-connector"))
    assert result.table.num_rows == 0
    assert result.complete
    assert result.notes == (
        "kafka_connect.connect.connector_status: 1 of 2 requests found no such row",
    )
    assert sandbox.count() == 2  # the names say that it is not there


def test_a_404_that_is_a_web_page_is_an_error(sandbox: DemoServers, engine: Engine) -> None:
    sandbox.inject(Fault(path="*/status", status=404, body=b" <!doctype html><p>nginx"))
    error = failure(engine, STATUS.format(NAME), Status)
    assert "web page" in error.message


@pytest.mark.parametrize(
    "body", [b"", b"Not Found", b'{"url":"/x","status":"404","message":"Not Found"}']
)
def test_a_404_of_what_stands_before_a_worker_is_an_error(
    sandbox: DemoServers, engine: Engine, body: bytes
) -> None:
    sandbox.inject(Fault(path="*/status", status=404, body=body))
    error = failure(engine, STATUS.format(NAME), Status)
    assert "404 in words that are not its own: it may be starting" in error.message
    assert "base_url" in error.hint
    assert located(error)[2:] == (STATUS_PLACE, 404, 1)


def test_a_404_on_a_later_page_is_an_error_and_not_the_end(
    sandbox: DemoServers, engine: Engine
) -> None:
    page = {"connectors": [{"name": "one"}], "next_page_token": "more"}
    body = json.dumps(page).encode()
    sandbox.inject(Fault(path="*/connectors", status=200, body=body, times=1))
    sandbox.inject(Fault(path="*/connectors", status=404))
    sql = "SELECT name FROM redpanda.kafka_connect.connectors WHERE cluster_id = 'rp-1'"
    error = failure(engine, sql, Status)
    assert error.status == 404
    assert error.request is not None
    assert "page_token=more" in error.request.url


# rebalances


@pytest.mark.parametrize("status", [409, 500])
def test_a_rebalance_of_kafka_connect_is_waited_out(
    sandbox: DemoServers, engine: Engine, clock: FakeClock, status: int
) -> None:
    expected = rows(engine, ALL)
    sandbox.inject(Fault(api="plant_a", status=status, times=3))
    assert rows(engine, ALL) == expected
    assert len(clock.slept) == 3


@pytest.mark.parametrize(
    ("status", "message"),
    [(409, "Connector x already exists"), (500, "Request timed out"), (500, "")],
)
def test_another_409_or_500_of_kafka_connect_is_not_tried_again(
    sandbox: DemoServers, engine: Engine, status: int, message: str
) -> None:
    body = json.dumps({"error_code": status, "message": message}).encode()
    sandbox.inject(Fault(api="plant_a", status=status, body=body))
    error = failure(engine, ALL, Status)
    assert (error.status, error.attempts) == (status, 1)
    assert message in error.message
    assert sandbox.count() == 1


def test_a_409_of_another_vendor_is_not_a_rebalance(sandbox: DemoServers, engine: Engine) -> None:
    body = b'{"message": "a rebalance is expected"}'
    sandbox.inject(Fault(api="confluent", status=409, body=body))
    assert failure(engine, ENVIRONMENTS, Status).attempts == 1


# bodies


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (200, b"<html>please log in</html>", "HTML"),
        (200, b"", "empty body"),
        (204, b"", "empty body"),
        (200, b"null", "expected an array"),
        (200, b"[]", "expected an array"),
        (200, b"{}", "an empty object"),
        (200, b'{"data": {}}', "data"),
        (200, b'{"data": [1]}', "environments"),
        (200, b'{"data": [{"id": 5}]}', "column id is VARCHAR"),
        (200, b'{"data": [{"id": "env-1"}', "JSON"),
        (200, b'{"data": [{"id": "\xff"}]}', "environments"),
        (200, b'{"data": ' + b"[" * 20_000 + b"]" * 20_000 + b"}", "environments"),
    ],
)
def test_a_body_that_is_not_what_was_declared_is_an_error(
    sandbox: DemoServers, engine: Engine, status: int, body: bytes, says: str
) -> None:
    sandbox.inject(Fault(status=status, body=body))
    error = failure(engine, ENVIRONMENTS, UnexpectedShape)
    assert says in error.message
    assert located(error) == (
        "confluent.org.environments", "confluent", ENVIRONMENTS_PLACE, status, 1)  # fmt: skip
    assert sandbox.count() == 1


def test_deep_json_beside_the_columns_is_an_error_too(sandbox: DemoServers, engine: Engine) -> None:
    deep = b"[" * 100_000 + b"]" * 100_000
    sandbox.inject(Fault(status=200, body=b'{"data": [{"id": "env-1", "x": ' + deep + b"}]}"))
    error = failure(engine, ENVIRONMENTS, UnexpectedShape)
    assert located(error)[3:] == (200, 1)


# paging


def page(**body: Any) -> bytes:
    return json.dumps(body).encode()


def environments(link: object) -> bytes:
    return page(data=[{"id": "env-1", "display_name": "a"}], metadata={"next": link})


LINK = "https://api.confluent.cloud/org/v2/environments?page_token="


def test_a_page_token_that_comes_again_is_an_error(sandbox: DemoServers, engine: Engine) -> None:
    sandbox.inject(Fault(status=200, body=environments(LINK + "same")))
    error = failure(engine, ENVIRONMENTS, UnexpectedShape)
    assert "repeats its page_token" in error.message
    assert sandbox.count() == 2


@pytest.mark.parametrize("link", ["https://x/?y=1", "nonsense", 5, True, {"a": 1}, LINK + "%FF"])
def test_a_link_without_a_token_is_an_error(
    sandbox: DemoServers, engine: Engine, link: object
) -> None:
    sandbox.inject(Fault(status=200, body=environments(link), times=1))
    with pytest.raises(FetchError) as caught:
        rows(engine, ENVIRONMENTS)
    assert caught.value.table == "confluent.org.environments"


@pytest.mark.parametrize("token", ["more\ud800", True, {"a": 1}])
def test_a_token_that_cannot_be_sent_is_an_error(
    sandbox: DemoServers, engine: Engine, token: object
) -> None:
    body = page(connectors=[], next_page_token=token)
    sandbox.inject(Fault(path="*/connectors", status=200, body=body))
    sql = "SELECT name FROM redpanda.kafka_connect.connectors WHERE cluster_id = 'rp-1'"
    error = failure(engine, sql, UnexpectedShape)
    assert "next_page_token" in error.message or "surrogate" in error.message


def workspaces(**info: object) -> bytes:
    row = {"id": "wsp_1", "name": "a", "handle": "a"}
    return page(data=[row], pageInfo={"total": 1, "hasPreviousPage": False, **info})


WORKSPACES = "SELECT id FROM aeontel.workspaces.workspaces"


@pytest.mark.parametrize(
    ("info", "says"),
    [
        ({"hasNextPage": True, "endCursor": None}, "holds no token"),
        ({"hasNextPage": True}, "holds no token"),
        ({"hasNextPage": True, "endCursor": ""}, "holds no token"),
        ({"hasNextPage": "yes", "endCursor": "c"}, "neither true nor false"),
        ({}, "`pageInfo.hasNextPage` is not there"),
    ],
)
def test_more_pages_without_a_way_to_them_are_an_error(
    sandbox: DemoServers, engine: Engine, info: dict[str, object], says: str
) -> None:
    sandbox.inject(Fault(status=200, body=workspaces(**info)))
    error = failure(engine, WORKSPACES, UnexpectedShape)
    assert says in error.message
    assert sandbox.count() == 1


def test_an_endless_cursor_ends_at_the_budget(sandbox: DemoServers, engine: Engine) -> None:
    for number in range(12):
        body = workspaces(hasNextPage=True, endCursor=f"c{number}")
        sandbox.inject(Fault(status=200, body=body, times=1))
    with pytest.raises(PlanError, match="budget of 10 requests is used up") as caught:
        answer(engine, WORKSPACES, max_requests=10)
    assert sandbox.count() == 10
    assert caught.value.requests_sent == 10
    assert "--max-requests" in caught.value.hint
