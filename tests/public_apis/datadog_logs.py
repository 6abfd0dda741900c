"""Logs of Datadog: a search by POST with times, lists and numbers in its body, and a cursor."""

from datetime import datetime, timedelta, timezone
from typing import Any

import httpx

from tests.public_apis.serving import SECRET, Call, Case, answer, page

CONNECTION = {"api_key": SECRET, "app_key": SECRET}
START = datetime(2026, 3, 1, tzinfo=timezone.utc)
EVENTS: list[dict[str, Any]] = [
    {"id": f"e{n}", "attributes": {
        "timestamp": (START + timedelta(hours=n)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "status": ("error", "warn", "info")[n % 3], "bytes": n}}
    for n in range(24)
]  # fmt: skip


class Fake:
    """One line an hour of a day."""

    def __call__(self, call: Call) -> httpx.Response:
        assert not call.query
        if {call.headers.get("DD-API-KEY"), call.headers.get("DD-APPLICATION-KEY")} != {SECRET}:
            return answer({"errors": ["Forbidden"]}, 403)
        asked = call.json
        wanted = asked["filter"]
        if wanted["query"] != "*":
            return answer({"errors": [f"invalid query: {wanted['query']}"]}, 400)
        rows = [event for event in EVENTS if self.fits(event["attributes"], wanted)]
        start = int(asked["page"].get("cursor", "at-0").removeprefix("at-"))
        listed, following = page(rows, start, asked["page"]["limit"])
        meta = {} if following is None else {"page": {"after": f"at-{following}"}}
        return answer({"data": listed, "meta": meta})

    def fits(self, event: dict[str, Any], wanted: dict[str, Any]) -> bool:
        assert isinstance(wanted.get("statuses", []), list)
        assert isinstance(wanted.get("bytes", 0), int)
        return (
            wanted.get("from", "") <= event["timestamp"] < wanted.get("to", "3")
            and event["status"] in wanted.get("statuses", [event["status"]])
            and event["bytes"] == wanted.get("bytes", event["bytes"])
        )


CASES = {
    "all of them": Case("SELECT count(*) FROM datadog_logs.logs.events", [(24,)], requests=6),
    "between two times": Case(
        "SELECT id FROM datadog_logs.logs.events "
        "WHERE said_at >= '2026-03-01T03:00:00Z' AND said_at < '2026-03-01T06:00:00Z'",
        [("e3",), ("e4",), ("e5",)], requests=1,
    ),
    "of two kinds": Case(
        "SELECT count(*) FROM datadog_logs.logs.events WHERE status IN ('error', 'warn')",
        [(16,)], requests=4,
    ),
    "a number": Case("SELECT id FROM datadog_logs.logs.events WHERE bytes = 7", [("e7",)]),
    "an error in its own words": Case(
        "FROM datadog_logs.logs.events WHERE q = 'x:'", error="invalid query: x:"
    ),
}  # fmt: skip
