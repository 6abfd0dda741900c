"""What can be made to go wrong, and the record of what was asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from threading import Lock


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong with matching requests, valid credentials or not.

    Of several faults that match a request, the one injected first acts.
    """

    api: str = "*"
    """Glob over the names of an API: ``confluent``, ``redpanda`` (both planes),
    ``redpanda_controlplane``, ``redpanda_dataplane``, a Redpanda cluster's id, ``kafka_connect``,
    ``plant_a``, ``plant_b``, ``aeontel``."""
    path: str = "*"
    """Glob over the path below the API's prefix, without the query; ``*`` crosses slashes."""
    status: int | None = None
    """The status to answer with; None keeps the real answer."""
    body: bytes | None = None
    """The body to answer with; None means the vendor's own for ``status``."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers to add to the answer, or to change in it."""
    delay: float = 0.0
    """Seconds to wait first, on top of the servers' latency."""
    times: int | None = None
    """How many requests are hit; None means all."""
    after: int = 0
    """How many matching requests pass unharmed first."""
    cut: int | None = None
    """Send only that many bytes of the body, promise them all, and close; None sends all."""
    reset: bool = False
    """Reset the connection instead of answering."""


@dataclass(frozen=True)
class RequestRecord:
    """One request that arrived."""

    api: str
    """The first name of the API; empty when the path belongs to none."""
    method: str
    path: str
    """The raw path below the API's prefix, still percent-encoded."""
    query: str
    """The raw query, without the question mark."""
    status: int
    """Zero while unanswered, and for a connection that was reset."""
    headers_seen: Mapping[str, str]
    """The request's headers, names in lower case."""
    names: tuple[str, ...] = ()
    """All names of the API, such as ``("kafka_connect", "plant_a")``."""


class PendingRequest:
    """A request on record whose status is still to come."""

    __slots__ = ("record", "status")

    def __init__(self, record: RequestRecord) -> None:
        self.record = record
        self.status = 0

    def settled(self) -> RequestRecord:
        """The record with the status known by now."""
        return replace(self.record, status=self.status)


class Journal:
    """The requests in order of arrival; read and written from different threads."""

    def __init__(self) -> None:
        self._entries: list[PendingRequest] = []

    def opened(self, record: RequestRecord) -> PendingRequest:
        """Writes down a request."""
        entry = PendingRequest(record)
        self._entries.append(entry)
        return entry

    def records(self) -> tuple[RequestRecord, ...]:
        """Everything so far."""
        return tuple(entry.settled() for entry in tuple(self._entries))

    def count(self, api: str | None) -> int:
        """How many requests went to an API, given by glob over its names; None counts all."""
        entries = tuple(self._entries)
        return sum(api is None or _is_named(entry.record.names, api) for entry in entries)

    def reset(self) -> None:
        """Forgets everything so far."""
        self._entries = []


class Faults:
    """The faults that are switched on, and how often each has matched."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._live: list[tuple[Fault, list[int]]] = []

    def inject(self, fault: Fault) -> None:
        """Switches a fault on."""
        with self._lock:
            self._live.append((fault, [0]))

    def heal(self) -> None:
        """Switches all faults off."""
        with self._lock:
            self._live.clear()

    def hitting(self, names: tuple[str, ...], path: str) -> Fault | None:
        """The fault that acts on a request, which counts as one of those it hits."""
        with self._lock:
            for fault, seen in self._live:
                if not _is_named(names, fault.api) or not fnmatchcase(path, fault.path):
                    continue
                seen[0] += 1
                hits = seen[0] - fault.after
                if hits > 0 and (fault.times is None or hits <= fault.times):
                    return fault
        return None


def _is_named(names: tuple[str, ...], pattern: str) -> bool:
    return pattern == "*" or any(fnmatchcase(name, pattern) for name in names)
