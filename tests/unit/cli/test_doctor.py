"""`connstat doctor`: every connection is tested, side by side, and each fault has a next step."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from connstat_sql.cli import root
from connstat_sql.demo import DemoServers, Fault
from tests.unit.cli.test_cli import toml_of

MANY = 6


@pytest.fixture
def meeting() -> Iterator[str]:
    """A Kafka Connect that answers nobody until as many as there are connections have asked."""
    barrier = threading.Barrier(MANY)

    class Worker(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            barrier.wait(60)
            body = b'{"version": "4.1.0", "commit": "c", "kafka_cluster_id": "k"}'
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Worker)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def doctor(
    folder: Path,
    connections: Mapping[str, Mapping[str, object]],
    *more: str,
    cache: Path | None = None,
) -> Result:
    lines = [] if cache is None else ["[cache]", f"file = {json.dumps(str(cache))}"]
    lines.append(toml_of(connections))
    config = folder / "connstat.toml"
    config.write_text("\n".join(lines), encoding="utf-8")
    return CliRunner().invoke(root, ["--config", str(config), "doctor", *more])


def of_plant(url: str, **more: object) -> Mapping[str, object]:
    return {"provider": "kafka_connect", "base_url": url, **more}


def lines_on(answer: Result, name: str) -> list[str]:
    """What is said of one connection: its line, and those below: what was asked, what to do."""
    lines = answer.stdout.splitlines()
    place = next(n for n, line in enumerate(lines) if line.startswith(f"{name}  "))
    return [line for line in lines[place : place + 3] if line.startswith((f"{name}  ", " "))]


def test_all_connections_are_asked_at_the_same_time(meeting: str, tmp_path: Path) -> None:
    answer = doctor(
        tmp_path, {f"plant_{n}": of_plant(meeting) for n in range(MANY)}, "--timeout", "30"
    )
    assert answer.exit_code == 0, answer.output
    for n in range(MANY):
        assert " ms a request, 1 row in kafka_connect.connect.worker" in answer.stdout
        assert lines_on(answer, f"plant_{n}")[0].startswith(f"plant_{n}  ok  ")


def test_every_provider_of_the_sandbox_is_well(sandbox: DemoServers, tmp_path: Path) -> None:
    answer = doctor(tmp_path, sandbox.connections)
    assert answer.exit_code == 0, answer.output
    for name in sandbox.connections:
        assert f"{name}  ok  " in answer.stdout or f"{name}  not tested" in answer.stdout
    assert answer.stderr == ""


def test_one_that_is_down_costs_its_own_time_out_and_no_other_s(
    sandbox: DemoServers, tmp_path: Path
) -> None:
    sandbox.inject(Fault(api="plant_b", delay=30.0))
    answer = doctor(tmp_path, sandbox.connections, "--timeout", "0.5")
    assert answer.exit_code == 3
    assert lines_on(answer, "plant_b") == [
        "plant_b  FAILED  plant_b did not answer: no answer within 0.5 s",
        f"         GET {sandbox.connections['plant_b']['base_url']}/",
        "         do: check base_url of the connection plant_b and the network, "
        "and that the server runs",
    ]
    assert sandbox.count("plant_b") == 1
    assert lines_on(answer, "plant_a")[0].startswith("plant_a  ok  ")


def test_one_that_cannot_be_asked_does_not_hold_up_the_others(
    sandbox: DemoServers, tmp_path: Path
) -> None:
    locked = of_plant("http://127.0.0.1:9", username="me", password="${NOT_SET_ANYWHERE}")
    answer = doctor(tmp_path, {"locked": locked, "plant_a": sandbox.connections["plant_a"]})
    assert answer.exit_code == 2
    assert "NOT_SET_ANYWHERE" in lines_on(answer, "locked")[0]
    assert lines_on(answer, "plant_a")[0].startswith("plant_a  ok  ")


@pytest.mark.parametrize(
    ("fault", "says", "todo"),
    [
        (Fault(status=401), "answered 401", "check the credentials"),
        (Fault(status=302), "answered 302", "check base_url of the connection"),
    ],
)
def test_each_fault_has_its_next_step(
    sandbox: DemoServers, tmp_path: Path, fault: Fault, says: str, todo: str
) -> None:
    sandbox.inject(fault)
    answer = doctor(tmp_path, {"plant_a": sandbox.connections["plant_a"]})
    assert answer.exit_code == 3
    line, request, step = lines_on(answer, "plant_a")
    assert request.strip() == f"GET {sandbox.connections['plant_a']['base_url']}/"
    assert line.startswith("plant_a  FAILED  ")
    assert says in line
    assert step.strip().startswith("do: ")
    assert todo in step


def test_one_that_breaks_off_and_one_that_is_not_there_have_theirs(
    sandbox: DemoServers, tmp_path: Path
) -> None:
    sandbox.inject(Fault(reset=True))
    plants = {"plant_a": sandbox.connections["plant_a"], "gone": of_plant("http://127.0.0.1:9")}
    answer = doctor(tmp_path, plants)
    assert answer.exit_code == 3
    for name, says in (("plant_a", "did not answer"), ("gone", "the connection was refused")):
        line, request, step = lines_on(answer, name)
        assert line.startswith(f"{name}  FAILED  {name} did not answer")
        assert says in line
        assert request.strip() == f"GET {plants[name]['base_url']}/"
        assert step.strip().startswith("do: check base_url")


def test_what_was_kept_from_before_is_no_test(sandbox: DemoServers, tmp_path: Path) -> None:
    aged = {**sandbox.connections["plant_a"], "max_age": 3600}
    file = tmp_path / "rows.duckdb"
    for runs in (1, 2):
        answer = doctor(tmp_path, {"plant_a": aged}, cache=file)
        assert answer.exit_code == 0, answer.output
        assert sandbox.count("plant_a") == runs


def test_without_a_connection_it_says_how_to_make_one(tmp_path: Path) -> None:
    answer = doctor(tmp_path, {})
    assert answer.exit_code == 2
    assert "kafka_connect  no connection: set KAFKA_CONNECT_URL" in answer.stdout
