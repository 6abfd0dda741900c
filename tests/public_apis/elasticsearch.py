"""Elasticsearch: a search by POST, whose next page begins after the last hit's sort values."""

from typing import Any

import httpx

from tests.public_apis.serving import SECRET, Call, Case, answer, page

CONNECTION = {"api_key": SECRET}
LARGE = 2**53
LINES: list[dict[str, Any]] = [
    {"_id": f"l{n:02}", "_source": {"message": f"m{n}", "bytes": LARGE + n // 2},
     "sort": [LARGE + n // 2, f"l{n:02}"]} for n in range(15)
]  # fmt: skip


class Fake:
    """Fifteen lines; numbers must come back as they were sent, beyond what a double holds."""

    def __call__(self, call: Call) -> httpx.Response:
        assert call.headers.get("Authorization") == f"ApiKey {SECRET}"
        assert (call.request.method, call.path) == ("POST", "/logs/_search")
        asked = call.json
        level, least = asked["query"]["bool"]["filter"]
        if level["term"]["level"] != "error":
            return answer({"error": {"reason": "no such level here"}}, 400)
        matching = [line for line in LINES if line["sort"][0] >= least["range"]["bytes"]["gte"]]
        ordered = sorted(matching, key=lambda line: (-line["sort"][0], line["sort"][1]))
        start = 0
        if "search_after" in asked:
            start = [line["sort"] for line in ordered].index(asked["search_after"]) + 1
        rows, _ = page(ordered, start, asked["size"])
        return answer({"took": 1, "hits": {"hits": rows}})


CASES = {
    "every page, and an empty one after the last that is full": Case(
        "SELECT count(*), count(DISTINCT id), max(bytes) FROM elasticsearch.search.logs "
        "WHERE index = 'logs'",
        [(15, 15, LARGE + 7)], requests=4,
    ),
    "a number in the body": Case(
        "SELECT message FROM elasticsearch.search.logs WHERE index = 'logs' AND least = 1000",
        [(f"m{n}",) for n in (14, 12, 13, 10, 11, 8, 9, 6, 7, 4, 5, 2, 3, 0, 1)], requests=4,
    ),
    "an error in its own words": Case(
        "FROM elasticsearch.search.logs WHERE index = 'logs' AND level = 'info'",
        error="no such level here",
    ),
}  # fmt: skip
