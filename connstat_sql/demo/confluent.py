"""Confluent Cloud: connect/v1 and the v2 services."""

from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import TypeVar
from urllib.parse import urlencode

from connstat_sql.demo import confluent_bodies as bodies
from connstat_sql.demo.connectors import DemoConnector
from connstat_sql.demo.wire import (
    DemoRequest,
    DemoResponse,
    Router,
    bounded,
    json_answer,
    offset_of,
    routed,
    token_at,
)
from connstat_sql.demo.world_confluent import ConfluentWorld, Environment, KafkaCluster

API_KEY = "SANDBOXCLOUDKEY"
API_SECRET = "sandbox-secret"

_HOST = "https://api.confluent.cloud"
_CHALLENGE = 'Basic error="invalid_key", error_description="the API key is not valid"'
_CODES = {
    400: ("invalid_request", "Bad Request"),
    403: ("forbidden_access", "Forbidden Access"),
    404: ("resource_not_found", "Resource Not Found"),
    409: ("resource_already_exists", "Conflict"),
    500: ("internal_server_error", "Oops, something went wrong!"),
}

Item = TypeVar("Item")


class Confluent:
    """Answers from a ``ConfluentWorld``."""

    def __init__(self, world: ConfluentWorld) -> None:
        self.names: tuple[str, ...] = ("confluent",)
        self.prefix = "/confluent"
        self.edition = 0
        self.headers: Mapping[str, str] = {"X-Request-Id": "sandbox"}
        self._world = world
        token = b64encode(f"{API_KEY}:{API_SECRET}".encode()).decode()
        self._credentials = f"Basic {token}"
        self._environments = {each.id: each for each in world.environments}
        self._connectors = {
            cluster.id: {each.name: each for each in cluster.connectors}
            for cluster in world.clusters
        }
        self._router = Router(self._routes())
        path = "connect/v1/environments/{}/clusters/{}/connectors/{}/restart"
        self._restarts = Router({path: self._restart})

    def refused(self, call: DemoRequest) -> DemoResponse | None:
        """Checks the Cloud API key."""
        return None if call.headers.get("authorization") == self._credentials else self._401(call)

    def read(self, call: DemoRequest) -> DemoResponse:
        """Answers a GET, and the POST that restarts a connector; nothing else."""
        return routed(call, self._router, self._restarts, self.failure)

    def failure(self, status: int, call: DemoRequest) -> DemoResponse:
        """Connect's error object or the v2 services' list of errors; 429 has no body."""
        if status == 401:
            return self._401(call)
        if status == 429:
            limits = {"X-RateLimit-Limit": "50", "X-RateLimit-Remaining": "0"}
            return DemoResponse(
                429, headers={**limits, "X-RateLimit-Reset": "0", "Retry-After": "0"}
            )
        code, detail = _CODES.get(status, ("", "Unexpected error"))
        if _is_connect(call):
            return json_answer({"error": {"code": status, "message": detail}}, status)
        return _refusal(status, code, detail)

    def _401(self, call: DemoRequest) -> DemoResponse:
        challenge = {"WWW-Authenticate": _CHALLENGE}
        if _is_connect(call):
            body: object = {"error": {"code": 401, "message": "Unauthorized"}}
        else:
            body = _errors(401, "", "Unauthorized", {})
        return json_answer(body, 401, challenge)

    def _routes(self) -> dict[str, Callable[..., DemoResponse]]:
        of_cluster = "connect/v1/environments/{}/clusters/{}"
        of_connector = f"{of_cluster}/connectors/{{}}"
        return {
            f"{of_cluster}/connectors": self._list_connectors,
            of_connector: self._of_connector(bodies.connector),
            f"{of_connector}/config": self._of_connector(bodies.config),
            f"{of_connector}/status": self._of_connector(bodies.status),
            f"{of_connector}/tasks": self._of_connector(bodies.tasks),
            f"{of_connector}/offsets": self._of_connector(bodies.offsets),
            f"{of_cluster}/connector-plugins": self._plugins,
            "connect/v1/custom-connector-plugins": self._custom_plugins,
            "connect/v1/custom-connector-plugins/{}": self._custom_plugin,
            "org/v2/environments": self._list_environments,
            "org/v2/environments/{}": self._environment,
            "cmk/v2/clusters": self._clusters,
            "cmk/v2/clusters/{}": self._cluster,
            "srcm/v3/clusters": self._registries,
            "networking/v1/networks": self._networks,
            "iam/v2/service-accounts": self._service_accounts,
            "iam/v2/service-accounts/{}": self._service_account,
            "iam/v2/users": self._users,
            "iam/v2/users/{}": self._user,
            "iam/v2/api-keys": self._api_keys,
            "iam/v2/api-keys/{}": self._api_key,
            "billing/v1/costs": self._costs,
        }

    # connect/v1

    def _known(self, environment_id: str, cluster_id: str) -> dict[str, DemoConnector] | None:
        environment = self._environments.get(environment_id)
        clusters = environment.clusters if environment else ()
        is_known = any(cluster.id == cluster_id for cluster in clusters)
        return self._connectors[cluster_id] if is_known else None

    def _list_connectors(
        self, call: DemoRequest, environment_id: str, cluster_id: str
    ) -> DemoResponse:
        known = self._known(environment_id, cluster_id)
        if known is None:
            return _no_cluster()
        parts = {part for text in call.arguments("expand") for part in text.split(",")}
        if not parts & {"id", "info", "status"}:
            return json_answer(list(known))
        return json_answer({name: bodies.expanded(each, parts) for name, each in known.items()})

    def _restart(
        self, call: DemoRequest, environment_id: str, cluster_id: str, name: str
    ) -> DemoResponse:
        known = self._of_connector(bodies.status)(call, environment_id, cluster_id, name)
        return known if known.status != 200 else DemoResponse(202)

    def _of_connector(self, body: Callable[[DemoConnector], object]) -> Callable[..., DemoResponse]:
        def handler(
            _call: DemoRequest, environment_id: str, cluster_id: str, name: str
        ) -> DemoResponse:
            known = self._known(environment_id, cluster_id)
            if known is None:
                return _no_cluster()
            if name not in known:
                return json_answer({"error_code": 404, "message": "resource not found"}, 404)
            return json_answer(body(known[name]))

        return handler

    def _plugins(self, _call: DemoRequest, environment_id: str, cluster_id: str) -> DemoResponse:
        if self._known(environment_id, cluster_id) is None:
            return _no_cluster()
        return json_answer(bodies.plugins())

    def _custom_plugins(self, call: DemoRequest) -> DemoResponse:
        wanted = call.argument("cloud")
        plugins = [each for each in bodies.custom_plugins() if wanted in ("", each["cloud"])]
        return _listed(call, "CustomConnectorPlugin", plugins, _same)

    def _custom_plugin(self, call: DemoRequest, plugin_id: str) -> DemoResponse:
        plugin = next((each for each in bodies.custom_plugins() if each["id"] == plugin_id), None)
        return json_answer(plugin) if plugin else self.failure(404, call)

    # v2 services

    def _list_environments(self, call: DemoRequest) -> DemoResponse:
        return _listed(call, "Environment", self._world.environments, bodies.environment)

    def _environment(self, _call: DemoRequest, environment_id: str) -> DemoResponse:
        environment = self._environments.get(environment_id)
        return json_answer(bodies.environment(environment)) if environment else _forbidden()

    def _clusters(self, call: DemoRequest) -> DemoResponse:
        def of(environment: Environment) -> Iterable[KafkaCluster]:
            wanted = call.arguments("spec.network")
            return (c for c in environment.clusters if not wanted or c.network_id in wanted)

        return self._in_environment(call, "Cluster", of, bodies.cluster)

    def _cluster(self, call: DemoRequest, cluster_id: str) -> DemoResponse:
        environment = self._environments.get(call.argument("environment"))
        if not call.argument("environment"):
            return _missing("environment")
        clusters = environment.clusters if environment else ()
        cluster = next((each for each in clusters if each.id == cluster_id), None)
        return json_answer(bodies.cluster(cluster)) if cluster else _forbidden()

    def _registries(self, call: DemoRequest) -> DemoResponse:
        return self._in_environment(call, "Cluster", lambda each: (each,), bodies.registry)

    def _networks(self, call: DemoRequest) -> DemoResponse:
        return self._in_environment(call, "Network", lambda each: (each,), bodies.network, 1000)

    def _in_environment(
        self,
        call: DemoRequest,
        kind: str,
        items: Callable[[Environment], Iterable[Item]],
        body: Callable[[Item], object],
        highest: int = 100,
    ) -> DemoResponse:
        wanted = call.argument("environment")
        if not wanted:
            return _missing("environment")
        environment = self._environments.get(wanted)
        return (
            _listed(call, kind, list(items(environment)), body, highest)
            if environment
            else _forbidden()
        )

    def _service_accounts(self, call: DemoRequest) -> DemoResponse:
        names = call.arguments("display_name")
        accounts = [
            each for each in self._world.service_accounts if not names or each.name in names
        ]
        return _listed(call, "ServiceAccount", accounts, bodies.service_account)

    def _service_account(self, call: DemoRequest, account_id: str) -> DemoResponse:
        return self._one(call, self._world.service_accounts, account_id, bodies.service_account)

    def _users(self, call: DemoRequest) -> DemoResponse:
        return _listed(call, "User", self._world.users, bodies.user)

    def _user(self, call: DemoRequest, user_id: str) -> DemoResponse:
        return self._one(call, self._world.users, user_id, bodies.user)

    def _api_keys(self, call: DemoRequest) -> DemoResponse:
        owner, resource = call.argument("spec.owner"), call.argument("spec.resource")
        keys = [
            each
            for each in self._world.api_keys
            if owner in ("", each.owner_id) and resource in ("", each.cluster_id)
        ]
        return _listed(call, "ApiKey", keys, bodies.api_key)

    def _api_key(self, call: DemoRequest, key_id: str) -> DemoResponse:
        return self._one(call, self._world.api_keys, key_id, bodies.api_key)

    def _one(
        self, call: DemoRequest, items: Iterable[Item], item_id: str, body: Callable[[Item], object]
    ) -> DemoResponse:
        item = next((each for each in items if getattr(each, "id", None) == item_id), None)
        return json_answer(body(item)) if item is not None else self.failure(404, call)

    def _costs(self, call: DemoRequest) -> DemoResponse:
        days = []
        for name in ("start_date", "end_date"):
            if not (text := call.argument(name)):
                return _missing(name)
            try:
                days.append(date.fromisoformat(text))
            except ValueError:
                return _invalid(name, f"'{text}' is not a date of the form YYYY-MM-DD")
        if days[0] >= days[1]:
            return _invalid("end_date", "end_date must be later than start_date")
        costs = self._world.costs(*days)
        return _listed(call, "Cost", costs, bodies.cost, highest=10_000, default=5000)


def _listed(
    call: DemoRequest,
    kind: str,
    items: Sequence[Item],
    body: Callable[[Item], object],
    highest: int = 100,
    default: int = 10,
) -> DemoResponse:
    size = bounded(call.argument("page_size", str(default)), 1, highest)
    if size is None:
        return _invalid("page_size", f"page_size must be between 1 and {highest}")
    path = call.path.rstrip("/")
    token = call.argument("page_token")
    start = offset_of(path, token) if token else 0
    if start is None:
        return _invalid("page_token", "page_token is not valid")
    following = start + size if start + size < len(items) else None
    service, version, *_ = call.segments
    return json_answer(
        {
            "api_version": f"{service}/{version}",
            "kind": f"{kind}List",
            "metadata": _metadata(call, path, following, len(items)),
            "data": [body(item) for item in items[start : start + size]],
        }
    )


def _metadata(call: DemoRequest, path: str, following: int | None, total: int) -> dict[str, object]:
    """The links of a page; most services leave out all of them on the last one."""
    around: dict[str, object] = {"first": _HOST + path, "total_size": total}
    if following is not None:
        repeated = {"page_token": token_at(path, following)}
        if path == "/cmk/v2/clusters":
            repeated["environment"] = call.argument("environment")
        return {**around, "next": f"{_HOST}{path}?{urlencode(repeated)}"}
    at_the_end = {"/networking/v1/networks": {**around, "next": ""}, "/srcm/v3/clusters": around}
    return at_the_end.get(path, {})


def _same(item: Item) -> Item:
    return item


def _is_connect(call: DemoRequest) -> bool:
    return call.path.startswith("/connect/v1/environments/")


def _no_cluster() -> DemoResponse:
    return json_answer({"error": {"code": 404, "message": "cluster not found"}}, 404)


def _forbidden() -> DemoResponse:
    return _refusal(403, *_CODES[403])


def _missing(parameter: str) -> DemoResponse:
    return _invalid(parameter, f"{parameter} is required")


def _invalid(parameter: str, detail: str) -> DemoResponse:
    return _refusal(400, "invalid_parameter", detail, {"parameter": parameter})


def _refusal(
    status: int, code: str, detail: str, source: Mapping[str, str] | None = None
) -> DemoResponse:
    return json_answer(_errors(status, code, detail, source or {}), status)


def _errors(status: int, code: str, detail: str, source: Mapping[str, str]) -> dict[str, object]:
    error: dict[str, object] = {"id": f"sandbox-{status}", "status": str(status)}
    if code:
        error["code"] = code
    return {"errors": [{**error, "detail": detail, "source": dict(source)}]}
