"""Runs a script: statements and commands in order, up to the first that fails."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from connstat_sql.errors import ConfigError, QueryError
from connstat_sql.output.stderr import DONE, PARTIAL
from connstat_sql.shell.commands import WORDS_ALONE, perform
from connstat_sql.shell.next_step import Next, Step
from connstat_sql.shell.session import Shell
from connstat_sql.shell.statements import ScriptPart, script_parts

MOST_NESTED = 20
"""Scripts that read scripts."""


class Left(Exception):
    """A script has said that it is over: `.quit`."""


def run_script(shell: Shell, text: str) -> int:
    """Run a text; the exit code of its first failure, 4 where an answer was partial, else 0."""
    code = DONE

    def run(part: ScriptPart) -> None:
        nonlocal code
        run_part(shell, part, 0)
        code = shell.code or code

    try:
        for part in script_parts(text.removeprefix("\ufeff")):
            if not shell.attempt(partial(run, part)) and shell.code != PARTIAL:
                return shell.code
    except Left:
        return code
    return code


def run_part(shell: Shell, part: ScriptPart, depth: int) -> None:
    """Run one part of a script. Raises a ConnstatError, KeyboardInterrupt, or Left."""
    if not part.is_command and part.text.strip().rstrip(";").lower() not in WORDS_ALONE:
        shell.run(part.text)
        return
    follow(shell, perform(part.text, shell), depth)


def follow(shell: Shell, step: Next | None, depth: int) -> None:
    """Do what a command of a script leaves to do. Raises Left where the script is over."""
    if step is None:
        return
    if step.step is Step.LEAVE:
        raise Left
    if step.step is Step.READ:
        read_script(shell, Path(step.text), depth + 1)


def read_script(shell: Shell, path: Path, depth: int = 0) -> None:
    """Run a file, up to its first failure. Raises what fails."""
    if depth > MOST_NESTED:
        raise ConfigError(f"{path}: scripts read each other without an end")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        hint = f"a path without / at its start begins in {shell.context.here}"
        raise ConfigError(f"{path} cannot be read: {why}", hint=hint) from error
    for part in script_parts(text):
        try:
            run_part(shell, part, depth)
        except Left:
            return
        except Exception as error:
            shell.narrator.say(f"in {path}, {_where(part, error)}:")
            raise


def _where(part: ScriptPart, error: Exception) -> str:
    """The line of a script that is at fault, as near as it is known."""
    if part.is_command:
        return f"line {part.line}"
    if not isinstance(error, QueryError) or error.span is None or not error.sql:
        return f"from line {part.line} on"
    if not part.text.startswith(error.sql, error.offset):
        return f"from line {part.line} on"
    place = error.offset + error.span.start
    return f"line {part.line + part.text.count(chr(10), 0, place)}"
