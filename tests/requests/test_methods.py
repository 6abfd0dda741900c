"""A table answers the same whichever of its methods is asked (on the sandbox's worlds)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from connstat_sql.bootstrap import Setup, open_engine
from connstat_sql.definitions.loader import Library, shipped_providers
from connstat_sql.definitions.model import Method, Resource, literal, quote
from connstat_sql.demo import DemoServers, World
from connstat_sql.engine import Engine, EngineOptions

LIBRARY = Library([shipped_providers()])
TABLES = {
    str(one.table): one
    for one in LIBRARY.tables()
    if len(one.choices) > 1 and one.table.provider in ("confluent", "kafka_connect", "redpanda")
}
PAIRS = [
    pytest.param(resource, method, id=f"{name}:{method.name}")
    for name, resource in TABLES.items()
    for method in resource.choices[:-1]
]


def alone(resource: Resource, method: Method, folder: Path) -> Path:
    """A folder of definitions in which the table has that one method, and those that it names.

    Older servers, which are asked otherwise, are none of these.
    """
    table = resource.table
    place = folder / f"{table}-{method.name}"
    copy = place / table.provider
    if not copy.exists():
        shutil.copytree(shipped_providers() / table.provider, copy)
        file = copy / f"{table.service}.yaml"
        content: dict[str, Any] = yaml.load(file.read_text("utf-8"), yaml.CSafeLoader)
        of = content["resources"][table.resource]
        named = (method.name, method.details, method.known_by, method.rest_from)
        of["methods"] = {
            name: {word: value for word, value in one.items() if word != "fallback"}
            for name, one in of["methods"].items()
            if name in named
        }
        file.write_text(yaml.dump(content, Dumper=yaml.CSafeDumper, sort_keys=False), "utf-8")
    return place


def served(resource: Resource, method: Method) -> list[str]:
    """Columns that the method has, by itself or through its details."""
    columns = [one.name for one in resource.columns]
    if method.details is not None:
        return columns
    return [name for name in columns if method.columns.get(name, ()) is not None]


class Alone:
    """Engines over tables that have one method each, opened when they are first asked."""

    def __init__(self, sandbox: DemoServers, folder: Path) -> None:
        self._sandbox = sandbox
        self._folder = folder
        self._opened: dict[tuple[str, str], Engine] = {}

    def ask(
        self, resource: Resource, method: Method, columns: list[str], where: str
    ) -> list[tuple[Any, ...]]:
        """Rows of one connection of the provider, by that method."""
        provider, service, name = str(resource.table).split(".")
        connection = "plant_a" if provider == "kafka_connect" else provider
        listed = ", ".join(map(quote, columns))
        sql = f"SELECT {listed} FROM {connection}.{service}.{name} WHERE {where} ORDER BY ALL"
        [result] = self._engine(resource, method).run(sql)
        return result.fetchall()

    def _engine(self, resource: Resource, method: Method) -> Engine:
        key = (str(resource.table), method.name)
        if key not in self._opened:
            folder = alone(resource, method, self._folder)
            known = {
                name: one
                for name, one in self._sandbox.connections.items()
                if one["provider"] == resource.table.provider
            }
            setup = Setup(connections=known, providers=(folder,))
            self._opened[key] = open_engine(setup, EngineOptions(environment={}, mask_key="k"))
        return self._opened[key]

    def close(self) -> None:
        for engine in self._opened.values():
            engine.close()


@pytest.fixture(scope="module")
def methods(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alone]:
    """Over two environments, clusters and so on, with every kind of connector at least once."""
    world = World.seeded(7, environments=2, clusters=1, connectors=11)
    with DemoServers(world) as running:
        opened = Alone(running, tmp_path_factory.mktemp("alone"))
        yield opened
        opened.close()


@pytest.mark.long
@pytest.mark.parametrize(("resource", "method"), PAIRS)
def test_a_method_answers_what_the_last_one_does(
    methods: Alone, resource: Resource, method: Method
) -> None:
    last = resource.choices[-1]
    keys = [one.name for one in resource.params]
    found = methods.ask(resource, last, keys, "true")
    assert found
    refused = LIBRARY.provider(resource.table.provider)
    assert refused is not None
    rows = [row for row in found if not {*refused.path_rejects} & {*"".join(row)}]
    tuples = ", ".join(f"({', '.join(map(literal, row))})" for row in dict.fromkeys(rows))
    where = f"({', '.join(map(quote, keys))}) IN ({tuples})"
    both = set(served(resource, last))
    columns = [*(name for name in served(resource, method) if name in both), *keys]
    expected = methods.ask(resource, last, columns, where)
    assert len(expected) == len(rows)
    assert methods.ask(resource, method, columns, where) == expected


@pytest.mark.parametrize(
    "names",
    [
        *(
            [f"{provider}.connect.{one}" for one in ("connectors", "connector_status")]
            for provider in ("confluent", "kafka_connect")
        ),
        *(
            [f"{provider}.connect.{one}" for one in ("connectors", "connector_config")]
            for provider in ("confluent", "kafka_connect")
        ),
        ["redpanda.kafka_connect.connectors", "redpanda.kafka_connect.connector_status"],
    ],
    ids=" and ".join,
)
def test_tables_that_one_list_serves_ask_for_it_in_the_same_words(names: list[str]) -> None:
    last = [TABLES[name].choices[-1] for name in names]
    asked = {(m.verb, str(m.base_url), str(m.path), m.query, m.headers, m.paging) for m in last}
    assert len(asked) == 1
    assert len({m.no_row for m in last}) == 1


@pytest.mark.parametrize("name", ["confluent.connect", "kafka_connect.connect"])
def test_lists_stand_from_the_lightest_to_the_heaviest(name: str) -> None:
    connectors = TABLES[f"{name}.connectors"]
    lists = [one for one in connectors.methods if one.name.startswith("list")]
    columns = [set(served(connectors, one)) for one in lists]
    assert columns[0] == {"name"}
    assert columns[-1] == {one.name for one in connectors.columns}
    assert all(one < columns[-1] for one in columns[:-1])
