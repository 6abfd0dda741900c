"""A plan in words, for people and for machines: the very plan that runs."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from connstat_sql.planner.values import CONNECTION, Plan, Scan

SHOWN_VALUES = 20


def as_text(plan: Plan) -> str:
    """The plan as lines of text."""
    lines = []
    for number, scan in enumerate(plan.scans, 1):
        lines.append(f"{number}. {scan.resource.table}  by {scan.method.name}: {scan.reason}")
        lines.append(f"     {scan.method.verb} {scan.method.base_url or ''}{scan.method.path}")
        lines += [f"     {line}" for line in _binding_lines(scan)]
        lines += [
            f"     {one.column} passed on as {one.key} = {', '.join(values)} (inexact)"
            for one, values in scan.filters
        ]
        lines.append(f"     columns: {', '.join(scan.columns) or '(none)'}")
        lines.append(f"     requests: {_requests(scan)}")
    total = _total(plan)
    at_least = "" if total["at_most"] is not None else "at least "
    expected = total["expected"] if total["expected"] is not None else _known(plan)
    lines.append(f"requests: {at_least}{expected} of {plan.max_requests:,} allowed")
    lines.append("DuckDB evaluates every predicate again. Nothing was sent.")
    return "\n".join(lines)


def as_document(plan: Plan) -> dict[str, Any]:
    """The plan as the JSON document of `connstat explain -F json`."""
    return {
        "statement": plan.query.statement.sql,
        "complete": True,
        "scans": [_scan_document(scan) for scan in plan.scans],
        "requests": {**_total(plan), "budget": plan.max_requests},
    }


def _scan_document(scan: Scan) -> dict[str, Any]:
    at_most = None if scan.method.paging else scan.expected_requests
    return {
        "name": scan.name,
        "table": str(scan.resource.table),
        "connection": sorted(_values(scan, CONNECTION) or ()) or None,
        "method": scan.method.name,
        "bindings": [_binding(scan, name) for name in scan.arguments if name != CONNECTION],
        "pushdown": [
            {"column": one.column, "key": one.key, "values": list(values), "exact": False}
            for one, values in scan.filters
        ],
        "depends_on": list(scan.depends_on),
        "requests": {"expected": scan.expected_requests, "at_most": at_most},
        "reason": scan.reason,
    }


def _binding(scan: Scan, name: str) -> dict[str, Any]:
    for source in scan.sources:
        for ours, theirs in source.supplies:
            if ours == name:
                return {"param": name, "source": f"{source.scan}.{theirs}", "values": None}
    values = _values(scan, name)
    return {"param": name, "source": "constant", "values": list(values) if values else []}


def _binding_lines(scan: Scan) -> list[str]:
    lines = []
    tuples = _tuples(scan)
    if tuples:
        names = [name for name in scan.constant.columns if name in scan.arguments]
        lines.append(f"({', '.join(names)}) in {_shown(tuples)}")
    for name in scan.arguments:
        binding = _binding(scan, name)
        if binding["values"] is None:
            lines.append(f"{name} from {binding['source']}")
        elif binding["values"] and not tuples:
            lines.append(f"{name} = {_shown(binding['values'])}")
    return lines


def _tuples(scan: Scan) -> list[str]:
    """The constant tuples, where they are not simply all combinations of their values."""
    counts = [len(set(values)) for values in zip(*scan.constant.rows, strict=True)]
    if prod(counts) == len(scan.constant.rows):
        return []
    return [f"({', '.join(row)})" for row in scan.constant.rows]


def _shown(values: Sequence[str]) -> str:
    more = f", … {len(values) - SHOWN_VALUES} more" if len(values) > SHOWN_VALUES else ""
    return ", ".join(values[:SHOWN_VALUES]) + more


def _values(scan: Scan, name: str) -> tuple[str, ...] | None:
    if name not in scan.constant.columns:
        return None
    place = scan.constant.columns.index(name)
    return tuple(dict.fromkeys(row[place] for row in scan.constant.rows))


def _requests(scan: Scan) -> str:
    if scan.expected_requests is None:
        return f"one for each row of {' and '.join(scan.depends_on)}"
    if scan.method.paging and scan.expected_requests:
        return (
            f"{scan.expected_requests}, and one for each further page of {scan.method.paging.size}"
        )
    return str(scan.expected_requests)


def _known(plan: Plan) -> int:
    return sum(scan.expected_requests or 0 for scan in plan.scans)


def _total(plan: Plan) -> dict[str, int | None]:
    expected = [scan.expected_requests for scan in plan.scans]
    known = None if None in expected else sum(one or 0 for one in expected)
    is_paged = any(scan.method.paging and scan.expected_requests != 0 for scan in plan.scans)
    return {"expected": known, "at_most": None if is_paged else known}
