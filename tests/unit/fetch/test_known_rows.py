"""The rows of a table are the same whatever columns are asked for, and an unknown state is said."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote

import httpx

from connstat_sql.engine import Engine
from connstat_sql.errors import Status
from connstat_sql.result import Options, Result
from tests.conftest import engine_of
from tests.tabled import over
from tests.unit.saved.test_shipped_queries import QUERIES

CONNECTORS = "kafka_connect.connect.connectors"
FLEET = "inventory.connectors.connectors"


def status(name: str, state: str | None, tasks: Sequence[str] | None) -> dict[str, Any]:
    states = [{"id": n, "state": state, "worker_id": "w"} for n, state in enumerate(tasks or ())]
    document: dict[str, Any] = {"name": name, "type": "sink", "connector": {"worker_id": "w"}}
    if state is not None:
        document["connector"]["state"] = state
    return document if tasks is None else {**document, "tasks": states}


class Worker:
    """A worker that leaves those without a status out of each list that asks for statuses."""

    def __init__(self, has: dict[str, dict[str, Any] | None]) -> None:
        self.has = has
        self.asked: list[str] = []
        self.names_status = 200

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(str(request.url).removeprefix("http://plant.test"))
        parts = unquote(request.url.path).strip("/").split("/")
        expand = request.url.params.get_list("expand")
        if len(parts) == 1:
            return self._listed(expand)
        if parts[2:] == ["topics"]:
            topics = ["crates"] if parts[1] == "alive" else []
            return httpx.Response(200, json={parts[1]: {"topics": topics}})
        if parts[1] not in self.has:
            said = {"error_code": 404, "message": f"Connector {parts[1]} not found"}
            return httpx.Response(404, json=said)
        return httpx.Response(200, json=self._info(parts[1]))

    def _listed(self, expand: list[str]) -> httpx.Response:
        if not expand:
            return httpx.Response(self.names_status, json=list(self.has))
        parts = {
            name: {"status": said, "info": self._info(name)}
            for name, said in self.has.items()
            if said is not None or "status" not in expand
        }
        return httpx.Response(
            200,
            json={n: {part: parts_of[part] for part in expand} for n, parts_of in parts.items()},
        )

    def _info(self, name: str) -> dict[str, Any]:
        return {"name": name, "type": "sink", "config": {"topics": f"of.{name}"}, "tasks": []}


@contextmanager
def plant(worker: Worker) -> Iterator[Engine]:
    connections = {"plant": {"provider": "kafka_connect", "base_url": "http://plant.test"}}
    with engine_of(connections, transport=httpx.MockTransport(worker)) as engine:
        yield engine


def run(engine: Engine, sql: str, **options: Any) -> Result:
    (result,) = engine.run(sql, None, Options(**options))
    return result


LATE = {"alive": status("alive", "RUNNING", ["RUNNING"]), "a/b": None, 'never "made"': None}


@over(
    "columns",
    ["name", "name, connector.state", "name, connector, tasks", "name, config", "name, type, tasks",
     "name, config, connector", "name, connector.state, config['topics'], type"],
)  # fmt: skip
def test_a_connector_without_a_status_is_a_row_whatever_is_asked_for(columns: str) -> None:
    with plant(Worker(LATE)) as engine:
        rows = run(engine, f"SELECT {columns} FROM {CONNECTORS} ORDER BY name").fetchall()
        without = run(
            engine, f"SELECT name, config['topics'], type, connector.state FROM {CONNECTORS}"
        )
    assert [row[0] for row in rows] == sorted(LATE)
    assert sorted(without.fetchall(), key=str) == [
        ("a/b", "of.a/b", "sink", None), ("alive", "of.alive", "sink", "RUNNING"),
        ('never "made"', 'of.never "made"', "sink", None),
    ]  # fmt: skip


def test_what_is_left_out_is_asked_for_only_where_something_is() -> None:
    worker = Worker({"alive": LATE["alive"]})
    with plant(worker) as engine:
        run(engine, f"SELECT name, config, connector FROM {CONNECTORS}")
        assert worker.asked == ["/connectors?expand=status&expand=info", "/connectors"]
        worker.has, worker.asked = LATE, []
        run(engine, f"SELECT name, config, connector FROM {CONNECTORS}")
    assert worker.asked[2:] == ["/connectors?expand=info"]


def test_where_nobody_says_which_there_are_it_is_an_error() -> None:
    worker = Worker(LATE)
    worker.names_status = 500
    sql = f"SELECT name, connector.state FROM {CONNECTORS}"
    with plant(worker) as engine:
        result = run(engine, sql, partial=True)
    assert result.fetchall() == [("alive", "RUNNING")]
    assert [type(failed.error) for failed in result.errors] == [Status]


@over(
    ("where", "names"),
    [("IN ('alive', 'a/b', 'gone')", ["a/b", "alive"]), ("= 'gone'", []), ("= 'alive'", ["alive"]),
     ("IS NOT NULL", sorted(LATE))],
)  # fmt: skip
def test_topics_are_those_of_connectors_that_there_are(where: str, names: list[str]) -> None:
    sql = "SELECT connector_name, len(topics) FROM kafka_connect.connect.connector_topics"
    worker = Worker({**LATE, "a-b": None})
    with plant(worker) as engine:
        where = where.replace("a/b", "a-b")
        names = sorted(name.replace("a/b", "a-b") for name in names)
        if where == "IS NOT NULL":
            worker.has.pop("a/b")
            names = sorted(worker.has)
        rows = run(engine, f"{sql} WHERE connector_name {where} ORDER BY 1").fetchall()
    assert [row[0] for row in rows] == names
    assert worker.asked.count("/connectors") <= 2  # once to find them all, once to know them


# health

STATES = [
    ("RUNNING", ["RUNNING", "SLEEPY"], "UNKNOWN", 0), ("SLEEPY", ["RUNNING"], "UNKNOWN", 0),
    (None, ["RUNNING"], "UNKNOWN", 0), ("RUNNING", None, "UNKNOWN", None),
    ("RUNNING", ["UNASSIGNED", "SLEEPY"], "UNKNOWN", 0),
    ("RUNNING", ["RUNNING", "USER_ACTIONABLE_ERROR"], "DEGRADED", 1),
    ("RUNNING", ["USER_ACTIONABLE_ERROR"], "UNHEALTHY", 1),
    ("USER_ACTIONABLE_ERROR", ["RUNNING"], "UNHEALTHY", 0),
    ("RUNNING", ["RUNNING", ""], "UNKNOWN", 0), ("RUNNING", [], "UNHEALTHY", 0),
]  # fmt: skip


def vendors(state: dict[str, Any] | None) -> dict[str, Any]:
    """How each vendor lists one connector with that status; None for a list without it."""
    info = {"name": "x", "type": "sink", "config": {}, "tasks": []}
    part = {"info": info} if state is None else {"info": info, "status": state}
    confluent = {**part, "id": {"id": "lcc-1", "id_type": "ID"}}
    return {
        "kafka_connect": {"/connectors": lambda parts: {"x": part} if parts else ["x"]},
        "confluent": {
            "/org/v2/environments": lambda _: {"data": [{"id": "env-1"}], "metadata": {}},
            "/cmk/v2/clusters": lambda _: {"data": [{"id": "lkc-1"}], "metadata": {}},
            "/connectors": lambda parts: {"x": confluent} if parts else ["x"],
        },
        "redpanda": {
            "/v1/clusters": lambda _: {"clusters": [{"id": "rp-1"}]},
            "/v1/clusters/rp-1": lambda _: {
                "cluster": {"id": "rp-1", "dataplane_api": {"url": "http://vendor.test/dp"}}
            },
            "/connectors": lambda _: {"connectors": [{"name": "x", **part}]},
        },
    }


def fleet_of(vendor: str, state: dict[str, Any] | None, sql: str) -> list[tuple[Any, ...]]:
    answers = vendors(state)[vendor]

    def answer(request: httpx.Request) -> httpx.Response:
        ends = [path for path in answers if request.url.path.endswith(path)]
        body = answers[max(ends, key=len)](request.url.params.get_list("expand")) if ends else []
        return httpx.Response(200, content=json.dumps(body))

    keys = {"confluent": {"token": "t"}, "redpanda": {"token": "t"}}.get(vendor, {})
    table = {"provider": vendor, "base_url": "http://vendor.test", **keys}
    with engine_of({"v": table}, transport=httpx.MockTransport(answer)) as engine:
        return run(engine, sql).fetchall()


@over(("vendor", "state", "tasks", "health", "failed"), [
    (vendor, *row) for vendor in ("kafka_connect", "confluent", "redpanda") for row in STATES
])  # fmt: skip
def test_what_nobody_knows_is_never_healthy_and_an_error_has_failed(
    vendor: str, state: str | None, tasks: list[str] | None, health: str, failed: int | None
) -> None:
    document = status("x", state, tasks)
    rows = fleet_of(vendor, document, f"SELECT health, tasks_failed FROM {FLEET}")
    assert rows == [(health, failed)]


@over("vendor", ["kafka_connect", "confluent", "redpanda"])
def test_a_connector_that_is_listed_without_a_status_is_of_unknown_health(vendor: str) -> None:
    sql = f"SELECT connector_name, state, health FROM {FLEET}"
    assert fleet_of(vendor, None, sql) == [("x", "UNKNOWN", "UNKNOWN")]
    assert fleet_of(vendor, None, f"SELECT count(*) FROM {FLEET}") == [(1,)]


ENVIRONMENT = "environment_id = 'env-1' AND kafka_cluster_id = 'lkc-1'"
TABLES = {
    "kafka_connect": "kafka_connect.connect.connector_status",
    "confluent": f"confluent.connect.connector_status WHERE {ENVIRONMENT}",
    "redpanda": "redpanda.kafka_connect.connector_status WHERE cluster_id = 'rp-1'",
}


@over("vendor", ["kafka_connect", "confluent", "redpanda"])
def test_a_connector_without_a_status_is_in_the_table_of_states(vendor: str) -> None:
    """Whatever columns are asked for, and of unknown state."""
    rows = fleet_of(vendor, None, f"SELECT name, connector.state FROM {TABLES[vendor]}")
    assert rows == [("x", None)]
    for column in (
        "count(*)",
        "count(name)",
        "count(DISTINCT connector_name)",
        "count(*), max(type)",
    ):
        assert fleet_of(vendor, None, f"SELECT {column} FROM {TABLES[vendor]}")[0][0] == 1, column


def lists(late: str) -> dict[str, Callable[[httpx.Request], httpx.Response]]:
    """Vendors that know a connector by its name, say that it has no status, and no other."""

    def plant_like(request: httpx.Request) -> httpx.Response:
        parts = unquote(request.url.path).strip("/").split("/")
        if parts[-1] == "connectors":
            part: dict[str, Any] = {"status": None, "info": {"name": late}}
            is_names = "expand" not in request.url.params
            return httpx.Response(200, json=[late] if is_names else {late: part})
        body = {"error_code": 404, "message": f"No status found for connector {parts[-2]}"}
        confluent = {"error": {"code": 404, "message": "resource not found"}}
        return httpx.Response(404, json=body if parts[0] == "connectors" else confluent)

    return {"kafka_connect": plant_like, "confluent": plant_like}


@over(
    ("vendor", "name", "rows", "asked"),
    [
        (vendor, *case)
        for vendor in ("kafka_connect", "confluent")
        for case in (("= 'late'", [("late", None)], 2), ("= 'gone'", [], 2),
                     ("IN ('gone', 'late')", [("late", None)], None))
    ],
)  # fmt: skip
def test_a_read_by_name_of_one_without_a_status_is_held_against_the_names(
    vendor: str, name: str, rows: list[Any], asked: int | None
) -> None:
    sent = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.url)
        return lists("late")[vendor](request)

    keys = {"token": "t"} if vendor == "confluent" else {}
    table = {"provider": vendor, "base_url": "http://vendor.test", **keys}
    where = TABLES[vendor] + (" AND" if "WHERE" in TABLES[vendor] else " WHERE")
    with engine_of({"v": table}, transport=httpx.MockTransport(answer)) as engine:
        sql = f"SELECT connector_name, connector.state FROM {where} connector_name {name}"
        assert run(engine, sql).fetchall() == rows
    assert asked is None or len(sent) == asked


@over(
    ("server", "state", "health"),
    [
        ({"id": "mcp_1", "status": None}, "PROVISIONING", "TRANSITION"),
        ({"id": "mcp_1"}, "PROVISIONING", "TRANSITION"),
        ({"id": "mcp_1", "status": ""}, "UNKNOWN", "UNKNOWN"),
        ({"id": "mcp_1", "status": "dozing"}, "UNKNOWN", "UNKNOWN"),
        (None, "NOT_INSTALLED", "INACTIVE"), ({}, "NOT_INSTALLED", "INACTIVE"),
    ],
)  # fmt: skip
def test_an_install_without_a_status_is_there_and_never_healthy(
    server: dict[str, Any] | None, state: str, health: str
) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        row = {"id": "wsp_1", "organizationId": "o", "slug": "mail", "server": server}
        return httpx.Response(200, json={"data": [row], "pageInfo": {"hasNextPage": False}})

    table = {"provider": "aeontel", "base_url": "http://vendor.test", "api_key": "k"}
    with engine_of({"v": table}, transport=httpx.MockTransport(answer)) as engine:
        fleet = run(engine, f"SELECT connector_name, state, health FROM {FLEET}")
        installs = run(engine, "SELECT slug FROM aeontel.connectors.installs")
    assert (fleet.fetchall(), installs.fetchall()) == ([("mail", state, health)], [("mail",)])


def test_rows_that_the_query_cannot_use_are_not_asked_for() -> None:
    sql = "SELECT name, connector.state FROM kafka_connect.connect.connector_status WHERE "
    cases = {
        "connector.state = 'FAILED'": 1, "len(tasks) > 0 AND name LIKE 'a%'": 1,
        "NOT connector.state = 'FAILED'": 1, "connector.state IN ('FAILED', 'PAUSED')": 1,
        "name = 'a/b'": 2, "connector IS NULL": 2, "connector.state IS DISTINCT FROM 'x'": 2,
        "connector.state = 'FAILED' OR name = 'a/b'": 2, "coalesce(type, 'sink') = 'sink'": 2,
    }  # fmt: skip
    worker = Worker(LATE)
    with plant(worker) as engine:
        for where, requests in cases.items():
            rows = run(engine, sql + where).fetchall()
            assert len(worker.asked) == requests, where
            assert any(state is None for _, state in rows) is (requests == 2), where
            worker.asked.clear()
        run(engine, "SELECT * FROM inventory.connectors.tasks")
        assert worker.asked == ["/connectors?expand=status"]
        everything = run(engine, sql + "true", max_age=60)
        worker.asked.clear()
        some = run(engine, sql + "connector.state = 'RUNNING'", max_age=60)
    assert (len(everything.fetchall()), some.fetchall()) == (3, [("alive", "RUNNING")])
    assert not worker.asked


@over("document", [None, status("x", "SLEEPY", []), status("x", "RUNNING", ["RUNNING", "SLEEPY"])])
def test_a_state_that_nobody_knows_reaches_the_alert(document: dict[str, Any] | None) -> None:
    sql = QUERIES.find("failed-behind-running").sql
    for name in ("provider", "connection"):
        sql = sql.replace(f"${name}", "CAST(NULL AS VARCHAR)")
    assert len(fleet_of("kafka_connect", document, sql)) == 1
