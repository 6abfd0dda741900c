"""What most tests need: one running sandbox, an engine over it, and a clock that never waits."""

from __future__ import annotations

import gc
import signal
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from connstat_sql.bootstrap import Setup
from connstat_sql.bootstrap.assembly import Wiring
from connstat_sql.definitions.loader import Library, shipped_providers
from connstat_sql.demo import DemoServers, World
from connstat_sql.engine import Engine, EngineOptions
from connstat_sql.engine.live import LiveTables
from tests.chaos import CHAOS_PROVIDERS, ChaosSandbox
from tests.defects import listening

if TYPE_CHECKING:
    from tests.oracle.law import Court

LONGEST = (
    "tests/integration",
    "tests/unit/testing/test_oracle_notices.py",
    "tests/test_documents.py",
    "tests/unit/cache/test_cache_file.py",
    "tests/unit/saved/test_shipped_queries.py",
    "tests/unit/testing/test_soak.py",
    "tests/unit/engine/test_telemetry.py",
    "tests/unit/top/test_top_keys.py",
    "tests/unit/top/test_top_refreshing.py",
    "tests/unit/top/test_top_screen.py",
    "tests/unit/testing/test_tpcds.py",
    "tests/unit/testing/test_tpch.py",
    "tests/unit/sql/test_views.py",
    "tests/unit/sql/test_views_defined.py",
    "tests/unit/sql/test_views_law.py",
    "tests/unit/sql/test_views_macros.py",
    "tests/unit/sql/test_views_places.py",
    "tests/unit/monitor/test_watch.py",
    "tests/unit/monitor/test_watch_changes.py",
    "tests/unit/monitor/test_watch_laws.py",
    "tests/unit/transport/test_wire_faults.py",
)
"""Begun first, so that at the end nobody waits for one of them."""


def pytest_configure() -> None:
    """Signals are as a terminal has them, also where a shell's `&` or `nohup` ignores some.

    While tests are collected nothing becomes garbage that is worth a search.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    gc.disable()


def place_of(nodeid: str) -> str:
    """What runs in one process: the tests of a file share fixtures; those of the servers too."""
    file = nodeid.partition("::")[0]
    folder = file.rpartition("/")[0]
    return folder if folder == "tests/integration" else file


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: _rank(place_of(item.nodeid)))


def _rank(place: str) -> int:
    """The servers first of all: starting them is mostly waiting, beside which others work."""
    return LONGEST.index(place) if place in LONGEST else len(LONGEST)


def pytest_collection_finish() -> None:
    """What the collection made stays to the end: it is not searched for garbage over and over."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()


def pytest_sessionfinish() -> None:
    gc.unfreeze()


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    return ByPlace(config, log)


class ByPlace(LoadScopeScheduling):  # type: ignore[misc]  # pytest-xdist has no types
    """Hands one place after the other to the processes, in the order of collection."""

    def _split_scope(self, nodeid: str) -> str:
        return place_of(nodeid)


@pytest.fixture(scope="session")
def sandbox() -> Iterator[DemoServers]:
    with ChaosSandbox(World.seeded(7)) as running:
        yield running


@pytest.fixture(autouse=True)
def _clean_sandbox(request: pytest.FixtureRequest) -> Iterator[None]:
    """Faults and counts of one test do not reach the next, nor what is set up for a next module."""
    if "sandbox" not in request.fixturenames:
        yield
        return
    running = cast(DemoServers, request.getfixturevalue("sandbox"))
    running.heal()
    running.reset()
    yield
    running.heal()


@pytest.fixture(autouse=True)
def _no_defects(request: pytest.FixtureRequest) -> Iterator[None]:
    """A question of ours that DuckDB cannot read fails the test that asks it."""
    with listening() as heard:
        yield
    if request.node.get_closest_marker("defective") is None:
        assert not heard, heard


@pytest.fixture(scope="module")
def court_kind() -> type[LiveTables]:
    """How the engine of `court` answers; a module may say otherwise."""
    return LiveTables


@pytest.fixture(scope="module")
def court(
    tmp_path_factory: pytest.TempPathFactory, court_kind: type[LiveTables]
) -> Iterator[Court]:
    """The oracle's engine and judge (`tests/oracle`)."""
    from tests.oracle.law import Court  # imported by whoever tries queries

    opened = Court(tmp_path_factory.mktemp("zoo"), court_kind)
    yield opened
    opened.close()


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
def engine_of(
    connections: Mapping[str, Mapping[str, Any]],
    live: type[LiveTables] = LiveTables,
    providers: tuple[Path, ...] = (),
    **outside: Any,
) -> Iterator[Engine]:
    """An engine over connections as in `connstat.toml`, closed afterwards.

    `providers` are further folders of definitions.
    """
    given = {"environment": {}, "clock": FakeClock(), **outside}
    setup = Setup(connections=connections, providers=providers)
    wiring = SharedWiring(setup, given["environment"])
    _ = wiring.catalog  # what is wrong with the connections is said now, as `open_engine` does
    engine = Engine(wiring, EngineOptions(**given), live=live)
    try:
        yield engine
    finally:
        engine.close()


@contextmanager
def narrow_engine_of(connections: Mapping[str, Mapping[str, Any]]) -> Iterator[Engine]:
    """The same, knowing Confluent and Kafka Connect alone: a quarter of the tables to declare."""
    kept = {name: one for name, one in connections.items() if one["provider"] in NARROW}
    wiring = NarrowWiring(Setup(connections=kept), {})
    engine = Engine(wiring, EngineOptions(environment={}, clock=FakeClock()))
    try:
        yield engine
    finally:
        engine.close()


NARROW = ("confluent", "kafka_connect")


class _Selection(Library):
    """The shipped definitions of some providers; its files are read once in a process."""

    def __init__(self, providers: Iterable[str]) -> None:
        super().__init__([shipped_providers()])
        self._selected = tuple(sorted(providers))

    @property
    def providers(self) -> tuple[str, ...]:
        return self._selected


@cache
def _shared(*folders: Path) -> Library:
    return Library([shipped_providers(), *folders])


class SharedWiring(Wiring):
    """The shipped definitions, read once for all engines of a process: they do not change.

    Those of chaos are known too where there is a connection to it.
    """

    @cached_property
    def library(self) -> Library:
        if self._setup.providers:
            return super().library
        used = {str(one.get("provider")) for one in (self._setup.connections or {}).values()}
        return _shared(*([CHAOS_PROVIDERS] if "chaos" in used else []))


@cache
def _narrow() -> Library:
    return _Selection(NARROW)


class NarrowWiring(Wiring):
    """The same for the definitions of Confluent and Kafka Connect alone."""

    @cached_property
    def library(self) -> Library:
        return _narrow()
