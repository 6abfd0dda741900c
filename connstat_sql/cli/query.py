"""`connstat query`: SQL in, rows out."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import click

from connstat_sql.cli.context import Globals, each, pass_globals, told
from connstat_sql.diagnostics import PARTIAL, Narrator
from connstat_sql.engine import Engine
from connstat_sql.renderer import BINARY, BY_EXTENSION, FORMATS, render
from connstat_sql.result import DEFAULT_MAX_REQUESTS, Options, Result

_SECONDS = click.FloatRange(min=0, min_open=True)


def sql_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The SQL itself and its parameters: for every command that takes a statement."""
    for option in (
        click.option(
            "-p", "--param", "params", metavar="NAME=VALUE", multiple=True, help="Bind $NAME."
        ),
        click.option(
            "-f", "--file", type=click.Path(dir_okay=False), help="Read the SQL from a file."
        ),
        click.argument("sql", required=False),
    ):
        command = option(command)
    return command


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


@click.command("query")
@sql_options
@click.option("-F", "--format", "format_", type=click.Choice(FORMATS), help="Default: table.")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False), help="File; its extension says the format."
)
@click.option("--partial", is_flag=True, help="Keep good rows when some requests fail (exit 4).")
@budget_option
@click.option("--strict", is_flag=True, help="Never enumerate a parameter from its parents.")
@click.option(
    "--timeout",
    type=_SECONDS,
    help="Seconds for one request.  [default: what the connection says, else 30]",
)
@click.option(
    "--connect-timeout",
    type=_SECONDS,
    help="Seconds for reaching a host.  [default: what the connection says, else 10]",
)
@click.option("--deadline", type=_SECONDS, help="Seconds for the whole statement.")
@max_age_option
@click.option("--trace", is_flag=True, help="Each attempt of each request on stderr.")
@click.option("--reveal", is_flag=True, help="Show credentials in rows instead of masking them.")
@pass_globals
def command(globals_: Globals, /, **given: Any) -> None:
    """Run SQL and print the rows; several statements run in order.

    SQL is the statement, or - for standard input, or in a file with -f.
    """
    narrator = globals_.narrator
    text, arguments = read_sql(given["sql"], given["file"]), read_params(given["params"])
    format_ = _format(given["format_"], given["output"])
    options = Options(
        given["partial"],
        given["max_requests"],
        given["strict"],
        given["deadline"],
        given["max_age"],
    )
    with told(narrator, trace=given["trace"]):
        engine = globals_.open(
            narrator,
            timeout=given["timeout"],
            connect_timeout=given["connect_timeout"],
            reveal=given["reveal"],
            trace=given["trace"],
        )
        try:
            with _opened(given["output"]) as out:
                printer = _Printer(out, format_, narrator)
                complete = _run(engine, text, arguments, options, printer)
        finally:
            engine.close()
    if not complete:
        raise click.exceptions.Exit(PARTIAL)


class _Printer:
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


def _run(
    engine: Engine, sql: str, arguments: dict[str, str], options: Options, printer: _Printer
) -> bool:
    complete = True
    for result in each(engine.run(sql, arguments or None, options), engine):
        printer.show(result)
        complete = complete and result.complete
    return complete


def read_sql(sql: str | None, file: str | None) -> str:
    """The text of the statement, from where the options say."""
    if (sql is None) == (file is None):
        raise click.UsageError("give the SQL, or -f FILE, or - for standard input")
    try:
        if file is not None:
            return Path(file).read_text(encoding="utf-8")
        return sys.stdin.read() if sql == "-" else sql or ""
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"the SQL cannot be read: {error}") from error


def read_params(params: tuple[str, ...]) -> dict[str, str]:
    """`NAME=VALUE` pairs as a mapping."""
    given: dict[str, str] = {}
    for pair in params:
        name, separator, value = pair.partition("=")
        if not separator or not name.isidentifier():
            raise click.UsageError(f"-p takes NAME=VALUE, not {pair!r}")
        given[name] = value
    return given


def _format(format_: str | None, output: str | None) -> str:
    extension = Path(output).suffix.lower() if output else ""
    if format_ is None and extension and extension not in BY_EXTENSION:
        raise click.UsageError(f"no format is known by {extension!r}; say it with -F")
    chosen = format_ or BY_EXTENSION.get(extension, "table")
    if chosen in BINARY and output is None and sys.stdout.isatty():
        raise click.UsageError(f"{chosen} is not for a terminal: add  -o FILE")
    return chosen


@contextmanager
def _opened(output: str | None) -> Iterator[IO[bytes]]:
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
    import shutil

    return shutil.get_terminal_size().columns if out.isatty() else None
