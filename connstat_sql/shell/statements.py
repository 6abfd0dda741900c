"""Where statements end, and what of a script is a command of the shell: text alone, no DuckDB.

The rules on quotes and comments are those of DuckDB's lexer; a test holds them against it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""
      (?P<space>\s+|--[^\n\r]*)
    | (?P<comment>/\*)
    | (?P<text>[eE]'(?:[^'\\]|\\.|'')*'?|'(?:[^']|'')*'?|"(?:[^"]|"")*"?)
    | (?P<dollar>\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$)
    | (?P<end>;)
    | (?P<number>0[xX][0-9a-fA-F]+|\d+(?:_\d+)*(?:[eE][+-]?\d+)?)
    | (?P<word>[^\W\d][\w$]*)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT_EDGE = re.compile(r"/\*|\*/")
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
    for kind, _ in _tokens(text):
        if kind == "open":
            return False
        if kind != "space":
            is_after_end = kind == "end"
    return is_after_end


def is_blank(text: str) -> bool:
    """Whether there is nothing but blanks and comments, or semicolons, in a text."""
    return all(kind in ("space", "end") for kind, _ in _tokens(text))


def is_command(text: str) -> bool:
    """Whether a text that stands where a statement could begin is a command of the shell."""
    return COMMAND.match(text) is not None


def pieces(script: str) -> Iterator[ScriptPart]:
    """The parts of a script in order: commands are lines of their own between statements."""
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


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    """The tokens of a text by kind: `space`, `end`, `open` (no end in sight), or `other`."""
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:  # cannot be: the last branch takes any character
            return
        kind, token = str(found.lastgroup), found.group()
        at = found.end()
        if kind in ("comment", "dollar"):
            close = _end_of_comment(text, at) if kind == "comment" else text.find(token, at)
            if close < 0:
                yield "open", text[found.start() :]
                return
            at = close + (0 if kind == "comment" else len(token))
            yield "space" if kind == "comment" else "other", text[found.start() : at]
        elif kind == "text":
            yield "other" if _is_closed(token) else "open", token
        else:
            yield kind if kind in ("space", "end") else "other", token


def _end_of_comment(text: str, at: int) -> int:
    """Where a block comment ends, those within it being counted; -1: nowhere."""
    depth = 1
    for edge in _COMMENT_EDGE.finditer(text, at):
        depth += 1 if edge.group() == "/*" else -1
        if depth == 0:
            return edge.end()
    return -1


def _is_closed(token: str) -> bool:
    """Whether a quoted token has its closing quote."""
    if token[0] in "eE":
        return re.fullmatch(r"[eE]'(?:[^'\\]|\\.|'')*'", token, re.DOTALL) is not None
    quote = token[0]
    return len(token) > 1 and token.count(quote) % 2 == 0
