"""Whatever the order in which things happen, a statement ends, asks little, and answers right."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connstat_sql.cache import RowCache
from connstat_sql.engine import Engine
from connstat_sql.errors import DeadlinePassed, PlanError
from connstat_sql.executor import Execution, ExecutionContext, execute
from connstat_sql.fetch import PageStream, RequestBudget, Responses
from connstat_sql.fetch.pages import PageReader
from connstat_sql.fetch.queue import PageQueue
from connstat_sql.fetch.scan_run import Ended, Item, ScanRun
from connstat_sql.result import Options
from tests.conftest import FakeClock, engine_of
from tests.examples import examples
from tests.fakes.fetch_loops import tasks_of
from tests.kept import always
from tests.requests.organisation import CONNECTIONS, Organisation
from tests.unit.executor.test_pipeline import Gate
from tests.unit.fetch.test_fetch_answers import LIST, World, fetch, paged, reader, world

pytestmark = pytest.mark.long

PATIENCE = 5.0
"""Seconds after which what has not ended never will."""


async def added_in_parts(one: World, limit: int | None, parts: list[tuple[int, int]]) -> list[Item]:
    """What a run posts when so many groups are added, each time after so many turns."""
    page_queue: PageQueue[Item] = PageQueue(asyncio.get_running_loop())
    page_reader = PageReader(reader(LIST), one.answers, limit=limit)
    run = ScanRun("scan", page_reader, one.clients.made, page_queue, limit=limit)
    for number, (turns, count) in enumerate(parts):
        for _ in range(turns):
            await asyncio.sleep(0)
        asked = [fetch(LIST, cluster=f"c{number}-{place}") for place in range(count)]
        run.add(one.stream.groups(asked), is_last=number == len(parts) - 1)
    items: list[Item] = []
    until = asyncio.get_running_loop().time() + PATIENCE
    while Ended("scan") not in items and asyncio.get_running_loop().time() < until:
        await asyncio.sleep(0)
        items += page_queue.take(0)
    run.stop()
    return items


@given(
    limit=st.sampled_from([None, 1, 3, 7]),
    parts=st.lists(st.tuples(st.integers(0, 12), st.integers(0, 3)), min_size=1, max_size=5),
)
@example(limit=3, parts=[(0, 1), (1, 1)])
@settings(max_examples=examples(150), deadline=None)
def test_a_run_ends_whenever_its_fetches_are_added(
    limit: int | None, parts: list[tuple[int, int]]
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return paged(request, [{"id": "a"}], 2)

    with world(answer, concurrency=2) as one:
        items = one.clients.loop.call(added_in_parts(one, limit, parts))
    count = sum(count for _, count in parts)
    assert sum(isinstance(item, Ended) for item in items) == 1
    assert len(one.seen) >= min(count, limit or count)


# --- the deadline, wherever it falls --------------------------------------------------------------

ALL_CLUSTERS = (
    "SELECT k.environment FROM confluent.org.environments e "
    "JOIN confluent.managed_kafka_clusters.clusters k ON k.environment = e.id"
)
ENVIRONMENTS = 101


class Stepping(PageStream):
    """Hands over one item at a time; `stops` is told how many there were, and the last of them."""

    stops: Callable[[int, Item | None], bool]
    count = 0
    last: Item | None = None
    held: tuple[Item, ...] = ()

    def take(self) -> list[Item]:
        """The next item, if there is one."""
        if self.stops(self.count, self.last):
            raise DeadlinePassed("the statement ran past its deadline")
        if not self.held:
            self.held = tuple(super().take())
        if not self.held:
            return []
        self.last, *others = self.held
        self.held = tuple(others)
        self.count += 1
        return [self.last]


def stepped(engine: Engine, sql: str, stops: Callable[[int, Item | None], bool]) -> Execution:
    """What a statement answers, with `--partial`, when a deadline passes where `stops` says."""
    plan = engine.explain(sql)
    assert plan is not None
    engine.clients.open("confluent")
    budget, clock = RequestBudget(1000), FakeClock()
    clients = engine.clients
    stream = Stepping(clients.loop, clients.made, Responses(budget), clock.now, is_partial=True)
    stream.stops = stops
    context = ExecutionContext(
        session=engine.session, stream=stream, budget=budget, is_partial=True, mask_key=None,
        connections=["confluent"], cache=RowCache(engine.session), max_age_of=lambda _: always(0.0),
        now=clock.now, tell=lambda _: None,
    )  # fmt: skip
    return execute(plan, context, None)


def is_accounted_for(stops: Callable[[int, Item | None], bool]) -> bool:
    """Whether each environment is answered, or is among the failures, or the list itself is."""
    world = Organisation(environments=ENVIRONMENTS, clusters=1)
    with engine_of(CONNECTIONS, transport=world.transport) as engine:
        done = stepped(engine, ALL_CLUSTERS, stops)
        assert tasks_of(engine.clients.loop) == 0
    found = [one.fetch.arguments.get("environment") for one in done.failures]
    found += done.table["environment"].to_pylist()
    return None in found or {*found} == {*world.environment_ids}


@given(last=st.integers(0, 12) | st.integers(0, 2 * ENVIRONMENTS + 6))
@settings(max_examples=examples(15), deadline=None)
def test_with_a_deadline_each_value_is_answered_or_is_among_the_failures(last: int) -> None:
    assert is_accounted_for(lambda count, _: count >= last)


# --- what a limit leaves unasked ------------------------------------------------------------------


def test_the_sources_of_a_limited_scan_stop_when_it_has_rows_enough() -> None:
    def opens(url: str, _: Sequence[str]) -> bool:
        return not any(f"=env-{number}" in url for number in range(6, 13))

    gate = Gate(Organisation(environments=12, clusters=1, connectors=1), opens)
    connections = {"confluent": {**CONNECTIONS["confluent"], "max_concurrency": 50}}
    with engine_of(connections, transport=gate) as engine:
        (result,) = engine.run("SELECT name FROM confluent.connect.connectors LIMIT 3")
        assert tasks_of(engine.clients.loop) == 0
    assert (result.table.num_rows, result.complete) == (3, True)
    assert sum("/cmk/" in url for url in gate.answered) == 5


def test_the_sources_of_a_limited_scan_go_on_where_the_statement_reads_them() -> None:
    world = Organisation(environments=ENVIRONMENTS, clusters=1, connectors=1)
    with engine_of(CONNECTIONS, transport=world.transport) as engine:
        (result,) = engine.run(
            "(SELECT name AS id FROM confluent.connect.connectors LIMIT 3) "
            "UNION ALL SELECT id FROM confluent.managed_kafka_clusters.clusters"
        )
    assert result.table.num_rows == 3 + ENVIRONMENTS


@pytest.mark.parametrize("where", ["", " WHERE environment IN ({})"])
def test_a_limit_needs_no_budget_for_what_it_leaves_unasked(where: str) -> None:
    world = Organisation(environments=ENVIRONMENTS, clusters=1)
    names = ", ".join(f"'{name}'" for name in world.environment_ids)
    sql = "SELECT id FROM confluent.managed_kafka_clusters.clusters" + where.format(names)
    with engine_of(CONNECTIONS, transport=world.transport) as engine:
        (result,) = engine.run(f"{sql} LIMIT 3", None, Options(max_requests=30))
        assert result.table.num_rows == 3
        with pytest.raises(PlanError, match="budget"):
            list(engine.run(f"{sql} LIMIT 90", None, Options(max_requests=30)))


# --- an interrupt, wherever it falls --------------------------------------------------------------

EVERY = 0.001
"""Seconds of a statement between two interrupts that are tried."""


@contextmanager
def pressed_after(seconds: float) -> Iterator[None]:
    """KeyboardInterrupt after so many seconds, if it is not over by then."""

    def press(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, press)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


# what is pressed while garbage is collected reaches nobody
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there is no such timer")
@pytest.mark.parametrize(
    ("sql", "options", "rows"),
    [
        (ALL_CLUSTERS, Options(), ENVIRONMENTS),
        ("SELECT name FROM confluent.connect.connectors LIMIT 5", Options(), 5),
        (ALL_CLUSTERS, Options(partial=True, max_age=60), ENVIRONMENTS),
    ],
)
def test_an_interrupt_at_any_moment_leaves_nothing_behind_and_the_next_statement_is_right(
    sql: str, options: Options, rows: int
) -> None:
    world = Organisation(environments=ENVIRONMENTS, clusters=1, connectors=1)
    with engine_of(CONNECTIONS, transport=world.transport) as engine:
        for number in range(1, 30):
            with suppress(KeyboardInterrupt), pressed_after(number * EVERY):
                list(engine.run(sql, None, options))
            assert tasks_of(engine.clients.loop) == 0
            assert left_by_statements(engine) == []
            if number % 8 == 0:
                (result,) = engine.run(sql, None, options)
                assert (result.table.num_rows, result.complete) == (rows, True)


def left_by_statements(engine: Engine) -> list[str]:
    """Tables and views of ours; the empty tables are kept for the next statement."""
    found = engine.session.duckdb.execute(
        "SELECT table_name FROM duckdb_tables() UNION ALL SELECT view_name FROM duckdb_views()"
    ).fetchall()
    names = [name for (name,) in found if name.startswith("_connstat")]
    return [name for name in names if not name.startswith("_connstat_empty")]
