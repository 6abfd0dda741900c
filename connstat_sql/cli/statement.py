"""What commands that run SQL share: its options, and where and how rows are printed."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import click

from connstat_sql.cli.context import Globals, each, told
from connstat_sql.diagnostics import PARTIAL, Narrator
from connstat_sql.engine import Engine
from connstat_sql.renderer import BINARY, BY_EXTENSION, FORMATS, render
from connstat_sql.result import DEFAULT_MAX_REQUESTS, Options, Result

SECONDS = click.FloatRange(min=0, min_open=True)

budget_option = click.option(
    "--max-requests",
    type=click.IntRange(min=0),
    default=DEFAULT_MAX_REQUESTS,
    show_default=True,
    help="Request budget of one statement.",
)

max_age_option = click.option(
    "--max-age",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="Accept rows fetched at most so long ago. Default: as each connection says, else 0.",
)

_Command = Callable[..., Any]

_PRINTING = (
    click.option("-F", "--format", "format_", type=click.Choice(FORMATS), help="Default: table."),
    click.option(
        "-o",
        "--output",
        type=click.Path(dir_okay=False),
        help="File; its extension says the format.",
    ),
)

_RUNNING = (
    click.option(
        "--partial", is_flag=True, help="Keep good rows when some requests fail (exit 4)."
    ),
    budget_option,
    click.option("--strict", is_flag=True, help="Never enumerate a parameter from its parents."),
    click.option(
        "--timeout",
        type=SECONDS,
        help="Seconds for one request.  [default: what the connection says, else 30]",
    ),
    click.option(
        "--connect-timeout",
        type=SECONDS,
        help="Seconds for reaching a host.  [default: what the connection says, else 10]",
    ),
    click.option("--deadline", type=SECONDS, help="Seconds for the whole statement."),
    max_age_option,
    click.option("--trace", is_flag=True, help="Each attempt of each request on stderr."),
    click.option("--reveal", is_flag=True, help="Show credentials in rows, not masks."),
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


def options_of(given: Mapping[str, Any]) -> Options:
    """How statements run, out of a command's options."""
    return Options(
        given["partial"],
        given["max_requests"],
        given["strict"],
        given["deadline"],
        given["max_age"],
    )


@contextmanager
def opened_engine(
    globals_: Globals, narrator: Narrator, given: Mapping[str, Any]
) -> Iterator[Engine]:
    """An engine as a command's options say, closed at the end; errors are told on stderr."""
    with told(narrator, trace=given["trace"]):
        engine = globals_.open(
            narrator,
            timeout=given["timeout"],
            connect_timeout=given["connect_timeout"],
            reveal=given["reveal"],
            trace=given["trace"],
        )
        try:
            yield engine
        finally:
            engine.close()


class Printer:
    """Prints one result after the other in one format."""

    def __init__(self, out: IO[Any], format_: str, narrator: Narrator) -> None:
        self._out: Any = out
        self._format = format_
        self._narrator = narrator
        self._width = _terminal_width(out)

    def show(self, result: Result) -> None:
        """The rows to stdout, everything else to stderr."""
        self._narrator.end_progress()
        if result.has_rows:
            render(result.table, self._format, self._out, width=self._width)
            self._out.flush()
        self._narrator.result(result)


@contextmanager
def printer(given: Mapping[str, Any], narrator: Narrator) -> Iterator[Printer]:
    """Prints as a command's options say; a file appears when everything has been written to it."""
    format_ = _format(given["format_"], given["output"])
    with _writing_to(given["output"]) as out:
        yield Printer(out, format_, narrator)


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


def _format(format_: str | None, output: str | None) -> str:
    extension = Path(output).suffix.lower() if output else ""
    if format_ is None and extension and extension not in BY_EXTENSION:
        raise click.UsageError(f"no format is known by {extension!r}; say it with -F")
    chosen = format_ or BY_EXTENSION.get(extension, "table")
    if chosen in BINARY and output is None and sys.stdout.isatty():
        raise click.UsageError(f"{chosen} is not for a terminal: add  -o FILE")
    return chosen


@contextmanager
def _writing_to(output: str | None) -> Iterator[IO[bytes]]:
    """stdout, or a file that appears when everything has been written to it."""
    if output is None:
        if sys.stdout is None:
            raise click.ClickException("stdout is closed: say  -o FILE  for the rows")
        with _writable("stdout"), click.open_file("-", "wb") as out:
            yield out
        return
    target = Path(output)
    unfinished = target.with_name(f".{target.name}.unfinished")
    try:
        with _writable(output):
            with unfinished.open("wb") as out:
                yield out
            unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def _writable(name: str) -> Iterator[None]:
    """Say so when it is not: no such folder, a full disk. A reader that has gone is told apart."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise click.ClickException(f"{name} cannot be written: {error.strerror}") from error


def _terminal_width(out: IO[Any]) -> int | None:
    return shutil.get_terminal_size().columns if out.isatty() else None
