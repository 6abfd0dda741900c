"""One connection and many threads: statements take turns, and none runs past its deadline."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta, tzinfo

import httpx
import pytest

import connstat_sql
from connstat_sql.engine import Engine
from connstat_sql.errors import ConnstatError, DeadlinePassed, ExecuteError, Interrupted
from connstat_sql.result import Options
from tests.conftest import engine_of
from tests.oracle.law import Court
from tests.unit.planner.test_planner_law import world

PLANT = {"plant_a": {"provider": "kafka_connect", "base_url": "http://plant:8083"}}
LIVE = "SELECT name FROM plant_a.connect.connectors"
ENDLESS = "SELECT count(*) FROM range(1000000000000) a, range(1000) b WHERE a.range <> b.range"


@pytest.fixture
def engine() -> Iterator[Engine]:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=["orders"]))
    with engine_of(PLANT, transport=transport) as opened:
        yield opened


def rows(engine: Engine, sql: str) -> list[tuple[object, ...]]:
    return [*engine.run(sql)][-1].fetchall()


def watches() -> list[str]:
    return [one.name for one in threading.enumerate() if one.name == "connstat-deadline"]


@pytest.mark.parametrize(
    "sql",
    [
        ENDLESS, f"CREATE TABLE t AS {ENDLESS}",
        f"SELECT (SELECT count(*) FROM range(1000000000000) a WHERE a.range <> length(name)) "
        f"FROM ({LIVE})",
        f"{LIVE} WHERE name = CAST(({ENDLESS}) AS VARCHAR)",
        f"{LIVE} WHERE name IN (SELECT CAST(a.range AS VARCHAR) FROM range(1000000000000) a, "
        "range(1000) b WHERE a.range <> b.range GROUP BY ALL HAVING count(*) > 1000)",
        f"SELECT 1; SELECT 2 FROM ({LIVE}) WHERE name = CAST(({ENDLESS}) AS VARCHAR)",
    ],
)  # fmt: skip
def test_a_statement_ends_at_its_deadline(engine: Engine, sql: str) -> None:
    for deadline in (0.0, 0.02, 0.1):
        with pytest.raises(DeadlinePassed):
            list(engine.run(sql, None, Options(deadline=deadline)))
    (result,) = engine.run(LIVE, None, Options(deadline=600))
    assert result.fetchall() == [("orders",)]
    assert watches() == []


def test_threads_share_an_engine(engine: Engine) -> None:
    def ask(number: int) -> list[tuple[object, ...]]:
        if number % 3 == 0:
            *_, result = engine.run(f"SELECT {number}")
        elif number % 3 == 1:
            *_, result = engine.run(f"SELECT {number} FROM ({LIVE})")
        else:
            engine.explain(LIVE)
            *_, result = engine.run(f"SELECT 1; SELECT {number} FROM ({LIVE}) WHERE name <> 'x'")
        return result.fetchall()

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(48))) == [[(number,)] for number in range(48)]
    assert connstat_sql.threadsafety == 2


def test_an_interrupt_stops_the_one_that_runs_and_not_the_one_that_waits() -> None:
    begun = threading.Event()

    def answer(_: httpx.Request) -> httpx.Response:
        begun.set()
        return httpx.Response(200, json=["orders"])

    slow = f"SELECT count(*) FROM ({LIVE}), range(1000000000000) a WHERE a.range <> length(name)"
    transport = httpx.MockTransport(answer)
    with engine_of(PLANT, transport=transport) as engine, ThreadPoolExecutor(2) as pool:
        running = pool.submit(lambda: list(engine.run(slow)))
        begun.wait()
        waiting = pool.submit(rows, engine, "SELECT 1")
        while not running.done():
            engine.interrupt()
            begun.clear()
            begun.wait(0.01)
        assert isinstance(running.exception(), (Interrupted, KeyboardInterrupt))
        with suppress(Interrupted):  # the last of many may come when its turn has begun
            assert waiting.result() == [(1,)]


def test_a_statement_waits_for_its_turn_no_longer_than_its_deadline(engine: Engine) -> None:
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with engine._turns.turn():
            held.set()
            done.wait()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(hold)
        held.wait()
        with pytest.raises(DeadlinePassed, match="another statement"):
            list(engine.run("SELECT 1", None, Options(deadline=0.01)))
        done.set()
    assert [*engine.run("SELECT 1")][-1].fetchall() == [(1,)]


def test_half_a_run_lets_others_in(engine: Engine) -> None:
    half = engine.run(f"SELECT 1; {LIVE}")
    assert next(half).fetchall() == [(1,)]
    assert [*engine.run(LIVE)][-1].fetchall() == [("orders",)]
    assert next(half).fetchall() == [("orders",)]


def test_what_is_told_of_a_statement_cannot_run_another() -> None:
    said: list[ConnstatError] = []

    def nested(_: object) -> None:
        try:
            list(opened.run("SELECT 1"))
        except ConnstatError as error:
            said.append(error)

    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=["orders"]))
    with engine_of(PLANT, transport=transport, observe=nested, progress=nested) as opened:
        assert [*opened.run(LIVE)][-1].fetchall() == [("orders",)]
    assert len(said) >= 2
    assert {type(one) for one in said} == {ExecuteError}


def test_closing_ends_what_another_thread_runs(engine: Engine) -> None:
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(lambda: list(engine.run(ENDLESS)))
        while not engine._turns._lock.locked():
            threading.Event().wait(0.001)
        engine.close()
        assert isinstance(running.exception(), (ConnstatError, KeyboardInterrupt))


FED = """SELECT * FROM conn_a.w.subs WHERE grp IN (SELECT concat(x, max(a.range))
    FROM notes, range(1000000000000) a, range(1000) b WHERE a.range <> b.range GROUP BY x)"""


@pytest.mark.parametrize("partial", [False, True])
def test_the_sql_that_finds_what_to_ask_ends_too(court: Court, partial: bool) -> None:
    court.enter(world())
    *_, plan = court.engine.run(f"EXPLAIN {FED}")
    assert "from a subquery" in str(plan.fetchall())
    court.world.asked.clear()
    with pytest.raises(DeadlinePassed):
        list(court.engine.run(FED, None, Options(deadline=0.2, partial=partial)))
    assert court.world.asked == []
    assert watches() == []
    assert rows(court.engine, "SELECT 1") == [(1,)]


class Pressing(tzinfo):
    """A time zone that does something when it is asked, which is while DuckDB takes arguments."""

    def __init__(self, then: Callable[[], None]) -> None:
        self._then = then

    def utcoffset(self, _: datetime | None) -> timedelta:
        self._then()
        return timedelta(0)

    def dst(self, _: datetime | None) -> None:
        return None

    def tzname(self, _: datetime | None) -> str:
        return "UTC"


@pytest.mark.parametrize("sql", [ENDLESS, f"SELECT ({ENDLESS}) FROM ({LIVE})"])
def test_an_interrupt_just_before_duckdb_begins_is_not_lost(engine: Engine, sql: str) -> None:
    moment = datetime(2026, 1, 1, tzinfo=Pressing(engine.interrupt))
    with pytest.raises(Interrupted):
        list(engine.run(f"SELECT ({sql}), $1", [moment]))
    assert watches() == []
    assert rows(engine, LIVE) == [("orders",)]
