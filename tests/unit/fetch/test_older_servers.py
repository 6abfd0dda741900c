"""A server that is older than a method is asked by the methods that it falls back to."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import unquote

import httpx
import pytest

from connstat_sql.definitions.loader import Library, validate
from connstat_sql.definitions.versions import is_before, numbers_of
from connstat_sql.engine import Engine
from connstat_sql.errors import (
    ConfigError,
    FetchError,
    NotAsked,
    PlanError,
    Status,
    UnexpectedShape,
)
from connstat_sql.planner import as_document, as_text
from connstat_sql.result import Options, Result
from tests.conftest import engine_of
from tests.tabled import over

CONNECTORS = "kafka_connect.connect.connectors"
STATUS = "kafka_connect.connect.connector_status"
Handler = Callable[[httpx.Request], httpx.Response]


class Worker:
    """A worker of some version; before 2.3 it answers a list with names alone.

    `failing` are paths that it answers with 500.
    """

    def __init__(self, version: Any = "2.0.1", names: tuple[str, ...] = ("mill", "oven")) -> None:
        self.version, self.names = version, names
        self.without_status: set[str] = set()
        self.failing: set[str] = set()
        self.root = 200
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(str(request.url).removeprefix("http://plant.test"))
        parts = unquote(request.url.path).strip("/").split("/")
        if request.url.path in self.failing:
            return httpx.Response(500, json={"error_code": 500, "message": "broken"})
        if parts == [""]:
            return httpx.Response(self.root, json={"version": self.version, "commit": "c"})
        if len(parts) == 1:
            return self._listed(request.url.params.get_list("expand"))
        what = parts[2] if len(parts) > 2 else ""
        if parts[1] not in self.names or (what == "status" and parts[1] in self.without_status):
            missing = "No status found for connector" if what == "status" else "Connector not"
            said = {"error_code": 404, "message": f"{missing} {parts[1]} found"}
            return httpx.Response(404, json=said)
        body = {"status": self._status, "": self._info, "config": self._config}[what](parts[1])
        return httpx.Response(200, json=body)

    def _listed(self, expand: list[str]) -> httpx.Response:
        if not expand or not isinstance(self.version, str) or is_before(self.version, "2.3"):
            return httpx.Response(200, json=list(self.names))
        parts: dict[str, Callable[[str], Any]] = {"status": self._status, "info": self._info}
        return httpx.Response(
            200,
            json={
                name: {part: parts[part](name) for part in expand}
                for name in self.names
                if not ("status" in expand and name in self.without_status)
            },
        )

    def _status(self, name: str) -> dict[str, Any]:
        tasks = [{"id": 0, "state": "RUNNING", "worker_id": "w"}]
        connector = {"state": "RUNNING", "worker_id": "w"}
        return {"name": name, "type": "sink", "connector": connector, "tasks": tasks}

    def _config(self, name: str) -> dict[str, Any]:
        return {"name": name, "topics": f"of.{name}"}

    def _info(self, name: str) -> dict[str, Any]:
        return {"name": name, "type": "sink", "config": self._config(name), "tasks": []}


@contextmanager
def plant(worker: Handler, **said: Any) -> Iterator[Engine]:
    connections = {"plant": {"provider": "kafka_connect", "base_url": "http://plant.test", **said}}
    with engine_of(connections, transport=httpx.MockTransport(worker)) as engine:
        yield engine


def run(engine: Engine, sql: str, **options: Any) -> Result:
    (result,) = engine.run(sql, None, Options(**options))
    return result


ROWS = [
    f"SELECT name, type, connector, tasks, config, connector_name FROM {CONNECTORS}",
    f"SELECT count(*), max(name) FROM {STATUS}",
    f"SELECT name, connector.state FROM {CONNECTORS} WHERE connector_name IN ('oven', 'gone')",
    "SELECT connector_name, count(*) FROM kafka_connect.connect.connector_config GROUP BY ALL",
    "SELECT connector_name, state, health, tasks_total FROM inventory.connectors.connectors",
]
MORE_ROWS = [
    f"SELECT name, type, connector, tasks FROM {STATUS}",
    f"SELECT name, config FROM {CONNECTORS}",
    f"SELECT config['topics'], type FROM {CONNECTORS}",
    f"SELECT name, connector.state, config FROM {CONNECTORS} WHERE connector_name = 'oven'",
    f"SELECT name, connector FROM {STATUS} WHERE connector_name IN ('oven', 'gone', 'mill')",
    "SELECT * FROM kafka_connect.connect.connector_config",
    "SELECT connector_name, task_id, state FROM inventory.connectors.tasks",
    f"SELECT a.name, b.type FROM {CONNECTORS} AS a JOIN {STATUS} AS b USING (connector_name)",
]


@pytest.mark.parametrize("queries", [ROWS, pytest.param(MORE_ROWS, marks=pytest.mark.long)])
def test_an_old_worker_has_the_rows_that_a_new_one_has(queries: list[str]) -> None:
    old, new = Worker("2.2.0-cp1"), Worker("3.9.0")
    old.without_status = new.without_status = {"oven"}
    with plant(old) as aged, plant(new) as young:
        for sql in queries:
            rows = [sorted(run(engine, sql).fetchall(), key=str) for engine in (aged, young)]
            assert rows[0] == rows[1], sql
            assert len(old.asked) == len(set(old.asked)), sql
            old.asked.clear()
    assert "/" not in new.asked


def test_the_version_is_asked_once_and_only_where_an_answer_looks_old() -> None:
    worker = Worker()
    single = ["/connectors", "/connectors/mill/status", "/connectors/oven/status"]
    with plant(worker) as engine:
        run(engine, f"SELECT connector FROM {STATUS}")
        assert worker.asked == ["/connectors?expand=status", "/", *single]
        worker.asked.clear()
        run(engine, f"SELECT connector FROM {STATUS}")
    assert worker.asked == single


def test_a_version_that_the_connection_says_is_not_asked() -> None:
    worker = Worker("unknown")
    with plant(worker, server_version="2.2") as engine:
        plan = engine.explain(f"SELECT connector FROM {STATUS}")
        assert run(engine, f"SELECT name FROM {STATUS}").fetchall() == [("mill",), ("oven",)]
        worker.asked.clear()
        run(engine, f"SELECT connector FROM {STATUS}")
    assert worker.asked[0] == "/connectors"
    assert "/" not in worker.asked
    assert plan is not None
    words = "plant is 2.2, before 2.3: by list_names, then get for each row"
    assert words in as_text(plan)


@over("said", [2.2, "new", 2, True, ""])
def test_a_version_that_is_none_is_refused(said: Any) -> None:
    with pytest.raises(ConfigError, match="server_version"), plant(Worker(), server_version=said):
        pass


def test_the_plan_and_what_happened_say_by_what_a_server_is_asked() -> None:
    worker, sql = Worker(), f"SELECT connector FROM {STATUS}"
    with plant(worker) as engine:
        plan = engine.explain(sql)
        assert plan is not None
        assert "a server before 2.3: by list_names, then get for each row" in as_text(plan)
        assert not worker.asked
        analyzed = run(engine, f"EXPLAIN ANALYZE {sql}").fetchall()
        words = "\n".join(line for (line,) in analyzed)
        assert "5 requests (at least 2 expected), 5 pages, 2 rows" in words
        assert "plant is 2.0.1, before 2.3: by list_names, then get for each row" in words
        plan = engine.explain(sql)
        assert plan is not None
    document = as_document(plan)
    assert document["scans"][0]["older_servers"] == {"plant": "2.0.1"}
    assert (document["requests"]["at_most"], document["scans"][0]["fallback"]) == (
        None, ["list_names", "get"],
    )  # fmt: skip
    assert "at least 2" in as_text(plan)


@over(
    ("version", "root", "hint"),
    [
        ("2.3.0", 200, "says that it is 2.3.0"), ("10.1", 200, "says that it is 10.1"),
        ("none", 200, "may be older than 2.3"), (None, 200, "may be older than 2.3"),
        (["2.1"], 200, "may be older"), ("2.0", 404, "may be older"), ("2.0", 403, "may be older"),
    ],
)  # fmt: skip
def test_where_the_version_is_not_known_to_be_older_it_is_the_error(
    version: Any, root: int, hint: str
) -> None:
    worker = Worker(version)
    worker.root = root

    def names(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/connectors":
            return httpx.Response(200, json=["mill"])
        return worker(request)

    with (
        plant(names) as engine,
        pytest.raises(UnexpectedShape, match=r"with version 2\.3") as caught,
    ):
        run(engine, f"SELECT connector FROM {STATUS}")
    assert hint in caught.value.hint


def test_only_rows_that_the_query_can_use_are_asked_for_one_by_one() -> None:
    worker = Worker(names=tuple(f"mill-{number}" for number in range(40)))
    names = "('mill-7', 'mill-8', 'mill-9', 'mill-10', 'mill-11', 'gone')"
    with plant(worker, server_version="2.1") as engine:
        sql = f"SELECT name, config, connector FROM {CONNECTORS} WHERE connector_name"
        assert len(run(engine, f"{sql} IN {names}").fetchall()) == 5
        assert len(worker.asked) == 1 + 2 * 5
        worker.asked.clear()
        file = "(VALUES ('mill-3'), ('mill-4'), ('x')) AS wanted (n)"
        rows = run(engine, f"{sql} IN (SELECT n FROM {file})").fetchall()
        assert sorted(name for name, *_ in rows) == ["mill-3", "mill-4"]
        assert len(worker.asked) == 1 + 2 * 2
        worker.asked.clear()
        run(engine, f"{sql} LIKE 'mill-%' AND name IS NOT NULL")
        assert len(worker.asked) == 1 + 2 * 40
        worker.asked.clear()
        assert run(engine, f"SELECT connector FROM {STATUS} LIMIT 3").table.num_rows == 3
    assert len(worker.asked) == 1 + 3


def test_what_is_kept_for_others_is_whole() -> None:
    worker = Worker(names=("a", "b", "c"))
    with plant(worker, server_version="2.1") as engine:
        sql = f"SELECT name, connector.state FROM {CONNECTORS}"
        run(engine, f"{sql} WHERE connector_name IN ('a', 'b')", max_age=60)
        worker.asked.clear()
        assert len(run(engine, sql, max_age=60).fetchall()) == 3
    assert worker.asked == []


def test_a_budget_that_does_not_suffice_is_told_before_the_rows_are_asked_for() -> None:
    worker = Worker(names=tuple("abcdefgh"))
    with plant(worker, server_version="2.1") as engine:
        words = "a request for each of 8 rows, as plant is 2.1, before 2.3"
        with pytest.raises(PlanError, match=words) as caught:
            run(engine, f"SELECT connector FROM {STATUS}", max_requests=7)
        assert worker.asked == ["/connectors"]
        assert "--max-requests 9" in caught.value.hint
        run(engine, f"SELECT connector FROM {STATUS}", max_requests=9)


def test_a_row_that_cannot_be_asked_for_costs_that_row_and_is_told() -> None:
    worker = Worker(names=("mill", "oven", "a/b", "c"))
    worker.failing = {"/connectors/oven/status"}
    with plant(worker, server_version="2.1") as engine:
        with pytest.raises(FetchError):
            run(engine, f"SELECT name, connector FROM {STATUS}")
        result = run(engine, f"SELECT name FROM {STATUS} WHERE connector IS NOT NULL", partial=True)
        errors = run(engine, "SELECT arguments['connector_name'] FROM _errors ORDER BY 1")
    assert sorted(result.fetchall()) == [("c",), ("mill",)]
    assert {type(failed.error) for failed in result.errors} == {NotAsked, Status}
    assert errors.fetchall() == [("a/b",), ("oven",)]


# any definition

PROVIDER = """
provider: depot
description: Depots in many towns
base_url: http://depot.test
errors: [message]
server_version: RULE
"""
SERVICE = """
service: stock
resources:
  crates:
    description: Crates
    params: {town: {description: Town, default: ghent}}
    columns: {id: BIGINT -- Number, weight: BIGINT -- Weight, label: VARCHAR -- Words}
    methods:
      list_2:
        path: /v2/{town}/crates
        query: {full: "yes"}
        rows: {at: crates, item: crate}
        since: "4.0"
        fallback: list_1
        paging: {style: token, request: after, response: next}
      list_1:
        verb: POST
        path: /v1/list
        body: {town: "{town}"}
        rows: {shape: map, at: found}
        columns: {id: no, weight: kilos, label: null}
        standalone: false
        paging: {style: page, request: {body: page}, total_pages: pages}
"""


@contextmanager
def depot(handler: Handler, rule: str, service: str = SERVICE) -> Iterator[Engine]:
    with TemporaryDirectory() as path:
        folder = Path(path) / "depot"
        folder.mkdir()
        (folder / "provider.yaml").write_text(PROVIDER.replace("RULE", rule))
        (folder / "stock.yaml").write_text(service)
        wire = httpx.MockTransport(handler)
        towns = {"towns": {"provider": "depot"}}
        with engine_of(towns, providers=(Path(path),), transport=wire) as engine:
            yield engine


def old_depot(code: int, headers: dict[str, str]) -> Handler:
    """It knows the first list alone, and answers others with that status."""

    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/about":
            return httpx.Response(200, json={"about": {"number": 3}}, headers=headers)
        if request.url.path != "/v1/list":
            body: dict[str, Any] = {"crates": []} if code == 200 else {"message": "what?"}
            return httpx.Response(code, json=body, headers=headers)
        page = json.loads(request.content).get("page", 0)
        listed = {f"k{n}": {"no": n, "kilos": 10 * n} for n in (2 * page, 2 * page + 1)}
        return httpx.Response(200, json={"found": listed, "pages": 3}, headers=headers)

    return handler


@over(
    ("rule", "code", "headers"),
    [
        ("{path: /about, at: about.number}", 400, {}),
        ("{path: /about, at: about.number}", 404, {}),
        ("{path: /about, at: about.number}", 422, {}),
        ("{path: /about, at: {header: X-Depot}}", 501, {"X-Depot": "depot v3.9-x"}),
        ("{path: /about, at: {header: X-Depot}}", 200, {"X-Depot": "depot v3.9-x"}),
    ],
)  # fmt: skip
def test_another_list_stands_in_with_its_own_request_pages_and_places(
    rule: str, code: int, headers: dict[str, str]
) -> None:
    with depot(old_depot(code, headers), rule) as engine:
        rows = run(engine, "SELECT id, weight, town FROM depot.stock.crates ORDER BY id").fetchall()
        assert rows == [(n, 10 * n, "ghent") for n in range(6)]
        with pytest.raises(UnexpectedShape, match=r"label came with version 4\.0, and towns is"):
            run(engine, "SELECT label FROM depot.stock.crates")


def test_an_answer_that_is_known_to_be_a_gateway_s_asks_for_no_version() -> None:
    asked = []

    def gateway(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(404, text="<html>not here</html>")

    rule = "{path: /about, at: about.number}"
    marked = f"{rule}\nerror_mark: depot_says"
    for said, paths in ((marked, ["/v2/ghent/crates"]), (rule, ["/v2/ghent/crates", "/about"])):
        with depot(gateway, said) as engine, pytest.raises(Status) as caught:
            run(engine, "SELECT id FROM depot.stock.crates")
        assert "version" not in str(caught.value)
        assert asked == paths
        asked.clear()


def test_a_connection_that_cannot_be_used_costs_its_rows_alone() -> None:
    connections = {
        "plant": {"provider": "kafka_connect", "base_url": "http://plant.test"},
        "yard": {"provider": "kafka_connect", "base_url": "${NO_SUCH_VARIABLE}"},
    }
    with engine_of(connections, transport=httpx.MockTransport(Worker())) as engine:
        result = run(engine, f"SELECT name, connector.state FROM {STATUS}", partial=True)
    assert result.table.num_rows == 2
    assert [failed.fetch.connection for failed in result.errors] == ["yard"]


@over(
    ("old", "new", "words"),
    [
        ('since: "4.0"', "description: newer", "says nothing: without `since`"),
        ('since: "4.0"', "since: newest", "has no number"),
        ("fallback: list_1", "fallback: list_0", "names `list_0`, which is not another method"),
        ("fallback: list_1", "fallback: [list_1, list_2]", "not another method"),
        ("fallback: list_1", "fallback: list_1\n        fills: {town: t}", "none of them fills"),
        ("standalone: false", 'since: "2"\n        fallback: list_2', "in a circle"),
        ("fallback: list_1", "fallback: list_1\n        order: {id: {ascending: {}}}", "`order`"),
        ("/v1/list", "/v1/{shelf}", "asks for `shelf`"),
    ],
)  # fmt: skip
def test_a_fallback_that_cannot_give_the_rows_is_a_fault(
    old: str, new: str, words: str, tmp_path: Path
) -> None:
    assert words in faults(tmp_path, "{path: /about}", SERVICE.replace(old, new))


@over(
    ("rule", "words"),
    [
        ("null", "provider.yaml does not say how old"), ("{path: about}", "is no path"),
        ("{at: {last_row: v}}", "names no header"), ("{path: /a?x=1}", "is no path"),
    ],
)  # fmt: skip
def test_a_version_that_cannot_be_told_is_a_fault(rule: str, words: str, tmp_path: Path) -> None:
    assert words in faults(tmp_path, rule, SERVICE)
    assert faults(tmp_path, "{path: /about}", SERVICE) == ""


def faults(path: Path, rule: str, service: str) -> str:
    folder = path / "depot"
    folder.mkdir(exist_ok=True)
    (folder / "provider.yaml").write_text(PROVIDER.replace("RULE", rule))
    if "{shelf}" in service:
        service = service.replace("params: {town", "params: {shelf: {default: s}, town")
    (folder / "stock.yaml").write_text(service)
    return "\n".join(problem.message for problem in validate([folder], Library([path])))


@over(
    ("version", "numbers"),
    [
        ("2.3.0", (2, 3)), ("v10.2.1-rc1", (10, 2, 1)), ("Depot 7", (7,)), ("0.0", (0,)),
        ("2024-06-30", (2024, 6, 30)), ("new", ()), ("", ()), ("5.1.0-ccs", (5, 1)),
    ],
)  # fmt: skip
def test_the_numbers_of_a_version(version: str, numbers: tuple[int, ...]) -> None:
    assert numbers_of(version) == numbers


@over(
    ("version", "since", "is_older"),
    [
        ("2.2.9", "2.3", True), ("2.3.0", "2.3", False), ("2.3", "2.3.0", False),
        ("2", "2.3", True),
        ("10.0", "9.9", False), ("new", "2.3", False), ("0.9", "1.0", True),
    ],
)  # fmt: skip
def test_an_older_version_is_told_by_its_numbers(version: str, since: str, is_older: bool) -> None:
    assert is_before(version, since) is is_older
