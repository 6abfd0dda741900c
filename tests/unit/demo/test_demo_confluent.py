"""Confluent Cloud in the sandbox: credentials, paging, shapes and error bodies."""

import json
from collections.abc import Iterator
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from connstat_sql.demo import DemoServers
from tests.unit.demo.test_demo_apis import base_url

CONNECTORS = "/connect/v1/environments/env-1/clusters/lkc-1/connectors"


@pytest.fixture(scope="module")
def confluent(sandbox: DemoServers) -> Iterator[httpx.Client]:
    found = sandbox.connections["confluent"]
    auth = (cast(str, found["api_key"]), cast(str, found["api_secret"]))
    with httpx.Client(base_url=base_url(sandbox, "confluent"), auth=auth) as client:
        yield client


def test_confluent_refuses_a_wrong_key_in_the_words_of_each_service(sandbox: DemoServers) -> None:
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


def test_confluent_masks_secrets(sandbox: DemoServers, confluent: httpx.Client) -> None:
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
    sandbox: DemoServers, confluent: httpx.Client
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
