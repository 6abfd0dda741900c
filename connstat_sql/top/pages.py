"""Pages over the list: a connector in full, the SQL, what failed, help."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from connstat_sql.errors import ConnstatError, FetchError
from connstat_sql.top.columns import clock, printable, since, tasks
from connstat_sql.top.model import FleetConnector, Outage
from connstat_sql.top.table import HEALTH_STYLES
from connstat_sql.top.worker import Looked

HELP = """\
up down  k j       one row                 pageup pagedown   one screen
home end  g G      first row, last row     enter, 2 clicks   the connector in full
< >                sort by another column  i                 the other way round
/                  filter by text          escape            no filter
1 to 7             only this health        v                 only the next vendor
tab                to the root causes and back; enter there shows only these
r                  refresh now             p                 pause, go on
+ -                longer, shorter interval
e                  what failed             s                 the SQL behind the view
c                  on a page: copy it      q, ctrl-c         quit
A click on a title sorts, one on a health or a vendor in the counts filters.
Which clusters there are is asked once a minute, and by r; connectors are asked each time.

In front of a row:  + new   * changed   - gone   ? not seen this time, as its cluster is down
SINCE is when its state was first seen here; < before it: it may be older.
TASKS are running/failed/all. UNREACHABLE stands for a cluster that gave no answer:
its rows stay as they were seen last."""


class TextPage(ModalScreen[None]):
    """A title and a text to scroll in."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "dismiss", "Back"),
        Binding("c", "copy", "Copy"),
        Binding("up,k", "scroll(-1)", show=False),
        Binding("down,j", "scroll(1)", show=False),
        Binding("pageup", "scroll(-10)", show=False),
        Binding("pagedown,space", "scroll(10)", show=False),
    ]

    def __init__(self, title: str, text: Text, copied: str | None = None) -> None:
        """`copied` is what copying gives (None: the text)."""
        super().__init__()
        self._title = title
        self.text = text
        self._copied = copied

    def compose(self) -> ComposeResult:
        """A frame with the text."""
        frame = VerticalScroll(Static(self.text, markup=False), id="page")
        frame.border_title = Content(printable(self._title) or "?")
        frame.border_subtitle = "escape: back   c: copy"
        yield frame

    def show(self, text: Text) -> None:
        """Show another text."""
        self.text = text
        self.query_one("#page Static", Static).update(text)

    def action_scroll(self, lines: int) -> None:
        """Scroll so many lines down."""
        self.query_one("#page").scroll_relative(y=lines, animate=False)

    def action_copy(self) -> None:
        """Hand the text to the terminal's clipboard."""
        self.app.copy_to_clipboard(self._copied or self.text.plain)
        self.query_one("#page").border_subtitle = "copied, where the terminal allows it"


class DetailPage(TextPage):
    """One connector: what the list knows at once, and all of it when it has been asked."""

    def __init__(self, connector: FleetConnector) -> None:
        super().__init__(connector.name or connector.connection, detail(connector))
        self.connector = connector

    def looked(self, looked: Looked) -> None:
        """What was asked has come."""
        if looked.key == self.connector.key:
            self.show(detail(self.connector, looked))


def detail(connector: FleetConnector, looked: Looked | None = None) -> Text:
    """A connector in full; of `looked` None it is said that more is coming."""
    text = Text()
    text.append(connector.health, HEALTH_STYLES.get(connector.health, "")).append("\n\n")
    _add_columns(text, _known(connector))
    if connector.cause:
        _add_part(text, "why" if connector.is_unreachable else "root cause", connector.cause)
    if connector.trace:
        _add_part(text, "request" if connector.is_unreachable else "trace", connector.trace)
    if connector.is_unreachable:
        return text
    if looked is None:
        return text.append("\nasking for its tasks and settings …", "dim")
    if looked.error is not None:
        _add_part(text, "could not be asked", _told(looked.error))
    elif not looked.columns:
        _add_part(text, "gone", "it is not there any more")
    columns = dict(looked.columns)
    for task in sorted(columns.pop("tasks", None) or (), key=lambda task: task.get("id") or 0):
        _add_part(text, f"task {task.get('id')}", "")
        _add_columns(text, {name: value for name, value in task.items() if name != "id"})
    if columns:
        _add_part(text, "all columns", "")
        _add_columns(text, {n: v for n, v in columns.items() if n != "error_trace"})
    return text


def _known(connector: FleetConnector) -> Mapping[str, Any]:
    return {
        "connector": connector.name,
        "provider": connector.provider,
        "connection": connector.connection,
        "scope": connector.scope,
        "type": connector.type,
        "state": connector.state,
        "raw state": "" if connector.raw_state == connector.state else connector.raw_state,
        "tasks (running/failed/all)": tasks(connector),
        "worker": connector.worker,
        "since (< earlier)": since(connector),
        "observed": ""
        if connector.observed_at is None
        else clock(connector.observed_at.timestamp()),
        "not seen since then": "its cluster gave no answer" if connector.is_stale else "",
    }


def _add_columns(text: Text, columns: Mapping[str, Any]) -> None:
    shown = {name: _written(value) for name, value in columns.items() if value not in (None, "")}
    width = max(map(len, shown), default=0)
    for name, value in shown.items():
        first, *others = value.split("\n")
        text.append(f"{name:<{width}}  ", "bold").append(f"{printable(first)}\n")
        for line in others:
            text.append(f"{'':<{width}}  {_line(line)}\n")


def _written(value: Any) -> str:
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            value = json.loads(value)
        except ValueError:
            return str(value)
    if isinstance(value, (dict, list)):
        return json.dumps(value, indent=2, ensure_ascii=False, default=str)
    return str(value)


def _add_part(text: Text, title: str, body: str) -> None:
    text.append(f"\n{title}\n", "bold underline")
    for line in body.splitlines():
        text.append(f"{_line(line)}\n")


def _line(line: str) -> str:
    return printable(line.replace("\t", "    "))


def _told(error: ConnstatError) -> str:
    request = error.request if isinstance(error, FetchError) else None
    return "\n".join(map(str, filter(None, (error.message, request, error.hint))))


def failures(outages: Sequence[Outage], stale: str) -> Text:
    """What failed in the last refresh."""
    text = Text()
    if stale:
        _add_part(text, "the last refresh failed", stale)
    for outage in outages:
        _add_part(text, " / ".join(filter(None, (outage.connection, outage.scope))), outage.message)
        for line in filter(None, (outage.request, outage.hint)):
            text.append(f"  {_line(line)}\n", "dim")
    return text if text else Text("Nothing: every cluster answered.")


def pages_text(lines: Iterable[str]) -> Text:
    """Plain lines."""
    return Text("\n".join(map(_line, lines)))
