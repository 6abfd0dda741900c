"""The shipped definitions, held against what the vendors publish about their APIs.

`tests/specs/*.json` holds bare facts of the vendors' OpenAPI documents, made by
`tests/specs/carry.py`. Wherever a definition and a document differ on purpose, a table below says
where and why; an entry that is no longer needed fails too.
"""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from connstat_sql.definitions import model as definitions
from connstat_sql.definitions.loader import Library, shipped_providers, validate
from connstat_sql.definitions.model import (
    KEY,
    ListOf,
    MapOf,
    Method,
    Resource,
    Scalar,
    SqlType,
    Struct,
    quote,
)
from tests.facts import FACTS, facts_of, fits, missing, path_in, row_schema, step
from tests.tabled import over

Keys = definitions.Path
LIBRARY = Library([shipped_providers()])
RESOURCES = {str(resource.table): resource for resource in LIBRARY.tables()}
FETCHED = [resource for resource in RESOURCES.values() if resource.view is None]
METHODS = [
    pytest.param(resource, method, id=f"{table}:{method.name}")
    for table, resource in RESOURCES.items()
    for method in resource.methods
    if resource.table.provider in FACTS
]

TABLES = {
    "confluent": [
        *("connect.connectors", "connect.connector_status", "connect.connector_tasks"),
        *("connect.connector_config", "connect.connector_offsets"),
        *("connect.managed_connector_plugins", "connect.custom_connector_plugins"),
        *("org.environments", "managed_kafka_clusters.clusters", "iam.service_accounts"),
        *("iam.api_keys", "iam.users", "billing.costs", "schema_registry_clusters.v3_clusters"),
        "networking.networks",
    ],
    "redpanda": [
        *("controlplane.clusters", "controlplane.serverless_clusters"),
        *("controlplane.resource_groups", "controlplane.networks", "controlplane.users"),
        *("controlplane.service_accounts", "kafka_connect.clusters", "kafka_connect.connectors"),
        *("kafka_connect.connector_status", "kafka_connect.connector_tasks"),
        *("kafka_connect.connector_config", "kafka_connect.connector_topics"),
        *("dataplane.topics", "dataplane.users", "dataplane.acls", "dataplane.pipelines"),
    ],
    "kafka_connect": [
        *("connect.connectors", "connect.connector_status", "connect.connector_tasks"),
        *("connect.connector_config", "connect.connector_topics", "connect.connector_offsets"),
        *("connect.plugins", "connect.loggers", "connect.worker"),
    ],
    "aeontel": [
        *("connectors.connectors", "connectors.installs", "workspaces.workspaces"),
        "integrations.integrations",
    ],
}

# --- differences on purpose ----------------------------------------------------------------------

NOT_DECLARED = {
    "kafka_connect.connect.connectors:list_status": ["expand"],  # in the server since 2.3, never
    "kafka_connect.connect.connectors:list_info": ["expand"],  # in its documents
    "kafka_connect.connect.connectors:list": ["expand"],
    "kafka_connect.connect.connector_status:list": ["expand"],
    "kafka_connect.connect.connector_status:list_all": ["expand"],
    "kafka_connect.connect.connector_config:list": ["expand"],
    "kafka_connect.connect.connector_config:list_all": ["expand"],
}
WITHOUT_ANSWER = {
    # The document has errors only; the wire has the settings under `config`.
    "redpanda.kafka_connect.connector_config:get",
}
UNTYPED = {
    # The generated documents of Kafka Connect lose these types; real answers were recorded.
    "kafka_connect.connect.connectors:list_names",
    "kafka_connect.connect.connectors:list_status",
    "kafka_connect.connect.connectors:list_info",
    "kafka_connect.connect.connectors:list",
    "kafka_connect.connect.connector_status:list_names",
    "kafka_connect.connect.connector_status:list",
    "kafka_connect.connect.connector_status:list_all",
    "kafka_connect.connect.connector_config:list_names",
    "kafka_connect.connect.connector_config:list",
    "kafka_connect.connect.connector_config:list_all",
    "kafka_connect.connect.connector_topics:get",
    "kafka_connect.connect.connector_topics:list_names",
    "kafka_connect.connect.loggers:list",
}
NOT_DOCUMENTED = {
    # Seen in real answers: what the status says about the trace, tasks and type of the settings.
    "confluent.connect.connectors": [
        *("errors_from_trace", "validation_errors", "override_message"),
        *("extensions", "task_ids", "type"),
    ],
    "confluent.connect.connector_status": [
        *("errors_from_trace", "validation_errors", "override_message"),
    ],
    # In newer documents of the vendor than the one that these facts come from.
    "confluent.billing.costs": ["description", "tier_dimensions"],
    # Kafka 4.1 and later (KIP-891); the document is of 3.9.
    "kafka_connect.connect.connector_status": ["connector", "tasks"],
    "kafka_connect.connect.connectors": ["connector", "tasks"],
}
LEFT_OUT = {
    "confluent.connect.connectors": {
        ("info", "name"): "the key of the map, as is",
        ("status", "name"): "the key of the map",
    },
    "confluent.iam.api_keys": {
        ("spec", "secret"): "given once, when a key is made; empty on reads"
    },
    "redpanda.kafka_connect.connectors": {
        ("info", "name"): "the connector's name, as is",
        ("info", "type"): "the type of the status, as is",
        ("status", "name"): "the connector's name",
    },
    "kafka_connect.connect.connector_status": {
        ("connector", "msg"): "in no answer of any version that was seen",
        ("tasks", "msg"): "in no answer of any version that was seen",
    },
}


def label(resource: Resource, method: Method) -> str:
    """How the tables above name a method."""
    return f"{resource.table}:{method.name}"


# --- the definitions by themselves ---------------------------------------------------------------


def test_definitions_have_no_problems() -> None:
    assert validate([shipped_providers()], Library([])) == ()


def test_every_promised_table_exists() -> None:
    promised = {f"{provider}.{name}" for provider, names in TABLES.items() for name in names}
    assert promised <= set(RESOURCES)


@over("resource", RESOURCES.values(), ids=RESOURCES)
def test_every_table_is_described(resource: Resource) -> None:
    assert resource.description
    assert [one.name for one in resource.columns if not one.description] == []
    assert [one.name for one in resource.params if not one.description] == []


@pytest.fixture(scope="module")
def empty() -> Iterator[duckdb.DuckDBPyConnection]:
    """DuckDB with every table, and no row in any."""
    with duckdb.connect() as connection:
        for one in RESOURCES.values():
            catalog, schema, table = map(quote, str(one.table).split("."))
            columns = [f"{quote(each.name)} {each.type}" for each in one.columns]
            columns += [f"{quote(each.name)} {each.type}" for each in one.params]
            connection.execute(f"ATTACH IF NOT EXISTS ':memory:' AS {catalog}")
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {catalog}.{schema}")
            connection.execute(f"CREATE TABLE {catalog}.{schema}.{table} ({', '.join(columns)})")
        yield connection


@over("resource", RESOURCES.values(), ids=RESOURCES)
def test_every_table_has_an_example_that_binds(
    empty: duckdb.DuckDBPyConnection, resource: Resource
) -> None:
    assert str(resource.table) in resource.example
    assert empty.execute(resource.example).fetchall() in ([], [(0,)])


def test_lists_that_pages_end_ask_for_the_largest_page() -> None:
    paged = [one for each in RESOURCES.values() for one in each.methods if one.paging]
    assert all(one.paging and one.paging.size and one.paging.size_key for one in paged)


def test_nothing_that_acts_is_a_table() -> None:
    paths = [str(one.path) for each in RESOURCES.values() for one in each.methods]
    assert [one for one in paths if one.endswith(("/connect", "/rotate-secret"))] == []
    assert {one.verb for each in RESOURCES.values() for one in each.methods} == {"GET"}


def secrets_in(sql_type: SqlType) -> bool:
    """Whether a type has maps of settings inside."""
    if isinstance(sql_type, MapOf):
        return True
    if isinstance(sql_type, Struct):
        return any(name == "config" or secrets_in(of) for name, of in sql_type.fields)
    return isinstance(sql_type, ListOf) and secrets_in(sql_type.element)


@over("resource", FETCHED, ids=lambda one: str(one.table))
def test_settings_and_secrets_are_redacted(resource: Resource) -> None:
    for column in resource.columns:
        leaf = (column.path or (column.name,))[-1]
        if column.name in ("config", "server", "cluster_configuration"):
            assert column.redaction.value == "keys", column.name
            assert secrets_in(column.type), column.name
        elif "secret" in leaf or (column.name == "value" and resource.column("key")):
            assert column.redaction.value == "value", column.name


# --- the definitions against the documents -------------------------------------------------------


@over(("resource", "method"), METHODS)
def test_request_is_documented(resource: Resource, method: Method) -> None:
    facts = facts_of(resource, method)
    assert facts is not None, f"no document has {method.verb} {method.path}"
    declared = facts["parameters"]
    assert len(method.path.params) == sum(one["in"] == "path" for one in declared)
    sent = {item.key for item in method.query} | {str(one.key) for one in method.filters}
    if method.paging:
        keys = (method.paging.request, method.paging.size_key)
        sent |= {key for key in keys if isinstance(key, str)}
    always = {item.key for item in method.query}
    in_query = {one["name"]: one["required"] for one in declared if one["in"] == "query"}
    assert {name for name, required in in_query.items() if required} <= always
    assert sorted(sent - set(in_query)) == NOT_DECLARED.get(label(resource, method), [])


@over(("resource", "method"), METHODS)
def test_columns_are_in_the_documented_answer(resource: Resource, method: Method) -> None:
    body = (facts_of(resource, method) or {}).get("body")
    assert (body is None) == (label(resource, method) in WITHOUT_ANSWER)
    assert (body == "any") == (label(resource, method) in UNTYPED)
    if body is None:
        return
    row = row_schema(method.rows, body)
    assert row is not None, "the document has no rows where the definition looks for them"
    undocumented = NOT_DOCUMENTED.get(str(resource.table), [])
    for column in resource.columns:
        path = path_in(column, method)
        if path is None or path == KEY or column.name in undocumented:
            continue
        assert fits(column.type, step(row, path)), f"{column.name}: {step(row, path)}"
    for param, path in method.fills.items():
        assert path == KEY or step(row, path) in ("string", "any"), param
    if method.paging and body != "any":
        assert isinstance(method.paging.response, tuple)
        assert step(body, method.paging.response) in ("string", "string:uri")


@over("table", [table for table in RESOURCES if table.split(".")[0] in FACTS])
def test_every_documented_property_is_a_column(table: str) -> None:
    resource = RESOURCES[table]
    served = {
        method.name: sum(path_in(column, method) is not None for column in resource.columns)
        for method in resource.methods
    }
    method = max(resource.methods, key=lambda one: served[one.name])
    body = (facts_of(resource, method) or {}).get("body", "any")
    columns = [
        (path, column.type)
        for column in resource.columns
        if (path := path_in(column, method)) is not None
    ]
    columns += [
        (path, Scalar("VARCHAR")) for one in resource.methods for path in one.fills.values() if path
    ]
    row = row_schema(method.rows, body)
    found = set() if row == "any" else set(missing(columns, row))
    assert found == set(LEFT_OUT.get(table, {}))


def test_differences_on_purpose_are_still_there() -> None:
    """What a document has learnt in the meantime is a difference no more."""
    for table, names in NOT_DOCUMENTED.items():
        resource = RESOURCES[table]
        for name in names:
            column = resource.column(name)
            assert column is not None, f"{table} has no {name}"
            known = []
            for method in resource.methods:
                path = path_in(column, method)
                body = (facts_of(resource, method) or {}).get("body")
                if path is None or body in (None, "any"):
                    continue
                known.append(fits(column.type, step(row_schema(method.rows, body), path)))
            assert not all(known), f"{table}.{name} is documented"
    labels = {label(each, one) for each in RESOURCES.values() for one in each.methods}
    assert labels >= {*NOT_DECLARED, *WITHOUT_ANSWER, *UNTYPED}


def test_hosts_of_redpanda_are_trusted_below_its_domain_only() -> None:
    redpanda = LIBRARY.provider("redpanda")
    assert redpanda is not None
    assert redpanda.trusted_hosts == ("*.cloud.redpanda.com",)


def test_no_brace_is_sent_as_it_is() -> None:
    for resource in RESOURCES.values():
        for method in resource.methods:
            assert not any(brace in part for part in method.path.parts[::2] for brace in "{}")
