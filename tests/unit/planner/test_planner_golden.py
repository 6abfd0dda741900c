"""Golden plans: each `fixtures/plans/*.sql` is planned as the text beside it says.

With CONNSTAT_WRITE_PLANS set the texts are written anew; read them before you keep them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from connstat_sql.bootstrap import Setup, open_engine
from connstat_sql.engine import Engine, EngineOptions
from connstat_sql.errors import QueryError
from connstat_sql.planner import as_text

PLANS = sorted((Path(__file__).parents[2] / "fixtures" / "plans").glob("*.sql"))
CONNECTIONS = {
    "confluent": {"provider": "confluent", "api_key": "k", "api_secret": "s"},
    "plant_a": {"provider": "kafka_connect", "base_url": "http://plant-a:8083"},
    "plant_b": {"provider": "kafka_connect", "base_url": "http://plant-b:8083"},
}


def refuse(request: httpx.Request) -> httpx.Response:
    raise AssertionError(f"a request was sent: {request.url}")


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    outside = EngineOptions(environment={}, transport=httpx.MockTransport(refuse))
    opened = open_engine(Setup(connections=CONNECTIONS), outside)
    yield opened
    opened.close()


def planned(engine: Engine, sql: str) -> str:
    try:
        found = engine.explain(sql)
    except QueryError as error:
        return f"error: {error.message}\nhint: {error.hint}\n"
    assert found is not None
    return as_text(found) + "\n"


@pytest.mark.parametrize("file", PLANS, ids=lambda file: file.stem)
def test_a_query_is_planned_as_its_text_says(engine: Engine, file: Path) -> None:
    found = planned(engine, file.read_text("utf-8"))
    expected = file.with_suffix(".txt")
    if "CONNSTAT_WRITE_PLANS" in os.environ:
        expected.write_text(found, "utf-8")
    assert found == expected.read_text("utf-8")


@pytest.mark.parametrize("file", PLANS, ids=lambda file: file.stem)
def test_a_query_begins_with_a_sentence_that_says_what_it_shows(file: Path) -> None:
    first = file.read_text("utf-8").splitlines()[0]
    assert first.startswith("-- ")
    assert first.endswith(".")


def test_plans_are_numbered_one_after_the_other() -> None:
    assert len(PLANS) >= 25
    assert [int(file.stem.partition("-")[0]) for file in PLANS] == [*range(1, len(PLANS) + 1)]
