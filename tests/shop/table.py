"""What numbered queries ask and take, beside what a careful engineer asks by hand, as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.shop.bench import Bench, Trial

HEAD = "query   rows  requests  by hand  ratio  twice  plan ms   run ms  verdict"


def print_table(bench: Bench, numbers: Sequence[int], hand: Mapping[int, tuple[int, str]]) -> int:
    """Run queries, a line each; answers 1 when one answered something else than DuckDB.

    `hand` are the requests by hand and the way, by the number of a query.
    """
    print(HEAD)
    trials = {}
    for number in numbers:
        trials[number] = trial = bench.trial(number)
        print(_line(number, trial, *hand[number]), flush=True)
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
