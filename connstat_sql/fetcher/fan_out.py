"""Fetches → pages of all of them, as many at once as the connections allow.

Everything here runs on one event loop. Pages are handed on as they arrive; a page is handed on
whole or not at all.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace

from connstat_sql.arrow import RowReader
from connstat_sql.errors import FetchError
from connstat_sql.fetcher.answers import Answers, Asked
from connstat_sql.fetcher.pages import Budget, Page, Walk
from connstat_sql.fetcher.requests import Fetch, build_request
from connstat_sql.transport import Client, Request

Deliver = Callable[[Page], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Failure:
    """A fetch that failed, of a statement that goes on without it."""

    fetch: Fetch
    error: FetchError
    at: float


@dataclass
class Fetcher:
    """Runs fetches over the clients of their connections.

    `failures` collects what failed (None: the first failure ends the run). `answers` are those
    of the statement so far (None: each run stands alone).
    """

    client: Callable[[str], Client]
    budget: Budget
    failures: list[Failure] | None = None
    answers: Answers | None = None

    async def run(
        self,
        fetches: Sequence[Fetch],
        reader: RowReader,
        deliver: Deliver,
        *,
        keep: bool = False,
        limit: int | None = None,
    ) -> None:
        """Run all fetches, as many at once as their connections allow.

        What was answered before in this statement is not sent again, nor are fetches that ask
        the same sent twice; with `keep`, later runs can do without these requests too. With
        `limit`, nothing is asked for any more once that many rows were delivered: it begins with
        what was answered before and one request at a time, and each answer that leaves rows
        wanted makes room for one more. Raises the first error, after stopping the others; with
        `failures` set, a FetchError is kept there and the others go on.
        """
        walk = Walk(reader, self.budget, self.answers, keep)
        await _Run(self, walk, deliver, limit).through(self._groups(fetches))

    def unanswered(self, fetches: Sequence[Fetch]) -> int:
        """How many requests the first pages of these fetches would cost.

        May be called from any thread. Raises PlanError when a request cannot be made.
        """
        new: set[Asked] = set()
        for fetch in fetches:
            with suppress(FetchError):  # told when it is run; it costs nothing
                request = self._first(fetch)
                if self.answers is None or not self.answers.has(fetch.connection, request):
                    new.add(Asked.of(fetch.connection, request))
        return len(new)

    def _first(self, fetch: Fetch) -> Request:
        return build_request(fetch, self.client(fetch.connection).base_url, None)

    def _groups(self, fetches: Sequence[Fetch]) -> list[list[Fetch]]:
        """Fetches that ask the same together: their arguments differ in what is not sent."""
        groups: dict[object, list[Fetch]] = {}
        for fetch in fetches:
            key: object = object()
            with suppress(FetchError):  # told when it is run
                key = (Asked.of(fetch.connection, self._first(fetch)), id(fetch.method))
            groups.setdefault(key, []).append(fetch)
        return list(groups.values())


@dataclass
class _Queue:
    """Fetches of one connection that wait: a slow connection holds up no other."""

    places: int
    waiting: deque[list[Fetch]] = field(default_factory=deque)
    workers: int = 0


class _Run:
    """One run: workers take fetches from the queues until there are none, or rows enough."""

    def __init__(self, fetcher: Fetcher, walk: Walk, deliver: Deliver, limit: int | None) -> None:
        self._fetcher = fetcher
        self._walk = walk
        self._deliver = deliver
        self._wanted: int | None = limit
        self._queues: list[_Queue] = []
        self._workers: set[asyncio.Task[None]] = set()
        self._ended: asyncio.Queue[asyncio.Task[None]] = asyncio.Queue()

    async def through(self, groups: Sequence[list[Fetch]]) -> None:
        """Fetch all of them; leaves no task behind, however it ends.

        What is on the way when there are rows enough is given up, or with `keep` waited for:
        it would be sent a second time otherwise.
        """
        self._queues = self._sorted(groups)
        self._begin()
        try:
            while self._workers and (self._walk.keep or not self._has_enough()):
                worker = await self._ended.get()
                error = worker.exception()
                if error is not None and not self._has_enough():
                    raise error
                self._workers.discard(worker)
        finally:
            for worker in self._workers:
                worker.cancel()
            await asyncio.gather(*self._workers, return_exceptions=True)

    def _sorted(self, groups: Sequence[list[Fetch]]) -> list[_Queue]:
        """A queue for each connection; with a limit, one before them for what costs nothing."""
        answered = _Queue(1)
        queues: dict[str, _Queue] = {}
        for group in groups:
            name = group[0].connection
            if name not in queues:
                queues[name] = _Queue(self._fetcher.client(name).concurrency)
            is_free = self._wanted is not None and not self._fetcher.unanswered(group[:1])
            (answered if is_free else queues[name]).waiting.append(group)
        return [answered, *queues.values()]

    def _has_enough(self) -> bool:
        return self._wanted is not None and self._wanted <= 0

    def _begin(self) -> None:
        if self._wanted is not None:
            self._grow()
            return
        for queue in self._queues:
            for _ in range(min(queue.places, len(queue.waiting))):
                self._start(queue)

    def _grow(self) -> None:
        """One more worker, where there are fewest; without a limit all are there from the start."""
        if self._wanted is None or self._has_enough():
            return
        queues = [one for one in self._queues if one.waiting and one.workers < one.places]
        if queues:
            self._start(min(queues, key=lambda one: one.workers))

    def _start(self, queue: _Queue) -> None:
        queue.workers += 1
        worker = asyncio.ensure_future(self._work(queue))
        self._workers.add(worker)
        worker.add_done_callback(self._ended.put_nowait)

    async def _work(self, queue: _Queue) -> None:
        while queue.waiting and not self._has_enough():
            await self._fetch(queue.waiting.popleft())
        queue.workers -= 1
        self._grow()  # one goes, and one comes where others wait

    async def _fetch(self, group: Sequence[Fetch]) -> None:
        """Every page of the first of a group, handed on for each of them."""
        client = self._fetcher.client(group[0].connection)
        try:
            async with aclosing(self._walk.pages(group[0], client)) as pages:
                async for page in pages:
                    await self._hand_on(page, group)
                    if self._has_enough():
                        return
        except FetchError as error:
            if self._has_enough():
                return  # nobody waits for it any more
            failures = self._fetcher.failures
            if failures is None:
                raise
            failures += [Failure(fetch, error, client.now()) for fetch in group]

    async def _hand_on(self, page: Page, group: Sequence[Fetch]) -> None:
        await self._deliver(page)
        for fetch in group[1:]:
            await self._deliver(replace(page, fetch=fetch, size=0, attempts=0, is_reused=True))
        if self._wanted is not None:
            self._wanted -= page.count * len(group)
        if not page.is_reused:
            self._grow()
