"""GitLab: page numbers, and headers that say how many pages there are, or which one is next."""

import httpx

from tests.public_apis.serving import SECRET, Call, Case, answer, page

CONNECTION = {"token": SECRET}
PROJECTS = [{"id": n, "path": f"app-{n}"} for n in range(1, 68)]
MEMBERS = [{"username": f"user{n}"} for n in range(7)]


class Fake:
    """Projects and members of `shop/apps`, a path that has to be quoted."""

    def __call__(self, call: Call) -> httpx.Response:
        assert call.headers.get("PRIVATE-TOKEN") == SECRET
        base = b"/api/v4/groups/shop%2Fapps/"
        raw = call.request.url.raw_path.partition(b"?")[0]
        number = int(call.query.get("page", "1"))
        if raw == base + b"projects":
            rows, _ = page(PROJECTS, (number - 1) * int(call.query["per_page"]), 20)
            return answer(rows, X_Total="67", X_Total_Pages="4")
        if raw == base + b"members":
            rows, following = page(MEMBERS, (number - 1) * 3, 3)
            return answer(rows, X_Next_Page="" if following is None else str(number + 1))
        return answer({"message": "404 Group Not Found"}, 404)


CASES = {
    "as many pages as a header says": Case(
        "SELECT count(*), sum(id) FROM gitlab.projects.projects WHERE group_id = 'shop/apps'",
        [(67, 2278)], requests=4,
    ),
    "the next page in a header": Case(
        "SELECT username FROM gitlab.projects.members WHERE group_id = 'shop/apps' ORDER BY ALL",
        [(f"user{n}",) for n in range(7)], requests=3,
    ),
    "a group that does not exist": Case(
        "FROM gitlab.projects.projects WHERE group_id = 'nobody'", error="404 Group Not Found"
    ),
}  # fmt: skip
