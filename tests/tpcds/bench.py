"""The 99 queries over the API and over full copies."""

from __future__ import annotations

from tests.shop.bench import Bench
from tests.tpcds.api import RetailApi
from tests.tpcds.texts import SHOP, texts

BUDGET = 10_000


def bench_of(max_requests: int = BUDGET) -> Bench:
    """Many of the texts leave the order of some rows open."""
    return Bench(SHOP, RetailApi, lambda number: texts()[number], max_requests, ordered=False)
