"""What stands around the list: the head, the counts, the root causes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from connstat_sql.errors import counted
from connstat_sql.monitor.changes import ChangeKind
from connstat_sql.top.columns import COLUMNS, Sorting, clock, fitted, printable
from connstat_sql.top.filter import FleetFilter
from connstat_sql.top.model import HEALTHS, UNREACHABLE, Cause, Counts, Fleet
from connstat_sql.top.table import HEALTH_STYLES

SHOWN_CAUSES = 200
PROVIDER_WIDTH = 13
_TITLES = {UNREACHABLE: "UNREACH", "TRANSITION": "TRANSIT"}
_CHANGE_WORDS = {
    ChangeKind.APPEARED: "new",
    ChangeKind.CHANGED: "changed",
    ChangeKind.GONE: "gone",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """How the view stands.

    `fleet` None: nothing has been seen yet. `stale` is why the last refresh failed ("": it did
    not), and `age` how many seconds the rows are old then. `every` is in seconds. `shown` is how
    many of the rows are on the list.
    """

    fleet: Fleet | None
    every: float
    wanted: FleetFilter
    sorting: Sorting
    shown: int = 0
    is_fetching: bool = False
    is_paused: bool = False
    stale: str = ""
    age: float = 0.0


def head(standing: Standing) -> Text:
    """Two lines: what was seen, and how it is shown."""
    fleet = standing.fleet
    first = Text("connstat top", style="bold")
    if fleet is None:
        first.append("  asking all connections …" if not standing.stale else "")
    else:
        first.append("  ").append_text(_of_fleet(fleet, is_stale=bool(standing.stale)))
    if standing.stale:
        old = f"STALE, {standing.age:,.0f} s old: " if fleet is not None else ""
        first.append(f"  {old}{printable(standing.stale)}", style="bold red")
    return Text("\n", no_wrap=True, overflow="ellipsis").join([first, _of_view(standing)])


def _of_fleet(fleet: Fleet, *, is_stale: bool) -> Text:
    down = len(fleet.unreachable)
    text = Text(counted(len(fleet.asked), "connection"))
    if down:
        text.append(f" ({down:,} unreachable)", style="bold magenta")
    text.append(f"  observed {clock(fleet.observed)}")
    text.append(f"  {counted(fleet.requests, 'request')} in {fleet.seconds:.2f} s")
    if not is_stale:
        verdict, style = ("complete", "green") if fleet.complete else ("PARTIAL", "bold magenta")
        text.append(f"  {verdict}", style=style)
    return text


def _of_view(standing: Standing) -> Text:
    total = 0 if standing.fleet is None else len(standing.fleet.connectors)
    pace = "paused" if standing.is_paused else f"every {standing.every:g} s"
    rows = counted(total, "row")
    parts = [
        f"{pace}, refreshing" if standing.is_fetching else pace,
        rows if standing.shown == total else f"{standing.shown:,} of {rows}",
    ]
    wanted = standing.wanted.in_words()
    parts += [f"only {printable(wanted)}"] if wanted else []
    if standing.sorting != Sorting():
        turned = ", reversed" if standing.sorting.is_reversed else ""
        parts.append(f"by {COLUMNS[standing.sorting.column].title.lower()}{turned}")
    changes = {} if standing.fleet is None else standing.fleet.changes
    parts += [
        f"{changes[kind]:,} {word}" for kind, word in _CHANGE_WORDS.items() if kind in changes
    ]
    return Text(" · ".join(parts), style="dim" if standing.is_paused else "")


class Tally(Static):
    """Connectors by provider and health; a click on a health or a provider filters by it."""

    class GroupPicked(Message):
        """A health or a provider was clicked; the other one is ""."""

        def __init__(self, health: str = "", provider: str = "") -> None:
            super().__init__()
            self.health = health
            self.provider = provider

    def __init__(self) -> None:
        super().__init__()
        self._counts = Counts((), {})

    def show(self, counts: Counts, wanted: FleetFilter) -> None:
        """Show other counts, with what is wanted of them set off."""
        self._counts = counts
        self.update(tally(counts, wanted))

    def on_click(self, event: events.Click) -> None:
        """Filter by what was clicked."""
        providers = self._counts.providers
        if event.y == 0:
            health = next((health for health, start, end in _spans() if start <= event.x < end), "")
            if health:
                self.post_message(self.GroupPicked(health=health))
        elif event.y <= len(providers):
            self.post_message(self.GroupPicked(provider=providers[event.y - 1]))


def tally(counts: Counts, wanted: FleetFilter) -> Text:
    """The counts as lines of text: a title, one for each provider, and the sums."""
    lines = [_tally_titles(wanted)]
    for provider in counts.providers:
        style = "bold reverse" if provider in wanted.providers else ""
        line = Text(fitted(provider, PROVIDER_WIDTH), style=style)
        lines.append(line.append_text(_tally_cells(counts, provider)))
    if len(counts.providers) != 1:
        total = Text(fitted("all", PROVIDER_WIDTH), style="bold")
        lines.append(total.append_text(_tally_cells(counts, None)))
    return Text("\n", no_wrap=True).join(lines)


def _tally_titles(wanted: FleetFilter) -> Text:
    line = Text(" " * PROVIDER_WIDTH)
    for health in HEALTHS:
        style = "bold reverse" if health in wanted.healths else "bold"
        line.append(" ").append(_TITLES.get(health, health), style)
    return line.append("   ALL", "bold")


def _tally_cells(counts: Counts, provider: str | None) -> Text:
    line = Text()
    for health in HEALTHS:
        count = counts.of(health, provider)
        style = HEALTH_STYLES[health] if count else "dim"
        width = len(_TITLES.get(health, health)) + 1
        line.append((f"{count:,}" if count else "·").rjust(width), style)
    return line.append(f"{counts.of(None, provider):,}".rjust(6), "bold")


def _spans() -> Iterator[tuple[str, int, int]]:
    start = PROVIDER_WIDTH
    for health in HEALTHS:
        end = start + len(_TITLES.get(health, health)) + 1
        yield health, start, end
        start = end


class Causes(OptionList):
    """Root causes over the fleet, most frequent first; the chosen one filters the list."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "select", "Only these", show=False)]

    class CausePicked(Message):
        """A root cause was chosen."""

        def __init__(self, cause: str) -> None:
            super().__init__()
            self.cause = cause

    def __init__(self) -> None:
        super().__init__(markup=False, compact=True)
        self._causes: Sequence[Cause] = ()
        self.border_title = "root causes"

    def show(self, causes: Sequence[Cause]) -> None:
        """Show other causes, the cursor on the same one as before."""
        if causes == self._causes:
            return
        place = self.highlighted
        before = None if place is None else self._causes[place].text
        self._causes = causes[:SHOWN_CAUSES]
        self.clear_options()
        self.add_options([Option(cause_line(cause)) for cause in self._causes])
        self.border_title = f"root causes ({len(causes):,})"
        texts = [cause.text for cause in self._causes]
        if before in texts:
            self.highlighted = texts.index(before)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """The filter follows."""
        event.stop()
        self.post_message(self.CausePicked(self._causes[event.option_index].text))


def cause_line(cause: Cause) -> Text:
    """How many, and why, in one line."""
    line = Text(f"{cause.connectors:>5,} ", style="bold", no_wrap=True, overflow="ellipsis")
    line.append(printable(cause.example), "not bold")
    if cause.connections > 1:
        line.append(f"  on {cause.connections:,} connections", "not bold dim")
    return line
