"""A connector of the demo's world: its state, its tasks, and the rules its state obeys."""

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from random import Random

from connstat_sql.demo.technologies import SUBJECTS, TECHNOLOGIES, Technology, trace

_SECRET = re.compile(
    r"password|secret|token|private\.key|access\.key|api\.key|jaas|connection\.uri"
)


class Scenario(Enum):
    """What happened to a connector; the value is its own state, which may hide its tasks'."""

    HEALTHY = ("RUNNING", "healthy")
    TASK_FAILED = ("RUNNING", "one task failed, the others run")
    ALL_TASKS_FAILED = ("RUNNING", "every task failed")
    NO_TASKS = ("RUNNING", "no task at all")
    PAUSED = ("PAUSED", "paused by someone")
    STOPPED = ("STOPPED", "stopped, its tasks are gone")
    FAILED = ("FAILED", "the connector itself failed to start")
    RESTARTING = ("RESTARTING", "on its way back")
    UNASSIGNED = ("UNASSIGNED", "waits for a worker")
    PROVISIONING = ("PROVISIONING", "managed: not yet there")
    DEGRADED = ("DEGRADED", "managed: one task failed and the connector admits it")

    @property
    def state(self) -> str:
        """The state that the connector reports about itself."""
        return self.value[0]


@dataclass(frozen=True, slots=True)
class Task:
    """One task of a connector. ``trace`` is empty unless the task failed."""

    id: int
    state: str
    worker_id: str
    trace: str = ""


@dataclass(frozen=True, slots=True)
class DemoConnector:
    """One connector with its secrets in the clear; each API masks what its vendor masks."""

    name: str
    id: str
    """The vendor's id, such as ``lcc-1-2``; empty where the vendor has none."""
    type: str
    plugin: str
    """The class as the plugin list spells it; ``config`` may hold an alias of it."""
    version: str
    config: Mapping[str, str]
    topics: tuple[str, ...]
    state: str
    worker_id: str
    trace: str
    tasks: tuple[Task, ...]

    @property
    def failed_tasks(self) -> tuple[Task, ...]:
        """The tasks in state FAILED."""
        return tuple(task for task in self.tasks if task.state == "FAILED")

    @property
    def hides_failure(self) -> bool:
        """Says that it runs while at least one of its tasks has failed."""
        return self.state == "RUNNING" and bool(self.failed_tasks)


@dataclass(frozen=True, slots=True)
class Draft:
    """What a system decides about one of its connectors before it is drawn."""

    seed: str
    """Everything that the connector depends on: the world's seed and the connector's place."""
    number: int
    """Chooses subject and technology; distinct numbers give distinct names."""
    scenario: Scenario
    workers: tuple[str, ...]
    """Addresses of the workers; empty where the connector's name stands in for them."""
    is_managed: bool = False
    """Whether class and topics are spelt the way a fully managed service spells them."""
    id: str = ""
    name: str = ""
    """Empty: named after subject and technology."""


def is_secret(key: str) -> bool:
    """Whether a configuration key holds a secret."""
    return _SECRET.search(key) is not None


def masked(config: Mapping[str, str]) -> dict[str, str]:
    """The configuration with every secret replaced by sixteen asterisks."""
    return {key: "*" * 16 if is_secret(key) else value for key, value in config.items()}


def drawn(draft: Draft) -> DemoConnector:
    """The connector that a draft describes; the same draft always gives the same connector."""
    rng = Random(draft.seed)
    subject, technology = subject_and_technology(draft.number)
    repeat = draft.number // (len(SUBJECTS) * len(TECHNOLOGIES))
    name = draft.name or f"{subject}-{technology.suffix}" + (f"-{repeat + 1}" if repeat else "")
    topics = _topics(subject, technology, rng)
    workers = draft.workers or (name,)
    states = _task_states(draft.scenario, rng.randint(1, 3))
    stack = trace(technology, subject)
    config = _config(draft, subject, technology, topics)
    config |= {"tasks.max": str(max(1, len(states))), "name": name}
    return DemoConnector(
        name=name,
        id=draft.id,
        type=technology.type,
        plugin=technology.cloud_class if draft.is_managed else technology.open_class,
        version=technology.version,
        config=config,
        topics=topics,
        state=draft.scenario.state,
        worker_id=rng.choice(workers),
        trace=stack if draft.scenario is Scenario.FAILED else "",
        tasks=tuple(
            Task(number, state, rng.choice(workers), stack if state == "FAILED" else "")
            for number, state in enumerate(states)
        ),
    )


def subject_and_technology(number: int) -> tuple[str, Technology]:
    """Walks through every pair of the two before it repeats one."""
    row, column = divmod(number, len(SUBJECTS))
    return SUBJECTS[column], TECHNOLOGIES[(column + row * 21) % len(TECHNOLOGIES)]


def picked(script: tuple[Scenario, ...], index: int, seed: str) -> Scenario:
    """The scripted scenario of the first connectors; past the script, mostly healthy ones."""
    if index < len(script):
        return script[index]
    rng = Random(f"{seed}/scenario")
    return rng.choice(script) if rng.random() < 0.15 else Scenario.HEALTHY


def steady_number(text: str) -> int:
    """A number below 2**32 that depends on the text alone."""
    return zlib.crc32(text.encode())


def _task_states(scenario: Scenario, size: int) -> tuple[str, ...]:
    if scenario in (Scenario.TASK_FAILED, Scenario.DEGRADED):
        return ("RUNNING", "FAILED", *("RUNNING",) * (size - 1))
    state = {
        Scenario.HEALTHY: "RUNNING",
        Scenario.ALL_TASKS_FAILED: "FAILED",
        Scenario.PAUSED: "PAUSED",
        Scenario.RESTARTING: "RUNNING",
        Scenario.UNASSIGNED: "UNASSIGNED",
    }.get(scenario)
    if scenario is Scenario.PROVISIONING:
        return ("STOPPED",)
    return (state,) * size if state else ()


def _topics(subject: str, technology: Technology, rng: Random) -> tuple[str, ...]:
    if technology.type == "sink" and rng.random() < 0.3:
        return f"{subject}.v1", f"{subject}.corrections"
    return (f"{subject}.v1",)


def _config(
    draft: Draft, subject: str, technology: Technology, topics: tuple[str, ...]
) -> dict[str, str]:
    alias = technology.configured_class or technology.open_class
    source_key = "kafka.topic" if draft.is_managed else "topic"
    topic_key = "topics" if technology.type == "sink" else source_key
    filled = {key: value.replace("{s}", subject) for key, value in technology.config.items()}
    return {
        "connector.class": technology.cloud_class if draft.is_managed else alias,
        topic_key: ",".join(topics),
        **filled,
    }
