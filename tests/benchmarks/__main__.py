"""Run the benchmarks: medians of several runs, each figure beside its goal."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from connstat_sql.engine import Outside
from connstat_sql.opening import Setup, open_engine
from connstat_sql.sandbox import Sandbox, World
from tests.benchmarks import planning as plans
from tests.benchmarks import walking
from tests.benchmarks.rows import ROWS

RUNS = 5
IMPORTS = "import duckdb, sqlglot, httpx, pyarrow, yaml"
CLI = (sys.executable, "-m", "connstat_sql")


def _say(what: str, figure: str, goal: str) -> None:
    print(f"{what:<52} {figure:>16}   goal {goal}")


def _seconds(*command: str) -> float:
    started = time.perf_counter()
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    seconds = time.perf_counter() - started
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    return seconds


def _alternating(*commands: tuple[str, ...]) -> list[float]:
    """The median seconds of each command; they take turns, so that noise hits all alike."""
    for command in commands:
        _seconds(*command)
    taken = [[_seconds(*command) for command in commands] for _ in range(RUNS)]
    return [median(column) for column in zip(*taken, strict=True)]


def rows() -> None:
    """Bytes to rows: how fast, against Python objects, and how much memory."""
    for shape in ("array", "map"):
        _rows(shape)


def _rows(shape: str) -> None:
    found: dict[str, list[dict[str, float]]] = {"ours": [], "pylist": []}
    for _ in range(RUNS):
        for name, figures in found.items():
            command = (sys.executable, "-m", "tests.benchmarks.rows", name, shape)
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            figures.append(json.loads(done.stdout))
    seconds = {name: median(one["seconds"] for one in each) for name, each in found.items()}
    peak = median(one["peak"] for one in found["ours"])
    _say(f"rows a second, {shape}", f"{ROWS / seconds['ours']:,.0f}", ">= 200,000")
    _say(
        f"{shape}: times as fast as Table.from_pylist",
        f"{seconds['pylist'] / seconds['ours']:.2f}",
        ">= 3",
    )
    _say(f"{shape}: peak memory, in bodies", f"{peak:.2f}", "<= 3")


def start() -> None:
    """The command line's first answer, against importing what it stands on."""
    ours, bare = _alternating((*CLI, "query", "SELECT 1"), (sys.executable, "-c", IMPORTS))
    _say(f"SELECT 1 ({ours:.3f} s) to bare imports ({bare:.3f} s)", f"{ours / bare:.2f}", "<= 1.2")


def answer() -> None:
    """One answer with 2,000 connectors to printed rows, without the start."""
    world = World.seeded(7, environments=1, clusters=1, connectors=2000)
    sql = "SELECT name, connector.state, len(tasks) FROM plant_a.connect.connector_status"
    with Sandbox(world) as sandbox, tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "connstat.toml"
        url = sandbox.connections["plant_a"]["base_url"]
        text = f'[connections.plant_a]\nprovider = "kafka_connect"\nbase_url = "{url}"\n'
        config.write_text(text, encoding="utf-8")
        common = (*CLI, "--config", str(config), "query", "-F", "csv")
        live, bare = _alternating((*common, sql), (*common, "SELECT 1"))
    _say("2,000 connectors to printed rows, s", f"{live - bare:.3f}", "<= 0.3")


def requests() -> None:
    """How many requests some questions take."""
    questions = {
        "SELECT 1": 0,
        "FROM confluent.connect.connector_status "
        "WHERE environment_id = 'env-1' AND kafka_cluster_id = 'lkc-1'": 1,
        "FROM confluent.org.environments": 1,
    }
    world = World.seeded(7, environments=25, clusters=1, connectors=1000)
    with Sandbox(world) as sandbox:
        engine = open_engine(Setup(connections=sandbox.connections), Outside(environment={}))
        for sql, goal in questions.items():
            sandbox.reset()
            found = [one.table.num_rows for one in engine.run(sql)]
            _say(f"requests: {sql[:30]}… ({found[0]:,} rows)", str(sandbox.count()), f"{goal}")
        engine.close()


def planning() -> None:
    """From SQL to a plan: how long, and how it grows."""
    _say("planning: the four-table chain, ms", f"{plans.chain_ms():.1f}", "<= 10")
    for kind in ("joined", "united"):
        few, many = plans.growth(kind)
        what = f"planning: 100 mentions {kind} ({many:.0f} ms) to 10 ({few:.1f} ms)"
        _say(what, f"{many / few:.1f}", "<= 12")
    _say("planning: 3 of 2,000 tables, ms", f"{plans.many_tables_ms():.1f}", "<= 50")
    _say("planning: a list of 10,000 values, ms", f"{plans.long_list_ms():.0f}", "<= 100")


def chain() -> None:
    """Statuses of 1,000 connectors at 20 ms a request, against one request for each."""
    with walking.served() as (url, world):
        found = [walking.ours(url) for _ in range(RUNS)]
        requests_of_ours = len(world.sent) // RUNS
        world.sent.clear()
        other_rows, other = walking.one_by_one(url)
    seconds = median(each for _, each in found)
    assert {rows for rows, _ in found} == {other_rows}
    what = f"{other_rows:,} statuses: {requests_of_ours} requests in {seconds:.2f} s"
    _say(f"{what}, to {len(world.sent):,} in {other:.1f} s", f"1:{other / seconds:.0f}", ">= 100")


BENCHMARKS: dict[str, Callable[[], None]] = {
    each.__name__: each for each in (rows, start, answer, requests, planning, chain)
}


def main(names: list[str]) -> None:
    """Run the benchmarks of these names, or all."""
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        raise SystemExit(f"no benchmark {unknown[0]}; there is {', '.join(BENCHMARKS)}")
    for name in names or BENCHMARKS:
        BENCHMARKS[name]()


if __name__ == "__main__":
    main(sys.argv[1:])
