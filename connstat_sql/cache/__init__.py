"""Rows of complete fetches, kept between statements and used again while they are young enough."""

from connstat_sql.cache.cache import MOST_ROWS, OLDEST, RowCache
from connstat_sql.cache.keys import account_of, accounts, served
from connstat_sql.cache.store import FETCH, KEPT_ROWS, CompletedFetch, Hit, MaxAge

__all__ = [
    "FETCH",
    "KEPT_ROWS",
    "MOST_ROWS",
    "OLDEST",
    "CompletedFetch",
    "Hit",
    "MaxAge",
    "RowCache",
    "account_of",
    "accounts",
    "served",
]  # fmt: skip
