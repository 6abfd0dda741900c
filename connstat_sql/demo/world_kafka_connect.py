"""The self-managed Kafka Connect clusters of the demo's world."""

from dataclasses import dataclass

from connstat_sql.demo.connectors import DemoConnector, Draft, Scenario, drawn, picked

WEIRD_NAME = "weird/na me#é?"
"""Reachable only through ``expand``: a worker refuses an encoded slash in a path."""
_WEIRD_INDEX = 5

_SCRIPTS = (
    (
        *(Scenario.HEALTHY, Scenario.TASK_FAILED, Scenario.PAUSED),
        *(Scenario.FAILED, Scenario.STOPPED, Scenario.NO_TASKS),
    ),
    (
        *(Scenario.HEALTHY, Scenario.ALL_TASKS_FAILED, Scenario.HEALTHY),
        *(Scenario.RESTARTING, Scenario.UNASSIGNED, Scenario.PAUSED),
    ),
)


@dataclass(frozen=True, slots=True)
class ConnectCluster:
    """One cluster of workers. ``password`` is empty where no authentication is set up."""

    name: str
    version: str
    kafka_cluster_id: str
    username: str
    password: str
    connectors: tuple[DemoConnector, ...]


def seeded(seed: int, connectors: int) -> tuple[ConnectCluster, ...]:
    """``plant_a``, open to all, and ``plant_b`` behind HTTP basic authentication."""
    return (
        _cluster(seed, 0, "plant_a", "", connectors),
        _cluster(seed, 1, "plant_b", "sandbox-secret", connectors),
    )


def _cluster(seed: int, number: int, name: str, password: str, connectors: int) -> ConnectCluster:
    return ConnectCluster(
        name=name,
        version="4.3.0",
        kafka_cluster_id=f"sandbox-{name}",
        username="sandbox" if password else "",
        password=password,
        connectors=tuple(_connector(seed, number, n) for n in range(connectors)),
    )


def _connector(seed: int, cluster: int, index: int) -> DemoConnector:
    place = f"{seed}/kafka-connect/{cluster}/{index}"
    draft = Draft(
        seed=place,
        number=88 + 6 * cluster + index,
        scenario=picked(_SCRIPTS[cluster], index, place),
        workers=tuple(f"10.30.{cluster}.{host}:8083" for host in (11, 12, 13)),
        name=WEIRD_NAME if (cluster, index) == (0, _WEIRD_INDEX) else "",
    )
    return drawn(draft)
