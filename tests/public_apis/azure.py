"""Azure: a token for a scope, a version in the query of every page, whole links to the next one."""

from urllib.parse import parse_qs

import httpx

from tests.public_apis.serving import SECRET, Call, Case, answer, page

CONNECTION = {"tenant": "t-1", "client_id": "app", "client_secret": SECRET,
              "trusted_hosts": ["login.azure.test"]}  # fmt: skip
GROUPS = [
    {"id": f"/subscriptions/s1/resourceGroups/g{n}", "name": f"g{n}", "location": "westeurope",
     **({"tags": {"team": "data"}} if n == 1 else {})}
    for n in range(3)
]  # fmt: skip


class Fake:
    """Three groups of s1; a link holds the version and a token that needs percent encoding."""

    def __call__(self, call: Call) -> httpx.Response:
        if call.path == "/t-1/oauth2/v2.0/token":
            asked = parse_qs(call.request.content.decode())
            assert asked["grant_type"] == ["client_credentials"]
            if asked["client_secret"] != [SECRET]:
                return answer({"error": "invalid_client", "error_description": "No"}, 401)
            assert asked["scope"] == ["https://management.azure.test/.default"]
            return answer({"token_type": "Bearer", "expires_in": 3599, "access_token": "eyJ-1"})
        assert call.headers["Authorization"] == "Bearer eyJ-1"
        assert call.query["api-version"] == "2021-04-01"
        if call.path != "/subscriptions/s1/resourcegroups":
            error = {"code": "SubscriptionNotFound", "message": "The subscription was not found."}
            return answer({"error": error}, 404)
        start = int(call.query.get("$skiptoken", "a/+0")[3:])
        listed, following = page(GROUPS, start, int(call.query["$top"]))
        base = "http://azure.test/subscriptions/s1/resourcegroups?api-version=2021-04-01"
        link = f"{base}&%24top=2&%24skiptoken=a%2F%2B{following}"
        return answer({"value": listed, **({"nextLink": link} if following else {})})


TABLE = "azure.resources.groups WHERE subscription_id"
CASES = {
    "a token and both pages": Case(
        f"SELECT name, region, tags['team'] FROM {TABLE} = 's1'",
        [("g0", "westeurope", None), ("g1", "westeurope", "data"), ("g2", "westeurope", None)],
        requests=3,
    ),
    "another subscription": Case(
        f"FROM {TABLE} = 's2'", requests=2, error="The subscription was not found."
    ),
}  # fmt: skip
