"""The real worker is killed and started again, once, while many of its connectors are asked for.

What a dead worker is to whoever asks is tried in the meantime, before it is started again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx
import pytest

from connstat_sql import LiveDatabase
from connstat_sql.bootstrap import Setup, open_engine
from connstat_sql.engine import EngineOptions
from connstat_sql.errors import ConnectionFailed, ConnstatError
from connstat_sql.result import Result
from connstat_sql.transport import Attempt, RealClock
from tests.conftest import engine_of
from tests.integration.connectors import AWKWARD_NAME, States
from tests.integration.kafka import RealKafka, open_client, read_states
from tests.integration.test_queries import KAFKA, connections_of, rows

AT = 5
"""So many requests have been answered when the worker is killed."""


def fan_out(kafka: RealKafka) -> str:
    """Two requests for each connector that can be asked for by its name."""
    names = ", ".join(f"'{name}'" for name in sorted(kafka.connectors) if name != AWKWARD_NAME)
    where = f"WHERE connector_name IN ({names})"
    return f"""SELECT connector_name, 'topics', CAST(topics AS VARCHAR)
            FROM kafka_connect.connect.connector_topics {where}
        UNION ALL SELECT connector_name, 'offsets', CAST(offsets AS VARCHAR)
            FROM kafka_connect.connect.connector_offsets {where}
        ORDER BY ALL"""


@dataclass(frozen=True, slots=True)
class Death:
    """What is seen of a killed worker: its port, a statement that asks it, and the other worker."""

    refused: httpx.HTTPError | None
    failed: ConnstatError | None
    others: list[tuple[object, ...]]


def look_at_the_dead(kafka: RealKafka) -> Death:
    """Ask the worker that is down, and the one beside it."""
    refused: httpx.HTTPError | None = None
    failed: ConnstatError | None = None
    with open_client(kafka.plain) as client:
        try:
            client.get("/connectors")
        except httpx.HTTPError as error:
            refused = error
    with engine_of(connections_of(kafka)) as engine:
        try:
            rows(engine, f"SELECT count(*) FROM {KAFKA}.connectors")
        except ConnstatError as error:
            failed = error
        return Death(
            refused, failed, rows(engine, "SELECT count(*) FROM secure.connect.connectors")
        )


class Killing:
    """Kills the worker at a request, looks at it, and starts it again, beside whoever asks."""

    def __init__(self, kafka: RealKafka) -> None:
        self._kafka = kafka
        self._left: int | None = None
        self._reviving = threading.Thread(target=self._revive)
        self._death: Death | None = None
        self._states: dict[str, States] = {}

    def arm(self) -> None:
        """Kill when so many requests have been sent from now on."""
        self._left = AT

    def observe(self, _sent: Attempt) -> None:
        """Told of each request."""
        if self._left is None:
            return
        self._left -= 1
        if self._left == 0:
            self._left = None
            self._kafka.kill_worker()
            self._reviving.start()

    def _revive(self) -> None:
        try:
            self._death = look_at_the_dead(self._kafka)
        finally:
            self._kafka.start_worker()
        with open_client(self._kafka.plain) as client:
            self._states = read_states(client)

    def join(self) -> tuple[Death | None, dict[str, States]]:
        """Wait until the worker is as before: what was seen of it dead, and its states now."""
        if self._reviving.ident is not None:
            self._reviving.join()
        return self._death, self._states


def opened(kafka: RealKafka, observe: Callable[[Attempt], None]) -> LiveDatabase:
    table = {"provider": "kafka_connect", "base_url": kafka.plain.url, "max_concurrency": 2}
    outside = EngineOptions(environment={}, clock=RealClock(), observe=observe, timeout=10.0)
    return LiveDatabase(open_engine(Setup(connections={"plain": table}), outside))


@dataclass(frozen=True, slots=True)
class Restart:
    """The rows of a statement before, while and after the worker was down, and what was seen."""

    before: list[tuple[object, ...]]
    meanwhile: Result
    after: list[tuple[object, ...]]
    death: Death
    states: dict[str, States]


@pytest.fixture(scope="module")
def restart(kafka: RealKafka) -> Iterator[Restart]:
    killing = Killing(kafka)
    sql = fan_out(kafka)
    with opened(kafka, killing.observe) as database:
        before = database.sql(sql).fetchall()
        killing.arm()
        try:
            meanwhile = database.sql(sql, partial=True)
        finally:
            death, states = killing.join()
        assert death is not None
        yield Restart(before, meanwhile, database.sql(sql).fetchall(), death, states)


def test_rows_are_exact_or_what_failed_is_said(kafka: RealKafka, restart: Restart) -> None:
    assert len(restart.before) == 2 * (len(kafka.connectors) - 1)
    lost = {
        (one.fetch.arguments["connector_name"], one.fetch.resource.table.resource)
        for one in restart.meanwhile.errors
    }
    kept = [one for one in restart.before if (one[0], f"connector_{one[1]}") not in lost]
    assert restart.meanwhile.fetchall() == kept
    assert restart.after == restart.before


def test_a_killed_worker_refuses_and_comes_back_as_it_was(
    kafka: RealKafka, restart: Restart
) -> None:
    assert isinstance(restart.death.refused, httpx.ConnectError)
    assert restart.states == kafka.connectors


def test_where_nobody_answers_it_is_said_and_the_other_worker_goes_on(
    kafka: RealKafka, restart: Restart
) -> None:
    failed = restart.death.failed
    assert isinstance(failed, ConnectionFailed)
    assert failed.connection == "plain"
    assert failed.attempts > 1
    assert restart.death.others == [(len(kafka.secure.connectors),)]
    with engine_of(connections_of(kafka)) as engine:
        [(now,)] = rows(engine, f"SELECT count(*) FROM {KAFKA}.connectors")
    assert now == len(kafka.connectors) + len(kafka.secure.connectors)
