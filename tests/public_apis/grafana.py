"""Grafana: pages from 1 that end with an empty one, milliseconds, and 0 for never."""

from datetime import datetime, timezone
from typing import Any

import httpx

from tests.public_apis.serving import SECRET, Call, Case, answer

CONNECTION = {"token": SECRET}
BOARDS = [{"uid": f"u{n}", "title": f"Board {n}", "tags": ["prod"] * (n % 2)} for n in range(4)]
START = 1764590400000
MARKS: list[dict[str, Any]] = [
    {"id": n, "text": f"deploy {n}", "time": START + 60_000 * n, "timeEnd": 0 if n == 2 else START}
    for n in range(3)
]


class Fake:
    """Four dashboards and three annotations."""

    def __call__(self, call: Call) -> httpx.Response:
        if call.headers.get("Authorization") != f"Bearer {SECRET}":
            return answer({"message": "Invalid API key"}, 401)
        asked = call.query
        if call.path == "/api/annotations":
            low, high = int(asked.get("from", 0)), int(asked.get("to", START * 2))
            return answer([mark for mark in MARKS if low <= mark["time"] <= high])
        size = int(asked["limit"])
        start = (int(asked["page"]) - 1) * size
        return answer(BOARDS[start : start + size])


CASES = {
    "dashboards by tag": Case(
        "SELECT uid FROM grafana.search.dashboards WHERE list_contains(tags, 'prod') ORDER BY uid",
        [("u1",), ("u3",)], requests=3,
    ),
    "an open annotation of a window": Case(
        "SELECT text, begun FROM grafana.search.annotations "
        "WHERE begun BETWEEN '2025-12-01 12:01+00' AND '2025-12-01 12:30+00' AND ended IS NULL",
        [("deploy 2", datetime(2025, 12, 1, 12, 2, tzinfo=timezone.utc))],
    ),
}  # fmt: skip
