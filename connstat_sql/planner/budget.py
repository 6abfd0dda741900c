"""Whether a plan is within the requests that are allowed, as far as its own are known."""

from __future__ import annotations

from connstat_sql.errors import PlanError
from connstat_sql.planner.model import Plan, Scan


def _least(plan: Plan, scan: Scan) -> int:
    """How many requests a scan is sure to need, as far as that is known; one may be enough."""
    expected = plan.expected(scan) or 0
    return expected if scan.access_paths[0].limit is None else min(expected, 1)


def check_budget(plan: Plan) -> None:
    """Raise PlanError when the requests that are known already exceed the budget."""
    known = sum(_least(plan, scan) for scan in plan.scans)
    if known <= plan.max_requests:
        return
    worst = max(plan.scans, key=lambda scan: scan.expected_requests or 0)
    span = next((p.table.mention.span for p in plan.placements if p.scan == worst.name), None)
    raise PlanError(
        f"this needs at least {known:,} requests, {worst.expected_requests:,} of them for "
        f"{worst.resource.table}; the budget is {plan.max_requests:,}",
        sql=plan.query.statement.sql,
        span=span,
        hint=f"give fewer values, or raise it:  --max-requests {known}",
    )
