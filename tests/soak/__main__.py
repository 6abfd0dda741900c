"""`python -m tests.soak MINUTES [--seed N] [--faults 0.05]`: prints what came of it."""

from __future__ import annotations

import argparse
import sys

from tests.soak.run import problems, soak

PLACES = 32


def main() -> int:
    """Run it; 1 when something is not as it should be."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("minutes", type=float)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", type=float, default=0.05, help="share of the requests")
    given = parser.parse_args()
    found = soak(given.minutes * 60, given.seed, given.faults, lambda line: print(line, flush=True))
    print(found.summary())
    said = problems(found, PLACES)
    print("\n".join(("", *said)) if said else "as it should be")
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
