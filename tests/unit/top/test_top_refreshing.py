"""What asks for the fleet: one statement a refresh, every failure told, and an end at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any

import httpx
import pytest

from connstat_sql.bootstrap import Setup
from connstat_sql.demo import DemoServers, Fault
from connstat_sql.engine import Engine, EngineOptions
from connstat_sql.errors import BindError, ConfigError, QueryError
from connstat_sql.top.model import UNREACHABLE, Fleet, FleetConnector
from connstat_sql.top.query import FleetQuery
from connstat_sql.top.worker import Failed, Looked, News, Refreshed, Refresher, WorkerFault
from connstat_sql.transport import RealClock
from tests.conftest import FakeClock, SharedWiring

PATIENCE = 30.0
TRACE = "org.example.ConnectException: gone\nCaused by: java.io.IOException: no route to db"


def plant(name: str) -> dict[str, str]:
    return {"provider": "kafka_connect", "base_url": f"http://{name}:8083"}


PLANTS = {"plant_a": plant("plant_a"), "plant_b": plant("plant_b")}
Answer = Callable[[httpx.Request], httpx.Response]


def status(name: str, failed: bool = False) -> dict[str, Any]:
    task = {"id": 0, "state": "FAILED" if failed else "RUNNING", "worker_id": "w"}
    task |= {"trace": TRACE} if failed else {}
    connector = {"state": "RUNNING", "worker_id": "w"}
    told = {"name": name, "connector": connector, "tasks": [task], "type": "sink"}
    settings = {"name": name, "config": {"connector.class": "A", "password": "hush"}, "tasks": []}
    return {"status": told, "info": settings}


class Watch:
    """A refresher, and what it told."""

    def __init__(self, refresher: Callable[[Callable[[News], None]], Refresher]) -> None:
        self._news: SimpleQueue[News] = SimpleQueue()
        self.refresher = refresher(self._news.put)
        self.refresher.start()

    def news(self) -> News:
        return self._news.get(timeout=PATIENCE)

    def fleet(self, every: float | None = None) -> Fleet:
        self.refresher.refresh(every)
        news = self.news()
        assert isinstance(news, Refreshed), news
        return news.fleet

    def failure(self) -> Exception:
        self.refresher.refresh()
        news = self.news()
        assert isinstance(news, (Failed, WorkerFault)), news
        return news.error

    @property
    def is_silent(self) -> bool:
        return self._news.empty()


@contextmanager
def watching(
    connections: Mapping[str, Mapping[str, Any]],
    question: FleetQuery = FleetQuery(),  # noqa: B008 - a frozen value
    answer: httpx.AsyncBaseTransport | None = None,
    clock: FakeClock | None = None,
    **options: Any,
) -> Iterator[Watch]:
    def opened() -> Any:
        outside = EngineOptions(environment={}, transport=answer, clock=clock or RealClock())
        return Engine(SharedWiring(Setup(connections=connections), {}), outside)

    watch = Watch(lambda tell: Refresher(opened, question, tell, **options))
    try:
        yield watch
    finally:
        watch.refresher.close()


class Plants:
    """Two clusters that answer as they are told."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.connectors: dict[str, dict[str, Any]] = {
            "plant_a": {"orders": status("orders"), "bills": status("bills", failed=True)},
            "plant_b": {"orders": status("orders")},
        }
        self.down: set[str] = set()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        self.sent.append(str(request.url))
        if host in self.down:
            return httpx.Response(500, json={"error_code": 500, "message": "out of order"})
        found = self.connectors[host]
        parts = request.url.path.strip("/").split("/")
        if len(parts) == 1:
            wanted = request.url.params.get_list("expand")
            if not wanted:
                return httpx.Response(200, json=list(found))
            return httpx.Response(
                200, json={n: {p: one[p] for p in wanted} for n, one in found.items()}
            )
        if parts[1] not in found:
            return httpx.Response(404, json={"error_code": 404, "message": "not found"})
        part = "status" if parts[-1] == "status" else "info"
        return httpx.Response(200, json=found[parts[1]][part])


@pytest.fixture(scope="module")
def plants() -> Plants:
    return Plants()


@pytest.fixture(scope="module")
def watch(plants: Plants) -> Iterator[Watch]:
    with watching(PLANTS, answer=httpx.MockTransport(plants)) as found:
        yield found


@pytest.fixture(autouse=True)
def _whole(plants: Plants) -> None:
    plants.__init__()  # type: ignore[misc]


def names(fleet: Fleet) -> dict[tuple[str, str], FleetConnector]:
    return {(one.connection, one.name): one for one in fleet.connectors}


def test_a_refresh_is_two_light_requests_a_cluster(watch: Watch, plants: Plants) -> None:
    fleet = watch.fleet()
    assert sorted(plants.sent) == [
        f"http://{name}:8083/connectors{rest}" for name in PLANTS for rest in ("", "?expand=status")
    ]  # the states, and the names of those that have none yet
    assert (fleet.requests, fleet.asked, fleet.complete) == (4, frozenset(PLANTS), True)
    worst = fleet.connectors[0]
    assert (worst.name, worst.health, worst.cause) == (
        "bills",
        "UNHEALTHY",
        "IOException: no route to db",
    )
    assert worst.trace == TRACE


def test_a_cluster_that_fails_is_unreachable_and_the_others_are_shown(
    watch: Watch, plants: Plants
) -> None:
    watch.fleet()
    plants.down.add("plant_b")
    fleet = watch.fleet()
    assert fleet.unreachable == {"plant_b"}
    (outage,) = fleet.outages
    assert "out of order" in outage.message
    assert outage.request.startswith("GET http://plant_b:8083/connectors")
    shown = names(fleet)
    assert shown["plant_b", ""].health == UNREACHABLE
    assert shown["plant_b", "orders"].is_stale
    assert not shown["plant_a", "orders"].is_stale
    plants.down.clear()
    assert watch.fleet().complete


def test_all_clusters_down_is_no_empty_fleet(plants: Plants) -> None:
    plants.down |= set(PLANTS)
    with watching(PLANTS, answer=httpx.MockTransport(plants)) as watch:
        fleet = watch.fleet()
    assert [one.health for one in fleet.connectors] == [UNREACHABLE] * 2
    assert fleet.unreachable == set(PLANTS)


def test_a_look_asks_one_cluster_for_all_columns_with_tasks_and_no_secret(
    watch: Watch, plants: Plants
) -> None:
    fleet = watch.fleet()
    plants.sent.clear()
    watch.refresher.look_at(names(fleet)["plant_a", "bills"])
    looked = watch.news()
    assert {url.split("/")[2] for url in plants.sent} == {"plant_a:8083"}
    assert isinstance(looked, Looked)
    assert looked.error is None
    assert looked.columns["plugin_class"] == "A"
    assert [task["trace"] for task in looked.columns["tasks"]] == [TRACE]
    assert "hush" not in str(looked)


def test_a_look_at_what_is_gone_or_down_says_so(watch: Watch, plants: Plants) -> None:
    fleet = watch.fleet()
    bills = names(fleet)["plant_a", "bills"]
    del plants.connectors["plant_a"]["bills"]
    watch.refresher.look_at(bills)
    looked = watch.news()
    assert isinstance(looked, Looked)
    assert (looked.columns, looked.error) == ({}, None)
    plants.down.add("plant_a")
    watch.refresher.look_at(bills)
    looked = watch.news()
    assert isinstance(looked, Looked)
    assert "out of order" in str(looked.error)
    plants.down.clear()
    watch.fleet()


@pytest.mark.parametrize(
    "question",
    [
        FleetQuery(connections=("plant_a",)),
        FleetQuery(where="_connection = 'plant_a' AND health <> 'DEGRADED' -- mine"),
    ],
)
def test_what_is_not_wanted_is_not_asked(question: FleetQuery, plants: Plants) -> None:
    with watching(PLANTS, question, httpx.MockTransport(plants)) as watch:
        fleet = watch.fleet()
    assert fleet.asked == {"plant_a"}
    assert {url.split("/")[2] for url in plants.sent} == {"plant_a:8083"}


@pytest.mark.parametrize(
    ("question", "kind", "said"),
    [
        (FleetQuery(where="heath = 'UNHEALTHY'"), BindError, "heath"),
        (FleetQuery(where="health = "), QueryError, "syntax"),
        (FleetQuery(connections=("plant_c",)), ConfigError, "no connection plant_c"),
        (FleetQuery(connections=("plantA",)), ConfigError, "did you mean 'plant_a'?"),
        (FleetQuery(providers=("confluent",)), ConfigError, "confluent"),
        (FleetQuery(providers=("kafkaconnect",)), ConfigError, "did you mean 'kafka_connect'?"),
        (FleetQuery(where="provider = 'kafkaconnect'"), QueryError, "you mean 'kafka_connect'?"),
        (FleetQuery(where="_connection = 'plantA'"), BindError, "did you mean 'plant_a'?"),
        (FleetQuery(("plant_a",), where="_connection = 'plant_b'"), ConfigError, "fits all"),
    ],
)
def test_a_question_at_fault_sends_nothing(
    question: FleetQuery, kind: type[Exception], said: str, plants: Plants
) -> None:
    with watching(PLANTS, question, httpx.MockTransport(plants)) as watch:
        error = watch.failure()
    assert isinstance(error, kind)
    assert said in str(error)
    assert plants.sent == []


def test_a_value_that_cannot_be_there_is_an_error_and_no_empty_screen(plants: Plants) -> None:
    question = FleetQuery(where="health = 'BROKEN'")
    with watching(PLANTS, question, httpx.MockTransport(plants)) as watch:
        error = watch.failure()
    assert str(error).startswith("health is never 'BROKEN' (it is one of")


def test_a_connection_that_cannot_be_used_takes_nothing_from_the_others(plants: Plants) -> None:
    connections = {
        **PLANTS,
        "plant_b": {**plant("plant_b"), "username": "me", "password": "${NOT_SET}"},
    }
    with watching(connections, answer=httpx.MockTransport(plants)) as watch:
        fleet = watch.fleet()
        again = watch.fleet()
    assert (fleet.unreachable, again.unreachable) == (frozenset({"plant_b"}),) * 2
    assert "is not set" in fleet.outages[0].message
    assert fleet.outages[0].hint
    assert ("plant_a", "orders") in names(fleet)
    assert {url.split("/")[2] for url in plants.sent} == {"plant_a:8083"}


def test_no_connection_at_all_is_an_error_with_a_next_step() -> None:
    with watching({}) as watch:
        error = watch.failure()
    assert isinstance(error, (ConfigError, QueryError))
    assert str(error)


def test_over_the_budget_is_told_and_the_view_lives(plants: Plants) -> None:
    with watching(PLANTS, answer=httpx.MockTransport(plants), max_requests=1) as watch:
        error = watch.failure()
        assert isinstance(error, QueryError)
        assert "budget" in str(error)
        assert isinstance(watch.failure(), QueryError)


def test_closing_while_it_fetches_ends_at_once_and_sends_nothing_more() -> None:
    sent: SimpleQueue[str] = SimpleQueue()

    async def never(request: httpx.Request) -> httpx.Response:
        sent.put(str(request.url))
        await asyncio.Event().wait()
        raise AssertionError("nobody sets it")

    with watching({"plant_a": plant("plant_a")}, answer=httpx.MockTransport(never)) as watch:
        watch.refresher.refresh()
        watch.refresher.refresh()
        sent.get(timeout=PATIENCE)
        watch.refresher.close()  # returns when its thread has ended
        assert sent.empty()
        assert watch.is_silent


def test_closing_what_was_never_asked_ends_too() -> None:
    with watching(PLANTS) as watch:
        watch.refresher.close()
    assert watch.is_silent


def test_a_fault_of_ours_is_not_taken_for_one_of_an_api() -> None:
    def broken() -> Any:
        raise ZeroDivisionError

    watch = Watch(lambda tell: Refresher(broken, FleetQuery(), tell))
    news = watch.news()
    watch.refresher.close()
    assert isinstance(news, WorkerFault)
    assert isinstance(news.error, ZeroDivisionError)


def test_all_four_vendors_are_one_fleet(sandbox: DemoServers) -> None:
    with watching(sandbox.connections) as watch:
        fleet = watch.fleet()
    assert {one.provider for one in fleet.connectors} == {
        "aeontel", "confluent", "kafka_connect", "redpanda",
    }  # fmt: skip
    assert fleet.asked == {"aeontel", "confluent", "plant_a", "plant_b", "redpanda"}


def test_what_a_request_says_by_default_is_no_place_that_is_down(sandbox: DemoServers) -> None:
    sandbox.inject(Fault(api="aeontel", status=401))
    try:
        with watching({"aeontel": sandbox.connections["aeontel"]}) as watch:
            fleet = watch.fleet()
    finally:
        sandbox.heal()
    assert [(one.connection, one.scope) for one in fleet.outages] == [("aeontel", "")]


def test_a_look_asks_nobody_but_the_clusters_own_vendor(sandbox: DemoServers) -> None:
    with watching(sandbox.connections) as watch:
        orders = next(one for one in watch.fleet().connectors if one.provider == "confluent")
        sandbox.reset()
        watch.refresher.look_at(orders)
        looked = watch.news()
    assert isinstance(looked, Looked)
    assert looked.columns["connector_name"] == orders.name
    assert sandbox.count() == sandbox.count("confluent") == 2  # the connectors and the plugins
