"""The full-screen application: keys and news in, the panels out."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import ClassVar, Protocol

from rich.text import Text
from textual import on
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.message import Message
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Footer, Input, Static

from connstat_sql.errors import ConfigError, ConnstatError, DefinitionError, QueryError
from connstat_sql.top.columns import Sorting
from connstat_sql.top.filter import FleetFilter
from connstat_sql.top.model import HEALTHS, Fleet, FleetConnector, causes, counted
from connstat_sql.top.pages import HELP, DetailPage, TextPage, failures, pages_text
from connstat_sql.top.query import FleetQuery
from connstat_sql.top.table import Listing
from connstat_sql.top.widgets import Causes, Standing, Tally, head
from connstat_sql.top.worker import Failed, Looked, News, Refreshed, WorkerFault

INTERVALS = (1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)
"""Seconds between refreshes that + and - go through."""
MOMENT = 10.0
"""Seconds after which marks of what changed fade, unless the next refresh comes first."""
LEAST_PAUSE = 0.5
"""Seconds without a request, however long a refresh takes."""


class Refreshing(Protocol):
    """What asks for the view, elsewhere: a `Refresher`."""

    def start(self) -> None:
        """Be ready for orders."""

    def refresh(self, every: float | None = None) -> None:
        """Order a refresh, which is answered by Refreshed or Failed.

        It is of those that come each `every` seconds; None: everything is asked anew.
        """

    def look_at(self, connector: FleetConnector) -> None:
        """Order all there is on a connector, which is answered by Looked."""

    def close(self) -> None:
        """End, at once."""


Start = Callable[[Callable[[News], None]], Refreshing]


class _News(Message):
    """News from the other thread."""

    def __init__(self, news: News) -> None:
        super().__init__()
        self.news = news


class Top(App[BaseException]):
    """The fleet on one screen. `run()` answers what ended it, or None where its user did."""

    TITLE = "connstat top"
    ENABLE_COMMAND_PALETTE = False
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (180, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-tiny"), (14, "-low"), (22, "-middle"), (34, "-high")]
    CSS = """
    Screen { background: ansi_default; color: ansi_default; layers: below above; }
    #head { height: 2; }
    Tally { height: auto; max-height: 8; text-wrap: nowrap; }
    .-high Tally { margin: 0 0 1 0; }
    #filter { height: 1; border: none; padding: 0; display: none; background: ansi_default; }
    #body { height: 1fr; }
    Listing { height: 1fr; width: 1fr; background: ansi_default; scrollbar-size: 1 1; }
    #aside { height: 4; width: 100%; }
    .-high #aside { height: 9; }
    Causes { height: 1fr; border: none; border-top: ascii ansi_blue; padding: 0;
             background: ansi_default; scrollbar-size: 1 1;
             text-wrap: nowrap; text-overflow: ellipsis; }
    Causes:focus { border: none; border-top: ascii ansi_bright_blue; }
    .-wide #body { layout: horizontal; }
    .-wide #aside { width: 30%; height: 100%; margin: 0 0 0 1; }
    .-low #aside, .-tiny #aside { display: none; }
    .-tiny Tally { display: none; }
    .-tiny Footer { display: none; }
    .-tiny #head { height: 1; }
    Page { align: center middle; background: ansi_default; }
    #page { width: 100%; height: 100%; border: ascii ansi_blue; padding: 0 1;
            background: ansi_default; scrollbar-size: 1 1; }
    Footer { background: ansi_default; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", "Quit"),
        Binding("ctrl+c", "interrupt", show=False, priority=True),
        Binding("question_mark", "explain_keys", "Help"),
        Binding("slash", "search", "Filter", priority=True),
        Binding("escape", "everything", "All", show=False),
        Binding("less_than_sign,comma", "sort(-1)", "Sort", key_display="< >"),
        Binding("greater_than_sign,full_stop", "sort(1)", show=False),
        Binding("i", "turn", "Reverse", show=False),
        Binding("r", "refresh_now", "Refresh"),
        Binding("p", "pause", "Pause"),
        Binding("plus,equals_sign", "pace(1)", "Interval", key_display="+ -"),
        Binding("minus", "pace(-1)", show=False),
        Binding("e", "errors", "Errors"),
        Binding("s", "sql", "SQL"),
        Binding("v", "next_provider", "Vendor", show=False),
        *(Binding(str(n), f"health({n})", show=False) for n in range(1, len(HEALTHS) + 1)),
    ]

    def __init__(
        self,
        start: Start,
        question: FleetQuery,
        *,
        every: float = 5.0,
        is_ascii: bool = False,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`start` makes what asks, given where it tells its news; `every` is in seconds.

        `is_ascii` draws with nothing but ASCII; `now` answers seconds since the epoch.
        """
        super().__init__(ansi_color=True)
        self.animation_level = "none"
        named = (name for name in ("ansi-dark", "textual-ansi") if name in self.available_themes)
        self.theme = next(named, self.theme)
        self._refresher = start(self._tell)
        self._question = question
        self._every = every
        self._more = "~" if is_ascii else "…"
        self._now = now
        self._fleet: Fleet | None = None
        self._wanted = FleetFilter()
        self._sorting = Sorting()
        self._is_fetching = False
        self._is_paused = False
        self._stale: ConnstatError | None = None
        self._next: Timer | None = None
        self._fading: Timer | None = None

    def compose(self) -> ComposeResult:
        """The head, the counts, the list with the root causes beside or below it, the keys."""
        yield Static(id="head", markup=False)
        yield Tally()
        yield Input(placeholder="text anywhere in a row", id="filter", select_on_focus=False)
        with Container(id="body"):
            yield Listing(more=self._more)
            with Vertical(id="aside"):
                yield Causes()
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        """Begin to ask."""
        self.query_one("#filter", Input).cursor_blink = False
        self._focus(self.query_one(Listing))
        self._heed_signals()
        self._refresher.start()
        self.action_refresh_now()

    def on_unmount(self) -> None:
        """Stop asking; nothing is sent any more."""
        self._refresher.close()

    def _heed_signals(self) -> None:
        """Leave the terminal as it was when somebody ends the process."""
        if threading.current_thread() is not threading.main_thread():
            return
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self.exit, KeyboardInterrupt())

    # --- news --------------------------------------------------------------------------------

    def _tell(self, news: News) -> None:
        """Called on the other thread."""
        with suppress(RuntimeError):  # the screen has just been closed
            self.post_message(_News(news))

    @on(_News)
    def _hear(self, message: _News) -> None:
        news = message.news
        if isinstance(news, WorkerFault):
            self.exit(news.error)
        elif isinstance(news, Looked):
            for page in self.screen_stack:
                if isinstance(page, DetailPage):
                    page.looked(news)
        elif isinstance(news, Refreshed):
            self._show_fleet(news.fleet)
        else:
            self._show_failure(news)

    def _show_fleet(self, fleet: Fleet) -> None:
        self._fleet, self._stale, self._is_fetching = fleet, None, False
        self._schedule(max(LEAST_PAUSE, self._every - fleet.seconds))
        if self._fading is not None:
            self._fading.stop()
            self._fading = None
        if fleet.changes:
            self._fading = self.set_timer(MOMENT, self._fade)
        self._draw()

    def _show_failure(self, news: Failed) -> None:
        self._is_fetching = False
        at_fault = (QueryError, ConfigError, DefinitionError)
        if self._fleet is None and isinstance(news.error, at_fault):
            self.exit(news.error)
            return
        self._stale = news.error
        self._schedule(self._every)
        self._draw_head()

    def _fade(self) -> None:
        self._fading = None
        if self._fleet is not None:
            self._fleet = self._fleet.settled()
            self._draw()

    def _schedule(self, seconds: float) -> None:
        if self._next is not None:
            self._next.stop()
        self._next = None if self._is_paused else self.set_timer(seconds, self._refresh_in_turn)

    def _refresh_in_turn(self) -> None:
        self._ask(self._every)

    # --- drawing -----------------------------------------------------------------------------

    def _draw(self) -> None:
        """Everything anew; what is off the screen costs nothing."""
        screen = self.screen_stack[0]
        if self._fleet is not None:
            connectors = self._fleet.connectors
            wanted = connectors
            if not self._wanted.is_everything:
                wanted = tuple(filter(self._wanted.takes, connectors))
            screen.query_one(Listing).show(self._sorting.sort(wanted), self._sorting)
            screen.query_one(Tally).show(counted(connectors), self._wanted)
            screen.query_one(Causes).show(causes(connectors))
        self._draw_head()

    def _draw_head(self) -> None:
        screen = self.screen_stack[0]
        age = 0.0 if self._fleet is None else self._now() - self._fleet.observed
        standing = Standing(
            self._fleet,
            self._every,
            self._wanted,
            self._sorting,
            shown=len(screen.query_one(Listing).rows),
            is_fetching=self._is_fetching,
            is_paused=self._is_paused,
            stale="" if self._stale is None else self._stale.message,
            age=age,
        )
        screen.query_one("#head", Static).update(head(standing))

    # --- keys --------------------------------------------------------------------------------

    def action_interrupt(self) -> None:
        """Ctrl-C: end, and say so with the exit code."""
        self.exit(KeyboardInterrupt())

    def action_refresh_now(self) -> None:
        """Ask for everything anew, unless something is under way."""
        self._ask(None)

    def _ask(self, every: float | None) -> None:
        if self._next is not None:
            self._next.stop()
            self._next = None
        if not self._is_fetching:
            self._is_fetching = True
            self._refresher.refresh(every)
        self._draw_head()

    def action_pause(self) -> None:
        """No refresh by itself, until the key is pressed again."""
        self._is_paused = not self._is_paused
        if self._is_paused:
            self._schedule(0)
            self._draw_head()
        else:
            self.action_refresh_now()

    def action_pace(self, by: int) -> None:
        """The next longer or shorter interval."""
        others = [seconds for seconds in INTERVALS if (seconds - self._every) * by > 0]
        if others:
            self._every = min(others) if by > 0 else max(others)
            if not self._is_fetching:
                self._schedule(self._every)
        self._draw_head()

    def action_sort(self, by: int) -> None:
        """Sort by the next column."""
        self._sorting = self._sorting.moved(by)
        self._draw()

    def action_turn(self) -> None:
        """The other way round."""
        self._sorting = self._sorting.turned()
        self._draw()

    def action_health(self, number: int) -> None:
        """Only this health, or it as well, or no more."""
        self._want(self._wanted.with_health(HEALTHS[number - 1]))

    def action_next_provider(self) -> None:
        """Only the next provider; after the last, all."""
        providers = counted(() if self._fleet is None else self._fleet.connectors).providers
        order = [frozenset[str](), *(frozenset({provider}) for provider in providers)]
        now = self._wanted.providers
        place = order.index(now) if now in order else -1
        self._want(replace(self._wanted, providers=order[(place + 1) % len(order)]))

    def action_everything(self) -> None:
        """No filter."""
        field = self.query_one("#filter", Input)
        field.value = ""
        field.display = False
        self._focus(self.query_one(Listing))
        self._want(FleetFilter())

    def action_search(self) -> None:
        """Ask for the text to filter by."""
        field = self.query_one("#filter", Input)
        field.display = True
        self._focus(field)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """`/` comes before other parts have seen it, so that no text typed after it is lost."""
        if action != "search":
            return True
        return len(self.screen_stack) == 1 and not isinstance(self.focused, Input)

    def _focus(self, part: Widget) -> None:
        """The very next key is for that part, however quickly it comes."""
        self.screen_stack[0].set_focus(part)

    @on(Input.Changed, "#filter")
    def _text_changed(self, event: Input.Changed) -> None:
        if event.value != self._wanted.text:
            self._want(replace(self._wanted, text=event.value))

    @on(Input.Submitted, "#filter")
    def _text_done(self, event: Input.Submitted) -> None:
        event.input.display = bool(event.value)
        self._focus(self.query_one(Listing))

    @on(Tally.GroupPicked)
    def _tally_picked(self, event: Tally.GroupPicked) -> None:
        if event.health:
            self._want(self._wanted.with_health(event.health))
        else:
            self._want(self._wanted.with_provider(event.provider))

    @on(Causes.CausePicked)
    def _cause_picked(self, event: Causes.CausePicked) -> None:
        cause = "" if event.cause == self._wanted.cause else event.cause
        self._want(replace(self._wanted, cause=cause))
        self._focus(self.query_one(Listing))

    @on(Listing.SortAsked)
    def _sort_asked(self, event: Listing.SortAsked) -> None:
        self._sorting = self._sorting.chosen(event.column)
        self._draw()

    @on(Listing.Chosen)
    def _chosen(self, event: Listing.Chosen) -> None:
        connector = event.connector
        if not connector.is_unreachable:
            self._refresher.look_at(connector)
        self.push_screen(DetailPage(connector))

    def action_errors(self) -> None:
        """What failed."""
        outages = () if self._fleet is None else self._fleet.outages
        stale = "" if self._stale is None else self._stale.message
        self.push_screen(TextPage("errors", failures(outages, stale)))

    def action_sql(self) -> None:
        """The SQL behind what is on the screen."""
        sql = self._question.shown(self._wanted)
        self.push_screen(TextPage("the SQL behind the view", Text(sql), sql))

    def action_explain_keys(self) -> None:
        """Which keys there are."""
        self.push_screen(TextPage("connstat top", pages_text(HELP.splitlines())))

    def _want(self, wanted: FleetFilter) -> None:
        self._wanted = wanted
        self._draw()
