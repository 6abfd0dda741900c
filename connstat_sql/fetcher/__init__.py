"""Methods and arguments → pages of rows, over HTTP: requests, paging, fan-out."""

from connstat_sql.fetcher.clients import Clients
from connstat_sql.fetcher.pages import Budget, Failure, Fetcher, Page
from connstat_sql.fetcher.requests import Fetch, build_request
from connstat_sql.fetcher.stream import Loop, PageStream

__all__ = [
    "Budget", "Clients", "Failure", "Fetch", "Fetcher", "Loop", "Page", "PageStream",
    "build_request",
]  # fmt: skip
