"""`connstat top` over 50 clusters of 200 connectors, in a real terminal: requests and CPU time.

`python -m tests.benchmarks.topping` serves the clusters until it is ended.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.serving import JSON_HEAD, Served, Server, _encoded, _Exchange
from tests.terminal import Terminal

CLUSTERS = 50
CONNECTORS = 200
EVERY = 5
WATCHED = 20.0
"""Seconds for which the CPU time of the process is counted."""
_TRACE = "\n".join(
    (
        "org.apache.kafka.connect.errors.ConnectException: the task is gone",
        *(f"\tat org.example.connect.Task.run(Task.java:{line})" for line in range(30)),
        "Caused by: java.net.SocketTimeoutException: no answer from db-{}.internal",
    )
)


@dataclass(frozen=True, slots=True)
class Figures:
    """What watching a fleet costs; CPU in seconds of the process's own time.

    `first` are the seconds until the first rows stand on the screen. `requests` are those of one
    refresh, `watching` the CPU of a second with refreshes, `idle` of one without, `refresh` the
    CPU of one refresh.
    """

    first: float
    requests: float
    watching: float
    idle: float
    refresh: float


class _Clusters(Server):
    """Answers each list of connectors; in each answer another one has failed."""

    _asked = 0

    def _answer(self, path: str, exchange: _Exchange) -> None:  # noqa: ARG002 - each the same
        self._asked += 1
        body = listed(self._asked % CONNECTORS)
        exchange.transport.write(JSON_HEAD % (len(body), body))
        self._seen.last = time.monotonic()


_cache: dict[int, bytes] = {}


def listed(failed: int) -> bytes:
    """The states of a cluster's connectors; one in twenty fails always, and the one told too."""
    if failed not in _cache:
        _cache[failed] = _encoded(
            {
                f"orders-{number:03d}": {
                    "status": _status(number, number % 20 == 0 or number == failed)
                }
                for number in range(CONNECTORS)
            }
        )
    return _cache[failed]


def _status(number: int, has_failed: bool) -> dict[str, object]:
    tasks: list[dict[str, object]] = [
        {"id": task, "state": "RUNNING", "worker_id": "10.0.0.7:8083"} for task in range(2)
    ]
    if has_failed:
        tasks[0] |= {"state": "FAILED", "trace": _TRACE.format(number % 7)}
    connector = {"state": "RUNNING", "worker_id": "10.0.0.7:8083"}
    return {
        "name": f"orders-{number:03d}",
        "connector": connector,
        "tasks": tasks,
        "type": "sink",
    }


@contextmanager
def served() -> Iterator[Served]:
    """The clusters, in a process of their own."""
    command = (sys.executable, "-m", "tests.benchmarks.topping")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield Served(int(process.stdout.readline()))
        finally:
            process.terminate()


def watched(server: Served, *, clusters: int = CLUSTERS, seconds: float = WATCHED) -> Figures:
    """Watch the clusters for so many seconds, and then the same time without a refresh."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "connstat.toml").write_text(_config(server, clusters), encoding="utf-8")
        command = ("-m", "connstat_sql", "top", "--every", f"{EVERY}s")
        began = time.monotonic()
        with Terminal(
            *command, environment={"HOME": folder}, folder=Path(folder), columns=120, rows=40
        ) as terminal:
            terminal.wait_for(f"{clusters * CONNECTORS:,} rows", "complete")
            first = time.monotonic() - began
            _pass(terminal, EVERY)
            server.seen()
            watching = _cpu(terminal, seconds)
            requests = server.seen().requests
            terminal.press("p")
            terminal.wait_for("paused")
            terminal.wait_until(lambda: "refreshing" not in terminal.text)
            idle = _cpu(terminal, seconds)
            terminal.press("q")
            terminal.ended()
    refreshes = requests / clusters
    return Figures(
        first=first,
        requests=requests / max(1, round(refreshes)),
        watching=watching / seconds,
        idle=idle / seconds,
        refresh=(watching - idle) / max(1.0, refreshes),
    )


def _config(server: Served, clusters: int) -> str:
    return "\n".join(
        f'[connections.c{number:02d}]\nprovider = "kafka_connect"\nbase_url = "{server.url}"\n'
        for number in range(clusters)
    )


def _cpu(terminal: Terminal, seconds: float) -> float:
    """The CPU seconds that the program uses in so many seconds."""
    before = _ticks(terminal.pid)
    _pass(terminal, seconds)
    return (_ticks(terminal.pid) - before) / os.sysconf("SC_CLK_TCK")


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _pass(terminal: Terminal, seconds: float) -> None:
    """Let time go by; what the program draws is taken in."""
    end = time.monotonic() + seconds
    terminal.wait_until(lambda: time.monotonic() >= end, seconds=seconds + 10)


if __name__ == "__main__":
    asyncio.run(_Clusters(0.0).run(1))
