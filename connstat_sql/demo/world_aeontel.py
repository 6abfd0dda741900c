"""The AeonTel account of the demo's world."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

_CATALOG = (
    *("Slack", "Zendesk", "Linear", "HubSpot", "Notion", "GitHub", "Jira", "Salesforce"),
    *("Gmail", "Stripe", "Snowflake", "Intercom"),
)
_NO_INSTALL = "not installed"
_SCRIPTS: tuple[tuple[str | None, ...], ...] = (
    ("connected", "error", None, "disconnected", _NO_INSTALL, "connected"),
    ("connected", "connected", "error", _NO_INSTALL, "disconnected", "error"),
)


@dataclass(frozen=True, slots=True)
class CatalogConnector:
    """A connector that workspaces can install."""

    id: str
    name: str
    slug: str
    description: str | None
    icon_url: str | None
    oauth_scopes: str | None
    config_schema: Mapping[str, object] | None
    enabled: bool
    created_at: str


@dataclass(frozen=True, slots=True)
class Install:
    """A catalog connector installed in a workspace. A status of None: not connected yet."""

    id: str
    workspace_id: str
    connector_id: str
    status: str | None
    config: Mapping[str, object] | None


@dataclass(frozen=True, slots=True)
class Workspace:
    """A workspace of the organization ``org_1``. ``deleted_at`` is None while it lives."""

    id: str
    name: str
    handle: str
    deleted_at: str | None
    created_at: str


@dataclass(frozen=True, slots=True)
class Integration:
    """A published integration."""

    id: str
    name: str
    publisher: str
    visibility: str
    workspace_id: str


@dataclass(frozen=True, slots=True)
class AeontelWorld:
    """One organization."""

    connectors: tuple[CatalogConnector, ...]
    workspaces: tuple[Workspace, ...]
    installs: tuple[Install, ...]
    integrations: tuple[Integration, ...]


def seeded(seed: int, workspaces: int, catalog: int) -> AeontelWorld:
    """An organization with that many workspaces and connectors to install in them."""
    connectors = tuple(_connector(n) for n in range(catalog))
    return AeontelWorld(
        connectors=connectors,
        workspaces=tuple(_workspace(n) for n in range(workspaces)),
        installs=tuple(
            install
            for workspace in range(workspaces)
            for n, connector in enumerate(connectors)
            if (install := _install(seed, workspace, n, connector)) is not None
        ),
        integrations=tuple(_integration(n, max(1, workspaces)) for n in range(catalog)),
    )


def _connector(number: int) -> CatalogConnector:
    known = number < len(_CATALOG)
    name = _CATALOG[number] if known else f"Partner {number + 1}"
    slug = name.lower().replace(" ", "-")
    needs_domain = number % 3 == 1
    schema = {
        "type": "object",
        "properties": {"subdomain": {"type": "string"}},
        "required": ["subdomain"],
    }
    return CatalogConnector(
        id=f"cnr_{number + 1}",
        name=name,
        slug=slug,
        description=None if number % 4 == 3 else f"{name} tools over MCP",
        icon_url=None if number % 5 == 2 else f"https://cdn.example.com/{slug}.svg",
        oauth_scopes=None if needs_domain else "read write",
        config_schema=schema if needs_domain else None,
        enabled=number % 10 != 3,
        created_at=f"2026-{number % 12 + 1:02d}-01T10:00:00.000Z",
    )


def _install(seed: int, workspace: int, number: int, connector: CatalogConnector) -> Install | None:
    script = _SCRIPTS[workspace % len(_SCRIPTS)]
    rng = Random(f"{seed}/aeontel/{workspace}/{number}")
    later = rng.choice(("connected", "connected", "connected", "disconnected", _NO_INSTALL))
    status = script[number] if number < len(script) else later
    if status == _NO_INSTALL:
        return None
    config = {"subdomain": "acme", "apiKey": "sandbox-secret"} if connector.config_schema else None
    return Install(
        id=f"mcp_{workspace + 1}_{number + 1}",
        workspace_id=f"wsp_{workspace + 1}",
        connector_id=connector.id,
        status=status,
        config=config,
    )


def _workspace(number: int) -> Workspace:
    names = ("Support", "Sales", "Finance", "Research")
    name = names[number] if number < len(names) else f"Team {number + 1}"
    return Workspace(
        id=f"wsp_{number + 1}",
        name=name,
        handle=name.lower().replace(" ", "-"),
        deleted_at=None,
        created_at=f"2026-{number % 12 + 1:02d}-01T00:00:00.000Z",
    )


def _integration(number: int, workspaces: int) -> Integration:
    return Integration(
        id=f"int_{number + 1}",
        name=f"{_CATALOG[number % len(_CATALOG)]} sync {number + 1}",
        publisher="aeontel" if number % 3 else "acme",
        visibility=("public", "unlisted", "private")[number % 3],
        workspace_id=f"wsp_{number % workspaces + 1}",
    )
