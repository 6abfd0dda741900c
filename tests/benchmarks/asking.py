"""One statement in a process of its own: how long it took, and what it needed.

`python -m tests.benchmarks.asking` reads a question as JSON and prints what came of it.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

PROVIDERS = Path(__file__).parent / "providers"
MAX_REQUESTS = 20_000


@dataclass(frozen=True, slots=True)
class Question:
    """A statement over connections; `timeout` is for one request, in seconds.

    `before` is a statement that runs before the clock starts, so that modules are imported,
    definitions read and connections open.
    """

    sql: str
    before: str
    connections: Mapping[str, Mapping[str, Any]]
    partial: bool = False
    timeout: float = 30.0


@dataclass(frozen=True, slots=True)
class Figures:
    """What a statement took: seconds on the wall and of the CPU, the process's peak in bytes.

    `rows` are those of the answer, `requests` those sent for it, `failed` those without an answer.
    """

    seconds: float
    cpu: float
    peak: int
    rows: int
    requests: int
    failed: int


def ask(question: Question) -> Figures:
    """Run a statement in a process of its own."""
    command = (sys.executable, "-m", __spec__.name)
    text = json.dumps(asdict(question))
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    return Figures(**json.loads(done.stdout))


def answered(question: Question) -> Figures:
    """Run a statement here."""
    from connstat_sql.bootstrap import Setup, open_engine
    from connstat_sql.engine import EngineOptions
    from connstat_sql.result import Options

    setup = Setup(connections=question.connections, providers=(PROVIDERS,))
    engine = open_engine(setup, EngineOptions(environment={}, timeout=question.timeout))
    try:
        options = Options(partial=question.partial, max_requests=MAX_REQUESTS)
        list(engine.run(question.before, options=options))
        started, cpu = time.perf_counter(), time.process_time()
        [result] = engine.run(question.sql, options=options)
        seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
        rows, failed = result.table.num_rows, len(result.errors)
        return Figures(seconds, cpu, _peak(), rows, result.requests, failed)
    finally:
        engine.close()


def _peak() -> int:
    """The most memory this process has held (`ru_maxrss` may be that of its parent)."""
    text = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(r"VmHWM:\s+(\d+)", text)
    assert found is not None
    return int(found[1]) * 1024


if __name__ == "__main__":
    print(json.dumps(asdict(answered(Question(**json.load(sys.stdin))))))
