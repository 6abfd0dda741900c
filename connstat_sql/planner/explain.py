"""A plan in words, for people and for machines: the very plan that runs."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from connstat_sql.definitions.model import TableName
from connstat_sql.planner.model import CONNECTION, AccessPath, Constant, Instead, Plan, Scan

SHOWN_VALUES = 20


def as_text(plan: Plan) -> str:
    """The plan as lines of text."""
    lines = []
    for number, scan in enumerate(plan.scans, 1):
        methods = [access_path.method for access_path in scan.access_paths]
        names = " or ".join(method.name for method in methods)
        lines.append(f"{number}. {scan.resource.table}  by {names}: {_reason(scan, plan)}")
        asked = dict.fromkeys(f"{m.verb} {m.base_url or ''}{m.path}" for m in methods)
        lines += [f"     {line}" for line in (*asked, *_binding_lines(scan, plan))]
        lines += [
            f"     {filter_.column} passed on as {filter_.key} = {', '.join(values)} (inexact)"
            for filter_, values in scan.access_paths[0].filters
        ]
        lines += [f"     {line}" for line in _older_lines(scan, plan)]
        lines += [
            f"     {_stop(access_path)}"
            for access_path in scan.access_paths
            if access_path.limit is not None
        ]
        lines += [f"     {why}" for why in _no_stop(scan, plan)]
        lines += [f"     {_other_path(instead, plan)}" for instead in scan.instead]
        lines += [f"     {line}" for line in _begins(scan)]
        lines.append(f"     columns: {', '.join(scan.columns) or '(none)'}")
        lines.append(f"     requests: {_requests(scan, plan)}")
        lines += [f"     {line}" for line in _confirmed(scan, plan)]
        lines += [
            f"     may ask {table} once for each {setting}: what plugins declare secret in {column}"
            for table, setting, column in _tables_aside(scan, plan)
        ]
        lines += [f"     {line}" for line in _cache_lines(scan, plan)]
    total = _total(plan)
    at_least = "" if total["at_most"] is not None else "at least "
    expected = sum(plan.expected(scan) or 0 for scan in plan.scans)
    lines.append(f"requests: {at_least}{expected} of {plan.max_requests:,} allowed")
    if plan.defects:
        lines.append(f"defects: {len(plan.defects)}, please report them: {plan.defects[0]}")
    lines.append("DuckDB evaluates every predicate again. Nothing was sent.")
    return "\n".join(lines)


def as_document(plan: Plan) -> dict[str, Any]:
    """The plan as the JSON document of `connstat explain -F json`."""
    return {
        "statement": plan.query.statement.written,
        "complete": True,
        "scans": [_scan_document(scan, plan) for scan in plan.scans],
        "requests": {**_total(plan), "budget": plan.max_requests},
        "defects": list(plan.defects),
    }


def _scan_document(scan: Scan, plan: Plan) -> dict[str, Any]:
    expected = plan.expected(scan)
    at_most = None if _may_need_more(scan, plan) else expected
    return {
        "name": scan.name,
        "table": str(scan.resource.table),
        "connection": sorted(_values(scan.constants, CONNECTION) or ()) or None,
        "method": scan.method.name,
        "methods": [method.name for method in scan.methods],
        "bindings": [_binding(scan, name) for name in _arguments(scan) if name != CONNECTION],
        "pushdown": [
            {
                "column": filter_.column,
                "key": str(filter_.key),
                "values": list(values),
                "exact": False,
            }
            for filter_, values in scan.access_paths[0].filters
        ],
        "fallback": list(scan.method.fallback),
        "older_servers": {name: plan.versions[name] for name in plan.older(scan)},
        "limit": scan.access_paths[0].limit,
        "depends_on": list(scan.depends_on),
        "streams": scan.streams and bool(scan.depends_on),
        "requests": {"expected": expected, "at_most": at_most},
        "may_ask": [str(table) for table, _, _ in _tables_aside(scan, plan)],
        "cache": _cache_document(scan, plan),
        "reason": _reason(scan, plan),
    }


def _may_need_more(scan: Scan, plan: Plan) -> bool:
    """Whether it may need more requests than it is expected to."""
    is_open = scan.method.paging is not None or scan.name in plan.secrets or plan.older(scan)
    return plan.expected(scan) != 0 and bool(is_open)


def _tables_aside(scan: Scan, plan: Plan) -> list[tuple[TableName, str, str]]:
    """Tables that tell what is secret in its rows: each with the setting and the column."""
    if plan.expected(scan) == 0:
        return []
    columns = (scan.resource.column(name) for name in plan.secrets.get(scan.name, ()))
    return [
        (c.secret_keys.table, c.secret_keys.setting, c.name) for c in columns if c and c.secret_keys
    ]


def _begins(scan: Scan) -> list[str]:
    """When a scan begins that cannot begin at once."""
    sources = dict.fromkeys((*scan.depends_on, *scan.reuses))
    names = " and ".join(name.replace("_", " ") for name in sources)
    if not sources:
        return []
    if scan.streams and not scan.reuses:
        return [f"begins with the first rows of {names}"]
    return [f"begins when {names} {'has' if len(sources) == 1 else 'have'} ended"]


def _cache_document(scan: Scan, plan: Plan) -> dict[str, Any] | None:
    """What kept rows answer; None where none are asked for, or the arguments are not known yet."""
    cached = plan.cached.get(scan.name)
    if cached is None:
        return None
    return {"fetches": cached.fetches, "kept": cached.kept, "oldest_seconds": cached.oldest}


def _cache_lines(scan: Scan, plan: Plan) -> list[str]:
    cached = plan.cached.get(scan.name)
    if cached is None:
        return []
    if cached.oldest is None:
        return [f"kept rows: for none of {cached.fetches:,} fetches"]
    return [
        f"kept rows: for {cached.kept:,} of {cached.fetches:,} fetches, "
        f"up to {cached.oldest:,.0f} s old"
    ]


def _confirmed(scan: Scan, plan: Plan) -> list[str]:
    """What is asked where a list has no rows, or its server had failed."""
    if plan.expected(scan) == 0:
        return []
    paths = dict.fromkeys(method.confirm_empty for method in scan.methods if method.confirm_empty)
    return [f"a list in doubt asks GET {path}, and once more" for path in paths]


def _older_lines(scan: Scan, plan: Plan) -> list[str]:
    """What servers are asked that are too old for a method: those that are known to be, and any."""
    lines = [
        f"{name} is {plan.versions[name]}, before {scan.method.since}: {scan.method.in_its_place}"
        for name in plan.older(scan)
    ]
    by = {
        access_path.method.name: access_path.method
        for access_path in scan.access_paths
        if access_path.method.fallback
    }
    return lines or [
        f"a server before {method.since}: {method.in_its_place}, in place of {method.name}"
        for method in by.values()
    ]


def _other_path(instead: Instead, plan: Plan) -> str:
    words = [
        source_in_words(words, plan) for source in instead.sources for _, words in source.bound
    ]
    parents = " and ".join(dict.fromkeys(words))
    return f"or by {instead.access_path.method.name}, for each {parents}, where these are far fewer"


def _reason(scan: Scan, plan: Plan) -> str:
    if scan.name in plan.free:
        return "an earlier scan asks the same"
    if scan.looks:
        return "a look at how many there are, where much can be saved"
    if len(scan.access_paths) > 1:
        return f"{scan.reason}; whichever asks less once the values are counted"
    return scan.reason


def _stop(access_path: AccessPath) -> str:
    asked = ", ".join(f"{key}={value}" for key, value in access_path.order)
    return f"stops after {access_path.limit} rows" + (
        f", sorted by the API: {asked}" if asked else ""
    )


def _no_stop(scan: Scan, plan: Plan) -> list[str]:
    """Why LIMIT does not stop the paging."""
    accesses = [u for p in plan.placements if p.scan == scan.name for u in p.table.accesses]
    if scan.access_paths[0].limit is not None or scan.method.paging is None:
        return []
    if len(accesses) == 1 and accesses[0].limit is not None and accesses[0].order is not None:
        return [f"ORDER BY {accesses[0].order[0]} needs all pages: the API cannot sort by it here"]
    return []


def _arguments(scan: Scan) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(name for access_path in scan.access_paths for name in access_path.arguments)
    )


def _binding(scan: Scan, name: str) -> dict[str, Any]:
    words = [dict(source.bound)[name] for source in scan.sources if name in dict(source.bound)]
    if words:
        return {"param": name, "source": " and ".join(dict.fromkeys(words)), "values": None}
    values = _values(scan.constants, name)
    return {"param": name, "source": "constant", "values": list(values) if values else []}


def source_in_words(words: str, plan: Plan) -> str:
    """Where a bound value comes from: a column of a scan is told with its table."""
    name, _, column = words.partition(".")
    scan = next((scan for scan in plan.scans if scan.name == name), None)
    if scan is None:
        return words
    return f"{scan.resource.table}.{column} (scan {plan.scans.index(scan) + 1})"


def _binding_lines(scan: Scan, plan: Plan) -> list[str]:
    lines = []
    constants = scan.constants
    tuples = _tuples(constants)
    if tuples:
        lines.append(f"({', '.join(constants.columns)}) in {_shown(tuples)}")
    for name in _arguments(scan):
        binding = _binding(scan, name)
        if binding["values"] is None:
            sources = " and ".join(
                source_in_words(words, plan) for words in binding["source"].split(" and ")
            )
            lines.append(f"{name} from {sources}")
        elif binding["values"] and not tuples:
            lines.append(f"{name} = {_shown(binding['values'])}")
    return lines


def _tuples(constants: Constant) -> list[str]:
    """The constant tuples, where they are not simply all combinations of their values."""
    counts = [len(set(values)) for values in zip(*constants.rows, strict=True)]
    if prod(counts) == len(constants.rows):
        return []
    return [f"({', '.join(row)})" for row in constants.rows]


def _shown(values: Sequence[str]) -> str:
    more = f", … {len(values) - SHOWN_VALUES} more" if len(values) > SHOWN_VALUES else ""
    return ", ".join(values[:SHOWN_VALUES]) + more


def _values(constants: Constant, name: str) -> tuple[str, ...] | None:
    if name not in constants.columns:
        return None
    place = constants.columns.index(name)
    return tuple(dict.fromkeys(row[place] for row in constants.rows))


def _requests(scan: Scan, plan: Plan) -> str:
    expected = plan.expected(scan)
    if expected is None:
        words = " or ".join(
            dict.fromkeys(_for_each(access_path, scan) for access_path in scan.access_paths)
        )
        if any(source.is_product for source in scan.sources):
            words += ": every combination, for nothing ties the sources of these values"
        return words
    if scan.name in plan.free:
        return "0"
    if plan.older(scan):
        return f"at least {expected}, and more for each row of an older server"
    if scan.method.paging and expected and scan.access_paths[0].limit is None:
        return f"{expected}, and one for each further page of {scan.method.paging.size}"
    return str(expected)


def _for_each(access_path: AccessPath, scan: Scan) -> str:
    bound = {name for source in scan.sources for name, _ in source.bound}
    asked = [name for name in access_path.method.required if name in bound]
    if not asked:
        return str(len(scan.constants.rows) or 1)
    return f"one for each {asked[0] if len(asked) == 1 else '(' + ', '.join(asked) + ')'}"


def _total(plan: Plan) -> dict[str, int | None]:
    expected = [plan.expected(scan) for scan in plan.scans]
    known = None if None in expected else sum(count or 0 for count in expected)
    is_paged = any(
        (scan.method.paging and plan.expected(scan) != 0 and scan.access_paths[0].limit is None)
        or plan.older(scan)
        or (plan.expected(scan) != 0 and scan.name in plan.secrets)
        for scan in plan.scans
    )
    return {"expected": known, "at_most": None if is_paged else known}
