"""Stopping a statement from outside, at whatever point of its life."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import httpx
import pytest

from connstat_sql.engine import Engine
from connstat_sql.errors import Interrupted
from tests.conftest import engine_of

SQL = "SELECT name FROM plant_a.connect.connectors"
PLANT = {
    "provider": "kafka_connect", "base_url": "http://plant:8083", "username": "me",
    "password": "${PASSWORD}",
}  # fmt: skip


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
