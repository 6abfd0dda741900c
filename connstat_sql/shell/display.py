"""Where rows go, and how they look: the screen, a pager, a file."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal

from connstat_sql.errors import ConfigError, counted
from connstat_sql.files import added_whole, opened_to_add, written_whole
from connstat_sql.output.pager import Screen

if TYPE_CHECKING:
    from connstat_sql.output.render import TerminalStyle
    from connstat_sql.result import Options, Result

_WHOLE_FILES = ("parquet", "arrow", "html", "json")
"""Formats that cannot be continued: the next answer takes the place of the one before."""


@dataclass(slots=True)
class Settings:
    """How the shell is set: what its commands change.

    `expanded` and `format` are of what is shown; `output` is the file that rows go to instead of
    the screen (None: the screen), `once` that of the next answer alone. The others are those of
    the command line's options with their names (None: as there, when they are not given).
    """

    format: str = "table"
    expanded: Literal["auto"] | bool = "auto"
    pager: bool = True
    timer: bool = False
    trace: bool = False
    output: Path | None = None
    once: Path | None = None
    partial: bool = False
    max_requests: int | None = None
    max_age: float | None = None
    begun: set[Path] = field(default_factory=set)
    """Files that hold answers of this shell already."""

    def options(self) -> Options:
        """How statements run."""
        from connstat_sql.result import DEFAULT_MAX_REQUESTS, Options

        budget = DEFAULT_MAX_REQUESTS if self.max_requests is None else self.max_requests
        return Options(self.partial, budget, max_age=self.max_age)


class Display:
    """Shows answers as the settings say."""

    def __init__(
        self,
        settings: Settings,
        out: BinaryIO,
        environment: Mapping[str, str],
        is_interactive: bool,
    ) -> None:
        self._settings = settings
        self._out = out
        self._environment = environment
        self._is_paging = is_interactive and out.isatty()

    def show(self, result: Result, sql: str) -> str:
        """Write an answer where it is to go; what there is to say of that, or nothing."""
        target = self._settings.once or self._settings.output
        if target is None:
            style = self.style()
            self.print(lambda out: self._render(result, sql, self._settings.format, out, style))
            return ""
        is_once, self._settings.once = self._settings.once is not None, None
        format_ = self._format_of(target)
        is_more = not is_once and target in self._settings.begun and format_ not in _WHOLE_FILES
        opened = added_whole if is_more else written_whole
        with writable(target), opened(target) as out:
            self._render(result, sql, format_, out, self.style(out))
        self._settings.begun.add(target)
        verb = "added to" if is_more else "written to"
        return f"{counted(result.table.num_rows, 'row')} {verb} {target} as {format_}"

    def chart(self, result: Result, target: Path | None) -> None:
        """Draw an answer as bars, on the screen or into a file (.svg, .png)."""
        from connstat_sql.output.charts import chart

        if target is not None:
            kind = {".svg": "svg", ".png": "png"}.get(target.suffix.lower())
            if kind is None:
                raise ConfigError(f"no chart is made as {target.name}", hint="use .svg or .png")
            drawn = io.BytesIO()
            chart(result.table, drawn, kind)
            write_whole(target, drawn.getvalue())
            return
        self.print(lambda out: chart(result.table, out, style=self.style()))

    def text(self, lines: str) -> None:
        """Text that was asked for, paged where it is long."""
        self.print(lambda out: out.write(lines.rstrip("\n").encode() + b"\n"))

    def style(self, out: BinaryIO | None = None) -> TerminalStyle:
        """What the screen can show, or a file."""
        from dataclasses import replace

        from connstat_sql.output.render import TerminalStyle

        style = TerminalStyle.of(out or self._out, self._environment)
        return replace(style, expanded=self._settings.expanded, whole=r"\x")

    def print(self, write: Callable[[BinaryIO], object]) -> None:
        """Let something write to the screen, through the pager where it is more than that."""
        is_paging = self._is_paging and self._settings.pager
        Screen(self._out, self._environment, is_paging=is_paging).show(write)

    @staticmethod
    def _render(
        result: Result, sql: str, format_: str, out: BinaryIO, style: TerminalStyle
    ) -> None:
        from connstat_sql.output.render import About, render
        from connstat_sql.output.verdict import verdict

        errors = () if result.complete else tuple(verdict(result))
        about = About(sql, result.complete, result.seconds, result.requests, errors=errors)
        render(result.table, format_, out, style=style, about=about)

    def _format_of(self, target: Path) -> str:
        """The mode that was chosen, or for a plain table what the file's name says."""
        from connstat_sql.output.render import BY_EXTENSION

        if self._settings.format == "table":
            return BY_EXTENSION.get(target.suffix.lower(), "table")
        return self._settings.format


def write_whole(target: Path, content: bytes) -> None:
    """Write a file. Raises ConfigError where it cannot be."""
    with writable(target), written_whole(target) as out:
        out.write(content)


def check_writable(target: Path) -> None:
    """Look whether a file may be written, and leave it as it is. Raises ConfigError."""
    is_there = target.exists()
    with writable(target), opened_to_add(target):
        pass
    if not is_there:
        target.unlink(missing_ok=True)


@contextmanager
def writable(target: Path) -> Iterator[None]:
    """Raise ConfigError for what keeps a file from being written."""
    try:
        yield
    except OSError as error:
        raise ConfigError(
            f"{target} cannot be written: {error.strerror}", hint=_way_out(target)
        ) from error


def _way_out(target: Path) -> str:
    """What to do about a file that cannot be written."""
    if target.is_dir():
        return f"it is a folder: name a file in it, such as {target / 'rows.csv'}"
    if not target.parent.is_dir():
        return f"there is no folder {target.parent}: make it first, or name another"
    return "name a file in a folder of yours"


def texts(names: Sequence[str], rows: Iterable[Sequence[str]]) -> Result:
    """Rows of text as an answer."""
    import pyarrow as pa

    from connstat_sql.result import Result

    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    arrays = [pa.array(column, pa.string()) for column in columns]
    return Result(pa.table(dict(zip(names, arrays, strict=True))), has_rows=True)
