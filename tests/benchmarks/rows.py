"""100,000 rows of nested JSON → a typed Arrow table, once, in a process of its own.

`python -m tests.benchmarks.rows ours|pylist array|map` prints the seconds it took and the most
memory it held above the start (where the body is in memory already), in multiples of the body.
"""

from __future__ import annotations

import json
import re
import sys
import time
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from connstat_sql.database.session import Session
from connstat_sql.definitions.loader import Library, shipped_providers
from connstat_sql.definitions.model import RowsPath, TableName
from connstat_sql.executor.staging import Staging
from connstat_sql.fetch import Fetch, Page
from connstat_sql.planner import CONNECTION, AccessPath, ArgumentSource, Constant, Scan, scan_table

ROWS = 100_000


def make_body(rows: int, shape: str) -> bytes:
    """Statuses with about two tasks each: an array of them, or a map as `expand=status` gives."""
    found = {}
    for number in range(rows):
        name = f"connector-{number:06d}-orders-sink"
        place = {"worker_id": f"10.0.{number % 5}.1:8083", "version": "4.3.0"}
        tasks = [
            {"id": task, "state": "FAILED" if (number + task) % 7 == 0 else "RUNNING", **place}
            for task in range(1 + number % 3)
        ]
        connector = {"state": "RUNNING", **place}
        found[name] = {
            "status": {"name": name, "connector": connector, "tasks": tasks, "type": "sink"}
        }
    if shape == "array":
        return json.dumps([entry["status"] for entry in found.values()]).encode()
    return json.dumps(found).encode()


def make_scan(shape: str) -> Scan:
    """A scan of all columns of the statuses, as the planner makes it for `SELECT *`."""
    table = TableName("kafka_connect", "connect", "connector_status")
    library = Library([shipped_providers()])
    provider, resource = library.provider("kafka_connect"), library.resource(table)
    assert provider is not None
    assert resource is not None
    constant = Constant((CONNECTION,), (("plant",),))
    columns = tuple(one.name for one in resource.all_columns)
    method = resource.method("list")
    if shape == "array":
        method = replace(method, rows=RowsPath(), fills={"connector_name": ("name",)}, columns={})
    way = AccessPath(method, (CONNECTION,), columns)
    return Scan("scan_1", provider, resource, (way,), (ArgumentSource(constant),))


def ours(body: bytes, session: Session, scan: Scan) -> int:
    """What a query does with an answer, from its bytes to its rows."""
    staging = Staging(session, scan, "a key")
    staging.add(_page(staging, body, scan))
    staging.flush()
    listed = ", ".join(f'"{name}"' for name in scan.columns)
    relation = session.duckdb.sql(f"SELECT {listed} FROM {scan_table(scan.name)}")
    return int(relation.to_arrow_table().num_rows)


def _page(staging: Staging, body: bytes, scan: Scan) -> Page:
    read = staging.reader.read(body)
    fetch = Fetch("plant", scan.resource, scan.method, {}, ())
    return Page(fetch, read.texts, read.count, len(body), "GET /connectors", 0.0, 1)


def pylist(body: bytes) -> int:
    """The way of least effort: Python objects, then Arrow."""
    found = json.loads(body)
    rows = found if isinstance(found, list) else [entry["status"] for entry in found.values()]
    return int(pa.Table.from_pylist(rows).num_rows)


def _memory(name: str) -> int:
    text = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(rf"{name}:\s+(\d+)", text)
    assert found is not None
    return int(found[1]) * 1024


def main() -> None:
    """Run one of the two and print its figures."""
    body = make_body(ROWS, sys.argv[2])
    session, scan = Session(), make_scan(sys.argv[2])
    pa.array([1])  # what pyarrow loads when first used is not the rows' doing
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # forget the peak so far
    before, started = _memory("VmRSS"), time.perf_counter()
    count = pylist(body) if sys.argv[1] == "pylist" else ours(body, session, scan)
    seconds = time.perf_counter() - started
    assert count == ROWS
    peak = (_memory("VmHWM") - before) / len(body)
    print(json.dumps({"seconds": seconds, "peak": peak}))


if __name__ == "__main__":
    main()
