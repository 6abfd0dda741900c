"""`connstat run`: a saved query, with values for its parameters."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from connstat_sql.cli.context import Globals, pass_globals
from connstat_sql.cli.statement import (
    exit_for,
    opened_engine,
    options_of,
    print_all,
    printer,
    printing_options,
    running_options,
)
from connstat_sql.errors import ConnstatError, SavedQueryError
from connstat_sql.saved import SavedQueries, SavedQuery, prepare, standard_folders


def saved_queries(globals_: Globals) -> SavedQueries:
    """The saved queries of the working directory, the user, further definitions and the package."""
    setup = globals_.setup()
    return SavedQueries(standard_folders(setup.here, setup.user, setup.providers))


def read_given(pairs: Iterable[str]) -> dict[str, str]:
    """`NAME=VALUE` pairs as a mapping. Raises click.UsageError."""
    given: dict[str, str] = {}
    for pair in pairs:
        name, separator, value = pair.partition("=")
        if not separator:
            raise click.UsageError(f"a parameter is given as NAME=VALUE, not {pair!r}")
        if name in given:
            raise click.UsageError(f"{name} is given twice; several values are  {name}=a,b")
        given[name] = value
    return given


# --- completion ----------------------------------------------------------------------------------


def complete_names(
    ctx: click.Context,
    param: click.Parameter,  # noqa: ARG001
    incomplete: str,
) -> list[CompletionItem]:
    """Names of saved queries, with their titles."""
    queries = _queries_of(ctx)
    return [
        CompletionItem(one.name, help=one.title)
        for one in queries
        if one.name.lower().startswith(incomplete.lower())
    ]


def complete_given(
    ctx: click.Context,
    param: click.Parameter,  # noqa: ARG001
    incomplete: str,
) -> list[CompletionItem]:
    """`name=` for each parameter that has no value yet; behind it, the values there are.

    Some shells hand over `name`, `=` and the value as words of their own.
    """
    try:
        query = _queries_of(ctx).find(ctx.params.get("name") or "")
    except SavedQueryError:
        return []
    words = [str(one) for one in ctx.params.get("given") or ()]
    name, separator, value = incomplete.partition("=")
    if separator:
        return [
            CompletionItem(f"{name}={one.value}", help=one.help)
            for one in _values(query, name, value)
        ]
    if words and words[-1] == "=":
        words.pop()
    if words and query.param(words[-1]) is not None:
        return _values(query, words[-1], incomplete)
    if words and words[-1].endswith("="):
        return _values(query, words[-1][:-1], incomplete)
    used = {word.partition("=")[0] for word in words}
    return [
        CompletionItem(f"{one.name}=", help=one.description or one.type)
        for one in query.params
        if one.name not in used and one.name.startswith(incomplete)
    ]


def _values(query: SavedQuery, name: str, begun: str) -> list[CompletionItem]:
    """The values of a parameter that begin so; of a list, the last one is completed."""
    found = query.param(name)
    if found is None:
        return []
    before, comma, last = begun.rpartition(",") if found.is_list else ("", "", begun)
    values = found.allowed or (() if found.default is None else (found.default,))
    offered = [one for one in values if one.startswith(last)]
    return [CompletionItem(f"{before}{comma}{one}") for one in offered]


def _queries_of(ctx: click.Context) -> SavedQueries:
    """While completing nothing has run yet, and the global options are only parsed."""
    providers = ctx.find_root().params.get("providers") or ()
    user = Path(click.get_app_dir("connstat"))
    return SavedQueries(standard_folders(Path(), user, map(Path, providers)))


# --- the command ---------------------------------------------------------------------------------


@click.command("run")
@click.argument("name", required=False, shell_complete=complete_names)
@click.argument("given", nargs=-1, metavar="[PARAM=VALUE]...", shell_complete=complete_given)
@click.option(
    "-p",
    "--param",
    "params",
    metavar="PARAM=VALUE",
    multiple=True,
    help="The same, as for connstat query.",
)
@printing_options
@running_options
@pass_globals
def command(globals_: Globals, /, **options: Any) -> None:
    """Run a saved query; without a name, list them.

    PARAM=VALUE gives a parameter its value; PARAM=A,B gives several to one that takes a list. A
    parameter that is neither given, nor required, nor has a default takes its condition with it.
    Values are bound to the SQL, never written into it.
    """
    if options["name"] is None:
        from connstat_sql.cli.saved import print_list

        print_list(globals_, options["format_"])
        return
    narrator = globals_.narrator
    given = read_given([*options["given"], *options["params"]])
    with opened_engine(globals_, narrator, options) as engine:
        query = _found(saved_queries(globals_), options["name"])
        prepared = prepare(query, given, engine)
        how = options_of(options)
        how = replace(how, partial=how.partial or query.is_partial)
        with printer(options, narrator, sql=prepared.sql, title=query.title) as shown:
            results = engine.run(prepared.sql, dict(prepared.arguments) or None, how)
            complete = print_all(results, engine, shown)
    exit_for(complete)


def _found(queries: SavedQueries, name: str) -> SavedQuery:
    """The query of that name; somebody who runs SQL by this command is told of the other."""
    try:
        return queries.find(name)
    except ConnstatError as error:
        if " " in name.strip():
            error.hint = "connstat query  runs SQL"
        raise
