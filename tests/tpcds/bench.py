"""The 99 queries over the API and over full copies."""

from __future__ import annotations

import re

from tests.shop.bench import Bench
from tests.tpcds.api import RetailApi
from tests.tpcds.texts import SHOP, texts

BUDGET = 10_000


def bench_of(max_requests: int = BUDGET) -> Bench:
    """Many of the texts leave the order of some rows open."""
    return Bench(SHOP, RetailApi, lambda number: texts()[number], max_requests, ordered=False)


def by_hand(bench: Bench) -> dict[int, tuple[int, str]]:
    """How many requests each query takes a careful engineer, and in which way.

    Each query has a statement of its own: DuckDB would plan all of them at once for minutes.
    """
    text = (SHOP.home / "by_hand.sql").read_text("utf-8")
    macros, *queries = re.split(r"(?m)^-- (\d+): (.*)$", text)
    bench.copies.execute(macros)
    found = {}
    for number, way, sql in zip(queries[::3], queries[1::3], queries[2::3], strict=True):
        ((requests,),) = bench.copies.execute(sql).fetchall()
        found[int(number)] = (requests, way)
    return found
