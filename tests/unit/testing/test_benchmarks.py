"""The benchmarks measure what they say they do: answers whole, requests counted; no timing here."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from tests.benchmarks import dependent, fleets, paging
from tests.benchmarks.asking import Question, answered
from tests.benchmarks.serving import CONNECTORS, NAMES, PAGE, Served, served


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    with served(hosts=3) as found:
        yield found


def test_the_server_tells_what_it_was_asked_since_the_last_time(server: Served) -> None:
    server.seen()
    dependent.bare(dependent.urls(server, 3))
    seen = server.seen()
    assert (seen.requests, seen.first <= seen.last) == (3, True)
    assert server.seen().requests == 0


def test_each_name_is_listed_once_and_read_once(server: Served) -> None:
    with dependent.engine(server) as engine:
        server.seen()
        assert dependent.ours(engine).requests == NAMES + 1
        assert server.seen().requests == NAMES + 1


@pytest.mark.skipif(bool(dependent.missing_tools()), reason="needs curl and jq")
def test_curl_prints_as_many_rows_as_it_has_addresses(server: Served) -> None:
    with dependent.shell(server, 20) as both:
        assert both.curl().rows == 20


@pytest.mark.parametrize("table", ["rows", "numbered_rows"])
def test_rows_come_in_pages_of_a_hundred(server: Served, table: str) -> None:
    found = answered(paging.ours(server, 3 * PAGE, table))
    assert (found.rows, found.requests) == (3 * PAGE, 3)


def test_the_servers_own_time_is_that_of_the_same_requests(server: Served) -> None:
    server.seen()
    assert paging.server_seconds(server, 3 * PAGE) > 0
    assert server.seen().requests == 3


def test_a_fleet_is_asked_once_a_cluster_and_one_row(server: Served) -> None:
    found = answered(fleets.clusters(server, 3))
    assert (found.rows, found.requests, found.failed) == (1, 1 + 3, 0)
    found = answered(fleets.connections(server, 3))
    assert (found.rows, found.requests, found.failed) == (1, 2 * 3, 0)  # and a list of names each


def test_every_connector_of_a_fleet_is_counted(server: Served) -> None:
    worker = {"provider": "kafka_connect", "base_url": server.url}
    table = "SELECT name, config['topics'] FROM plant.connect.connectors"
    assert answered(Question(table, table, {"plant": worker})).rows == CONNECTORS


def test_a_fleet_of_which_some_may_be_down_is_asked_twenty_times_a_host(server: Served) -> None:
    found = answered(fleets.reads(server, 3, []))
    assert (found.rows, found.requests) == (3 * fleets.NAMES_ASKED, 3 * fleets.NAMES_ASKED)


def test_a_silent_host_takes_connections_and_a_refusing_one_does_not() -> None:
    with fleets.silent(1) as [place], socket.create_connection(place) as link:
        assert link.getpeername() == place
    with fleets.refusing(1) as [place], pytest.raises(ConnectionRefusedError):
        socket.create_connection(place)
