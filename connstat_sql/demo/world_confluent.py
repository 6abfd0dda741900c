"""The Confluent Cloud organization of the demo's world."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random

from connstat_sql.demo.connectors import DemoConnector, Draft, Scenario, drawn, picked
from connstat_sql.demo.technologies import SUBJECTS

BILLED_FROM = date(2026, 1, 1)
BILLED_UNTIL = date(2027, 1, 1)
"""Costs exist for the days of 2026 only."""

_SCRIPTS = (
    (
        *(Scenario.HEALTHY, Scenario.TASK_FAILED, Scenario.PAUSED),
        *(Scenario.FAILED, Scenario.NO_TASKS, Scenario.PROVISIONING),
    ),
    (
        *(Scenario.HEALTHY, Scenario.HEALTHY, Scenario.DEGRADED),
        *(Scenario.ALL_TASKS_FAILED, Scenario.PAUSED, Scenario.HEALTHY),
    ),
    (Scenario.HEALTHY, Scenario.TASK_FAILED, Scenario.HEALTHY, Scenario.PAUSED),
)
_PLACES = (("AWS", "eu-central-1"), ("GCP", "europe-west3"), ("AZURE", "westeurope"))
_PEOPLE = ("Ada", "Grace", "Edsger", "Barbara", "Donald", "Tony", "Frances", "John", "Margaret")


@dataclass(frozen=True, slots=True)
class KafkaCluster:
    """A Kafka cluster and the connectors that run beside it."""

    id: str
    environment_id: str
    name: str
    kind: str
    availability: str
    cloud: str
    region: str
    network_id: str
    """Empty for a cluster on the public internet."""
    created_at: str
    connectors: tuple[DemoConnector, ...]

    @property
    def broker(self) -> str:
        """The cluster's host name."""
        return f"pkc-{self.id[4:]}.{self.region}.{self.cloud.lower()}.confluent.example"


@dataclass(frozen=True, slots=True)
class Environment:
    """An environment with everything that lies in it."""

    id: str
    name: str
    package: str
    created_at: str
    clusters: tuple[KafkaCluster, ...]
    network_id: str
    registry_id: str


@dataclass(frozen=True, slots=True)
class Account:
    """A service account, or a user when ``email`` is set."""

    id: str
    name: str
    created_at: str
    email: str = ""
    is_sso: bool = False


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key of ``owner_id`` for a Kafka cluster."""

    id: str
    owner_id: str
    cluster_id: str
    environment_id: str
    created_at: str


@dataclass(frozen=True, slots=True)
class Cost:
    """What one resource cost on one day under one line type, in dollars."""

    id: str
    day: date
    product: str
    line_type: str
    unit: str
    price: float
    quantity: float
    amount: float
    resource_id: str
    resource_name: str
    environment_id: str


@dataclass(frozen=True, slots=True)
class ConfluentWorld:
    """One organization."""

    seed: int
    environments: tuple[Environment, ...]
    service_accounts: tuple[Account, ...]
    users: tuple[Account, ...]
    api_keys: tuple[ApiKey, ...]

    @property
    def clusters(self) -> tuple[KafkaCluster, ...]:
        """The Kafka clusters of all environments."""
        return tuple(cluster for each in self.environments for cluster in each.clusters)

    @property
    def connectors(self) -> tuple[DemoConnector, ...]:
        """The connectors of all clusters."""
        return tuple(connector for cluster in self.clusters for connector in cluster.connectors)

    def costs(self, start: date, end: date) -> tuple[Cost, ...]:
        """What was billed from ``start`` up to, not including, ``end``."""
        first, last = max(start, BILLED_FROM), min(end, BILLED_UNTIL)
        days = [first + timedelta(days=n) for n in range(max(0, (last - first).days))]
        return tuple(
            cost
            for day in days
            for cluster in self.clusters
            for cost in _costs_of_day(self.seed, cluster, day)
        )


def seeded(
    seed: int, environments: int, clusters: int, connectors: int, accounts: int
) -> ConfluentWorld:
    """An organization of that many environments, clusters in each, connectors in each of those."""
    made = tuple(_environment(seed, n, clusters, connectors) for n in range(environments))
    owners = max(1, accounts)
    keys = tuple(
        ApiKey(
            f"SANDBOXKEY{n:04d}",
            f"sa-{n % owners + 1}",
            cluster.id,
            cluster.environment_id,
            _moment(seed, f"key-{n}"),
        )
        for n, cluster in enumerate((c for each in made for c in each.clusters), start=1)
    )
    return ConfluentWorld(
        seed=seed,
        environments=made,
        service_accounts=tuple(_service_account(seed, n) for n in range(accounts)),
        users=tuple(_user(seed, n) for n in range(accounts)),
        api_keys=keys,
    )


def _environment(seed: int, number: int, clusters: int, connectors: int) -> Environment:
    names = ("prod", "staging", "dev")
    subject = SUBJECTS[number % len(SUBJECTS)]
    name = names[number] if number < len(names) else f"team-{subject}-{number + 1}"
    return Environment(
        id=f"env-{number + 1}",
        name=name,
        package="ADVANCED" if number == 0 else "ESSENTIALS",
        created_at=_moment(seed, f"env-{number}"),
        clusters=tuple(
            _cluster(seed, f"env-{number + 1}", number * clusters + n, connectors)
            for n in range(clusters)
        ),
        network_id=f"n-{number + 1}",
        registry_id=f"lsrc-{number + 1}",
    )


def _cluster(seed: int, environment_id: str, number: int, connectors: int) -> KafkaCluster:
    kind = ("Dedicated", "Standard", "Basic", "Enterprise")[number % 4]
    cloud, region = _PLACES[number % len(_PLACES)]
    cluster = KafkaCluster(
        id=f"lkc-{number + 1}",
        environment_id=environment_id,
        name=f"{SUBJECTS[number % len(SUBJECTS)]}-{kind.lower()}",
        kind=kind,
        availability="SINGLE_ZONE" if kind == "Basic" else "MULTI_ZONE",
        cloud=cloud,
        region=region,
        network_id=f"n-{environment_id[4:]}" if kind == "Dedicated" else "",
        created_at=_moment(seed, f"lkc-{number}"),
        connectors=(),
    )
    return replace(
        cluster,
        connectors=tuple(_connector(seed, cluster, number, n) for n in range(connectors)),
    )


def _connector(seed: int, cluster: KafkaCluster, number: int, index: int) -> DemoConnector:
    place = f"{seed}/confluent/{number}/{index}"
    scenario = picked(_SCRIPTS[number % len(_SCRIPTS)], index, place)
    is_custom = scenario is Scenario.NO_TASKS
    prefix = "clcc" if is_custom else "lcc"
    connector = drawn(
        Draft(
            seed=place,
            number=6 * number + index,
            scenario=scenario,
            workers=(),
            is_managed=not is_custom,
            id=f"{prefix}-{number + 1}-{index + 1}",
        )
    )
    config = {
        "cloud.environment": "prod",
        "cloud.provider": cluster.cloud.lower(),
        "kafka.api.key": f"SANDBOXKEY{number + 1:04d}",
        "kafka.api.secret": "sandbox-secret",
        "kafka.auth.mode": "KAFKA_API_KEY",
        "kafka.endpoint": f"SASL_SSL://{cluster.broker}:9092",
        "kafka.region": cluster.region,
        **connector.config,
    }
    if is_custom:
        config |= {"confluent.connector.type": "CUSTOM", "confluent.custom.plugin.id": "ccp-1"}
    is_known = scenario is not Scenario.PROVISIONING
    return replace(connector, config=config, type=connector.type if is_known else "unknown")


def _service_account(seed: int, number: int) -> Account:
    subject = SUBJECTS[number % len(SUBJECTS)]
    return Account(f"sa-{number + 1}", f"{subject}-pipeline", _moment(seed, f"sa-{number}"))


def _user(seed: int, number: int) -> Account:
    name = _PEOPLE[number % len(_PEOPLE)]
    return Account(
        f"u-{number + 1}",
        f"{name} {number + 1}",
        _moment(seed, f"u-{number}"),
        email=f"{name.lower()}{number + 1}@example.com",
        is_sso=number % 2 == 0,
    )


def _moment(seed: int, what: str) -> str:
    rng = Random(f"{seed}/moment/{what}")
    day, minute = rng.randint(1, 28), rng.randint(0, 59)
    return f"2025-{rng.randint(1, 12):02d}-{day:02d}T{rng.randint(0, 23):02d}:{minute:02d}:00.5Z"


def _costs_of_day(seed: int, cluster: KafkaCluster, day: date) -> Iterator[Cost]:
    rng = Random(f"{seed}/cost/{cluster.id}/{day}")

    def line(about: KafkaCluster | DemoConnector, what: str, price: float, quantity: float) -> Cost:
        product, _, line_type = what.partition(":")
        return Cost(
            id=f"{about.id}-{line_type.lower()}-{day}",
            day=day,
            product=product,
            line_type=line_type,
            unit={"CONNECT_NUM_TASKS": "Task-hour", "KAFKA_BASE": "Hour"}.get(line_type, "GB"),
            price=price,
            quantity=quantity,
            amount=round(price * quantity, 4),
            resource_id=about.id,
            resource_name=about.name,
            environment_id=cluster.environment_id,
        )

    yield line(cluster, "KAFKA:KAFKA_BASE", 1.5, 24.0)
    yield line(cluster, "KAFKA:KAFKA_STORAGE", 0.002, round(rng.uniform(50, 900), 1))
    for connector in cluster.connectors:
        if connector.tasks:
            yield line(connector, "CONNECT:CONNECT_NUM_TASKS", 0.04, 24.0 * len(connector.tasks))
            gigabytes = round(rng.uniform(0.1, 40), 1)
            yield line(connector, "CONNECT:CONNECT_THROUGHPUT", 0.025, gigabytes)
