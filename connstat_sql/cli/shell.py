"""`connstat` alone: the shell on a terminal, a script from anywhere else."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from connstat_sql.bootstrap import definition_folders, find_config
from connstat_sql.cli.context import Globals, each, report_errors
from connstat_sql.errors import ConfigError
from connstat_sql.output.stderr import DONE
from connstat_sql.shell.session import ShellContext, ShellNarrator

if TYPE_CHECKING:
    from connstat_sql.engine import Engine
    from connstat_sql.result import Result


def run_alone(globals_: Globals) -> int | None:
    """Run the shell, or stdin as a script; the exit code. None: there was nothing to run."""
    stdin, out = sys.stdin, sys.stdout
    if stdin is None:
        return None
    if stdin.isatty() and out is not None and out.isatty():
        return _shell(globals_)
    if stdin.isatty():
        return None
    try:
        text = stdin.read()
    except UnicodeDecodeError as error:
        raise click.UsageError("the script on standard input is not UTF-8 text") from error
    return _script(globals_, text) if text.strip() else None


def _shell(globals_: Globals) -> int:
    from connstat_sql.shell.app import run_shell

    return run_shell(_shell_context(globals_), is_simple=_is_simple())


def _is_simple() -> bool:
    """Whether the terminal can do no more than print."""
    return os.environ.get("TERM", "") in ("dumb", "unknown", "")


def _script(globals_: Globals, text: str) -> int:
    from connstat_sql.shell.script import run_script
    from connstat_sql.shell.session import Shell

    context = _shell_context(globals_)
    shell = Shell(context, is_interactive=False)
    with report_errors(context.narrator):
        try:
            return run_script(shell, text)
        finally:
            shell.close()
    return DONE


def _shell_context(globals_: Globals) -> ShellContext:
    if sys.stdout is None:
        raise click.ClickException("stdout is closed: connstat query -o FILE writes to a file")
    plain = {"NO_COLOR": "1"} if _is_simple() else {}
    narrator = ShellNarrator.of_terminal(
        sys.stderr, {**os.environ, **plain}, level=globals_.level, progress=globals_.progress
    )
    assert isinstance(narrator, ShellNarrator)
    return ShellContext(
        lambda narrator: globals_.open(narrator, observe=narrator.observe),
        _each,
        narrator,
        sys.stdout.buffer,
        os.environ,
        Path.cwd(),
        Path(click.get_app_dir("connstat")),
        lambda: definition_folders(globals_.setup(), os.environ),
        globals_.inputs,
        _is_configured(globals_),
    )


def _is_configured(globals_: Globals) -> bool:
    """Whether connections were handed in, or there is a file that may name some."""
    setup = globals_.setup()
    try:
        file = find_config(setup.config, os.environ, setup.user, setup.here)
    except ConfigError:
        return True
    return setup.connections is not None or file is not None


def _each(results: Iterator[Result], engine: Engine) -> Iterator[Result]:
    return each(results, engine)
