"""Commands that take SQL: a text that begins with a comment is no option."""

from __future__ import annotations

import click

_UNEXPECTED = "Got unexpected extra argument"


class TakesSql(click.Command):
    """Its arguments may begin with `--` where they are SQL: a comment, and what stands below it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As for other commands, with such texts kept apart from options."""
        options = {name for param in self.get_params(ctx) for name in param.opts}
        try:
            return super().parse_args(ctx, [_kept_apart(text, options) for text in args])
        except click.UsageError as error:
            if not error.message.startswith(_UNEXPECTED):
                raise
            how = f'the SQL is one argument, in quotes:  {ctx.command_path} "…"'
            raise click.UsageError(f"{error.message}; {how}", error.ctx) from error


def _kept_apart(text: str, options: set[str]) -> str:
    """A text that cannot be an option begins with a blank, so that it is not read as one."""
    word = text.replace("=", " ").split()[:1]
    is_comment = text.startswith("--") and len(text.split()) > 1
    return f" {text}" if is_comment and not options.issuperset(word) else text
