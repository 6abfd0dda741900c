"""The bridge between the event loop that fetches and the thread that asks for rows."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any, TypeVar, Union

from connstat_sql.arrow import RowReader
from connstat_sql.errors import Interrupted
from connstat_sql.fetcher.pages import Fetcher, Page
from connstat_sql.fetcher.requests import Fetch

QUEUED_PAGES = 64
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
        self._loop.run_forever()
        self._loop.close()

    def submit(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Start a coroutine on the loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def call(self, coroutine: Coroutine[Any, Any, T], timeout: float | None = None) -> T:
        """Run a coroutine to its end; an interrupt or time-out of the caller cancels it."""
        future = self.submit(coroutine)
        try:
            return future.result(timeout)
        except FutureTimeout:
            future.cancel()
            raise
        except BaseException:
            future.cancel()
            raise

    def close(self) -> None:
        """Stop the loop and its thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5)


class PageStream:
    """Pages of some fetches, in batches, while later ones are still on the way.

    `remaining` answers the seconds left for the statement (None: no limit). Leaving the iteration
    early, by an error or an interrupt, stops all fetching.
    """

    def __init__(self, loop: Loop, fetcher: Fetcher, remaining: Callable[[], float | None]) -> None:
        self._loop = loop
        self._fetcher = fetcher
        self._remaining = remaining

    def batches(self, fetches: Sequence[Fetch], reader: RowReader) -> Iterator[list[Page]]:
        """Lists of pages, each list as large as has arrived since the last, up to a few MB."""
        queue: asyncio.Queue[_Item] = asyncio.Queue(QUEUED_PAGES)
        running = self._loop.submit(self._fill(queue, fetches, reader))
        try:
            ended = False
            while not ended:
                batch, ended = self._wait(_take(queue))
                if batch:
                    yield batch
        finally:
            running.cancel()

    async def _fill(
        self, queue: asyncio.Queue[_Item], fetches: Sequence[Fetch], reader: RowReader
    ) -> None:
        end: Exception | None = None
        try:
            await self._fetcher.run(fetches, reader, queue.put)
        except Exception as error:
            end = error
        await queue.put(end)

    def _wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        try:
            return self._loop.call(coroutine, self._remaining())
        except FutureTimeout:
            raise Interrupted(
                "the statement ran past its deadline", hint="raise --deadline"
            ) from None


async def _take(queue: asyncio.Queue[_Item]) -> tuple[list[Page], bool]:
    """What has arrived, and whether it is the end; raises what made the fetching fail."""
    batch: list[Page] = []
    size = 0
    item = await queue.get()
    while isinstance(item, Page):
        batch.append(item)
        size += item.size
        if size >= BATCH_BYTES or queue.empty():
            return batch, False
        item = queue.get_nowait()
    if item is not None:
        raise item
    return batch, True
