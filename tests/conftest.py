"""What most tests need: one running sandbox, an engine over it, and a clock that never waits."""

import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any, cast

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from connstat_sql.engine import Engine, Outside
from connstat_sql.loader import Library, shipped_providers
from connstat_sql.opening import Setup, Wiring, open_engine
from connstat_sql.sandbox import Sandbox, World

LONGEST = ("tests/integration", *(f"tests/test_{name}.py" for name in ("oracle_notices", "views")))
"""Begun first, so that at the end nobody waits for one of them."""


def pytest_configure() -> None:
    """Ctrl-C is Python's own, also where the tests are run by a shell's `&`, which ignores it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def place_of(nodeid: str) -> str:
    """What runs in one process: the tests of a file share fixtures; those of the servers too."""
    file = nodeid.partition("::")[0]
    folder = file.rpartition("/")[0]
    return folder if folder == "tests/integration" else file


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: place_of(item.nodeid) not in LONGEST)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    return ByPlace(config, log)


class ByPlace(LoadScopeScheduling):  # type: ignore[misc]  # pytest-xdist has no types
    """Hands one place after the other to the processes, in the order of collection."""

    def _split_scope(self, nodeid: str) -> str:
        return place_of(nodeid)


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(World.seeded(7)) as running:
        yield running


@pytest.fixture(autouse=True)
def _clean_sandbox(request: pytest.FixtureRequest) -> None:
    """Faults and counts of one test do not reach the next."""
    if "sandbox" in request.fixturenames:
        running = cast(Sandbox, request.getfixturevalue("sandbox"))
        running.heal()
        running.reset()


class FakeClock:
    """Time that passes only by sleeping; `slept` holds every wait asked for."""

    def __init__(self, start: float = 1_800_000_000.0) -> None:
        self.time = start
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds


@contextmanager
def engine_of(connections: Mapping[str, Mapping[str, Any]], **outside: Any) -> Iterator[Engine]:
    """An engine over connections as in `connstat.toml`, closed afterwards."""
    given = {"environment": {}, "clock": FakeClock(), **outside}
    engine = open_engine(Setup(connections=connections), Outside(**given))
    try:
        yield engine
    finally:
        engine.close()


@contextmanager
def narrow_engine_of(connections: Mapping[str, Mapping[str, Any]]) -> Iterator[Engine]:
    """The same, knowing Confluent and Kafka Connect alone: a quarter of the tables to declare."""
    kept = {name: one for name, one in connections.items() if one["provider"] in NARROW}
    wiring = _NarrowWiring(Setup(connections=kept), {})
    engine = Engine(wiring, Outside(environment={}, clock=FakeClock()))
    try:
        yield engine
    finally:
        engine.close()


NARROW = ("confluent", "kafka_connect")


class _NarrowWiring(Wiring):
    @cached_property
    def library(self) -> Library:
        return _NarrowLibrary([shipped_providers()])


class _NarrowLibrary(Library):
    @property
    def providers(self) -> tuple[str, ...]:
        return NARROW
