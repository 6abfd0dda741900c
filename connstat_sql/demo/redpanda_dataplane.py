"""Redpanda Cloud: the data plane of one cluster."""

from collections.abc import Callable, Mapping

import msgspec

from connstat_sql.demo import redpanda_bodies as bodies
from connstat_sql.demo.connectors import DemoConnector
from connstat_sql.demo.redpanda import PageRules, Tokens, failed, listed
from connstat_sql.demo.wire import DemoRequest, DemoResponse, Router, json_answer, routed
from connstat_sql.demo.world_redpanda import RedpandaCluster

_CONNECT = "redpanda"
"""The name of the only Kafka Connect cluster in the cloud."""
_PAGING = PageRules(-1, 1000, bodies.DATA_PLANE)


class DataPlane:
    """Answers for one cluster."""

    def __init__(self, cluster: RedpandaCluster, tokens: Tokens) -> None:
        self.names: tuple[str, ...] = ("redpanda_dataplane", "redpanda", cluster.id)
        self.prefix = f"/redpanda-dataplane/{cluster.id}"
        self.edition = 0
        self.headers: Mapping[str, str] = {}
        self._cluster = cluster
        self._connectors = {each.name: each for each in cluster.connectors}
        self._tokens = tokens
        self._is_bare = False
        connect = "v1/kafka-connect/clusters"
        of_connector = f"{connect}/{{}}/connectors/{{}}"
        self._restarts = Router({f"{of_connector}/restart": self._restart})
        self._router = Router(
            {
                connect: self._connect_clusters,
                f"{connect}/{{}}": self._connect_cluster,
                f"{connect}/{{}}/connectors": self._list_connectors,
                of_connector: self._of_connector("connector", bodies.connector),
                f"{of_connector}/status": self._of_connector("status", bodies.status),
                f"{of_connector}/config": self._of_connector("config", bodies.config),
                f"{of_connector}/topics": self._topics_of_connector,
                "v1/topics": self._topics,
                "v1/users": self._users,
                "v1/acls": self._acls,
                "v1/redpanda-connect/pipelines": self._pipelines,
                "v1/redpanda-connect/pipelines/{}": self._pipeline,
            }
        )

    @property
    def is_bare(self) -> bool:
        """Whether single objects come without the key that wraps them."""
        return self._is_bare

    @is_bare.setter
    def is_bare(self, value: bool) -> None:
        self._is_bare = value
        self.edition += 1

    def refused(self, call: DemoRequest) -> DemoResponse | None:
        """Checks the bearer token."""
        return self._tokens.refusal(call, bodies.DATA_PLANE)

    def read(self, call: DemoRequest) -> DemoResponse:
        """Answers a GET, and the POST that restarts a connector; nothing else."""
        return routed(call, self._router, self._restarts, self.failure)

    def failure(self, status: int, call: DemoRequest) -> DemoResponse:
        """A gRPC status; about connectors, it names Kafka Connect as the reason."""
        reason = "REASON_KAFKA_CONNECT_API_ERROR" if "kafka-connect" in call.path else ""
        return failed(status, bodies.DATA_PLANE, reason=reason if status != 401 else "")

    def _single(self, key: str, body: bodies.Body) -> DemoResponse:
        return json_answer(body if self._is_bare else {key: body})

    def _no_connector(self) -> DemoResponse:
        return failed(
            404,
            bodies.DATA_PLANE,
            "the connect cluster or connector was not found",
            "REASON_KAFKA_CONNECT_API_ERROR",
        )

    def _connect_clusters(self, _call: DemoRequest) -> DemoResponse:
        none = self._cluster.is_serverless
        return json_answer({"clusters": [] if none else [bodies.connect_cluster(self._cluster)]})

    def _connect_cluster(self, _call: DemoRequest, name: str) -> DemoResponse:
        if name != _CONNECT or self._cluster.is_serverless:
            return self._no_connector()
        return self._single("cluster", bodies.connect_cluster(self._cluster))

    def _list_connectors(self, call: DemoRequest, name: str) -> DemoResponse:
        if name != _CONNECT or self._cluster.is_serverless:
            return self._no_connector()
        connectors = sorted(self._cluster.connectors, key=lambda each: each.name)
        if call.argument("page_size") == "-1":
            connectors = list(self._cluster.connectors)
        return listed(call, "connectors", connectors, bodies.listed_connector, _PAGING)

    def _of_connector(
        self, key: str, body: Callable[[DemoConnector], bodies.Body]
    ) -> Callable[..., DemoResponse]:
        def handler(_call: DemoRequest, cluster: str, name: str) -> DemoResponse:
            connector = self._connectors.get(name) if cluster == _CONNECT else None
            return self._single(key, body(connector)) if connector else self._no_connector()

        return handler

    def _restart(self, call: DemoRequest, cluster: str, name: str) -> DemoResponse:
        if cluster != _CONNECT or name not in self._connectors:
            return self._no_connector()
        try:
            options = msgspec.json.decode(call.body, type=dict[str, bool])
        except msgspec.DecodeError:
            options = {}
        if options.keys() != {"include_tasks", "only_failed"}:
            return self.failure(400, call)
        return DemoResponse(204)

    def _topics_of_connector(self, _call: DemoRequest, cluster: str, name: str) -> DemoResponse:
        connector = self._connectors.get(name) if cluster == _CONNECT else None
        return (
            json_answer({"topics": list(connector.topics)}) if connector else self._no_connector()
        )

    def _topics(self, call: DemoRequest) -> DemoResponse:
        part = call.argument("filter.name_contains")
        topics = [each for each in self._cluster.topics if part in each.name]
        return listed(call, "topics", topics, bodies.topic, _PAGING)

    def _users(self, call: DemoRequest) -> DemoResponse:
        name, part = call.argument("filter.name"), call.argument("filter.name_contains")
        users = self._cluster.users
        matching = [each for each in users if name in ("", each) and part in each]
        return listed(call, "users", matching, bodies.scram_user, _PAGING)

    def _acls(self, call: DemoRequest) -> DemoResponse:
        wanted = call.argument("filter.resource_name")
        topics = [
            each
            for each in self._cluster.topics
            if not each.is_internal and wanted in ("", each.name)
        ]
        return json_answer({"resources": [bodies.acl(each) for each in topics]})

    def _pipelines(self, call: DemoRequest) -> DemoResponse:
        part = call.argument("filter.name_contains")
        pipelines = [each for each in self._cluster.pipelines if part in each.name]
        return listed(call, "pipelines", pipelines, bodies.pipeline, _PAGING)

    def _pipeline(self, call: DemoRequest, pipeline_id: str) -> DemoResponse:
        for each in self._cluster.pipelines:
            if each.id == pipeline_id:
                return self._single("pipeline", bodies.pipeline(each))
        return self.failure(404, call)
