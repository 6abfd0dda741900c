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

from connstat_sql.bootstrap import Setup, open_engine
from connstat_sql.demo import DemoServers, Fault, World
from connstat_sql.engine import EngineOptions
from tests.benchmarks import completing, dependent, fleets, paging, topping, walking
from tests.benchmarks import planning as plans
from tests.benchmarks import shell as shells
from tests.benchmarks.asking import ask
from tests.benchmarks.rows import ROWS
from tests.benchmarks.saved import QUERIES, write_queries
from tests.benchmarks.serving import NAMES, served

RUNS = 5
IMPORTS = "import duckdb, sqlglot, httpx, pyarrow, yaml"
CLI = (sys.executable, "-m", "connstat_sql")


def _say(what: str, figure: str, goal: str) -> None:
    print(f"{what:<72} {figure:>10}{f'   goal {goal}' if goal else ''}", flush=True)


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
    with DemoServers(world) as sandbox, tempfile.TemporaryDirectory() as folder:
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
    with DemoServers(world) as sandbox:
        engine = open_engine(Setup(connections=sandbox.connections), EngineOptions(environment={}))
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
    for kind, few, many in (("united", 300, 3_000), ("doubled", 20, 40), ("handed on", 25, 100)):
        short, long = plans.growth(kind, few, many)
        what = f"planning: {many:,} mentions {kind} ({long:,.0f} ms) to {few} ({short:.0f} ms)"
        _say(what, f"{long / short:.1f}", f"<= {1.2 * many / few:.0f}")
    for name, (again, first) in plans.views_ms().items():
        _say(f"planning: a view, {name}, ms (the first time {first:.0f})", f"{again:.0f}", "")
    _say("planning: 3 of 2,000 tables, ms", f"{plans.many_tables_ms():.1f}", "<= 50")
    _say("planning: a list of 10,000 values, ms", f"{plans.long_list_ms():.0f}", "<= 100")


def saved() -> None:
    """`connstat saved check` of 200 queries, to `connstat query "SELECT 1"`: whole processes."""
    with tempfile.TemporaryDirectory() as folder:
        write_queries(Path(folder))
        check, least = _alternating((*CLI, "saved", "check", folder), (*CLI, "query", "SELECT 1"))
    _say(f"saved check: {QUERIES} queries, s", f"{check:.2f}", "<= 2")
    _say('saved check: to  connstat query "SELECT 1"', f"{check / least:.1f}", "")


def shell() -> None:
    """The shell's first prompt against `connstat query "SELECT 1"`, and Ctrl-C to the next one."""
    taken = [(shells.to_prompt(), _seconds(*CLI, "query", "SELECT 1")) for _ in range(RUNS + 1)]
    prompt, query = (median(column) for column in zip(*taken[1:], strict=True))
    what = f"shell: first prompt ({prompt:.3f} s) to SELECT 1 ({query:.3f} s)"
    _say(what, f"{prompt / query:.2f}", "<= 1.3")
    _say("shell: an answer typed at once, s", f"{shells.to_first_answer():.2f}", "")
    with DemoServers() as sandbox, tempfile.TemporaryDirectory() as home:
        sandbox.inject(Fault(delay=60))
        url = sandbox.connections["plant_a"]["base_url"]
        text = f'[connections.plant_a]\nprovider = "kafka_connect"\nbase_url = "{url}"\n'
        (Path(home) / "connstat.toml").write_text(text, encoding="utf-8")
        slow = "FROM plant_a.connect.connectors;"
        back = max(shells.back_after_interrupt(slow, Path(home)) for _ in range(RUNS))
    _say("shell: Ctrl-C during a statement to the prompt, worst, s", f"{back:.3f}", "<= 0.5")


def completion() -> None:
    """A key press with 2,000 tables and 10,000 values known; how often the right name is shown."""
    with completing.many_tables() as completer:
        taken = completing.latencies(completer, completing.PLACES, RUNS)
    worst = completing.percentile(taken, 0.95)
    _say(
        f"completion: p95 of {len(taken):,} key presses, 2,000 tables, ms", f"{worst:.1f}", "<= 50"
    )
    with completing.completer_of(Setup(connections=plans.CONFLUENT)) as completer:
        queries = completing.examples(completer)
        for rest, how in ((False, "typed on"), (True, "in between")):
            hits = [one for sql in queries for one in completing.hits(completer, sql, rest=rest)]
            seen = sum(one.rank is not None and one.rank <= completing.FIRST for one in hits)
            what = f"completion: {len(hits)} names {how}, among the first {completing.FIRST}"
            _say(what, f"{seen / len(hits):.3f}", ">= 0.95")


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


def fanout() -> None:
    """2,000 dependent reads of 20 ms, the whole process from the shell, against curl and jq."""
    missing = dependent.missing_tools()
    with served(latency=0.02) as server, dependent.shell(server, NAMES) as both:
        both.ours()
        ours, theirs = [], []
        for _ in range(RUNS):
            ours.append(both.ours())
            theirs += [] if missing else [both.curl()]
        alone = median(both.ours("SELECT 1").seconds for _ in range(RUNS))
    assert {one.rows for one in (*ours, *theirs)} == {NAMES}
    seconds, before, after, cpu = (
        median(getattr(one, name) for one in ours) for name in ("seconds", "before", "after", "cpu")
    )
    what = f"{NAMES:,} reads of 20 ms from the shell ({seconds:.2f} s) to curl | jq"
    if missing:
        _say(what, f"no {' and no '.join(missing)} here", "<= 1.3")
    else:
        curl = median(one.seconds for one in theirs)
        _say(f"{what} ({curl:.2f} s)", f"{seconds / curl:.2f}", "<= 1.3")
    _say(f"  to the first request, s (SELECT 1 in all: {alone:.2f})", f"{before:.2f}", "")
    _say("  first request to last answer, s", f"{seconds - before - after:.2f}", ">= 0.63")
    _say("  last answer to the end of the process, s", f"{after:.2f}", "")
    _say("  CPU of the process, s", f"{cpu:.2f}", "")


def nolatency() -> None:
    """The same from memory: how many requests a second, and the CPU time of each."""
    with served() as server, dependent.engine(server) as engine:
        addresses = dependent.urls(server, NAMES)
        ours, bare, busy = [], [], []
        for _ in range(RUNS + 1):
            server.seen()
            ours.append(dependent.ours(engine))
            busy.append(server.seen().cpu / ours[-1].seconds)
            bare.append(dependent.bare(addresses))
    pace, other = (median(one.requests / one.seconds for one in each[1:]) for each in (ours, bare))
    what = f"{pace:,.0f} requests a second to {other:,.0f} of bare aiohttp"
    _say(what, f"{pace / other:.2f}", ">= 0.8")
    cpu, least = (median(one.cpu / one.requests for one in each[1:]) for each in (ours, bare))
    _say(f"  CPU of a request, µs (aiohttp {least * 1e6:.0f})", f"{cpu * 1e6:.0f}", "")
    _say("  share of the time that the server is busy", f"{median(busy):.2f}", "< 0.9")


def pages() -> None:
    """Rows in pages of a hundred to Arrow: how fast, and how much memory for a million."""
    many, more = 100_000, 1_000_000
    with served() as server:
        ours, servers = [], []
        for _ in range(3):
            ours.append(ask(paging.ours(server, many)).seconds)
            servers.append(paging.server_seconds(server, many))
        aside = ask(paging.ours(server, many, "numbered_rows")).seconds
        found = ask(paging.ours(server, more))
    seconds, apart = median(ours), median(servers)
    what = f"{many:,} rows in {seconds:.2f} s, {apart:.2f} s of them the server's: rows a second"
    _say(what, f"{many / (seconds - apart):,.0f}", ">= 200,000")
    _say("  pages side by side, nothing taken off: rows a second", f"{many / aside:,.0f}", "")
    what = f"{more:,} rows in {found.seconds:.1f} s: peak memory, MB"
    _say(what, f"{found.peak / 1e6:.0f}", "< 400")


def fleet() -> None:
    """100 connectors of each cluster to one answer, and how that grows with the clusters."""
    for kind in (fleets.clusters, fleets.connections):
        with served() as server:
            found = {count: ask(kind(server, count)) for count in (10, 100, 1000)}
        for count, one in found.items():
            what = f"{count:,} {kind.__name__}, {count * 100:,} connectors: "
            what += f"{one.peak / 1e6:.0f} MB, s"
            _say(what, f"{one.seconds:.2f}", "")
        few, some, all_ = found.values()
        for name, growth in (
            ("time", (all_.seconds - some.seconds) / (some.seconds - few.seconds)),
            ("memory", (all_.peak - some.peak) / max(some.peak - few.peak, 1)),
        ):
            _say(f"  {name}: 900 more to 90 more, over ten", f"{growth / 10:.2f}", "<= 1.2")


def down() -> None:
    """50 hosts, five of them down: how long, in time-outs of one request."""
    hosts, lost = 50, 5
    with served(hosts=hosts) as server:
        for asked, each in ((fleets.lists, 1), (fleets.reads, fleets.NAMES_ASKED)):
            found = ask(asked(server, hosts, []))
            what = f"{hosts} hosts, none down, {asked.__name__}: in time-outs of one request"
            _say(what, f"{found.seconds / fleets.TIMEOUT:.2f}", "")
            for lacking in (fleets.silent, fleets.refusing):
                with lacking(lost) as places:
                    found = ask(asked(server, hosts - lost, places))
                assert found.failed == lost * each
                what = f"  {lost} of them {lacking.__name__}: {found.failed} failed requests"
                _say(what, f"{found.seconds / fleets.TIMEOUT:.2f}", "<= 1.2")


def top() -> None:
    """`connstat top` in a real terminal: what a refresh asks, and the CPU of the process."""
    with topping.served() as server:
        found = topping.watched(server)
    what = f"{topping.CLUSTERS} clusters of {topping.CONNECTORS} connectors on one screen"
    _say(f"{what}: requests a refresh", f"{found.requests:.0f}", f"{topping.CLUSTERS}")
    _say("  to the first rows, s", f"{found.first:.1f}", "")
    _say("  CPU of one refresh, s", f"{found.refresh:.2f}", "")
    _say("  CPU between refreshes, share of a core", f"{found.idle:.3f}", "< 0.1")
    what = f"  CPU with a refresh every {topping.EVERY} s, share of a core"
    _say(what, f"{found.watching:.3f}", "")


BENCHMARKS: dict[str, Callable[[], None]] = {
    each.__name__: each
    for each in (
        *(rows, start, answer, requests, planning, completion, shell, saved, chain),
        *(fanout, nolatency, pages, fleet, down, top),
    )
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
