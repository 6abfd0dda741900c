"""What commands print beside rows; a terminal obeys none of it."""

from __future__ import annotations

import io
import json

import click

from connstat_sql.output.sanitize import for_terminal, in_json


def say(text: str, *, err: bool = False) -> None:
    """Print text that definitions or servers may have written: a terminal obeys none of it."""
    click.echo(for_terminal(text), err=err)


def say_json(document: object) -> None:
    """Print a document as JSON, in which a terminal obeys nothing either."""
    click.echo(in_json(json.dumps(document, ensure_ascii=False, indent=2)))


def show_error(error: click.ClickException) -> None:
    """Print an error of the command line as click does, but for what a terminal would obey."""
    text = io.StringIO()
    error.show(text)
    say(text.getvalue().removesuffix("\n"), err=True)
