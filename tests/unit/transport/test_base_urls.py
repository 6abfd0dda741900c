"""Several base URLs of one cluster: one of them down costs no error, and nobody else is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from connstat_sql import connect
from connstat_sql.errors import ConfigError, ConnectionFailed, ConnstatError, Status
from connstat_sql.transport import Client
from tests.conftest import FakeClock
from tests.tabled import over
from tests.unit.transport.test_transport import asked, with_client

FIRST, SECOND, THIRD = "http://one.test:8083", "http://two.test:8083/base", "http://three.test"
PLANT = {
    "provider": "kafka_connect", "base_url": [FIRST, SECOND, THIRD],
    "username": "ann", "password": "not-a-real-password",
}  # fmt: skip
Fault = Callable[[httpx.Request], httpx.Response]


def refused(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


def silent(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("slow", request=request)


class Cluster:
    """Workers by host; those without a fault answer with names of connectors."""

    def __init__(self, **faults: Fault) -> None:
        self.faults = faults
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(str(request.url))
        host = request.url.host.removesuffix(".test")
        fault = self.faults.get(host)
        return httpx.Response(200, json=["orders"]) if fault is None else fault(request)


def status(number: int) -> Fault:
    return lambda _: httpx.Response(number, json={"error_code": number, "message": "no"})


@over("fault", [refused, silent, status(502), status(503), status(504)])
def test_the_next_worker_is_asked_and_stays(fault: Fault) -> None:
    cluster = Cluster(one=fault)
    clock = FakeClock()

    async def use(client: Client) -> list[Any]:
        request = asked(f"{client.base_url}/x?y=1")
        return [await client.send(request), await client.send(request)]

    first, second = with_client(PLANT, cluster, use, clock=clock)
    assert cluster.asked == [f"{FIRST}/x?y=1", f"{SECOND}/x?y=1", f"{SECOND}/x?y=1"]
    assert (first.attempts, second.attempts) == (2, 1)
    assert first.sent.url == f"{SECOND}/x?y=1"
    assert clock.now() == FakeClock().now()


@over("fault", [status(400), status(401), status(404), status(500)])
def test_what_another_worker_would_answer_too_is_asked_of_one(fault: Fault) -> None:
    cluster = Cluster(one=fault)
    with pytest.raises(ConnstatError):
        with_client(PLANT, cluster, lambda client: client.send(asked(f"{FIRST}/x")))
    assert set(cluster.asked) == {f"{FIRST}/x"}


@over("accepts", [frozenset[int](), frozenset({404})])
def test_a_worker_that_is_starting_hands_over(accepts: frozenset[int]) -> None:
    cluster = Cluster(one=lambda _: httpx.Response(404, text="<h1>Not Found</h1>"))
    asking = replace(asked(f"{FIRST}/x"), accepts=accepts)
    answer = with_client(PLANT, cluster, lambda client: client.send(asking))
    assert (answer.status, answer.attempts) == (200, 2)
    assert cluster.asked == [f"{url}/x" for url in (FIRST, SECOND)]


def test_no_such_row_is_told_by_the_first_that_knows() -> None:
    cluster = Cluster(one=status(404))
    asking = replace(asked(f"{FIRST}/x"), accepts=frozenset({404}))
    answer = with_client(PLANT, cluster, lambda client: client.send(asking))
    assert (answer.status, cluster.asked) == (404, [f"{FIRST}/x"])


def test_where_none_works_the_error_names_them_all() -> None:
    cluster = Cluster(one=silent, two=silent, three=silent)
    with pytest.raises(ConnectionFailed) as caught:
        with_client(PLANT, cluster, lambda client: client.send(asked(f"{FIRST}/x")))
    assert cluster.asked == [f"{url}/x" for url in (FIRST, SECOND, THIRD)]
    assert caught.value.hint == f"none of its base URLs works: {FIRST}, {SECOND}, {THIRD}"


def test_a_worker_that_fails_later_hands_over_to_the_next_in_turn() -> None:
    cluster = Cluster(one=refused)

    async def use(client: Client) -> None:
        await client.send(asked(f"{FIRST}/x"))
        cluster.faults = {"two": refused, "three": status(503)}
        await client.send(asked(f"{FIRST}/x"))

    with_client(PLANT, cluster, use)
    order = [FIRST, SECOND, SECOND, THIRD, FIRST]
    assert cluster.asked == [f"{url}/x" for url in order]


def test_rows_and_their_urls_are_those_of_the_worker_that_answered() -> None:
    status_of = {"name": "orders", "connector": {"state": "RUNNING", "worker_id": "w"}, "tasks": [],
                 "type": "sink"}  # fmt: skip

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host == "one.test":
            return refused(request)
        assert "authorization" in request.headers
        if "expand" not in request.url.params:
            return httpx.Response(200, json=["orders"])
        return httpx.Response(200, json={"orders": {"status": status_of}})

    with connect(
        connections={"plant": PLANT}, environment={}, transport=httpx.MockTransport(answer)
    ) as live:
        result = live.sql("SELECT name, connector.state, _url FROM plant.connect.connector_status")
        [(name, state, url)] = result.fetchall()
    assert (name, state) == ("orders", "RUNNING")
    assert url == f"GET {SECOND}/connectors?expand=status"


def test_a_variable_has_commas_between_them() -> None:
    cluster = Cluster(one=refused)
    with connect(
        environment={"KAFKA_CONNECT_URL": f"{FIRST}, {SECOND}/"},
        transport=httpx.MockTransport(cluster),
    ) as live:
        sql = "SELECT name FROM kafka_connect.connect.connectors"
        assert live.sql(sql).fetchall() == [("orders",)]
    assert [url.partition("/connectors")[0] for url in cluster.asked] == [FIRST, SECOND]


@over(
    ("urls", "message"),
    [
        ([], "`base_url` is an empty list"),
        ([FIRST, 5], "`base_url` is not a text, or a list of texts"),
        ([FIRST, "two.test:8083"], "is not an http or https URL"),
        ([FIRST, "http://ann:pw@two.test"], "holds a user or password"),
    ],
)
def test_what_is_no_list_of_urls_is_refused(urls: Any, message: str) -> None:
    table = {"provider": "kafka_connect", "base_url": urls}
    with pytest.raises(ConfigError, match=message) as caught:
        with_client(table, Cluster(), lambda client: client.send(asked(FIRST)))
    assert "pw" not in str(caught.value)


def test_an_error_of_the_last_worker_is_told_as_it_is() -> None:
    cluster = Cluster(one=refused, two=status(500))
    with pytest.raises(Status) as caught:
        with_client(PLANT, cluster, lambda client: client.send(asked(f"{FIRST}/x")))
    assert caught.value.status == 500
