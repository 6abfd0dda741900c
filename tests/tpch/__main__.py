"""`python -m tests.tpch [FOLDER]`: the 22 queries, their requests and times, as a table.

With a folder, over the rows of its Parquet files, one a table, as generators of TPC-H leave them.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.shop.table import print_table
from tests.tpch.bench import NUMBERS, bench_of

BUDGET = 1_000_000


def main(folder: Path | None) -> int:
    """Run all of them; answers 1 when one answered something else than DuckDB."""
    bench = bench_of(folder, BUDGET, planned=5)
    try:
        return print_table(bench, NUMBERS, bench.by_hand())
    finally:
        bench.close()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else None))
