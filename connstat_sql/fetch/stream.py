"""The bridge between the event loop that fetches and the thread that asks for rows."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence, Set
from concurrent.futures import CancelledError as FutureCancelled
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import msgspec

from connstat_sql.decode import RowReader
from connstat_sql.definitions.model import Column
from connstat_sql.errors import DeadlinePassed, FetchError, Interrupted
from connstat_sql.fetch.declared_secrets import Inquiry
from connstat_sql.fetch.pages import PageReader
from connstat_sql.fetch.queue import PageQueue
from connstat_sql.fetch.request import Fetch, build_request
from connstat_sql.fetch.responses import RequestKey, Responses
from connstat_sql.fetch.scan_run import FetchGroup, Item, ScanRun
from connstat_sql.transport import Client

LONGEST_END = 5.0
"""Seconds to wait for cancelled fetches to let go."""
CANCEL_AGAIN = 0.1
TICK = 0.25
"""Seconds after which `take` answers with nothing."""
T = TypeVar("T")


class Loop:
    """One event loop on a thread of its own, so that it works inside a running loop too."""

    def __init__(self) -> None:
        self.events = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="connstat-fetch", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self.events)
        try:
            self.events.run_forever()
            self.events.run_until_complete(self._wind_up())
        finally:
            self.events.close()

    async def _wind_up(self) -> None:
        await _end_others()
        await self.events.shutdown_asyncgens()
        await self.events.shutdown_default_executor()

    def call_soon(self, call: Callable[[], object]) -> None:
        """Call something on the loop, soon. Raises Interrupted when the loop is closed."""
        try:
            self.events.call_soon_threadsafe(call)
        except RuntimeError:
            raise _closed() from None

    def submit(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Start a coroutine on the loop. Raises Interrupted when the loop is closed."""
        try:
            return asyncio.run_coroutine_threadsafe(coroutine, self.events)
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

    def is_here(self) -> bool:
        """Whether this is its thread."""
        return threading.current_thread() is self._thread

    @property
    def is_closed(self) -> bool:
        """Whether it runs nothing any more."""
        return self.events.is_closed()

    def cancel_all(self) -> None:
        """Cancel whatever is under way; what does not let go in time is left behind."""
        with suppress(FutureTimeout):
            self.call(_end_others(), LONGEST_END)

    def close(self) -> None:
        """Cancel what still runs; stop the loop and its thread."""
        self.events.call_soon_threadsafe(self.events.stop)
        self._thread.join(timeout=LONGEST_END)


@dataclass(frozen=True, slots=True)
class Intake:
    """Where the fetches of one scan are handed in, all at once or as they become known."""

    _loop: Loop
    _run: ScanRun

    @property
    def waiting(self) -> int:
        """How many fetches nobody has begun with; somewhat out of date."""
        return self._run.waiting

    def add(self, groups: Sequence[FetchGroup], *, is_last: bool) -> None:
        """Fetch these too; the scan ends after the last of them."""
        self._loop.call_soon(partial(self._run.add, groups, is_last=is_last))

    def stop(self) -> None:
        """Send nothing more for the scan; nobody is told that it ends."""
        self._loop.call_soon(self._run.stop)


class PageStream:
    """The pages of a statement's scans, in the order in which they arrive.

    `client` finds an open client by its connection's name. `now` answers seconds since the epoch.
    With `is_partial`, fetches may fail and the others go on. `inquiry` asks what plugins declare to
    be secret (None: nobody does).
    """

    def __init__(
        self,
        loop: Loop,
        client: Callable[[str], Client],
        responses: Responses,
        now: Callable[[], float],
        *,
        is_partial: bool = False,
        inquiry: Inquiry | None = None,
    ) -> None:
        self._loop = loop
        self._client = client
        self._responses = responses
        self._now = now
        self._is_partial = is_partial
        self._inquiry = inquiry
        self._queue: PageQueue[Item] = PageQueue(loop.events)
        self._runs: list[ScanRun] = []
        self._used: set[str] = set()
        self._is_late = False

    def open(
        self,
        scan: str,
        reader: RowReader,
        *,
        keep: bool = False,
        limit: int | None = None,
        may_fail: bool = False,
        columns: tuple[Column, ...] = (),
    ) -> Intake:
        """An intake for the fetches of a scan.

        What was answered before in this statement is not sent again; with `keep`, later scans can
        do without these requests too. With `limit`, the scan ends when it has so many rows. Where
        it `may_fail`, that is told and raises nothing. Of the configurations in `columns` it is
        asked what is secret in them.
        """
        is_partial = self._is_partial or may_fail
        page_reader = PageReader(
            reader, self._responses, keep, limit, is_partial, self._inquiry, columns
        )
        run = ScanRun(
            scan, page_reader, self._client, self._queue, limit=limit, is_partial=is_partial
        )
        self._runs.append(run)
        return Intake(self._loop, run)

    def take(self) -> list[Item]:
        """What has arrived since the last time, or nothing after a moment without anything.

        Raises what made a scan fail, DeadlinePassed, and Interrupted when the engine is closed.
        """
        until = self._responses.until
        left = TICK if until is None else min(TICK, until - self._now())
        items = self._queue.take(max(left, 0))
        for item in items:
            if isinstance(item, Exception):
                raise item
        if left <= 0 and (self._is_late or not items):
            raise DeadlinePassed("the statement ran past its deadline", hint="raise --deadline")
        self._is_late = left <= 0  # what has arrived by now is still taken, once
        if not items and self._loop.is_closed:
            raise _closed()
        return items

    def waits(self) -> float:
        """Seconds until requests may go on that a rate limit holds back; 0 when none does."""
        return max((self._client(name).waits() for name in self._used), default=0.0)

    def interrupt(self) -> None:
        """Let whoever takes get Interrupted; from any thread, and from a signal."""
        self._queue.post_first(Interrupted("interrupted"))

    def close(self) -> None:
        """Stop all fetching; nothing is sent once this has returned."""
        with suppress(FutureTimeout, Interrupted):
            self._loop.call(self._stop(), LONGEST_END)

    async def _stop(self) -> None:
        for run in self._runs:
            run.stop()
        await _end({worker for run in self._runs for worker in run.workers})

    # --- before anything is sent -------------------------------------------------------------

    def groups(self, fetches: Sequence[Fetch]) -> list[FetchGroup]:
        """The fetches, those together that ask the same. Raises PlanError when one cannot be made.

        As many requests as there are groups of which `is_answered` is false have to be sent.
        """
        groups: dict[object, tuple[FetchGroup, list[Fetch]]] = {}
        for fetch in fetches:
            key, group = self._group(fetch)
            groups.setdefault(key, (group, []))[1].append(fetch)
        return [
            group if len(same) == 1 else msgspec.structs.replace(group, fetches=same)
            for group, same in groups.values()
        ]

    def _group(self, fetch: Fetch) -> tuple[object, FetchGroup]:
        name = fetch.connection
        self._used.add(name)
        try:
            client = self._client(name)
            request = client.public(build_request(fetch, client.base_url, None))
        except FetchError:  # told when it is run
            return object(), FetchGroup((name, ""), (fetch,), None, is_answered=True)
        key = RequestKey.of(name, request)
        is_answered = self._responses.has(key, request)
        place = (name, request.origin)
        return (key, id(fetch.method)), FetchGroup(place, (fetch,), request, is_answered)


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


async def _end_others() -> None:
    await _end(asyncio.all_tasks() - {asyncio.current_task()})
