"""Chargebee: rows wrapped in objects, seconds since 1970, bounds without the value itself."""

import httpx

from tests.public_apis.serving import SECRET, Call, Case, answer, page

CONNECTION = {"key": SECRET}
NOON = 1764590400  # 2025-12-01 12:00 UTC
SUBSCRIPTIONS = [
    {"id": f"s{n}", "status": "cancelled" if n == 3 else "active", "updated_at": NOON + 3600 * n,
     **({"cancelled_at": NOON} if n == 3 else {})}
    for n in range(6)
]  # fmt: skip


class Fake:
    """Six subscriptions, changed an hour apart, two a page."""

    def __call__(self, call: Call) -> httpx.Response:
        asked = call.query
        after, before = int(asked.get("updated_at[after]", 0)), asked.get("updated_at[before]")
        rows = [
            {"subscription": subscription} for subscription in SUBSCRIPTIONS
            if int(str(subscription["updated_at"])) > after
            and (before is None or int(str(subscription["updated_at"])) < int(before))
            and asked.get("status[is]", subscription["status"]) == subscription["status"]
        ]  # fmt: skip
        shown, following = page(rows, int(asked.get("offset", "0")), int(asked["limit"]))
        more = {} if following is None else {"next_offset": str(following)}
        return answer({"list": shown, **more})


FROM = "FROM chargebee.billing.subscriptions"
CASES = {
    "all of them": Case(f"SELECT count(*), count(cancelled_at) {FROM}", [(6, 1)], requests=3),
    "those of two hours, the first and the last among them": Case(
        f"SELECT id {FROM} WHERE updated_at BETWEEN '2025-12-01 14:00+00' "
        "AND '2025-12-01 15:00+00' ORDER BY id",
        [("s2",), ("s3",)],
    ),
    "by state and time": Case(
        f"SELECT id {FROM} WHERE status = 'active' AND updated_at >= '2025-12-01 16:00+00' "
        "ORDER BY id",
        [("s4",), ("s5",)],
    ),
}
