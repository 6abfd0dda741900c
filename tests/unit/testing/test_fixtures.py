"""Every recorded body goes through the shipped definition that reads it, or says why none does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from connstat_sql.decode import FieldLayout, RowReader
from connstat_sql.definitions.loader import Library, shipped_providers
from connstat_sql.definitions.model import TableName
from connstat_sql.errors import UnexpectedShape
from connstat_sql.transport.responses import error_message
from tests.tabled import over
from tests.unit.decode.test_decode import DUCKDB, decode

BODIES = Path(__file__).parents[2] / "fixtures" / "bodies"
LIBRARY = Library([shipped_providers()])

EXPECTED = json.loads((BODIES.parent / "rows.json").read_text("utf-8"))
READ = [
    pytest.param(body, method, expected, id=f"{body}->{method}")
    for method, expected in EXPECTED.items()
    for body in expected["bodies"]
]

NO_TABLE = {
    "README.md": "says where the bodies come from",
    "aeontel.SYNTH.connector.json": "a read by id would answer a slug too; the list is read",
    "aeontel.SYNTH.mcp_server.json": "servers are read as part of an install",
    "aws.SYNTH.msk_connect.connectors.page1.json": "there is no provider for MSK Connect",
    "aws.SYNTH.msk_connect.connectors.page2.json": "there is no provider for MSK Connect",
    "confluent.connector_plugin_validate.json": "the answer of a PUT",
    "confluent.ip_addresses.page1.json": "there is no table of addresses",
    "confluent.ip_addresses.page2.json": "there is no table of addresses",
    "confluent.kafka_rest.topics.json": "the Kafka REST API is not the Cloud API",
    "confluent.offsets_request_status.applied.json": "the status of a change of offsets",
    "confluent.spec_example.connectors.json": "bare names; the lists ask for more with `expand`",
    "confluent.spec_example.errors.json": "several errors, see the test of its own",
    "kafka-connect-4.3.0.connectors.json": "bare names; the lists ask for more with `expand`",
    "kafka-connect-4.3.0.connectors_trailing_slash.json": "the same under another path",
    "kafka-connect-4.3.0.expand_comma_is_ignored.json": "no rows, see the test of its own",
    "kafka-connect-4.3.0.health.json": "there is no table of health",
    "kafka-connect-4.3.0.logger_root.json": "the list of loggers is read",
    "kafka-connect-4.3.0.plugin_config.json": "there is no table of the settings of plugins",
    "kafka-connect-4.3.0.task_status_failed.json": "tasks are read with their connector's status",
    "redpanda.SYNTH.connect_cluster.wrapped.json": "the list of Connect clusters is read",
    "redpanda.SYNTH.oauth_token.json": "what the token request answers",
    "strimzi.SYNTH.kafkaconnectors.page1.json": "there is no provider for Strimzi",
}

STALE = (
    "Cannot complete request momentarily due to stale configuration "
    "(typically caused by a concurrent config change)"
)
STOPPED = (
    "Connectors must be in the STOPPED state before their offsets can be modified. This can be "
    "done for the specified connector by issuing a 'PUT' request to the "
    "'/connectors/orders-file-source/stop' endpoint"
)
REBALANCE = "Cannot complete request because of a conflicting operation (e.g. worker rebalance)"
ERRORS = {
    "confluent.error.401.failure_shape.json": "Unauthorized",
    "confluent.error.401.kafka_rest.html": "(an HTML page)",
    "confluent.error.403.failure_shape.json": "Forbidden Access",
    "confluent.error.404.connect.error_code_shape.json": "resource not found",
    "confluent.error.404.failure_shape.json": "Resource Not Found",
    "kafka-connect-4.3.0.error_400_encoded_slash_html.html": "(an HTML page)",
    "kafka-connect-4.3.0.error_400_offsets_not_stopped.json": STOPPED,
    "kafka-connect-4.3.0.error_404_connector.json": "Connector nope not found",
    "kafka-connect-4.3.0.error_404_path.json": "HTTP 404 Not Found",
    "kafka-connect-4.3.0.error_404_status.json": "No status found for connector nope",
    "kafka-connect-4.3.0.error_404_task.json": "No status found for task orders-file-source-7",
    "kafka-connect-4.3.0.error_405.json": "HTTP 405 Method Not Allowed",
    "kafka-connect-4.3.0.error_409_exists.json": "Connector orders-file-source already exists",
    "kafka-connect-4.3.0.tasks_config_removed_404.json": "HTTP 404 Not Found",
    "kafka-connect.SYNTH.error_409_rebalance.json": REBALANCE,
    "kafka-connect.SYNTH.error_409_stale_config.json": STALE,
    "kafka-connect.SYNTH.error_500_rebalance_expected.json":
        "Request cannot be completed because a rebalance is expected",
    "kafka-connect.SYNTH.error_500_timeout.json": "Request timed out",
    "redpanda.SYNTH.error.400.page_size.json": "provided parameters are invalid",
    "redpanda.SYNTH.error.401.json": "the request carries no access token",
    "redpanda.SYNTH.error.404.json": "the connect cluster or connector was not found",
}  # fmt: skip
SEVERAL = {
    "connect 400": "Bad Request", "connect 401": "Unauthorized", "connect 403": "Forbidden",
    "connect 404": "resource not found", "connect 500": "Oops, something went wrong",
    "v2 services 400": "The 'delorean' resource can't be filtered by 'num_doors'",
    "v2 services 401": "Valid authentication credentials must be provided",
    "v2 services 403": "The user 'mcfly' is not allowed to access the 'delorean' resource "
                       "without the 'plutonium' role.",
    "v2 services 404": "Not Found",
    "v2 services 500": "The DeLorean has run out of gas, but Doc Brown will fill 'er up for you "
                       "asap",
}  # fmt: skip


def reader_of(table_and_method: str) -> RowReader:
    """Reads all columns that a method serves, and the parameters that it fills."""
    table, _, name = table_and_method.partition(":")
    resource = LIBRARY.resource(TableName(*table.split(".")))
    assert resource is not None
    method = resource.method(name)
    fields = [
        FieldLayout.of_column(column, path)
        for column in resource.columns
        if (path := method.columns.get(column.name, column.path)) is not None
    ]
    for name, path in method.fills.items():
        param = resource.param(name)
        assert param is not None
        fields.append(FieldLayout.of_param(param, path))
    return RowReader(method.rows, fields)


def message_in(body: bytes, file: str) -> str:
    name = file.partition(".")[0].partition("-connect")[0].replace("kafka", "kafka_connect")
    provider = LIBRARY.provider(name)
    assert provider is not None
    return error_message(body, provider.errors)


@over(("file", "method", "expected"), READ)
def test_a_body_gives_its_rows(file: str, method: str, expected: dict[str, Any]) -> None:
    rows = decode(reader_of(method), (BODIES / file).read_bytes())
    assert len(rows) == expected["bodies"][file]["rows"]
    first = DUCKDB.execute(f"SELECT {expected['look_at']} FROM decoded LIMIT 1").fetchone()
    assert (first and list(first)) == expected["bodies"][file]["first"]


@over(("file", "message"), ERRORS.items())
def test_an_error_body_gives_its_message(file: str, message: str) -> None:
    assert message_in((BODIES / file).read_bytes(), file) == message


@over(("case", "message"), SEVERAL.items())
def test_each_documented_error_gives_its_message(case: str, message: str) -> None:
    cases = json.loads((BODIES / "confluent.spec_example.errors.json").read_bytes())
    assert message_in(json.dumps(cases[case]).encode(), "confluent.") == message
    assert {name for name, body in cases.items() if body} == set(SEVERAL)


def test_connectors_that_come_empty_because_expand_was_ignored_have_no_state() -> None:
    body = (BODIES / "kafka-connect-4.3.0.expand_comma_is_ignored.json").read_bytes()
    for method in ("connectors:list_status", "connector_status:list"):
        reader = reader_of(f"kafka_connect.connect.{method}")
        assert len(decode(reader, body)) == len(json.loads(body))
        states = DUCKDB.execute("SELECT DISTINCT connector, tasks FROM decoded").fetchall()
        assert states == [(None, None)]


@over(("file", "method", "expected"), READ)
def test_a_body_with_its_end_cut_off_is_never_rows(
    file: str, method: str, expected: dict[str, Any]
) -> None:
    assert file in expected["bodies"]
    body = (BODIES / file).read_bytes().rstrip()
    for length in (len(body) - 1, len(body) // 2, 1):
        with pytest.raises(UnexpectedShape):
            reader_of(method).read(body[:length])


def test_every_file_is_covered_once() -> None:
    read = {file for expected in EXPECTED.values() for file in expected["bodies"]}
    files = [file.name for file in BODIES.iterdir()]
    assert sorted(files) == sorted([*read, *ERRORS, *NO_TABLE])
