"""Methods and arguments → pages of rows, over HTTP: requests, paging, fan-out."""

from connstat_sql.fetcher.answers import Answers, Budget
from connstat_sql.fetcher.clients import Clients
from connstat_sql.fetcher.configurations import owner_of
from connstat_sql.fetcher.declared import Declared, Inquiry, names_key
from connstat_sql.fetcher.fan_out import Arrived, Ended, Finished, Group
from connstat_sql.fetcher.pages import Failure, Page
from connstat_sql.fetcher.requests import Fetch, build_request
from connstat_sql.fetcher.stream import Intake, Loop, PageStream

__all__ = [
    "Answers", "Arrived", "Budget", "Clients", "Declared", "Ended", "Failure", "Fetch", "Finished",
    "Group", "Inquiry", "Intake", "Loop", "Page", "PageStream", "build_request", "names_key",
    "owner_of",
]  # fmt: skip
