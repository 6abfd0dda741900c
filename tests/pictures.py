"""The pictures in the README: sessions in a real terminal over the sandbox, drawn as SVG.

`python -m tests.pictures` draws them anew. A picture holds the text of its screen as its
description; a test runs the session again and compares, figures and times aside.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from xml.sax.saxutils import escape, unescape

from rich.color import Color
from rich.console import Console
from rich.style import Style
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from connstat_sql.demo import DemoServers, World
from tests.sitting import at_prompt, home_at, shell
from tests.terminal import Terminal

FOLDER = Path(__file__).parent.parent / "examples"
COLUMNS = 110
LOOKS = 8
"""So many in a row, each some hundredths of a second after the other."""
_NAMES = {"brown": "yellow", "default": "default"}
_THEME = TerminalTheme(
    (24, 26, 31), (220, 223, 228),
    [(40, 44, 52), (224, 108, 117), (152, 195, 121), (229, 192, 123), (97, 175, 239),
     (198, 120, 221), (86, 182, 194), (171, 178, 191)],
    [(92, 99, 112), (255, 123, 134), (181, 232, 144), (255, 214, 137), (123, 194, 255),
     (222, 147, 245), (108, 213, 226), (255, 255, 255)],
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Picture:
    """A session: `play` does it in a home folder, and answers the screen that is drawn."""

    name: str
    title: str
    play: Callable[[Path], Terminal]

    @property
    def file(self) -> Path:
        """Where it is kept."""
        return FOLDER / f"{self.name}.svg"


def _shell(home: Path) -> Terminal:
    with shell(home, columns=COLUMNS, rows=27, COLORTERM="truecolor") as terminal:
        terminal.wait_for("5 connections")
        terminal.enter(
            "SELECT error_summary, count(*) AS tasks FROM inventory.connectors.tasks "
            "WHERE state = 'FAILED' GROUP BY ALL ORDER BY tasks DESC, 1 LIMIT 4;"
        )
        terminal.wait_for("4 rows")
        at_prompt(terminal)
        terminal.type(
            "SELECT connector_name, connector.state FROM confluent.connect.connector_status "
            "WHERE environment_id = '"
        )
        terminal.wait_for("env-1", "env-3")  # of rows that were fetched: nobody has to press Tab
        return _at_rest(terminal)


def _top(home: Path) -> Terminal:
    around = {"HOME": str(home), "COLORTERM": "truecolor"}
    arguments = ("-m", "connstat_sql", "top", "--every", "1h")
    with Terminal(*arguments, environment=around, columns=COLUMNS, rows=30) as terminal:
        terminal.wait_for("complete", "inventory-mysql-source", "root causes (")
        return _at_rest(terminal)


def _at_rest(terminal: Terminal) -> Terminal:
    """Wait until a look at the screen shows what the one before did."""
    seen: list[str] = []

    def rests() -> bool:
        seen.append(terminal.text)
        return len(seen) > LOOKS and len(set(seen[-LOOKS:])) == 1

    terminal.wait_until(rests, "a screen at rest")
    return terminal


PICTURES = (
    Picture("shell", "connstat", _shell),
    Picture("top", "connstat top", _top),
)


def played(picture: Picture) -> Terminal:
    """Run a session over a sandbox of its own; its last screen stays to be read."""
    with DemoServers(World.seeded(7)) as sandbox, tempfile.TemporaryDirectory() as home:
        return picture.play(home_at(Path(home), sandbox))


def drawn(terminal: Terminal, title: str) -> str:
    """A screen as one SVG that loads nothing."""
    console = Console(record=True, width=COLUMNS, file=StringIO(), force_terminal=True)
    for row in terminal.cells():
        line = Text(no_wrap=True, end="\n")
        for cell in row:
            line.append(cell.data, _style(cell))
        console.print(line, soft_wrap=True)
    svg = console.export_svg(title=title, theme=_THEME, unique_id="connstat")
    svg = svg.replace("<!-- Generated with Rich https://www.textualize.io -->", "")
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    description = f"<desc>{escape(terminal.text)}</desc>"
    return re.sub(r"(<svg [^>]*>)", lambda found: found[1] + description, svg, count=1)


def _style(cell: object) -> Style:
    given = {name: getattr(cell, name) for name in ("fg", "bg", "bold", "reverse", "italics")}
    return Style(
        color=_color(given["fg"]),
        bgcolor=_color(given["bg"]),
        bold=given["bold"],
        reverse=given["reverse"],
        italic=given["italics"],
    )


def _color(name: str) -> Color | None:
    if re.fullmatch(r"[0-9a-f]{6}", name):
        return Color.parse(f"#{name}")
    name = _NAMES.get(name, name)
    bright = re.fullmatch(r"bright(\w+)", name)
    return Color.parse(f"bright_{bright[1]}" if bright else name)


def described(svg: str) -> str:
    """The text of the screen that a picture shows."""
    found = re.search(r"<desc>(.*?)</desc>", svg, re.DOTALL)
    return unescape(found[1]) if found else ""


def without_figures(text: str) -> list[str]:
    """Lines to compare: times, counts and what hangs on their width are left out."""
    lines = (re.sub(r"[\d:.,]*\d", "0", line) for line in text.splitlines())
    return [re.sub(r"[\s─━]+", " ", line).replace("0 ms", "0 s").strip() for line in lines]


def main(names: list[str]) -> None:
    """Draw the pictures of these names, or all."""
    for picture in PICTURES:
        if not names or picture.name in names:
            picture.file.write_text(drawn(played(picture), picture.title), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
