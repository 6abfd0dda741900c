"""Stopping a statement from outside, at whatever point of its life.

The prompt is back, nothing more is sent, nothing is left behind.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import duckdb
import httpx
import pytest

from connstat_sql.demo import DemoServers, World
from connstat_sql.engine import Engine
from connstat_sql.errors import Interrupted
from tests.chaos import CHAOS_PROVIDERS, ChaosSandbox, chaos_of
from tests.chaos.faults import LONGEST_DELAY
from tests.conftest import engine_of
from tests.fakes.fetch_loops import tasks_of
from tests.fault_table import live

SQL = "SELECT name FROM plant_a.connect.connectors"
PLANT = {
    "provider": "kafka_connect", "base_url": "http://plant:8083", "username": "me",
    "password": "${PASSWORD}",
}  # fmt: skip
AT_ONCE = 500
HANGING = f"""SELECT count(*) FROM chaos.faults.slow WHERE milliseconds = {LONGEST_DELAY}
    AND times = 1000 AND total IN ({{}})"""


class Watched(Mapping[str, str]):
    """An environment that does something when a secret is read, which is before any request."""

    def __init__(self, then: Callable[[], None]) -> None:
        self._then = then

    def __getitem__(self, name: str) -> str:
        if name != "PASSWORD":
            raise KeyError(name)
        self._then()
        return "secret"

    def __iter__(self) -> Iterator[str]:
        return iter(["PASSWORD"])

    def __len__(self) -> int:
        return 1


def test_an_interrupt_before_the_first_request_sends_none() -> None:
    sent: list[str] = []
    presses = [True]

    def press() -> None:
        if presses.pop() if presses else False:
            engine.interrupt()

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.url.path)
        return httpx.Response(200, json=["orders"])

    engine: Engine
    transport = httpx.MockTransport(answer)
    with engine_of({"plant_a": PLANT}, environment=Watched(press), transport=transport) as engine:
        with pytest.raises((Interrupted, KeyboardInterrupt)):
            list(engine.run(SQL))
        assert sent == []
        (result,) = engine.run(SQL)
        assert result.fetchall() == [("orders",)]


def test_an_interrupt_while_nothing_runs_stops_nothing() -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=["orders"]))
    with engine_of({"plant_a": {**PLANT, "password": "x"}}, transport=transport) as engine:
        engine.interrupt()
        (result,) = engine.run(SQL)
        engine.interrupt()
        (again,) = engine.run(SQL)
        assert result.fetchall() == again.fetchall() == [("orders",)]


# --- in the middle, over sockets ------------------------------------------------------------------


def hanging(count: int) -> str:
    """So many requests, none of which is answered."""
    return HANGING.format(", ".join(map(str, range(1, count + 1))))


@pytest.fixture
def served() -> Iterator[DemoServers]:
    with ChaosSandbox(World.seeded(7)) as running:
        yield running


def tables_left(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Tables of a statement that has ended; the empty ones are kept for the next."""
    found = connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
    names = [name for (name,) in found if name.startswith("_connstat")]
    return [name for name in names if not name.startswith("_connstat_empty")]


def wait_for(served: DemoServers, count: int, process: subprocess.Popen[str] | None = None) -> None:
    while served.count() < count:
        assert process is None or process.poll() is None, process.communicate()
        time.sleep(0.001)


def test_an_interrupt_with_500_requests_in_flight_sends_nothing_more(
    served: DemoServers, tmp_path: Path
) -> None:
    config = tmp_path / "connstat.toml"
    config.write_text(
        f'[connections.chaos]\nprovider = "chaos"\nbase_url = "{served.url}/chaos"\n'
        f"max_concurrency = {AT_ONCE}\n"
    )
    places = ["--config", str(config), "--providers", str(CHAOS_PROVIDERS)]
    command = [sys.executable, "-m", "connstat_sql", *places, "query"]
    running = subprocess.Popen(
        [*command, "--max-requests", "2000", hanging(2 * AT_ONCE)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    wait_for(served, AT_ONCE, running)
    sent = time.monotonic()
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=25)
    seconds = time.monotonic() - sent
    print(f"{seconds:.3f} s from the signal to the end")
    assert (running.returncode, out, err.strip()) == (130, "", "interrupted")
    assert served.count() == AT_ONCE
    assert seconds < 5


@pytest.mark.parametrize("partial", [False, True])
@pytest.mark.parametrize("count", [1, 40])
def test_an_interrupt_leaves_nothing_behind_and_the_next_statement_works(
    served: DemoServers, count: int, partial: bool
) -> None:
    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    told = {**chaos_of(served), "max_concurrency": 40}

    main = threading.main_thread().ident or 0

    def interrupt() -> None:
        wait_for(served, count)
        signal.pthread_kill(main, signal.SIGINT)

    with live({"chaos": told}) as database:
        database.sql("SELECT count(*) FROM chaos.pages.whole")
        tasks = tasks_of(database._engine.clients.loop)
        served.reset()
        thread = threading.Thread(target=interrupt)
        thread.start()
        try:
            with pytest.raises(KeyboardInterrupt):
                database.sql(hanging(count), partial=partial)
        finally:
            thread.join()
            signal.signal(signal.SIGINT, before)
        assert tasks_of(database._engine.clients.loop) == tasks
        assert tables_left(database.duckdb) == []
        sql = "SELECT count(*) FROM chaos.pages.tokens WHERE total = 25"
        assert database.sql(sql).fetchall() == [(25,)]
        assert served.count() == count + 3


def test_an_interrupt_while_an_answer_of_duckdb_is_read_is_an_interrupt() -> None:
    presses = [True]

    def press(_: object) -> None:
        if presses.pop() if presses else False:
            engine.session.duckdb.execute("FROM range(10_000_000)")  # and nobody fetches it
            raise KeyboardInterrupt

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=["orders"])

    settings = {**PLANT, "password": "p"}
    with engine_of(
        {"plant_a": settings}, transport=httpx.MockTransport(answer), progress=press
    ) as engine:
        with pytest.raises(KeyboardInterrupt):
            list(engine.run(SQL))
        (result,) = engine.run(SQL)
        assert result.fetchall() == [("orders",)]
