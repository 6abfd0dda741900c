"""Zendesk: a flag beside a link that is there on the last page too; a path that has moved."""

import base64

import httpx

from tests.public_apis.serving import SECRET, Call, Case, answer, page

CONNECTION = {"email": "ann@shop.test", "token": SECRET}
LOGIN = base64.b64encode(f"ann@shop.test/token:{SECRET}".encode()).decode()
TICKETS = [{"id": n, "subject": f"Refund {n}"} for n in range(1, 11)]


class Fake:
    """Ten tickets; without .json the path leads to the one with it."""

    def __call__(self, call: Call) -> httpx.Response:
        if call.headers.get("Authorization") != f"Basic {LOGIN}":
            return answer({"error": "Couldn't authenticate you"}, 401)
        if not call.path.endswith(".json"):
            place = str(call.request.url).replace("/tickets", "/tickets.json")
            return httpx.Response(301, headers={"Location": place})
        start = int(call.query.get("page[after]", "0"))
        rows, following = page(TICKETS, start, int(call.query["page[size]"]))
        link = f"http://zendesk.test{call.path}?page%5Bsize%5D=4&page%5Bafter%5D={start + 4}"
        meta = {"has_more": following is not None, "after_cursor": str(start + 4)}
        return answer({"tickets": rows, "meta": meta, "links": {"next": link, "prev": None}})


CASES = {
    "every page, the first of which has moved": Case(
        "SELECT count(*), sum(id), max(subject) FROM zendesk.tickets.tickets",
        [(10, 55, "Refund 9")], requests=1 + 3,
    ),
}  # fmt: skip
