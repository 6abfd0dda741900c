"""The JSON objects of Redpanda Cloud, and the state it derives for a connector."""

from collections import Counter

from connstat_sql.demo.connectors import DemoConnector
from connstat_sql.demo.technologies import TECHNOLOGIES
from connstat_sql.demo.world_redpanda import RedpandaCluster, RedpandaPipeline, Topic

CONTROL_PLANE = "redpanda.com/controlplane"
DATA_PLANE = "redpanda.com/dataplane"

_MOMENT = "2025-11-01T08:00:00Z"

Body = dict[str, object]


def holistic_state(item: DemoConnector) -> str:
    """One state for connector and tasks together, without the enum's prefix."""
    if item.state == "RUNNING":
        return _running_state(item)
    return {
        "FAILED": "UNHEALTHY",
        "PAUSED": "PAUSED",
        "STOPPED": "STOPPED",
        "RESTARTING": "RESTARTING",
        "UNASSIGNED": "UNASSIGNED",
        "DESTROYED": "DESTROYED",
    }.get(item.state, "UNKNOWN")


def _running_state(item: DemoConnector) -> str:
    states = Counter(task.state for task in item.tasks)
    if states["FAILED"] == len(item.tasks):
        return "UNHEALTHY"
    if states["FAILED"]:
        return "DEGRADED"
    if states["UNASSIGNED"]:
        return "UNASSIGNED"
    return "HEALTHY" if states["RUNNING"] == len(item.tasks) else "UNKNOWN"


def reason(trace: str) -> str:
    """The message of the last cause, or of the exception itself when it has none."""
    causes = [line for line in trace.splitlines() if line.startswith("Caused by: ")]
    line = causes[-1].removeprefix("Caused by: ") if causes else trace.partition("\n")[0]
    return line.partition(": ")[2] or line


def errors(item: DemoConnector) -> list[Body]:
    """What is wrong with a connector, in words; empty unless it is unhealthy or degraded."""
    state = holistic_state(item)
    if state not in ("UNHEALTHY", "DEGRADED"):
        return []
    name, failed = item.name, item.failed_tasks
    if item.state == "FAILED":
        content = reason(item.trace)
    elif not item.tasks:
        content = f"Connector {name} is in running state but has no tasks."
    elif state == "UNHEALTHY":
        content = f"Connector {name} is in running state. All tasks are in failed state."
    else:
        content = (
            f"Connector {name} is in running state but has "
            f"{len(failed)} / {len(item.tasks)} failed tasks."
        )
    return [
        _error_entry(f"Connector {name} is in {state.lower()} state.", content),
        *(
            _error_entry(f"Connector {name} Task {task.id} is in failed state.", reason(task.trace))
            for task in failed
        ),
    ]


def _error_entry(title: str, content: str) -> Body:
    return {"type": "TYPE_ERROR", "title": title, "content": content}


def status(item: DemoConnector) -> Body:
    """The states of connector and tasks, and the state derived from both."""
    return {
        "name": item.name,
        "connector": {"state": item.state, "worker_id": item.worker_id, "trace": item.trace},
        "tasks": [
            {"id": task.id, "state": task.state, "worker_id": task.worker_id, "trace": task.trace}
            for task in item.tasks
        ],
        "type": item.type,
        "holistic_state": f"CONNECTOR_HOLISTIC_STATE_{holistic_state(item)}",
        "errors": errors(item),
    }


def connector(item: DemoConnector) -> Body:
    """The connector without its status; secrets are in the clear."""
    tasks = [{"connector": item.name, "task": task.id} for task in item.tasks]
    return {"name": item.name, "config": dict(item.config), "tasks": tasks, "type": item.type}


def config(item: DemoConnector) -> Body:
    """The flat configuration."""
    return dict(item.config)


def listed_connector(item: DemoConnector) -> Body:
    """The connector as the list shows it, status included."""
    return {"name": item.name, "info": connector(item), "status": status(item)}


def connect_cluster(item: RedpandaCluster) -> Body:
    """The managed Kafka Connect cluster beside a Redpanda cluster."""
    return {
        "name": "redpanda",
        "address": "http://connectors.redpanda.svc:8083",
        "info": {
            "version": "3.8.0",
            "commit": "771b9576b00ecf5b",
            "kafka_cluster_id": f"redpanda.{item.id}",
        },
        "plugins": [
            {"type": each.type, "version": each.version, "class": each.open_class}
            for each in TECHNOLOGIES
        ],
    }


def topic(item: Topic) -> Body:
    """A topic."""
    return {
        "name": item.name,
        "internal": item.is_internal,
        "partition_count": item.partitions,
        "replication_factor": 3,
    }


def scram_user(name: str) -> Body:
    """A user of a cluster."""
    return {"name": name, "mechanism": "SASL_MECHANISM_SCRAM_SHA_256"}


def acl(item: Topic) -> Body:
    """What the connectors may do with a topic."""
    return {
        "resource_type": "RESOURCE_TYPE_TOPIC",
        "resource_name": item.name,
        "resource_pattern_type": "RESOURCE_PATTERN_TYPE_LITERAL",
        "acls": [
            {
                "principal": "User:connectors",
                "host": "*",
                "operation": "OPERATION_ALL",
                "permission_type": "PERMISSION_TYPE_ALLOW",
            }
        ],
    }


def pipeline(item: RedpandaPipeline) -> Body:
    """A Redpanda Connect pipeline."""
    return {
        "id": item.id,
        "display_name": item.name,
        "description": "",
        "state": item.state,
        "status": {"error": item.error},
        "config_yaml": item.config_yaml,
        "tags": {"team": item.name.partition("-")[0]},
    }


def cluster(item: RedpandaCluster) -> Body:
    """A cluster as the list shows it: without the URL of its data plane."""
    return {
        "id": item.id,
        "name": item.name,
        "cloud_provider": item.cloud_provider,
        "region": item.region,
        "zones": [f"{item.region}a"],
        "type": "TYPE_DEDICATED",
        "state": "STATE_READY",
        "connection_type": "CONNECTION_TYPE_PUBLIC",
        "throughput_tier": "tier-1-v3",
        "resource_group_id": item.resource_group_id,
        "network_id": item.network_id,
        "created_at": item.created_at,
        "updated_at": item.created_at,
        "current_redpanda_version": "26.1.9",
        "kafka_connect": {"enabled": True},
        "kafka_api": {"seed_brokers": [f"seed.{item.id}.redpanda.example:9092"]},
        "cloud_provider_tags": {"team": item.name.partition("-")[0]},
        "read_replica_cluster_ids": [],
    }


def serverless_cluster(item: RedpandaCluster, url: str) -> Body:
    """A serverless cluster; its list already names the data plane."""
    return {
        "id": item.id,
        "name": item.name,
        "state": "STATE_READY",
        "serverless_region": item.region,
        "resource_group_id": item.resource_group_id,
        "kafka_api": {"seed_brokers": [f"{item.id}.redpanda.example:9092"]},
        "dataplane_api": {"url": url},
        "created_at": item.created_at,
        "updated_at": item.created_at,
    }


def resource_group(number: int, name: str) -> Body:
    """A resource group."""
    return {"id": f"rg-{number}", "name": name, "created_at": _MOMENT, "updated_at": _MOMENT}


def network(number: int, name: str) -> Body:
    """A network; it lies in the resource group of the same number."""
    return {
        "id": f"net-{number}",
        "name": name,
        "cidr_block": f"10.{number}.0.0/20",
        "cloud_provider": "CLOUD_PROVIDER_AWS",
        "cluster_type": "TYPE_DEDICATED",
        "region": "us-east-1",
        "resource_group_id": f"rg-{number}",
        "state": "STATE_READY",
        "zones": ["use1-az1"],
        "created_at": _MOMENT,
        "updated_at": _MOMENT,
    }


def user(number: int, name: str) -> Body:
    """A person."""
    email = f"{name}@example.com"
    return {"id": f"usr-{number}", "name": name, "email": email, "created_at": _MOMENT}


def service_account(number: int, name: str) -> Body:
    """A service account; the control plane shows its secret."""
    return {
        "id": f"svc-{number}",
        "name": name,
        "description": f"Used by {name}",
        "created_at": _MOMENT,
        "updated_at": _MOMENT,
        "auth0_client_credentials": {
            "client_id": f"sandbox-client-{number}",
            "client_secret": "sandbox-secret",
        },
    }


def error(code: str, message: str, reason_code: str, domain: str) -> Body:
    """A gRPC status whose code is the name of the enum."""
    return {"code": code, "message": message, "details": [_origin(reason_code, domain)]}


def invalid(field: str, description: str, domain: str) -> Body:
    """The status for a parameter that breaks a rule."""
    violation = {
        "@type": "type.googleapis.com/google.rpc.BadRequest",
        "field_violations": [{"field": field, "description": description}],
    }
    return {
        "code": "INVALID_ARGUMENT",
        "message": "provided parameters are invalid",
        "details": [violation, _origin("REASON_INVALID_INPUT", domain)],
    }


def _origin(reason_code: str, domain: str) -> Body:
    return {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": reason_code,
        "domain": domain,
        "metadata": {},
    }
