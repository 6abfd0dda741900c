"""The long mode: `python -m tests.oracle N [SEED]` tries N queries and prints what came out.

`--jobs J` shares them among J processes, `--replay SEED` tries one and makes it smaller when it
goes wrong, `--all` adds the parts of the grammar that the engine need not know yet.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tests.oracle.law import SHARED, Court, Trial, Verdict
from tests.oracle.pieces import ALL, NOW, Reach
from tests.oracle.shrink import shrunk

_BATCH = 16 * SHARED
Found = tuple[Counter[str], Counter[str], list[str]]


def main(given: argparse.Namespace) -> int:
    """Try queries; answers 1 when one of them broke the law."""
    reach = ALL if given.all else NOW
    if given.replay is not None:
        return _replay(given.replay, reach)
    started = time.monotonic()
    figures: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    starts = range(given.seed, given.seed + given.count, _BATCH)
    ends = [min(start + _BATCH, given.seed + given.count) for start in starts]
    batches = [(start, end, reach) for start, end in zip(starts, ends, strict=True)]
    for some, why, wrong in _run(batches, given.jobs):
        figures += some
        reasons += why
        print("".join(wrong), end="", flush=True)
    _report(figures, reasons, time.monotonic() - started)
    return 1 if figures[Verdict.WRONG.value] else 0


def _run(batches: Sequence[tuple[int, int, Reach]], jobs: int) -> Iterator[Found]:
    if jobs == 1:
        yield from map(try_batch, batches)
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(try_batch, batches)


def try_batch(batch: tuple[int, int, Reach]) -> Found:
    """Try the seeds from one to another: figures, reasons of refusals, and what is wrong."""
    start, end, reach = batch
    figures: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        court = Court(Path(folder), reach=reach)
        for seed in range(start, end):
            trial = court.try_seed(seed)
            figures[trial.verdict.value] += 1
            figures["requests"] += trial.requests
            figures["with rows"] += trial.verdict is Verdict.AGREED and trial.rows > 0
            if trial.verdict is Verdict.REFUSED:
                reasons[_reason(trial)] += 1
            if trial.verdict is Verdict.WRONG:
                wrong.append(f"--- wrong, --replay {seed}: {_shown(trial)}\n")
        court.close()
    return figures, reasons, wrong


def _replay(seed: int, reach: Reach) -> int:
    with tempfile.TemporaryDirectory() as folder:
        court = Court(Path(folder), reach=reach)
        trial = court.try_seed(seed)
        print(f"{trial.verdict.value}, {trial.requests} requests: {_shown(trial)}")
        if trial.verdict is Verdict.WRONG:
            print(f"\nsmaller: {_shown(shrunk(court, trial))}")
        for url in court.world.asked:
            print(f"  {url}")
        court.close()
    return 1 if trial.verdict is Verdict.WRONG else 0


def _shown(trial: Trial) -> str:
    query = trial.query
    lines = [trial.why[:800], *query.setup, query.sql]
    return "\n".join([*lines, str(query.arguments)] if query.arguments else lines)


def _reason(trial: Trial) -> str:
    """An error without what differs from query to query."""
    text = re.sub(r"'[^']*'", "'…'", trial.why.partition("\n")[0])
    return re.sub(r"\b(?:zoo|conn_a|conn_b)\.w\.", "", re.sub(r"\d+", "N", text))[:120]


def _report(figures: Counter[str], reasons: Counter[str], seconds: float) -> None:
    tried = sum(figures[verdict.value] for verdict in Verdict)
    answerable = max(1, tried - figures[Verdict.FAULTY.value])
    refused = figures[Verdict.REFUSED.value]
    print(
        f"tried {tried:,}, agreed {figures['agreed']:,} "
        f"({figures['with rows']:,} with rows), faulty {figures['faulty']:,}, "
        f"refused {refused:,} ({refused / answerable:.1%}), wrong {figures['wrong']:,}; "
        f"{figures['requests']:,} requests; {tried / seconds:.1f} queries/s"
    )
    for reason, count in reasons.most_common(30):
        print(f"  refused {count:,}  {reason}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.oracle", description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=1000, help="how many queries")
    parser.add_argument("seed", type=int, nargs="?", default=0, help="the first query's seed")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--replay", type=int, metavar="SEED", help="try one query again")
    parser.add_argument("--all", action="store_true", help="the whole grammar")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main(_arguments()))
