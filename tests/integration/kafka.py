"""A real Kafka broker and two real Kafka Connect clusters, each of one worker, for tests."""

from __future__ import annotations

import os
import re
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Final

import httpx

from tests.integration.connectors import (
    GOOD_VALUES,
    SPOILT_VALUES,
    VALUES_FILE,
    Connector,
    States,
    plain_connectors,
    secure_connectors,
)
from tests.integration.java import (
    KEYSTORE_PASSWORD,
    Classes,
    JavaProcess,
    free_ports,
    java_command,
    make_keystore,
)

START_SECONDS: Final = 90.0
POLL_SECONDS: Final = 0.1
SETTLE_SECONDS: Final = 2.0
CONNECT: Final = "org.apache.kafka.connect.cli.ConnectDistributed"
TASKS_STARTED: Final = b"Finished starting connectors and tasks"
BROKER_MAIN: Final = "kafka.Kafka"
# What `kafka-storage format` writes, without another JVM for it.
STORAGE: Final = """\
version=1
cluster.id=Y29ubnN0YXQtdGVzdHMtMQ
node.id=1
directory.id=Y29ubnN0YXQtdGVzdHMtMg
"""
BROKER: Final = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{broker}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={folder}/broker-data
num.partitions=1
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
"""
# A short session and no rebalance delay: a killed worker comes back in seconds, not minutes.
WORKER: Final = """\
bootstrap.servers=127.0.0.1:{broker}
group.id=connstat-{name}
listeners={url}
rest.advertised.host.name=127.0.0.1
key.converter=org.apache.kafka.connect.json.JsonConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
offset.storage.topic=connstat-{name}-offsets
offset.storage.replication.factor=1
offset.storage.partitions=1
config.storage.topic=connstat-{name}-configs
config.storage.replication.factor=1
status.storage.topic=connstat-{name}-status
status.storage.replication.factor=1
status.storage.partitions=1
offset.flush.interval.ms=500
plugin.discovery=service_load
session.timeout.ms=5000
heartbeat.interval.ms=1000
scheduled.rebalance.max.delay.ms=0
config.providers=file
config.providers.file.class=org.apache.kafka.common.config.provider.FileConfigProvider
"""
TLS: Final = """\
listeners.https.ssl.keystore.location={keystore}
listeners.https.ssl.keystore.type=PKCS12
listeners.https.ssl.keystore.password={keystore_password}
listeners.https.ssl.key.password={keystore_password}
rest.extension.classes=\
org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension
"""
JAAS: Final = """\
KafkaConnect {{
  org.apache.kafka.connect.rest.basic.auth.extension.PropertyFileLoginModule required
  file="{passwords}";
}};
"""
LOG4J: Final = """\
status=warn
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=[%d] %p %m (%c)%n
rootLogger.level=warn
rootLogger.appenderRef.out.ref=out
logger.herder.name=org.apache.kafka.connect.runtime.distributed
logger.herder.level=info
"""


@dataclass(frozen=True, slots=True)
class Worker:
    """The one worker of a Connect cluster: where it listens and what runs on it."""

    url: str
    connectors: Mapping[str, States]


@dataclass(frozen=True, slots=True)
class SecureWorker(Worker):
    """A worker that wants TLS and HTTP Basic; `ca_file` is the PEM file that trusts it."""

    username: str
    password: str
    ca_file: Path


class RealKafka:
    """A broker, a plain Connect cluster and a secured one, from `with` to its end.

    `restart_worker`, `kill_worker` and `start_worker` act on the plain worker, which
    keeps its port, its connectors and their states.
    """

    def __init__(self, folder: Path, libs: Path, *, is_recorded: bool = False) -> None:
        """Use the empty `folder` for data and logs, and the jars in `libs` (`fetch_jars`).

        `is_recorded`: leave what makes later starts quicker, where there is none yet (`Classes`).
        """
        self._folder = folder
        self._libs = libs
        self._classes = {
            "broker": Classes(libs, BROKER_MAIN, os.environ),
            "plain": Classes(libs, CONNECT, os.environ),
        }
        self._is_recorded = is_recorded
        self._broker_port, self._controller_port, plain_port, secure_port = free_ports(4)
        self._plain_connectors = plain_connectors(folder)
        self._secure_connectors = secure_connectors(folder)
        self.plain = Worker(f"http://127.0.0.1:{plain_port}", _expected(self._plain_connectors))
        self.secure = SecureWorker(
            url=f"https://127.0.0.1:{secure_port}",
            connectors=_expected(self._secure_connectors),
            username="connstat",
            password="p:ass word",
            ca_file=folder / "ca.pem",
        )
        self._processes: dict[str, JavaProcess] = {}

    @property
    def connectors(self) -> Mapping[str, States]:
        """The connectors of the plain worker, by name."""
        return self.plain.connectors

    def __enter__(self) -> RealKafka:
        try:
            self._write_files()
            self._start_all()
            self._create_all()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Kill every process; the logs stay in the folder."""
        # The worker before the broker, for which it would wait.
        for name in reversed(self._classes) if self._is_recorded else ():
            if name in self._processes and not self._classes[name].is_kept:
                self._processes[name].end(START_SECONDS)
                self._classes[name].keep()
        for process in self._processes.values():
            process.kill()

    def kill_worker(self) -> None:
        """Kill the plain worker with SIGKILL; nothing listens on its port afterwards."""
        self._processes["plain"].kill()

    def start_worker(self) -> None:
        """Start the killed plain worker again and wait until its connectors are as before.

        The status topic still holds the states from before the kill, so the expected
        states count only once the worker has started its tasks and when they last.
        """
        log = self._folder / "plain.log"
        starts = log.read_bytes().count(TASKS_STARTED)
        self._start_worker("plain")
        with open_client(self.plain) as client:
            self._wait("plain worker", lambda: _is_ready(client))
            self._wait("plain tasks", lambda: log.read_bytes().count(TASKS_STARTED) > starts)
            self._wait_for_states(client, self.plain, lasting=SETTLE_SECONDS)

    def restart_worker(self) -> None:
        """Kill the plain worker with SIGKILL and start it again on the same port."""
        self.kill_worker()
        self.start_worker()

    def start_second(self) -> Worker:
        """Start another worker of the plain cluster, and wait until it serves."""
        (port,) = free_ports(1)
        second = Worker(f"http://127.0.0.1:{port}", self.connectors)
        text = self._worker_text("plain", second)
        (self._folder / "second.properties").write_text(text, encoding="utf-8")
        self._start_worker("second")
        with open_client(second) as client:
            self._wait("second worker", lambda: _is_ready(client))
            self._wait("names of second", lambda: bool(client.get("/connectors").json()))
        return second

    def roll(self, name: str, worker: Worker) -> None:
        """End a worker of the plain cluster, start it again, wait until it knows the connectors."""
        self._processes[name].end(START_SECONDS)
        self._start_worker(name)
        with open_client(worker) as client:
            self._wait(f"{name} worker", lambda: _is_ready(client))
            self._wait(f"names of {name}", lambda: bool(client.get("/connectors").json()))

    def end_second(self) -> None:
        """End the second worker; the connectors are then as before on the first."""
        self._processes.pop("second").end(START_SECONDS)
        with open_client(self.plain) as client:
            self._wait("plain worker", lambda: _is_ready(client))
            self._wait_for_states(client, self.plain, lasting=SETTLE_SECONDS)

    def _write_files(self) -> None:
        folder = self._folder
        texts = {
            "orders.txt": "one\ntwo\nthree\n",
            VALUES_FILE: GOOD_VALUES,
            "log4j2.properties": LOG4J,
            "broker-data/meta.properties": STORAGE,
            "passwords.properties": f"{self.secure.username}={self.secure.password}\n",
            "jaas.conf": JAAS.format(passwords=folder / "passwords.properties"),
            "broker.properties": BROKER.format(
                broker=self._broker_port, controller=self._controller_port, folder=folder
            ),
            "plain.properties": self._worker_text("plain", self.plain),
            "secure.properties": self._worker_text("secure", self.secure)
            + TLS.format(keystore=folder / "worker.p12", keystore_password=KEYSTORE_PASSWORD),
        }
        (folder / "broker-data").mkdir()
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
        (folder / "directory").mkdir()

    def _worker_text(self, name: str, worker: Worker) -> str:
        return WORKER.format(name=name, url=worker.url, broker=self._broker_port)

    def _java(self, main: str, *arguments: str, flags: tuple[str, ...] = ()) -> list[str]:
        log4j = f"-Dlog4j2.configurationFile={self._folder / 'log4j2.properties'}"
        return java_command(self._libs, main, *arguments, flags=(log4j, *flags))

    def _start(self, name: str, command: list[str]) -> None:
        if name in self._processes:
            self._processes[name].kill()
        self._processes[name] = JavaProcess(name, command, self._folder / f"{name}.log")

    def _start_worker(self, name: str, *flags: str) -> None:
        properties = str(self._folder / f"{name}.properties")
        quicker = self._quicker(name)
        self._start(name, self._java(CONNECT, properties, flags=(*quicker, *flags)))

    def _quicker(self, name: str) -> tuple[str, ...]:
        """One JVM of each main class records its classes; all start from what is recorded."""
        classes = self._classes["broker" if name == "broker" else "plain"]
        is_told = classes.is_kept or (self._is_recorded and name in self._classes)
        return classes.flags if is_told else ()

    def _start_all(self) -> None:
        """Start everything at once: the workers wait for the broker by themselves."""
        properties = str(self._folder / "broker.properties")
        self._start("broker", self._java(BROKER_MAIN, properties, flags=self._quicker("broker")))
        self._start_worker("plain")
        make_keystore(self._folder)
        jaas = f"-Djava.security.auth.login.config={self._folder / 'jaas.conf'}"
        self._start_worker("secure", jaas)

    def _create_all(self) -> None:
        with open_client(self.plain) as client:
            self._create(client, "plain", self._plain_connectors)
            self._act(client, self._plain_connectors)
            self._wait_for_states(client, self.plain)
            self._wait("offsets of orders", lambda: _has_committed_offsets(client))
        with open_client(self.secure) as client:
            self._create(client, "secure", self._secure_connectors)
            self._wait_for_states(client, self.secure)

    def _wait_for_states(self, client: httpx.Client, worker: Worker, lasting: float = 0.0) -> None:
        """Wait until the connectors have been in their expected states for some seconds."""
        seen: dict[str, States] = {}
        since = time.monotonic()

        def has_settled() -> bool:
            nonlocal seen, since
            seen = read_states(client)
            if seen != worker.connectors:
                since = time.monotonic()
            return seen == worker.connectors and time.monotonic() - since >= lasting

        self._wait(f"the states {worker.connectors}", has_settled, lambda: f"(saw {seen})")

    def _create(self, client: httpx.Client, name: str, connectors: tuple[Connector, ...]) -> None:
        self._wait(f"{name} worker", lambda: _is_ready(client))
        for connector in connectors:
            self._send(client, "POST", "/connectors", connector.creation())

    def _act(self, client: httpx.Client, connectors: tuple[Connector, ...]) -> None:
        """Send the actions, each to a connector that has reached its initial state."""
        acted = [connector for connector in connectors if connector.actions]
        for connector in acted:
            self._wait(connector.name, _has_begun(client, connector))
        (self._folder / VALUES_FILE).write_text(SPOILT_VALUES, encoding="utf-8")
        for connector in acted:
            for verb, action in connector.actions:
                self._send(client, verb, f"/connectors/{connector.name}/{action}")

    def _send(self, client: httpx.Client, verb: str, path: str, body: object = None) -> None:
        """Send a write, again while the worker refuses because it is rebalancing."""

        def is_done() -> bool:
            answer = client.request(verb, path, json=body)
            if not re.search("rebalance|stale configuration", answer.text):
                answer.raise_for_status()
            return answer.is_success

        self._wait(f"{verb} {path}", is_done)

    def _wait(
        self, what: str, is_true: Callable[[], bool], seen: Callable[[], object] = str
    ) -> None:
        """Poll until `is_true`; a process that dies or a passed deadline shows the logs."""
        deadline = time.monotonic() + START_SECONDS
        while not is_true():
            dead = [name for name, process in self._processes.items() if not process.is_alive()]
            if dead or time.monotonic() > deadline:
                reason = f"{', '.join(dead)} died" if dead else f"{START_SECONDS:.0f} s passed"
                tails = "\n".join(process.tail() for process in self._processes.values())
                raise RuntimeError(f"{reason} while waiting for {what} {seen()}\n{tails}")
            time.sleep(POLL_SECONDS)


def open_client(worker: Worker) -> httpx.Client:
    """Return a client for the worker, with its certificate and password where it has them."""
    if not isinstance(worker, SecureWorker):
        return httpx.Client(base_url=worker.url, timeout=30, trust_env=False)
    return httpx.Client(
        base_url=worker.url,
        auth=(worker.username, worker.password),
        verify=ssl.create_default_context(cafile=str(worker.ca_file)),
        timeout=30,
        trust_env=False,
    )


def read_states(client: httpx.Client) -> dict[str, States]:
    """Return the states of every connector now, task states sorted."""
    answer = client.get("/connectors", params={"expand": "status"}).raise_for_status()
    return {name: _states(entry["status"]) for name, entry in answer.json().items() if entry}


def _states(status: dict[str, Any]) -> States:
    return status["connector"]["state"], tuple(sorted(task["state"] for task in status["tasks"]))


def _expected(connectors: tuple[Connector, ...]) -> Mapping[str, States]:
    return MappingProxyType({connector.name: connector.states for connector in connectors})


def _is_ready(client: httpx.Client) -> bool:
    """Say whether the worker serves; before, it refuses, then answers 404 with HTML."""
    try:
        return client.get("/connectors").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def _has_begun(client: httpx.Client, connector: Connector) -> Callable[[], bool]:
    tasks = ("RUNNING",) if connector.initial_state == "RUNNING" else ()
    return lambda: read_states(client).get(connector.name) == (connector.initial_state, tasks)


def _has_committed_offsets(client: httpx.Client) -> bool:
    """Say whether the source and a sink have flushed: their offsets are then not empty."""
    names = ("orders-file-source", "two-task-sink")
    answers = [client.get(f"/connectors/{name}/offsets") for name in names]
    return all(answer.is_success and answer.json()["offsets"] for answer in answers)
