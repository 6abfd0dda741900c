"""ServiceNow: an offset and a total in a header, times in which nothing says UTC, empty texts."""

import base64

import httpx

from tests.public_apis.serving import SECRET, Call, Case, answer, page

CONNECTION = {"username": "ada", "password": SECRET}
INCIDENTS = [
    {"number": f"INC{n}", "opened_at": f"2026-03-0{n + 1} 07:30:00", "urgency": str(n) if n else "",
     "closed_at": "2026-03-02 08:00:00" if n == 1 else "", "active": True,
     "caller_id": {"value": "u7"} if n else None}
    for n in range(5)
]  # fmt: skip


class Fake:
    """Five incidents."""

    def __call__(self, call: Call) -> httpx.Response:
        login = base64.b64encode(f"ada:{SECRET}".encode()).decode()
        if call.headers["Authorization"] != f"Basic {login}":
            return answer(
                {"error": {"message": "User Not Authenticated"}, "status": "failure"}, 401
            )
        assert call.query["sysparm_exclude_reference_link"] == "true"
        start, size = int(call.query.get("sysparm_offset", "0")), int(call.query["sysparm_limit"])
        return answer({"result": page(INCIDENTS, start, size)[0]}, X_Total_Count="5")


CASES = {
    "times are of UTC, and empty texts are NULL": Case(
        "SELECT number, opened = '2026-03-02 07:30:00Z', closed IS NULL, urgency, caller "
        "FROM servicenow.table.incidents ORDER BY number",
        [(f"INC{n}", n == 1, n != 1, n or None, "u7" if n else None) for n in range(5)],
        requests=3,
    ),
    "a limit stops the paging": Case(
        "SELECT number FROM servicenow.table.incidents LIMIT 2", [("INC0",), ("INC1",)],
        kept=False,
    ),
}  # fmt: skip
