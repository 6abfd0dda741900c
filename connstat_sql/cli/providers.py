"""`connstat providers`: what tables there are, and checking definitions."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from connstat_sql.bootstrap import definition_folders
from connstat_sql.cli.completion import read_given
from connstat_sql.cli.context import Globals, pass_globals, say, told
from connstat_sql.definitions.catalog import Catalog, LiveTable, NoSuchTable
from connstat_sql.definitions.loader import Library, json_schema, shipped_providers, validate
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
    with told(globals_.narrator):
        library = _library(globals_)
        for resource in library.tables():
            say(_line(resource))


@command.command("show")
@click.argument("table")
@pass_globals
def show(globals_: Globals, table: str) -> None:
    """A table's columns, parameters, methods and example; of a provider or service, its tables."""
    with told(globals_.narrator):
        library = _library(globals_)
        begin = f"{table.lower().rstrip('.')}."
        below = [one for one in library.tables() if str(one.table).lower().startswith(begin)]
        if below:
            say("\n".join(map(_line, below)))
            return
        found = Catalog(library, {}).resolve(tuple(table.split(".")))
        if not isinstance(found, LiveTable):
            raise _unknown(table, found, library)
        say("\n".join(_described(found.resource)))


@command.command("validate")
@click.argument("paths", nargs=-1, required=True, type=click.Path())
@pass_globals
def validate_paths(globals_: Globals, paths: tuple[str, ...]) -> None:
    """Report every problem of definition files and folders (exit 2 when there is one)."""
    with told(globals_.narrator):
        files = [Path(path) for path in paths]
        problems = validate(files, _library(globals_))
        if not problems:
            from connstat_sql.cli.examples import example_problems

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
@click.argument("given", nargs=-1, metavar="[PARAM=VALUE]...")
@click.option("--method", default="", metavar="NAME", help="The method to ask, not the first.")
@click.option("--connection", default="", metavar="NAME", help="The connection to ask.")
@pass_globals
def try_once(
    globals_: Globals, table: str, given: tuple[str, ...], method: str, connection: str
) -> None:
    """Ask a table's API once: keys that no column declares, columns that no row has, and misfits.

    Each with the line that its definition could have. Values are not shown. Exit 2 when a value
    does not fit its column.
    """
    from connstat_sql.cli.try_definition import try_table

    narrator = globals_.narrator
    with told(narrator):
        values = read_given(given)
        engine = globals_.open(narrator)
        try:
            found = engine.catalog.resolve(tuple(table.split(".")))
            if not isinstance(found, LiveTable):
                raise _unknown(table, found, _library(globals_))
            lines, is_fitting = try_table(engine, found, values, method, connection)
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


def _unknown(table: str, found: NoSuchTable | None, library: Library) -> BindError:
    if found is not None:
        return BindError(found.missing, hint=f"there is  {', '.join(found.candidates)}")
    from connstat_sql.definitions.loader.checks import nearest

    close = nearest(table, (str(one.table) for one in library.tables()))
    return BindError(f"there is no table {table}", hint=close or "connstat providers list")


def _described(resource: Resource) -> list[str]:
    lines = [f"{resource.table}: {resource.description}", "", "columns"]
    lines += [f"  {one.name}  {one.type}  {one.description}" for one in resource.columns]
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
        lines += ["", "methods", *(f"  {_method(one, resource)}" for one in resource.methods)]
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
