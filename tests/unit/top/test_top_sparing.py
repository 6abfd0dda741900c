"""A refresh asks for connectors; for what lists the clusters, once a minute."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import httpx
import pytest

from connstat_sql.demo import DemoServers
from connstat_sql.top.query import FleetQuery
from tests.conftest import FakeClock
from tests.requests.organisation import CONNECTIONS, Organisation
from tests.unit.top.test_top_refreshing import Watch, watching

EVERY = 5.0
CONFLUENT = {"confluent": CONNECTIONS["confluent"]}
LISTS = {
    ("confluent", "/org/v2/environments"): 1,
    ("confluent", "/cmk/v2/clusters"): 3,
    ("redpanda", "/v1/clusters"): 1,
    ("redpanda", "/v1/clusters/rp-1"): 1,
    ("redpanda", "/v1/clusters/rp-2"): 1,
    ("aeontel", "/api/workspaces"): 1,
}
"""What says which clusters there are in the sandbox."""


def asked(sandbox: DemoServers) -> Counter[tuple[str, str]]:
    """The requests since the last time, without those for tokens."""
    sent = Counter((one.api, one.path) for one in sandbox.requests if one.path != "/oauth/token")
    sandbox.reset()
    return sent


def clusters(sent: list[str]) -> int:
    """How many of the requests list the clusters of an environment; they are told once."""
    count = sum("/cmk/v2/clusters?" in url for url in sent)
    sent.clear()
    return count


@pytest.fixture
def organisation() -> Organisation:
    return Organisation(environments=1, clusters=2, connectors=1)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def watch(organisation: Organisation, clock: FakeClock) -> Iterator[Watch]:
    with watching(CONFLUENT, answer=organisation.transport, clock=clock) as found:
        yield found


def test_what_lists_the_clusters_is_asked_once_a_minute_and_connectors_each_time(
    sandbox: DemoServers, clock: FakeClock
) -> None:
    sandbox.reset()
    with watching(sandbox.connections, clock=clock) as watch:
        first = watch.fleet()
        everything = asked(sandbox)
        clock.time += EVERY
        second = watch.fleet(EVERY)
        assert everything - asked(sandbox) == Counter(LISTS)
        assert first.requests - second.requests == sum(LISTS.values())
        assert len(second.connectors) == len(first.connectors)
        clock.time += 60 - EVERY
        watch.fleet(EVERY)
        assert asked(sandbox) == everything


@pytest.mark.parametrize("every", [25.0, pytest.param(50.0, marks=pytest.mark.long)])
def test_a_new_cluster_is_there_after_a_minute_or_at_the_next_refresh(
    watch: Watch, organisation: Organisation, clock: FakeClock, every: float
) -> None:
    assert len(watch.fleet().connectors) == 2
    organisation.clusters = 3
    began, seen = clock.time, 2
    while seen == 2:
        clock.time += every
        seen = len(watch.fleet(every).connectors)
        assert clock.time - began <= max(60.0, every)
    assert seen == 3


def test_a_new_connector_is_there_at_the_next_refresh(
    watch: Watch, organisation: Organisation, clock: FakeClock
) -> None:
    watch.fleet()
    organisation.connectors = 3
    clock.time += EVERY
    assert len(watch.fleet(EVERY).connectors) == 6


def test_everything_anew_finds_a_new_cluster_at_once(
    watch: Watch, organisation: Organisation
) -> None:
    watch.fleet()
    organisation.clusters = 3
    assert len(watch.fleet(EVERY).connectors) == 2
    assert len(watch.fleet().connectors) == 3


@pytest.mark.long
def test_a_cluster_that_has_gone_leaves_with_its_connectors(
    watch: Watch, organisation: Organisation, clock: FakeClock
) -> None:
    watch.fleet()
    organisation.clusters = 1
    clock.time += EVERY
    fleet = watch.fleet(EVERY)
    assert ([one.scope_2 for one in fleet.connectors if one.change], fleet.outages) == (
        ["lkc-1-2"],
        (),
    )


@pytest.mark.long
def test_a_cluster_that_begins_to_fail_may_have_gone_and_is_looked_for_once(
    organisation: Organisation, clock: FakeClock
) -> None:
    refused: set[str] = set()

    def answer(request: httpx.Request) -> httpx.Response:
        if refused & {*request.url.path.split("/")}:
            organisation.sent.append(str(request.url))
            return httpx.Response(403, json={"error": {"message": "Forbidden"}})
        return organisation.answer(request)

    transport = httpx.MockTransport(answer)
    with watching(CONFLUENT, answer=transport, clock=clock) as watch:
        watch.fleet()
        refused.add("lkc-1-2")
        clusters(organisation.sent)
        counts = []
        for _ in range(3):
            clock.time += EVERY
            assert [one.scope for one in watch.fleet(EVERY).outages] == ["env-1 / lkc-1-2"]
            counts.append(clusters(organisation.sent))
    assert counts == [0, 1, 0]


@pytest.mark.long
def test_a_predicate_of_the_user_reads_connectors_as_they_are(
    organisation: Organisation, clock: FakeClock
) -> None:
    where = "connector_name IN (SELECT name FROM confluent.connect.connectors)"
    question = FleetQuery(where=where)
    with watching(CONFLUENT, question, organisation.transport, clock) as watch:
        watch.fleet()
        organisation.connectors = 2
        clock.time += EVERY
        assert len(watch.fleet(EVERY).connectors) == 4
