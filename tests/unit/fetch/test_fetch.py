"""Many fetches at once: what fails stops the rest, or with `partial` is kept apart from them."""

import asyncio
import gc
import signal
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from connstat_sql.decode import RowReader
from connstat_sql.demo import DemoServers, Fault
from connstat_sql.engine import Engine
from connstat_sql.errors import (
    ConnectionFailed,
    FetchError,
    Interrupted,
    PlanError,
    Status,
    Unauthorized,
)
from connstat_sql.fetch import Fetch, PageStream, RequestBudget, Responses
from connstat_sql.result import Options, Result
from connstat_sql.transport import RealClock
from tests.conftest import FakeClock, engine_of
from tests.fakes.fetch_loops import tasks_of
from tests.streaming import batches
from tests.unit.engine.test_hostile import method

PLANT = {"provider": "kafka_connect", "base_url": "http://plant.test"}
WORKER = {"version": "4.3.0", "commit": "c", "kafka_cluster_id": "k"}


@pytest.fixture
def engine(sandbox: DemoServers) -> Iterator[Engine]:
    with engine_of(sandbox.connections) as engine:
        yield engine


def answer(engine: Engine, sql: str, **options: Any) -> Result:
    (result,) = engine.run(sql, None, Options(**options))
    return result


def tasks(engine: Engine) -> int:
    """Tasks under way on the engine's loop."""
    return tasks_of(engine.clients.loop)


class Plants(httpx.AsyncBaseTransport):
    """Many plants: each host answers for itself, waits for ever, or fails."""

    def __init__(self, failing: str = "", hanging: str = "") -> None:
        self.failing, self.hanging = failing, hanging
        self.hosts: list[str] = []
        self.most = self.under_way = 0
        self.left = 0
        self.all_hang = threading.Event()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.hosts.append(request.url.host)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            for _ in range(3):
                await asyncio.sleep(0)
            if self.hanging and self.hanging in request.url.host:
                self.all_hang.set()
                await asyncio.Event().wait()
            if self.failing and self.failing in request.url.host:
                return httpx.Response(400, json={"message": "broken"})
            if request.url.path == "/":
                return httpx.Response(200, json=WORKER)
            name = request.url.path.split("/")[2]
            connector = {"state": "RUNNING", "worker_id": "w"}
            body = {"name": name, "connector": connector, "tasks": [], "type": "sink"}
            return httpx.Response(200, json=body)
        finally:
            self.under_way -= 1
            self.left += 1


def plants(count: int, **more: Any) -> dict[str, dict[str, Any]]:
    return {f"plant_{n}": {**PLANT, "base_url": f"http://p{n}.test", **more} for n in range(count)}


WORKERS = "SELECT _connection, version FROM kafka_connect.connect.worker ORDER BY 1"


# all or nothing


def test_one_failure_stops_the_others_and_is_named() -> None:
    wire = Plants(failing="p3.", hanging="p7.")
    with engine_of(plants(10), transport=wire) as engine:
        with pytest.raises(Status, match="plant_3 answered 400: broken") as caught:
            answer(engine, WORKERS)
        assert caught.value.connection == "plant_3"
        assert caught.value.table == "kafka_connect.connect.worker"
        assert tasks(engine) == 0
        assert wire.under_way == 0
        wire.failing = wire.hanging = ""
        assert answer(engine, WORKERS).table.num_rows == 10


def test_many_failures_at_once_are_one_error_and_no_warning() -> None:
    with engine_of(plants(20), transport=Plants(failing="p")) as engine:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(Status):
                answer(engine, WORKERS)
            gc.collect()
        assert tasks(engine) == 0


# partial


def test_partial_keeps_good_rows_and_lists_each_failure() -> None:
    wire = Plants(failing="p3.")
    with engine_of(plants(5), transport=wire) as engine:
        result = answer(engine, WORKERS, partial=True)
        assert result.table["_connection"].to_pylist() == [
            "plant_0", "plant_1", "plant_2", "plant_4"]  # fmt: skip
        assert not result.complete
        (failure,) = result.errors
        assert type(failure.error) is Status
        errors = answer(engine, "SELECT * FROM _errors").table.to_pylist()
        assert len(errors) == 1
        assert errors[0]["connection"] == "plant_3"
        assert errors[0]["table"] == "kafka_connect.connect.worker"
        assert errors[0]["status"] == 400
        assert errors[0]["attempts"] == 1
        assert "broken" in errors[0]["message"]
        assert str(errors[0]["url"]).startswith("http://p3.test")
        wire.failing = ""
        assert answer(engine, WORKERS, partial=True).complete
        assert answer(engine, "SELECT * FROM _errors").table.num_rows == 0


def test_partial_over_sockets_keeps_what_a_broken_cluster_does_not_give(
    sandbox: DemoServers, engine: Engine
) -> None:
    sandbox.inject(Fault(api="plant_b", status=503))
    sql = "SELECT DISTINCT _connection FROM kafka_connect.connect.connectors"
    result = answer(engine, sql, partial=True)
    assert result.table.to_pylist() == [{"_connection": "plant_a"}]
    assert [(e.error.connection, e.error.attempts) for e in result.errors] == [("plant_b", 4)]
    with pytest.raises(FetchError):
        answer(engine, sql)


def test_partial_keeps_the_pages_that_came_before_a_failed_one(
    sandbox: DemoServers, engine: Engine
) -> None:
    page = b'{"data": [{"id": "env-1"}], "metadata": {"next": "https://x/?page_token=t"}}'
    sandbox.inject(Fault(api="confluent", status=200, body=page, times=1))
    sandbox.inject(Fault(api="confluent", status=403))
    result = answer(engine, "SELECT id FROM confluent.org.environments", partial=True)
    assert result.table.to_pylist() == [{"id": "env-1"}]
    assert [type(failed.error) for failed in result.errors] == [Unauthorized]


def test_partial_does_not_excuse_a_budget_that_is_used_up() -> None:
    wire = Plants()
    with engine_of(plants(9), transport=wire) as engine:
        with pytest.raises(PlanError, match="budget"):
            answer(engine, WORKERS, partial=True, max_requests=8)
        assert wire.hosts == []


# budgets


def endless(request: httpx.Request) -> httpx.Response:
    number = int(request.url.params.get("after", "0"))
    info = {"hasNextPage": True, "endCursor": str(number + 1), "total": 1, "hasPreviousPage": False}
    row = {"id": f"wsp_{number}", "name": "a", "handle": "a"}
    return httpx.Response(200, json={"data": [row], "pageInfo": info})


@pytest.mark.parametrize("partial", [False, True])
def test_a_budget_used_up_between_pages_is_a_plan_error(partial: bool) -> None:
    seen: list[httpx.Request] = []

    def api(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return endless(request)

    table = {"provider": "aeontel", "base_url": "http://a.test", "api_key": "k"}
    connections = {"one": table, "two": table}
    sql = "SELECT id FROM aeontel.workspaces.workspaces"
    with engine_of(connections, transport=httpx.MockTransport(api)) as engine:
        with pytest.raises(PlanError, match="budget of 7 requests is used up") as caught:
            answer(engine, sql, partial=partial, max_requests=7)
        assert tasks(engine) == 0
    assert caught.value.requests_sent == 7
    assert len(seen) <= 7


# deadlines and interrupts


def test_a_deadline_interrupts_and_the_next_statement_runs() -> None:
    wire = Plants(hanging="p1.")
    with engine_of(plants(3), transport=wire, clock=RealClock()) as engine:
        with pytest.raises(Interrupted, match="deadline"):
            answer(engine, WORKERS, deadline=0.05)
        assert tasks(engine) == 0
        assert wire.under_way == 0
        wire.hanging = ""
        assert answer(engine, WORKERS, deadline=60.0).table.num_rows == 3


def test_a_deadline_that_is_over_at_once_interrupts_too() -> None:
    with engine_of(plants(2), transport=Plants()) as engine:
        with pytest.raises(Interrupted):
            answer(engine, WORKERS, deadline=0.0)
        assert tasks(engine) == 0
        assert answer(engine, WORKERS).table.num_rows == 2


def test_ctrl_c_with_many_requests_under_way_ends_them_all() -> None:
    wire = Plants(hanging="p")
    main = threading.main_thread().ident
    assert main is not None

    def press() -> None:
        wire.all_hang.wait(10)
        signal.pthread_kill(main, signal.SIGINT)

    with engine_of(plants(100), transport=wire) as engine:
        finger = threading.Thread(target=press)
        finger.start()
        with pytest.raises((KeyboardInterrupt, Interrupted)):
            answer(engine, WORKERS)
        finger.join()
        assert wire.under_way == 0
        assert tasks(engine) == 0
        sent = len(wire.hosts)
        wire.hanging = ""
        assert answer(engine, WORKERS).table.num_rows == 100
        assert len(wire.hosts) == sent + 100


def stream_of(engine: Engine) -> tuple[PageStream, list[Fetch], RowReader]:
    fetch, getter = method("kafka_connect", "connect", "connector_status", "get")
    names = list(plants(2))
    for name in names:
        engine.clients.open(name)
    fetches = [
        Fetch(names[n % 2], fetch.resource, getter, {"connector_name": f"n{n}"}) for n in range(500)
    ]
    stream = PageStream(
        engine.clients.loop, engine.clients.made, Responses(RequestBudget(1000)), FakeClock().now
    )
    return stream, fetches, RowReader(getter.rows, ())


def test_leaving_the_pages_early_leaves_no_task() -> None:
    wire = Plants()
    with engine_of(plants(2, max_concurrency=3), transport=wire) as engine:
        stream, fetches, reader = stream_of(engine)
        pages = batches(stream, fetches, reader)
        first = next(pages)
        assert first
        pages.close()  # type: ignore[attr-defined]
        assert tasks(engine) == 0
        assert wire.under_way == 0
        assert len(wire.hosts) < 500


def test_five_hundred_fetches_arrive_once_each_within_the_limits() -> None:
    wire = Plants()
    with engine_of(plants(2, max_concurrency=3), transport=wire) as engine:
        stream, fetches, reader = stream_of(engine)
        pages = [page for batch in batches(stream, fetches, reader) for page in batch]
        assert sorted(page.fetch.arguments["connector_name"] for page in pages) == sorted(
            fetch.arguments["connector_name"] for fetch in fetches
        )
        assert wire.most <= 6
        assert tasks(engine) == 0


def test_a_slow_connection_holds_up_no_other() -> None:
    wire = Plants(hanging="p0.")
    with engine_of(plants(2, max_concurrency=3), transport=wire) as engine:
        stream, fetches, reader = stream_of(engine)
        arrived = 0
        for batch in batches(stream, fetches, reader):
            arrived += len(batch)
            if arrived == 250:
                break
        assert wire.hosts.count("p0.test") == 3


# engines and threads


def test_closing_an_engine_closes_every_socket(sandbox: DemoServers) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with engine_of(sandbox.connections) as engine:
            answer(engine, "SELECT name FROM kafka_connect.connect.connectors")
            answer(engine, "SELECT name FROM redpanda.kafka_connect.connectors")
            loop = engine.clients.loop
        gc.collect()
    assert loop.is_closed


def test_an_engine_can_be_closed_twice_and_unused(sandbox: DemoServers) -> None:
    with engine_of(sandbox.connections) as engine:
        engine.close()
    with engine_of(sandbox.connections) as engine:
        answer(engine, "SELECT name FROM plant_a.connect.connectors")
        engine.clients.close()
        engine.clients.close()


def test_an_engine_closed_in_the_middle_of_a_statement_leaves_nothing() -> None:
    wire = Plants(hanging="p1.")
    with engine_of(plants(2, max_concurrency=3), transport=wire) as engine:
        stream, fetches, reader = stream_of(engine)
        pages = batches(stream, fetches, reader)
        next(pages)
        engine.clients.close()
        assert wire.under_way == 0
        with pytest.raises(Interrupted, match="engine was closed"):
            list(pages)


def test_an_engine_works_inside_a_running_loop(sandbox: DemoServers) -> None:
    async def notebook() -> int:
        with engine_of(sandbox.connections) as engine:
            return int(answer(engine, "SELECT name FROM plant_a.connect.connectors").table.num_rows)

    assert asyncio.run(notebook()) == 6


def test_two_engines_in_two_threads_do_not_meet(sandbox: DemoServers) -> None:
    counts: list[int] = []

    def work() -> None:
        with engine_of(sandbox.connections) as engine:
            for _ in range(3):
                sql = "SELECT name FROM kafka_connect.connect.connectors"
                counts.append(answer(engine, sql).table.num_rows)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [12] * 6


def test_an_engine_may_be_used_by_one_thread_after_another(sandbox: DemoServers) -> None:
    with engine_of(sandbox.connections) as engine:
        sql = "SELECT name FROM plant_a.connect.connectors"
        answer(engine, sql)
        counts: list[int] = []
        thread = threading.Thread(target=lambda: counts.append(answer(engine, sql).table.num_rows))
        thread.start()
        thread.join()
    assert counts == [6]


def test_a_failed_connection_is_not_remembered(sandbox: DemoServers) -> None:
    clock = FakeClock()
    with engine_of(sandbox.connections, clock=clock) as engine:
        sql = "SELECT name FROM plant_a.connect.connectors"
        sandbox.inject(Fault(reset=True))
        with pytest.raises(ConnectionFailed) as caught:
            answer(engine, sql)
        assert caught.value.attempts == sandbox.count() == 4
        sandbox.heal()
        assert answer(engine, sql).table.num_rows == 6
