"""Datadog: two keys in headers, pages from 0, seconds and milliseconds since 1970."""

from datetime import datetime, timezone
from typing import Any

import httpx

from tests.public_apis.serving import SECRET, Call, Case, answer

CONNECTION = {"api_key": SECRET, "application_key": SECRET}
NOON = 1764590400  # 2025-12-01 12:00 UTC
MONITORS = [
    {"id": n, "name": f"m{n}", "overall_state": "Alert" if n == 2 else "OK",
     "created": f"2025-11-0{n}T00:00:00.000000+00:00", "modified_ms": NOON * 1000 + n}
    for n in (1, 2, 3)
]  # fmt: skip
EVENTS: list[dict[str, Any]] = [
    {"id": n, "title": f"e{n}", "date_happened": NOON + 60 * n} for n in range(6)
]


class Fake:
    """Three monitors on two pages, and an event a minute."""

    def __call__(self, call: Call) -> httpx.Response:
        keys = {call.headers.get("DD-API-KEY"), call.headers.get("DD-APPLICATION-KEY")}
        if keys != {SECRET}:
            return answer({"errors": ["Forbidden"]}, 403)
        asked = call.query
        if call.path == "/api/v1/monitor":
            start = int(asked["page"]) * int(asked["page_size"])
            return answer(MONITORS[start : start + int(asked["page_size"])])
        start, end = int(asked.get("start", 0)), int(asked.get("end", NOON * 2))
        return answer({"events": [e for e in EVENTS if start <= e["date_happened"] <= end]})


CASES = {
    "monitors of both pages": Case(
        "SELECT name, state, epoch_ms(modified) FROM datadog.monitors.monitors ORDER BY id",
        [("m1", "OK", NOON * 1000 + 1), ("m2", "Alert", NOON * 1000 + 2),
         ("m3", "OK", NOON * 1000 + 3)],
        requests=2,
    ),
    "a window reaches the API, and no more rows come out than are in it": Case(
        "SELECT title, happened FROM datadog.monitors.events "
        "WHERE happened > '2025-12-01 12:02+00' AND happened <= '2025-12-01 12:03+00'",
        [("e3", datetime(2025, 12, 1, 12, 3, tzinfo=timezone.utc))],
    ),
}  # fmt: skip
