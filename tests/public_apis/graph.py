"""Microsoft Graph: the next page is a whole address on the same host, under a key with a dot."""

import httpx

from tests.public_apis.serving import SECRET, Call, Case, answer, page

CONNECTION = {"tenant": "shop", "client_id": "app-1", "client_secret": SECRET}
USERS = [{"id": f"u{n}", "displayName": f"Ann {n}"} for n in range(9)]


class Fake:
    """Nine users. The token holds for a minute and a half; with a refused one there is another."""

    def __init__(self) -> None:
        self.tokens = 0

    def __call__(self, call: Call) -> httpx.Response:
        if call.request.url.host == "login.test":
            return self.token(call)
        if call.headers.get("Authorization") != f"Bearer token-{self.tokens}":
            return answer({"error": {"code": "InvalidAuthenticationToken", "message": "gone"}}, 401)
        assert call.query["$select"] == "id,displayName"
        start = int(call.query.get("$skiptoken", "s_0").removeprefix("s_"))
        rows, following = page(USERS, start, 4)
        base = "http://graph.test/v1.0/users?$select=id,displayName&$top=4"
        link = {} if following is None else {"@odata.nextLink": f"{base}&$skiptoken=s_{following}"}
        return answer({"@odata.context": "…", "value": rows, **link})

    def token(self, call: Call) -> httpx.Response:
        assert call.path == "/shop/oauth2/v2.0/token"
        assert call.form == {
            "grant_type": "client_credentials", "client_id": "app-1", "client_secret": SECRET,
            "scope": "https://graph.microsoft.com/.default",
        }  # fmt: skip
        self.tokens += 1
        body = {"token_type": "Bearer", "expires_in": 90, "access_token": f"token-{self.tokens}"}
        return answer(body)


CASES = {
    "every page, and one token": Case(
        "SELECT count(*), count(DISTINCT id), max(name) FROM graph.directory.users",
        [(9, 9, "Ann 8")], requests=4,
    ),
    "later, another token": Case(
        "SELECT name FROM graph.directory.users LIMIT 1", [("Ann 0",)], requests=2, kept=False
    ),
}  # fmt: skip
