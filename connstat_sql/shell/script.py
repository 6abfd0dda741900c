"""Scripts: which part is a command of the shell and which is SQL, and how one is run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from connstat_sql.definitions.lexer import lexed
from connstat_sql.errors import ConfigError, QueryError
from connstat_sql.output.stderr import DONE, PARTIAL
from connstat_sql.shell.commands import WORDS_ALONE, perform
from connstat_sql.shell.session import Next, Shell, Step

MOST_NESTED = 20
"""Scripts that read scripts."""


COMMAND = re.compile(r"\s*(?:\\\S|\.[A-Za-z])")
"""How a line begins that is a command, where a statement could begin."""


@dataclass(frozen=True, slots=True)
class ScriptPart:
    """Part of a script: some SQL, or one command. `line` is where it begins, from 1."""

    text: str
    line: int
    is_command: bool


def is_ended(text: str) -> bool:
    """Whether the last statement of a text ends with its `;`; blanks and comments may follow."""
    is_after_end = False
    for token in lexed(text):
        if token.kind == "open":
            return False
        if token.kind != "blank":
            is_after_end = token.text == ";"
    return is_after_end


def is_blank(text: str) -> bool:
    """Whether there is nothing but blanks and comments, or semicolons, in a text."""
    return all(token.kind == "blank" or token.text == ";" for token in lexed(text))


def is_command(text: str) -> bool:
    """Whether a text that stands where a statement could begin is a command of the shell."""
    return COMMAND.match(text) is not None


def script_parts(script: str) -> Iterator[ScriptPart]:
    r"""The parts of a script in order: commands are lines of their own between statements.

    >>> for part in script_parts("SELECT 1;\n.tables\nSELECT ';'\n.x;"):
    ...     print(part.line, part.is_command, repr(part.text))
    1 False 'SELECT 1;\n'
    2 True '.tables'
    3 False "SELECT ';'\n.x;"
    """
    lines = script.splitlines(keepends=True)
    gathered, begins = "", 1
    for number, line in enumerate(lines, 1):
        if is_command(line) and (is_blank(gathered) or is_ended(gathered)):
            if not is_blank(gathered):
                yield ScriptPart(gathered, begins, is_command=False)
            yield ScriptPart(line.strip(), number, is_command=True)
            gathered, begins = "", number + 1
        else:
            gathered += line
    if not is_blank(gathered):
        yield ScriptPart(gathered, begins, is_command=False)


# --- running -------------------------------------------------------------------------------------


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
