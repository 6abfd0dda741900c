"""`python -m tests.tpcds [NUMBER…]`: the 99 queries, their requests and times, as a table."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from tests.shop.bench import Trial
from tests.tpcds.bench import bench_of
from tests.tpcds.texts import NUMBERS


def main(numbers: Sequence[int]) -> int:
    """Run them; answers 1 when one answered something else than DuckDB."""
    bench = bench_of()
    print("query   rows  requests  twice  plan ms   run ms  verdict")
    trials = {}
    for number in numbers:
        trials[number] = trial = bench.trial(number)
        print(_line(number, trial), flush=True)
    bench.close()
    asked = sum(len(trial.asked) for trial in trials.values())
    seconds = sum(trial.planning + trial.running for trial in trials.values())
    faults = sum(bool(trial.fault) for trial in trials.values())
    print(f"{len(trials) - faults} of {len(trials)} equal; {asked:,} requests; {seconds:.1f} s")
    return 1 if faults else 0


def _line(number: int, trial: Trial) -> str:
    asked = len(trial.asked)
    return (
        f"{number:5} {trial.expected.num_rows:6,} {asked:9,} {asked - len(set(trial.asked)):6} "
        f"{trial.planning * 1000:8.1f} {trial.running * 1000:8.0f}  {trial.fault or 'equal'}"
    )


if __name__ == "__main__":
    sys.exit(main([int(one) for one in sys.argv[1:]] or NUMBERS))
