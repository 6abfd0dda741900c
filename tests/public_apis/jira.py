"""Jira: a search by POST that pages in its body, and a flag that says which page is the last."""

import base64

import httpx

from tests.public_apis.serving import SECRET, Call, Case, answer, page

CONNECTION = {"email": "ann@shop.test", "token": SECRET}
LOGIN = base64.b64encode(f"ann@shop.test:{SECRET}".encode()).decode()
ISSUES = [{"key": f"OPS-{n}", "fields": {"summary": f"Disk {n} is full"}} for n in range(1, 121)]


class Fake:
    """A hundred and twenty issues of OPS."""

    def __call__(self, call: Call) -> httpx.Response:
        if call.headers.get("Authorization") != f"Basic {LOGIN}":
            return answer({"errorMessages": ["You are not signed in"]}, 401)
        asked = call.json
        assert not call.query
        assert asked["fields"] == ["summary"]
        if asked["jql"] != 'project = "OPS" ORDER BY key':
            said = f"The value does not exist for the field 'project': {asked['jql']}"
            return answer({"errorMessages": [said], "errors": {}}, 400)
        start = int(asked.get("nextPageToken", "at-0").removeprefix("at-"))
        rows, following = page(ISSUES, start, asked["maxResults"])
        token = {} if following is None else {"nextPageToken": f"at-{following}"}
        return answer({"issues": rows, "isLast": following is None, **token})


CASES = {
    "all pages": Case(
        "SELECT count(*), count(DISTINCT key), max(summary) FROM jira.search.issues "
        "WHERE project = 'OPS'",
        [(120, 120, "Disk 99 is full")], requests=3,
    ),
    "a value with quotes stays a text of the body": Case(
        """FROM jira.search.issues WHERE project = 'A", x: {"}'""",
        error="does not exist for the field",
    ),
}  # fmt: skip
