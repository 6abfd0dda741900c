"""Java on this machine: the tools, the jars, and processes that cannot outlive the tests."""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import trustme
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    load_pem_private_key,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates
from cryptography.x509 import load_pem_x509_certificate

HERE = Path(__file__).parent
POM = HERE / "pom.xml"
LIBS_VARIABLE = "CONNSTAT_KAFKA_LIBS"
OLDEST_JAVA = 17
KEYSTORE_PASSWORD = "connstat-keystore"

# A tiered-down compiler and no perf files: start-up matters here, throughput does not.
JVM_FLAGS = ("-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData")

# Outside the range that systems give to outgoing connections, so that a port stays
# free while its worker is down.
PORT_RANGE = range(20_000, 32_000)

# The shell becomes the JVM; its child waits for the end of the pipe that only this
# Python process holds, and then ends the process group. Even SIGKILL of the test run
# therefore leaves no JVM behind.
DIE_WITH_PARENT = 'exec 3<&0; (read _ <&3; kill -KILL 0) & exec "$@" </dev/null 3<&-'


def libs_folder(environment: Mapping[str, str]) -> Path:
    """Return the folder of the jars: one per `pom.xml`, in CONNSTAT_KAFKA_LIBS or `.work`."""
    cache = Path(environment.get(LIBS_VARIABLE) or HERE / ".work")
    return cache / f"libs-{hashlib.sha256(POM.read_bytes()).hexdigest()[:12]}"


def missing_tools(environment: Mapping[str, str]) -> str | None:
    """Say which tool is missing to start Kafka; None means that all are there.

    Maven is needed only until the jars of this `pom.xml` have been fetched once.
    """
    path = environment.get("PATH", "")
    if (problem := _java_problem(path)) is not None:
        return problem
    if not libs_folder(environment).exists() and shutil.which("mvn", path=path) is None:
        return "Maven (mvn) is not on the PATH and the Kafka jars are not in the cache"
    return None


def _java_problem(path: str) -> str | None:
    java = shutil.which("java", path=path)
    if java is None:
        return "Java (java) is not on the PATH"
    version = re.search(r'version "(\d+)', _java_version(path))
    if version is None:
        return f"{java} -version does not work"
    if int(version[1]) < OLDEST_JAVA:
        return f"Java {version[1]} is too old, Kafka needs {OLDEST_JAVA}"
    return None


@cache
def _java_version(path: str) -> str:
    """What `java -version` says; nothing where it does not work."""
    java = str(shutil.which("java", path=path))
    answer = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)
    return answer.stderr if answer.returncode == 0 else ""


def fetch_jars(environment: Mapping[str, str]) -> Path:
    """Return the folder of the jars, fetched by Maven when `pom.xml` is new or changed."""
    folder = libs_folder(environment)
    if folder.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        fetched = Path(scratch) / "libs"
        run_tool(
            *("mvn", "-q", "-B", "-f", str(POM), "dependency:copy-dependencies"),
            f"-DoutputDirectory={fetched}",
        )
        with contextlib.suppress(OSError):  # another test run was faster
            fetched.rename(folder)
    return folder


def run_tool(*command: str) -> None:
    """Run a short tool to its end; its whole output is the error message when it fails."""
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} failed ({done.returncode}):\n{done.stdout}{done.stderr}")


def java_command(libs: Path, main: str, *arguments: str, flags: tuple[str, ...] = ()) -> list[str]:
    """Return the command line that runs class `main` of the jars in `libs`."""
    return ["java", *JVM_FLAGS, *flags, "-cp", f"{libs}/*", main, *arguments]


def free_ports(count: int) -> tuple[int, ...]:
    """Return `count` different loopback ports on which nothing listens now."""
    found: list[int] = []
    for port in random.SystemRandom().sample(PORT_RANGE, len(PORT_RANGE)):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            found.append(port)
        if len(found) == count:
            return tuple(found)
    raise RuntimeError(f"no {count} free ports in {PORT_RANGE}")


def make_keystore(folder: Path) -> tuple[Path, Path]:
    """Make a key for 127.0.0.1 and localhost: (PKCS12 keystore, PEM file that trusts it)."""
    authority = trustme.CA(key_type=trustme.KeyType.ECDSA)
    issued = authority.issue_cert("127.0.0.1", "localhost", key_type=trustme.KeyType.ECDSA)
    key = load_pem_private_key(issued.private_key_pem.bytes(), None)
    assert isinstance(key, EllipticCurvePrivateKey)
    chain = [load_pem_x509_certificate(one.bytes()) for one in issued.cert_chain_pems]
    locked = BestAvailableEncryption(KEYSTORE_PASSWORD.encode())
    keystore, pem = folder / "worker.p12", folder / "ca.pem"
    keystore.write_bytes(
        serialize_key_and_certificates(b"worker", key, chain[0], chain[1:] or None, locked)
    )
    authority.cert_pem.write_to_path(str(pem))
    return keystore, pem


class Classes:
    """The classes of a main class, read and checked once for all later starts of it.

    A JVM that ends by itself leaves them in a file beside the jars; one that starts from
    it needs about half the time. `flags` say which of both it is to do.
    """

    def __init__(self, libs: Path, main: str, environment: Mapping[str, str]) -> None:
        java = hashlib.sha256(_java_version(environment.get("PATH", "")).encode()).hexdigest()
        self._kept = libs / f"{main.rpartition('.')[2]}-{java[:12]}.jsa"
        self._new = self._kept.with_suffix(f".{os.getpid()}")
        self.is_kept = self._kept.exists()

    @property
    def flags(self) -> tuple[str, ...]:
        if self.is_kept:
            return (f"-XX:SharedArchiveFile={self._kept}",)
        return (f"-XX:ArchiveClassesAtExit={self._new}",)

    def keep(self) -> None:
        """What a JVM has written at its end is for the next one; without it nothing changes."""
        with contextlib.suppress(OSError):
            self._new.rename(self._kept)


class JavaProcess:
    """One JVM in its own process group; it dies with `kill`, or with this Python process."""

    def __init__(self, name: str, command: list[str], log: Path) -> None:
        self.name = name
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                ["sh", "-c", DIE_WITH_PARENT, "sh", *command],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        atexit.register(self.kill)

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        """Kill the process group with SIGKILL and wait for its end; again does nothing."""
        atexit.unregister(self.kill)
        if self._process.stdin is None or self._process.stdin.closed:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process.stdin.close()

    def end(self, seconds: float) -> None:
        """Ask it to end by itself, which it does within so many seconds, or else is killed."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.terminate()
            self._process.wait(seconds)
        self.kill()

    def tail(self, lines: int = 40) -> str:
        """Return the end of the log, for the message of a failed start-up."""
        text = self.log.read_text(encoding="utf-8", errors="replace")
        return "\n".join([f"--- last lines of {self.log}", *text.splitlines()[-lines:]])
