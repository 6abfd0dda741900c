"""Where statements end, and what of a script is a command of the shell: text alone, no DuckDB."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from connstat_sql.definitions.lexer import lexed

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
