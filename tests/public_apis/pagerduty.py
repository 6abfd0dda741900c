"""PagerDuty: offsets with a flag, a filter that may be there several times, errors in a list."""

import httpx

from tests.public_apis.serving import SECRET, Call, Case, answer, page

CONNECTION = {"token": SECRET}
STATES = ("triggered", "acknowledged", "resolved", "resolved")
INCIDENTS = [{"id": f"P{n}", "status": STATES[n % 4], "title": f"Lag {n}"} for n in range(250)]


class Fake:
    """Two hundred and fifty incidents; `statuses[]` is the one key that may come twice."""

    def __call__(self, call: Call) -> httpx.Response:
        if call.headers.get("Authorization") != f"Token token={SECRET}":
            return answer({"error": {"message": "Unauthorized", "code": 2006}}, 401)
        assert call.headers["Accept"] == "application/vnd.pagerduty+json;version=2"
        asked = call.request.url.params
        assert asked["date_range"] == "all"
        wanted = asked.get_list("statuses[]")
        if set(wanted) - set(STATES):
            words = {"message": "Invalid Input Provided", "errors": [f"Statuses: {wanted[0]}"]}
            return answer({"error": words}, 400)
        rows = [incident for incident in INCIDENTS if not wanted or incident["status"] in wanted]
        start = int(asked.get("offset", "0"))
        listed, following = page(rows, start, int(asked["limit"]))
        return answer({"incidents": listed, "offset": start, "more": following is not None})


CASES = {
    "all of them": Case(
        "SELECT status, count(*) FROM pagerduty.incidents.incidents GROUP BY ALL ORDER BY ALL",
        [("acknowledged", 63), ("resolved", 124), ("triggered", 63)], requests=3,
    ),
    "those that are open": Case(
        "SELECT count(*), min(title) FROM pagerduty.incidents.incidents "
        "WHERE status IN ('triggered', 'acknowledged')",
        [(126, "Lag 0")], requests=2,
    ),
    "a state that is none": Case(
        "FROM pagerduty.incidents.incidents WHERE status = 'open'", error="Statuses: open"
    ),
}  # fmt: skip
