"""SQL text → tokens and names, as DuckDB's own lexer has them: a test holds these against it.

Text alone. Whoever asks where a statement ends, which names stand in it, or how it begins, asks
here: comments and blanks between the parts of a name are then the same to everybody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

_BLANK = r"\s\u180e\u200b-\u200f\u2060\ufeff"
_TEXT = r"""[eE]'(?:[^'\\]|\\.?|'')*'?|[xXbBnN]?'(?:[^']|'')*'?"""
_NUMBER = r"\d+(?:_\d+)*(?:\.\d*)?(?:[eE][+-]?\d+)*"
_TOKENS = rf"""
      (?P<blank>[{_BLANK}]+|--[^\n\r]*)
    | (?P<comment>/\*)
    | (?P<text>{_TEXT})
    | (?P<name>"(?:[^"]|"")*"?|[^\W\d][\w$]*)
    | (?P<dollar>\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$)
    | (?P<number>{_NUMBER})
    | (?P<sign>.)
"""
_TOKEN = re.compile(_TOKENS, re.VERBOSE | re.DOTALL)
_NAMES = re.compile(
    rf"""(?P<skipped>(?:(?:[^\w{_BLANK}"'$/.-]+|{_NUMBER}|'(?:[^']|'')*')[{_BLANK}]*)+)|{_TOKENS}""",
    re.VERBOSE | re.DOTALL,
)
"""The same, where what is no part of a name, and has none in it, is passed over many at a time."""
_UNQUOTED = str.maketrans("'$", "  ")
_COMMENT_EDGE = re.compile(r"/\*|\*/")


class Lexeme(NamedTuple):
    """A piece of the text, at `start`.

    `kind` is blank (comments too), name (a word, or what stands in double quotes), text, number,
    sign, or open: what has begun and does not end. Without `is_exact` several signs, numbers and
    texts may be one, which is skipped.
    """

    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        """Where what follows begins."""
        return self.start + len(self.text)

    @property
    def name(self) -> str:
        """A name without its quotes."""
        return self.text[1:-1].replace('""', '"') if self.text[0] == '"' else self.text

    @property
    def word(self) -> str:
        """As words of SQL are compared: in small letters, and a name in quotes is none."""
        return self.text.lower()

    def says(self, *words: str) -> bool:
        """Whether it is one of some words of SQL, or of some signs."""
        return self.word in words


class Name(NamedTuple):
    """A name and its place: `parts` are those between its dots. `before` is the word or sign
    that stands before it, in small letters.
    """

    parts: tuple[str, ...]
    start: int
    end: int
    before: str


def lexed(text: str, *, is_exact: bool = True) -> Iterator[Lexeme]:
    """The tokens of a text."""
    scan, at = _TOKEN if is_exact else _NAMES, 0
    while at < len(text):
        match = scan.match(text, at)
        assert match is not None, "any character is a sign"
        kind, start, at = str(match.lastgroup), at, match.end()
        if kind == "comment":
            at = _end_of_comment(text, at)
        elif kind == "dollar":
            close = text.find(match[0], at)
            at = close + len(match[0]) if close >= 0 else -1
        elif at == len(text) and kind in ("text", "name") and not _is_closed(match[0]):
            at = -1
        if at < 0:
            yield Lexeme("open", text[start:], start)
            return
        yield Lexeme(_KINDS.get(kind, kind), text[start:at], start)


_KINDS = {"comment": "blank", "dollar": "text"}


def spoken(text: str, most: int | None = None) -> list[Lexeme]:
    """The first tokens of a text that are no blanks (None: all)."""
    return [*islice((token for token in lexed(text) if token.kind != "blank"), most)]


def names(text: str) -> Iterator[Name]:
    """The names in a text, words of SQL among them, as they stand."""
    parts: list[str] = []
    start = end = 0
    before = last = ""
    is_open = False  # whether a dot stands before what comes next
    for token in lexed(text, is_exact=False):
        if token.kind == "blank":
            continue
        if token.kind == "name":
            if not is_open:
                if parts:
                    yield Name(tuple(parts), start, end, before)
                parts, start, before = [], token.start, last
            parts.append(token.name)
            end, is_open = token.end, False
        elif token.text == "." and parts and not is_open:
            is_open = True
        else:
            if parts:
                yield Name(tuple(parts), start, end, before)
            parts, is_open = [], False
        last = token.word if token.kind != "skipped" else token.text.rstrip()[-1]
    if parts:
        yield Name(tuple(parts), start, end, before)


def names_within(text: str) -> Iterator[Name]:
    """The names in a text, and those in the texts that it holds, which may be run as SQL."""
    yield from names(text)
    for token in lexed(text):
        if token.kind == "text":
            for name in names(token.text.translate(_UNQUOTED)):
                start, end = token.start + name.start, token.start + name.end
                yield name._replace(start=start, end=end)


def read_name(tokens: Iterable[Lexeme]) -> tuple[str, ...]:
    """The parts of the name that some tokens are; () where they are something else."""
    listed = [*tokens]
    is_name = len(listed) % 2 == 1 and all(
        token.text == "." if number % 2 else token.kind == "name"
        for number, token in enumerate(listed)
    )
    return tuple(token.name for token in listed[::2]) if is_name else ()


def split(text: str) -> list[tuple[str, int]]:
    """The statements of a text without their semicolons, and where they begin."""
    statements, start, is_blank = list[tuple[str, int]](), 0, True
    for token in lexed(text):
        if token.text == ";":
            if not is_blank:
                statements.append((text[start : token.start], start))
            start, is_blank = token.end, True
        elif token.kind != "blank":
            is_blank = False
    return statements if is_blank else [*statements, (text[start:], start)]


def length_of_comments(text: str) -> int:
    """How many characters of comments and blanks stand before the first word of a text."""
    return next((token.start for token in lexed(text) if token.kind != "blank"), len(text))


def _end_of_comment(text: str, at: int) -> int:
    """Where a comment ends, those within it being counted; -1: nowhere."""
    depth = 1
    for edge in _COMMENT_EDGE.finditer(text, at):
        depth += 1 if edge[0] == "/*" else -1
        if depth == 0:
            return edge.end()
    return -1


def _is_closed(token: str) -> bool:
    """Whether what may stand in quotes has its closing one."""
    if token[0] in "eE" and token[1:2] == "'":
        return re.fullmatch(r"[eE]'(?:[^'\\]|\\.|'')*'", token, re.DOTALL) is not None
    quoted = token.lstrip("xXbBnN") if token[1:2] == "'" else token
    quote = quoted[0]
    return quote not in "'\"" or (len(quoted) > 1 and quoted.count(quote) % 2 == 0)
