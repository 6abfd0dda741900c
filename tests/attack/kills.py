"""Processes killed while they write: each file is the old one or the new one, and can be used."""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

from connstat_sql.cache.file import log_of
from tests.attack.outcome import Outcome
from tests.kept import NOW, fetch, pets

_WRITER = """
import sys
from pathlib import Path
from connstat_sql.files import written_whole
from tests.kept import pets
from connstat_sql.shell.history import DiskHistory
folder = Path(sys.argv[1])
print("begun", flush=True)
number = 0
with pets(folder / "kept.duckdb") as zoo:
    while True:
        number += 1
        with written_whole(folder / "rows.csv") as out:
            for _ in range(200):
                out.write(b"%d\\n" % number)
        DiskHistory(folder / "history", print, lambda: 1.0).store_string(f"SELECT {number}")
        if number % 5 == 0:
            zoo.keep({f"s{number % 3}": ["Tom"] * 50})
"""


def run(count: int, seed: int) -> Outcome:
    """So many kills, at random moments."""
    outcome, source = Outcome(), random.Random(seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for _ in range(count):
            outcome.tried += 1
            command = [sys.executable, "-c", _WRITER, name]
            with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
                assert writer.stdout is not None
                if not writer.stdout.readline():
                    outcome.failures.append("a process ended before it wrote")
                time.sleep(source.random() / 3)
                writer.kill()
            outcome.failures += _wrong(folder)
        outcome.failures += _unusable(folder / "kept.duckdb")
    outcome.ends["killed"] = outcome.tried
    return outcome


def _wrong(folder: Path) -> list[str]:
    faults = []
    rows = folder / "rows.csv"
    if rows.exists():
        lines = rows.read_text().split()
        if len(lines) != 200 or len(set(lines)) != 1:
            faults.append(f"rows.csv holds {len(lines)} lines of {len(set(lines))} writers")
    kept = folder / "kept.duckdb"
    if kept.exists():
        try:
            with duckdb.connect(str(kept), read_only=True) as there:
                there.execute("SELECT version FROM connstat_kept").fetchall()
                faults += _torn(there)
        except duckdb.Error as error:
            faults.append(f"kept.duckdb: {error}")
    log = log_of(kept)
    if log.exists() and (not kept.exists() or b"Tom" in log.read_bytes()):
        faults.append(f"{log.name} has no file, or holds rows")
    known = {"rows.csv", "kept.duckdb", log.name, "history"}
    strange = [path.name for path in folder.iterdir() if path.name not in known]
    faults += [name for name in strange if not name.startswith((".connstat-", "connstat-scratch-"))]
    return faults


def _torn(there: duckdb.DuckDBPyConnection) -> list[str]:
    """Fetches that are neither wholly kept nor not at all."""
    faults = []
    fetches = "SELECT kind, count(*), sum(rows) FROM fetches GROUP BY kind"
    for kind, count, rows in there.execute(fetches).fetchall():
        held = there.execute(f'SELECT count(*) FROM "{kind}"').fetchall()
        if held != [(rows,)] or rows != 50 * count:
            faults.append(f"kept.duckdb: {count} fetches of 50 rows, and {held} rows of {rows}")
    return faults


def _unusable(kept: Path) -> list[str]:
    """What is wrong with the file for whoever comes next: it answers, and is closed in order."""
    with pets(kept) as zoo:
        zoo.keep({"s1": ["Kit"]}, at=NOW + 1)
    with pets(kept) as zoo:
        rows, notes = zoo.answer(fetch("s1"), now=NOW + 2), zoo.kept.take_notes()
    faults = [*notes] if rows == [(0, "Kit", "s1")] else [*notes, f"kept.duckdb answers {rows}"]
    return [*faults, "a log is left"] if log_of(kept).exists() else faults
