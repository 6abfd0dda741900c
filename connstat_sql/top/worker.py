"""The engine on a thread of its own: refreshes and looks at one connector, until it is closed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeAlias

from connstat_sql.definitions.catalog import nearest_to
from connstat_sql.definitions.model import TableName, quote
from connstat_sql.engine import Engine
from connstat_sql.errors import (
    BindError,
    ConfigError,
    ConnstatError,
    Interrupted,
    PlanError,
    QueryError,
)
from connstat_sql.planner import CONNECTION, Plan
from connstat_sql.result import DEFAULT_MAX_REQUESTS, Options, Result
from connstat_sql.top.model import Fleet, FleetConnector, Key, Outage, changes, compared, read
from connstat_sql.top.query import CONNECTORS, FleetQuery

if TYPE_CHECKING:
    from connstat_sql.fetch import FailedFetch

LISTED = 60.0
"""Seconds for which what lists the clusters holds: so soon a new one is there."""
PATIENCE = 0.02
"""Seconds between two tries to stop a statement that may only be about to begin."""


@dataclass(frozen=True, slots=True)
class Refreshed:
    """A refresh has ended, with rows; some clusters may have given none."""

    fleet: Fleet


@dataclass(frozen=True, slots=True)
class Failed:
    """A refresh has ended without rows; what was there before is stale."""

    error: ConnstatError


@dataclass(frozen=True, slots=True)
class Looked:
    """All columns of one connector; none when it is not there any more.

    `error` says why it could not be asked (None: it could).
    """

    key: Key
    columns: Mapping[str, Any] = field(default_factory=dict)
    error: ConnstatError | None = None


@dataclass(frozen=True, slots=True)
class WorkerFault:
    """A fault of ours, to be raised where it is seen."""

    error: Exception


News: TypeAlias = Refreshed | Failed | Looked | WorkerFault


class Refresher:
    """Runs one thing after the other on its thread; `tell` is called there with what came of it."""

    def __init__(
        self,
        opened: Callable[[], Engine],
        question: FleetQuery,
        tell: Callable[[News], None],
        *,
        max_requests: int = DEFAULT_MAX_REQUESTS,
        deadline: float | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`opened` makes the engine, on the thread; `now` answers seconds since the epoch.

        What has not answered `deadline` seconds after a refresh began counts as unreachable
        (None: it is waited for).
        """
        self._opened = opened
        self._question = question
        self._tell = tell
        self._options = Options(
            partial=True, max_requests=max_requests, deadline=deadline, max_age=0.0
        )
        self._now = now
        self._orders: SimpleQueue[Callable[[Engine], News] | None] = SimpleQueue()
        self._is_over = False
        self._engine: Engine | None = None
        self._last: Fleet | None = None
        self._scope: _Scope | None = None
        self._may_have_gone = False
        """Whether the last refresh lost a cluster that may not be there any more."""
        self._thread = threading.Thread(target=self._work, name="connstat-top", daemon=True)

    def start(self) -> None:
        """Begin; nothing is sent until something is ordered."""
        self._thread.start()

    def refresh(self, every: float | None = None) -> None:
        """Order a refresh, of those that come each `every` seconds (None: everything anew).

        What lists the clusters is asked where it would be too old at the next one, connectors
        always.
        """
        self._orders.put(lambda engine: self._refreshed(engine, every))

    def look_at(self, connector: FleetConnector) -> None:
        """Order all there is on one connector."""
        self._orders.put(lambda engine: self._looked(engine, connector))

    def close(self) -> None:
        """End at once: what is being fetched is stopped, and nothing more is sent."""
        self._is_over = True
        self._orders.put(None)
        while self._thread.is_alive():
            engine = self._engine
            if engine is not None:
                engine.interrupt()  # one that comes before the statement begins does not count
            self._thread.join(PATIENCE)

    # --- on the thread -----------------------------------------------------------------------

    def _work(self) -> None:
        try:
            engine = self._engine = self._opened()
        except ConnstatError as error:
            self._tell(Failed(error))
            return
        except Exception as error:
            self._tell(WorkerFault(error))
            return
        try:
            while (order := self._orders.get()) is not None and not self._is_over:
                self._obey(order, engine)
        finally:
            self._engine = None
            engine.close()

    def _obey(self, order: Callable[[Engine], News], engine: Engine) -> None:
        try:
            news = order(engine)
        except ConnstatError as error:
            news = Failed(error)
        except Exception as error:
            news = WorkerFault(error)
        if not self._is_over:
            self._tell(news)

    def _refreshed(self, engine: Engine, every: float | None) -> News:
        began, started = self._now(), time.monotonic()
        scope = self._scope = self._scope or _scope(engine, self._question, self._options)
        if every is None or self._may_have_gone:
            self._forget(engine, scope.listing)
        self._options = self._aged(scope, every or 0.0)
        if self._is_over:
            raise Interrupted("closed")
        (result,) = engine.run(scope.question.sql(), None, self._options)
        if not result.table.num_rows and not result.errors:  # else the screen would be empty
            _check_answer(result, scope)
        providers = engine.catalog.connections
        outages = (*scope.unusable, *_outages(result.errors, providers))
        self._may_have_gone = bool(
            _places(outages) - _places(self._last.outages if self._last else ())
        )
        connectors = compared(self._last, read(result.table), outages, began)
        self._last = Fleet(
            connectors,
            outages,
            scope.asked,
            observed=began,
            seconds=time.monotonic() - started,
            requests=result.requests,
            changes=changes(connectors),
        )
        return Refreshed(self._last)

    def _forget(self, engine: Engine, tables: Iterable[TableName]) -> None:
        for table in sorted(tables):
            names = (table.provider, table.service, table.resource)
            list(engine.run(f"REFRESH {'.'.join(map(quote, names))}"))

    def _aged(self, scope: _Scope, every: float) -> Options:
        """How to ask now, so that at the next refresh what lists the clusters is young enough."""
        took = 0.0 if self._last is None else self._last.seconds
        age = max(LISTED - max(every, took), 0.0)
        return replace(self._options, max_ages=dict.fromkeys(scope.listing, age))

    def _looked(self, engine: Engine, connector: FleetConnector) -> News:
        sql, arguments = self._question.of(connector)
        try:
            (result,) = engine.run(sql, arguments, replace(self._options, partial=False))
        except ConnstatError as error:
            return Looked(connector.key, error=error)
        rows = result.table.slice(connector.number, 1).to_pylist()
        return Looked(connector.key, rows[0] if rows else {})


@dataclass(frozen=True, slots=True)
class _Scope:
    """Whom to ask: the connections of the question that can be used, and why others cannot.

    `listing` are the tables that say which clusters there are.
    """

    question: FleetQuery
    asked: frozenset[str]
    unusable: tuple[Outage, ...] = ()
    listing: frozenset[TableName] = frozenset()


def _scope(engine: Engine, question: FleetQuery, options: Options) -> _Scope:
    """One connection that cannot be used is no reason to show nothing of the others."""
    _check_names(engine, question)
    plan = engine.explain(question.sql(), None, options)
    if plan is None:
        raise PlanError(f"{CONNECTORS} is no live table", sql=question.sql())
    asked, unusable = frozenset(plan.connections), {}
    for name in asked:
        try:
            engine.clients.open(name)
        except ConfigError as error:
            unusable[name] = error
    if unusable and len(unusable) == len(asked):
        raise next(iter(unusable.values()))
    providers = engine.catalog.connections
    outages = tuple(
        Outage(name, providers[name], error.message, hint=error.hint)
        for name, error in unusable.items()
    )
    if unusable:
        question = replace(question, connections=tuple(sorted(asked - unusable.keys())))
    return _Scope(question, asked, outages, _listing(engine, plan, question, options))


def _listing(
    engine: Engine, plan: Plan, question: FleetQuery, options: Options
) -> frozenset[TableName]:
    """The tables that the clusters are made of; none that a connector itself may come from."""
    try:
        clusters = engine.explain(question.clusters(), None, options)
    except BindError:  # definitions of others in place of ours, without that view
        return frozenset()
    sources = {name for scan in plan.scans for name in scan.depends_on}
    lists = {scan.resource.table for scan in plan.scans if scan.name not in sources}
    of_clusters = {scan.resource.table for scan in (clusters.scans if clusters else ())}
    return frozenset(of_clusters - lists)


def _check_names(engine: Engine, question: FleetQuery) -> None:
    known = engine.catalog.connections
    for what, names, there in (
        ("connection", question.connections, sorted(known)),
        ("provider with a connection", question.providers, sorted(set(known.values()))),
    ):
        for name in names:
            if name not in there:
                near = nearest_to(name, tuple(there))
                raise ConfigError(
                    f"there is no {what} {name}{near}", hint=f"there is  {', '.join(there)}"
                )


def _check_answer(result: Result, scope: _Scope) -> None:
    """Raise a ConnstatError where no row can ever fit what was asked for."""
    if result.doubts:
        raise QueryError(result.doubts[0])
    if not scope.asked:
        raise ConfigError(
            "no connection fits all that was asked for",
            hint="leave out one of --connection, --provider and --where",
        )


def _places(outages: Iterable[Outage]) -> set[tuple[str, str]]:
    return {(outage.connection, outage.scope) for outage in outages}


def _outages(failures: tuple[FailedFetch, ...], providers: Mapping[str, str]) -> Iterator[Outage]:
    for failure in failures:
        error, fetch = failure.error, failure.fetch
        usual = {(param.name, param.default) for param in fetch.resource.params} | {CONNECTION}
        named = (
            argument
            for argument in fetch.arguments.items()
            if argument not in usual and argument[0] not in usual
        )
        scope = " / ".join(value for _, value in named)  # what it is by default tells no place
        name = fetch.connection
        request = "" if error.request is None else str(error.request)
        message = error.message.removeprefix(f"{name} ")
        yield Outage(name, providers.get(name, ""), message, scope, request, error.hint)
