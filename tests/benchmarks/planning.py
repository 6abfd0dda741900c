"""How long planning takes: from SQL text to a plan, nothing sent."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from connstat_sql.bootstrap import Setup, open_engine
from connstat_sql.engine import Engine, EngineOptions

RUNS = 9
CONFLUENT = {"confluent": {"provider": "confluent", "api_key": "k", "api_secret": "s"}}
FLEET = {
    **CONFLUENT,
    "redpanda": {"provider": "redpanda", "token": "t"},
    "plant_a": {"provider": "kafka_connect", "base_url": "http://127.0.0.1:1"},
    "plant_b": {"provider": "kafka_connect", "base_url": "http://127.0.0.1:2"},
    "aeontel": {"provider": "aeontel", "api_key": "k"},
}
VIEWS = {
    "every column": "SELECT * FROM inventory.connectors.connectors",
    "health by provider": "SELECT provider, health, count(*) FROM inventory.connectors.connectors "
    "GROUP BY ALL",
    "one provider": "SELECT connector_name, state FROM inventory.connectors.connectors "
    "WHERE provider = 'kafka_connect' AND connector_name = 'orders'",
    "tasks": "SELECT * FROM inventory.connectors.tasks",
}
"""Questions to the views over all vendors, by what they are about."""
KEYS = "environment_id, kafka_cluster_id, connector_name"
CHAIN = """
SELECT e.display_name, c.name, s.connector.state FROM confluent.org.environments e
JOIN confluent.managed_kafka_clusters.clusters k ON k.environment = e.id
JOIN confluent.connect.connectors c ON c.environment_id = e.id AND c.kafka_cluster_id = k.id
LEFT JOIN confluent.connect.connector_status s
  ON (s.environment_id, s.kafka_cluster_id, s.connector_name) = (e.id, k.id, c.name)
"""
PROVIDERS, SERVICES, RESOURCES = 20, 10, 10


@contextmanager
def _engine(setup: Setup) -> Iterator[Engine]:
    engine = open_engine(setup, EngineOptions(environment={}))
    try:
        yield engine
    finally:
        engine.close()


def milliseconds(engine: Engine, sql: str, runs: int = RUNS) -> float:
    """The median time to plan a statement, when definitions have been read already."""
    taken = []
    for _ in range(runs + 1):
        started = time.perf_counter()
        assert engine.explain(sql) is not None
        taken.append(time.perf_counter() - started)
    return median(taken[1:]) * 1000


def joined(mentions: int) -> str:
    """Mentions of one table in a chain of joins."""
    joins = "".join(
        f" JOIN confluent.connect.connector_status t{number} USING ({KEYS})"
        for number in range(1, mentions)
    )
    return f"SELECT count(*) FROM confluent.connect.connector_status t0{joins}"


def united(mentions: int) -> str:
    """Mentions of one table in the branches of a union, for a hundred clusters."""
    return " UNION ALL ".join(
        "SELECT name FROM confluent.connect.connectors "
        f"WHERE environment_id = 'env-1' AND kafka_cluster_id = 'lkc-{number % 100}'"
        for number in range(mentions)
    )


def doubled(ctes: int) -> str:
    """CTEs that each read the one before twice."""
    more = ", ".join(f"c{n} AS (FROM c{n - 1} UNION ALL FROM c{n - 1})" for n in range(1, ctes))
    return f"WITH c0 AS (FROM confluent.org.environments), {more} SELECT count(*) FROM c{ctes - 1}"


def handed_on(mentions: int) -> str:
    """Mentions side by side, each with its cluster from the one before."""
    tables = ", ".join(f"confluent.connect.connectors t{number}" for number in range(mentions))
    given = [f"t{number}.environment_id = 'env-1'" for number in range(mentions)]
    tied = [f"t{number}.kafka_cluster_id = t{number - 1}.name" for number in range(1, mentions)]
    where = " AND ".join(["t0.kafka_cluster_id = 'lkc-1'", *given, *tied])
    return f"SELECT count(*) FROM {tables} WHERE {where}"


def listed(values: int) -> str:
    """One connector out of many, by a list."""
    names = ", ".join(f"'orders-{number:05d}'" for number in range(values))
    return (
        "SELECT name, connector.state FROM confluent.connect.connector_status "
        f"WHERE environment_id = 'env-1' AND kafka_cluster_id = 'lkc-1' "
        f"AND connector_name IN ({names})"
    )


def chain_ms() -> float:
    """The four-table chain."""
    with _engine(Setup(connections=CONFLUENT)) as engine:
        return milliseconds(engine, CHAIN)


def views_ms() -> dict[str, tuple[float, float]]:
    """For each question to a view: asked again, and as the first one of an engine."""
    found = {}
    for name, sql in VIEWS.items():
        with _engine(Setup(connections=FLEET)) as engine:
            started = time.perf_counter()
            assert engine.explain(sql) is not None
            first = (time.perf_counter() - started) * 1000
            found[name] = (milliseconds(engine, sql), first)
    return found


MAKE = {"joined": joined, "united": united, "doubled": doubled, "handed on": handed_on}


def growth(kind: str, few: int = 10, many: int = 100) -> tuple[float, float]:
    """Milliseconds for few and for many mentions."""
    make = MAKE[kind]
    with _engine(Setup(connections=CONFLUENT)) as engine:
        return milliseconds(engine, make(few)), milliseconds(engine, make(many), 3)


def long_list_ms(values: int = 10_000) -> float:
    """A list of many values."""
    with _engine(Setup(connections=CONFLUENT)) as engine:
        return milliseconds(engine, listed(values))


def many_tables_ms() -> float:
    """Three tables out of 2,000."""
    sql = (
        "SELECT a.name, b.name, c.name FROM p7.s3.things_4 a "
        "JOIN p7.s3.things_5 b ON b.owner = a.id JOIN p12.s1.things_9 c ON c.owner = b.id"
    )
    with tempfile.TemporaryDirectory() as folder:
        write_providers(Path(folder))
        names = [f"p{number}" for number in range(PROVIDERS)]
        setup = Setup(
            connections={name: {"provider": name} for name in names}, providers=(Path(folder),)
        )
        with _engine(setup) as engine:
            assert sum(1 for _ in engine.catalog.definitions.tables()) >= 2000
            return milliseconds(engine, sql)


def write_providers(folder: Path) -> None:
    """Definitions of 2,000 tables: each a list, and a read by its owner."""
    for provider in (f"p{number}" for number in range(PROVIDERS)):
        place = folder / provider
        place.mkdir()
        (place / "provider.yaml").write_text(
            f"provider: {provider}\ndescription: Made up\nbase_url: https://{provider}.example\n",
            "utf-8",
        )
        for service in (f"s{number}" for number in range(SERVICES)):
            tables = "".join(_table(provider, service, one) for one in range(RESOURCES))
            text = f"service: {service}\ndescription: Made up\nresources:\n{tables}"
            (place / f"{service}.yaml").write_text(text, "utf-8")


def _table(provider: str, service: str, number: int) -> str:
    name = f"things_{number}"
    columns = "".join(f"      c{one}: VARCHAR -- Column {one}\n" for one in range(10))
    return f"""  {name}:
    description: Made up
    params:
      owner: {{description: Whose it is}}
    columns:
      id: VARCHAR -- Identifier
      name: VARCHAR -- Name
{columns}    methods:
      list: {{path: /v1/{service}/{name}, rows: data, fills: {{owner: owner}}}}
      of_owner: {{path: "/v1/{service}/{name}/{{owner}}", rows: data}}
    example: SELECT id FROM {provider}.{service}.{name}
"""
