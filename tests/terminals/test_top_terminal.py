"""`connstat top` as a program: in a real terminal, and where there is none."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from connstat_sql.demo import DemoServers, Fault, World
from tests.benchmarks import topping
from tests.terminal import Terminal

TOP = ("-m", "connstat_sql", "top", "--every", "1h")


@pytest.fixture(scope="module")
def served() -> Iterator[DemoServers]:
    with DemoServers(World.seeded(7, environments=1, clusters=1, connectors=8)) as running:
        yield running


@pytest.fixture
def home(served: DemoServers, tmp_path: Path) -> Path:
    """A folder with a configuration of the two Kafka Connect clusters, one behind a password."""
    text = ""
    for name in ("plant_a", "plant_b"):
        one = served.connections[name]
        text += f'[connections.{name}]\nprovider = "kafka_connect"\n'
        text += f'base_url = "{one["base_url"]}"\n'
        if "password" in one:
            text += f'username = "{one["username"]}"\npassword = "{one["password"]}"\n'
    (tmp_path / "connstat.toml").write_text(text, encoding="utf-8")
    return tmp_path


def terminal(home: Path, *arguments: str, columns: int = 120, **environment: str) -> Terminal:
    around = {"HOME": str(home), **environment}
    return Terminal(*TOP, *arguments, environment=around, folder=home, columns=columns, rows=30)


def test_the_fleet_is_on_the_screen_and_its_keys_work(served: DemoServers, home: Path) -> None:
    with terminal(home) as screen:
        text = screen.wait_for("16 rows", "complete", "UNHEALTHY")
        assert "2 connections" in text
        assert "4 requests" in text
        assert len(screen.colors("UNHEALTHY   ")) >= 1
        served.inject(Fault(api="plant_b", status=403))
        try:
            screen.press("r")
            screen.wait_for("1 unreachable", "PARTIAL", "UNREACHABLE plant_b")
        finally:
            served.heal()
        screen.press("r")
        screen.wait_for("16 rows", "complete")
        screen.type("/plant_b\r")
        screen.wait_for("8 of 16 rows")
        screen.press("s")
        screen.wait_for("FROM inventory.connectors.connectors", "'plant_b'")
        screen.press("q")
        screen.wait_for("8 of 16 rows")
        screen.press("down", "enter")
        screen.wait_for("task 0", "all columns")
        screen.press("q")
        screen.wait_for("8 of 16 rows")
        screen.resize(columns=80, rows=24)
        screen.wait_for("8 of 16 rows", "s SQL")
        screen.press("q")
        assert screen.ended() == 0
    assert b"sandbox-secret" not in screen.written
    assert screen.written.rstrip().endswith(b"\x1b[?25h") or b"\x1b[?1049l" in screen.written


def test_without_colours_the_states_are_words(home: Path) -> None:
    with terminal(home, NO_COLOR="1", columns=80) as screen:
        screen.wait_for("16 rows", "UNHEALTHY", "HEALTHY   ALL")
        assert screen.colors("UNHEALTHY") == {"default"}
        assert screen.colors("complete") == {"default"}
        screen.press("ctrl-c")
        assert screen.ended() == 130


def test_a_predicate_at_fault_ends_it_with_a_message_and_exit_code_1(
    served: DemoServers, home: Path
) -> None:
    served.reset()
    with terminal(home, "--where", "heath = 'UNHEALTHY'") as screen:
        assert screen.ended() == 1
        assert "heath" in screen.text
        assert "No request was sent." in screen.text
    assert served.count() == 0


def test_without_a_terminal_it_says_what_to_do_and_ends_with_2() -> None:
    command = (sys.executable, "-m", "connstat_sql", "top")
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "needs a terminal" in done.stderr
    assert "connstat run" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_on_a_terminal_that_cannot_draw_it_ends_with_2(home: Path) -> None:
    with terminal(home, TERM="dumb") as screen:
        assert screen.ended() == 2
        assert "TERM says" in " ".join(screen.text.split())


def test_the_fleet_of_the_figures_has_200_connectors_a_cluster_and_another_failed_each_time() -> (
    None
):
    with topping.served() as server:
        url = f"{server.url}/connectors?expand=status"
        first, second = (json.load(urllib.request.urlopen(url)) for _ in range(2))
        assert server.seen().requests == 2
    assert len(first) == len(second) == topping.CONNECTORS
    assert first != second
