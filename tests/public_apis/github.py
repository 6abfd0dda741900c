"""GitHub: pages by a Link header with absolute URLs, many kinds of link in it."""

import httpx

from tests.public_apis.serving import SECRET, Call, Case, answer, page

CONNECTION = {"token": SECRET}
REPOSITORIES = [
    {"id": number, "full_name": f"shop/app-{number}", "private": number % 2 == 0,
     "topics": ["sql", "api"][: number % 3]} for number in range(1, 46)
]  # fmt: skip


class Fake:
    """Repositories of an organisation; 404 for one that does not exist."""

    def __call__(self, call: Call) -> httpx.Response:
        if call.headers.get("Authorization") != f"Bearer {SECRET}":
            return answer({"message": "Bad credentials"}, 401)
        if call.path != "/orgs/shop/repos":
            return answer({"message": "Not Found"}, 404)
        size, number = int(call.query["per_page"]), int(call.query.get("page", "1"))
        rows, following = page(REPOSITORIES, (number - 1) * size, size)
        base = f"https://api.github.test/orgs/shop/repos?per_page={size}"
        links = [f'<{base}&page=1>; rel="first"', f"<{base}&sort=a,b&page={number}>; rel=self"]
        if following is not None:
            links.append(f'<{base}&q=a,b;c&page={number + 1}>; title="x, y"; rel="next last"')
        return answer(rows, Link=", ".join(links))


CASES = {
    "all pages": Case(
        "SELECT count(*), count(DISTINCT id), count(*) FILTER (private) "
        "FROM github.repos.repositories WHERE org = 'shop'",
        [(45, 45, 22)], requests=3,
    ),
    "a list within rows": Case(
        "SELECT full_name, topics FROM github.repos.repositories WHERE org = 'shop' AND id = 2",
        [("shop/app-2", ["sql", "api"])], requests=3,
    ),
    "an organisation that does not exist": Case(
        "FROM github.repos.repositories WHERE org = 'nobody'", [], requests=1,
    ),
}  # fmt: skip
