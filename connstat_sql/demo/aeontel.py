"""AeonTel: the connector catalog, installs per workspace, workspaces and integrations."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from connstat_sql.demo.wire import DemoRequest, DemoResponse, Router, bounded, json_answer
from connstat_sql.demo.world_aeontel import (
    AeontelWorld,
    CatalogConnector,
    Install,
    Integration,
    Workspace,
)

API_KEY = "sec_sandbox"

_ERRORS = {
    400: "BadRequest",
    401: "Authentication",
    403: "PermissionDenied",
    404: "NotFound",
    409: "Conflict",
    429: "RateLimit",
}

Body = dict[str, object]
Listable = TypeVar("Listable", CatalogConnector, Workspace, Integration)


class Aeontel:
    """Answers from an ``AeontelWorld``; ``/connect`` adds installs of its own to it."""

    def __init__(self, world: AeontelWorld) -> None:
        self.names: tuple[str, ...] = ("aeontel",)
        self.prefix = "/aeontel"
        self.edition = 0
        self.headers: Mapping[str, str] = {"x-request-id": "sandbox"}
        self._world = world
        self._installs = {(each.workspace_id, each.connector_id): each for each in world.installs}
        self._router = Router(
            {
                "api/connectors": self._connectors,
                "api/connectors/{}": self._connector,
                "api/connectors/{}/connect": self._connect,
                "api/workspaces": self._workspaces,
                "api/integrations": self._integrations,
            }
        )

    def refused(self, call: DemoRequest) -> DemoResponse | None:
        """Checks the API key."""
        authorization = call.headers.get("authorization")
        return None if authorization == f"Bearer {API_KEY}" else self.failure(401, call)

    def read(self, call: DemoRequest) -> DemoResponse:
        """Answers a GET; every other method is refused."""
        if call.method != "GET":
            return self.failure(405, call)
        return self._router.answer(call) or self.failure(404, call)

    def failure(self, status: int, call: DemoRequest) -> DemoResponse:
        """An error object with the name that the vendor's SDK gives the status."""
        return _failed(status, f"{call.method} {call.path} failed")

    def _connectors(self, call: DemoRequest) -> DemoResponse:
        wanted = call.argument("enabled")
        workspace_id = call.argument("workspace_id")
        if workspace_id and not any(each.id == workspace_id for each in self._world.workspaces):
            return _failed(404, f"workspace {workspace_id} not found")
        connectors = [
            each
            for each in self._world.connectors
            if wanted in ("", "true" if each.enabled else "false")
        ]

        def body(item: CatalogConnector) -> Body:
            shown = _connector(item)
            if workspace_id:
                shown["server"] = _server(self._installs.get((workspace_id, item.id)))
            return shown

        return _listed(call, connectors, body)

    def _connector(self, call: DemoRequest, key: str) -> DemoResponse:
        connector = self._found(key)
        return json_answer(_connector(connector)) if connector else self.failure(404, call)

    def _found(self, key: str) -> CatalogConnector | None:
        return next((each for each in self._world.connectors if key in (each.id, each.slug)), None)

    def _connect(self, call: DemoRequest, key: str) -> DemoResponse:
        connector = self._found(key)
        workspace_id = call.argument("workspace_id")
        if connector is None:
            return self.failure(404, call)
        if not any(each.id == workspace_id for each in self._world.workspaces):
            return _failed(400, "workspace_id is required")
        install_id = f"mcp_new_{len(self._installs) + 1}"
        place = (workspace_id, connector.id)
        self._installs[place] = Install(install_id, workspace_id, connector.id, None, None)
        self.edition += 1
        url = f"https://auth.example.com/authorize?state={install_id}"
        return json_answer({"authorizationUrl": url, "mcpServerId": install_id})

    def _workspaces(self, call: DemoRequest) -> DemoResponse:
        handle, organization = call.argument("handle"), call.argument("organization_id")
        workspaces = [
            each
            for each in self._world.workspaces
            if handle in ("", each.handle) and organization in ("", "org_1")
        ]
        return _listed(call, workspaces, _workspace)

    def _integrations(self, call: DemoRequest) -> DemoResponse:
        visibility, publisher = call.argument("visibility"), call.argument("publisher")
        workspace_id = call.argument("workspace_id")
        integrations = [
            each
            for each in self._world.integrations
            if visibility in ("", each.visibility)
            and publisher in ("", each.publisher)
            and workspace_id in ("", each.workspace_id)
        ]
        return _listed(call, integrations, _integration)


def _listed(
    call: DemoRequest, items: Sequence[Listable], body: Callable[[Listable], Body]
) -> DemoResponse:
    limit = bounded(call.argument("limit", "100"), 1, 100)
    if limit is None:
        return _failed(400, "limit must be between 1 and 100")
    if ids := call.argument("ids"):
        items = [each for each in items if each.id in ids.split(",")]
    positions = {each.id: position for position, each in enumerate(items)}
    after, before = call.argument("after"), call.argument("before")
    if any(cursor and cursor not in positions for cursor in (after, before)):
        return _failed(400, "cursor is not valid")
    start = positions[after] + 1 if after else 0
    if before:
        start = max(0, positions[before] - limit)
        limit = positions[before] - start
    page = items[start : start + limit]
    cursors: Body = {
        "total": len(items),
        "hasNextPage": start + limit < len(items),
        "hasPreviousPage": start > 0,
        "startCursor": page[0].id if page else None,
        "endCursor": page[-1].id if page else None,
    }
    return json_answer({"data": [body(each) for each in page], "pageInfo": cursors})


def _connector(item: CatalogConnector) -> Body:
    return {
        "id": item.id,
        "name": item.name,
        "slug": item.slug,
        "description": item.description,
        "iconUrl": item.icon_url,
        "mcpUrl": f"https://mcp.{item.slug}.example.com/mcp",
        "oauthScopes": item.oauth_scopes,
        "configSchema": item.config_schema,
        "enabled": item.enabled,
        "createdAt": item.created_at,
    }


def _server(item: Install | None) -> Body | None:
    return {"id": item.id, "status": item.status, "config": item.config} if item else None


def _workspace(item: Workspace) -> Body:
    return {
        "id": item.id,
        "organizationId": "org_1",
        "name": item.name,
        "handle": item.handle,
        "ownerId": "usr_1",
        "defaultServiceUserId": None,
        "deletedAt": item.deleted_at,
        "retentionTier": "standard",
        "createdAt": item.created_at,
        "updatedAt": "2026-06-01T00:00:00.000Z",
    }


def _integration(item: Integration) -> Body:
    return {
        "id": item.id,
        "name": item.name,
        "publisher": item.publisher,
        "visibility": item.visibility,
        "workspaceId": item.workspace_id,
        "deletedAt": None,
        "createdAt": "2026-03-01T00:00:00.000Z",
        "updatedAt": "2026-06-01T00:00:00.000Z",
    }


def _failed(status: int, message: str) -> DemoResponse:
    kind = _ERRORS.get(status, "InternalServer")
    return json_answer({"error": {"type": kind, "message": message}}, status)
