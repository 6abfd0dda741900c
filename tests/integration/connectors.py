"""The connectors that the integration tests find: one for each state that users meet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# Reachable by `expand` only: Jetty refuses an encoded `/` and an encoded `%` in a path.
AWKWARD_NAME: Final = "a/b c%?#é"
# Awkward too, but each character may be percent-encoded in a path.
SPACED_NAME: Final = "b c?#é"
SECRET: Final = "connstat-top-secret"
# Values that configurations refer to as `${file:…}`; the batch size is spoilt later.
VALUES_FILE: Final = "values.properties"
GOOD_VALUES: Final = f"password={SECRET}\nbatch=10\n"
SPOILT_VALUES: Final = f"password={SECRET}\nbatch=many\n"

# The state of a connector, and the sorted states of its tasks.
States = tuple[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Connector:
    """A connector to create, and the states in which it must end up."""

    name: str
    config: Mapping[str, str]
    states: States = ("RUNNING", ("RUNNING",))
    initial_state: str = "RUNNING"
    # Verb and last path segment of what is sent after all connectors exist.
    actions: tuple[tuple[str, str], ...] = ()

    def creation(self) -> dict[str, object]:
        """Return the body of the POST that creates this connector."""
        return {"name": self.name, "config": self.config, "initial_state": self.initial_state}


def _source(folder: Path, topic: str, **more: str) -> dict[str, str]:
    return {
        "connector.class": "FileStreamSource",
        "tasks.max": "1",
        "file": str(folder / "orders.txt"),
        "topic": topic,
        **more,
    }


def _sink(target: Path, **more: str) -> dict[str, str]:
    return {
        "connector.class": "FileStreamSink",
        "tasks.max": "1",
        "file": str(target),
        "topics": "orders",
        **more,
    }


def plain_connectors(folder: Path) -> tuple[Connector, ...]:
    """Return one connector for each state that users meet, reading and writing in `folder`."""
    values = folder / VALUES_FILE
    secrets = {
        "client.password": f"${{file:{values}:password}}",
        "connection.user": "orders",
        "connection.password": SECRET,
        "sasl.jaas.config": f'PlainLoginModule required username="u" password="{SECRET}";',
    }
    # Both tasks claim to be the same static group member: the broker fences one of them.
    fenced = {
        "tasks.max": "2",
        "consumer.override.group.instance.id": "only-one",
        "consumer.override.heartbeat.interval.ms": "500",
    }
    # Created with a good value; restarted and resumed with a spoilt one, its start fails.
    broken = {"batch.size": f"${{file:{values}:batch}}"}
    restarted = (("POST", "restart"), ("PUT", "resume"))
    return (
        Connector("orders-file-source", _source(folder, "orders")),
        Connector("orders-file-sink", _sink(folder / "directory"), ("RUNNING", ("FAILED",))),
        Connector(
            "paused-source",
            _source(folder, "paused"),
            ("PAUSED", ("PAUSED",)),
            actions=(("PUT", "pause"),),
        ),
        Connector("stopped-source", _source(folder, "stopped"), ("STOPPED", ()), "STOPPED"),
        Connector(
            "two-task-sink",
            _sink(folder / "two-task.txt", **{"tasks.max": "2"}),
            ("RUNNING", ("RUNNING", "RUNNING")),
        ),
        Connector(
            "half-failed-sink",
            _sink(folder / "half-failed.txt", **fenced),
            ("RUNNING", ("FAILED", "RUNNING")),
        ),
        Connector("secret-source", _source(folder, "secret", **secrets)),
        Connector(
            "broken-source",
            _source(folder, "broken", **broken),
            ("FAILED", ()),
            "STOPPED",
            restarted,
        ),
        Connector(AWKWARD_NAME, _source(folder, "awkward")),
        Connector(SPACED_NAME, _source(folder, "spaced")),
    )


def secure_connectors(folder: Path) -> tuple[Connector, ...]:
    """Return what runs on the worker with TLS and a password."""
    return (
        Connector("vault-source", _source(folder, "vault")),
        Connector("vault-sink", _sink(folder / "directory"), ("RUNNING", ("FAILED",))),
    )
