"""Prometheus: numbers as texts, a year 1 for never, errors in a body of their own."""

from datetime import datetime, timezone

import httpx

from tests.public_apis.serving import SECRET, Call, Case, answer

CONNECTION = {"username": "ops", "password": SECRET}
SERIES = [
    {"metric": {"__name__": "up", "job": job}, "value": [1764590400.123, value]}
    for job, value in (("api", "1"), ("db", "0"))
]


class Fake:
    """Two series of `up`, and two alerts, one of which has not been active."""

    def __call__(self, call: Call) -> httpx.Response:
        if call.path == "/api/v1/alerts":
            never, since = "0001-01-01T00:00:00Z", "2026-11-30T08:00:00.5+01:00"
            alerts = [
                {"labels": {"alertname": name}, "state": state, "activeAt": at, "value": "1e+00"}
                for name, state, at in (("Down", "firing", since), ("Slow", "pending", never))
            ]
            return answer({"status": "success", "data": {"alerts": alerts}})
        if call.query["query"] != "up":
            return answer({"status": "error", "error": "parse error: unexpected end"}, 400)
        result = {"resultType": "vector", "result": SERIES}
        return answer({"status": "success", "data": result})


CASES = {
    "series by label": Case(
        "SELECT labels['job'], CAST(sample->>1 AS DOUBLE) FROM prometheus.api.samples "
        "WHERE query = 'up' ORDER BY 1",
        [("api", 1.0), ("db", 0.0)],
    ),
    "never is NULL": Case(
        "SELECT name, active_at, value FROM prometheus.api.alerts ORDER BY name",
        [
            ("Down", datetime(2026, 11, 30, 7, 0, 0, 500000, tzinfo=timezone.utc), 1.0),
            ("Slow", None, 1.0),
        ],
    ),
    "an expression that cannot be": Case(
        "FROM prometheus.api.samples WHERE query = 'up{'", error="parse error: unexpected end"
    ),
}
