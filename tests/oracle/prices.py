"""What queries cost, in requests, by a record of their texts: pruning that is lost is noticed.

`python -m tests.oracle.prices [COUNT]` records anew, the queries of so many seeds; do that when
queries have become cheaper, and read the difference before it is kept.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.oracle.law import SHARED, Court, Verdict
from tests.oracle.pieces import NOW, Query
from tests.oracle.world import random_world

FILE = Path(__file__).with_name("prices.jsonl")
SEEDS = 90
TOLERANCE = 0
"""Requests by which a query may be dearer than it was: none, they are counted over fixed worlds."""


@dataclass(frozen=True, slots=True)
class Price:
    """A statement over a world, by its number, and the requests that it needed."""

    world: int
    setup: Sequence[str]
    sql: str
    arguments: Any
    requests: int


def recorded() -> list[Price]:
    """The record."""
    return [Price(**json.loads(line)) for line in FILE.read_text("utf-8").splitlines()]


def dearer(court: Court, prices: Sequence[Price]) -> Iterator[str]:
    """What needs more requests than its record says, or has no answer any more."""
    for price in prices:
        now = requests_of(court, price)
        if now is None or now > price.requests + TOLERANCE:
            yield f"world {price.world}: {now} requests, not {price.requests}: {price.sql}"


def requests_of(court: Court, price: Price) -> int | None:
    """The requests that a statement needs now; None where the engine has no answer."""
    court.enter(random_world(random.Random(f"world {price.world}"), awkward=court.reach.awkward))
    court.world.asked.clear()
    try:
        for statement in price.setup:
            list(court.engine.run(statement))
        list(court.engine.run(price.sql, price.arguments))
    except Exception:
        return None
    return len(court.world.asked)


def record(court: Court, seeds: int) -> Iterator[Price]:
    """The prices of the queries of so many seeds, of those that are the same each time."""
    for seed in range(seeds):
        trial = court.try_seed(seed)
        query = trial.query
        if trial.verdict is not Verdict.AGREED or query.loose or not _is_alone(query):
            continue
        price = Price(seed // SHARED, list(query.setup), query.sql, query.arguments, trial.requests)
        if requests_of(court, price) == trial.requests:
            yield price


def _is_alone(query: Query) -> bool:
    """Whether it leaves nothing to undo, and JSON tells its arguments as they are."""
    if query.undo or query.is_forbidden:
        return False
    try:
        return bool(json.loads(json.dumps(query.arguments)) == query.arguments)
    except TypeError:
        return False


def main(seeds: int) -> None:
    """Record anew."""
    with tempfile.TemporaryDirectory() as folder:
        court = Court(Path(folder), reach=NOW)
        prices = [*record(court, seeds)]
        court.close()
    lines = [json.dumps(asdict(price), ensure_ascii=False) for price in prices]
    FILE.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    print(f"{len(prices)} queries, {sum(price.requests for price in prices):,} requests")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else SEEDS)
