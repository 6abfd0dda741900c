"""`BoundQuery` → `Plan`: which methods are asked for which arguments, in which order."""

from connstat_sql.planner.explain import as_document, as_text
from connstat_sql.planner.planning import plan
from connstat_sql.planner.questions import refusal
from connstat_sql.planner.values import CONNECTION, Constant, FromScan, Placement, Plan, Scan

__all__ = [
    "CONNECTION", "Constant", "FromScan", "Placement", "Plan", "Scan", "as_document", "as_text",
    "plan", "refusal",
]  # fmt: skip
