"""An organisation at Confluent, a Kafka Connect cluster and a Redpanda account, in memory.

`Organisation` answers as those APIs do (pages, `expand`, 404s) and keeps every request that it was
sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

HOST = "https://api.confluent.cloud"
CONNECTIONS = {
    "confluent": {"provider": "confluent", "api_key": "k", "api_secret": "s"},
    "plant": {"provider": "kafka_connect", "base_url": "http://plant:8083"},
    "redpanda": {"provider": "redpanda", "token": "t"},
}
PLANT_CONNECTORS = ("billing", "crm")
STATES = ("RUNNING", "RUNNING", "PAUSED", "FAILED", "RUNNING")

Body = dict[str, Any]


@dataclass
class Organisation:
    """Environments with clusters with connectors, and everything that was asked of them.

    Environment 1 is `env-1`, its second cluster `lkc-1-2`, each cluster's first connector
    `orders-001`. The plant has two connectors, the Redpanda account as many clusters as there
    are environments.
    """

    environments: int = 25
    clusters: int = 2
    connectors: int = 40
    sent: list[str] = field(default_factory=list)

    @property
    def transport(self) -> httpx.MockTransport:
        """The door through which it is asked."""
        return httpx.MockTransport(self.answer)

    # --- what there is -----------------------------------------------------------------------

    @property
    def environment_ids(self) -> list[str]:
        """Its environments."""
        return [f"env-{number}" for number in range(1, self.environments + 1)]

    def cluster_ids(self, environment: str) -> list[str]:
        """The clusters of an environment; none when there is no such environment."""
        number = environment.removeprefix("env-")
        known = environment in self.environment_ids
        return [f"lkc-{number}-{one}" for one in range(1, self.clusters + 1)] if known else []

    @property
    def redpanda_ids(self) -> list[str]:
        """Its clusters at Redpanda, as many as there are environments."""
        return [f"rp-{number:03d}" for number in range(1, self.environments + 1)]

    def connector_names(self) -> list[str]:
        """The connectors of a cluster: every cluster has the same names."""
        return [f"orders-{number:03d}" for number in range(1, self.connectors + 1)]

    # --- answering ---------------------------------------------------------------------------

    def answer(self, request: httpx.Request) -> httpx.Response:
        """What the API answers; the request is kept."""
        self.sent.append(str(request.url))
        parts = request.url.path.strip("/").split("/")
        query = request.url.params
        match parts:
            case ["org", "v2", "environments"]:
                return _page(request, list(map(environment, self.environment_ids)))
            case ["cmk", "v2", "clusters"]:
                of = query["environment"]
                if of not in self.environment_ids:
                    return httpx.Response(403, json={"errors": [{"detail": "Forbidden Access"}]})
                return _page(request, [cluster(of, one) for one in self.cluster_ids(of)])
            case ["connect", "v1", "environments", of, "clusters", one, *rest]:
                return self._connect(of, one, rest, query)
            case ["connectors", *rest]:
                return _plant(rest, query)
            case ["connector-plugins", _, "config"]:
                return httpx.Response(200, json=[])
            case ["v1", "clusters", *rest]:
                return self._redpanda(rest, query)
        return httpx.Response(404, json={"message": f"no such path: {request.url.path}"})

    def _connect(
        self, of: str, one: str, rest: list[str], query: httpx.QueryParams
    ) -> httpx.Response:
        known = one in self.cluster_ids(of)
        match rest:
            case ["connectors"] if known:
                wanted = [part for part in query.get("expand", "").split(",") if part]
                names = self.connector_names()
                if not wanted:
                    return httpx.Response(200, json=names)
                found = {name: expanded(one, name) for name in names}
                return httpx.Response(200, json=_only(found, wanted))
            case ["connectors", name, *part] if known and name in self.connector_names():
                whole = expanded(one, name)
                bodies = {"status": whole["status"], "config": whole["info"]["config"]}
                return httpx.Response(200, json=bodies[part[0]] if part else whole["info"])
        return httpx.Response(404, json={"error": {"code": 404, "message": "resource not found"}})

    def _redpanda(self, rest: list[str], query: httpx.QueryParams) -> httpx.Response:
        if rest:
            return httpx.Response(200, json={"cluster": redpanda_cluster(rest[0], whole=True)})
        names = self.redpanda_ids
        size, start = int(query.get("page_size", "10")), int(query.get("page_token") or "0")
        end = start + size
        found = [redpanda_cluster(name, whole=False) for name in names[start:end]]
        following = str(end) if end < len(names) else ""
        return httpx.Response(200, json={"clusters": found, "next_page_token": following})


def _page(request: httpx.Request, items: Sequence[Body]) -> httpx.Response:
    """A page as Confluent serves it: ten rows unless asked otherwise, an absolute link onwards."""
    query = request.url.params
    size, start = int(query.get("page_size", "10")), int(query.get("page_token", "0"))
    assert 1 <= size <= 100
    end = start + size
    metadata: Body = {}
    if end < len(items):
        metadata["next"] = f"{HOST}{request.url.path}?page_token={end}"
    return httpx.Response(200, json={"data": items[start:end], "metadata": metadata})


def _plant(rest: list[str], query: httpx.QueryParams) -> httpx.Response:
    found = {name: expanded("plant", name) for name in PLANT_CONNECTORS}
    match rest:
        case []:
            wanted = query.get_list("expand")
            return httpx.Response(200, json=_only(found, wanted) if wanted else list(found))
        case [name, *part] if name in found:
            whole = found[name]
            bodies = {"status": whole["status"], "config": whole["info"]["config"]}
            return httpx.Response(200, json=bodies[part[0]] if part else whole["info"])
    return httpx.Response(404, json={"error_code": 404, "message": "resource not found"})


def _only(found: Mapping[str, Body], wanted: Sequence[str]) -> Body:
    return {name: {part: body[part] for part in wanted} for name, body in found.items()}


# --- bodies --------------------------------------------------------------------------------------


def environment(name: str) -> Body:
    """An environment."""
    number = int(name.rpartition("-")[2])
    return {"id": name, "display_name": f"team {number % 7}", "kind": "Environment"}


def cluster(of: str, name: str) -> Body:
    """A Kafka cluster."""
    cloud = "AWS" if name.endswith("1") else "GCP"
    spec = {"display_name": f"kafka {name}", "cloud": cloud, "environment": {"id": of}}
    return {"id": name, "spec": spec, "status": {"phase": "PROVISIONED"}, "kind": "Cluster"}


def expanded(of: str, name: str) -> Body:
    """All there is about a connector; what it does depends on its place and name alone."""
    mixed = sum(map(ord, of + name))
    state = STATES[mixed % len(STATES)]
    worker = {"worker_id": name, "trace": ""}
    kind = "sink" if mixed % 3 else "source"
    config = {
        "connector.class": "S3_SINK" if kind == "sink" else "Datagen",
        "tasks.max": str(1 + mixed % 3),
        "name": name,
    }
    return {
        "id": {"id": f"lcc-{of}-{name}", "id_type": "ID"},
        "info": {
            "name": name,
            "type": kind,
            "config": config,
            "tasks": [{"connector": name, "task": 0}],
        },
        "status": {
            "name": name,
            "type": kind,
            "connector": {"state": state, **worker},
            "tasks": [{"id": 0, "state": state, "worker_id": name}],
        },
    }


def redpanda_cluster(name: str, *, whole: bool) -> Body:
    """A cluster of Redpanda; only the read of a single one has its address."""
    found: Body = {"id": name, "name": f"cluster {name}", "state": "STATE_READY"}
    address = {"dataplane_api": {"url": f"https://api-{name}.cloud.redpanda.com"}}
    return {**found, **address} if whole else found
