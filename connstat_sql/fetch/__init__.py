"""Methods and arguments → pages of rows, over HTTP: requests, paging, fan-out."""

from connstat_sql.fetch.clients import Clients
from connstat_sql.fetch.configurations import owner_of
from connstat_sql.fetch.declared_secrets import DeclaredSecrets, Inquiry, names_key
from connstat_sql.fetch.pages import FailedFetch, Page
from connstat_sql.fetch.request import Fetch, build_request
from connstat_sql.fetch.responses import RequestBudget, Responses
from connstat_sql.fetch.scan_run import Arrived, Ended, FetchGroup, Finished
from connstat_sql.fetch.stream import Intake, Loop, PageStream

__all__ = [
    "Arrived",
    "Clients",
    "DeclaredSecrets",
    "Ended",
    "FailedFetch",
    "Fetch",
    "FetchGroup",
    "Finished",
    "Inquiry",
    "Intake",
    "Loop",
    "Page",
    "PageStream",
    "RequestBudget",
    "Responses",
    "build_request",
    "names_key",
    "owner_of",
]  # fmt: skip
