"""A sandbox in a process of its own, in which some requests of the chaos API go wrong at random."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from random import Random

from connstat_sql.demo import Fault, World
from connstat_sql.demo.faults import Faults
from tests.chaos import ChaosSandbox

FAULTS = (
    ("503", Fault(status=503)),
    ("502 as a web page", Fault(status=502, body=b"<html>back soon</html>")),
    ("500", Fault(status=500)),
    ("429", Fault(status=429)),
    ("429 with a wait", Fault(status=429, headers={"Retry-After": "1"})),
    ("503 with a limit", Fault(status=503, headers={"X-RateLimit-Reset": "1"})),
    ("403", Fault(status=403)),
    ("410", Fault(status=410)),
    ("a reset", Fault(reset=True)),
    ("nothing", Fault(cut=0)),
    ("a cut", Fault(cut=150)),
    ("a late cut", Fault(cut=700)),
    ("a delay", Fault(delay=0.05)),
    ("a time-out", Fault(delay=60.0)),
    ("a web page", Fault(status=200, body=b"<html>log in</html>")),
    ("nothing with 204", Fault(status=204, body=b"")),
    ("half a body", Fault(status=200, body=b'{"items": [{"number": 1,')),
)
"""What goes wrong, and its name in the summary. (A 404 would say that there is no such row.)"""


@dataclass
class RandomFaults(Faults):
    """Hits a share of the requests; now and then a burst of the same."""

    random: Random
    share: float
    hit: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        super().__init__()
        self._burst: list[tuple[str, Fault]] = []

    def hitting(self, names: tuple[str, ...], path: str) -> Fault | None:
        """The fault that acts on a request."""
        if not self._burst and self.random.random() < self.share:
            length = 1 if self.random.random() < 0.8 else self.random.randint(2, 6)
            self._burst = [self.random.choice(FAULTS)] * length
        if not self._burst:
            return super().hitting(names, path)
        name, fault = self._burst.pop()
        self.hit[name] += 1
        return fault


def _serve(pipe: Connection, seed: int, share: float) -> None:
    """Serve until told to end; say where, and what was hit so far when asked."""
    faults = RandomFaults(Random(seed), share)
    with ChaosSandbox(World.seeded(seed), faults=faults) as sandbox:
        pipe.send(sandbox.url)
        while pipe.recv() != "end":
            pipe.send((sandbox.count(), Counter(faults.hit)))


@dataclass(frozen=True, slots=True)
class Rude:
    """The server as seen from outside: its address, and what it counted."""

    url: str
    pipe: Connection

    def counted(self) -> tuple[int, Counter[str]]:
        """How many requests arrived, and how often each fault was hit."""
        self.pipe.send("count")
        found: tuple[int, Counter[str]] = self.pipe.recv()
        return found


@contextmanager
def rude_server(seed: int, share: float) -> Iterator[Rude]:
    """A server in which `share` of the requests go wrong, as the seed says."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, seed, share), daemon=True)
    process.start()
    try:
        yield Rude(ours.recv(), ours)
    finally:
        ours.send("end")
        process.join(timeout=10)
        if process.exitcode is None:
            process.terminate()
            process.join()
        ours.close()
        theirs.close()
        process.close()
