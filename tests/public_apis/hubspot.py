"""HubSpot: every property is a text, and an empty one means that there is none."""

from datetime import date
from decimal import Decimal

import httpx

from tests.public_apis.serving import SECRET, Call, Case, answer, page

CONNECTION = {"token": SECRET}
PROPERTIES = [
    ("ann@shop.example", "true", "1200.50", "03/01/1990"), ("", "No", "", "N/A"),
    ("bo@shop.example", "", "7", ""),
]  # fmt: skip
NAMES = ("email", "is_customer", "amount", "date_of_birth")
CONTACTS = [
    {"id": str(n), "updatedAt": "2025-12-01T12:00:00.000Z",
     "properties": dict(zip(NAMES, values, strict=True))}
    for n, values in enumerate(PROPERTIES)
]  # fmt: skip


class Fake:
    """Three contacts, two a page; without more there is no `paging` at all."""

    def __call__(self, call: Call) -> httpx.Response:
        if call.headers.get("Authorization") != f"Bearer {SECRET}":
            return answer({"status": "error", "message": "Authentication invalid"}, 401)
        rows, following = page(
            CONTACTS, int(call.query.get("after", "0")), int(call.query["limit"])
        )
        if following is None:
            return answer({"results": rows})
        return answer({"results": rows, "paging": {"next": {"after": str(following)}}})


CASES = {
    "texts as what they are": Case(
        "SELECT id, email, is_customer, amount, born FROM hubspot.crm.contacts ORDER BY id",
        [
            (0, "ann@shop.example", True, Decimal("1200.50"), date(1990, 3, 1)),
            (1, None, False, None, None),
            (2, "bo@shop.example", None, Decimal("7.00"), None),
        ],
        requests=2,
    ),
}
