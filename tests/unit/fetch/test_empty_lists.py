"""A list without rows, or of a server that was down, counts where that says that it is well."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from connstat_sql.definitions.loader import Library, validate
from connstat_sql.engine import Engine
from connstat_sql.errors import FetchError, PlanError, Status
from connstat_sql.planner import as_text
from connstat_sql.result import Options, Result
from tests.conftest import engine_of
from tests.tabled import over

NAMES = "SELECT name FROM kafka_connect.connect.connectors"
STATES = "SELECT name, connector.state FROM kafka_connect.connect.connector_status"
FIRST, SECOND = "http://mill.test", "http://kiln.test/base"
UNKNOWN = {"error_code": 404, "message": "HTTP 404 Not Found"}
BUSY = {"status": "starting", "message": "The worker reads its topics."}
ILL = {"status": "unhealthy", "message": "The worker waits in vain."}
STATE = {"type": "sink", "connector": {"state": "RUNNING", "worker_id": "w"}, "tasks": []}
WELL = {"status": "healthy", "message": "The worker is ready."}


class Worker:
    """A worker that knows its connectors once it has been asked so many times how it is.

    Until then it answers with `health`, and its lists are empty; then it is well.
    """

    def __init__(
        self, names: tuple[str, ...] = (), *, after: int = 1, health: Any = (200, WELL)
    ) -> None:
        self.names, self.after, self.health = names, after, health
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        parts = urlsplit(str(request.url))
        path = parts.path.removeprefix("/base") + (f"?{parts.query}" if parts.query else "")
        self.asked.append(path)
        if path == "/health":
            self.after -= 1
            status, body = self.health if self.after > 0 or self.health[0] != 503 else (200, WELL)
            return httpx.Response(status, json=body)
        names = self.names if self.after <= 0 else ()
        if path.endswith("/topics"):
            name = path.split("/")[2]
            topics = [name] if name in names else []
            return httpx.Response(200, json={name: {"topics": topics}})
        if path.endswith("/status"):
            return self._status(path.split("/")[2], names)
        if not parts.query:
            return httpx.Response(200, json=list(names))
        return httpx.Response(
            200, json={name: {"status": {"name": name, **STATE}} for name in names}
        )

    def _status(self, name: str, names: tuple[str, ...]) -> httpx.Response:
        if name in names:
            return httpx.Response(200, json={"name": name, **STATE})
        message = f"No status found for connector {name}"
        return httpx.Response(404, json={"error_code": 404, "message": message})


class Restarted(Worker):
    """A worker that goes down for some requests, and comes back with its first connector only."""

    def __init__(self, names: tuple[str, ...], *, down: int, health: Any = (503, BUSY)) -> None:
        super().__init__(names, after=2, health=health)
        self.down = down

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.down > 0:
            self.down -= 1
            raise httpx.ConnectError("refused")
        if self.after > 0 and not request.url.path.endswith("/health"):
            whole, self.names, self.after = self.names, self.names[:1], 0
            answer = super().__call__(request)
            self.names, self.after = whole, 2
            return answer
        return super().__call__(request)


@contextmanager
def plant(*workers: Worker) -> Iterator[Engine]:
    hosts = dict(zip(("mill.test", "kiln.test"), workers, strict=False))
    urls = [FIRST, SECOND][: len(workers)]
    connection = {"provider": "kafka_connect", "base_url": urls}
    transport = httpx.MockTransport(lambda request: hosts[request.url.host](request))
    with engine_of({"plant": connection}, transport=transport) as engine:
        yield engine


def run(engine: Engine, sql: str, **options: Any) -> Result:
    (result,) = engine.run(sql, None, Options(**options))
    return result


def test_a_list_with_rows_asks_nothing_more() -> None:
    worker = Worker(("oven",), after=0)
    with plant(worker) as engine:
        assert run(engine, NAMES).fetchall() == [("oven",)]
    assert worker.asked == ["/connectors"]


def test_what_a_worker_did_not_know_yet_is_asked_once_more() -> None:
    worker = Worker(("oven",))
    with plant(worker) as engine:
        result = run(engine, NAMES)
    assert result.fetchall() == [("oven",)]
    assert worker.asked == ["/connectors", "/health", "/connectors"]
    assert result.requests == 3
    assert not result.open_ends


@over(
    "sql, rows",
    [
        (f"{STATES} WHERE connector_name IN ('oven', 'sieve')", [("oven", "RUNNING")]),
        (
            "SELECT connector_name, topics FROM kafka_connect.connect.connector_topics "
            "WHERE connector_name IN ('oven', 'sieve')",
            [("oven", ["oven"])],
        ),
    ],
)
def test_a_row_that_a_worker_did_not_know_yet_is_read_once_more(sql: str, rows: list[Any]) -> None:
    worker = Worker(("oven",))
    with plant(worker) as engine:
        result = run(engine, sql)
        assert result.fetchall() == rows
        assert result.requests == len(worker.asked) == 6
        worker.asked.clear()
        assert run(engine, sql).fetchall() == rows
    assert "/health" not in worker.asked


def test_a_worker_that_is_starting_is_waited_for() -> None:
    worker = Worker(("oven",), after=3, health=(503, BUSY))
    with plant(worker) as engine:
        assert run(engine, NAMES).fetchall() == [("oven",)]
    assert worker.asked == ["/connectors", *["/health"] * 3, "/connectors"]


@over(
    ("status", "body"),
    [(503, BUSY), (500, ILL), (401, {"error_code": 401, "message": "Who asks?"}), (302, {})],
)
def test_an_empty_list_of_a_worker_that_is_not_well_is_an_error(status: int, body: Any) -> None:
    worker = Worker(("oven",), after=99, health=(status, body))
    with plant(worker) as engine:
        with pytest.raises(FetchError) as caught:
            run(engine, NAMES)
        partial = run(engine, NAMES, partial=True)
    says = f"its list does not count yet: to GET /health plant answered {status}"
    assert caught.value.message.startswith(says)
    assert body.get("message", "") in caught.value.message
    assert caught.value.status == status
    assert not partial.complete
    assert partial.fetchall() == []
    assert partial.requests == 1


def test_a_worker_is_asked_once_in_a_statement() -> None:
    worker = Worker()
    with plant(worker) as engine:
        result = run(engine, f"SELECT count(*) FROM ({NAMES}) AS a, ({STATES}) AS b")
        assert result.fetchall() == [(0,)]
        assert worker.asked.count("/health") == 1
        assert len(worker.asked) == result.requests
        run(engine, NAMES)
    assert worker.asked.count("/health") == 2


def test_the_budget_counts_what_confirms() -> None:
    worker = Worker()
    with plant(worker) as engine:
        with pytest.raises(PlanError, match="budget of 2 requests is used up"):
            run(engine, NAMES, max_requests=2)
        assert worker.asked == ["/connectors", "/health"]
        assert run(engine, NAMES, max_requests=3).complete


@over("sql, path", [(NAMES, "/connectors"), (STATES, "/connectors?expand=status")])
def test_a_worker_that_knows_no_such_question_is_taken_at_its_word(sql: str, path: str) -> None:
    """Workers before 3.9 cannot tell; a note says so, as most of their empty lists are true."""
    worker = Worker(after=99, health=(404, UNKNOWN))
    with plant(worker) as engine:
        result = run(engine, sql)
    assert result.fetchall() == []
    assert result.complete
    assert "does not know GET /health (404), which tells whether it is" in result.open_ends[0]
    assert worker.asked[:2] == [path, "/health"]
    assert worker.asked.count("/health") == 1


def test_words_of_somebody_before_the_worker_tell_nothing_of_its_age() -> None:
    worker = Worker(after=99, health=(404, {"detail": "no route"}))
    with plant(worker) as engine, pytest.raises(Status, match="its list does not count yet"):
        run(engine, NAMES)


@over("health", [(503, BUSY), (500, ILL)])
def test_another_worker_is_asked_in_place_of_one_that_is_not_well(health: Any) -> None:
    starting = Worker(("oven", "mill"), after=99, health=health)
    well = Worker(("oven", "mill"), after=0)
    with plant(starting, well) as engine:
        assert run(engine, NAMES).fetchall() == [("oven",), ("mill",)]
    assert starting.asked == ["/connectors", "/health"]
    assert well.asked == ["/health", "/connectors"]


def test_the_worker_that_has_no_rows_is_asked_how_it_is() -> None:
    bare, other = Worker(), Worker(("oven",), after=0)
    with plant(bare, other) as engine:
        assert run(engine, NAMES).fetchall() == []
    assert bare.asked == ["/connectors", "/health", "/connectors"]
    assert other.asked == []


@over("sql, lists", [(NAMES, 1), (STATES, 2)])
def test_a_list_of_a_worker_that_was_down_counts_once_it_is_well(sql: str, lists: int) -> None:
    """It is back before it has read all its connectors: its first list has some of them."""
    worker = Restarted(("oven", "mill", "sieve"), down=2)
    with plant(worker) as engine:
        result = run(engine, sql)
        assert len(result.fetchall()) == 3
        assert result.requests == 2 + lists
        assert [path.split("?")[0] for path in worker.asked] == [
            "/connectors", "/health", "/health", *["/connectors"] * lists,
        ]  # fmt: skip
        worker.asked.clear()
        assert len(run(engine, sql).fetchall()) == 3
    assert "/health" not in worker.asked


def test_a_worker_known_to_be_down_is_asked_how_it_is_before_its_list() -> None:
    worker = Restarted(("oven", "mill"), down=4)
    with plant(worker) as engine:
        with pytest.raises(FetchError, match="refused"):
            run(engine, NAMES)
        assert run(engine, NAMES).fetchall() == [("oven",), ("mill",)]
    assert worker.asked == ["/health", "/health", "/connectors"]


def test_a_row_read_by_key_of_a_worker_that_was_down_is_held_against_its_whole_list() -> None:
    worker = Restarted(("oven", "mill"), down=1)
    with plant(worker) as engine:
        rows = run(engine, f"{STATES} WHERE connector_name = 'mill'").fetchall()
    assert rows == [("mill", "RUNNING")]


def test_an_old_worker_that_was_down_is_taken_at_its_word_with_a_note() -> None:
    worker = Restarted(("oven", "mill"), down=1, health=(404, UNKNOWN))
    with plant(worker) as engine:
        result = run(engine, NAMES)
        assert result.fetchall() == [("oven",)]
        assert (
            "a list of a server that had failed before, and plant does not know"
            in (result.open_ends[0])
        )


def test_explain_tells_what_a_list_without_rows_asks() -> None:
    with plant(Worker()) as engine:
        plan = engine.explain(NAMES)
        assert plan is not None
        (result,) = engine.run(f"EXPLAIN ANALYZE {NAMES}", None, Options())
        said = "\n".join(str(row) for row in result.fetchall())
    assert "a list in doubt asks GET /health, and once more" in as_text(plan)
    assert "requests: 1 of" in as_text(plan)
    assert "3 requests" in said
    assert "2 of them to see whether a list is whole" in said


PROVIDER = "provider: yard\ndescription: Sheds\nsettings: {base_url: {}}\nauth: [none: {}]\n"
SERVICE = """service: v1
description: Sheds
paging: null
params: {{yard: {{description: Which yard}}}}
resources:
  sheds:
    description: Sheds of a yard
    columns: {{name: VARCHAR -- Name}}
    methods:
      list: {{path: "/yards/{{yard}}/sheds", rows: {rows}, confirm_empty: "{path}"}}
"""


def written(folder: Path, path: str, rows: str = "items") -> Path:
    (folder / "yard").mkdir()
    (folder / "yard" / "provider.yaml").write_text(PROVIDER)
    (folder / "yard" / "v1.yaml").write_text(SERVICE.format(path=path, rows=rows))
    return folder


def test_the_path_may_hold_what_the_list_is_asked_with(tmp_path: Path) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url).removeprefix(FIRST))
        return httpx.Response(200, json={"items": [], "yard": "up"})

    connection = {"plant": {"provider": "yard", "base_url": FIRST}}
    folders = (written(tmp_path, "/yards/{yard}/ready"),)
    with engine_of(connection, providers=folders, transport=httpx.MockTransport(answer)) as engine:
        run(engine, "SELECT name FROM yard.v1.sheds WHERE yard = 'a/b'")
    assert asked == ["/yards/a%2Fb/sheds", "/yards/a%2Fb/ready", "/yards/a%2Fb/sheds"]


def test_a_place_in_which_the_word_says_nothing_is_told(tmp_path: Path) -> None:
    faults = {
        "health": "is no path of an API",
        "/health?deep=1": "is no path of an API",
        "/health/{site}": "names `site`, which is not a parameter that `list` asks for",
    }
    for number, (path, words) in enumerate(faults.items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        problems = validate([written(folder, path) / "yard"], Library([folder]))
        assert any(words in str(problem) for problem in problems), (path, problems)
    folder = tmp_path / "single"
    folder.mkdir()
    problems = validate([written(folder, "/health", "{shape: object}") / "yard"], Library([folder]))
    assert any("a single row is no list" in str(problem) for problem in problems), problems
