"""New Relic: GraphQL, its cursor among the variables, errors beside the data."""

import httpx

from tests.public_apis.serving import SECRET, Call, Case, answer, page

CONNECTION = {"key": SECRET}
ENTITIES = [
    {"guid": f"g{n}", "name": f"app {n}", "reporting": n != 1, "createdAt": 1764590400000 + n}
    for n in range(5)
]


class Fake:
    """Five entities of the domain APM, two a page; INFRA cannot be read."""

    def __call__(self, call: Call) -> httpx.Response:
        if call.headers.get("API-Key") != SECRET:
            return answer({"errors": [{"message": "invalid api key"}]}, 401)
        asked = call.json["variables"]
        if asked["query"] != "domain = 'APM'":
            return answer({"data": {"actor": None}, "errors": [{"message": "no such domain"}]})
        rows, following = page(ENTITIES, int(asked.get("cursor", "0")), 2)
        results = {"entities": rows, "nextCursor": None if following is None else str(following)}
        return answer({"data": {"actor": {"entitySearch": {"results": results}}}})


CASES = {
    "all pages": Case(
        "SELECT count(*), count(*) FILTER (reporting), max(epoch_ms(created)) "
        "FROM newrelic.entities.entities",
        [(5, 4, 1764590400004)], requests=3,
    ),
    "an error beside the data": Case(
        "FROM newrelic.entities.entities WHERE domain = 'INFRA'", error="no such domain"
    ),
}  # fmt: skip
