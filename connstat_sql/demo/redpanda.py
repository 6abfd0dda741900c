"""Redpanda Cloud: the control plane with its token endpoint, and what both planes share."""

from collections.abc import Callable, Mapping, Sequence
from itertools import count
from time import monotonic
from typing import TypeVar
from urllib.parse import parse_qs

from connstat_sql.demo import redpanda_bodies as bodies
from connstat_sql.demo.wire import (
    DemoRequest,
    DemoResponse,
    Router,
    bounded,
    json_answer,
    offset_of,
    token_at,
)
from connstat_sql.demo.world_redpanda import RedpandaCluster, RedpandaWorld

CLIENT_ID = "sandbox-client"
CLIENT_SECRET = "sandbox-secret"

_CODES = {
    400: ("INVALID_ARGUMENT", "provided parameters are invalid", "REASON_INVALID_INPUT"),
    401: ("UNAUTHENTICATED", "Bearer token is not valid", "REASON_TOKEN_INVALID"),
    403: ("PERMISSION_DENIED", "permission denied", "REASON_PERMISSION_DENIED"),
    404: ("NOT_FOUND", "resource not found", "REASON_RESOURCE_NOT_FOUND"),
    405: ("UNIMPLEMENTED", "Method Not Allowed", "REASON_INVALID_INPUT"),
    409: ("ALREADY_EXISTS", "resource already exists", "REASON_ALREADY_EXISTS"),
    429: ("RESOURCE_EXHAUSTED", "too many requests", "REASON_RATE_LIMITED"),
    500: ("INTERNAL", "internal server error", "REASON_SERVER_ERROR"),
    503: ("UNAVAILABLE", "service unavailable", "REASON_SERVER_ERROR"),
}

Item = TypeVar("Item")


class Tokens:
    """The access tokens handed out so far; both planes accept the same ones."""

    def __init__(self) -> None:
        self.lifetime = 3600.0
        self._numbers = count(1)
        self._ends: dict[str, float] = {}

    def issue(self) -> str:
        """A new token, valid for ``lifetime`` seconds from now."""
        token = f"sandbox-token-{next(self._numbers)}"
        self._ends[token] = monotonic() + self.lifetime
        return token

    def expire(self) -> None:
        """Makes every token issued so far invalid."""
        self._ends = dict.fromkeys(self._ends, 0.0)

    def refusal(self, call: DemoRequest, domain: str) -> DemoResponse | None:
        """The 401 for a call without a valid token."""
        scheme, _, token = call.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            return unauthenticated("Bearer token is not present", "REASON_NO_TOKEN", domain)
        if token not in self._ends:
            return unauthenticated("Bearer token is not valid", "REASON_TOKEN_INVALID", domain)
        if self._ends[token] <= monotonic():
            return unauthenticated("Bearer token has expired", "REASON_TOKEN_EXPIRED", domain)
        return None


class ControlPlane:
    """Answers from a ``RedpandaWorld``; ``dataplane_url`` gives the URL of a cluster's id."""

    def __init__(
        self, world: RedpandaWorld, tokens: Tokens, dataplane_url: Callable[[str], str]
    ) -> None:
        self.names: tuple[str, ...] = ("redpanda", "redpanda_controlplane")
        self.prefix = "/redpanda"
        self.edition = 0
        self.headers: Mapping[str, str] = {}
        self._world = world
        self._tokens = tokens
        self._url = dataplane_url
        self._router = Router(
            {
                "v1/clusters": self._clusters,
                "v1/clusters/{}": self._cluster,
                "v1/serverless/clusters": self._serverless_clusters,
                "v1/serverless/clusters/{}": self._serverless_cluster,
                **self._accounts(),
            }
        )

    def refused(self, call: DemoRequest) -> DemoResponse | None:
        """Checks the bearer token, except where tokens are handed out."""
        if call.path == "/oauth/token":
            return None
        return self._tokens.refusal(call, bodies.CONTROL_PLANE)

    def read(self, call: DemoRequest) -> DemoResponse:
        """Answers a GET, and the POST for a token."""
        if call.path == "/oauth/token":
            return self._token(call)
        if call.method != "GET":
            return self.failure(405, call)
        return self._router.answer(call) or self.failure(404, call)

    def failure(self, status: int, call: DemoRequest) -> DemoResponse:
        """A gRPC status object; the token endpoint has OAuth's own."""
        if call.path == "/oauth/token":
            return json_answer({"error": "server_error", "error_description": "failed"}, status)
        return failed(status, bodies.CONTROL_PLANE)

    def _token(self, call: DemoRequest) -> DemoResponse:
        if call.method != "POST":
            return json_answer({"error": "method_not_allowed"}, 405)
        form = {key: values[0] for key, values in parse_qs(call.body.decode()).items()}
        if form.get("grant_type") != "client_credentials":
            body = {"error": "unsupported_grant_type", "error_description": "grant_type"}
            return json_answer(body, 400)
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            body = {"error": "access_denied", "error_description": "Unauthorized"}
            return json_answer(body, 401)
        token = self._tokens.issue()
        lifetime = int(self._tokens.lifetime)
        body_of_token = {"access_token": token, "expires_in": lifetime, "token_type": "Bearer"}
        return json_answer(body_of_token, headers={"Cache-Control": "no-store"})

    def _clusters(self, call: DemoRequest) -> DemoResponse:
        fields = {
            "resource_group_id": lambda each: each.resource_group_id,
            "region": lambda each: each.region,
            "cloud_provider": lambda each: each.cloud_provider,
            "network_id": lambda each: each.network_id,
        }
        clusters = _filtered(call, self._world.clusters, fields)
        return self._listed(call, "clusters", clusters, bodies.cluster)

    def _cluster(self, _call: DemoRequest, cluster_id: str) -> DemoResponse:
        for cluster in self._world.clusters:
            if cluster.id == cluster_id:
                url = {"dataplane_api": {"url": self._url(cluster.id)}}
                return json_answer({"cluster": {**bodies.cluster(cluster), **url}})
        return failed(404, bodies.CONTROL_PLANE)

    def _serverless(self, cluster: RedpandaCluster) -> bodies.Body:
        return bodies.serverless_cluster(cluster, self._url(cluster.id))

    def _serverless_clusters(self, call: DemoRequest) -> DemoResponse:
        fields = {
            "resource_group_id": lambda each: each.resource_group_id,
            "serverless_region": lambda each: each.region,
        }
        clusters = _filtered(call, self._world.serverless_clusters, fields)
        return self._listed(call, "serverless_clusters", clusters, self._serverless)

    def _serverless_cluster(self, _call: DemoRequest, cluster_id: str) -> DemoResponse:
        for cluster in self._world.serverless_clusters:
            if cluster.id == cluster_id:
                return json_answer(self._serverless(cluster))
        return failed(404, bodies.CONTROL_PLANE)

    def _accounts(self) -> dict[str, Callable[..., DemoResponse]]:
        """The lists that hold the very objects that are read one by one."""
        world = self._world
        lists: dict[str, list[bodies.Body]] = {
            "resource_group": [
                bodies.resource_group(*item) for item in enumerate(world.resource_groups, 1)
            ],
            "network": [bodies.network(*item) for item in enumerate(world.networks, 1)],
            "user": [bodies.user(*item) for item in enumerate(world.users, 1)],
            "service_account": [
                bodies.service_account(*item) for item in enumerate(world.service_accounts, 1)
            ],
        }
        handlers: dict[str, Callable[..., DemoResponse]] = {}
        for key, made in lists.items():
            path = f"v1/{key.replace('_', '-')}s"
            handlers |= {path: self._all(f"{key}s", made), f"{path}/{{}}": self._one(key, made)}
        return handlers

    def _all(self, plural: str, made: Sequence[bodies.Body]) -> Callable[..., DemoResponse]:
        return lambda call: self._listed(call, plural, made, lambda each: each)

    def _one(self, key: str, made: Sequence[bodies.Body]) -> Callable[..., DemoResponse]:
        known = {each["id"]: each for each in made}

        def handler(_call: DemoRequest, wanted: str) -> DemoResponse:
            if wanted not in known:
                return failed(404, bodies.CONTROL_PLANE)
            return json_answer({key: known[wanted]})

        return handler

    def _listed(
        self,
        call: DemoRequest,
        plural: str,
        items: Sequence[Item],
        body: Callable[[Item], bodies.Body],
    ) -> DemoResponse:
        return listed(call, plural, items, body, PageRules(1, 100, bodies.CONTROL_PLANE))


class PageRules:
    """How a list pages: the bounds of ``page_size`` and the domain that its errors name."""

    def __init__(self, lowest: int, highest: int, domain: str) -> None:
        self.lowest = lowest
        self.highest = highest
        self.domain = domain


def listed(
    call: DemoRequest,
    plural: str,
    items: Sequence[Item],
    body: Callable[[Item], bodies.Body],
    paging: PageRules,
) -> DemoResponse:
    """One page of 100 unless asked otherwise; ``page_size=-1``, where allowed, gives them all."""
    size = bounded(call.argument("page_size") or "100", paging.lowest, paging.highest)
    if size is None:
        rule = f"value must be greater than or equal to {paging.lowest} and less than or equal to"
        return json_answer(
            bodies.invalid("page_size", f"{rule} {paging.highest}", paging.domain), 400
        )
    token = call.argument("page_token")
    start = offset_of(call.path, token) if token else 0
    if start is None:
        return failed(500, paging.domain)
    end = len(items) if size < 0 else start + (size or 100)
    following = token_at(call.path, end) if end < len(items) else ""
    page = [body(item) for item in items[start:end]]
    return json_answer({plural: page, "next_page_token": following})


def failed(status: int, domain: str, message: str = "", reason: str = "") -> DemoResponse:
    """A gRPC status with its HTTP status; message and reason default to the status's own."""
    code, text, usual = _CODES.get(status, ("UNKNOWN", "unknown error", "REASON_UNSPECIFIED"))
    if status == 401:
        return unauthenticated(message or text, reason or usual, domain)
    return json_answer(bodies.error(code, message or text, reason or usual, domain), status)


def unauthenticated(message: str, reason: str, domain: str) -> DemoResponse:
    """The 401, which repeats its message in a header."""
    body = bodies.error("UNAUTHENTICATED", message, reason, domain)
    return json_answer(body, 401, {"WWW-Authenticate": message})


def _filtered(
    call: DemoRequest,
    clusters: Sequence[RedpandaCluster],
    fields: Mapping[str, Callable[[RedpandaCluster], str]],
) -> list[RedpandaCluster]:
    part = call.argument("filter.name_contains")
    matching = [each for each in clusters if part in each.name]
    for name, field in fields.items():
        wanted = call.argument(f"filter.{name}")
        matching = [each for each in matching if wanted in ("", field(each))]
    return matching
