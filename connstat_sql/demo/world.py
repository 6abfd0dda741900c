"""The world that all four APIs serve: one company, its connectors in four systems."""

from dataclasses import dataclass

from connstat_sql.demo import world_aeontel, world_confluent, world_kafka_connect, world_redpanda
from connstat_sql.demo.world_aeontel import AeontelWorld
from connstat_sql.demo.world_confluent import ConfluentWorld
from connstat_sql.demo.world_kafka_connect import ConnectCluster
from connstat_sql.demo.world_redpanda import RedpandaWorld


@dataclass(frozen=True, slots=True)
class World:
    """Everything there is to find. Equal seeds and sizes give equal worlds."""

    confluent: ConfluentWorld
    redpanda: RedpandaWorld
    kafka_connect: tuple[ConnectCluster, ...]
    aeontel: AeontelWorld

    @classmethod
    def seeded(
        cls,
        seed: int = 7,
        *,
        environments: int = 3,
        clusters: int = 2,
        connectors: int = 6,
        redpanda_clusters: int = 2,
        accounts: int = 12,
        workspaces: int = 2,
        catalog: int = 12,
    ) -> "World":
        """Draws a world.

        ``environments`` counts Confluent's, ``clusters`` the Kafka clusters in each of them,
        ``connectors`` the connectors in each Kafka cluster, Redpanda cluster and Kafka Connect
        cluster, ``accounts`` Confluent's users and its service accounts, ``catalog`` AeonTel's
        connectors and its integrations. From six connectors up, the first ones of each system
        show every state. A larger world keeps the connectors of a smaller one; only the numbers
        of Kafka clusters depend on ``clusters``.
        """
        return cls(
            confluent=world_confluent.seeded(seed, environments, clusters, connectors, accounts),
            redpanda=world_redpanda.seeded(seed, redpanda_clusters, connectors),
            kafka_connect=world_kafka_connect.seeded(seed, connectors),
            aeontel=world_aeontel.seeded(seed, workspaces, catalog),
        )
