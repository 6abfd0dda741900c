"""Notion: a query by POST, a cursor in the body that is null at the end, and a flag beside it."""

import httpx

from tests.public_apis.serving import SECRET, Call, Case, answer, page

CONNECTION = {"token": SECRET}
PAGES = [{"id": f"p{n}", "url": f"https://notion.test/p{n}"} for n in range(7)]


class Fake:
    """Seven pages of db-1, of which the last is archived."""

    def __call__(self, call: Call) -> httpx.Response:
        assert call.headers["Authorization"] == f"Bearer {SECRET}"
        assert call.headers["Notion-Version"] == "2022-06-28"
        if call.path != "/v1/databases/db-1/query":
            return answer({"object": "error", "status": 404, "message": "Could not find it"}, 404)
        asked = call.json
        wanted = asked["filter"]["checkbox"]["equals"]
        assert isinstance(wanted, bool)
        rows = PAGES[6:] if wanted else PAGES[:6]
        start = int(asked.get("start_cursor", "c0").removeprefix("c"))
        listed, following = page(rows, start, asked["page_size"])
        cursor = None if following is None else f"c{following}"
        return answer({"results": listed, "has_more": cursor is not None, "next_cursor": cursor})


CASES = {
    "both pages": Case(
        "SELECT id FROM notion.databases.pages WHERE database_id = 'db-1'",
        [(shown["id"],) for shown in PAGES[:6]], requests=2,
    ),
    "a truth in the body": Case(
        "SELECT id, archived FROM notion.databases.pages WHERE database_id = 'db-1' AND archived",
        [("p6", True)], requests=1,
    ),
    "a database that is not there": Case(
        "FROM notion.databases.pages WHERE database_id = 'db-2'", error="Could not find it"
    ),
}  # fmt: skip
