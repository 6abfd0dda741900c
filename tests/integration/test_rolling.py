"""Two real workers of one cluster are restarted one after the other, while statements go on.

A worker that is starting answers `[]` and `{}` with 200 for a moment, before it has read which
connectors there are: no answer may be made of that.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from connstat_sql import LiveDatabase
from connstat_sql.bootstrap import Setup, open_engine
from connstat_sql.engine import EngineOptions
from connstat_sql.errors import FetchError
from connstat_sql.result import Result
from connstat_sql.transport import Attempt, RealClock
from tests.integration.connectors import AWKWARD_NAME
from tests.integration.kafka import RealKafka, Worker

pytestmark = pytest.mark.long

WHOLE = (
    "SELECT DISTINCT name FROM {connection}.connect.connectors",
    "SELECT DISTINCT name FROM {connection}.connect.connector_status",
    """SELECT DISTINCT connector_name FROM inventory.connectors.connectors
    WHERE _connection = '{connection}'""",
)
"""Each answers the names of all connectors, whatever state they are in just then."""
TOLD_NOTHING = " 200 2"
"""How a request ends to which a worker has said that there is nothing, in two bytes."""
FAN_OUT = """SELECT connector_name FROM {connection}.connect.connector_topics
    WHERE connector_name IN ({names})"""


@dataclass
class Seen:
    """What came of the statements, by connection, and of the requests; what should not have."""

    ends: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int | None] = field(default_factory=Counter)
    said: Counter[str] = field(default_factory=Counter)
    told_nothing: int = 0
    lately: deque[str] = field(default_factory=lambda: deque(maxlen=4))
    wrong: list[str] = field(default_factory=list)


def connections_of(first: Worker, second: Worker) -> dict[str, dict[str, object]]:
    """One that knows both workers, and one for each of them."""
    provider = {"provider": "kafka_connect"}
    return {
        "pair": {**provider, "base_url": [first.url, second.url]},
        "first": {**provider, "base_url": first.url},
        "second": {**provider, "base_url": second.url},
    }


def ask(database: LiveDatabase, sql: str, wanted: set[str], seen: Seen, *, partial: bool) -> None:
    """Ask for the names: all of them, or what is missing is said."""
    connection = next(name for name in ("pair", "first", "second") if name in sql)
    try:
        result = database.sql(sql, partial=partial)
    except FetchError as error:
        seen.ends[f"{connection} failed"] += 1
        seen.said[f"{connection}: {error} {error.attempts}"] += 1
        if error.connection != connection:
            seen.wrong.append(f"{sql}: the error does not name {connection}: {error}")
        return
    names = {name for (name,) in result.fetchall()}
    lost = lost_of(result, wanted)
    seen.ends[f"{connection} {'complete' if result.complete else 'partial'}"] += 1
    if names | lost != wanted or names - wanted:
        seen.wrong.append(f"{sql}: says of {lost}, not of {wanted - names}: {seen.lately}")


def lost_of(result: Result, wanted: set[str]) -> set[str]:
    """The names that failed fetches may account for."""
    lost: set[str] = set()
    for failed in result.errors:
        name = failed.fetch.arguments.get("connector_name")
        lost |= wanted if name is None else {name}
    return lost


@pytest.fixture(scope="module")
def seen(kafka: RealKafka) -> Iterator[Seen]:
    """What was seen while both were restarted."""
    seen, second = Seen(), kafka.start_second()

    def roll() -> None:
        kafka.roll("plain", kafka.plain)
        kafka.roll("second", second)

    def note(sent: Attempt) -> None:
        seen.statuses[sent.status] += 1
        seen.told_nothing += f"{sent.line} {sent.status} {sent.size}".endswith(TOLD_NOTHING)
        seen.lately.append(f"{sent.line} {sent.status} {sent.size}")

    outside = EngineOptions(environment={}, clock=RealClock(), observe=note, timeout=10.0)
    setup = Setup(connections=connections_of(kafka.plain, second))
    everyone = set(kafka.connectors)
    named = everyone - {AWKWARD_NAME}
    texts = ", ".join(f"'{name}'" for name in sorted(named))
    rolling = threading.Thread(target=roll)
    with LiveDatabase(open_engine(setup, outside)) as database:
        rolling.start()
        while rolling.is_alive():
            for connection in connections_of(kafka.plain, second):
                for sql in WHOLE:
                    ask(database, sql.format(connection=connection), everyone, seen, partial=False)
                fan_out = FAN_OUT.format(connection=connection, names=texts)
                ask(database, fan_out, named, seen, partial=True)
        rolling.join()
        after = Seen(lately=seen.lately)
        for connection in connections_of(kafka.plain, second):
            for sql in WHOLE:
                ask(database, sql.format(connection=connection), everyone, after, partial=False)
        whole = (count for end, count in after.ends.items() if end.endswith(" complete"))
        seen.ends["complete afterwards"] = sum(whole)
        seen.wrong += after.wrong
    yield seen
    kafka.end_second()


def test_no_answer_is_short_in_silence_while_workers_are_restarted(seen: Seen) -> None:
    print(seen.ends, seen.statuses, seen.said, seen.told_nothing, sep="\n")
    assert not seen.wrong, "\n".join(seen.wrong)
    assert seen.ends["first failed"] + seen.ends["second failed"]
    assert seen.ends["complete afterwards"] == 3 * len(WHOLE)


def test_a_connection_that_knows_both_workers_goes_on(seen: Seen) -> None:
    assert seen.ends["pair complete"] > 3
    others = ("pair failed", "pair partial")
    assert sum(seen.ends[end] for end in others) == 0, seen.said
