"""`python -m tests.tpch [FOLDER]`: the 22 queries, their requests and times, as a table.

With a folder, over the rows of its Parquet files, one a table, as generators of TPC-H leave them.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.shop.bench import Trial
from tests.tpch.bench import NUMBERS, bench_of

BUDGET = 1_000_000


def main(folder: Path | None) -> int:
    """Run all of them; answers 1 when one answered something else than DuckDB."""
    bench = bench_of(folder, BUDGET, planned=5)
    by_hand = bench.by_hand()
    print("query   rows  requests  by hand  twice  plan ms   run ms  verdict")
    faults = 0
    for number in NUMBERS:
        trial = bench.trial(number)
        faults += bool(trial.fault)
        print(_line(number, trial, *by_hand[number]), flush=True)
    bench.close()
    return 1 if faults else 0


def _line(number: int, trial: Trial, by_hand: int, way: str) -> str:
    asked = len(trial.asked)
    better = f" (by hand: {way})" if asked > by_hand else ""
    return (
        f"{number:5} {trial.expected.num_rows:6,} {asked:9,} {by_hand:8,} "
        f"{asked - len(set(trial.asked)):6} {trial.planning * 1000:8.1f} "
        f"{trial.running * 1000:8.0f}  {trial.fault or 'equal'}{better}"
    )


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else None))
