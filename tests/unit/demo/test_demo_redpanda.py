"""Redpanda Cloud in the sandbox: tokens, both planes, paging, shapes and error bodies."""

from collections.abc import Iterator
from typing import Any, cast

import httpx
import pytest

from connstat_sql.demo import DemoServers
from connstat_sql.demo.redpanda_bodies import holistic_state
from tests.unit.demo.test_demo_apis import base_url, bearer

MANAGED = "/v1/kafka-connect/clusters/redpanda/connectors"


def token(sandbox: DemoServers, **changed: str) -> httpx.Response:
    found = sandbox.connections["redpanda"]
    form = {
        "grant_type": "client_credentials",
        "client_id": found["client_id"],
        "client_secret": found["client_secret"],
        **changed,
    }
    return httpx.post(cast(str, found["token_url"]), data=form)


@pytest.fixture
def redpanda(sandbox: DemoServers) -> Iterator[httpx.Client]:
    headers = bearer(token(sandbox).json()["access_token"])
    with httpx.Client(base_url=base_url(sandbox, "redpanda"), headers=headers) as client:
        yield client


@pytest.fixture
def dataplane(redpanda: httpx.Client) -> httpx.Client:
    cluster = redpanda.get("/v1/clusters/rp-1").json()["cluster"]
    redpanda.base_url = cluster["dataplane_api"]["url"]
    return redpanda


def test_redpanda_hands_out_tokens_for_the_right_secret_only(sandbox: DemoServers) -> None:
    assert token(sandbox, client_secret="wrong").status_code == 401
    assert token(sandbox, grant_type="password").status_code == 400
    answer = token(sandbox)
    assert answer.json()["token_type"] == "Bearer"
    assert answer.json()["expires_in"] == 3600


def test_redpanda_needs_a_token_on_both_planes(sandbox: DemoServers) -> None:
    dataplane = f"{sandbox.url}/redpanda-dataplane/rp-1"
    for root in (base_url(sandbox, "redpanda"), dataplane):
        answer = httpx.get(f"{root}/v1/users")
        assert (answer.status_code, answer.json()["code"]) == (401, "UNAUTHENTICATED")
        assert answer.headers["www-authenticate"] == answer.json()["message"]
        assert answer.json()["details"][0]["reason"] == "REASON_NO_TOKEN"
        assert httpx.get(f"{root}/v1/users", headers=bearer("stale")).status_code == 401


def test_redpanda_s_tokens_expire(sandbox: DemoServers, redpanda: httpx.Client) -> None:
    assert redpanda.get("/v1/users").status_code == 200
    sandbox.expire_tokens()
    answer = redpanda.get("/v1/users")
    assert answer.status_code == 401
    assert answer.json()["details"][0]["reason"] == "REASON_TOKEN_EXPIRED"
    sandbox.token_lifetime = 0
    try:
        short = token(sandbox).json()
    finally:
        sandbox.token_lifetime = 3600
    assert short["expires_in"] == 0
    headers = bearer(short["access_token"])
    assert redpanda.get("/v1/users", headers=headers).status_code == 401


def test_redpanda_s_list_of_clusters_keeps_the_data_plane_to_itself(
    sandbox: DemoServers, redpanda: httpx.Client
) -> None:
    clusters = redpanda.get("/v1/clusters").json()["clusters"]
    assert [each["id"] for each in clusters] == ["rp-1", "rp-2"]
    assert all("dataplane_api" not in each for each in clusters)
    one = redpanda.get("/v1/clusters/rp-2").json()["cluster"]
    assert one["dataplane_api"]["url"] == f"{sandbox.url}/redpanda-dataplane/rp-2"
    assert redpanda.get("/v1/clusters/rp-9").json()["code"] == "NOT_FOUND"


def redpanda_pages(client: httpx.Client, path: str, key: str, size: int) -> list[list[Any]]:
    pages, following = [], ""
    while True:
        body = client.get(path, params={"page_size": size, "page_token": following}).json()
        pages.append(body[key])
        following = body["next_page_token"]
        if not following:
            return pages


def test_redpanda_pages_until_the_token_is_empty(
    sandbox: DemoServers, dataplane: httpx.Client
) -> None:
    pages = redpanda_pages(dataplane, MANAGED, "connectors", 4)
    names = [each["name"] for page in pages for each in page]
    assert [len(page) for page in pages] == [4, 2]
    assert names == sorted(each.name for each in sandbox.world.redpanda.clusters[0].connectors)
    everything = dataplane.get(MANAGED, params={"page_size": -1}).json()
    assert sorted(each["name"] for each in everything["connectors"]) == names
    assert everything["next_page_token"] == ""


@pytest.mark.parametrize("size", ["-2", "1001", "many"])
def test_redpanda_refuses_a_bad_page_size(dataplane: httpx.Client, size: str) -> None:
    answer = dataplane.get(MANAGED, params={"page_size": size})
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_ARGUMENT")
    violation = answer.json()["details"][0]["field_violations"][0]
    assert violation["field"] == "page_size"


def test_redpanda_answers_a_bad_token_with_an_internal_error(dataplane: httpx.Client) -> None:
    answer = dataplane.get(MANAGED, params={"page_token": "made up"})
    assert (answer.status_code, answer.json()["code"]) == (500, "INTERNAL")


def test_redpanda_filters_clusters(redpanda: httpx.Client) -> None:
    def ids(query: str) -> list[str]:
        return [each["id"] for each in redpanda.get(f"/v1/clusters?{query}").json()["clusters"]]

    assert ids("filter.name_contains=dev") == ["rp-2"]
    assert ids("filter.region=us-east-1") == ["rp-1"]
    assert ids("filter.cloud_provider=CLOUD_PROVIDER_GCP&filter.region=us-east-1") == []


def test_redpanda_s_list_carries_the_status_and_its_derived_state(
    sandbox: DemoServers, dataplane: httpx.Client
) -> None:
    listed = {each["name"]: each for each in dataplane.get(MANAGED).json()["connectors"]}
    for connector in sandbox.world.redpanda.clusters[0].connectors:
        status = listed[connector.name]["status"]
        prefixed = f"CONNECTOR_HOLISTIC_STATE_{holistic_state(connector)}"
        assert status["holistic_state"] == prefixed
        assert bool(status["errors"]) == (holistic_state(connector) in ("UNHEALTHY", "DEGRADED"))


def test_redpanda_wraps_single_objects_unless_told_otherwise(
    sandbox: DemoServers, dataplane: httpx.Client
) -> None:
    name = sandbox.world.redpanda.clusters[0].connectors[1].name
    one = f"{MANAGED}/{name}"
    wrapped = {
        "": dataplane.get(one).json()["connector"],
        "/status": dataplane.get(f"{one}/status").json()["status"],
        "/config": dataplane.get(f"{one}/config").json()["config"],
    }
    sandbox.bare_bodies = True
    try:
        bare = {part: dataplane.get(one + part).json() for part in wrapped}
    finally:
        sandbox.bare_bodies = False
    assert bare == wrapped
    assert set(dataplane.get(f"{one}/topics").json()) == {"topics"}


@pytest.mark.parametrize(
    "path", [f"{MANAGED}/nope/status", "/v1/kafka-connect/clusters/other/connectors"]
)
def test_redpanda_knows_no_such_connector(dataplane: httpx.Client, path: str) -> None:
    answer = dataplane.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")
    assert answer.json()["details"][0]["reason"] == "REASON_KAFKA_CONNECT_API_ERROR"


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/v1/serverless/clusters", "serverless_clusters"),
        ("/v1/resource-groups", "resource_groups"),
        ("/v1/networks", "networks"),
        ("/v1/users", "users"),
        ("/v1/service-accounts", "service_accounts"),
    ],
)
def test_redpanda_s_control_plane_serves(redpanda: httpx.Client, path: str, key: str) -> None:
    body = redpanda.get(path).json()
    assert body[key]
    assert body["next_page_token"] == ""


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/v1/kafka-connect/clusters", "clusters"),
        ("/v1/topics", "topics"),
        ("/v1/users", "users"),
        ("/v1/acls", "resources"),
        ("/v1/redpanda-connect/pipelines", "pipelines"),
    ],
)
def test_redpanda_s_data_plane_serves(dataplane: httpx.Client, path: str, key: str) -> None:
    assert dataplane.get(path).json()[key]


def test_a_serverless_cluster_has_a_data_plane_without_connectors(redpanda: httpx.Client) -> None:
    found = redpanda.get("/v1/serverless/clusters").json()["serverless_clusters"][0]
    url = found["dataplane_api"]["url"]
    assert redpanda.get(f"{url}/v1/kafka-connect/clusters").json() == {"clusters": []}
    assert redpanda.get(f"{url}/v1/topics").json()["topics"]
