"""The screen of `connstat top` for its tests: opened over fleets that are handed in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from textual import events
from textual.keys import _character_to_key
from textual.pilot import Pilot
from textual.screen import Screen as TextualScreen

from connstat_sql.top.app import Top
from connstat_sql.top.model import Fleet, FleetConnector, Outage
from connstat_sql.top.query import FleetQuery
from connstat_sql.top.table import Listing
from connstat_sql.top.worker import News, Refreshed
from tests.fakes.top_fleets import connector, fleet

START = 1000.0
CAUSE = "no route to db"
FLEET = (
    connector("orders", "UNHEALTHY", cause=CAUSE, trace=f"Oh: no\n\tat x\nCaused by: y: {CAUSE}"),
    connector("bills", "DEGRADED", "plant_b", cause=CAUSE, tasks_failed=1, tasks_total=3),
    connector("clicks", "UNHEALTHY", "cloud", provider="confluent", cause="quota"),
    *(connector(f"calm-{number:03d}", connection="plant_b") for number in range(60)),
)
PLANT_C = Outage(
    "plant_c", "kafka_connect", "refused the connection", request="GET http://c:8083/connectors"
)


@dataclass
class Asked:
    """What the screen asked for, in place of the thread that asks."""

    orders: list[object] = field(default_factory=list)
    tell: Callable[[News], None] = lambda _: None
    now: float = START

    def start(self) -> None:
        self.orders.append("start")

    def refresh(self, every: float | None = None) -> None:
        self.orders.append("refresh" if every is None else f"refresh in turn, each {every:.0f} s")

    def look_at(self, one: FleetConnector) -> None:
        self.orders.append(one.name)

    def close(self) -> None:
        self.orders.append("close")


class Screen:
    """The screen of a fleet, and what may be done to it."""

    def __init__(self, app: Top, pilot: Pilot[BaseException], asked: Asked) -> None:
        self.app = app
        self.pilot = pilot
        self.asked = asked
        self.last: Fleet | None = None

    async def refreshed(
        self, found: Sequence[FleetConnector] = FLEET, outages: Sequence[Outage] = ()
    ) -> None:
        self.asked.now += 5
        self.last = fleet(found, outages, self.last, self.asked.now)
        await self.told(Refreshed(self.last))

    async def told(self, news: News) -> None:
        self.asked.tell(news)
        await self.settle()

    async def press(self, *keys: str) -> None:
        for key in keys:
            self._post(key)
            await self._quiet()
        await self.settle()

    async def type_at_once(self, *keys: str) -> None:
        """Keys so quick that none is heard before the last is pressed."""
        for key in keys:
            self._post(key)
        await self.settle()

    def _post(self, key: str) -> None:
        name = key if len(key) > 1 or key.isalnum() else _character_to_key(key)
        text = " " if key == "space" else key if len(key) == 1 else None
        self.app.post_message(events.Key(name, text))

    async def settle(self) -> None:
        """Wait until everything has been heard, and what is drawn now and then is drawn.

        However quick the machine is: turns of the loop are counted, no time.
        """
        for _ in range(3):
            await self._quiet()
            self.app.screen._on_timer_update()
        await self._quiet()

    async def _quiet(self) -> None:
        quiet = 0
        while quiet < 20:
            await asyncio.sleep(0)
            parts = (self.app, *(part for one in self.app.screen_stack for part in _parts(one)))
            is_busy = any(not part._message_queue.empty() for part in parts if part.is_running)
            quiet = 0 if is_busy else quiet + 1

    @property
    def listing(self) -> Listing:
        return self.app.screen_stack[0].query_one(Listing)

    @property
    def names(self) -> list[str]:
        return [one.name for one in self.listing.rows]

    @property
    def current(self) -> str:
        found = self.listing.current
        return "" if found is None else found.name

    @property
    def lines(self) -> list[str]:
        """The screen as text."""
        strips = self.app.screen._compositor.render_strips()
        return ["".join(segment.text for segment in strip).rstrip() for strip in strips]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def place_of(self, text: str) -> int:
        return next(number for number, line in enumerate(self.lines) if text in line)


def _parts(screen: TextualScreen[Any]) -> Iterator[Any]:
    yield screen
    yield from screen.walk_children()


@asynccontextmanager
async def _opened(
    size: tuple[int, int], question: FleetQuery, *, is_ascii: bool
) -> AsyncIterator[Screen]:
    asked = Asked()

    def start(tell: Callable[[News], None]) -> Asked:
        asked.tell = tell
        return asked

    app = Top(start, question, every=3600, is_ascii=is_ascii, now=lambda: asked.now)
    async with app.run_test(size=size) as pilot:
        screen = Screen(app, pilot, asked)
        await screen.settle()
        yield screen


def on_screen(
    act: Callable[[Screen], Awaitable[None]],
    size: tuple[int, int] = (120, 40),
    question: FleetQuery | None = None,
    *,
    is_ascii: bool = False,
    refreshed: bool = True,
) -> Any:
    """Open the screen with the fleet on it, act, and close it; what ended it."""

    async def run() -> Any:
        async with _opened(size, question or FleetQuery(), is_ascii=is_ascii) as screen:
            if refreshed:
                await screen.refreshed()
            await act(screen)
        return screen.app.return_value

    return asyncio.run(run())
