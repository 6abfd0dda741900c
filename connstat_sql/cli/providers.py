"""`connstat providers`: what tables there are, and checking definitions."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from connstat_sql.bootstrap import definition_folders
from connstat_sql.cli.console import say
from connstat_sql.cli.context import Globals, pass_globals, report_errors
from connstat_sql.cli.examples import example_problems
from connstat_sql.cli.parameters import read_pairs
from connstat_sql.definitions.catalog import Catalog, LiveTable, NoSuchTable
from connstat_sql.definitions.loader import Library, json_schema, shipped_providers, validate
from connstat_sql.definitions.loader.checks import nearest
from connstat_sql.definitions.model import Method, Resource
from connstat_sql.errors import BindError
from connstat_sql.output.stderr import USAGE
from connstat_sql.sql.shows import required


@click.group("providers", invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """List, show and check provider definitions."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_tables)


@command.command("list")
@pass_globals
def list_tables(globals_: Globals) -> None:
    """Every table, with the parameters it cannot do without."""
    with report_errors(globals_.narrator):
        library = _library(globals_)
        for resource in library.tables():
            say(_line(resource))


@command.command("show")
@click.argument("table")
@pass_globals
def show(globals_: Globals, table: str) -> None:
    """A table's columns, parameters, methods and example; of a provider or service, its tables."""
    with report_errors(globals_.narrator):
        library = _library(globals_)
        begin = f"{table.lower().rstrip('.')}."
        below = [
            resource
            for resource in library.tables()
            if str(resource.table).lower().startswith(begin)
        ]
        if below:
            say("\n".join(map(_line, below)))
            return
        resolved = Catalog(library, {}).resolve(tuple(table.split(".")))
        if not isinstance(resolved, LiveTable):
            raise _unknown(table, resolved, library)
        say("\n".join(_described(resolved.resource)))


@command.command("validate")
@click.argument("paths", nargs=-1, required=True, type=click.Path())
@pass_globals
def validate_paths(globals_: Globals, paths: tuple[str, ...]) -> None:
    """Report every problem of definition files and folders (exit 2 when there is one)."""
    with report_errors(globals_.narrator):
        files = [Path(path) for path in paths]
        problems = validate(files, _library(globals_))
        if not problems:
            folders = definition_folders(globals_.setup(), os.environ)
            problems = tuple(example_problems(files, folders))
    for problem in problems:
        say(str(problem), err=True)
    if problems:
        globals_.narrator.say(f"{len(problems)} problem{'s' if len(problems) > 1 else ''}")
        raise click.exceptions.Exit(USAGE)
    globals_.narrator.say("no problems")


@command.command("try")
@click.argument("table")
@click.argument("pairs", nargs=-1, metavar="[PARAM=VALUE]...")
@click.option("--method", default="", metavar="NAME", help="The method to ask, not the first.")
@click.option("--connection", default="", metavar="NAME", help="The connection to ask.")
@pass_globals
def try_once(
    globals_: Globals, table: str, pairs: tuple[str, ...], method: str, connection: str
) -> None:
    """Ask a table's API once: keys that no column declares, columns that no row has, and misfits.

    Each with the line that its definition could have. Values are not shown. Exit 2 when a value
    does not fit its column.
    """
    from connstat_sql.cli.try_definition import try_table

    narrator = globals_.narrator
    with report_errors(narrator):
        values = read_pairs(pairs)
        engine = globals_.open(narrator)
        try:
            resolved = engine.catalog.resolve(tuple(table.split(".")))
            if not isinstance(resolved, LiveTable):
                raise _unknown(table, resolved, _library(globals_))
            lines, is_fitting = try_table(engine, resolved, values, method, connection)
        finally:
            engine.close()
        say("\n".join(lines))
    if not is_fitting:
        raise click.exceptions.Exit(USAGE)


@command.command("schema")
def schema() -> None:
    """The JSON Schema of definition files, for editors."""
    click.echo(json.dumps(json_schema(), indent=2))


def _line(resource: Resource) -> str:
    needs = ", ".join(required(resource))
    return f"{resource.table}  {resource.description}" + (f"  [{needs}]" if needs else "")


def _library(globals_: Globals) -> Library:
    return Library([shipped_providers(), *definition_folders(globals_.setup(), os.environ)])


def _unknown(table: str, missing: NoSuchTable | None, library: Library) -> BindError:
    if missing is not None:
        return BindError(missing.missing, hint=f"there is  {', '.join(missing.candidates)}")
    close = nearest(table, (str(resource.table) for resource in library.tables()))
    return BindError(f"there is no table {table}", hint=close or "connstat providers list")


def _described(resource: Resource) -> list[str]:
    lines = [f"{resource.table}: {resource.description}", "", "columns"]
    lines += [
        f"  {column.name}  {column.type}  {column.description}" for column in resource.columns
    ]
    if resource.params:
        lines += ["", "parameters"]
    for param in resource.params:
        notes = [param.description]
        if param.default is not None:
            notes.append(f"default {param.default}")
        if param.parent is not None:
            notes.append(f"from {param.parent.table}.{param.parent.column}")
        lines.append(f"  {param.name}  {param.type}  {'; '.join(note for note in notes if note)}")
    if resource.view is None:
        lines += ["", "methods", *(f"  {_method(method, resource)}" for method in resource.methods)]
    else:
        lines += ["", f"rows of  {resource.view.source.strip() or 'all providers, see parts.yaml'}"]
    if resource.example:
        lines += ["", "example", *(f"  {line}" for line in resource.example.strip().splitlines())]
    return lines


def _method(method: Method, resource: Resource) -> str:
    defaults = {param.name for param in resource.params if param.default is not None}
    needed = ", ".join(name for name in method.required if name not in defaults)
    words = [
        f"needs {needed}" if needed else "",
        f"since {method.since}" if method.since else "",
        f"older servers {method.in_its_place}" if method.fallback else "",
        "" if method.is_standalone else "for other methods alone",
        f"in doubt asks GET {method.confirm_empty}" if method.confirm_empty else "",
    ]
    return "  ".join([f"{method.name}  {method.verb} {method.path}", *filter(None, words)])
