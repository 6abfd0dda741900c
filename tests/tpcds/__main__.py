"""`python -m tests.tpcds [NUMBER…]`: the 99 queries, their requests and times, as a table."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from tests.shop.bench import Trial
from tests.tpcds.bench import bench_of, by_hand
from tests.tpcds.texts import NUMBERS


def main(numbers: Sequence[int]) -> int:
    """Run them; answers 1 when one answered something else than DuckDB."""
    bench = bench_of()
    hand = by_hand(bench)
    print("query   rows  requests  by hand  ratio  twice  plan ms   run ms  verdict")
    trials = {}
    for number in numbers:
        trials[number] = trial = bench.trial(number)
        print(_line(number, trial, *hand[number]), flush=True)
    bench.close()
    asked = sum(len(trial.asked) for trial in trials.values())
    seconds = sum(trial.planning + trial.running for trial in trials.values())
    faults = sum(bool(trial.fault) for trial in trials.values())
    careful = sum(hand[number][0] for number in trials)
    print(
        f"{len(trials) - faults} of {len(trials)} equal; {asked:,} requests, "
        f"{careful:,} by hand; {seconds:.1f} s"
    )
    return 1 if faults else 0


def _line(number: int, trial: Trial, careful: int, way: str) -> str:
    asked = len(trial.asked)
    better = f" (by hand: {way})" if asked > careful else ""
    return (
        f"{number:5} {trial.expected.num_rows:6,} {asked:9,} {careful:8,} "
        f"{asked / careful:6.1f} {asked - len(set(trial.asked)):6} "
        f"{trial.planning * 1000:8.1f} {trial.running * 1000:8.0f}  "
        f"{trial.fault or 'equal'}{better}"
    )


if __name__ == "__main__":
    sys.exit(main([int(one) for one in sys.argv[1:]] or NUMBERS))
