"""Jenkins: a tree in the query that is no template, milliseconds, HTML for errors."""

from typing import Any

import httpx

from tests.public_apis.serving import SECRET, Call, Case, answer

CONNECTION = {"user": "ops", "token": SECRET}
JOBS: dict[str, list[Any]] = {"deploy": ["SUCCESS", None], "test it": ["FAILURE"]}


class Fake:
    """Two jobs; the name of one holds a blank."""

    def __call__(self, call: Call) -> httpx.Response:
        if call.path == "/api/json":
            assert call.query["tree"] == "jobs[name,color]"
            return answer({"jobs": [{"name": name, "color": "blue"} for name in JOBS]})
        results = JOBS.get(call.path.split("/")[2])
        if results is None:
            return httpx.Response(404, text="<html><h1>Not Found</h1></html>")
        builds = [
            {"number": n, "result": result, "timestamp": 1764590400000 + n}
            for n, result in enumerate(results, 1)
        ]
        return answer({"builds": builds})


CASES = {
    "builds of every job": Case(
        "SELECT job, number, result, epoch_ms(started) FROM jenkins.builds.builds ORDER BY ALL",
        [("deploy", 1, "SUCCESS", 1764590400001), ("deploy", 2, None, 1764590400002),
         ("test it", 1, "FAILURE", 1764590400001)],
        requests=3,
    ),
    "a web page is no missing job": Case(
        "FROM jenkins.builds.builds WHERE job = 'gone'", error="404"
    ),
}  # fmt: skip
