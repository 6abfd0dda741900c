"""Shopify: whole links in a Link header, which hold the filters; a 429 that says how long."""

from datetime import datetime, timezone

import httpx

from tests.public_apis.serving import SECRET, Call, Case, answer, page

CONNECTION = {"token": SECRET}
PATH = "/admin/api/2024-10/orders.json"
DAYS = [datetime(2026, 3, day, 8, tzinfo=timezone.utc) for day in range(1, 6)]
ORDERS = [
    {"id": 450 + n, "total_price": f"{n}.90", "created_at": f"{day:%Y-%m-%dT}09:00:00+01:00"}
    for n, day in enumerate(DAYS)
]


class Fake:
    """Five orders; with `page_info` no filter may be sent, for the link holds them all."""

    def __init__(self) -> None:
        self.is_busy = True

    def __call__(self, call: Call) -> httpx.Response:
        assert call.headers["X-Shopify-Access-Token"] == SECRET
        assert call.path == PATH
        start = int(call.query.get("page_info", "0"))
        assert ("status" in call.query) is (start == 0)
        if start and self.is_busy:
            self.is_busy = False
            return answer({"errors": "Exceeded 2 calls per second"}, 429, Retry_After="2.0")
        floor = call.query.get("created_at_min", "2026-01-01T00:00:00Z")
        rows = [
            order for order, day in zip(ORDERS, DAYS, strict=True) if f"{day:%Y-%m-%dT%XZ}" >= floor
        ]
        listed, following = page(rows, start, int(call.query["limit"]))
        link = f'<http://shopify.test{PATH}?limit=2&page_info={following}>; rel="next"'
        before = f'<http://shopify.test{PATH}?limit=2&page_info=0>; rel="previous"'
        links = f"{before}, {link}" if following else before
        return answer({"orders": listed}, Link=links)


CASES = {
    "links are followed as they are, once more after a 429": Case(
        "SELECT id, total::VARCHAR, created = '2026-03-02 08:00:00Z' FROM shopify.admin.orders",
        [(450 + n, f"{n}.90", n == 1) for n in range(5)], requests=4,
    ),
    "since a day": Case(
        "SELECT id FROM shopify.admin.orders WHERE created >= '2026-03-04 00:00:00Z'",
        [(453,), (454,)],
    ),
    "a word that is not allowed": Case(
        "FROM shopify.admin.orders WHERE status = 'shut'", requests=0, error="shut",
    ),
}  # fmt: skip
