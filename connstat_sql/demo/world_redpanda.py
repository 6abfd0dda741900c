"""The Redpanda Cloud organization of the demo's world."""

from dataclasses import dataclass

from connstat_sql.demo.connectors import DemoConnector, Draft, Scenario, drawn, picked
from connstat_sql.demo.technologies import SUBJECTS

_SCRIPTS = (
    (
        *(Scenario.HEALTHY, Scenario.TASK_FAILED, Scenario.PAUSED),
        *(Scenario.FAILED, Scenario.NO_TASKS, Scenario.STOPPED),
    ),
    (
        *(Scenario.HEALTHY, Scenario.ALL_TASKS_FAILED, Scenario.HEALTHY),
        *(Scenario.RESTARTING, Scenario.UNASSIGNED, Scenario.PAUSED),
    ),
)
_PLACES = (
    ("CLOUD_PROVIDER_AWS", "us-east-1"),
    ("CLOUD_PROVIDER_GCP", "us-central1"),
    ("CLOUD_PROVIDER_AZURE", "eastus"),
)
_PIPELINE_STATES = ("STATE_RUNNING", "STATE_ERROR", "STATE_STOPPED")


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic of a cluster."""

    name: str
    is_internal: bool
    partitions: int


@dataclass(frozen=True, slots=True)
class RedpandaPipeline:
    """A Redpanda Connect pipeline. ``error`` is empty unless its state is STATE_ERROR."""

    id: str
    name: str
    state: str
    error: str
    config_yaml: str


@dataclass(frozen=True, slots=True)
class RedpandaCluster:
    """A cluster with its data plane; a serverless one runs no connectors."""

    id: str
    name: str
    is_serverless: bool
    cloud_provider: str
    region: str
    resource_group_id: str
    network_id: str
    created_at: str
    connectors: tuple[DemoConnector, ...]
    topics: tuple[Topic, ...]
    users: tuple[str, ...]
    pipelines: tuple[RedpandaPipeline, ...]


@dataclass(frozen=True, slots=True)
class RedpandaWorld:
    """One organization; ids are ``rp-1``, ``srv-1``, ``rg-1``, ``net-1`` and so on."""

    clusters: tuple[RedpandaCluster, ...]
    serverless_clusters: tuple[RedpandaCluster, ...]
    resource_groups: tuple[str, ...]
    networks: tuple[str, ...]
    users: tuple[str, ...]
    service_accounts: tuple[str, ...]

    @property
    def connectors(self) -> tuple[DemoConnector, ...]:
        """The connectors of all clusters."""
        return tuple(connector for each in self.clusters for connector in each.connectors)


def seeded(seed: int, clusters: int, connectors: int) -> RedpandaWorld:
    """An organization of that many clusters with that many connectors in each."""
    groups = ("production", "development")
    return RedpandaWorld(
        clusters=tuple(_cluster(seed, n, connectors) for n in range(clusters)),
        serverless_clusters=(_serverless(seed),),
        resource_groups=groups,
        networks=tuple(f"{group}-network" for group in groups),
        users=("ada", "grace", "edsger"),
        service_accounts=("inventory-reader", "deploy-bot"),
    )


def _cluster(seed: int, number: int, connectors: int) -> RedpandaCluster:
    cloud_provider, region = _PLACES[number % len(_PLACES)]
    made = tuple(_connector(seed, number, n) for n in range(connectors))
    return RedpandaCluster(
        id=f"rp-{number + 1}",
        name=f"{SUBJECTS[number % len(SUBJECTS)]}-{'prod' if number % 2 == 0 else 'dev'}",
        is_serverless=False,
        cloud_provider=cloud_provider,
        region=region,
        resource_group_id=f"rg-{number % 2 + 1}",
        network_id=f"net-{number % 2 + 1}",
        created_at=f"2026-01-{number % 28 + 1:02d}T09:30:00Z",
        connectors=made,
        topics=_topics(made),
        users=("connectors", "payment-service", "reporting"),
        pipelines=tuple(_pipeline(number, n) for n in range(3)),
    )


def _serverless(seed: int) -> RedpandaCluster:
    return RedpandaCluster(
        id="srv-1",
        name="playground",
        is_serverless=True,
        cloud_provider="CLOUD_PROVIDER_AWS",
        region="pro-us-east-1",
        resource_group_id="rg-2",
        network_id="",
        created_at=f"2026-02-{seed % 28 + 1:02d}T09:30:00Z",
        connectors=(),
        topics=(Topic("hello.v1", False, 1),),
        users=("playground",),
        pipelines=(),
    )


def _connector(seed: int, cluster: int, index: int) -> DemoConnector:
    place = f"{seed}/redpanda/{cluster}/{index}"
    draft = Draft(
        seed=place,
        number=47 + 6 * cluster + index,
        scenario=picked(_SCRIPTS[cluster % len(_SCRIPTS)], index, place),
        workers=tuple(f"10.20.{cluster}.{host}:8083" for host in (11, 12)),
    )
    return drawn(draft)


def _topics(connectors: tuple[DemoConnector, ...]) -> tuple[Topic, ...]:
    names = sorted({topic for connector in connectors for topic in connector.topics})
    inner = ("_internal_connectors_configs", "_schemas")
    return (
        *(Topic(name, True, 1) for name in inner),
        *(Topic(name, False, 6) for name in names),
    )


def _pipeline(cluster: int, number: int) -> RedpandaPipeline:
    subject = SUBJECTS[(7 * cluster + number) % len(SUBJECTS)]
    state = _PIPELINE_STATES[number]
    error = "failed to connect to output: dial tcp: connection refused"
    return RedpandaPipeline(
        id=f"pipe-{cluster + 1}-{number + 1}",
        name=f"{subject}-enrichment",
        state=state,
        error=error if state == "STATE_ERROR" else "",
        config_yaml=f"input:\n  redpanda:\n    topics: [{subject}.v1]\noutput:\n  drop: {{}}\n",
    )
