"""`python -m tests.oracle N [SEED]`: try N queries; print the figures and whatever is wrong."""

from __future__ import annotations

import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.oracle.law import Court, Verdict


def main(count: int, seed: int) -> int:
    """Try `count` queries; answers 1 when one of them broke the law."""
    figures: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        court = Court(Path(folder))
        for number in range(seed, seed + count):
            trial = court.try_random(random.Random(number))
            figures[trial.verdict.value] += 1
            figures["requests"] += trial.requests
            if trial.verdict is Verdict.WRONG:
                print(
                    f"--- {number}: {trial.why[:600]}\n{trial.query.sql}\n{trial.query.arguments}"
                )
        court.close()
    print(", ".join(f"{name} {figures[name]:,}" for name in sorted(figures)))
    return 1 if figures[Verdict.WRONG.value] else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0))
