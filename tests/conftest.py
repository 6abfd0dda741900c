"""What most tests need: one running sandbox, an engine over it, and a clock that never waits."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

import pytest

from connstat_sql.engine import Engine, Outside
from connstat_sql.opening import Setup, open_engine
from connstat_sql.sandbox import Sandbox, World


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of a file share its fixtures, so they run in one process; those of the servers too."""
    for item in items:
        folder = item.path.parent.name
        name = folder if folder == "integration" else str(item.path)
        item.add_marker(pytest.mark.xdist_group(name))


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
