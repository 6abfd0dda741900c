"""`python -m tests.attack WHAT COUNT [--seed N]`: inputs tried, failures, what the process held."""

from __future__ import annotations

import argparse
import sys
import time

from tests.attack import bodies, kills, network, reflections, statements, urls
from tests.attack.outcome import held, peak

RUNS = {
    "bodies": bodies.run,
    "kills": kills.run,
    "network": network.run,
    "reflections": reflections.run,
    "statements": statements.run,
    "urls": urls.run,
}


def main() -> int:
    """Run one; 1 when something is not as it should be."""
    parser = argparse.ArgumentParser(prog="python -m tests.attack", description=__doc__)
    parser.add_argument("what", choices=sorted(RUNS))
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    began = time.monotonic()
    outcome = RUNS[arguments.what](arguments.count, arguments.seed)
    print("\n".join((str(outcome), *outcome.failures[:20])))
    seconds = time.monotonic() - began
    print(f"peak {peak() // 1_000_000} MB; in the end {held()}; {seconds:.0f} s")
    return 1 if outcome.failures else 0


if __name__ == "__main__":
    sys.exit(main())
