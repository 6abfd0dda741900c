"""Methods and arguments → pages of rows, over HTTP: requests, paging, fan-out."""

from connstat_sql.fetch.clients import Clients
from connstat_sql.fetch.configurations import owner_of
from connstat_sql.fetch.declared_secrets import Declared, Inquiry, names_key
from connstat_sql.fetch.pages import Failure, Page
from connstat_sql.fetch.request import Fetch, build_request
from connstat_sql.fetch.responses import Answers, Budget
from connstat_sql.fetch.scan_run import Arrived, Ended, Finished, Group
from connstat_sql.fetch.stream import Intake, Loop, PageStream

__all__ = [
    "Answers", "Arrived", "Budget", "Clients", "Declared", "Ended", "Failure", "Fetch", "Finished",
    "Group", "Inquiry", "Intake", "Loop", "Page", "PageStream", "build_request", "names_key",
    "owner_of",
]  # fmt: skip
