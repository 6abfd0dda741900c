"""The JSON objects of Confluent Cloud, as its API spells them."""

from collections.abc import Collection
from datetime import timedelta

from connstat_sql.demo.connectors import DemoConnector, is_secret, masked, steady_number
from connstat_sql.demo.technologies import TECHNOLOGIES
from connstat_sql.demo.world_confluent import (
    Account,
    ApiKey,
    Cost,
    Environment,
    KafkaCluster,
)

_API = "https://api.confluent.cloud"
_ORGANIZATION = "crn://confluent.cloud/organization=sandbox"

Body = dict[str, object]


def connector(item: DemoConnector) -> Body:
    """The connector without its status; secrets are masked."""
    tasks = [{"connector": item.name, "task": task.id} for task in item.tasks]
    return {"name": item.name, "type": item.type, "config": masked(item.config), "tasks": tasks}


def config(item: DemoConnector) -> Body:
    """The flat, masked configuration."""
    return dict(masked(item.config))


def status(item: DemoConnector) -> Body:
    """The states of connector and tasks; a task's trace is its ``msg``."""
    body: Body = {
        "name": item.name,
        "connector": {"state": item.state, "worker_id": item.worker_id, "trace": item.trace},
        "tasks": [
            {"id": task.id, "state": task.state, "worker_id": task.worker_id, "msg": task.trace}
            for task in item.tasks
        ],
        "type": item.type,
    }
    if item.id.startswith("clcc-"):
        body |= {"errors_from_trace": [], "validation_errors": [], "override_message": ""}
    return body


def tasks(item: DemoConnector) -> list[Body]:
    """The configuration of every task, masked."""
    return [
        {"id": {"connector": item.name, "task": task.id}, "config": masked(item.config)}
        for task in item.tasks
    ]


def offsets(item: DemoConnector) -> Body:
    """A sink's offsets by topic and partition; a source's by server and table."""
    return {
        "id": item.id,
        "name": item.name,
        "offsets": [
            {"partition": partition, "offset": offset} for partition, offset in _offsets(item)
        ],
        "metadata": {"observed_at": "2026-11-20 08:00:00+00:00"},
    }


def _offsets(item: DemoConnector) -> list[tuple[Body, Body]]:
    if item.type == "sink":
        return [
            (
                {"kafka_partition": partition, "kafka_topic": topic},
                {"kafka_offset": steady_number(f"{item.id}/{topic}/{partition}") % 1_000_000},
            )
            for topic in item.topics
            for partition in range(2)
        ]
    position = str(steady_number(item.id))
    return [({"server": item.topics[0].partition(".")[0]}, {"lsn": position, "snapshot": False})]


def expanded(item: DemoConnector, parts: Collection[str]) -> Body:
    """What ``expand`` lists of one connector: the parts asked for."""
    body: Body = {}
    if "status" in parts:
        body["status"] = status(item)
    if "info" in parts:
        body["info"] = connector(item)
    if "id" in parts:
        body["id"] = {"id": item.id, "id_type": "ID"}
    return {**body, "extensions": {}}


def plugins() -> list[Body]:
    """The managed plugins; sinks are listed without a version."""
    return [
        {
            "class": each.cloud_class,
            "type": each.type,
            **({"version": each.version} if each.type == "source" else {}),
        }
        for each in TECHNOLOGIES
    ]


def custom_plugins() -> list[Body]:
    """Two uploaded plugins; the custom connectors run the first."""
    return [
        {
            **_head("connect/v1", "CustomConnectorPlugin", f"ccp-{number}", "2025-10-02T17:33:05Z"),
            "display_name": f"{each.suffix}-plugin",
            "description": f"Acme's build of {each.suffix}",
            "documentation_link": "https://docs.example.com/plugins",
            "connector_class": each.open_class,
            "connector_type": each.type.upper(),
            "content_format": "ZIP",
            "cloud": "AWS",
            "sensitive_config_properties": [key for key in each.config if is_secret(key)],
        }
        for number, each in enumerate(TECHNOLOGIES[4:6], start=1)
    ]


def environment(item: Environment) -> Body:
    """An environment of the organization."""
    return {
        **_head("org/v2", "Environment", item.id, item.created_at),
        "display_name": item.name,
        "stream_governance_config": {"package": item.package},
    }


def cluster(item: KafkaCluster) -> Body:
    """A Kafka cluster; the network is absent on the public internet."""
    kind: Body = {"kind": item.kind}
    phase: Body = {"phase": "PROVISIONED"}
    if item.kind == "Dedicated":
        kind["cku"] = phase["cku"] = 2
    spec: Body = {
        "display_name": item.name,
        "availability": item.availability,
        "cloud": item.cloud,
        "region": item.region,
        "config": kind,
        "deletion_protection": False,
        "kafka_bootstrap_endpoint": f"SASL_SSL://{item.broker}:9092",
        "http_endpoint": f"https://{item.broker}:443",
        "environment": _reference("org/v2", "Environment", item.environment_id),
    }
    if item.network_id:
        spec["network"] = _reference("networking/v1", "Network", item.network_id)
    head = _head("cmk/v2", "Cluster", item.id, item.created_at)
    return {**head, "spec": spec, "status": phase}


def registry(item: Environment) -> Body:
    """The Schema Registry cluster of an environment."""
    host = f"psrc-{item.registry_id[5:]}.eu-central-1.aws.confluent.example"
    return {
        **_head("srcm/v3", "Cluster", item.registry_id, item.created_at),
        "spec": {
            "display_name": "Stream Governance Package",
            "package": item.package,
            "http_endpoint": f"https://{host}",
            "private_http_endpoint": "",
            "catalog_http_endpoint": f"https://{host}",
            "cloud": "AWS",
            "region": "eu-central-1",
            "environment": _reference("org/v2", "Environment", item.id),
        },
        "status": {"phase": "PROVISIONED"},
    }


def network(item: Environment) -> Body:
    """The private network of an environment."""
    return {
        **_head("networking/v1", "Network", item.network_id, item.created_at),
        "spec": {
            "display_name": f"{item.name}-network",
            "cloud": "AWS",
            "region": "eu-central-1",
            "cidr": f"10.{100 + int(item.id[4:]) % 100}.0.0/16",
            "zones": ["euc1-az1", "euc1-az2", "euc1-az3"],
            "connection_types": ["PRIVATELINK"],
            "environment": _reference("org/v2", "Environment", item.id),
        },
        "status": {
            "phase": "READY",
            "dns_domain": f"{item.network_id}.eu-central-1.aws.confluent.example",
            "cloud": {"kind": "networking.v1.AwsNetwork", "account": "000000000000"},
        },
    }


def service_account(item: Account) -> Body:
    """A service account."""
    return {
        **_head("iam/v2", "ServiceAccount", item.id, item.created_at),
        "display_name": item.name,
        "description": f"Runs the connectors of {item.name}",
    }


def user(item: Account) -> Body:
    """A person."""
    return {
        **_head("iam/v2", "User", item.id, item.created_at),
        "email": item.email,
        "full_name": item.name,
        "auth_type": "AUTH_TYPE_SSO" if item.is_sso else "AUTH_TYPE_LOCAL",
    }


def api_key(item: ApiKey) -> Body:
    """A key; its secret is always read as an empty text."""
    resource = _reference("cmk/v2", "Cluster", item.cluster_id)
    resource["environment"] = item.environment_id
    return {
        **_head("iam/v2", "ApiKey", item.id, item.created_at),
        "spec": {
            "display_name": f"key of {item.owner_id}",
            "description": f"Kafka access to {item.cluster_id}",
            "owner": _reference("iam/v2", "ServiceAccount", item.owner_id),
            "resource": resource,
            "resources": [resource],
            "secret": "",
        },
    }


def cost(item: Cost) -> Body:
    """One line of a day's bill; its ``end_date`` is the next day."""
    day = item.day.isoformat()
    return {
        "api_version": "billing/v1",
        "kind": "Cost",
        "id": item.id,
        "start_date": day,
        "end_date": (item.day + timedelta(days=1)).isoformat(),
        "granularity": "DAILY",
        "product": item.product,
        "line_type": item.line_type,
        "price": item.price,
        "unit": item.unit,
        "quantity": item.quantity,
        "original_amount": item.amount,
        "discount_amount": 0.0,
        "amount": item.amount,
        "resource": {
            "id": item.resource_id,
            "display_name": item.resource_name,
            "environment": {"id": item.environment_id},
        },
    }


def _head(api_version: str, kind: str, item_id: str, moment: str) -> Body:
    where = f"{_API}/{api_version}/{_plural(kind)}/{item_id}"
    return {
        "api_version": api_version,
        "kind": kind,
        "id": item_id,
        "metadata": {
            "self": where,
            "resource_name": f"{_ORGANIZATION}/{kind.lower()}={item_id}",
            "created_at": moment,
            "updated_at": moment,
        },
    }


def _reference(api_version: str, kind: str, item_id: str) -> Body:
    return {
        "id": item_id,
        "api_version": api_version,
        "kind": kind,
        "related": f"{_API}/{api_version}/{_plural(kind)}/{item_id}",
        "resource_name": f"{_ORGANIZATION}/{kind.lower()}={item_id}",
    }


def _plural(kind: str) -> str:
    words = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in kind)
    return f"{words[1:]}s"
