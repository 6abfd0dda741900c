"""Methods and arguments → pages of rows, over HTTP: requests, paging, fan-out."""

from connstat_sql.fetcher.answers import Answers
from connstat_sql.fetcher.clients import Clients
from connstat_sql.fetcher.fan_out import Failure, Fetcher
from connstat_sql.fetcher.pages import Budget, Page
from connstat_sql.fetcher.requests import Fetch, build_request
from connstat_sql.fetcher.stream import Loop, PageStream

__all__ = [
    "Answers", "Budget", "Clients", "Failure", "Fetch", "Fetcher", "Loop", "Page",
    "PageStream", "build_request",
]  # fmt: skip
