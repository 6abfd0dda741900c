"""Every row of an organisation in plain DuckDB tables, under the live tables' names."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import duckdb

from connstat_sql.definitions.loader import Library, shipped_providers
from connstat_sql.definitions.model import TableName, quote
from tests.requests.organisation import (
    PLANT_CONNECTORS,
    Body,
    Organisation,
    cluster,
    environment,
    expanded,
    redpanda_cluster,
)


def copies(world: Organisation) -> duckdb.DuckDBPyConnection:
    """A DuckDB with full copies of the tables below."""
    library = Library([shipped_providers()])
    connection = duckdb.connect(config={"python_enable_replacements": False})
    connection.execute("SET TimeZone = 'UTC'")
    for name, rows in TABLES.items():
        resource = library.resource(TableName(*name.split(".")))
        assert resource is not None
        columns = {one.name: str(one.type) for one in resource.all_columns}
        catalog, schema, table = map(quote, name.split("."))
        connection.execute(f"ATTACH IF NOT EXISTS ':memory:' AS {catalog}")
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {catalog}.{schema}")
        connection.execute(
            f"CREATE TABLE {catalog}.{schema}.{table} AS "
            "SELECT unnest(from_json($rows, $types), max_depth := 2)",
            {"rows": json.dumps(list(rows(world))), "types": json.dumps([columns])},
        )
    return connection


def _environments(world: Organisation) -> Iterator[Body]:
    yield from map(environment, world.environment_ids)


def _clusters(world: Organisation) -> Iterator[Body]:
    for of, one in _places(world):
        body = cluster(of, one)
        flat = {key: body["spec"][key] for key in ("display_name", "cloud")}
        yield {**body, **flat, "phase": body["status"]["phase"], "environment": of}


def _connectors(world: Organisation) -> Iterator[Body]:
    for of, one in _places(world):
        for name in world.connector_names():
            keys = {"environment_id": of, "kafka_cluster_id": one, "connector_name": name}
            yield {**_flat(expanded(one, name)), **keys}


def _places(world: Organisation) -> Iterator[tuple[str, str]]:
    for of in world.environment_ids:
        for one in world.cluster_ids(of):
            yield of, one


def _plant(_: Organisation) -> Iterator[Body]:
    for name in PLANT_CONNECTORS:
        yield {**_flat(expanded("plant", name)), "connector_name": name}


def _settings(world: Organisation) -> Iterator[Body]:
    for row in _plant(world):
        for key, value in row["config"].items():
            yield {"key": key, "value": value, "connector_name": row["name"]}


def _redpanda(world: Organisation) -> Iterator[Body]:
    for name in world.redpanda_ids:
        body = redpanda_cluster(name, whole=True)
        yield {**body, "dataplane_api_url": body["dataplane_api"]["url"]}


def _flat(body: Body) -> Body:
    """A row of the connector tables: status, settings and identifiers beside each other."""
    info = body["info"]
    return {**body["status"], **body["id"], "config": info["config"], "task_ids": info["tasks"]}


TABLES: dict[str, Callable[[Organisation], Iterator[Body]]] = {
    "confluent.org.environments": _environments,
    "confluent.managed_kafka_clusters.clusters": _clusters,
    "confluent.connect.connectors": _connectors,
    "confluent.connect.connector_status": _connectors,
    "confluent.connect.connector_config": _connectors,
    "kafka_connect.connect.connectors": _plant,
    "kafka_connect.connect.connector_status": _plant,
    "kafka_connect.connect.connector_config": _settings,
    "redpanda.controlplane.clusters": _redpanda,
}
