"""Cloudflare: the number of pages in the body, so that they are asked for side by side."""

from typing import Any

import httpx

from tests.public_apis.serving import SECRET, Call, Case, answer

CONNECTION = {"token": SECRET}
ZONES: list[dict[str, Any]] = [
    {"id": f"z{n}", "name": f"shop{n}.example", "paused": n == 6} for n in range(12)
]
RECORDS: list[dict[str, Any]] = [
    {"name": "www", "type": "A", "modified_on": "2025-12-01T12:00:00.123456789Z"}
]


class Fake:
    """Twelve zones of one record each."""

    def __call__(self, call: Call) -> httpx.Response:
        if call.headers.get("Authorization") != f"Bearer {SECRET}":
            return answer({"success": False, "errors": [{"message": "Invalid token"}]}, 403)
        asked, rows = call.query, ZONES
        if call.path != "/client/v4/zones":
            rows = RECORDS
        elif "name" in asked:
            rows = [zone for zone in ZONES if zone["name"] == asked["name"]]
        size, number = int(asked["per_page"]), int(asked["page"])
        info = {"page": number, "total_pages": -(-len(rows) // size)}
        shown = rows[(number - 1) * size : number * size]
        return answer({"success": True, "result": shown, "result_info": info})


CASES = {
    "all zones": Case("SELECT count(*), count(*) FILTER (paused) FROM cloudflare.zones.zones",
                      [(12, 1)], requests=3),
    "records of a zone by its domain": Case(
        "SELECT r.name, r.type, microsecond(r.modified_on) FROM cloudflare.zones.zones AS z "
        "JOIN cloudflare.zones.records AS r ON r.zone_id = z.id WHERE z.name = 'shop7.example'",
        [("www", "A", 123456)], requests=2,
    ),
}  # fmt: skip
