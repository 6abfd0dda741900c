"""The fetches of one scan → their pages, as many at once as the connections allow.

Everything here runs on the event loop, and leaves through a queue. Fetches may be added while
others are under way; a page is handed on whole or not at all.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Union

import msgspec
from msgspec.structs import replace

from connstat_sql.errors import FetchError, Interrupted
from connstat_sql.fetch.fallback import SomeRowsFailed, begin
from connstat_sql.fetch.pages import FailedFetch, Page, PageReader
from connstat_sql.fetch.queue import PageQueue
from connstat_sql.fetch.request import Fetch
from connstat_sql.transport import Client, Request

Place = tuple[str, str]
"""A connection, and the host that a request goes to: what is slow there holds up nobody else."""


class FetchGroup(msgspec.Struct, frozen=True):
    """Fetches that ask the same: they differ in arguments that are not sent.

    `request` is that for their first page, or None where it cannot be made.
    """

    place: Place
    fetches: Sequence[Fetch]
    request: Request | None
    is_answered: bool


class Arrived(msgspec.Struct, frozen=True):
    """A page of a scan."""

    scan: str
    page: Page


class Finished(msgspec.Struct, frozen=True):
    """Fetches of a scan have come to an end; `failures` is empty when all their pages arrived."""

    scan: str
    fetches: Sequence[Fetch]
    failures: tuple[FailedFetch, ...] = ()


class Ended(msgspec.Struct, frozen=True):
    """A scan has come to an end: no more pages of it will arrive."""

    scan: str


Item = Union[Arrived, Finished, Ended, Exception]


@dataclass
class _Queue:
    """Groups for one place that wait."""

    most: int
    waiting: deque[FetchGroup] = field(default_factory=deque)
    workers: int = 0


class ScanRun:
    """Workers take groups from the queues until there are none and no more will come.

    Begun when the first groups are added. With `limit`, nothing is asked for any more once that
    many rows were handed on: it begins with what was answered before and one request at a time,
    and each answer that leaves rows wanted makes room for one more. With `is_partial`, what fails
    is told and the others go on; otherwise the first failure ends the run.
    """

    def __init__(
        self,
        scan: str,
        page_reader: PageReader,
        client: Callable[[str], Client],
        page_queue: PageQueue[Item],
        *,
        limit: int | None = None,
        is_partial: bool = False,
    ) -> None:
        self.scan = scan
        self.workers: set[asyncio.Task[None]] = set()
        self.waiting = 0
        """How many groups no worker has taken yet; may be read from any thread."""
        self._page_reader = page_reader
        self._client = client
        self._page_queue = page_queue
        self._wanted = limit
        self._is_partial = is_partial
        self._queues: dict[Place, _Queue] = {}
        self._may_grow = True
        self._is_over = False

    def add(self, groups: Sequence[FetchGroup], *, is_last: bool) -> None:
        """More to fetch; after the last of it the run ends by itself."""
        if self._is_over:
            return  # whoever adds has not heard of it yet
        for group in groups:
            self._queue_of(group).waiting.append(group)
        self.waiting += len(groups)
        self._may_grow = not is_last
        self._fill()
        self._end_if_done()

    def stop(self) -> None:
        """Send nothing more, and hand on nothing more."""
        self._is_over = True
        for worker in self.workers:
            worker.cancel()

    def _queue_of(self, group: FetchGroup) -> _Queue:
        """With a limit, what costs nothing comes before everything else."""
        is_free = self._wanted is not None and group.is_answered
        place = ("", "") if is_free else group.place
        if place not in self._queues:
            most = 1 if is_free else self._client(group.place[0]).concurrency
            self._queues[place] = _Queue(most)
            if is_free:
                self._queues = {place: self._queues.pop(place), **self._queues}
        return self._queues[place]

    # --- workers -----------------------------------------------------------------------------

    def _fill(self) -> None:
        if self._wanted is not None:
            if not any(queue.workers for queue in self._queues.values()):
                self._grow()
            return
        for queue in self._queues.values():
            for _ in range(min(queue.most - queue.workers, len(queue.waiting))):
                self._start(queue)

    def _grow(self) -> None:
        """One more worker, where there are fewest; without a limit all are there from the start."""
        if self._wanted is None or self._has_enough():
            return
        queues = [q for q in self._queues.values() if q.waiting and q.workers < q.most]
        if queues:
            self._start(min(queues, key=lambda queue: queue.workers))

    def _start(self, queue: _Queue) -> None:
        queue.workers += 1
        worker = asyncio.ensure_future(self._work(queue))
        self.workers.add(worker)
        worker.add_done_callback(self._left)

    async def _work(self, queue: _Queue) -> None:
        while queue.waiting and not self._has_enough():
            self.waiting -= 1
            await self._fetch(queue.waiting.popleft())
        queue.workers -= 1
        self._grow()  # one goes, and one comes where others wait

    def _left(self, worker: asyncio.Task[None]) -> None:
        self.workers.discard(worker)
        error: BaseException | None = Interrupted("the engine was closed while the statement ran")
        if not worker.cancelled():
            error = worker.exception()
        if error is not None and not self._is_over and not self._has_enough():
            self.stop()
            self._page_queue.post(
                error if isinstance(error, Exception) else RuntimeError(str(error))
            )
        self._end_if_done()

    def _end_if_done(self) -> None:
        """What is on the way when there are rows enough is given up.

        Unless answers are kept, when it is waited for: it would be sent a second time otherwise.
        """
        if self._is_over:
            return
        if self._has_enough():
            for worker in () if self._page_reader.keep else self.workers:
                worker.cancel()
        elif self.waiting or self._may_grow:
            return
        if not self.workers:
            self._is_over = True
            self._page_queue.post(Ended(self.scan))

    def _has_enough(self) -> bool:
        return self._wanted is not None and self._wanted <= 0

    # --- one group ---------------------------------------------------------------------------

    async def _fetch(self, group: FetchGroup) -> None:
        """One group, whatever comes of it."""
        client = self._client(group.place[0])
        try:
            is_whole = await self._fetch_pages(group, client)
        except FetchError as error:
            if self._has_enough():
                return  # nobody waits for it any more
            if not self._is_partial:
                raise
            if isinstance(error, SomeRowsFailed):
                failures = error.failures
            else:
                failures = tuple(FailedFetch(fetch, error, client.now()) for fetch in group.fetches)
            for failure in failures:
                _let_go(failure.error)
            self._page_queue.post(Finished(self.scan, group.fetches, failures))
        else:
            if is_whole:
                self._page_queue.post(Finished(self.scan, group.fetches))

    async def _fetch_pages(self, group: FetchGroup, client: Client) -> bool:
        """Every page of the first of a group, handed on for each of them; or rows enough of it."""
        page, following = await begin(self._page_reader, group.fetches[0], client, group.request)
        await self._hand_on(page, group.fetches)
        if following is not None:
            async with aclosing(following):
                if self._has_enough():
                    return False
                async for page in following:
                    await self._hand_on(page, group.fetches)
                    if self._has_enough():
                        return False
        return following is not None or not self._has_enough()

    async def _hand_on(self, page: Page, fetches: Sequence[Fetch]) -> None:
        for copy in _pages_of(page, fetches):
            await self._page_queue.put(Arrived(self.scan, copy), sum(map(len, copy.texts)))
        if self._wanted is not None:
            self._wanted -= page.count * len(fetches)
        if not page.is_reused:
            self._grow()


def _let_go(error: BaseException | None) -> None:
    """Forget the frames that an error came through: they hold all that was read until then.

    Errors that were raised again may lead in a circle.
    """
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        error.__traceback__ = None
        error = error.__cause__ or error.__context__


def _pages_of(page: Page, fetches: Sequence[Fetch]) -> Iterator[Page]:
    yield page
    for fetch in fetches[1:]:
        learnt = replace(page.learnt, sent=0)
        yield replace(
            page, fetch=fetch, size=0, attempts=0, waited=0.0, is_reused=True, learnt=learnt,
            confirming=0,
        )  # fmt: skip
