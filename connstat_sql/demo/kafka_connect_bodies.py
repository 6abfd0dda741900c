"""The JSON objects of Apache Kafka Connect, as a 4.3 worker spells them."""

from connstat_sql.demo.connectors import DemoConnector, Task, steady_number
from connstat_sql.demo.technologies import Technology

Body = dict[str, object]
_SECRETS = ("sandbox-", "SANDBOXACCESSKEY")
"""How the values begin of settings that plugins declare to be passwords."""


def info(item: DemoConnector) -> Body:
    """The connector without its status; secrets are in the clear."""
    numbered = [{"connector": item.name, "task": task.id} for task in item.tasks]
    return {"name": item.name, "config": dict(item.config), "tasks": numbered, "type": item.type}


def config(item: DemoConnector) -> Body:
    """The flat configuration."""
    return dict(item.config)


def status(item: DemoConnector) -> Body:
    """The states of connector and tasks; tasks are listed out of order, as workers do."""
    return {
        "name": item.name,
        "connector": _state(item, item.version),
        "tasks": [task_status(item, task) for task in reversed(item.tasks)],
        "type": item.type,
    }


def task_status(item: DemoConnector, task: Task) -> Body:
    """The state of one task."""
    return {"id": task.id, **_state(task, item.version)}


def _state(item: DemoConnector | Task, version: str) -> Body:
    state: Body = {"state": item.state, "worker_id": item.worker_id, "version": version}
    return {**state, "trace": item.trace} if item.trace else state


def tasks(item: DemoConnector) -> list[Body]:
    """The configuration of every task."""
    extra = {"task.class": f"{item.plugin.removesuffix('Connector')}Task"}
    return [
        {"id": {"connector": item.name, "task": task.id}, "config": {**item.config, **extra}}
        for task in item.tasks
    ]


def settings(kind: Technology) -> list[Body]:
    """What a plugin declares of its settings."""
    return [
        {
            "name": name,
            "type": "PASSWORD" if value.startswith(_SECRETS) else "STRING",
            "required": False,
            "default_value": None,
            "importance": "MEDIUM",
            "documentation": "",
            "group": None,
            "width": "NONE",
            "display_name": name,
            "dependents": [],
            "order": -1,
        }
        for name, value in kind.config.items()
    ]


def topics(item: DemoConnector) -> Body:
    """The topics that the connector has used, under its name."""
    return {item.name: {"topics": list(item.topics)}}


def offsets(item: DemoConnector) -> Body:
    """A sink's offsets by topic and partition; a source's by server."""
    if item.type == "sink":
        positions = [
            {
                "partition": {"kafka_topic": topic, "kafka_partition": partition},
                "offset": {"kafka_offset": steady_number(f"{item.name}/{topic}/{partition}")},
            }
            for topic in item.topics
            for partition in range(2)
        ]
    else:
        position: Body = {"lsn": steady_number(item.name), "snapshot": False}
        server: Body = {"server": item.topics[0].partition(".")[0]}
        positions = [{"partition": server, "offset": position}]
    return {"offsets": positions}
