"""Dynamics: OData with a key that holds a dot, filters in a language of their own, whole links."""

import httpx

from tests.public_apis.serving import SECRET, Call, Case, answer, page

CONNECTION = {"token": SECRET}
BASE = "http://dynamics.test/api/data/v9.2/accounts"
OWNER = "_ownerid_value@OData.Community.Display.V1.FormattedValue"
ACCOUNTS = [
    {"accountid": f"00000000-0000-0000-0000-00000000000{n}", "name": f"Account {n}",
     OWNER: "Ada O'Neil", "revenue": None if n else 12.5,
     "modifiedon": f"2026-02-0{n + 1}T00:00:00Z"}
    for n in range(3)
]  # fmt: skip


class Fake:
    """Three accounts, two on a page; a cookie in the link says which page it is."""

    def __call__(self, call: Call) -> httpx.Response:
        assert call.headers["Prefer"] == "odata.maxpagesize=2"
        if call.headers["Authorization"] != f"Bearer {SECRET}":
            return answer({"error": {"code": "0x80040220", "message": "Not signed in"}}, 401)
        assert call.query["$select"] == "accountid,name,revenue,modifiedon"
        rows = ACCOUNTS
        if "$filter" in call.query:
            assert call.query["$filter"] == "modifiedon gt 2026-02-01T23:59:59Z"
            rows = ACCOUNTS[1:]
        start = int(call.query.get("$skiptoken", "cookie%20'0'").strip("'").rpartition("'")[2])
        listed, following = page(rows, start, 2)
        link = f"{BASE}?$select=accountid,name,revenue,modifiedon&$skiptoken=%27{following}"
        more = {"@odata.nextLink": link} if following else {}
        return answer({"@odata.context": f"{BASE}#x", "value": listed, **more})


CASES = {
    "both pages": Case(
        "SELECT name, owner, revenue FROM dynamics.web.accounts",
        [(f"Account {n}", "Ada O'Neil", None if n else 12.5) for n in range(3)], requests=2,
    ),
    "a bound in the language of OData": Case(
        "SELECT name FROM dynamics.web.accounts WHERE changed > '2026-02-02 00:00:00Z'",
        [("Account 2",)],
    ),
}  # fmt: skip
