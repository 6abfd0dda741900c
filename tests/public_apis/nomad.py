"""Nomad: the next token in a header, nanoseconds since 1970."""

from datetime import datetime, timezone

import httpx

from tests.public_apis.serving import SECRET, Call, Case, answer, page

CONNECTION = {"token": SECRET}
JOBS = [
    {"ID": f"job-{n}", "Status": "dead" if n == 1 else "running",
     "SubmitTime": 1764590400_123456789 + n}
    for n in range(5)
]  # fmt: skip


class Fake:
    """Five jobs, two a page."""

    def __call__(self, call: Call) -> httpx.Response:
        if call.headers.get("X-Nomad-Token") != SECRET:
            return httpx.Response(403, text="Permission denied")
        start = int(call.query.get("next_token", "0"))
        rows, following = page(JOBS, start, int(call.query["per_page"]))
        if following is None:
            return answer(rows)
        return answer(rows, X_Nomad_NextToken=str(following))


CASES = {
    "all jobs": Case(
        "SELECT count(*), count(*) FILTER (status = 'dead'), min(submitted) FROM nomad.jobs.jobs",
        [(5, 1, datetime(2025, 12, 1, 12, 0, 0, 123456, tzinfo=timezone.utc))], requests=3,
    ),
}  # fmt: skip
