"""Airbyte: a token for a JSON body, lists by POST with the workspace and the page in the body."""

import httpx

from tests.public_apis.serving import SECRET, Call, Case, answer, page

CONNECTION = {"client_id": "app-1", "client_secret": SECRET}
WORKSPACES = [{"workspaceId": f"w{n}", "name": f"Team {n}"} for n in range(2)]
CONNECTIONS = {
    workspace["workspaceId"]: [
        {
            "connectionId": f"{workspace['workspaceId']}-c{n}",
            "status": "inactive" if n == 4 else "active",
        }
        for n in range(count)
    ]
    for workspace, count in zip(WORKSPACES, (5, 1), strict=True)
}


class Fake:
    """Two workspaces; numbers of the pagination must be numbers."""

    def __call__(self, call: Call) -> httpx.Response:
        assert call.request.method == "POST"
        asked = call.json
        if call.path == "/api/public/v1/applications/token":
            assert asked == {
                "client_id": "app-1", "client_secret": SECRET, "grant-type": "client_credentials"
            }  # fmt: skip
            assert "Authorization" not in call.headers
            return answer({"access_token": "tok-1", "token_type": "Bearer", "expires_in": 900_000})
        if call.headers.get("Authorization") != "Bearer tok-1":
            return answer({"message": "Unauthorized"}, 401)
        if call.path == "/api/v1/workspaces/list":
            assert asked == {}
            return answer({"workspaces": WORKSPACES})
        [workspace] = asked["workspaceIds"]
        if workspace not in CONNECTIONS:
            return answer({"message": f"Could not find workspace {workspace}"}, 422)
        start, size = asked["pagination"].get("rowOffset", 0), asked["pagination"]["pageSize"]
        return answer({"connections": page(CONNECTIONS[workspace], start, size)[0]})


CASES = {
    "every workspace is asked for": Case(
        "SELECT workspace_id, count(*), count(*) FILTER (status = 'inactive') "
        "FROM airbyte.config.connections GROUP BY ALL ORDER BY ALL",
        [("w0", 5, 1), ("w1", 1, 0)], requests=1 + 1 + 2 + 1,
    ),
    "one workspace, with the token of before": Case(
        "SELECT connection_id FROM airbyte.config.connections WHERE workspace_id = 'w1'",
        [("w1-c0",)], requests=1,
    ),
    "another workspace is another request": Case(
        "SELECT count(*) FROM airbyte.config.connections WHERE workspace_id IN ('w0', 'w1')",
        [(6,)], requests=3,
    ),
    "a workspace that does not exist": Case(
        "FROM airbyte.config.connections WHERE workspace_id = 'w9'",
        error="Could not find workspace w9",
    ),
}  # fmt: skip
