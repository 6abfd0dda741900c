"""Statements over a fake of a public API: the rows, the errors, and each request that it saw."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, Protocol

import httpx

from connstat_sql.bootstrap import Setup
from connstat_sql.bootstrap.assembly import Wiring
from connstat_sql.definitions.loader import Library
from connstat_sql.engine import Engine, EngineOptions
from connstat_sql.errors import ConnstatError
from connstat_sql.result import Options
from connstat_sql.transport import Attempt
from tests.conftest import FakeClock

DEFINITIONS = Path(__file__).parent / "definitions"
"""A folder of providers."""
SECRET = "s3cret+key/for-tests"
"""Every credential of a connection; it may stand in nothing that people see."""
MAX_AGE = 3600.0
"""Seconds for which kept rows are accepted."""


@dataclass(frozen=True)
class Call:
    """A request, as a fake reads it."""

    request: httpx.Request

    @property
    def path(self) -> str:
        return self.request.url.path

    @property
    def query(self) -> Mapping[str, str]:
        """The query, of which no key may stand twice."""
        pairs = self.request.url.params.multi_items()
        assert len(dict(pairs)) == len(pairs), f"a key was sent twice: {pairs}"
        return dict(pairs)

    @property
    def headers(self) -> Mapping[str, str]:
        return self.request.headers

    @property
    def json(self) -> Any:
        """The body of a POST, which must say that it is JSON."""
        assert self.request.headers["Content-Type"] == "application/json"
        return json.loads(self.request.content)

    @property
    def form(self) -> Mapping[str, str]:
        """The body of a POST, which must say that it is a form."""
        assert self.request.headers["Content-Type"] == "application/x-www-form-urlencoded"
        return dict(httpx.QueryParams(self.request.content.decode()))

    @property
    def line(self) -> str:
        """Method, path and query."""
        return f"{self.request.method} {self.request.url.raw_path.decode()}"


class Fake(Protocol):
    """What an API answers; one for all cases."""

    def __call__(self, call: Call) -> httpx.Response:
        """Its answer to a call."""


def answer(body: Any, status: int = 200, **headers: str) -> httpx.Response:
    """A JSON answer; names of headers are written with underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, json=body, headers=named)


def page(rows: Sequence[Any], start: int, size: int) -> tuple[list[Any], int | None]:
    """Rows from a place on, and where the next ones begin (None: those were the last)."""
    end = start + size
    return list(rows[start:end]), end if end < len(rows) else None


@dataclass(frozen=True)
class Case:
    """A statement, its rows in their order, and how many requests it costs.

    With `error` no rows come, and the error says that. What a LIMIT has cut short is not `kept`.
    """

    sql: str
    rows: Sequence[tuple[Any, ...]] = ()
    requests: int = 1
    error: str = ""
    kept: bool = True


@dataclass(frozen=True)
class Api:
    """One public API in small; `name` is that of its module and of its definition."""

    name: str
    connection: Mapping[str, Any]
    fake: type[Any]
    cases: Mapping[str, Case]


def apis() -> Iterator[Api]:
    """All of them."""
    for info in iter_modules([str(Path(__file__).parent)]):
        if info.name == "serving":
            continue
        module = import_module(f"tests.public_apis.{info.name}")
        yield Api(info.name, module.CONNECTION, module.Fake, module.CASES)


class Served:
    """An engine with a connection to each API, and what went over its wire."""

    def __init__(self, apis: Sequence[Api]) -> None:
        self.calls: list[Call] = []
        self.sent: list[Attempt] = []
        self._clock = FakeClock()
        self._fake: Fake | None = None
        connections = {
            api.name: {
                "provider": api.name, "base_url": f"http://{api.name}.test", **api.connection
            }
            for api in apis
        }  # fmt: skip
        outside = EngineOptions(
            environment={}, clock=self._clock, transport=httpx.MockTransport(self._answer),
            observe=self.sent.append,
        )  # fmt: skip
        self.engine = Engine(_Wiring(Setup(connections=connections), {}), outside)

    def turn_to(self, api: Api) -> None:
        """From now on that API answers, whoever is asked."""
        self._fake = api.fake()

    def forget(self) -> None:
        """Go on to a time at which rows that were kept until now are too old."""
        self._clock.time += 2 * MAX_AGE
        self.calls.clear()
        self.sent.clear()

    def ask(self, sql: str, options: Options | None = None) -> list[tuple[Any, ...]]:
        """The rows of a statement."""
        [result] = self.engine.run(sql, options=options)
        return result.fetchall()

    def _answer(self, request: httpx.Request) -> httpx.Response:
        assert self._fake is not None
        self.calls.append(Call(request))
        return self._fake(self.calls[-1])


class _Wiring(Wiring):
    """The definitions of these APIs alone."""

    @cached_property
    def library(self) -> Library:
        return Library([DEFINITIONS])


@contextmanager
def serving(apis: Sequence[Api]) -> Iterator[Served]:
    """An engine over all of them, closed afterwards."""
    served = Served(apis)
    try:
        yield served
    finally:
        served.engine.close()


def said(error: ConnstatError) -> str:
    """Everything of an error that people see."""
    return f"{error.message} {error.hint} {getattr(error, 'request', '')}"
