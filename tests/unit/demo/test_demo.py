"""The sandbox itself: its world, its life on a port, its faults and its records."""

import ast
import asyncio
import json
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import cast

import aiohttp
import httpx
import pytest

import connstat_sql.demo
from connstat_sql.demo import DemoConnector, DemoServers, Fault, World
from connstat_sql.demo.connectors import is_secret, masked
from connstat_sql.demo.redpanda_bodies import errors, holistic_state, reason


@pytest.fixture
def sandbox() -> Iterator[DemoServers]:
    with DemoServers(World.seeded(7)) as running:
        yield running


def base_url(sandbox: DemoServers, name: str) -> str:
    return cast(str, sandbox.connections[name]["base_url"])


def plant_a(sandbox: DemoServers) -> str:
    return f"{base_url(sandbox, 'plant_a')}/connectors"


# the world


def test_equal_seeds_and_sizes_give_equal_worlds() -> None:
    assert World.seeded(7) == World.seeded(7)
    assert World.seeded(7) != World.seeded(8)


def test_a_larger_world_keeps_the_connectors_of_a_smaller_one() -> None:
    small, large = World.seeded(7), World.seeded(7, environments=5, connectors=40)
    assert large.kafka_connect[0].connectors[:6] == small.kafka_connect[0].connectors
    assert large.redpanda.clusters[1].connectors[:6] == small.redpanda.clusters[1].connectors
    assert large.confluent.clusters[3].connectors[:6] == small.confluent.clusters[3].connectors


def test_sizes_are_exact_and_ids_count_from_one() -> None:
    world = World.seeded(1, environments=25, clusters=3, connectors=2, redpanda_clusters=4)
    assert [each.id for each in world.confluent.environments[:2]] == ["env-1", "env-2"]
    assert len(world.confluent.environments) == 25
    assert [each.id for each in world.confluent.environments[1].clusters] == [
        "lkc-4",
        "lkc-5",
        "lkc-6",
    ]
    assert all(len(each.connectors) == 2 for each in world.confluent.clusters)
    assert [each.id for each in world.redpanda.clusters] == ["rp-1", "rp-2", "rp-3", "rp-4"]


def systems(world: World) -> dict[str, tuple[DemoConnector, ...]]:
    return {
        "confluent": world.confluent.connectors,
        "redpanda": world.redpanda.connectors,
        "kafka_connect": tuple(each for c in world.kafka_connect for each in c.connectors),
    }


@pytest.mark.parametrize("system", ["confluent", "redpanda", "kafka_connect"])
def test_every_system_has_each_kind_of_trouble(system: str) -> None:
    connectors = systems(World.seeded(7))[system]
    states = {each.state for each in connectors}
    assert {"RUNNING", "PAUSED", "FAILED"} <= states
    assert states & {"STOPPED", "PROVISIONING"}
    assert any(each.state == "RUNNING" and not each.tasks for each in connectors)
    assert any(holistic_state(each) == "HEALTHY" for each in connectors)
    hidden = [each for each in connectors if each.hides_failure]
    assert any(len(each.failed_tasks) < len(each.tasks) for each in hidden)
    assert all("\nCaused by: " in task.trace for each in hidden for task in each.failed_tasks)


def test_an_enabled_aeontel_connector_has_an_install_in_error() -> None:
    world = World.seeded(7).aeontel
    broken = {each.connector_id for each in world.installs if each.status == "error"}
    assert any(each.enabled and each.id in broken for each in world.connectors)


@pytest.mark.parametrize("system", ["confluent", "redpanda", "kafka_connect"])
def test_two_thousand_connectors_of_a_cluster_have_different_names(system: str) -> None:
    world = World.seeded(7, environments=1, clusters=1, redpanda_clusters=1, connectors=2000)
    connectors = systems(world)[system][:2000]
    assert len({each.name for each in connectors}) == 2000


def test_a_connector_s_topics_are_those_of_its_configuration() -> None:
    for connectors in systems(World.seeded(7)).values():
        for each in connectors:
            config = each.config
            named = config.get("topics") or config.get("kafka.topic") or config["topic"]
            assert tuple(named.split(",")) == each.topics


def test_costs_refer_to_things_that_exist() -> None:
    world = World.seeded(7).confluent
    costs = world.costs(date(2026, 11, 1), date(2026, 11, 3))
    known = {each.id for each in world.clusters} | {each.id for each in world.connectors}
    assert {each.resource_id for each in costs} <= known
    assert {each.day for each in costs} == {date(2026, 11, 1), date(2026, 11, 2)}
    assert {each.product for each in costs} == {"KAFKA", "CONNECT"}


def test_costs_do_not_depend_on_the_range_that_is_asked_for() -> None:
    world = World.seeded(7).confluent
    month = world.costs(date(2026, 11, 1), date(2026, 12, 1))
    day = world.costs(date(2026, 11, 9), date(2026, 11, 10))
    assert tuple(each for each in month if each.day == date(2026, 11, 9)) == day
    assert world.costs(date(2030, 1, 1), date(2030, 2, 1)) == ()


def test_masking_replaces_exactly_the_secrets() -> None:
    config = {"connection.password": "x", "sasl.jaas.config": "y", "topics": "z"}
    assert masked(config) == {
        "connection.password": "*" * 16,
        "sasl.jaas.config": "*" * 16,
        "topics": "z",
    }
    assert not is_secret("key.converter")


def test_redpanda_s_errors_name_the_last_cause() -> None:
    connectors = World.seeded(7).redpanda.connectors
    failed = next(each for each in connectors if each.state == "FAILED")
    assert [error["content"] for error in errors(failed)] == [reason(failed.trace)]
    assert failed.trace.endswith("more\n")
    assert reason(failed.trace) in failed.trace.rpartition("Caused by: ")[2]
    assert all(not errors(each) for each in connectors if holistic_state(each) == "HEALTHY")


def test_the_package_imports_no_engine_and_no_http_client() -> None:
    folder = Path(connstat_sql.demo.__file__).parent
    imported = set()
    for source in folder.glob("*.py"):
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {name.name.split(".")[0] for name in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add((node.module or "").split(".")[0])
    assert not imported & {"duckdb", "sqlglot", "pyarrow", "httpx"}


# life on a port


def test_it_serves_on_the_loopback_until_closed() -> None:
    sandbox = DemoServers().start()
    assert sandbox.start() is sandbox
    assert httpx.get(plant_a(sandbox)).status_code == 200
    sandbox.close()
    sandbox.close()
    with pytest.raises(httpx.ConnectError):
        httpx.get(plant_a(sandbox))


def test_a_closed_sandbox_comes_back_on_the_same_port() -> None:
    sandbox = DemoServers()
    with sandbox:
        url = sandbox.url
    with sandbox:
        assert sandbox.url == url
        assert httpx.get(plant_a(sandbox)).status_code == 200


def test_closing_does_not_wait_for_answers_under_way(sandbox: DemoServers) -> None:
    sandbox.latency = 60.0

    async def closed_meanwhile() -> None:
        async with httpx.AsyncClient() as client:
            answer = asyncio.create_task(client.get(plant_a(sandbox)))
            while not sandbox.count():
                await asyncio.sleep(0)
            await asyncio.to_thread(sandbox.close)
            with pytest.raises(httpx.TransportError):
                await answer

    started = time.monotonic()
    asyncio.run(closed_meanwhile())
    assert time.monotonic() - started < 10


def test_five_hundred_requests_at_once_are_answered(sandbox: DemoServers) -> None:
    sandbox.latency = 0.05

    async def statuses() -> list[int]:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

            async def status() -> int:
                async with session.get(plant_a(sandbox)) as answer:
                    return answer.status

            return await asyncio.gather(*(status() for _ in range(500)))

    assert asyncio.run(statuses()) == [200] * 500
    assert sandbox.count("plant_a") == 500


def test_every_connection_has_a_provider_and_a_url_below_the_sandbox(sandbox: DemoServers) -> None:
    connections = sandbox.connections
    assert [(name, each["provider"]) for name, each in connections.items()] == [
        ("confluent", "confluent"),
        ("redpanda", "redpanda"),
        ("plant_a", "kafka_connect"),
        ("plant_b", "kafka_connect"),
        ("aeontel", "aeontel"),
    ]
    assert all(base_url(sandbox, name).startswith(f"{sandbox.url}/") for name in connections)
    assert "password" not in connections["plant_a"]
    assert connections["redpanda"]["trusted_hosts"] == ["127.0.0.1"]


# records


def test_requests_are_on_record_with_the_raw_path_below_the_prefix(sandbox: DemoServers) -> None:
    httpx.get(f"{plant_a(sandbox)}/a%20b%C3%A9/status?x=%2C", headers={"X-Trace": "1"})
    (record,) = sandbox.requests
    assert (record.api, record.method, record.path) == (
        "kafka_connect",
        "GET",
        "/connectors/a%20b%C3%A9/status",
    )
    assert (record.query, record.status, record.headers_seen["x-trace"]) == ("x=%2C", 404, "1")
    assert record.names == ("kafka_connect", "plant_a")


def test_counts_go_by_provider_or_by_connection(sandbox: DemoServers) -> None:
    for name in ("plant_a", "plant_b", "aeontel"):
        httpx.get(base_url(sandbox, name))
    httpx.get(f"{sandbox.url}/redpanda/v1/clusters")
    httpx.get(f"{sandbox.url}/redpanda-dataplane/rp-1/v1/users")
    assert sandbox.count() == 5
    assert sandbox.count("kafka_connect") == 2
    assert sandbox.count("plant_b") == 1
    assert sandbox.count("redpanda") == 2
    assert sandbox.count("redpanda_dataplane") == 1
    sandbox.reset()
    assert sandbox.count() == 0


def test_a_path_of_no_api_is_not_found_and_on_record(sandbox: DemoServers) -> None:
    assert httpx.get(f"{sandbox.url}/elsewhere").status_code == 404
    assert [(each.api, each.path) for each in sandbox.requests] == [("", "/elsewhere")]


# faults


def test_a_fault_with_a_status_answers_with_the_vendor_s_body(sandbox: DemoServers) -> None:
    sandbox.inject(Fault(status=409))
    answer = httpx.get(plant_a(sandbox))
    assert answer.status_code == 409
    assert "worker rebalance" in answer.json()["message"]
    assert sandbox.requests[-1].status == 409
    sandbox.heal()
    assert httpx.get(plant_a(sandbox)).status_code == 200


def test_a_fault_brings_its_own_body_and_headers(sandbox: DemoServers) -> None:
    sandbox.inject(Fault(status=502, body=b"<html>", headers={"Content-Type": "text/html"}))
    answer = httpx.get(plant_a(sandbox))
    assert (answer.text, answer.headers["content-type"]) == ("<html>", "text/html")


def test_a_fault_hits_only_its_api_and_its_paths(sandbox: DemoServers) -> None:
    sandbox.inject(Fault(api="plant_a", path="/connectors/*", status=500))
    assert httpx.get(plant_a(sandbox)).status_code == 200
    assert httpx.get(f"{plant_a(sandbox)}/x/status").status_code == 500
    assert httpx.get(f"{base_url(sandbox, 'plant_b')}/connectors/x").status_code == 401


def test_a_fault_skips_and_then_hits_a_number_of_requests(sandbox: DemoServers) -> None:
    sandbox.inject(Fault(status=503, after=1, times=2))
    statuses = [httpx.get(plant_a(sandbox)).status_code for _ in range(5)]
    assert statuses == [200, 503, 503, 200, 200]


def test_a_spent_fault_lets_the_next_one_act(sandbox: DemoServers) -> None:
    sandbox.inject(Fault(status=503, times=1))
    sandbox.inject(Fault(status=500, times=1))
    assert [httpx.get(plant_a(sandbox)).status_code for _ in range(3)] == [503, 500, 200]


def test_a_cut_answer_ends_before_its_promised_length(sandbox: DemoServers) -> None:
    sandbox.inject(Fault(cut=10, times=1))
    with pytest.raises(httpx.RemoteProtocolError, match="received 10 bytes"):
        httpx.get(plant_a(sandbox))
    assert httpx.get(plant_a(sandbox)).status_code == 200


def test_a_reset_leaves_no_status(sandbox: DemoServers) -> None:
    sandbox.inject(Fault(reset=True))
    with pytest.raises(httpx.TransportError):
        httpx.get(plant_a(sandbox))
    assert [each.status for each in sandbox.requests] == [0]


@pytest.mark.parametrize("by_fault", [True, False])
def test_delay_and_latency_come_before_the_answer(sandbox: DemoServers, by_fault: bool) -> None:
    if by_fault:
        sandbox.inject(Fault(delay=30.0))
    else:
        sandbox.latency = 30.0
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(plant_a(sandbox), timeout=httpx.Timeout(20, read=0.05))


def test_a_faulty_status_keeps_the_request_from_taking_effect(sandbox: DemoServers) -> None:
    sandbox.inject(Fault(path="*/connect", status=500))
    key = sandbox.connections["aeontel"]["api_key"]
    headers = {"Authorization": f"Bearer {key}"}
    api = f"{base_url(sandbox, 'aeontel')}/api/connectors"
    before = httpx.get(f"{api}?workspace_id=wsp_1", headers=headers).content
    httpx.get(f"{api}/notion/connect?workspace_id=wsp_1", headers=headers)
    assert httpx.get(f"{api}?workspace_id=wsp_1", headers=headers).content == before


def test_a_large_list_is_served_whole() -> None:
    world = World.seeded(7, environments=1, clusters=1, redpanda_clusters=1, connectors=1000)
    with DemoServers(world) as sandbox:
        answer = httpx.get(f"{plant_a(sandbox)}?expand=status&expand=info")
        again = httpx.get(f"{plant_a(sandbox)}?expand=status&expand=info")
    assert len(json.loads(answer.content)) == 1000
    assert again.content == answer.content
