"""Shells of one process: none waits for what another does."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from connstat_sql.bootstrap import Setup, open_engine
from connstat_sql.engine import Engine, EngineOptions
from connstat_sql.errors import ConfigError, InterfaceError
from connstat_sql.output.stderr import DONE
from connstat_sql.shell.session import ShellNarrator
from connstat_sql.sql.recursion import with_room
from tests.unit.shell.test_shell_commands import Desk, desk_of

URL = "http://connect.test"
LONGEST = 30.0
"""Seconds after which a test has failed that would hang."""


class Held:
    """Something that begins, and ends when it is let go."""

    def __init__(self) -> None:
        self.begun, self.end = threading.Event(), threading.Event()

    def __call__(self, _: object = None) -> str:
        self.begun.set()
        assert self.end.wait(LONGEST)
        return "ended"


@pytest.fixture
def held() -> Iterator[Held]:
    one = Held()
    yield one
    one.end.set()


def shell_of(here: Path, held: Held, history: Path) -> Desk:
    """A shell whose statements wait where they name `slow`; all share accounts and history."""

    async def answer(request: httpx.Request) -> httpx.Response:
        if "slow" in request.url.path:
            await asyncio.to_thread(held)
        return httpx.Response(200, json={"name": "orders", "connector": {"state": "RUNNING"}})

    def opened(_: ShellNarrator) -> Engine:
        connections = {"plant": {"provider": "kafka_connect", "base_url": URL}}
        outside = EngineOptions(
            environment={}, transport=httpx.MockTransport(answer), shares_limits=True
        )
        engine = open_engine(Setup(connections=connections), outside)
        engine.session.duckdb.create_function("slow", held, ["VARCHAR"], "VARCHAR")
        return engine

    here.mkdir()
    return desk_of(opened, here, CONNSTAT_HISTORY=str(history))


SELECT = "SELECT connector.state FROM plant.connect.connector_status WHERE connector_name = '{}';"


@pytest.mark.parametrize("long", [SELECT.format("slow"), "SELECT slow('a');"])
def test_a_long_statement_in_one_does_not_hold_another(
    long: str, held: Held, tmp_path: Path
) -> None:
    one, other = (shell_of(tmp_path / name, held, tmp_path / "history") for name in "ab")
    with ThreadPoolExecutor(1) as beside:
        running = beside.submit(one.do, long)
        assert held.begun.wait(LONGEST)
        for sql in (SELECT.format("quick"), "SELECT 'RUNNING';"):
            out, err, code = other.do(sql)
            assert (code, "RUNNING" in out) == (DONE, True), err
        other.shell.close()
        assert not running.done()
        held.end.set()
        assert running.result(LONGEST)[2] == DONE
    one.shell.close()


def test_leaving_one_does_not_wait_for_what_another_is_opening(held: Held, tmp_path: Path) -> None:
    def opened(_: ShellNarrator) -> Engine:
        held()
        raise ConfigError("nobody needs it")

    opening = desk_of(opened, tmp_path)
    opening.shell.engine.begin(lambda: None)
    assert held.begun.wait(LONGEST)
    leaving = shell_of(tmp_path / "a", held, tmp_path / "history")
    engine = leaving.shell.engine.get()
    leaving.shell.close()
    with pytest.raises(InterfaceError, match="closed"):
        next(engine.run("SELECT 1"))
    assert opening.shell.engine.is_opening


def test_what_is_nested_deeply_in_one_does_not_hold_another(held: Held) -> None:
    def deep(calls: int, at_the_end: Held) -> str:
        return deep(calls - 1, at_the_end) if calls else at_the_end()

    limit, quick = sys.getrecursionlimit(), Held()
    quick.end.set()
    with ThreadPoolExecutor(1) as beside:
        running = beside.submit(with_room, lambda: deep(5_000, held))
        assert held.begun.wait(LONGEST)
        assert with_room(lambda: deep(59_000, quick)) == "ended"
        assert not running.done()
        held.end.set()
        assert running.result(LONGEST) == "ended"
    assert sys.getrecursionlimit() == limit
