"""Kafka Connect and AeonTel in the sandbox: credentials, paging, shapes and error bodies."""

from collections.abc import Iterator
from typing import cast

import httpx
import pytest

from connstat_sql.demo import DemoServers
from connstat_sql.demo.world_kafka_connect import WEIRD_NAME


def base_url(sandbox: DemoServers, name: str) -> str:
    return cast(str, sandbox.connections[name]["base_url"])


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


@pytest.fixture(scope="module")
def plant_a(sandbox: DemoServers) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=base_url(sandbox, "plant_a")) as client:
        yield client


@pytest.fixture(scope="module")
def aeontel(sandbox: DemoServers) -> Iterator[httpx.Client]:
    headers = bearer(cast(str, sandbox.connections["aeontel"]["api_key"]))
    with httpx.Client(base_url=base_url(sandbox, "aeontel"), headers=headers) as client:
        yield client


# Kafka Connect


def test_plant_b_wants_a_password_and_refuses_in_plain_text(sandbox: DemoServers) -> None:
    found = sandbox.connections["plant_b"]
    url = f"{found['base_url']}/connectors"
    refused = httpx.get(url)
    assert (refused.status_code, refused.text) == (401, "User cannot access the resource.")
    assert refused.headers["content-type"] == "application/json"
    assert "www-authenticate" not in refused.headers
    auth = (cast(str, found["username"]), cast(str, found["password"]))
    assert httpx.get(url, auth=auth).status_code == 200


def test_kafka_connect_expands_by_repetition_only(plant_a: httpx.Client) -> None:
    both = plant_a.get("/connectors?expand=status&expand=info").json()
    assert all(set(each) == {"status", "info"} for each in both.values())
    joined = plant_a.get("/connectors?expand=status,info").json()
    assert joined == {name: {} for name in both}
    assert plant_a.get("/connectors").json() == list(both)


def test_a_name_with_a_slash_is_listed_but_refused_in_a_path(plant_a: httpx.Client) -> None:
    assert WEIRD_NAME in plant_a.get("/connectors").json()
    answer = plant_a.get("/connectors/weird%2Fna%20me%23%C3%A9%3F/status")
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("text/html")
    assert "Ambiguous URI path separator" in answer.text


def test_kafka_connect_serves_secrets_in_the_clear(plant_a: httpx.Client) -> None:
    text = plant_a.get("/connectors?expand=info").text
    assert '"connection.password":"sandbox-secret"' in text
    assert "${file:/secrets:pw}" in text


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/connectors/nope", "Connector nope not found"),
        ("/connectors/nope/topics", "Connector nope not found"),
        ("/connectors/nope/status", "No status found for connector nope"),
        ("/connectors/nope/tasks/7/status", "No status found for task nope-7"),
        ("/connectors/nope/tasks/x/status", "HTTP 404 Not Found"),
        ("/connectors/nope/tasks-config", "HTTP 404 Not Found"),
    ],
)
def test_kafka_connect_s_not_found(plant_a: httpx.Client, path: str, message: str) -> None:
    answer = plant_a.get(path)
    assert (answer.status_code, answer.json()) == (404, {"error_code": 404, "message": message})


def test_kafka_connect_reads_one_connector_in_parts(
    sandbox: DemoServers, plant_a: httpx.Client
) -> None:
    connector = sandbox.world.kafka_connect[0].connectors[1]
    one = f"/connectors/{connector.name}"
    status = plant_a.get(f"{one}/status").json()
    assert status["connector"] == {
        "state": "RUNNING",
        "worker_id": connector.worker_id,
        "version": connector.version,
    }
    failed = next(task for task in status["tasks"] if task["state"] == "FAILED")
    assert plant_a.get(f"{one}/tasks/{failed['id']}/status").json() == failed
    assert plant_a.get(f"{one}/config").json() == plant_a.get(one).json()["config"]
    assert plant_a.get(f"{one}/topics").json() == {
        connector.name: {"topics": list(connector.topics)}
    }
    assert len(plant_a.get(f"{one}/tasks").json()) == len(connector.tasks)
    assert plant_a.get(f"{one}/offsets").json()["offsets"]


def test_kafka_connect_lists_its_plugins(plant_a: httpx.Client) -> None:
    few = plant_a.get("/connector-plugins").json()
    every = plant_a.get("/connector-plugins?connectorsOnly=false").json()
    assert {each["type"] for each in few} == {"source", "sink"}
    assert "converter" in {each["type"] for each in every}


def test_kafka_connect_serves_worker_health_and_loggers(plant_a: httpx.Client) -> None:
    assert plant_a.get("/").json()["version"] == "4.3.0"
    assert plant_a.get("/health").json()["status"] == "healthy"
    loggers = plant_a.get("/admin/loggers").json()
    assert plant_a.get("/admin/loggers/root").json() == loggers["root"]
    assert plant_a.get("/admin/loggers/nope").status_code == 404
    assert plant_a.get("/connectors/").status_code == 200
    assert plant_a.put("/connectors/x/pause").status_code == 405


# AeonTel


def test_aeontel_wants_its_key(sandbox: DemoServers) -> None:
    url = f"{base_url(sandbox, 'aeontel')}/api/workspaces"
    assert httpx.get(url, headers=bearer("sec_other")).status_code == 401


def test_aeontel_pages_forward_and_back(aeontel: httpx.Client) -> None:
    first = aeontel.get("/api/connectors?limit=5").json()
    second = aeontel.get(f"/api/connectors?limit=5&after={first['pageInfo']['endCursor']}").json()
    back = aeontel.get(f"/api/connectors?limit=5&before={second['pageInfo']['startCursor']}").json()
    assert back == first
    assert [each["id"] for each in second["data"]] == [f"cnr_{n}" for n in range(6, 11)]
    assert first["pageInfo"]["hasNextPage"]
    assert second["pageInfo"]["hasPreviousPage"]
    assert not aeontel.get("/api/connectors").json()["pageInfo"]["hasNextPage"]


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "after=cnr_999"])
def test_aeontel_refuses_a_bad_page(aeontel: httpx.Client, query: str) -> None:
    assert aeontel.get(f"/api/connectors?{query}").status_code == 400


def test_aeontel_shows_installs_only_of_a_workspace(aeontel: httpx.Client) -> None:
    catalog = aeontel.get("/api/connectors").json()["data"]
    assert all("server" not in each for each in catalog)
    installs = aeontel.get("/api/connectors?workspace_id=wsp_1").json()["data"]
    servers = {each["slug"]: each["server"] for each in installs}
    assert servers["zendesk"]["status"] == "error"
    assert servers["linear"]["status"] is None
    assert servers["notion"] is None
    assert aeontel.get("/api/connectors?workspace_id=wsp_99").status_code == 404


def test_aeontel_filters(aeontel: httpx.Client) -> None:
    off = aeontel.get("/api/connectors?enabled=false").json()["data"]
    assert [each["slug"] for each in off] == ["hubspot"]
    some = aeontel.get("/api/connectors?ids=cnr_2,cnr_1").json()["data"]
    assert [each["id"] for each in some] == ["cnr_1", "cnr_2"]
    sales = aeontel.get("/api/workspaces?handle=sales").json()["data"]
    assert [each["id"] for each in sales] == ["wsp_2"]
    private = aeontel.get("/api/integrations?visibility=private").json()["data"]
    assert {each["visibility"] for each in private} == {"private"}


def test_aeontel_finds_a_connector_by_id_and_by_slug(aeontel: httpx.Client) -> None:
    by_slug = aeontel.get("/api/connectors/zendesk").json()
    assert by_slug == aeontel.get("/api/connectors/cnr_2").json()
    assert aeontel.get("/api/connectors/nope").json()["error"]["type"] == "NotFound"


def test_aeontel_s_connect_changes_what_is_installed_and_is_on_record() -> None:
    with DemoServers() as own:
        headers = bearer(cast(str, own.connections["aeontel"]["api_key"]))
        api = f"{base_url(own, 'aeontel')}/api/connectors"
        before = httpx.get(f"{api}?workspace_id=wsp_1", headers=headers).json()["data"]
        made = httpx.get(f"{api}/notion/connect?workspace_id=wsp_1", headers=headers).json()
        after = httpx.get(f"{api}?workspace_id=wsp_1", headers=headers).json()["data"]
        assert own.requests[1].path == "/api/connectors/notion/connect"
    assert (before[4]["server"], after[4]["server"]["id"]) == (None, made["mcpServerId"])
