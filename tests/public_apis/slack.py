"""Slack: errors in a 200, an empty cursor at the end, and arguments in a form."""

from collections.abc import Mapping, Sequence

import httpx

from tests.public_apis.serving import SECRET, Call, Case, answer, page

CONNECTION = {"token": SECRET}
CHANNELS = [{"id": f"C{n}", "name": f"alerts-{n}"} for n in range(6)]


class Fake:
    """Six channels; three users in C1, one in every other."""

    def __call__(self, call: Call) -> httpx.Response:
        if call.headers.get("Authorization") != f"Bearer {SECRET}":
            return answer({"ok": False, "error": "invalid_auth"})
        if call.path == "/api/conversations.list":
            assert call.query["exclude_archived"] == "true"
            return self.listed("channels", CHANNELS, call.query)
        assert (call.path, dict(call.query)) == ("/api/conversations.members", {})
        channel = call.form["channel"]
        if channel not in [known["id"] for known in CHANNELS]:
            return answer({"ok": False, "error": "channel_not_found"})
        users = ["U1", "U2", "U3"] if channel == "C1" else ["U1"]
        return self.listed("members", users, call.form)

    def listed(self, key: str, rows: Sequence[object], asked: Mapping[str, str]) -> httpx.Response:
        start = int(asked.get("cursor", "at:0=").strip("at:="))
        listed, following = page(rows, start, int(asked["limit"]))
        cursor = "" if following is None else f"at:{following}="
        return answer({"ok": True, key: listed, "response_metadata": {"next_cursor": cursor}})


CASES = {
    "channels by their cursor": Case(
        "SELECT name FROM slack.conversations.channels ORDER BY ALL",
        [(shown["name"],) for shown in CHANNELS], requests=2,
    ),
    "a form with a cursor": Case(
        "SELECT user FROM slack.conversations.members WHERE channel = 'C1'",
        [("U1",), ("U2",), ("U3",)], requests=2,
    ),
    "an error in a 200": Case(
        "FROM slack.conversations.members WHERE channel = 'C9'",
        error="slack answered 200 with an error: channel_not_found",
    ),
}  # fmt: skip
