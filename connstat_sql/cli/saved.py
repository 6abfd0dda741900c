"""`connstat saved`: what saved queries there are, and whether they hold."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, cast

import click

from connstat_sql.cli.completion import complete_names, saved_queries
from connstat_sql.cli.console import say, say_json
from connstat_sql.cli.context import Globals, pass_globals, report_errors
from connstat_sql.definitions.loader import shipped_providers
from connstat_sql.definitions.loader.checks import nearest
from connstat_sql.errors import SavedQueryError, counted
from connstat_sql.files import shown
from connstat_sql.output.stderr import USAGE
from connstat_sql.saved import (
    SavedFile,
    SavedParam,
    SavedQueries,
    SavedQuery,
    examples,
    read_entry,
)

_FORMATS = ("table", "json")


@click.group("saved", invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """List, show and check saved queries.

    A saved query is a file of SQL in connstat/queries, in the user's folder, or shipped. The
    comments at its top say what it is called and which parameters it takes:

    \b
    -- title: Connectors that have failed
    -- params:
    --   env: {type: VARCHAR, description: only of this environment}
    SELECT name, connector.state FROM confluent.connect.connector_status
    WHERE connector.state = 'FAILED' AND ($env IS NULL OR environment_id = $env)
    """  # noqa: D301 - click reads the backspace
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_queries)


@command.command("list")
@click.option(
    "-F",
    "--format",
    "format_",
    type=click.Choice(_FORMATS),
    default="table",
    show_default=True,
    help="A table, or a JSON array of all there is to know.",
)
@pass_globals
def list_queries(globals_: Globals, format_: str) -> None:
    """Every saved query: its name, its title, its parameters and its file."""
    print_list(globals_, format_)


@command.command("show")
@click.argument("name", shell_complete=complete_names)
@pass_globals
def show(globals_: Globals, name: str) -> None:
    """All that there is to know of one saved query, its SQL included."""
    with report_errors(globals_.narrator):
        query = saved_queries(globals_).find(name)
        say("\n".join(_described(query)))


@command.command("check")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@pass_globals
def check_queries(globals_: Globals, paths: tuple[Path, ...]) -> None:
    """Bind saved queries against the tables there are; nothing is sent, no connection is needed.

    PATHS are files, folders and names; without them, all that `connstat saved list` shows. Every
    problem is told with file and line, and then the exit code is 2.
    """
    narrator = globals_.narrator
    with report_errors(narrator):
        entries = _entries(globals_, paths)
        from connstat_sql.cli.saved_check import checked

        verdict = checked(entries, globals_)
    problems = verdict.problems
    for problem in problems:
        say(str(problem), err=True)
    for line in verdict.unseen:
        narrator.say(f"note: {line}")
    what = counted(len(entries), "saved query", "saved queries")
    if problems:
        narrator.say(f"{counted(len(problems), 'problem')} in {what}")
        raise click.exceptions.Exit(USAGE)
    narrator.say(f"{what}: no problems")


# --- list ----------------------------------------------------------------------------------------


def print_list(globals_: Globals, format_: str | None) -> None:
    """The saved queries on stdout, as a table or as JSON."""
    narrator = globals_.narrator
    if format_ not in (None, *_FORMATS):
        raise click.UsageError(f"the list is printed as {' or '.join(_FORMATS)}, not {format_}")
    with report_errors(narrator):
        queries = saved_queries(globals_)
        entries = queries.entries()
        if format_ == "json":
            say_json([_document(entry) for entry in entries])
            return
        usable = list(queries)
        if usable:
            _print_table(usable)
        else:
            where = queries.folders[0]
            narrator.say(f"there are no saved queries; put a file of SQL into  {where}/")
        broken = sum(bool(entry.problems) for entry in entries)
        if broken:
            files = counted(broken, "file")
            narrator.say(f"note: {files} cannot be used; connstat saved check  says why")
        for entry in entries:
            if entry.shadowed_by is not None:
                first, file = shown(entry.shadowed_by), shown(entry.query.path)
                narrator.say(f"note: {entry.query.name} of {file} stands behind that of {first}")


def _print_table(usable: list[SavedQuery]) -> None:
    import pyarrow as pa

    from connstat_sql.output.render import TerminalStyle, render

    columns = {
        "name": [query.name for query in usable],
        "title": [query.title for query in usable],
        "parameters": [", ".join(map(_brief, query.params)) for query in usable],
        "from": [_origin(query.path) for query in usable],
    }
    style = replace(TerminalStyle.of(sys.stdout, os.environ), expanded=False, footer=False)
    if style.width is not None:
        _shorten(columns, style.width)
    table = pa.table(columns)
    with click.open_file("-", "wb") as out:
        render(table, "table", cast(BinaryIO, out), style=style)
        out.flush()


def _shorten(columns: dict[str, list[str]], width: int) -> None:
    """Cut titles and parameters to what fits beside the names, which are there to be typed."""
    room = width - 1 - 3 * len(columns)
    room -= sum(max(map(len, (name, *columns[name]))) for name in ("name", "from"))
    for name, share in (("parameters", room // 3), ("title", room - room // 3)):
        most = max(share, len(name))
        columns[name] = [
            text if len(text) <= most else f"{text[: most - 1]}…" for text in columns[name]
        ]


def _origin(path: Path) -> str:
    """Where a query comes from, in few letters."""
    home = Path.home()
    if path.is_relative_to(shipped_providers()):
        return "shipped"
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else shown(path)


def _brief(param: SavedParam) -> str:
    if param.default is not None:
        return f"{param.name}={param.default}"
    return param.name if param.is_required else f"[{param.name}]"


def _document(entry: SavedFile) -> dict[str, Any]:
    query = entry.query
    return {
        "name": query.name,
        "title": query.title,
        "description": query.description,
        "file": str(query.path),
        "line": query.line,
        "shadowed_by": None if entry.shadowed_by is None else str(entry.shadowed_by),
        "problems": [str(problem) for problem in entry.problems],
        "params": [
            {
                "name": param.name,
                "type": param.type,
                "description": param.description,
                "required": param.is_required,
                "default": param.default,
                "allowed": list(param.allowed),
                "choices": param.choices,
                "exists": param.exists and param.exists.value,
            }
            for param in query.params
        ],
        "key": list(query.key),
        "state": query.state,
        "severity": query.severity.value,
        "partial": query.is_partial,
    }


# --- show ----------------------------------------------------------------------------------------


def _described(query: SavedQuery) -> Iterator[str]:
    yield f"{query.name}: {query.title}"
    if query.description and query.description != query.title:
        yield from ("", *query.description.splitlines())
    if query.params:
        yield from ("", "parameters", *(f"  {line}" for line in _parameters(query)))
    yield from ("", "when it is watched or checked", *(f"  {line}" for line in _watched(query)))
    yield from ("", "run it", *(f"  {line}" for line in _commands(query)))
    yield from ("", f"sql  ({shown(query.path)}:{query.line})")
    yield from (f"  {line}".rstrip() for line in query.sql.splitlines())


def _parameters(query: SavedQuery) -> Iterator[str]:
    for param in query.params:
        notes = [param.description]
        if param.is_required:
            notes.append("required")
        elif param.default is not None:
            notes.append(f"default {param.default}")
        else:
            notes.append("NULL without a value")
        if param.allowed:
            notes.append(f"one of {', '.join(param.allowed)}")
        if param.exists:
            notes.append("names something that has to be there")
        yield f"{param.name}  {param.type}  {'; '.join(note for note in notes if note)}".rstrip()


def _watched(query: SavedQuery) -> Iterator[str]:
    yield f"a row is known by  {', '.join(query.key) if query.key else 'all its columns'}"
    if query.state is not None:
        yield f"its state is  {query.state}"
    yield f"severity  {query.severity.value}"
    if query.is_partial:
        yield "failed requests are rows of _errors, not an error"


def _commands(query: SavedQuery) -> Iterator[str]:
    """Commands that run the query: with what it cannot do without, and with one more."""
    needed = [param for param in query.params if param.is_required]
    others = [param for param in query.params if not param.is_required][:1]
    for params in (needed, [*needed, *others]) if others else (needed,):
        assignments = map(shlex.quote, examples(params))
        yield " ".join(["connstat", "run", query.name, *assignments])


# --- check ---------------------------------------------------------------------------------------


def _entries(globals_: Globals, paths: tuple[Path, ...]) -> list[SavedFile]:
    """The files to check. Raises SavedQueryError for what is neither a path nor a name."""
    known = saved_queries(globals_)
    if not paths:
        return list(known.entries())
    entries: list[SavedFile] = []
    for path in paths:
        if path.is_dir():
            entries += SavedQueries([path]).entries()
        elif path.is_file():
            entries.append(read_entry(path))
        else:
            entries += _named(known, str(path))
    return entries


def _named(known: SavedQueries, name: str) -> list[SavedFile]:
    """The file of the saved query of that name, as `connstat run` would take it."""
    entries = [entry for entry in known.entries() if entry.query.name.lower() == name.lower()]
    if entries:
        return [entry for entry in entries if entry.shadowed_by is None]
    close = nearest(name, known.names)
    hint = close or "name a file of SQL, a folder of them, or a saved query"
    raise SavedQueryError(f"{name}: no such file, folder or saved query", file=name, hint=hint)
