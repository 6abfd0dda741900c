"""The command line: arguments in, exit codes out. What a command needs is imported when it runs."""

from __future__ import annotations

import atexit
import errno
import importlib
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any, NoReturn

import click

from connstat_sql import __version__
from connstat_sql.cli.context import Globals, pass_globals
from connstat_sql.cli.startup import spare

COMMANDS = {
    "query": "Run SQL and print the rows.",
    "explain": "Show the plan of a statement; nothing is sent.",
    "run": "Run a saved query.",
    "saved": "List, show and check saved queries.",
    "watch": "Run a saved query again and again, and tell what changes.",
    "check": "Run a saved query as a monitoring check: rows are a problem.",
    "top": "The fleet on one screen, live.",
    "providers": "List, show and check provider definitions.",
    "demo": "The main job on an embedded sandbox; nothing to configure.",
    "init": "Ask for your connections, test them, write connstat.toml.",
    "doctor": "Test each connection: reachable, authorised, how fast.",
}


_BEGIN_SQL = ("SELECT", "FROM", "WITH", "SHOW", "DESCRIBE", "SUMMARIZE")


class _Explained(click.Context):
    """Its help has examples, exit codes and more, read when somebody asks for it."""

    def get_help(self) -> str:
        from connstat_sql.cli.help import help_of

        return help_of(self)


def _explain(command: click.Command) -> None:
    """Give a command, and those below it, the help of the manual."""
    command.context_class = _Explained
    for inner in command.commands.values() if isinstance(command, click.Group) else ():
        _explain(inner)


@contextmanager
def _left_alone() -> Iterator[None]:
    """A reader that has gone (`| head`) is no error, whichever command it leaves."""
    try:
        yield
    except BrokenPipeError as error:
        with suppress(AttributeError, ValueError, OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise click.exceptions.Exit(0) from error


def _imported(command: str) -> ModuleType:
    """The module of a command, and what it needs with it."""
    return importlib.import_module(f"connstat_sql.cli.{command}")


class _LateGroup(click.Group):
    """Commands are modules of this package, imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = _imported(cmd_name).command
        _explain(command)
        return command

    def make_context(self, *arguments: Any, **more: Any) -> click.Context:
        with _left_alone():
            return super().make_context(*arguments, **more)

    def invoke(self, ctx: click.Context) -> Any:
        with _left_alone():
            return super().invoke(ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS:
            import difflib

            close = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f"did you mean {close[0]!r}?" if close else "connstat --help lists them"
            if " " in args[0].strip() or args[0].upper() in _BEGIN_SQL:
                hint = 'SQL is run by  connstat query "…"'
            raise click.UsageError(f"there is no command {args[0]!r}; {hint}", ctx)
        return super().resolve_command(ctx, args)


@click.command(
    cls=_LateGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option("--config", metavar="FILE", show_default="connstat.toml", help="Configuration file.")
@click.option(
    "--providers", metavar="DIR", multiple=True, help="Further provider definitions; repeatable."
)
@click.option("-q", "--quiet", is_flag=True, help="No notes on stderr.")
@click.option(
    "-v", "--verbose", count=True, help="Rows, requests and time on stderr; -vv: every attempt."
)
@click.option("--no-progress", is_flag=True, help="No progress line (it is for terminals only).")
@click.option(
    "--sandboxed", is_flag=True, help="SQL reads and writes no files, URLs or other databases."
)
@click.version_option(__version__, prog_name="connstat")
@click.pass_context
def root(
    ctx: click.Context,
    config: str | None,
    providers: tuple[str, ...],
    quiet: bool,
    verbose: int,
    no_progress: bool,
    sandboxed: bool,
) -> None:
    """SQL over every connector you run, live.

    Ask Confluent Cloud, Redpanda Cloud, Kafka Connect and AeonTel one question, and get rows that
    were true a moment ago. Without a command: the shell on a terminal; elsewhere a script of SQL
    is read from standard input. Rows go to stdout, everything else to stderr.
    """
    ctx.obj = Globals(config, providers, -1 if quiet else verbose, not no_progress, sandboxed)
    if ctx.invoked_subcommand is None:
        code = _imported("shell").run_alone(ctx.obj)
        if code is None:
            click.echo(ctx.get_help(), err=True)
        ctx.exit(2 if code is None else code)


_explain(root)


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and exit; the process's own ends it at once.

    `arguments` are those of somebody else's process (None: the process is ours), which goes on.
    """
    if sys.stderr is None:  # it is closed, and narration goes nowhere
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115  # as long as the process
    if arguments is None:
        spare()
        _leave_nothing_behind()
    code = _run(arguments)
    if arguments is None:
        _end(code)
    sys.exit(code)


def _leave_nothing_behind() -> None:
    """Before a signal ends the process, what it has on disk in passing goes."""
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _leave)


def _leave(number: int, _frame: FrameType | None) -> None:
    files = sys.modules.get("connstat_sql.files")
    if files is not None:
        files.remove_all_scratch()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _run(arguments: list[str] | None) -> int:
    """Run a command; the exit code. What it raises has been told."""
    try:
        code = root.main(arguments, prog_name="connstat", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except (click.exceptions.Abort, KeyboardInterrupt):
        return 130
    except click.ClickException as error:
        _show(error)
        return 2
    except OSError as error:
        if error.filename is not None or error.errno not in _UNWRITTEN:
            raise
        _show(click.ClickException(f"stdout cannot be written: {error.strerror}"))
        return 2


_UNWRITTEN = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)
"""What the system says when an open stream takes no more."""


def _show(error: click.ClickException) -> None:
    with suppress(OSError):  # stderr takes nothing: the exit code must do
        from connstat_sql.cli.console import show_error

        show_error(error)


def _end(code: int) -> NoReturn:
    """End the process at once: for Python to take itself apart costs a quarter of a second.

    What was registered to run at the end is run, and what was written is flushed.
    """
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # gone, closed, or never there
            stream.flush()
    os._exit(code)


__all__: list[Any] = ["main", "pass_globals", "root"]
