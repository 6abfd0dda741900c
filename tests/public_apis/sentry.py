"""Sentry: a Link header that always names a next page, and says beside it whether it holds any."""

import httpx

from tests.public_apis.serving import SECRET, Call, Case, answer, page

CONNECTION = {"token": SECRET}
EVENTS = [{"eventID": f"{number:032x}", "title": f"Timeout {number % 7}"} for number in range(230)]


class Fake:
    """Two hundred and thirty events of the issue 41, a hundred on a page."""

    def __call__(self, call: Call) -> httpx.Response:
        if call.headers.get("Authorization") != f"Bearer {SECRET}":
            return answer({"detail": "Authentication credentials were not provided."}, 401)
        if call.path != "/api/0/issues/41/events/":
            return answer({"detail": "The requested resource does not exist"}, 404)
        start = int(call.query.get("cursor", "0:0:0").split(":")[1])
        rows, following = page(EVENTS, start, 100)
        base = f"http://sentry.test{call.path}?cursor="
        back, on = f"0:{max(0, start - 100)}:1", f"0:{start + 100}:0"
        before, more = ("true" if has_more else "false" for has_more in (start, following))
        return answer(rows, Link=(
            f'<{base}{back}>; rel="previous"; results="{before}"; cursor="{back}", '
            f'<{base}{on}>; rel="next"; results="{more}"; cursor="{on}"'
        ))  # fmt: skip


CASES = {
    "every page but the one that would be empty": Case(
        "SELECT count(*), count(DISTINCT event_id), max(title) FROM sentry.issues.events "
        "WHERE issue_id = 41",
        [(230, 230, "Timeout 6")], requests=3,
    ),
    "an issue that does not exist": Case("FROM sentry.issues.events WHERE issue_id = 42", []),
}  # fmt: skip
