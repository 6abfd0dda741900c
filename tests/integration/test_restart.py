"""The real worker is killed and started again while many of its connectors are asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable

from connstat_sql import LiveDatabase
from connstat_sql.engine import Outside, RealClock
from connstat_sql.opening import Setup, open_engine
from connstat_sql.transport import Sent
from tests.integration.connectors import AWKWARD_NAME
from tests.integration.kafka import RealKafka

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


class Killing:
    """Kills the worker at a request, and starts it again beside whoever asks."""

    def __init__(self, kafka: RealKafka) -> None:
        self._kafka = kafka
        self._left: int | None = None
        self._starting = threading.Thread(target=kafka.start_worker)

    def arm(self) -> None:
        """Kill when so many requests have been sent from now on."""
        self._left = AT

    def observe(self, _sent: Sent) -> None:
        """Told of each request."""
        if self._left is None:
            return
        self._left -= 1
        if self._left == 0:
            self._left = None
            self._kafka.kill_worker()
            self._starting.start()

    def join(self) -> None:
        """Wait until the worker is as before."""
        self._starting.join()


def opened(kafka: RealKafka, observe: Callable[[Sent], None]) -> LiveDatabase:
    table = {"provider": "kafka_connect", "base_url": kafka.plain.url, "max_concurrency": 2}
    outside = Outside(environment={}, clock=RealClock(), observe=observe, timeout=10.0)
    return LiveDatabase(open_engine(Setup(connections={"plain": table}), outside))


def test_rows_are_exact_or_what_failed_is_said(kafka: RealKafka) -> None:
    killing = Killing(kafka)
    sql = fan_out(kafka)
    with opened(kafka, killing.observe) as database:
        expected = database.sql(sql).fetchall()
        assert len(expected) == 2 * (len(kafka.connectors) - 1)
        killing.arm()
        try:
            result = database.sql(sql, partial=True)
        finally:
            killing.join()
        lost = {
            (one.fetch.arguments["connector_name"], one.fetch.resource.table.resource)
            for one in result.errors
        }
        kept = [one for one in expected if (one[0], f"connector_{one[1]}") not in lost]
        assert result.fetchall() == kept
        assert database.sql(sql).fetchall() == expected
