"""`connstat run`: a saved query, with values for its parameters."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from connstat_sql.cli.completion import complete_names, complete_pairs, saved_queries
from connstat_sql.cli.context import Globals, pass_globals
from connstat_sql.cli.parameters import read_pairs
from connstat_sql.cli.saved import print_list
from connstat_sql.cli.statement import (
    exit_for,
    opened_engine,
    options_of,
    print_all,
    printer,
    printing_options,
    running_options,
)
from connstat_sql.errors import ConnstatError
from connstat_sql.saved import SavedQueries, SavedQuery, prepare, results_of


@click.command("run")
@click.argument("name", required=False, shell_complete=complete_names)
@click.argument("pairs", nargs=-1, metavar="[PARAM=VALUE]...", shell_complete=complete_pairs)
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
    parameter that is neither given, nor required, nor has a default is NULL, and the query says
    what that means, as in ($env IS NULL OR environment_id = $env). Values are bound to the SQL,
    never written into it.
    """
    if options["name"] is None:
        print_list(globals_, options["format_"])
        return
    narrator = globals_.narrator
    texts = read_pairs([*options["pairs"], *options["params"]])
    with opened_engine(globals_, narrator, options) as engine:
        query = _found(saved_queries(globals_), options["name"])
        prepared = prepare(query, texts, engine)
        how = options_of(options)
        how = replace(how, partial=how.partial or query.is_partial)
        about = {"sql": prepared.sql, "title": query.title}
        with printer(options, narrator, inputs=globals_.inputs, **about) as shown:
            complete = print_all(results_of(query, prepared, engine, how), engine, shown)
    exit_for(complete)


def _found(queries: SavedQueries, name: str) -> SavedQuery:
    """The query of that name; somebody who runs SQL by this command is told of the other."""
    try:
        return queries.find(name)
    except ConnstatError as error:
        if " " in name.strip():
            error.hint = "connstat query  runs SQL"
        raise
