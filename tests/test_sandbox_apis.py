"""The four APIs of the sandbox: credentials, paging, shapes and error bodies."""

import json
from collections.abc import Iterator
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from connstat_sql.sandbox import Sandbox, World
from connstat_sql.sandbox.redpanda_bodies import holistic_state
from connstat_sql.sandbox.world_kafka_connect import WEIRD_NAME

CONNECTORS = "/connect/v1/environments/env-1/clusters/lkc-1/connectors"
MANAGED = "/v1/kafka-connect/clusters/redpanda/connectors"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(World.seeded(7)) as running:
        yield running


def base_url(sandbox: Sandbox, name: str) -> str:
    return cast(str, sandbox.connections[name]["base_url"])


@pytest.fixture(scope="module")
def confluent(sandbox: Sandbox) -> Iterator[httpx.Client]:
    found = sandbox.connections["confluent"]
    auth = (cast(str, found["api_key"]), cast(str, found["api_secret"]))
    with httpx.Client(base_url=base_url(sandbox, "confluent"), auth=auth) as client:
        yield client


def token(sandbox: Sandbox, **changed: str) -> httpx.Response:
    found = sandbox.connections["redpanda"]
    form = {
        "grant_type": "client_credentials",
        "client_id": found["client_id"],
        "client_secret": found["client_secret"],
        **changed,
    }
    return httpx.post(cast(str, found["token_url"]), data=form)


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


@pytest.fixture
def redpanda(sandbox: Sandbox) -> Iterator[httpx.Client]:
    headers = bearer(token(sandbox).json()["access_token"])
    with httpx.Client(base_url=base_url(sandbox, "redpanda"), headers=headers) as client:
        yield client


@pytest.fixture
def dataplane(redpanda: httpx.Client) -> httpx.Client:
    cluster = redpanda.get("/v1/clusters/rp-1").json()["cluster"]
    redpanda.base_url = cluster["dataplane_api"]["url"]
    return redpanda


@pytest.fixture(scope="module")
def plant_a(sandbox: Sandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=base_url(sandbox, "plant_a")) as client:
        yield client


@pytest.fixture(scope="module")
def aeontel(sandbox: Sandbox) -> Iterator[httpx.Client]:
    headers = bearer(cast(str, sandbox.connections["aeontel"]["api_key"]))
    with httpx.Client(base_url=base_url(sandbox, "aeontel"), headers=headers) as client:
        yield client


# Confluent Cloud


def test_confluent_refuses_a_wrong_key_in_the_words_of_each_service(sandbox: Sandbox) -> None:
    root = base_url(sandbox, "confluent")
    v2 = httpx.get(f"{root}/org/v2/environments", auth=("SANDBOXCLOUDKEY", "wrong"))
    connect = httpx.get(f"{root}{CONNECTORS}")
    assert (v2.status_code, connect.status_code) == (401, 401)
    assert v2.headers["www-authenticate"].startswith("Basic error=")
    assert v2.json()["errors"][0]["detail"] == "Unauthorized"
    assert connect.json() == {"error": {"code": 401, "message": "Unauthorized"}}


def confluent_pages(client: httpx.Client, path: str, **query: str) -> list[list[dict[str, Any]]]:
    pages, asked = [], dict(query)
    while True:
        body = client.get(path, params=asked).json()
        pages.append(body["data"])
        following = body["metadata"].get("next")
        if not following:
            return pages
        asked = {**query, "page_token": parse_qs(urlsplit(following).query)["page_token"][0]}


def test_confluent_lists_ten_a_page_and_links_to_the_vendor_s_host(confluent: httpx.Client) -> None:
    pages = confluent_pages(confluent, "/iam/v2/users")
    assert [len(page) for page in pages] == [10, 2]
    following = confluent.get("/iam/v2/users").json()["metadata"]["next"]
    assert urlsplit(following).netloc == "api.confluent.cloud"
    assert confluent.get("/org/v2/environments").json()["metadata"] == {}


def test_confluent_s_cluster_list_needs_and_repeats_its_environment(
    confluent: httpx.Client,
) -> None:
    refused = confluent.get("/cmk/v2/clusters")
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["source"] == {"parameter": "environment"}
    body = confluent.get("/cmk/v2/clusters?environment=env-1&page_size=1").json()
    assert parse_qs(urlsplit(body["metadata"]["next"]).query)["environment"] == ["env-1"]
    pages = confluent_pages(confluent, "/cmk/v2/clusters", environment="env-2", page_size="1")
    assert [page[0]["id"] for page in pages] == ["lkc-3", "lkc-4"]


def test_confluent_s_last_page_of_networks_links_to_nothing(confluent: httpx.Client) -> None:
    body = confluent.get("/networking/v1/networks?environment=env-1").json()
    assert (body["metadata"]["next"], body["metadata"]["total_size"]) == ("", 1)


@pytest.mark.parametrize("query", ["page_size=101", "page_size=0", "page_size=x", "page_token=zz"])
def test_confluent_refuses_a_bad_page(confluent: httpx.Client, query: str) -> None:
    answer = confluent.get(f"/iam/v2/users?{query}")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["source"]["parameter"] == query.partition("=")[0]


def test_a_page_token_fits_only_the_list_it_came_from(confluent: httpx.Client) -> None:
    following = confluent.get("/iam/v2/users").json()["metadata"]["next"]
    taken = parse_qs(urlsplit(following).query)["page_token"][0]
    assert confluent.get(f"/iam/v2/service-accounts?page_token={taken}").status_code == 400


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        (f"{CONNECTORS}/nope/status", 404, {"error_code": 404, "message": "resource not found"}),
        (
            "/connect/v1/environments/env-1/clusters/lkc-3/connectors",
            404,
            {"error": {"code": 404, "message": "cluster not found"}},
        ),
    ],
)
def test_confluent_s_connect_errors(
    confluent: httpx.Client, path: str, status: int, body: dict[str, object]
) -> None:
    answer = confluent.get(path)
    assert (answer.status_code, answer.json()) == (status, body)


@pytest.mark.parametrize(
    "path",
    [
        "/org/v2/environments/env-99",
        "/cmk/v2/clusters?environment=env-99",
        "/cmk/v2/clusters/lkc-1?environment=env-2",
    ],
)
def test_confluent_forbids_what_it_does_not_know(confluent: httpx.Client, path: str) -> None:
    answer = confluent.get(path)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (403, "forbidden_access")


@pytest.mark.parametrize(
    ("query", "parts"),
    [
        ("expand=info,status,id", {"info", "status", "id", "extensions"}),
        ("expand=id", {"id", "extensions"}),
        ("expand=status%2Cinfo", {"info", "status", "extensions"}),
    ],
)
def test_confluent_expands_by_comma(confluent: httpx.Client, query: str, parts: set[str]) -> None:
    body = confluent.get(f"{CONNECTORS}?{query}").json()
    names = confluent.get(CONNECTORS).json()
    assert list(body) == names
    assert all(set(each) == parts for each in body.values())


def test_confluent_masks_secrets(sandbox: Sandbox, confluent: httpx.Client) -> None:
    text = confluent.get(f"{CONNECTORS}?expand=info").text
    assert "sandbox-secret" in json.dumps(
        [dict(each.config) for each in sandbox.world.confluent.clusters[0].connectors]
    )
    assert "sandbox-secret" not in text
    assert "*" * 16 in text


def test_confluent_reads_one_connector_in_parts(confluent: httpx.Client) -> None:
    one = f"{CONNECTORS}/crm-postgres-source"
    status = confluent.get(f"{one}/status").json()
    assert status["connector"]["state"] == "RUNNING"
    assert [task["state"] for task in status["tasks"]][:2] == ["RUNNING", "FAILED"]
    assert "Caused by:" in status["tasks"][1]["msg"]
    assert confluent.get(one).json()["config"] == confluent.get(f"{one}/config").json()
    tasks = confluent.get(f"{one}/tasks").json()
    assert [task["id"]["task"] for task in tasks] == [task["id"] for task in status["tasks"]]
    assert confluent.get(f"{one}/offsets").json()["id"] == "lcc-1-2"


def test_confluent_s_costs_need_dates_and_page_by_thousands(
    sandbox: Sandbox, confluent: httpx.Client
) -> None:
    assert confluent.get("/billing/v1/costs?start_date=2026-11-01").status_code == 400
    query = {"start_date": "2026-11-01", "end_date": "2026-11-11"}
    pages = confluent_pages(confluent, "/billing/v1/costs", **query)
    assert [len(page) for page in pages] == [len(pages[0])]
    tiny = confluent_pages(confluent, "/billing/v1/costs", **query, page_size="100")
    assert [cost for page in tiny for cost in page] == pages[0]
    ids = {each.id for each in sandbox.world.confluent.connectors}
    assert {cost["resource"]["id"] for cost in pages[0] if cost["product"] == "CONNECT"} <= ids


@pytest.mark.parametrize("dates", ["2026-11-02&end_date=2026-11-01", "soon&end_date=2026-11-01"])
def test_confluent_refuses_a_range_of_costs_that_is_none(
    confluent: httpx.Client, dates: str
) -> None:
    assert confluent.get(f"/billing/v1/costs?start_date={dates}").status_code == 400


def test_confluent_filters_keys_and_accounts(confluent: httpx.Client) -> None:
    keys = confluent.get("/iam/v2/api-keys?spec.resource=lkc-2").json()["data"]
    assert [key["id"] for key in keys] == ["SANDBOXKEY0002"]
    assert keys[0]["spec"]["secret"] == ""
    accounts = confluent.get(
        "/iam/v2/service-accounts?display_name=crm-pipeline&display_name=billing-pipeline"
    ).json()["data"]
    assert [account["id"] for account in accounts] == ["sa-2", "sa-3"]


@pytest.mark.parametrize(
    "path",
    [
        "/connect/v1/custom-connector-plugins",
        "/srcm/v3/clusters?environment=env-1",
        "/iam/v2/users/u-1",
        "/iam/v2/service-accounts/sa-1",
        "/iam/v2/api-keys/SANDBOXKEY0001",
        "/org/v2/environments/env-1",
        "/cmk/v2/clusters/lkc-1?environment=env-1",
        "/connect/v1/environments/env-1/clusters/lkc-1/connector-plugins",
    ],
)
def test_confluent_serves(confluent: httpx.Client, path: str) -> None:
    assert confluent.get(path).status_code == 200


def test_confluent_is_read_only(confluent: httpx.Client) -> None:
    assert confluent.put(f"{CONNECTORS}/orders-s3-sink/pause").status_code == 405


# Redpanda Cloud


def test_redpanda_hands_out_tokens_for_the_right_secret_only(sandbox: Sandbox) -> None:
    assert token(sandbox, client_secret="wrong").status_code == 401
    assert token(sandbox, grant_type="password").status_code == 400
    answer = token(sandbox)
    assert answer.json()["token_type"] == "Bearer"
    assert answer.json()["expires_in"] == 3600


def test_redpanda_needs_a_token_on_both_planes(sandbox: Sandbox) -> None:
    dataplane = f"{sandbox.url}/redpanda-dataplane/rp-1"
    for root in (base_url(sandbox, "redpanda"), dataplane):
        answer = httpx.get(f"{root}/v1/users")
        assert (answer.status_code, answer.json()["code"]) == (401, "UNAUTHENTICATED")
        assert answer.headers["www-authenticate"] == answer.json()["message"]
        assert answer.json()["details"][0]["reason"] == "REASON_NO_TOKEN"
        assert httpx.get(f"{root}/v1/users", headers=bearer("stale")).status_code == 401


def test_redpanda_s_tokens_expire(sandbox: Sandbox, redpanda: httpx.Client) -> None:
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
    sandbox: Sandbox, redpanda: httpx.Client
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


def test_redpanda_pages_until_the_token_is_empty(sandbox: Sandbox, dataplane: httpx.Client) -> None:
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
    sandbox: Sandbox, dataplane: httpx.Client
) -> None:
    listed = {each["name"]: each for each in dataplane.get(MANAGED).json()["connectors"]}
    for connector in sandbox.world.redpanda.clusters[0].connectors:
        status = listed[connector.name]["status"]
        prefixed = f"CONNECTOR_HOLISTIC_STATE_{holistic_state(connector)}"
        assert status["holistic_state"] == prefixed
        assert bool(status["errors"]) == (holistic_state(connector) in ("UNHEALTHY", "DEGRADED"))


def test_redpanda_wraps_single_objects_unless_told_otherwise(
    sandbox: Sandbox, dataplane: httpx.Client
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


# Kafka Connect


def test_plant_b_wants_a_password_and_refuses_in_plain_text(sandbox: Sandbox) -> None:
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
    sandbox: Sandbox, plant_a: httpx.Client
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


def test_aeontel_wants_its_key(sandbox: Sandbox) -> None:
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
    with Sandbox() as own:
        headers = bearer(cast(str, own.connections["aeontel"]["api_key"]))
        api = f"{base_url(own, 'aeontel')}/api/connectors"
        before = httpx.get(f"{api}?workspace_id=wsp_1", headers=headers).json()["data"]
        made = httpx.get(f"{api}/notion/connect?workspace_id=wsp_1", headers=headers).json()
        after = httpx.get(f"{api}?workspace_id=wsp_1", headers=headers).json()["data"]
        assert own.requests[1].path == "/api/connectors/notion/connect"
    assert (before[4]["server"], after[4]["server"]["id"]) == (None, made["mcpServerId"])
