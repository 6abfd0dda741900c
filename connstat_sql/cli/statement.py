"""What commands that run SQL share: its options, and where and how rows are printed."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from connstat_sql.cli.context import Globals, each, report_errors
from connstat_sql.cli.durations import AGE, SECONDS
from connstat_sql.engine import Engine
from connstat_sql.errors import FetchError, counted
from connstat_sql.files import written_whole
from connstat_sql.output.pager import Screen
from connstat_sql.output.protected_files import Input, refuse_inputs
from connstat_sql.output.render import BINARY, BY_EXTENSION, FORMATS, About, TerminalStyle, render
from connstat_sql.output.stderr import PARTIAL, Narrator
from connstat_sql.output.verdict import verdict
from connstat_sql.result import DEFAULT_MAX_REQUESTS, Options, Result

if TYPE_CHECKING:
    from connstat_sql.output.html import HtmlPage

STDOUT = "-"
"""The file name that means standard output."""
MOST_ON_SCREEN = 1000
"""Rows that a terminal is given of one result."""

budget_option = click.option(
    "--max-requests",
    type=click.IntRange(min=0),
    default=DEFAULT_MAX_REQUESTS,
    show_default=True,
    metavar="N",
    help="Request budget of one statement; to exceed it is an error.",
)

max_age_option = click.option(
    "--max-age",
    type=AGE,
    metavar="SECONDS",
    show_default="as each connection says, else 0: always fetch",
    help="Accept rows fetched at most so long ago.",
)

timeout_option = click.option(
    "--timeout", type=SECONDS, metavar="SECONDS",
    show_default="what the connection says, else 30", help="For one request.",
)  # fmt: skip

connect_timeout_option = click.option(
    "--connect-timeout", type=SECONDS, metavar="SECONDS",
    show_default="what the connection says, else 10", help="For reaching a host.",
)  # fmt: skip

strict_option = click.option(
    "--strict", is_flag=True,
    help="A required parameter must be in the query: never enumerate it from its parents.",
)  # fmt: skip

trace_option = click.option(
    "--trace", is_flag=True,
    help="Each attempt of each request on stderr: method, URL, status, ms, bytes; no secret.",
)  # fmt: skip

reveal_option = click.option("--reveal", is_flag=True, help="Show credentials in rows, not masks.")

sandboxed_option = click.option(
    "--sandboxed", is_flag=True,
    help="SQL reads and writes no files, URLs, extensions or other databases.",
)  # fmt: skip

_Command = Callable[..., Any]

_PRINTING = (
    click.option(
        "-F",
        "--format",
        "format_",
        type=click.Choice(FORMATS),
        show_default="by the extension of -o, else table",
        help="How rows are printed.",
    ),
    click.option(
        "-o",
        "--output",
        type=click.Path(dir_okay=False),
        show_default="stdout",
        help="File, written whole or not at all; its extension says the format; - is stdout.",
    ),
    click.option(
        "--chart",
        is_flag=True,
        help="Draw two columns, a label and a number, as bars; with -o as .svg or .png.",
    ),
    click.option(
        "--no-pager", is_flag=True,
        help="On a terminal, print what is longer than the screen, and the first 1,000 rows.",
    ),
)  # fmt: skip

_CHARTS = {"": "bars", ".txt": "bars", ".svg": "svg", ".png": "png"}
"""By extension, what draws a chart there."""

_RUNNING = (
    click.option(
        "--partial",
        is_flag=True,
        help="Keep good rows when some requests fail: exit code 4, the rest in table _errors.",
    ),
    budget_option,
    strict_option,
    timeout_option,
    connect_timeout_option,
    click.option(
        "--deadline",
        type=SECONDS,
        metavar="SECONDS",
        show_default="none",
        help="For the whole statement.",
    ),
    max_age_option,
    trace_option,
    reveal_option,
    sandboxed_option,
)


def printing_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say where rows go, and how: `format_` and `output`."""
    return _with(_PRINTING, command)


def running_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say how statements run, as `options_of` and `opened_engine` read them."""
    return _with(_RUNNING, command)


def _with(options: tuple[_Command, ...], command: _Command) -> _Command:
    for option in reversed(options):
        command = option(command)
    return command


def options_of(options: Mapping[str, Any]) -> Options:
    """How statements run, out of a command's options."""
    return Options(
        options["partial"],
        options["max_requests"],
        options["strict"],
        options["deadline"],
        options["max_age"],
    )


@contextmanager
def opened_engine(
    globals_: Globals, narrator: Narrator, options: Mapping[str, Any]
) -> Iterator[Engine]:
    """An engine as a command's options say, closed at the end; errors are told on stderr."""
    with report_errors(narrator, trace=options["trace"]):
        engine = globals_.open(
            narrator,
            timeout=options["timeout"],
            connect_timeout=options["connect_timeout"],
            reveal=options["reveal"],
            trace=options["trace"],
            sandboxed=options.get("sandboxed", False),
        )
        try:
            yield engine
        except FetchError as error:
            if len(engine.asked) > 1 and not options.get("partial", True):
                partial = "--partial  prints the rows of the others"
                error.hint = f"{error.hint}; {partial}" if error.hint else partial
            raise
        finally:
            engine.close()


class Printer:
    """Prints one result after the other in one format; `end` when there are no more."""

    def __init__(
        self,
        out: IO[Any],
        format_: str,
        narrator: Narrator,
        *,
        style: TerminalStyle | None = None,
        sql: str = "",
        title: str = "",
        is_paging: bool = False,
    ) -> None:
        """`style` is what `out` can show (None: as it says itself); `format_` may be of a chart.

        On a terminal, what is longer than it goes through a pager where `is_paging`. `sql` and
        `title` are told on a page: the text of the statements, where a result does not know its
        own, and what they are called.
        """
        self._out: Any = out
        self._format = format_
        self._narrator = narrator
        self._style = style or TerminalStyle.of(out, os.environ)
        self._screen = Screen(out, os.environ, is_paging=is_paging)
        self._about = About(sql=sql, title=title)
        self.rows = 0
        self._page: HtmlPage | None = None
        self._printed = 0
        self._requests = 0

    def show(self, result: Result) -> None:
        """The rows to stdout, everything else to stderr."""
        self._narrator.end_progress()
        if self._screen.lack and not self._printed:
            self._narrator.say(f"note: {self._screen.lack}")
        self._requests += result.requests
        self.rows += result.table.num_rows if result.has_rows else 0
        if result.has_rows:
            self._print(result)
            self._printed += 1
            if self._format == "json" and self._printed == 2:
                self._narrator.say(
                    "note: each result is an array of its own; -F jsonl makes one list of rows"
                )
        self._narrator.result(result)

    def end(self) -> None:
        """Write what comes after the last result."""
        if self._page is not None:
            self._page.close()
            self._out.flush()

    def _print(self, result: Result) -> None:
        if self._format in _CHARTS.values():
            from connstat_sql.output.charts import chart

            about = replace(self._told_of(result), requests=self._requests)
            style, kind = self._style, self._format
            self._screen.show(lambda out: chart(result.table, out, kind, style=style, about=about))
        elif self._format == "html":
            from connstat_sql.output.html import HtmlPage

            if self._page is None:
                self._page = HtmlPage(self._out, self._about.title)
            self._page.section(result.table, self._told_of(result))
            self._out.flush()
        elif (
            self._style.is_terminal
            and self._screen.command is None
            and self._format in ("table", "vertical")
            and result.table.num_rows > MOST_ON_SCREEN
        ):
            self._print_first(result)
        else:
            style = self._style
            self._screen.show(lambda out: render(result.table, self._format, out, style=style))

    def _print_first(self, result: Result) -> None:
        """What somebody would still scroll through, and how to have the rest."""
        first, style = result.table.slice(0, MOST_ON_SCREEN), replace(self._style, footer=False)
        render(first, self._format, self._out, style=style)
        rows = counted(result.table.num_rows, "row")
        more = f"{rows}, of which the first {MOST_ON_SCREEN:,} are shown: -o FILE  takes all"
        self._out.write(f"{more}\n".encode())
        self._out.flush()

    def _told_of(self, result: Result) -> About:
        sql = self._about.sql if result.plan is None else result.plan.query.statement.sql
        return About(
            sql,
            result.complete,
            result.seconds,
            result.requests,
            datetime.now(UTC),
            () if result.complete else tuple(verdict(result)),
            result.notes,
            self._about.title,
        )


@contextmanager
def printer(
    options: Mapping[str, Any],
    narrator: Narrator,
    *,
    sql: str = "",
    title: str = "",
    inputs: Callable[[], Iterable[Input]] = tuple,
) -> Iterator[Printer]:
    """Prints as a command's options say; a file appears when everything has been written to it.

    `sql` and `title` are as `Printer` takes them. `inputs` are files that are not written to.
    """
    format_ = _format(options["format_"], options["output"], is_chart=options.get("chart", False))
    read = options.get("file")
    with _writing_to(options["output"], inputs, read) as out:
        written = options.get("sql") or ""
        sql = sql or ("" if written == "-" else written)
        is_paging = not options.get("no_pager", False)
        shown = Printer(out, format_, narrator, sql=sql, title=title, is_paging=is_paging)
        yield shown
        shown.end()
    if options["output"] not in (None, STDOUT):
        narrator.say(_written(options["output"], shown.rows))


def _written(output: str, rows: int) -> str:
    """What was written where."""
    path = Path(output)
    size = f", {counted(path.stat().st_size, 'byte')}" if path.is_file() else ""
    return f"{output}: {counted(rows, 'row')}{size}"


def print_all(results: Iterator[Result], engine: Engine, shown: Printer) -> bool:
    """Print results as they come. Whether all of them are complete."""
    complete = True
    for result in each(results, engine):
        shown.show(result)
        complete = complete and result.complete
    return complete


def exit_for(complete: bool) -> None:
    """End the command with the exit code of a partial result, if it is one."""
    if not complete:
        raise click.exceptions.Exit(PARTIAL)


def _format(format_: str | None, output: str | None, *, is_chart: bool = False) -> str:
    extension = Path(output).suffix.lower() if output else ""
    is_printed = output is None or output == STDOUT
    if is_chart:
        return _chart(format_, extension)
    if format_ is None and extension and extension not in BY_EXTENSION:
        known = f"say it with -F, or name the file as {', '.join(BY_EXTENSION)}"
        then = "add --chart for a picture" if extension in _CHARTS else known
        raise click.UsageError(f"no format is known by {extension!r}; {then}")
    chosen = format_ or BY_EXTENSION.get(extension, "table")
    if chosen in BINARY and is_printed and sys.stdout is not None and sys.stdout.isatty():
        raise click.UsageError(f"{chosen} is not for a terminal: add  -o FILE")
    return chosen


def _chart(format_: str | None, extension: str) -> str:
    if format_ is not None:
        raise click.UsageError(f"--chart draws and -F {format_} prints: leave one of them out")
    if extension not in _CHARTS:
        raise click.UsageError(f"no chart is made as {extension!r}: use .svg, .png or .txt")
    return _CHARTS[extension]


@contextmanager
def _writing_to(
    output: str | None, inputs: Callable[[], Iterable[Input]], read: str | None
) -> Iterator[IO[bytes]]:
    """stdout, or a file that appears when everything has been written to it.

    It is none of those that are read, as `inputs`, or for this command.
    """
    if output is None or output == STDOUT:
        if sys.stdout is None:
            raise click.ClickException("stdout is closed: say  -o FILE  for the rows")
        with _writable("stdout"), click.open_file("-", "wb") as out:
            yield out
        return
    with _writable(output):
        check_output(output, inputs, read)
        with written_whole(Path(output)) as out:
            yield out


def check_output(
    output: str, inputs: Callable[[], Iterable[Input]], read: str | None = None
) -> None:
    """Raise NotOurs where a file for an answer is one that is read; nothing is written."""
    own = (Input(Path(read), "the file that the SQL is read from"),) if read else ()
    refuse_inputs(Path(output), (*own, *inputs()))


@contextmanager
def _writable(name: str) -> Iterator[None]:
    """Say so when it is not: no such folder, a full disk. A reader that has gone is told apart."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        if error.errno in (errno.EMFILE, errno.ENFILE):
            raise click.ClickException(
                "no more files can be opened: raise the limit (ulimit -n), or ask fewer connections"
            ) from error
        raise click.ClickException(f"{name} cannot be written: {error.strerror}") from error
