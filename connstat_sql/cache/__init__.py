"""Rows of complete fetches, kept between statements and used again while they are young enough."""

from connstat_sql.cache.cache import MOST_ROWS, OLDEST, Kept
from connstat_sql.cache.keys import account_of, accounts, served
from connstat_sql.cache.store import FETCH
from connstat_sql.cache.tier import KEPT_ROWS, Hit, MaxAge, WholeFetch

__all__ = [
    "FETCH", "KEPT_ROWS", "MOST_ROWS", "OLDEST", "Hit", "Kept", "MaxAge", "WholeFetch",
    "account_of", "accounts", "served",
]  # fmt: skip
