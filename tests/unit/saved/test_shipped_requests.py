"""What the shipped saved queries send: so many requests, whichever parameters have a value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain, combinations
from pathlib import Path

import pytest

from connstat_sql.demo import DemoServers, World
from connstat_sql.engine import Engine
from connstat_sql.result import Options, Result
from connstat_sql.saved import SavedQueries, SavedQuery, prepare, standard_folders
from tests.conftest import engine_of

QUERIES = SavedQueries(standard_folders(Path("/nowhere"), Path("/nowhere")))
VALUES = {
    "provider": "kafka_connect", "connection": "plant_a", "health": "UNHEALTHY",
    "plugin": "debezium", "cause": "refused", "topic": "orders", "name": "a",
    "start_date": "2026-11-01", "end_date": "2026-12-01",
}  # fmt: skip
REQUESTS = {
    "changed-since before": (21, 0),
    "cost-per-connector start_date end_date": (6, 10),
    "drift files": (24, 36),
    "drift files connection": (1, 6),
    "duplicates": (14, 0),
    "failed-behind-running": (17, 11),
    "failed-behind-running provider": (4, 4),
    "failed-behind-running connection": (2, 1),
    "failed-behind-running provider connection": (2, 1),
    "find name": (17, 31),
    "fleet": (21, 55),
    "fleet provider": (4, 12),
    "fleet connection": (2, 6),
    "fleet health": (21, 11),
    "fleet provider connection": (2, 6),
    "fleet provider health": (4, 3),
    "fleet connection health": (2, 2),
    "fleet provider connection health": (2, 2),
    "health": (17, 5),
    "health provider": (4, 2),
    "owners owners": (17, 2),
    "paused": (14, 8),
    "paused provider": (4, 3),
    "paused since": (14, 8),
    "paused provider since": (4, 3),
    "plugin-versions": (16, 0),
    "plugin-versions plugin": (16, 0),
    "restarts": (14, 12),
    "restarts connection": (2, 3),
    "restarts cause": (14, 0),
    "restarts connection cause": (2, 0),
    "root-causes": (17, 11),
    "root-causes provider": (4, 4),
    "secrets-in-configs": (15, 33),
    "secrets-in-configs connection": (1, 5),
    "sinks-of topic": (14, 0),
    "unreachable": (17, 0),
    "without-tasks": (17, 2),
    "workers": (12, 10),
    "workers provider": (2, 6),
}
"""By query and parameters with a value: requests, and rows of the answer."""


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with (
        DemoServers(World.seeded(7, environments=2, clusters=1)) as sandbox,
        engine_of(sandbox.connections) as opened,
    ):
        yield opened


@pytest.fixture(scope="module")
def values(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """A value for each parameter."""
    folder = tmp_path_factory.mktemp("values")
    (folder / "owners.csv").write_text("connector,owner\nreturns,logistics\n")
    (folder / "pricing-mysql-source.json").write_text('{"tasks.max": "7"}')
    answers = {"before": folder / "fleet.parquet", "since": folder / "paused.parquet"}
    for file in answers.values():
        engine.session.duckdb.register("answer", run(engine, file.stem, {})[-1].table)
        engine.session.duckdb.execute(f"COPY answer TO '{file}'")
    files = {"owners": folder / "owners.csv", "files": folder / "*.json", **answers}
    return VALUES | {name: str(file) for name, file in files.items()}


def run(engine: Engine, name: str, texts: Mapping[str, str]) -> list[Result]:
    query = QUERIES.find(name)
    prepared = prepare(query, texts, engine)
    options = Options(partial=query.is_partial)
    return list(engine.run(prepared.sql, prepared.arguments or None, options))


def every_combination(query: SavedQuery) -> Iterator[str]:
    """The query's name with those parameters that it needs, and any of the optional ones."""
    optional = [param.name for param in query.params if param.is_optional]
    chosen = chain.from_iterable(combinations(optional, n) for n in range(len(optional) + 1))
    for some in chosen:
        yield " ".join([
            query.name,
            *(param.name for param in query.params if param.name in (*some, *NEEDED)),
        ])  # fmt: skip


NEEDED = ("before", "start_date", "end_date", "files", "name", "owners", "topic")


def test_every_combination_of_parameters_is_listed() -> None:
    listed = {tuple(sorted(key.split())) for key in REQUESTS}
    assert {
        tuple(sorted(key.split())) for query in QUERIES for key in every_combination(query)
    } == (listed)


@pytest.mark.long
@pytest.mark.parametrize("key", REQUESTS)
def test_a_parameter_without_a_value_costs_no_request_and_one_with_a_value_saves_its(
    engine: Engine, values: Mapping[str, str], key: str
) -> None:
    name, *names = key.split()
    results = run(engine, name, {each: values[each] for each in names})
    requests = sum(result.requests for result in results)
    assert (requests, results[-1].table.num_rows) == REQUESTS[key]
