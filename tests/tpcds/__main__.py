"""`python -m tests.tpcds [NUMBER…]`: the 99 queries, their requests and times, as a table."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from tests.shop.table import print_table
from tests.tpcds.bench import bench_of, by_hand
from tests.tpcds.texts import NUMBERS


def main(numbers: Sequence[int]) -> int:
    """Run them; answers 1 when one answered something else than DuckDB."""
    bench = bench_of()
    try:
        return print_table(bench, numbers, by_hand(bench))
    finally:
        bench.close()


if __name__ == "__main__":
    sys.exit(main([int(one) for one in sys.argv[1:]] or NUMBERS))
