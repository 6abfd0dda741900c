"""Salesforce: the address of the next page is a path with nothing in it but the page."""

import httpx

from tests.public_apis.serving import SECRET, Call, Case, answer, page

CONNECTION = {"token": SECRET}
ACCOUNTS = [{"Id": f"001{n:05}", "Name": f"Shop {n}"} for n in range(5)]
QUERY = "/services/data/v60.0/query"


class Fake:
    """Five accounts, two on a page."""

    def __call__(self, call: Call) -> httpx.Response:
        if call.headers.get("Authorization") != f"Bearer {SECRET}":
            return answer([{"message": "Session expired", "errorCode": "INVALID_SESSION_ID"}], 401)
        if call.path == QUERY:
            assert call.query == {"q": "SELECT Id, Name FROM Account"}
            start = 0
        else:
            assert not call.query
            start = int(call.path.removeprefix(f"{QUERY}/01g8-"))
        rows, following = page(ACCOUNTS, start, 2)
        link = {} if following is None else {"nextRecordsUrl": f"{QUERY}/01g8-{following}"}
        return answer({"totalSize": 5, "done": following is None, "records": rows, **link})


CASES = {
    "every page": Case(
        "SELECT id, name FROM salesforce.data.accounts ORDER BY id DESC",
        [(account["Id"], account["Name"]) for account in reversed(ACCOUNTS)], requests=3,
    ),
}  # fmt: skip
