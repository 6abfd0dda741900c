"""Linear: GraphQL, with braces in the query, variables with types, and errors in a 200."""

from typing import Any

import httpx

from tests.public_apis.serving import SECRET, Call, Case, answer, page

CONNECTION = {"key": SECRET}
ISSUES: list[dict[str, Any]] = [
    {"id": f"i{n}", "title": f"Fix {n}", "assignee": {"name": "Ann"} if n % 4 else None}
    for n in range(11)
]


class Fake:
    """Eleven issues of OPS."""

    def __call__(self, call: Call) -> httpx.Response:
        assert call.headers["Authorization"] == SECRET
        assert call.json["query"].count("{") == call.json["query"].count("}") == 8
        variables = call.json["variables"]
        if variables["team"] != "OPS":
            said = f"Entity not found: Team {variables['team']}"
            return answer({"data": None, "errors": [{"message": said}]})
        assert isinstance(variables["first"], int)
        start = int(variables.get("after", "n0").removeprefix("n"))
        rows, following = page(ISSUES, start, variables["first"])
        info = {"hasNextPage": following is not None, "endCursor": f"n{start + len(rows)}"}
        return answer({"data": {"issues": {"nodes": rows, "pageInfo": info}}})


CASES = {
    "every page": Case(
        "SELECT count(*), count(assignee), max(title) FROM linear.issues.issues WHERE team = 'OPS'",
        [(11, 8, "Fix 9")], requests=3,
    ),
    "an error in a 200": Case(
        "FROM linear.issues.issues WHERE team = 'NO'", error="Entity not found: Team NO"
    ),
}  # fmt: skip
