"""One list and 2,000 dependent reads: ours against curl and jq, and against bare aiohttp."""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp

from connstat_sql.bootstrap import Setup, open_engine
from connstat_sql.engine import Engine, EngineOptions
from connstat_sql.result import Options
from tests.benchmarks.asking import MAX_REQUESTS, PROVIDERS
from tests.benchmarks.serving import Served, name_of

AT_ONCE = 64
SQL = """
SELECT s.name, s.connector.state AS state FROM canned.things.names n
JOIN canned.things.statuses s ON s.thing = n.name
"""
FILTER = "{name, state: .connector.state}"


def urls(server: Served, count: int) -> list[str]:
    """The address of each thing's status."""
    return [f"{server.url}/names/{name_of(number)}/status" for number in range(count)]


# --- from the shell ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Run:
    """One process, in seconds: in all, to its first request, and from its last answer to its end.

    `cpu` are its seconds of all cores, `rows` the lines it printed.
    """

    seconds: float
    before: float
    after: float
    cpu: float
    rows: int


class Shell:
    """Runs both from the shell, over files in a folder of their own."""

    def __init__(self, folder: Path, server: Served, count: int) -> None:
        """`count` things, as many as the server has."""
        self._server = server
        self._environment = compiled_once(folder)
        (folder / "connstat.toml").write_text(
            f'[connections.canned]\nprovider = "canned"\nbase_url = "{server.url}"\n'
            f"max_concurrency = {AT_ONCE}\n",
            "utf-8",
        )
        lines = "".join(f'url = "{url}"\n' for url in urls(server, count))
        (folder / "curl.txt").write_text(lines, "utf-8")
        self._ours = (
            *(sys.executable, "-m", "connstat_sql", "--config", str(folder / "connstat.toml")),
            *("--providers", str(PROVIDERS), "query", "-F", "jsonl"),
            *("--max-requests", str(MAX_REQUESTS)),
        )
        curl = f"curl -sZ --parallel-max {AT_ONCE} -K '{folder / 'curl.txt'}'"
        self._curl = ("sh", "-c", f"{curl} | jq -c '{FILTER}'")

    def ours(self, sql: str = SQL) -> Run:
        """`connstat query`."""
        return self._run((*self._ours, sql))

    def curl(self) -> Run:
        """`curl | jq`, which has the addresses from a file."""
        return self._run(self._curl)

    def _run(self, command: Sequence[str]) -> Run:
        self._server.seen()
        started, cpu = time.monotonic(), _cpu_of_children()
        done = subprocess.run(command, env=self._environment, capture_output=True, check=False)
        ended, cpu = time.monotonic(), _cpu_of_children() - cpu
        if done.returncode != 0:
            raise SystemExit(done.stderr.decode())
        seen = self._server.seen()
        before, after = (seen.first - started, ended - seen.last) if seen.requests else (0.0, 0.0)
        return Run(ended - started, before, after, cpu, done.stdout.count(b"\n"))


def _cpu_of_children() -> float:
    """Seconds of the CPU that processes have used which have ended; the server has not."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def compiled_once(folder: Path) -> Mapping[str, str]:
    """An environment in which Python keeps what it compiles, as it does where we are installed."""
    kept = {key: text for key, text in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": str(folder / "compiled")}


def missing_tools() -> list[str]:
    """What the comparison needs and this machine lacks."""
    return [tool for tool in ("curl", "jq") if shutil.which(tool) is None]


@contextmanager
def shell(server: Served, count: int) -> Iterator[Shell]:
    """Both of them; the first run of ours has to compile everything."""
    with TemporaryDirectory() as folder:
        yield Shell(Path(folder), server, count)


# --- in one process ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pace:
    """How many requests were answered, in how many seconds on the wall and of the CPU."""

    requests: int
    seconds: float
    cpu: float


@contextmanager
def engine(server: Served) -> Iterator[Engine]:
    """An engine that has fetched already."""
    connection = {"provider": "canned", "base_url": server.url, "max_concurrency": AT_ONCE}
    setup = Setup(connections={"canned": connection}, providers=(PROVIDERS,))
    opened = open_engine(setup, EngineOptions(environment={}))
    try:
        list(opened.run("SELECT * FROM canned.things.names"))
        yield opened
    finally:
        opened.close()


def ours(opened: Engine) -> Pace:
    """The whole statement, from its text to an Arrow table."""
    started, cpu = time.perf_counter(), time.process_time()
    [result] = opened.run(SQL, options=Options(max_requests=MAX_REQUESTS))
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    return Pace(result.requests, seconds, cpu)


def bare(addresses: Sequence[str]) -> Pace:
    """The same reads by aiohttp alone, whose answers nobody reads."""
    return asyncio.run(_bare(addresses))


async def _bare(addresses: Sequence[str]) -> Pace:
    waiting = iter(addresses)

    async def work(session: aiohttp.ClientSession) -> None:
        for address in waiting:
            async with session.get(address) as response:
                await response.read()

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=AT_ONCE)) as session:
        started, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*(work(session) for _ in range(AT_ONCE)))
        return Pace(len(addresses), time.perf_counter() - started, time.process_time() - cpu)
