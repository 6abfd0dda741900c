"""`BoundQuery` → `Plan`: which methods are asked for which arguments, in which order."""

from connstat_sql.definitions.segments import refusal
from connstat_sql.planner.cost import UNKNOWN_PAGES, pages_of
from connstat_sql.planner.explain import as_document, as_text, source_in_words
from connstat_sql.planner.model import (
    CONNECTION,
    AccessPath,
    ArgumentSource,
    Cached,
    Constant,
    Instead,
    Placement,
    Plan,
    Scan,
    mention_table,
    projected,
    scan_table,
)
from connstat_sql.planner.plan import check_budget, plan
from connstat_sql.planner.secrets import declared_columns, secret_columns

__all__ = [
    "CONNECTION",
    "UNKNOWN_PAGES",
    "AccessPath",
    "ArgumentSource",
    "Cached",
    "Constant",
    "Instead",
    "Placement",
    "Plan",
    "Scan",
    "as_document",
    "as_text",
    "check_budget",
    "declared_columns",
    "mention_table",
    "pages_of",
    "plan",
    "projected",
    "refusal",
    "scan_table",
    "secret_columns",
    "source_in_words",
]  # fmt: skip
