"""What a process of our own leaves out to answer soon is never missed, nor taken from others."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq

OURS = """
import atexit, sys
from connstat_sql.cli import main

def tell():
    print("with numpy" if "numpy" in sys.modules else "without numpy")
    import numpy
    print(numpy.sqrt(16.0))

atexit.register(tell)
sys.argv = ["connstat", *sys.argv[1:]]
main()
"""
THEIRS = """
import sys
from connstat_sql.cli import main
try:
    main(["query", "-F", "csv", "SELECT 1 AS a"])
except SystemExit:
    pass
import pyarrow
print(pyarrow.array([1.5, 2.5]).to_numpy().sum())
"""
LOADED = """
import atexit, sys
from connstat_sql.cli import main

wire = ("connstat_sql.transport", "connstat_sql.definitions.model", "msgspec", "asyncio", "ssl")
atexit.register(lambda: print([name for name in wire if name in sys.modules]))
sys.argv = ["connstat", *sys.argv[1:]]
main()
"""
KINDS = (
    "SELECT DATE '2026-01-01' AS day, 1.5::DOUBLE AS x, [1, NULL] AS l, "
    "{'a': 1.25::DECIMAL(9, 2)} AS s"
)


def ran(script: str, *arguments: str) -> list[str]:
    command = [sys.executable, "-c", script, *arguments]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (answer.returncode, answer.stderr) == (0, "")
    return answer.stdout.splitlines()


def test_a_command_imports_no_numpy_and_whoever_asks_for_it_has_it() -> None:
    assert ran(OURS, "query", "-F", "csv", "SELECT 1 AS a") == ["a", "1", "without numpy", "4.0"]


def test_a_statement_without_live_tables_or_a_configuration_imports_no_wire(
    tmp_path: Path,
) -> None:
    command = [sys.executable, "-c", LOADED, "query", "-F", "csv", "SELECT 1 AS a"]
    around = {**os.environ, "HOME": str(tmp_path)}
    answer = subprocess.run(command, capture_output=True, text=True, check=False, env=around)
    assert (answer.stdout.splitlines(), answer.stderr) == (["a", "1", "[]"], "")


def test_values_of_all_kinds_are_printed_and_written_without_it(tmp_path: Path) -> None:
    assert ran(OURS, "query", "-F", "jsonl", KINDS)[:2] == [
        '{"day":"2026-01-01","x":1.5,"l":[1,null],"s":{"a":1.25}}',
        "without numpy",
    ]
    file = tmp_path / "x.parquet"
    assert ran(OURS, "-q", "query", "-o", str(file), KINDS)[0] == "without numpy"
    (row,) = pq.read_table(file).to_pylist()
    assert (str(row["day"]), row["x"], row["l"]) == ("2026-01-01", 1.5, [1, None])


def test_a_picture_is_drawn_in_a_process_that_began_without_it(tmp_path: Path) -> None:
    file = tmp_path / "x.png"
    ran(OURS, "-q", "query", "--chart", "-o", str(file), "SELECT 'a' AS name, 1 AS n")
    assert file.read_bytes().startswith(b"\x89PNG")


def test_the_process_of_somebody_else_keeps_its_numpy() -> None:
    assert ran(THEIRS) == ["a", "1", "4.0"]
