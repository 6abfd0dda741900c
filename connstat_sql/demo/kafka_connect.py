"""Apache Kafka Connect: the REST API of one self-managed cluster of workers."""

from base64 import b64encode
from collections.abc import Callable, Mapping

from connstat_sql.demo import kafka_connect_bodies as bodies
from connstat_sql.demo.connectors import DemoConnector
from connstat_sql.demo.technologies import TECHNOLOGIES
from connstat_sql.demo.wire import DemoRequest, DemoResponse, Router, json_answer, routed
from connstat_sql.demo.world_kafka_connect import ConnectCluster

_CONVERTERS = (
    ("org.apache.kafka.connect.json.JsonConverter", "converter"),
    ("org.apache.kafka.connect.storage.SimpleHeaderConverter", "header_converter"),
    ("org.apache.kafka.connect.transforms.Cast$Value", "transformation"),
    ("org.apache.kafka.connect.transforms.predicates.TopicNameMatches", "predicate"),
)
_LOGGERS: dict[str, object] = {
    "org.apache.kafka.connect.runtime.WorkerTask": {"level": "DEBUG", "last_modified": 1},
    "org.apache.kafka.clients.ClientUtils": {"level": "WARN", "last_modified": None},
    "root": {"level": "INFO", "last_modified": None},
}
_MESSAGES = {
    404: "HTTP 404 Not Found",
    405: "HTTP 405 Method Not Allowed",
    409: "Cannot complete request because of a conflicting operation (e.g. worker rebalance)",
    500: "Request cannot be completed because a rebalance is expected",
    503: "Request cannot be completed because the worker is still starting",
}
_AMBIGUOUS = b"""<html>
<head>
<meta http-equiv="Content-Type" content="text/html;charset=ISO-8859-1"/>
<title>Error 400 Ambiguous URI path separator</title>
</head>
<body>
<h2>HTTP ERROR 400 Ambiguous URI path separator</h2>
</body>
</html>
"""


class KafkaConnect:
    """Answers for one cluster."""

    def __init__(self, cluster: ConnectCluster) -> None:
        self.names: tuple[str, ...] = ("kafka_connect", cluster.name)
        self.prefix = f"/kafka-connect/{cluster.name}"
        self.edition = 0
        self.headers: Mapping[str, str] = {"Server": "Jetty(12.0.34)"}
        self._cluster = cluster
        self._connectors = {each.name: each for each in cluster.connectors}
        token = b64encode(f"{cluster.username}:{cluster.password}".encode()).decode()
        self._credentials = f"Basic {token}" if cluster.password else ""
        self._restarts = Router({"connectors/{}/restart": self._restart})
        self._router = Router(
            {
                "": self._root,
                "health": self._health,
                "connectors": self._list_connectors,
                "connectors/{}": self._of_connector(bodies.info),
                "connectors/{}/config": self._of_connector(bodies.config),
                "connectors/{}/status": self._status,
                "connectors/{}/tasks": self._of_connector(bodies.tasks),
                "connectors/{}/tasks/{}/status": self._task_status,
                "connectors/{}/topics": self._of_connector(bodies.topics),
                "connectors/{}/offsets": self._of_connector(bodies.offsets),
                "connector-plugins": self._plugins,
                "connector-plugins/{}/config": self._plugin_settings,
                "admin/loggers": self._loggers,
                "admin/loggers/{}": self._logger,
            }
        )

    def refused(self, call: DemoRequest) -> DemoResponse | None:
        """Checks name and password where the cluster has them."""
        authorization = call.headers.get("authorization")
        is_open = not self._credentials
        return None if is_open or authorization == self._credentials else self.failure(401, call)

    def read(self, call: DemoRequest) -> DemoResponse:
        """Answers a GET, and the POST that restarts a connector.

        A slash encoded in a name is refused before anything else.
        """
        if "%2f" in call.path.lower():
            return DemoResponse(400, _AMBIGUOUS, "text/html;charset=iso-8859-1")
        return routed(call, self._router, self._restarts, self.failure)

    def failure(self, status: int, _call: DemoRequest, /) -> DemoResponse:
        """An error code with its message; 401 is plain text that claims to be JSON."""
        if status == 401:
            return DemoResponse(401, b"User cannot access the resource.")
        return _error(status, _MESSAGES.get(status, f"HTTP {status}"))

    def _root(self, _call: DemoRequest) -> DemoResponse:
        cluster = self._cluster
        return json_answer(
            {
                "version": cluster.version,
                "commit": "a9ce3221537b8653",
                "kafka_cluster_id": cluster.kafka_cluster_id,
            }
        )

    def _health(self, _call: DemoRequest) -> DemoResponse:
        message = "Worker has completed startup and is ready to handle requests."
        return json_answer({"status": "healthy", "message": message})

    def _list_connectors(self, call: DemoRequest) -> DemoResponse:
        parts = call.arguments("expand")
        if not parts:
            return json_answer(list(self._connectors))
        known = {"status": bodies.status, "info": bodies.info}
        wanted = {part: body for part, body in known.items() if part in parts}
        return json_answer(
            {
                name: {part: body(each) for part, body in wanted.items()}
                for name, each in self._connectors.items()
            }
        )

    def _of_connector(self, body: Callable[[DemoConnector], object]) -> Callable[..., DemoResponse]:
        def handler(_call: DemoRequest, name: str) -> DemoResponse:
            if name not in self._connectors:
                return _error(404, f"Connector {name} not found")
            return json_answer(body(self._connectors[name]))

        return handler

    def _restart(self, call: DemoRequest, name: str) -> DemoResponse:
        known = self._status(call, name)
        return known if known.status != 200 else DemoResponse(202, known.body)

    def _status(self, _call: DemoRequest, name: str) -> DemoResponse:
        if name not in self._connectors:
            return _error(404, f"No status found for connector {name}")
        return json_answer(bodies.status(self._connectors[name]))

    def _task_status(self, call: DemoRequest, name: str, task: str) -> DemoResponse:
        if not task.isdecimal():
            return self.failure(404, call)
        connector = self._connectors.get(name)
        for each in connector.tasks if connector else ():
            if connector and each.id == int(task):
                return json_answer(bodies.task_status(connector, each))
        return _error(404, f"No status found for task {name}-{task}")

    def _plugins(self, call: DemoRequest) -> DemoResponse:
        plugins = [
            {"class": each.open_class, "type": each.type, "version": each.version}
            for each in TECHNOLOGIES
        ]
        if call.argument("connectorsOnly", "true").lower() == "false":
            version = self._cluster.version
            plugins += [
                {"class": name, "type": kind, "version": version} for name, kind in _CONVERTERS
            ]
        return json_answer(plugins)

    def _plugin_settings(self, _call: DemoRequest, name: str) -> DemoResponse:
        for each in TECHNOLOGIES:
            if name in (each.open_class, each.configured_class):
                return json_answer(bodies.settings(each))
        return _error(404, f"Unknown plugin {name}.")

    def _loggers(self, _call: DemoRequest) -> DemoResponse:
        return json_answer(_LOGGERS)

    def _logger(self, _call: DemoRequest, name: str) -> DemoResponse:
        if name not in _LOGGERS:
            return _error(404, f"Logger {name} not found.")
        return json_answer(_LOGGERS[name])


def _error(status: int, message: str) -> DemoResponse:
    return json_answer({"error_code": status, "message": message}, status)
