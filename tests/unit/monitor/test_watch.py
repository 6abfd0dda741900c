"""`connstat watch`: days pass in no time, servers come and go, and each change is told once."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any, cast

import click
import httpx
import pytest
from click.testing import CliRunner, Result

from connstat_sql.cli import root
from connstat_sql.cli.watch import Watching
from connstat_sql.demo import DemoServers, Fault
from connstat_sql.engine import Engine
from connstat_sql.errors import ConnectionFailed, ConnstatError, DeadlinePassed, QueryError
from connstat_sql.output.stderr import Narrator
from connstat_sql.saved import Prepared, SavedQuery
from tests.conftest import engine_of
from tests.fakes.watched import FastPace

STATES = """SELECT _connection, name, connector.state AS state
    FROM kafka_connect.connect.connectors ORDER BY ALL"""
DAY = 86400.0
DEFAULTS: Mapping[str, Any] = {
    "every": DAY, "format_": "jsonl", "start": "hide", "ignore": (), "state": None,
    "key": ("_connection", "name"), "max_requests": 100, "strict": False, "deadline": None,
    "max_age": 0.0,
}  # fmt: skip


class Fleet:
    """Kafka Connect workers: the states of their connectors, or None for one that is down."""

    def __init__(self, **workers: Mapping[str, str] | None) -> None:
        self.workers: dict[str, Mapping[str, str] | None] = dict(workers)
        self.requests = 0

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        connectors = self.workers[request.url.host]
        if connectors is None:
            raise httpx.ConnectError("connection refused")
        if "expand" not in request.url.params:
            return httpx.Response(200, json=[*connectors])
        return httpx.Response(
            200, json={name: _status(name, of) for name, of in connectors.items()}
        )

    @property
    def connections(self) -> dict[str, dict[str, str]]:
        return {
            name: {"provider": "kafka_connect", "base_url": f"http://{name}:8083"}
            for name in self.workers
        }


def _status(name: str, state: str) -> dict[str, Any]:
    connector = {"state": state, "worker_id": "w:1"}
    status = {"name": name, "connector": connector, "tasks": [], "type": "sink"}
    return {"status": status, "info": {"name": name, "config": {}, "tasks": [], "type": "sink"}}


class Seen:
    """What was written where, by one watch."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.err = StringIO()

    @property
    def events(self) -> list[tuple[str, str, str]]:
        """When (in days), what, and of which row."""
        found = [json.loads(line) for line in self.lines]
        return [
            (one["at"][8:10], one["change"], "/".join(map(str, one["key"].values())))
            for one in found
        ]


def watch(
    fleet: Fleet, days: int, then: Callable[[float], None], sql: str = STATES, **options: Any
) -> Seen:
    """Watch a fleet once a day; `then` is told of each morning, in days."""
    given = {**DEFAULTS, "count": days, **options}
    seen, pace = Seen(), FastPace(lambda seconds: then(seconds / DAY))
    query = SavedQuery("states", "", sql, Path("states.sql"))
    transport = httpx.MockTransport(fleet.answer)
    with engine_of(fleet.connections, transport=transport) as engine:
        watching = Watching(
            engine, Narrator(seen.err), query, Prepared(sql, {}), given, pace, seen.lines.append
        )
        for one in watching.seen():
            watching.tell(one)
    return seen


def test_a_week_in_the_life_of_a_fleet() -> None:
    fleet = Fleet(plant_a={"orders": "RUNNING"}, plant_b={"bills": "RUNNING", "old": "PAUSED"})
    week: dict[float, dict[str, Mapping[str, str] | None]] = {
        1: {"plant_a": {"orders": "FAILED"}},
        2: {"plant_b": None},
        4: {"plant_b": {"bills": "RUNNING"}, "plant_a": {"orders": "FAILED", "new": "RUNNING"}},
    }
    seen = watch(fleet, 7, lambda day: fleet.workers.update(week.get(day, {})))
    assert seen.events == [
        ("16", "changed", "plant_a/orders"),
        ("17", "unreachable", "plant_b"),
        ("19", "reachable", "plant_b"),
        ("19", "appeared", "plant_a/new"),
        ("19", "gone", "plant_b/old"),
    ]
    assert seen.err.getvalue().count("partial result") == 1
    assert "watching states every 1d: 3 rows now" in seen.err.getvalue()


def test_a_fleet_of_which_nobody_answers_keeps_its_rows() -> None:
    fleet = Fleet(plant_a={"orders": "RUNNING"})
    up = fleet.workers["plant_a"]
    seen = watch(fleet, 4, lambda day: fleet.workers.update(plant_a=None if day < 3 else up))
    assert seen.events == [("16", "unreachable", "plant_a"), ("18", "reachable", "plant_a")]


def test_rows_that_depend_on_all_connections_wait_for_all_and_it_is_said() -> None:
    sql = "SELECT type, count(*) FROM kafka_connect.connect.connectors GROUP BY 1"
    fleet = Fleet(plant_a={"orders": "RUNNING"}, plant_b={"bills": "RUNNING"})
    up = fleet.workers["plant_b"]

    def then(day: float) -> None:
        fleet.workers["plant_b"] = None if day < 2 else up

    seen = watch(fleet, 4, then, sql, key=("type",))
    assert [event[1] for event in seen.events] == ["unreachable", "reachable"]
    assert "nothing is said of any until all answer" in seen.err.getvalue()


def test_the_first_rows_are_present_when_asked_for() -> None:
    fleet = Fleet(plant_a={"orders": "RUNNING"})
    seen = watch(fleet, 2, lambda _: None, start="show")
    assert seen.events == [("15", "present", "plant_a/orders")]


def test_a_key_that_tells_nothing_apart_is_named() -> None:
    fleet = Fleet(plant_a={"orders": "RUNNING"}, plant_b={"orders": "RUNNING"})
    seen = watch(fleet, 3, lambda _: None, key=("name",))
    assert seen.err.getvalue().count('several rows have the key {"name":"orders"}') == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"key": ("nam",)}, "the key column nam is not among"),
        ({"state": "stat"}, "the state column stat is not among"),
        ({"key": (), "state": "state"}, "says nothing without a key"),
        ({"max_requests": 0}, "the budget is 0"),
    ],
)
def test_a_fault_of_the_query_ends_it_before_the_first_request(
    options: dict[str, Any], words: str
) -> None:
    fleet = Fleet(plant_a={"orders": "RUNNING"})
    with pytest.raises(QueryError, match=words):
        watch(fleet, 3, lambda _: None, **options)
    assert fleet.requests == 0


def test_a_statement_that_has_no_rows_cannot_be_watched() -> None:
    with pytest.raises(QueryError, match="there are no rows to watch"):
        watch(Fleet(), 1, lambda _: None, "SET threads = 1", key=())


class Flaky:
    """An engine that gives up now and then, as it does when nobody can say which request failed."""

    def __init__(self, engine: Engine, *errors: ConnstatError | None) -> None:
        self._engine, self._errors = engine, list(errors)
        self.session, self.interrupt = engine.session, engine.interrupt

    def run(self, sql: str, *more: Any) -> Iterator[Any]:
        error = None if sql.startswith("DESCRIBE") else self._errors.pop(0)
        if error is not None:
            raise error
        return self._engine.run(sql, *more)


def test_a_run_that_fails_is_told_once_and_the_watch_goes_on() -> None:
    refused = ConnectionFailed("plant_a refused", connection="plant_a")
    late = DeadlinePassed("the deadline of 5 s passed")
    err, lines, query = StringIO(), list[str](), SavedQuery("one", "", "SELECT 1 AS n", Path("one"))
    given = {**DEFAULTS, "count": 5, "key": (), "format_": "text"}
    with engine_of({}) as engine:
        flaky = cast(Engine, Flaky(engine, refused, refused, None, late, None))
        prepared = Prepared(query.sql, {})
        watching = Watching(flaky, Narrator(err), query, prepared, given, FastPace(), lines.append)
        for seen in watching.seen():
            watching.tell(seen)
    told = [" ".join(line.split()[1:3]) for line in lines]
    assert told == ["unreachable plant_a", "reachable plant_a"]
    assert err.getvalue().count("plant_a refused") == 1
    assert "the deadline of 5 s passed" in err.getvalue()


# --- the command itself ---------------------------------------------------------------------------


@pytest.fixture
def config(sandbox: DemoServers, tmp_path: Path) -> Path:
    path = tmp_path / "connstat.toml"
    lines = []
    for name, table in sandbox.connections.items():
        lines.append(f"[connections.{name}]")
        lines += [f"{key} = {json.dumps(value)}" for key, value in table.items()]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def run(config: Path, *arguments: str) -> Result:
    return CliRunner(env={"NO_COLOR": "1"}).invoke(
        root, ["--config", str(config), "--providers", str(config.parent), "watch", *arguments]
    )


def test_a_saved_query_is_watched_by_its_own_key(config: Path) -> None:
    folder = config.parent / "queries"
    folder.mkdir()
    (folder / "states.sql").write_text(
        "-- title: States\n-- key: [_connection, name]\n-- state: state\n"
        "-- params:\n--   like: {default: '%'}\n"
        "SELECT _connection, name, connector.state FROM plant_a.connect.connectors\n"
        "WHERE name LIKE $like ORDER BY name\n"
    )
    answer = run(config, "states", "like=catalog%", "--count", "1", "--once-at-start", "show")
    assert answer.exit_code == 0, answer.stderr
    (line,) = answer.stdout.splitlines()
    assert line.endswith("present      _connection=plant_a name=catalog-jdbc-sink state=PAUSED")
    assert "watching states every 1m: 1 row now" in answer.stderr


def test_sql_is_watched_with_values(config: Path) -> None:
    sql = "SELECT $a::INTEGER AS n, $b AS t"
    options = ("--every", "1ms", "--count", "3", "-F", "jsonl", "--once-at-start", "show")
    answer = run(config, "a=7", "b=x=y", "--sql", sql, *options)
    assert json.loads(answer.stdout)["row"] == {"n": 7, "t": "x=y"}


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["x", "--every", "soon"], 2, "'soon' is no duration: write it like 60s"),
        ([], 2, "give the NAME of a saved query, --sql or -f FILE"),
        (["--sql", "SELECT 1", "a"], 2, "a parameter is given as NAME=VALUE, not 'a'"),
        (["--sql", "SELECT 1", "-f", "x"], 2, "give the SQL, or -f FILE"),
        (["no-such-query"], 2, "there is no saved query no-such-query"),
        (["--sql", "SELEC 1", "--count", "1"], 1, "syntax error"),
        (["--sql", "SELECT 1 AS a", "--key", "b", "--count", "1"], 1, "It has: a"),
    ],
)
def test_mistakes_end_with_a_code_and_a_next_step(
    config: Path, arguments: list[str], code: int, words: str
) -> None:
    answer = run(config, *arguments)
    assert (answer.exit_code, answer.stdout) == (code, "")
    assert words in answer.stderr


def test_without_a_stdout_there_is_nothing_to_watch_for() -> None:
    with redirect_stdout(None), pytest.raises(click.ClickException, match="stdout is closed"):
        root.main(
            ["watch", "--sql", "SELECT 1", "--once-at-start", "show"], "x", standalone_mode=False
        )


def started(*arguments: str, config: Sequence[str] = ()) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "connstat_sql", *config, "watch", "--once-at-start", "show"]
    return subprocess.Popen(
        [*command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.fixture
def ended() -> Iterator[Callable[..., tuple[subprocess.Popen[str], str]]]:
    """Starts a watch and waits for its first line; nothing of it is left behind."""
    running: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> tuple[subprocess.Popen[str], str]:
        running.append(started(*arguments))
        assert running[-1].stdout is not None
        return running[-1], running[-1].stdout.readline()

    yield start
    for one in running:
        one.kill()
        one.communicate()


def test_ctrl_c_in_the_middle_of_a_wait_ends_with_130(
    ended: Callable[..., tuple[subprocess.Popen[str], str]],
) -> None:
    process, line = ended("--sql", "SELECT 1 AS n", "--every", "1d")
    assert line.endswith("present      n=1\n")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    assert err.splitlines()[-1] == "interrupted"


def test_ctrl_c_in_the_middle_of_a_run_ends_with_130(sandbox: DemoServers, config: Path) -> None:
    sandbox.inject(Fault(api="plant_a", delay=120.0))
    sql = "SELECT name FROM plant_a.connect.connectors"
    process = started("--sql", sql, config=("--config", str(config)))
    try:
        while sandbox.count() == 0:
            assert process.poll() is None
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
    assert (process.returncode, out, err) == (130, "", "interrupted\n")


def test_a_reader_that_has_gone_ends_it_quietly(
    ended: Callable[..., tuple[subprocess.Popen[str], str]],
) -> None:
    process, _ = ended("--sql", "SELECT random() AS n", "--every", "1ms")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.wait(timeout=30) == 0
    assert "rror" not in process.stderr.read()
