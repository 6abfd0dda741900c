"""Solr: a first cursor that must be sent, and the same one sent back is the end of the list."""

import base64

import httpx

from tests.public_apis.serving import SECRET, Call, Case, answer, page

CONNECTION = {"username": "reader", "password": SECRET}
LOGIN = base64.b64encode(f"reader:{SECRET}".encode()).decode()
DOCUMENTS = [{"id": f"doc-{number:02}", "price": number / 2} for number in range(10)]


class Fake:
    """Ten documents in `shop`; the mark holds + and =, which have to be quoted."""

    def __call__(self, call: Call) -> httpx.Response:
        if call.headers.get("Authorization") != f"Basic {LOGIN}":
            return answer({"error": {"msg": "require authentication"}}, 401)
        assert (call.path, call.query["sort"]) == ("/solr/shop/select", "id asc")
        if call.query["q"] == "bad:":
            return answer({"error": {"msg": "undefined field bad", "code": 400}}, 400)
        mark = call.query["cursorMark"]
        start = 0 if mark == "*" else int(mark.removeprefix("AoE+").removesuffix("="))
        rows, _ = page(DOCUMENTS, start, int(call.query["rows"]))
        following = f"AoE+{start + len(rows)}=" if rows else mark
        return answer({"response": {"numFound": 10, "docs": rows}, "nextCursorMark": following})


CASES = {
    "until the mark comes again": Case(
        "SELECT count(*), count(DISTINCT id), sum(price) FROM solr.core.documents "
        "WHERE collection = 'shop'",
        [(10, 10, 22.5)], requests=4,
    ),
    "enough rows": Case(
        "SELECT id FROM solr.core.documents WHERE collection = 'shop' LIMIT 2",
        [("doc-00",), ("doc-01",)], kept=False,
    ),
    "a query that is refused": Case(
        "FROM solr.core.documents WHERE collection = 'shop' AND q = 'bad:'",
        error="undefined field bad", requests=1,
    ),
}  # fmt: skip
