"""Confluent's metrics: a question in the body of a POST, its pages by a key of the query."""

import httpx

from tests.public_apis.serving import SECRET, Call, Case, answer, page

CONNECTION = {"key": "K1", "secret": SECRET}
POINTS = [
    {"timestamp": f"2025-12-01T0{n}:00:00Z", "value": 1.5 * n, "metric.topic": f"t{n % 2}"}
    for n in range(5)
]


class Fake:
    """Five points of one cluster; another has no metrics that the key may see."""

    def __call__(self, call: Call) -> httpx.Response:
        asked = call.json
        if asked["filter"]["value"] != "lkc-1" or asked["aggregations"] != [{"metric": "received"}]:
            return answer({"errors": [{"detail": "Resource not found"}]}, 404)
        rows, following = page(POINTS, int(call.query.get("page_token", "0")), 3)
        token = None if following is None else str(following)
        return answer({"data": rows, "meta": {"pagination": {"next_page_token": token}}})


FROM = "FROM confluent_metrics.cloud.points WHERE metric = 'received' AND cluster = "
CASES = {
    "by topic": Case(
        f"SELECT topic, sum(amount) {FROM} 'lkc-1' GROUP BY 1 ORDER BY 1",
        [("t0", 9.0), ("t1", 6.0)], requests=2,
    ),
    "a cluster that is not there is an error": Case(
        f"SELECT * {FROM} 'lkc-2'", error="Resource not found"
    ),
}  # fmt: skip
