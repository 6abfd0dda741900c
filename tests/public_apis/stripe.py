"""Stripe: the next page begins after the last row's id, and a flag says whether there is one."""

import httpx

from tests.public_apis.serving import SECRET, Call, Case, answer, page

CONNECTION = {"key": SECRET}
CHARGES = [{"id": f"ch_{n}", "amount": 100 * n, "paid": n % 3 != 0} for n in range(20, 0, -1)]


class Fake:
    """Twenty charges, of which ten fill a page exactly."""

    def __call__(self, call: Call) -> httpx.Response:
        if call.headers.get("Authorization") != f"Bearer {SECRET}":
            return answer({"error": {"message": "Invalid API Key provided: sk_***"}}, 401)
        ids = [charge["id"] for charge in CHARGES]
        start = ids.index(call.query["starting_after"]) + 1 if "starting_after" in call.query else 0
        rows, following = page(CHARGES, start, int(call.query["limit"]))
        return answer({"object": "list", "data": rows, "has_more": following is not None})


CASES = {
    "both full pages and no third": Case(
        "SELECT count(*), count(DISTINCT id), sum(amount) FILTER (paid) "
        "FROM stripe.billing.charges",
        [(20, 20, 14700)], requests=2,
    ),
}  # fmt: skip
