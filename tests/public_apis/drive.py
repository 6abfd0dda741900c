"""Google Drive: a key in the query, empty pages, numbers as text, a limit told with a 403."""

import httpx

from tests.public_apis.serving import SECRET, Call, Case, answer

CONNECTION = {"key": SECRET}
PAGES = [
    [{"id": "a", "name": "Plan", "size": "9007199254740993", "shared": True}],
    [],
    [{"id": "b", "name": "Notes", "shared": False}],
]


class Fake:
    """Three pages, of which the second is empty, and is refused once as one too many."""

    def __init__(self) -> None:
        self.is_busy = True

    def __call__(self, call: Call) -> httpx.Response:
        if call.query.get("key") != SECRET:
            error = {"code": 400, "message": f"API key not valid: {call.query.get('key')}"}
            return answer({"error": error}, 400)
        if call.query["q"] == "wide":
            return answer({"files": PAGES[0], "incompleteSearch": True})
        if call.query["q"] == "wrong":
            return answer({"error": {"code": 400, "message": f"Invalid Value, {SECRET}"}}, 400)
        number = int(call.query.get("pageToken", "~!!~0")[4:])
        if number == 1 and self.is_busy:
            self.is_busy = False
            reason = {"domain": "usageLimits", "reason": "rateLimitExceeded"}
            return answer({"error": {"code": 403, "errors": [reason], "message": "Slow"}}, 403)
        more = {"nextPageToken": f"~!!~{number + 1}"} if number < 2 else {}
        return answer({"files": PAGES[number], "incompleteSearch": False, **more})


CASES = {
    "an empty page is not the end": Case(
        "SELECT id, size, shared FROM drive.v3.files",
        [("a", 9007199254740993, True), ("b", None, False)], requests=4,
    ),
    "a search that was cut short": Case(
        "FROM drive.v3.files WHERE q = 'wide'", error="not whole: incompleteSearch"
    ),
    "an error that repeats the key": Case(
        "FROM drive.v3.files WHERE q = 'wrong'", error="Invalid Value"
    ),
}  # fmt: skip
