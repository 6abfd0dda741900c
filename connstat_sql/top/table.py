"""The list of connectors: thousands of rows, of which those on the screen are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from connstat_sql.monitor.changes import ChangeKind
from connstat_sql.top.columns import (
    COLUMNS,
    MARK_WIDTH,
    ColumnPlace,
    Sorting,
    fitted,
    mark,
    placed,
)
from connstat_sql.top.model import UNREACHABLE, FleetConnector, Key

HEALTH_STYLES = {
    UNREACHABLE: Style(color="magenta", bold=True),
    "UNHEALTHY": Style(color="red", bold=True),
    "DEGRADED": Style(color="yellow", bold=True),
    "TRANSITION": Style(color="cyan"),
    "UNKNOWN": Style(color="yellow"),
    "INACTIVE": Style(color="blue"),
    "HEALTHY": Style(color="green"),
}
_HEAD = Style(bold=True, underline=True)
_PLAIN = Style()
_CURSOR = Style(reverse=True)
_CHANGED = Style(bold=True)
_GONE = Style(dim=True, strike=True)
_STALE = Style(dim=True, italic=True)


class Listing(ScrollView, can_focus=True):
    """Rows under a line of titles; the row under the cursor stays the same one in new rows."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown,space", "page(1)", "Page down", show=False),
        Binding("home,g", "top", "First", show=False),
        Binding("end,G", "bottom", "Last", show=False),
        Binding("enter", "choose", "Detail", show=False),
    ]

    class Chosen(Message):
        """A connector is to be shown in full."""

        def __init__(self, connector: FleetConnector) -> None:
            super().__init__()
            self.connector = connector

    class SortAsked(Message):
        """The title of a column was clicked."""

        def __init__(self, column: int) -> None:
            super().__init__()
            self.column = column

    def __init__(self, *, more: str = "…") -> None:
        """`more` stands for what is cut off."""
        super().__init__()
        self._rows: Sequence[FleetConnector] = ()
        self._more = more
        self._cursor = 0
        self._key: Key | None = None
        self._sorting = Sorting()
        self._places: tuple[ColumnPlace, ...] = ()

    # --- rows --------------------------------------------------------------------------------

    @property
    def rows(self) -> Sequence[FleetConnector]:
        """What it shows, from top to bottom."""
        return self._rows

    @property
    def current(self) -> FleetConnector | None:
        """The row under the cursor, or None where there are no rows."""
        return self._rows[self._cursor] if self._rows else None

    def show(self, rows: Sequence[FleetConnector], sorting: Sorting) -> None:
        """Show other rows.

        The row under the cursor keeps its place on the screen, and where it is not on the screen,
        the first row that is. A cursor that was never moved stays at the top.
        """
        anchor, offset = self._anchor()
        self._rows, self._sorting = rows, sorting
        self._resize()
        numbers = {connector.key: number for number, connector in enumerate(rows)}
        self._cursor = numbers.get(self._key, self._cursor) if self._key is not None else 0
        self._cursor = max(0, min(self._cursor, len(rows) - 1))
        if rows and self._key is not None:
            self._key = rows[self._cursor].key
        if anchor is not None:
            at = numbers.get(anchor, self._cursor)
            self.scroll_to(y=max(0, at - offset), animate=False, immediate=True)
        self.refresh()

    def _anchor(self) -> tuple[Key | None, int]:
        """The row to hold fast, and how many lines below the titles it stands."""
        top = self._top
        if not self._rows or (self._key is None and top == 0):
            return None, 0
        if self._key is not None and top <= self._cursor < top + self._height:
            return self._key, self._cursor - top
        return self._rows[min(top, len(self._rows) - 1)].key, 0

    @property
    def _top(self) -> int:
        return round(self.scroll_offset.y)

    @property
    def _height(self) -> int:
        """Lines for rows."""
        return max(1, self.scrollable_content_region.height - 1)

    def _resize(self) -> None:
        width = self.scrollable_content_region.width
        self._places = placed(width)
        self.virtual_size = Size(width, len(self._rows) + 1)

    def on_resize(self) -> None:
        """Columns are laid out anew, and the cursor stays on the screen."""
        self._resize()
        if self._key is not None:
            self._reveal()
        self.refresh()

    # --- drawing -----------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        """One line of the screen: the titles, or a row."""
        width = self.scrollable_content_region.width
        if y == 0:
            return self._titles().adjust_cell_length(width, _HEAD)
        number = self._top + y - 1
        if number >= len(self._rows):
            return Strip.blank(width)
        strip = self._row(self._rows[number])
        if number == self._cursor:
            strip = Strip([Segment(strip.text.ljust(width), _CURSOR)])
        return strip.adjust_cell_length(width)

    def _titles(self) -> Strip:
        segments = [Segment(" " * MARK_WIDTH, _HEAD)]
        for place in self._places:
            column = COLUMNS[place.column]
            arrow = ("^" if self._sorting.is_reversed else "v") * (
                place.column == self._sorting.column
            )
            text = fitted(
                column.title + arrow, place.width, is_right=column.is_number, more=self._more
            )
            segments.append(Segment(f"{text} ", _HEAD))
        return Strip(segments)

    def _row(self, connector: FleetConnector) -> Strip:
        style = _style(connector)
        segments = [Segment(mark(connector).ljust(MARK_WIDTH), style)]
        for place in self._places:
            column = COLUMNS[place.column]
            text = fitted(
                column.text(connector), place.width, is_right=column.is_number, more=self._more
            )
            cell_style = style
            if place.column == 0:
                cell_style = style + HEALTH_STYLES.get(connector.health, _PLAIN)
            segments.append(Segment(f"{text} ", cell_style))
        return Strip(segments)

    # --- keys and mouse ----------------------------------------------------------------------

    def action_move(self, by: int) -> None:
        """The cursor goes so many rows down."""
        self._go(self._cursor + by)

    def action_page(self, by: int) -> None:
        """The cursor goes so many screens down."""
        self._go(self._cursor + by * self._height)

    def action_top(self) -> None:
        """The cursor goes to the top, and stays there whatever comes."""
        self._go(0)
        self._key = None

    def action_bottom(self) -> None:
        """The cursor goes to the last row."""
        self._go(len(self._rows) - 1)

    def action_choose(self) -> None:
        """The row under the cursor is to be shown in full."""
        if self.current is not None:
            self.post_message(self.Chosen(self.current))

    def on_click(self, event: events.Click) -> None:
        """A title sorts; a row is put under the cursor, and at the second click opened."""
        if event.y == 0:
            for place in self._places:
                if place.start <= event.x <= place.start + place.width:
                    self.post_message(self.SortAsked(place.column))
            return
        number = self._top + event.y - 1
        if number < len(self._rows):
            self._go(number)
            if event.chain == 2:
                self.action_choose()

    def _go(self, number: int) -> None:
        if not self._rows:
            return
        before, self._cursor = self._cursor, max(0, min(number, len(self._rows) - 1))
        self._key = self._rows[self._cursor].key
        self._reveal()
        if before != self._cursor:
            self.refresh()

    def _reveal(self) -> None:
        """Scroll as little as brings the cursor on the screen."""
        top = self._top
        wanted = min(max(top, self._cursor - self._height + 1), self._cursor)
        if wanted != top:
            self.scroll_to(y=wanted, animate=False, immediate=True)


def _style(connector: FleetConnector) -> Style:
    if connector.is_stale:
        return _STALE
    if connector.change is ChangeKind.GONE:
        return _GONE
    return _PLAIN if connector.change is None else _CHANGED
