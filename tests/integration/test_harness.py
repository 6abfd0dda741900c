"""What the real servers answer, where the definitions and the retries rely on it."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.integration.conftest import is_required
from tests.integration.connectors import AWKWARD_NAME, SECRET, SPACED_NAME
from tests.integration.java import missing_tools
from tests.integration.kafka import RealKafka, SecureWorker, open_client, read_states


@pytest.fixture
def plain(kafka: RealKafka) -> Iterator[httpx.Client]:
    with open_client(kafka.plain) as client:
        yield client


@pytest.fixture
def secure(kafka: RealKafka) -> Iterator[httpx.Client]:
    with open_client(kafka.secure) as client:
        yield client


def stranger(worker: SecureWorker, password: str | None) -> httpx.Client:
    """Return a client that trusts the worker but has a wrong password, or none."""
    return httpx.Client(
        base_url=worker.url,
        verify=ssl.create_default_context(cafile=str(worker.ca_file)),
        auth=None if password is None else (worker.username, password),
        trust_env=False,
    )


def ok(client: httpx.Client, path: str, **params: Any) -> Any:
    return client.get(path, params=params or None).raise_for_status().json()


def path_of(name: str) -> str:
    return f"/connectors/{quote(name, safe='')}"


class TestStates:
    def test_every_connector_is_in_its_state(self, kafka: RealKafka, plain: httpx.Client) -> None:
        assert read_states(plain) == kafka.connectors

    def test_names_alone_are_an_array(self, kafka: RealKafka, plain: httpx.Client) -> None:
        assert sorted(ok(plain, "/connectors")) == sorted(kafka.connectors)

    def test_task_fails_behind_a_running_connector(self, plain: httpx.Client) -> None:
        status = ok(plain, "/connectors/orders-file-sink/status")
        assert status["connector"]["state"] == "RUNNING"
        assert "trace" not in status["connector"]
        [task] = status["tasks"]
        assert task["state"] == "FAILED"
        causes = re.findall(r"^Caused by: (.*)$", task["trace"], re.MULTILINE)
        assert causes[-1].endswith("directory: Is a directory")

    def test_one_task_of_two_fails_without_a_cause(self, plain: httpx.Client) -> None:
        tasks = ok(plain, "/connectors/half-failed-sink/status")["tasks"]
        [failed] = [task for task in tasks if task["state"] == "FAILED"]
        assert "FencedInstanceIdException" in failed["trace"]
        assert "Caused by:" not in failed["trace"]

    def test_paused_keeps_its_tasks(self, plain: httpx.Client) -> None:
        status = ok(plain, "/connectors/paused-source/status")
        assert [task["state"] for task in status["tasks"]] == ["PAUSED"]

    def test_stopped_has_no_tasks(self, plain: httpx.Client) -> None:
        assert ok(plain, "/connectors/stopped-source/status")["tasks"] == []
        assert ok(plain, "/connectors/stopped-source/tasks") == []

    def test_failed_connector_has_a_trace_and_no_tasks(self, plain: httpx.Client) -> None:
        status = ok(plain, "/connectors/broken-source/status")
        assert status["connector"]["state"] == "FAILED"
        assert "Invalid value many for configuration batch.size" in status["connector"]["trace"]
        assert status["tasks"] == []


class TestExpand:
    def test_repeated_gives_both_parts(self, plain: httpx.Client) -> None:
        rows = ok(plain, "/connectors", expand=["status", "info"])
        assert {frozenset(row) for row in rows.values()} == {frozenset({"status", "info"})}

    @pytest.mark.parametrize("value", ["status,info", "bogus"])
    def test_comma_form_is_silently_empty(
        self, kafka: RealKafka, plain: httpx.Client, value: str
    ) -> None:
        assert ok(plain, "/connectors", expand=value) == {name: {} for name in kafka.connectors}

    def test_config_is_not_masked(self, plain: httpx.Client) -> None:
        rows = ok(plain, "/connectors", expand="info")
        config = rows["secret-source"]["info"]["config"]
        assert config["connection.password"] == SECRET
        assert SECRET in config["sasl.jaas.config"]

    def test_external_secret_stays_a_reference(self, plain: httpx.Client) -> None:
        config = ok(plain, "/connectors/secret-source/config")
        assert re.fullmatch(r"\$\{file:.*:password}", config["client.password"])


class TestAwkwardNames:
    def test_expand_reaches_every_name(self, plain: httpx.Client) -> None:
        rows = ok(plain, "/connectors", expand=["status", "info"])
        assert rows[AWKWARD_NAME]["status"]["name"] == AWKWARD_NAME
        assert rows[AWKWARD_NAME]["info"]["config"]["topic"] == "awkward"

    @pytest.mark.parametrize("name", [AWKWARD_NAME, "a/b", "a%b", "a\\b"])
    def test_path_refuses_some_characters_with_html(self, plain: httpx.Client, name: str) -> None:
        answer = plain.get(f"{path_of(name)}/status")
        assert answer.status_code == 400
        assert answer.headers["content-type"] == "text/html;charset=iso-8859-1"
        assert re.search(r"<title>Error 400 (Ambiguous URI|Suspicious Path)", answer.text)

    def test_path_takes_other_encoded_characters(self, plain: httpx.Client) -> None:
        assert ok(plain, f"{path_of(SPACED_NAME)}/status")["name"] == SPACED_NAME


class TestRefusals:
    @pytest.mark.parametrize(
        ("path", "message"),
        [
            ("/connectors/nope", "Connector nope not found"),
            ("/connectors/nope/config", "Connector nope not found"),
            ("/connectors/nope/tasks", "Connector nope not found"),
            ("/connectors/nope/offsets", "Connector nope not found"),
            ("/connectors/nope/status", "No status found for connector nope"),
            (
                "/connectors/orders-file-sink/tasks/7/status",
                "No status found for task orders-file-sink-7",
            ),
            ("/nope", "HTTP 404 Not Found"),
            ("/connectors/orders-file-sink/tasks-config", "HTTP 404 Not Found"),
        ],
    )
    def test_not_found(self, plain: httpx.Client, path: str, message: str) -> None:
        answer = plain.get(path)
        assert answer.status_code == 404
        assert answer.json() == {"error_code": 404, "message": message}

    def test_unknown_path_has_no_content_type(self, plain: httpx.Client) -> None:
        assert "content-type" not in plain.get("/nope").headers

    def test_topics_of_an_unknown_connector_are_empty(self, plain: httpx.Client) -> None:
        assert ok(plain, "/connectors/nope/topics") == {"nope": {"topics": []}}


class TestOtherPaths:
    def test_root(self, plain: httpx.Client) -> None:
        root = ok(plain, "/")
        assert set(root) == {"version", "commit", "kafka_cluster_id"}
        assert root["version"] == "4.3.0"

    def test_health(self, plain: httpx.Client) -> None:
        assert ok(plain, "/health")["status"] == "healthy"

    def test_offsets_of_a_source(self, plain: httpx.Client) -> None:
        [row] = ok(plain, "/connectors/orders-file-source/offsets")["offsets"]
        assert row["partition"]["filename"].endswith("orders.txt")
        assert row["offset"] == {"position": 14}

    def test_offsets_of_a_sink(self, plain: httpx.Client) -> None:
        [row] = ok(plain, "/connectors/two-task-sink/offsets")["offsets"]
        assert row["partition"] == {"kafka_topic": "orders", "kafka_partition": 0}
        assert row["offset"] == {"kafka_offset": 3}

    @pytest.mark.parametrize(
        ("name", "topics"), [("orders-file-source", ["orders"]), ("stopped-source", [])]
    )
    def test_topics(self, plain: httpx.Client, name: str, topics: list[str]) -> None:
        assert ok(plain, f"/connectors/{name}/topics") == {name: {"topics": topics}}

    def test_tasks(self, plain: httpx.Client) -> None:
        tasks = ok(plain, "/connectors/two-task-sink/tasks")
        assert sorted(task["id"]["task"] for task in tasks) == [0, 1]
        assert {task["config"]["task.class"].rpartition(".")[2] for task in tasks} == {
            "FileStreamSinkTask"
        }

    def test_plugins(self, plain: httpx.Client) -> None:
        plugins = ok(plain, "/connector-plugins")
        package = "org.apache.kafka.connect.file"
        assert sorted(plugins, key=lambda plugin: str(plugin["class"])) == [
            {"class": f"{package}.FileStreamSinkConnector", "type": "sink", "version": "4.3.0"},
            {"class": f"{package}.FileStreamSourceConnector", "type": "source", "version": "4.3.0"},
        ]

    def test_plugins_of_all_types(self, plain: httpx.Client) -> None:
        plugins = ok(plain, "/connector-plugins", connectorsOnly="false")
        assert {plugin["type"] for plugin in plugins} == {
            *("source", "sink", "converter", "header_converter", "transformation", "predicate")
        }

    def test_loggers(self, plain: httpx.Client) -> None:
        assert ok(plain, "/admin/loggers")["root"] == {"level": "WARN", "last_modified": None}


class TestSecureWorker:
    def test_tls_and_password(self, kafka: RealKafka, secure: httpx.Client) -> None:
        assert read_states(secure) == kafka.secure.connectors

    @pytest.mark.parametrize("password", [None, "wrong"])
    @pytest.mark.parametrize("path", ["/", "/connectors"])
    def test_refusal_is_text_that_claims_to_be_json(
        self, kafka: RealKafka, password: str | None, path: str
    ) -> None:
        with stranger(kafka.secure, password) as client:
            answer = client.get(path)
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/json"
        assert answer.text == "User cannot access the resource."
        assert "www-authenticate" not in answer.headers

    def test_certificate_is_not_trusted_by_default(self, kafka: RealKafka) -> None:
        with (
            httpx.Client(trust_env=False) as client,
            pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"),
        ):
            client.get(kafka.secure.url)

    def test_localhost_is_in_the_certificate(self, kafka: RealKafka, secure: httpx.Client) -> None:
        url = kafka.secure.url.replace("127.0.0.1", "localhost")
        assert secure.get(f"{url}/").status_code == 200

    def test_it_is_another_cluster_of_connectors(self, kafka: RealKafka) -> None:
        assert not set(kafka.secure.connectors) & set(kafka.connectors)


class TestRequirement:
    @pytest.mark.parametrize(
        ("environment", "required"),
        [
            ({}, False),
            ({"CI": "true"}, True),
            ({"CONNSTAT_REQUIRE_INTEGRATION": "1"}, True),
            ({"CONNSTAT_REQUIRE_INTEGRATION": "0"}, False),
        ],
    )
    def test_ci_requires_the_tools(self, environment: dict[str, str], required: bool) -> None:
        assert is_required(environment) is required

    def test_missing_java_is_named(self, tmp_path: Path) -> None:
        assert missing_tools({"PATH": str(tmp_path)}) == "Java (java) is not on the PATH"
