"""A registry of images: a Link header whose link is a path, and an array that is null."""

import httpx

from tests.public_apis.serving import SECRET, Call, Case, answer

CONNECTION = {"user": "ops", "password": SECRET}
REPOSITORIES = {"alpine": ["3.20", "latest"], "empty": None, "web": ["1"]}


class Fake:
    """Three repositories, two a page; one of them has no tags left."""

    def __call__(self, call: Call) -> httpx.Response:
        if call.path == "/v2/_catalog":
            names = list(REPOSITORIES)
            start = names.index(call.query["last"]) + 1 if "last" in call.query else 0
            rows = names[start : start + int(call.query["n"])]
            if start + len(rows) == len(names):
                return answer({"repositories": rows})
            link = f'</v2/_catalog?last={rows[-1]}&n=2>; rel="next"'
            return answer({"repositories": rows}, Link=link)
        name = call.path.split("/")[2]
        if name not in REPOSITORIES:
            return answer({"errors": [{"message": "repository name not known to registry"}]}, 404)
        return answer({"name": name, "tags": REPOSITORIES[name]})


CASES = {
    "tags of all": Case(
        "SELECT repository, tag FROM docker_registry.images.tags ORDER BY ALL",
        [("alpine", "3.20"), ("alpine", "latest"), ("web", "1")], requests=5,
    ),
    "a repository that is not there": Case(
        "FROM docker_registry.images.tags WHERE repository = 'gone'", []
    ),
}  # fmt: skip
