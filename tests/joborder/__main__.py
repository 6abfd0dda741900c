"""`python -m tests.joborder [ORDERS]`: how far requests depend on the order of FROM, as a table."""

from __future__ import annotations

import sys

from tests.joborder.bench import asked, films
from tests.joborder.questions import QUESTIONS


def main(orders: int) -> int:
    """Run every question in so many orders; answers 1 when an answer was wrong or orders differ."""
    print("fewest   most  ratio  question")
    worst, faults = 1.0, list[str]()
    with films() as bench:
        for name in QUESTIONS:
            found = asked(bench, name, orders)
            worst, faults = max(worst, found.ratio), [*faults, *found.faults]
            fewest, most = min(found.requests), max(found.requests)
            print(f"{fewest:6,} {most:6,} {found.ratio:6.2f}  {name}", flush=True)
    print(f"worst ratio {worst:.2f}", *faults, sep="\n")
    return 1 if faults or worst > 1 else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10))
