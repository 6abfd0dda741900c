"""`connstat query`: SQL in, rows out."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from connstat_sql.cli.context import Globals, pass_globals
from connstat_sql.cli.parameters import read_pairs
from connstat_sql.cli.sql_arguments import TakesSql
from connstat_sql.cli.statement import (
    exit_for,
    opened_engine,
    options_of,
    print_all,
    printer,
    printing_options,
    running_options,
)


def sql_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The SQL itself and its parameters: for every command that takes a statement."""
    for option in (
        click.option(
            "-p",
            "--param",
            "params",
            metavar="NAME=VALUE",
            multiple=True,
            help="Bind $NAME; repeatable. A value is only ever a value.",
        ),
        click.option(
            "-f", "--file", type=click.Path(dir_okay=False), help="Read the SQL from a file."
        ),
        click.argument("sql", required=False),
    ):
        command = option(command)
    return command


@click.command("query", cls=TakesSql)
@sql_options
@printing_options
@running_options
@pass_globals
def command(globals_: Globals, /, **options: Any) -> None:
    """Run SQL and print the rows; several statements run in order.

    SQL is the statement, or - for standard input, or in a file with -f. What a table needs to be
    asked for is taken out of the WHERE clause; what is not there is looked up where the table's
    definition says it lives. An answer is complete, or it is an error (or --partial).
    """
    narrator = globals_.narrator
    text, arguments = read_sql(options["sql"], options["file"]), read_params(options["params"])
    for name in arguments:
        if not re.search(rf"\${name}\b", text):
            narrator.say(f"note: there is no ${name} in the SQL, and its value is not used")
    with (
        opened_engine(globals_, narrator, options) as engine,
        printer(options, narrator, sql=text, inputs=globals_.inputs) as shown,
    ):
        results = engine.run(text, arguments or None, options_of(options))
        complete = print_all(results, engine, shown)
    exit_for(complete)


def read_sql(sql: str | None, file: str | None) -> str:
    """The text of the statement, from where the options say."""
    if (sql is None) == (file is None):
        raise click.UsageError("give the SQL, or -f FILE, or - for standard input")
    try:
        if file is not None:
            return Path(file).read_text(encoding="utf-8")
        if sql == "-" and sys.stdin is None:
            raise click.UsageError("standard input is closed: give the SQL, or -f FILE")
        return sys.stdin.read() if sql == "-" else sql or ""
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"the SQL cannot be read: {error}") from error


def read_params(params: tuple[str, ...]) -> dict[str, str]:
    """`NAME=VALUE` pairs of -p, whose names SQL can mention as `$NAME`."""
    for pair in params:
        name, separator, _ = pair.partition("=")
        if not separator or not name.isidentifier():
            raise click.UsageError(f"-p takes NAME=VALUE, not {pair!r}")
    return read_pairs(params, are_lists=False)
