"""What it takes to start: the modules that `connstat query` imports, and its seconds.

A statement without live tables, and one of one GET, which a server on loopback answers, each in a
process of its own; beside them the bare imports that both stand on. They take turns, so that what
else the machine does hits all alike; of their seconds it is the median that counts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

RUNS = 5
LOCAL = "SELECT 1"
LIVE = "SELECT name FROM plant.connect.connectors"
BARE = "import duckdb, pyarrow, sqlglot, aiohttp"
_ROWS = b'["orders"]'
_LISTED = """
import atexit, json, pathlib, runpy, sys
file, package, *words = sys.argv[1:]
atexit.register(lambda: pathlib.Path(file).write_text(json.dumps([*sys.modules]), "utf-8"))
sys.argv = ["connstat", *words]
runpy.run_module(package, run_name="__main__", alter_sys=True)
"""


def started(package: Path) -> dict[str, int | float]:
    """Modules and seconds of a package's `query`, and the seconds to those of bare imports."""
    with TemporaryDirectory() as folder, served() as server:
        process = Process(package, Path(folder))
        process.configure(server.url)
        figures: dict[str, int | float] = {}
        for name, sql in (("SELECT 1", LOCAL), ("one GET", LIVE)):
            names = process.modules(sql)
            ours = sum(each.partition(".")[0] == package.name for each in names)
            figures |= {f"own modules imported, {name}": ours,
                        f"modules imported, {name}": len(names)}  # fmt: skip
        if server.paths != (once := server.paths[:1]):
            raise SystemExit(f"{LIVE} sends more than one request: {server.paths}")
        assert once, "nothing was asked of the server"
        bare, local, live = process.seconds((LOCAL, LIVE))
    return figures | {
        "bare imports, s": round(bare, 3),
        "SELECT 1, s": round(local, 3),
        "SELECT 1 to bare imports": round(local / bare, 2),
        "one GET, s": round(live, 3),
        "one GET to bare imports": round(live / bare, 2),
    }


@dataclass(frozen=True)
class Process:
    """Runs the command line of a package in a folder, with nothing of its user's around it."""

    package: Path
    folder: Path

    def configure(self, url: str) -> None:
        """Make one connection."""
        text = f'[connections.plant]\nprovider = "kafka_connect"\nbase_url = "{url}"\n'
        (self.folder / "connstat.toml").write_text(text, "utf-8")

    def modules(self, sql: str) -> list[str]:
        """The names of all modules that a statement has imported at its end."""
        file = self.folder / "modules.json"
        self._run("-c", _LISTED, str(file), self.package.name, "query", sql)
        names: list[str] = json.loads(file.read_text("utf-8"))
        return names

    def seconds(self, statements: tuple[str, ...]) -> list[float]:
        """The medians of bare imports, and of each statement."""
        commands = [
            ("-c", BARE),
            *(("-m", self.package.name, "query", sql) for sql in statements),
        ]
        taken = [[self._run(*command) for command in commands] for _ in range(RUNS + 1)]
        return [median(column) for column in zip(*taken[1:], strict=True)]  # the first warms up

    def _run(self, *words: str) -> float:
        begun = time.perf_counter()
        done = subprocess.run(
            (sys.executable, *words), env=self._environment, cwd=self.folder,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            raise SystemExit(done.stderr)
        return time.perf_counter() - begun

    @property
    def _environment(self) -> Mapping[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
        return {**kept, "HOME": str(self.folder), "PYTHONPATH": str(self.package.parent)}


@dataclass(frozen=True)
class Server:
    """A worker of Kafka Connect with one connector."""

    url: str
    paths: list[str] = field(default_factory=list)
    """What it was asked for."""


@contextmanager
def served() -> Iterator[Server]:
    """A server for a while."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.paths.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(_ROWS)))
            self.end_headers()
            self.wfile.write(_ROWS)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        server = Server(f"http://127.0.0.1:{listening.server_port}")
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            listening.shutdown()
            thread.join()
