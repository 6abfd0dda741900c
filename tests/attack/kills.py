"""Processes killed while they write: each file is the old one or the new one, and can be used."""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

from tests.attack.outcome import Outcome

_WRITER = """
import sys
from pathlib import Path
from connstat_sql.files import written_whole
from tests.kept import pets
from connstat_sql.repl.history import DiskHistory
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
                writer.stdout.readline()
                time.sleep(source.random() / 3)
                writer.kill()
            outcome.failures += _wrong(folder)
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
        except duckdb.Error as error:
            faults.append(f"kept.duckdb: {error}")
    known = {"rows.csv", "kept.duckdb", "history"}
    strange = [path.name for path in folder.iterdir() if path.name not in known]
    faults += [name for name in strange if not name.startswith(".connstat-")]
    return faults
