"""Consul: a map from names to lists, and objects with capital keys."""

import httpx

from tests.public_apis.serving import SECRET, Call, Case, answer

CONNECTION = {"token": SECRET}
SERVICES = {"web": ["v1", "prod"], "db": []}


def instance(node: str, status: str) -> dict[str, object]:
    checks = [{"Name": "Serf", "Status": "passing"}, {"Name": "http", "Status": status}]
    return {"Node": {"Node": node}, "Service": {"Port": 8080}, "Checks": checks}


class Fake:
    """A service of two instances, one of which is critical."""

    def __call__(self, call: Call) -> httpx.Response:
        if call.headers.get("X-Consul-Token") != SECRET:
            return httpx.Response(403, text="Permission denied")
        if call.path == "/v1/catalog/services":
            return answer(SERVICES)
        is_web = call.path == "/v1/health/service/web"
        return answer([instance("n1", "passing"), instance("n2", "critical")] if is_web else [])


CASES = {
    "tags": Case("SELECT name, tags FROM consul.catalog.services ORDER BY name",
                 [("db", []), ("web", ["v1", "prod"])]),
    "instances that do not pass": Case(
        "SELECT service, node, port FROM consul.catalog.checks "
        "WHERE len(list_filter(states, lambda s: s.Status <> 'passing')) > 0",
        [("web", "n2", 8080)], requests=3,
    ),
}  # fmt: skip
