"""A value from a query never leaves its place: one path segment, one query value, or no request."""

import contextlib
from collections.abc import Iterator
from urllib.parse import parse_qsl, unquote

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from connstat_sql.definitions.loader import Library, shipped_providers
from connstat_sql.definitions.model import Method, TableName
from connstat_sql.demo import DemoServers
from connstat_sql.engine import Engine
from connstat_sql.errors import ConnectionFailed, ConnstatError, PlanError
from connstat_sql.fetch import Fetch, build_request
from connstat_sql.fetch.cursor import PageCursor
from tests.conftest import engine_of
from tests.examples import examples

LIBRARY = Library([shipped_providers()])
HOSTILE = [
    *("..", ".", "", "a/b", "x?y=1", "%2e%2e", "%2E", "%2f", "%00", "a\r\nHost: evil", "\x00"),
    *("\\", "..\\..", "a" * 9_000, "😀é", "#", "a;b", "@evil.test", "//evil.test", "a b", "a+b"),
    *("a&b=c", "a=b", "~", "{x}", "${HOME}", "%", "%zz", "%25", "\ud800", "\u202e", "\ufeff", "/"),
    *(
        "...",
        "..;",
        "'",
        '"',
        "http://evil.test/",
        "\t",
        "\n",
        "\x7f",
        "\x85",
        "\uff41\uff0e\uff0e",
    ),
]
TEXT = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(max_size=30),
    st.text(alphabet="./%\\?#&=;@: +\r\n\x00aé2eEfF", max_size=12),
)
FEW = settings(max_examples=examples(60), deadline=None, suppress_health_check=list(HealthCheck))


class Recorder:
    """An API that answers any list with nothing; what it was asked, as it was on the wire."""

    def __init__(self) -> None:
        self.targets: list[tuple[str, bytes]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.targets.append((f"{request.url.scheme}://{request.url.netloc.decode()}",
                             request.url.raw_path))  # fmt: skip
        if request.url.path == "/c/connectors":
            return httpx.Response(200, json={})
        return httpx.Response(200, json={"data": [], "metadata": {"next": None}})


@pytest.fixture(scope="module")
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture(scope="module")
def engine(recorder: Recorder) -> Iterator[Engine]:
    connections = {
        "confluent": {
            "provider": "confluent",
            "base_url": "https://api.test/c",
            "api_key": "k",
            "api_secret": "s",
        }
    }
    with engine_of(connections, transport=httpx.MockTransport(recorder)) as running:
        yield running


@pytest.fixture(scope="module")
def live(sandbox: DemoServers) -> Iterator[Engine]:
    with engine_of(sandbox.connections) as running:
        yield running


def ran(engine: Engine, sql: str, values: list[str]) -> ConnstatError | None:
    """Run it; the error of ours, if that is what came of it."""
    try:
        list(engine.run(sql, values))
    except ConnstatError as error:
        return error
    return None


@FEW
@given(value=TEXT)
def test_a_value_in_a_path_stays_one_segment(
    engine: Engine, recorder: Recorder, value: str
) -> None:
    recorder.targets.clear()
    sql = """SELECT key FROM confluent.connect.connector_config
             WHERE environment_id = ? AND kafka_cluster_id = ? AND connector_name = 'n'"""
    error = ran(engine, sql, [value, "lkc-1"])
    if error is not None and not recorder.targets:
        assert error.message
        return
    prefix, suffix = "/c/connect/v1/environments/", "/clusters/lkc-1/connectors/n/config"
    for origin, raw in recorder.targets:
        path, mark, _ = raw.decode("ascii").partition("?")
        assert origin == "https://api.test"
        assert path.startswith(prefix)
        assert path.endswith(suffix)
        segment = path[len(prefix) : len(path) - len(suffix)]
        assert "/" not in segment
        assert unquote(segment, errors="strict") == value
        assert not mark


@FEW
@given(value=TEXT)
def test_a_value_in_a_query_stays_one_value(engine: Engine, recorder: Recorder, value: str) -> None:
    recorder.targets.clear()
    sql = "SELECT id FROM confluent.managed_kafka_clusters.clusters WHERE environment = ?"
    error = ran(engine, sql, [value])
    if error is not None:
        assert not recorder.targets
        return
    ((origin, raw),) = recorder.targets
    path, _, query = raw.decode("ascii").partition("?")
    assert (origin, path) == ("https://api.test", "/c/cmk/v2/clusters")
    pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True, errors="strict")
    assert sorted(pairs) == [("environment", value), ("page_size", "100")]


@settings(parent=FEW, max_examples=examples(40))
@given(value=TEXT)
@example("a/b")
@example("%2e%2e")
@example("+ %2B")
def test_what_arrives_at_a_real_server_is_what_was_asked(
    live: Engine, sandbox: DemoServers, value: str
) -> None:
    sandbox.reset()
    sql = """SELECT name FROM confluent.connect.connector_status
             WHERE environment_id = 'env-1' AND kafka_cluster_id = 'lkc-1' AND connector_name = ?"""
    ran(live, sql, [value])
    prefix = "/connect/v1/environments/env-1/clusters/lkc-1/connectors"
    for one in sandbox.requests:
        assert one.api == "confluent"
        if one.path == prefix:  # looked up in the list
            continue
        assert one.path.startswith(f"{prefix}/")
        assert one.path.endswith("/status")
        segment = one.path.removeprefix(f"{prefix}/").removesuffix("/status")
        assert "/" not in segment
        assert unquote(segment, errors="strict") == value
        assert one.query == ""


@settings(parent=FEW, max_examples=examples(40))
@given(value=TEXT)
@example("+ %2B&x=1")
def test_a_query_value_arrives_at_a_real_server_as_it_was(
    live: Engine, sandbox: DemoServers, value: str
) -> None:
    sandbox.reset()
    sql = "SELECT id FROM confluent.managed_kafka_clusters.clusters WHERE environment = ?"
    ran(live, sql, [value])
    for one in sandbox.requests:
        assert one.path == "/cmk/v2/clusters"
        pairs = parse_qsl(one.query, keep_blank_values=True, strict_parsing=True, errors="strict")
        assert dict(pairs) == {"environment": value, "page_size": "100"}


@pytest.mark.parametrize("value", HOSTILE)
def test_every_hostile_value_gives_rows_or_an_error_of_ours(
    live: Engine, sandbox: DemoServers, value: str
) -> None:
    sql = "SELECT name FROM plant_a.connect.connector_status WHERE connector_name = ?"
    results = []
    with contextlib.suppress(ConnstatError):
        results = list(live.run(sql, [value]))
    assert [result.table.num_rows for result in results] in ([], [0])
    assert "evil" not in "".join(one.headers_seen["host"] for one in sandbox.requests)


def test_a_name_full_of_reserved_characters_is_found(live: Engine) -> None:
    for name in ("weird/na me#é?",):
        sql = "SELECT name FROM plant_a.connect.connectors WHERE connector_name = ?"
        assert [r.table.to_pylist() for r in live.run(sql, [name])] == [[{"name": name}]]


# where a request is built


def method(provider: str, service: str, resource: str, name: str) -> tuple[Fetch, Method]:
    table = LIBRARY.resource(TableName(provider, service, resource))
    assert table is not None
    one = next(m for m in table.methods if m.name == name)
    return Fetch(provider, table, one, {}), one


def redpanda(address: str) -> Fetch:
    fetch, one = method("redpanda", "kafka_connect", "clusters", "list")
    arguments = {"dataplane_api_url": address, "cluster_id": "rp-1"}
    return Fetch("redpanda", fetch.resource, one, arguments)


@pytest.mark.parametrize(
    "address",
    [
        *("https://a.test?x=", "https://a.test#", "https://u:p@a.test", "https://a.test\\@b.test"),
        *("https://a.test/..", "https://a.test/%2e%2e/x", "https://a b", "a.test", "ftp://a.test"),
        *("", "https://", "https://a.test\r\nX: 1", "https://a.test\x00", "javascript:alert(1)"),
        *("https://a.test:99999", "https://[::1", "https://a.test/%00", "https://\u2100.test@b"),
    ],
)
def test_an_address_that_is_not_a_plain_url_is_refused_before_any_request(address: str) -> None:
    with pytest.raises(ConnectionFailed, match="dataplane_api_url is not a plain") as caught:
        build_request(redpanda(address), "https://own.test", None)
    assert caught.value.attempts == 0


def test_an_address_may_have_a_port_and_a_path() -> None:
    request = build_request(redpanda("https://a.test:8443/base/"), "https://own.test", None)
    assert request.url == "https://a.test:8443/base/v1/kafka-connect/clusters"


@pytest.mark.parametrize("value", ["", ".", "..", "\ud800"])
def test_what_cannot_be_a_segment_is_refused(value: str) -> None:
    fetch, one = method("kafka_connect", "connect", "connector_status", "get")
    with pytest.raises(PlanError):
        build_request(
            Fetch("plant", fetch.resource, one, {"connector_name": value}), "http://a.test", None
        )


@settings(max_examples=examples(90), deadline=None)
@given(value=st.text(min_size=1, max_size=20), cursor=st.none() | st.text(max_size=20))
def test_a_built_request_reads_back_as_what_it_was_built_from(
    value: str, cursor: str | None
) -> None:
    fetch, one = method("redpanda", "kafka_connect", "connectors", "list")
    arguments = {"dataplane_api_url": "https://a.test", "cluster_name": value}
    try:
        request = build_request(
            Fetch("redpanda", fetch.resource, one, arguments),
            "https://own.test",
            None if cursor is None else PageCursor.of(cursor),
        )
    except PlanError:
        assert value in (".", "..")
        return
    url = httpx.Request("GET", request.url, params=httpx.QueryParams(request.query)).url
    raw, _, query = url.raw_path.decode("ascii").partition("?")
    assert url.host == "a.test"
    assert raw.split("/")[:4] == ["", "v1", "kafka-connect", "clusters"]
    assert [unquote(one) for one in raw.split("/")[4:]] == [value, "connectors"]
    expected = {"page_size": "1000"} | ({} if cursor is None else {"page_token": cursor})
    assert dict(parse_qsl(query, keep_blank_values=True)) == expected
