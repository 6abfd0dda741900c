"""Twilio: HTTP Basic, a next page that is a path, times of RFC 2822, a sign in a query key."""

import base64

import httpx

from tests.public_apis.serving import SECRET, Call, Case, answer, page

CONNECTION = {"account": "AC1", "token": SECRET}
PATH = "/2010-04-01/Accounts/AC1/Messages.json"
MESSAGES = [
    {"sid": f"SM{n}", "date_sent": f"Mon, 0{2 + 7 * (n > 1)} Mar 2026 10:00:0{n} +0000",
     "price": "-0.00750" if n else None, "error_code": 30003 if n == 2 else None}
    for n in range(3)
]  # fmt: skip


class Fake:
    """Three messages of AC1; the path of the next page holds all that was asked for."""

    def __call__(self, call: Call) -> httpx.Response:
        login = base64.b64encode(f"AC1:{SECRET}".encode()).decode()
        assert call.headers["Authorization"] == f"Basic {login}"
        if call.path != PATH:
            return answer({"code": 20404, "message": "The requested resource was not found"}, 404)
        rows = MESSAGES[2:] if call.query.get("DateSent>", "") > "2026-03-03" else MESSAGES
        listed, following = page(rows, int(call.query.get("Page", "0")) * 2, 2)
        onward = f"{PATH}?PageSize=2&Page=1&PageToken=PASM1" if following else None
        return answer({"messages": listed, "next_page_uri": onward, "page_size": 2})


TABLE = "twilio.api.messages WHERE account_sid"
CASES = {
    "both pages": Case(
        f"SELECT sid, epoch(sent_on)::BIGINT % 60, price::VARCHAR, error_code FROM {TABLE} = 'AC1'",
        [("SM0", 0, None, None), ("SM1", 1, "-0.00750", None), ("SM2", 2, "-0.00750", 30003)],
        requests=2,
    ),
    "since a day": Case(
        f"SELECT sid FROM {TABLE} = 'AC1' AND sent_on >= '2026-03-08 00:00:00Z'", [("SM2",)],
    ),
    "another account": Case(f"FROM {TABLE} = 'AC/2'", error="resource was not found"),
}  # fmt: skip
