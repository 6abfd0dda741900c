"""What `--help` says below the options: examples, exit codes, files. It is in `help.toml`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import click
import tomllib

_TITLES = {
    "exit_codes": "Exit codes",
    "files": "Files",
    "environment": "Environment",
    "see_also": "See also",
}
"""Sections of two columns, in their order."""

Page = Mapping[str, Sequence[tuple[str, str]]]
"""Rows of a command's sections, and `examples`: what each is for, and the command."""


def pages() -> Mapping[str, Page]:
    """By what is typed after `connstat` (`saved check`); what belongs to all is at `connstat`."""
    read: Mapping[str, Page] = tomllib.loads(
        Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")
    )
    return read


def help_of(ctx: click.Context) -> str:
    """The help of a context's command: usage, what it does, options, and its page."""
    formatter = ctx.make_formatter()
    ctx.command.format_help(ctx, formatter)
    page = pages().get(_name(ctx), {})
    if "examples" in page:
        with formatter.section("Examples"):
            for purpose, command in page["examples"]:
                formatter.write(f"  # {purpose}\n  {command}\n")
    for key, title in _TITLES.items():
        if key in page:
            with formatter.section(title):
                formatter.write_dl([(name, text) for name, text in page[key]])
    return formatter.getvalue().rstrip("\n")


def _name(ctx: click.Context) -> str:
    if ctx.parent is None:
        return "connstat"
    return ctx.command_path.removeprefix(f"{ctx.find_root().command_path} ")
