"""Saved queries as commands name them: found, and completed with their parameters."""

from __future__ import annotations

import os
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from connstat_sql.bootstrap import definition_folders
from connstat_sql.cli.context import Globals
from connstat_sql.errors import SavedQueryError
from connstat_sql.saved import SavedQueries, SavedQuery, standard_queries


def saved_queries(globals_: Globals) -> SavedQueries:
    """The saved queries of the working directory, the user, further definitions and the package."""
    setup = globals_.setup()
    return standard_queries(setup.here, setup.user, definition_folders(setup, os.environ))


# --- completion ----------------------------------------------------------------------------------


def complete_names(
    ctx: click.Context,
    param: click.Parameter,  # noqa: ARG001
    incomplete: str,
) -> list[CompletionItem]:
    """Names of saved queries, with their titles."""
    queries = _queries_of(ctx)
    return [
        CompletionItem(query.name, help=query.title)
        for query in queries
        if query.name.lower().startswith(incomplete.lower())
    ]


def complete_pairs(
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
    words = [str(word) for word in ctx.params.get("pairs") or ()]
    name, separator, value = incomplete.partition("=")
    if separator:
        return [
            CompletionItem(f"{name}={item.value}", help=item.help)
            for item in _values(query, name, value)
        ]
    if words and words[-1] == "=":
        words.pop()
    if words and query.param(words[-1]) is not None:
        return _values(query, words[-1], incomplete)
    if words and words[-1].endswith("="):
        return _values(query, words[-1][:-1], incomplete)
    used = {word.partition("=")[0] for word in words}
    return [
        CompletionItem(f"{param.name}=", help=param.description or param.type)
        for param in query.params
        if param.name not in used and param.name.startswith(incomplete)
    ]


def _values(query: SavedQuery, name: str, begun: str) -> list[CompletionItem]:
    """The values of a parameter that begin so; of a list, the last one is completed."""
    param = query.param(name)
    if param is None:
        return []
    before, comma, last = begun.rpartition(",") if param.is_list else ("", "", begun)
    values = param.allowed or (() if param.default is None else (param.default,))
    offered = [choice for choice in values if choice.startswith(last)]
    return [CompletionItem(f"{before}{comma}{choice}") for choice in offered]


def _queries_of(ctx: click.Context) -> SavedQueries:
    """While completing nothing has run yet, and the global options are only parsed."""
    providers = ctx.find_root().params.get("providers") or ()
    user = Path(click.get_app_dir("connstat"))
    return standard_queries(Path(), user, map(Path, providers))
