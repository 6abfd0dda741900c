"""Statements over a network on which things go wrong: exact rows, or an error of ours."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import connstat_sql
from connstat_sql.errors import ConnstatError
from connstat_sql.sandbox import Sandbox, World
from tests.fakes.fault_proxy import fault_proxy

SQL = "SELECT name, connector.state FROM plant.connect.connector_status ORDER BY ALL"
SPARE_MEMORY = 60_000_000


@dataclass
class Outcome:
    """Inputs tried, what came of them, and what should not have come."""

    tried: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        ends = ", ".join(f"{count} {end}" for end, count in sorted(self.ends.items()))
        return f"{self.tried} tried: {ends}; {len(self.failures)} failures"


def run(count: int, seed: int) -> Outcome:
    """So many statements; afterwards memory, descriptors and threads are what they were."""
    outcome = Outcome()
    with Sandbox(World.seeded(7)) as sandbox:
        plant: dict[str, Any] = dict(sandbox.connections["plant_a"])
        with connstat_sql.connect(connections={"plant": plant}, environment={}) as con:
            wanted = con.sql(SQL).fetchall()
        port = int(plant["base_url"].split(":")[2].split("/")[0])
        with fault_proxy(port, seed) as proxy:
            plant["base_url"] = plant["base_url"].replace(f":{port}", f":{proxy.port}", 1)
            with connstat_sql.connect(
                connections={"plant": plant}, environment={}, timeout=1
            ) as con:
                before = None
                for number in range(count):
                    _try(con, wanted, outcome)
                    if number == min(count - 1, 50):
                        before = _held()
                after = _held()
            outcome.ends.update({f"hit by {fault}": n for fault, n in proxy.hit.items()})
    if before is not None:
        outcome.failures += _grown(before, after)
    return outcome


def _try(con: connstat_sql.LiveDatabase, wanted: object, outcome: Outcome) -> None:
    outcome.tried += 1
    try:
        rows = con.sql(SQL).fetchall()
    except ConnstatError as error:
        outcome.ends[type(error).__name__] += 1
    except BaseException as error:
        outcome.failures.append(f"{type(error).__name__}: {error}")
    else:
        outcome.ends["exact" if rows == wanted else "wrong"] += 1
        if rows != wanted:
            outcome.failures.append(f"other rows: {rows}")


def _held() -> tuple[int, int, int]:
    """Memory in bytes, descriptors, threads."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    descriptors = sum(1 for _ in Path("/proc/self/fd").iterdir())
    return pages * 4096, descriptors, threading.active_count()


def _grown(before: tuple[int, int, int], after: tuple[int, int, int]) -> list[str]:
    named = ("memory", "descriptors", "threads")
    limits = zip(named, before, after, (SPARE_MEMORY, 40, 4), strict=True)
    return [
        f"{what} grew from {old:,} to {new:,}"
        for what, old, new, spare in limits
        if new > old + spare
    ]
