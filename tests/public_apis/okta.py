"""Okta: two Link headers in an answer, a link that is followed with all that is in it."""

import httpx

from tests.public_apis.serving import SECRET, Call, Case, page

CONNECTION = {"token": SECRET}
USERS = [{"id": f"00u{n}", "profile": {"login": f"ann{n}@shop.test"}} for n in range(8)]


class Fake:
    """Eight users; the address of the next page holds what a client would not write itself."""

    def __call__(self, call: Call) -> httpx.Response:
        assert call.headers["Authorization"] == f"SSWS {SECRET}"
        start = 0
        if "after" in call.query:
            assert call.request.url.raw_path.endswith(b"&filter=status%20eq%20%22ACTIVE%22&limit=3")
            start = int(call.query["after"].removeprefix("00u"))
        rows, following = page(USERS, start, int(call.query["limit"]))
        base = "http://okta.test/api/v1/users"
        links = [("Link", f'<{base}?limit=3>; rel="self"')]
        if following is not None:
            rest = "filter=status%20eq%20%22ACTIVE%22&limit=3"
            links.append(("Link", f'<{base}?after=00u{following}&{rest}>; rel="next"'))
        return httpx.Response(200, json=rows, headers=links)


CASES = {
    "every page": Case(
        "SELECT count(*), max(login) FROM okta.directory.users", [(8, "ann7@shop.test")],
        requests=3,
    ),
}  # fmt: skip
