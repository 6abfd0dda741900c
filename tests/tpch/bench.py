"""The 22 queries over the API and over full copies."""

from __future__ import annotations

from pathlib import Path

from tests.shop.bench import Bench
from tests.tpch.api import WholesaleApi
from tests.tpch.data import SHOP

NUMBERS = range(1, 23)


def bench_of(folder: Path | None = None, max_requests: int = 1000, planned: int = 1) -> Bench:
    """`folder` holds the rows as Parquet files (None: they are made)."""
    return Bench(SHOP, WholesaleApi, sql_of, max_requests, folder, planned)


def sql_of(number: int) -> str:
    """The text of a query of the benchmark."""
    return (SHOP.home / "queries" / f"{number:02}.sql").read_text("utf-8")
