"""The bridge between the event loop that fetches and the thread that asks for rows."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence, Set
from concurrent.futures import CancelledError as FutureCancelled
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar, Union

from connstat_sql.arrow import RowReader
from connstat_sql.errors import Interrupted
from connstat_sql.fetcher.fan_out import Fetcher
from connstat_sql.fetcher.pages import Page
from connstat_sql.fetcher.requests import Fetch

QUEUED_PAGES = 64
LONGEST_END = 5.0
"""Seconds to wait for cancelled fetches to let go."""
CANCEL_AGAIN = 0.1
BATCH_BYTES = 8_000_000
T = TypeVar("T")
_Item = Union[Page, Exception, None]
"""A page, what made the fetching fail, or the end."""


class Loop:
    """One event loop on a thread of its own, so that it works inside a running loop too."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="connstat-fetch", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
            self._loop.run_until_complete(self._wind_up())
        finally:
            self._loop.close()

    async def _wind_up(self) -> None:
        await _end(asyncio.all_tasks() - {asyncio.current_task()})
        await self._loop.shutdown_asyncgens()
        await self._loop.shutdown_default_executor()

    def submit(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Start a coroutine on the loop. Raises Interrupted when the loop is closed."""
        try:
            return asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        except RuntimeError:
            coroutine.close()
            raise _closed() from None

    def call(self, coroutine: Coroutine[Any, Any, T], timeout: float | None = None) -> T:
        """Run a coroutine to its end; an interrupt or time-out of the caller cancels it."""
        future = self.submit(coroutine)
        try:
            return future.result(timeout)
        except FutureCancelled:
            raise _closed() from None
        except BaseException:
            future.cancel()
            raise

    @property
    def is_closed(self) -> bool:
        """Whether it runs nothing any more."""
        return self._loop.is_closed()

    def running(self) -> int:
        """How many tasks are under way."""
        return self.call(_count_others())

    def close(self) -> None:
        """Cancel what still runs; stop the loop and its thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=LONGEST_END)


class PageStream:
    """Pages of some fetches, in batches, while later ones are still on the way.

    `remaining` answers the seconds left for the statement (None: no limit). Leaving the iteration
    early, by an error or an interrupt, stops all fetching before it returns.
    """

    def __init__(self, loop: Loop, fetcher: Fetcher, remaining: Callable[[], float | None]) -> None:
        self._loop = loop
        self._fetcher = fetcher
        self._remaining = remaining

    def unanswered(self, fetches: Sequence[Fetch]) -> int:
        """How many requests these fetches would send for their first pages."""
        return self._fetcher.unanswered(fetches)

    def batches(
        self,
        fetches: Sequence[Fetch],
        reader: RowReader,
        *,
        keep: bool = False,
        limit: int | None = None,
    ) -> Iterator[list[Page]]:
        """Lists of pages, each list as large as has arrived since the last, up to a few MB.

        `keep` and `limit` are those of `Fetcher.run`.
        """
        queue: asyncio.Queue[_Item] = asyncio.Queue(QUEUED_PAGES)
        fetch = partial(self._fetcher.run, fetches, reader, queue.put, keep=keep, limit=limit)
        filling = self._loop.call(_start(queue, fetch))
        try:
            ended = False
            while not ended:
                batch, ended = self._taken(queue)
                if batch:
                    yield batch
        finally:
            with suppress(FutureTimeout, Interrupted):
                self._loop.call(_end({filling}), LONGEST_END)

    def _taken(self, queue: asyncio.Queue[_Item]) -> tuple[list[Page], bool]:
        remaining = self._remaining()
        if remaining is None or remaining > 0:
            with suppress(FutureTimeout):
                return self._loop.call(_take(queue), remaining)
        raise Interrupted("the statement ran past its deadline", hint="raise --deadline")


async def _fill(queue: asyncio.Queue[_Item], fetch: Callable[[], Awaitable[None]]) -> None:
    end: Exception | None = None
    try:
        await fetch()
    except Exception as error:
        end = error
    await queue.put(end)


async def _start(
    queue: asyncio.Queue[_Item], fetch: Callable[[], Awaitable[None]]
) -> asyncio.Task[None]:
    return asyncio.ensure_future(_fill(queue, fetch))


async def _end(tasks: Set[asyncio.Task[Any] | None]) -> None:
    """Cancel tasks and wait until they have let go of their connections.

    More than once, where need be: a task that is just being handed a result may miss it.
    """
    running = {task for task in tasks if task is not None}
    while running:
        for task in running:
            task.cancel()
        ended, running = await asyncio.wait(running, timeout=CANCEL_AGAIN)
        for task in ended:
            if not task.cancelled():
                task.exception()  # was told already, or nobody is left to tell


def _closed() -> Interrupted:
    return Interrupted("the engine was closed while the statement ran")


async def _count_others() -> int:
    return len(asyncio.all_tasks()) - 1


async def _take(queue: asyncio.Queue[_Item]) -> tuple[list[Page], bool]:
    """What has arrived, and whether it is the end; raises what made the fetching fail."""
    batch: list[Page] = []
    size = 0
    item = await queue.get()
    while isinstance(item, Page):
        batch.append(item)
        size += sum(map(len, item.texts))
        if size >= BATCH_BYTES or queue.empty():
            return batch, False
        item = queue.get_nowait()
    if item is not None:
        raise item
    return batch, True
