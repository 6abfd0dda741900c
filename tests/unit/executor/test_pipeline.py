"""Scans side by side: who begins when, what is sent, and what a deadline or an interrupt leaves."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import httpx
import pytest

from connstat_sql.engine import Engine
from connstat_sql.errors import DeadlinePassed, Interrupted, PlanError
from connstat_sql.result import Options, Result
from tests.conftest import FakeClock, engine_of
from tests.fakes.fetch_loops import tasks_of
from tests.requests.organisation import CONNECTIONS, Organisation

PATIENCE = 10.0
"""Seconds after which a request that waits for another gives up: the claim is wrong then."""


@dataclass
class Gate(httpx.AsyncBaseTransport):
    """An organisation that holds a request back until `opens` says so, looking at all that came.

    With `stuck`, requests that it says so of are never answered.
    """

    world: Organisation
    opens: Callable[[str, Sequence[str]], bool] = lambda _url, _came: True
    stuck: Callable[[str], bool] = lambda _: False
    clock: FakeClock = field(default_factory=FakeClock)
    deadline_after: int = 0
    """An hour passes when so many requests were answered, and another is stuck."""
    came: list[str] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)
    _news: list[asyncio.Future[None]] = field(default_factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = str(request.url)
        self.came.append(url)
        self._tell()
        if self.stuck(url):
            await self._until(lambda: len(self.answered) >= self.deadline_after)
            self.clock.time += 3600
            await asyncio.Event().wait()
        await self._until(lambda: self.opens(url, self.came))
        self.answered.append(url)
        self._tell()
        return self.world.answer(request)

    async def _until(self, is_so: Callable[[], bool]) -> None:
        """Wait for something that the coming and answering of requests may make so."""
        async with asyncio.timeout(PATIENCE):
            while not is_so():
                news = asyncio.get_running_loop().create_future()
                self._news.append(news)
                await news

    def _tell(self) -> None:
        news, self._news = self._news, []
        for one in news:
            if not one.done():
                one.set_result(None)


def run(engine: Engine, sql: str, options: Options | None = None) -> Result:
    *_, last = engine.run(sql, None, options or Options())
    return last


def is_second_page(url: str) -> bool:
    return "environments?" in url and "page_token=100" in url


ALL_CLUSTERS = (
    "SELECT k.id FROM confluent.org.environments e "
    "JOIN confluent.managed_kafka_clusters.clusters k ON k.environment = e.id"
)


def test_a_dependent_scan_begins_with_the_first_page_of_its_source() -> None:
    def after_a_cluster(url: str, came: Sequence[str]) -> bool:
        return not is_second_page(url) or any("/cmk/" in one for one in came)

    gate = Gate(Organisation(environments=150, clusters=1), after_a_cluster)
    with engine_of(CONNECTIONS, transport=gate) as engine:
        assert run(engine, ALL_CLUSTERS).table.num_rows == 150
    assert len(gate.came) == len(set(gate.came)) == 2 + 150


def test_a_chain_of_three_runs_all_of_it_at_once() -> None:
    def after_a_connector(url: str, came: Sequence[str]) -> bool:
        return not is_second_page(url) or any("/connect/v1/" in one for one in came)

    gate = Gate(Organisation(environments=101, clusters=1, connectors=1), after_a_connector)
    with engine_of(CONNECTIONS, transport=gate) as engine:
        answer = run(engine, "SELECT name FROM confluent.connect.connectors")
    assert answer.table.num_rows == 101
    assert len(gate.came) == len(set(gate.came)) == 2 + 101 + 101


@pytest.mark.parametrize(
    "source",
    [
        "(SELECT max(id) FROM confluent.org.environments)",
        "(SELECT id FROM confluent.org.environments ORDER BY id DESC LIMIT 1)",
        "(SELECT min(id) FROM confluent.org.environments GROUP BY left(id, 3))",
    ],
)
def test_what_more_rows_could_change_waits_for_all_of_them(source: str) -> None:
    gate = Gate(Organisation(environments=150, clusters=1))
    with engine_of(CONNECTIONS, transport=gate) as engine:
        run(
            engine,
            "SELECT id FROM confluent.managed_kafka_clusters.clusters "
            f"WHERE environment IN {source}",
        )
    assert ["/cmk/" in url for url in gate.came] == [False, False, True]


def test_a_filter_on_the_source_is_kept_while_it_streams() -> None:
    gate = Gate(Organisation(environments=150, clusters=1))
    with engine_of(CONNECTIONS, transport=gate) as engine:
        answer = run(engine, f"{ALL_CLUSTERS} WHERE e.id IN ('env-2', 'env-149')")
    assert answer.table.num_rows == 2
    assert sum("/cmk/" in url for url in gate.came) == 2


def test_scans_that_need_nothing_of_each_other_run_side_by_side() -> None:
    def together(_: str, came: Sequence[str]) -> bool:
        return any("environments" in one for one in came) and any("plant" in one for one in came)

    gate = Gate(Organisation(environments=3), together)
    with engine_of(CONNECTIONS, transport=gate) as engine:
        answer = run(
            engine,
            "SELECT id FROM confluent.org.environments "
            "UNION ALL SELECT name FROM kafka_connect.connect.connectors",
        )
    assert answer.table.num_rows == 3 + 2


def test_a_scan_that_may_use_the_answers_of_another_waits_for_them() -> None:
    gate = Gate(Organisation())
    place = "environment_id = 'env-1' AND kafka_cluster_id = 'lkc-1-1'"
    with engine_of(CONNECTIONS, transport=gate) as engine:
        answer = run(
            engine,
            f"SELECT count(*) FROM (FROM confluent.connect.connectors WHERE {place}) c, "
            f"(FROM confluent.connect.connector_status WHERE {place}) s "
            "WHERE s.name = c.name",
        )
    assert answer.fetchall() == [(40,)]
    assert len(gate.came) == 1


def test_the_budget_counts_what_is_on_the_way_of_all_scans() -> None:
    gate = Gate(Organisation(environments=150, clusters=1))
    with (
        engine_of(CONNECTIONS, transport=gate) as engine,
        pytest.raises(PlanError, match=r"clusters needs 1\d0 more requests after") as caught,
    ):
        run(engine, ALL_CLUSTERS, Options(max_requests=90))
    assert not any("/cmk/" in url for url in gate.came)
    assert caught.value.requests_sent <= 2


# the deadline


def test_a_deadline_stops_everything() -> None:
    gate = Gate(Organisation(environments=3), stuck=lambda url: "/cmk/" in url)
    with engine_of(CONNECTIONS, transport=gate, clock=gate.clock) as engine:
        with pytest.raises(DeadlinePassed, match="deadline"):
            run(engine, ALL_CLUSTERS, Options(deadline=60))
        assert tasks_of(engine.clients.loop) == 0


def test_with_partial_a_deadline_leaves_what_has_arrived_and_names_the_rest() -> None:
    gate = Gate(
        Organisation(environments=3, clusters=1),
        stuck=lambda url: "=env-2" in url,
        deadline_after=3,
    )
    with engine_of(CONNECTIONS, transport=gate, clock=gate.clock) as engine:
        answer = run(engine, ALL_CLUSTERS, Options(partial=True, deadline=60))
        assert sorted(answer.fetchall()) == [("lkc-1-1",), ("lkc-3-1",)]
        assert not answer.complete
        (failure,) = answer.errors
        assert failure.fetch.arguments["environment"] == "env-2"
        assert "deadline" in failure.error.message
        errors = run(engine, "SELECT arguments['environment'], message FROM _errors")
        assert errors.fetchall() == [("env-2", failure.error.message)]


def test_with_partial_a_deadline_before_a_scan_has_begun_leaves_it_empty() -> None:
    gate = Gate(Organisation(environments=3), stuck=lambda url: "environments" in url)
    with engine_of(CONNECTIONS, transport=gate, clock=gate.clock) as engine:
        answer = run(engine, ALL_CLUSTERS, Options(partial=True, deadline=60))
    assert answer.fetchall() == []
    assert [str(one.fetch.resource.table) for one in answer.errors] == [
        "confluent.org.environments"
    ]


# interrupts


def test_an_interrupt_from_another_thread_stops_the_statement_and_the_next_one_runs() -> None:
    arrived = threading.Event()

    def stuck(url: str) -> bool:
        if "/cmk/" in url and len(gate.came) > 10:
            arrived.set()
        return "/cmk/" in url

    gate = Gate(Organisation(environments=100, clusters=1), stuck=stuck)
    with engine_of(CONNECTIONS, transport=gate) as engine:

        def interrupt() -> None:
            assert arrived.wait(PATIENCE)
            engine.interrupt()

        finger = threading.Thread(target=interrupt)
        finger.start()
        with pytest.raises(Interrupted, match="interrupted"):
            run(engine, ALL_CLUSTERS)
        finger.join()
        assert tasks_of(engine.clients.loop) == 0
        tables = engine.session.duckdb.execute(
            "SELECT table_name FROM duckdb_tables() WHERE table_name NOT LIKE '%empty%' "
            "UNION ALL SELECT view_name FROM duckdb_views() WHERE view_name LIKE '_connstat%'"
        ).fetchall()
        assert tables == []
        gate.stuck = lambda _: False
        came = len(gate.came)
        assert run(engine, ALL_CLUSTERS).table.num_rows == 100
        assert len(gate.came) == came + 101


def test_an_interrupt_while_duckdb_runs_stops_it() -> None:
    begun = threading.Event()
    with engine_of(CONNECTIONS, transport=Gate(Organisation())) as engine:

        def begin() -> int:
            begun.set()
            return 1

        engine.session.hand_out().create_function("begun", begin, [], "INTEGER")

        def interrupt() -> None:
            assert begun.wait(PATIENCE)
            engine.interrupt()

        finger = threading.Thread(target=interrupt)
        finger.start()
        with pytest.raises(Interrupted):
            run(
                engine,
                "SELECT begun(), count(*) FROM range(10000000) a, range(10000000) b, "
                "kafka_connect.connect.connectors",
            )
        finger.join()
        assert run(engine, "SELECT 1").fetchall() == [(1,)]
