"""Which modules a statement goes through, from `Engine.run` to its first request.

A statement whose parameters have values is run over a transport that notes when the first request
arrives; one like it has run before, so that what is made once (definitions, a session, clients) is
there. Calls are recorded in the thread that runs it and in the one that fetches. Its **way** is the
sequence of modules that are entered

1. by calls of its *conductors*: the modules on the stack between `Engine.run` and the executor
   when that sends it off (`engine`, and whatever it hands the whole statement on to). What the
   modules that they call do with others to answer is theirs, and not looked at;
2. then down the stack: from the executor to where it hands the work to the thread that fetches, and
   from there to the transport.

A module that is called several times in a row is entered once. A **climb** is a step of the way
into a module that it had left before: the statement comes back to a place that was done with it, or
up to one that had sent it on. What modules are called, and which package they lie in, makes no
difference to the figure; only the executor has to bear its name.

**Calls up** are all calls on the way, however deep, of a module into one that stands in a higher
layer of pyproject's import contracts: what was handed in from above (a clock, a callback) and is
used below. Pairs of modules count, not how often.
"""

from __future__ import annotations

import contextvars
import importlib
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from types import FrameType
from typing import Any

import tomllib

SQL = """
SELECT name, connector.state FROM confluent.connect.connector_status
WHERE environment_id = '{}' AND kafka_cluster_id IN ('lkc-1', 'lkc-2')
"""
CONNECTIONS = {"confluent": {"provider": "confluent", "api_key": "key", "api_secret": "secret"}}
BEGINS = "Engine.run"
EXECUTOR = "executor"
_HANDS_OVER = "call_soon_threadsafe"
"""The function of asyncio by which a thread gives a loop on another something to do."""


def way_of(package: Path) -> dict[str, Any]:
    """The figures of the way through a package, and its `steps` one a line."""
    environment = {**os.environ, "PYTHONPATH": str(package.parent)}
    command = (sys.executable, __file__, str(package))
    done = subprocess.run(
        command, env=environment, cwd=package.parent, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


@dataclass(frozen=True)
class Call:
    """A call of a module by another, or by none of the package."""

    is_ours: bool
    """Whether in the thread that runs the statement."""
    caller: str | None
    module: str
    function: str


@dataclass
class Recorder:
    """Records calls between modules of a package until the first request arrives.

    What a thread hands over to a loop carries the caller's stack with it, in the context that
    asyncio copies, so that it is known which call the request came of.
    """

    package: str
    calls: list[Call] = field(default_factory=list)
    is_on: bool = False
    stack: list[str] = field(default_factory=list)
    """Modules from the first of the statement's thread to the one that sends."""
    handed_over: int = 0
    """How many calls there were before the work went to the thread that fetches."""

    def __post_init__(self) -> None:
        self._thread = threading.get_ident()
        self._known: dict[int, FrameType] = {}
        self._over = contextvars.ContextVar[tuple[list[str], int]]("over")

    def profile(self, frame: FrameType, event: str, _: object) -> None:
        """What `sys.setprofile` calls; a coroutine is called once, and resumed after that."""
        if event != "call" or not self.is_on:
            return
        code, is_ours = frame.f_code, threading.get_ident() == self._thread
        if is_ours and code.co_name == _HANDS_OVER:
            self._over.set((self._stack(frame), len(self.calls)))
        module = self._module(frame)
        if module is not None and id(frame) not in self._known:
            self._known[id(frame)] = frame
            caller = next(self._ours(frame.f_back), None)
            self.calls.append(Call(is_ours, caller, module, code.co_qualname))

    def request_arrives(self) -> None:
        """End, where a request has arrived; it is called by whoever gets it."""
        if self.is_on:
            self.is_on = False
            above, self.handed_over = self._over.get(([], len(self.calls)))
            self.stack = [*above, *self._stack(sys._getframe(1))]

    def _stack(self, frame: FrameType) -> list[str]:
        return list(self._ours(frame))[::-1]

    def _ours(self, frame: FrameType | None) -> Iterator[str]:
        while frame is not None:
            module = self._module(frame)
            if module is not None:
                yield module
            frame = frame.f_back

    def _module(self, frame: FrameType) -> str | None:
        """Whose code it is; methods that dataclasses write are nobody's."""
        name = frame.f_globals.get("__name__", "")
        if frame.f_code.co_filename.startswith("<") or name.partition(".")[0] != self.package:
            return None
        return str(name.partition(".")[2])


@dataclass(frozen=True)
class Way:
    """The sequence of modules, and the calls that it is made of."""

    modules: list[str]
    calls: list[Call]

    @classmethod
    def of(cls, recorder: Recorder) -> Way:
        """The way that was recorded."""
        ours = [call for call in recorder.calls[: recorder.handed_over] if call.is_ours]
        begin = next(n for n, call in enumerate(ours) if call.function == BEGINS)
        calls, engine = ours[begin + 1 :], ours[begin].module
        sending = [call for call in recorder.calls[recorder.handed_over :] if not call.is_ours]
        stack = recorder.stack[recorder.stack.index(engine) :]
        sent_off = next(n for n, module in enumerate(stack) if room(module) == EXECUTOR)
        conductors, down = {*stack[:sent_off]}, stack[sent_off:]
        across = [call.module for call in calls
                  if call.caller in conductors and call.caller != call.module]  # fmt: skip
        modules = [module for module, _ in groupby([engine, *across, *down])]
        return cls(modules, [*calls, *sending])

    @property
    def climbs(self) -> list[bool]:
        """Of each step, whether it leads to a module that was left before."""
        return [module in self.modules[:n] for n, module in enumerate(self.modules)]

    def calls_up(self, layers: list[Layers]) -> list[tuple[str, str]]:
        """Which modules call one in a higher layer, and which."""
        pairs = {(call.caller, call.module) for call in self.calls if call.caller is not None}
        return sorted(pair for pair in pairs if any(each.is_up(*pair) for each in layers))


def room(module: str) -> str:
    """The entry at the top of the package that a module lies in."""
    return module.partition(".")[0]


@dataclass(frozen=True)
class Layers:
    """A contract of import-linter: the layers of a container, the highest first."""

    container: str
    layers: tuple[tuple[str, ...], ...]

    def is_up(self, caller: str, module: str) -> bool:
        """Whether one module stands in a lower layer than another."""
        low, high = self._rank(caller), self._rank(module)
        return low is not None and high is not None and high < low

    def _rank(self, module: str) -> int | None:
        inside = f"{module}.".removeprefix(f"{self.container}." if self.container else "")
        for rank, names in enumerate(self.layers):
            if any(inside.startswith(f"{name}.") for name in names):
                return rank
        return None


def layers_of(pyproject: str, package: str) -> list[Layers]:
    """The contracts about layers."""
    contracts = tomllib.loads(pyproject)["tool"]["importlinter"]["contracts"]
    return [
        Layers(
            container.removeprefix(package).removeprefix("."),
            tuple(tuple(re.split(r"\s*[|:]\s*", layer.strip("()"))) for layer in each["layers"]),
        )
        for each in contracts
        if each["type"] == "layers"
        for container in each.get("containers", [package])
    ]


def run(package: str) -> Recorder:
    """Run the statement, recorded."""
    import httpx

    recorder = Recorder(package)
    threading.setprofile(recorder.profile)  # before there is a thread that fetches

    def answer(_: httpx.Request) -> httpx.Response:
        recorder.request_arrives()
        return httpx.Response(200, json={})

    database = importlib.import_module(package).connect(
        connections=CONNECTIONS, environment={}, transport=httpx.MockTransport(answer)
    )
    with database:
        database.sql(SQL.format("env-1"))
        recorder.is_on = True
        sys.setprofile(recorder.profile)
        database.sql(SQL.format("env-2"))
        sys.setprofile(None)
    return recorder


def figures(package: Path) -> dict[str, Any]:
    """What `way_of` answers, in a process that can import the package."""
    way = Way.of(run(package.name))
    layers = layers_of((package.parent / "pyproject.toml").read_text("utf-8"), package.name)
    up = way.calls_up(layers)
    steps = [f"{'^' if is_climb else ' '} {module}"
             for module, is_climb in zip(way.modules, way.climbs, strict=True)]  # fmt: skip
    return {
        "modules on the way of a statement": len({*way.modules}),
        "climbs on that way": sum(way.climbs),
        "modules that it needs, at any depth": len({call.module for call in way.calls}),
        "calls up, pairs of modules": len(up),
        "steps": [*steps, *(f"{caller} calls {module}" for caller, module in up)],
    }


if __name__ == "__main__":
    print(json.dumps(figures(Path(sys.argv[1]))))
