"""Half-typed text and a cursor → the tokens of the statement there, by their brackets.

What is being typed is a token too, of the kind `cursor`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Union

from connstat_sql.definitions.lexer import Lexeme, lexed

LONGEST = 20_000
"""Characters of text that are read at a key press."""
MOST_DEEP = 100
"""Brackets within brackets that are looked into."""
OPENING = {"(": ")", "[": "]", "{": "}"}
_CLOSING = frozenset(OPENING.values())
_REST_OF_WORD = re.compile(r"\w*")
_TOGETHER = frozenset(
    {("GROUP", "BY"), ("ORDER", "BY"), ("PARTITION", "BY"), ("SIMILAR", "TO"),
     ("<", ">"), ("!", "="), ("<", "="), (">", "="), ("=", "="), ("~", "~"), (":", ":"),
     ("-", ">"), ("->", ">")}
)  # fmt: skip
"""Words, and signs that touch, that are one token here."""


class Inside(Enum):
    """What the cursor stands in."""

    CODE = "code"
    STRING = "string"
    IDENTIFIER = "identifier"  # between double quotes
    COMMENT = "comment"


@dataclass(frozen=True, slots=True)
class CursorStatement:
    """The statement around the cursor. `word` is what has been typed of the thing that is wanted,
    from `start` on; `is_closed` says that the quotes around it are closed behind the cursor.
    """

    tokens: tuple[Lexeme, ...]
    inside: Inside
    word: str
    start: int
    is_closed: bool = False


def read(text: str, cursor: int) -> CursorStatement:
    """The statement at the cursor, read as far as it goes: nothing that is typed is an error."""
    before, after = text[:cursor], text[cursor:]
    raw = [*lexed(before)] if len(text) <= LONGEST else []
    inside = _inside(raw[-1]) if raw else Inside.CODE
    if len(text) > LONGEST or inside is Inside.COMMENT:
        return CursorStatement((), Inside.COMMENT, "", cursor)
    word, start, is_closed = "", cursor, False
    tokens = [*_joined(raw)]
    if inside is not Inside.CODE:
        quote = "'" if inside is Inside.STRING else '"'
        start = before.index(quote, tokens.pop().start) + 1
        word = before[start:].replace(quote * 2, quote)
        is_closed, after = _closed(after, quote)
    else:
        if raw and _is_word(raw[-1]) and tokens[-1].text == raw[-1].text:
            word, start = raw[-1].text, raw[-1].start
            tokens.pop()
        after = after[_REST_OF_WORD.match(after).end() :]  # type: ignore[union-attr]
    own = tokens[max((at for at, token in enumerate(tokens, 1) if token.text == ";"), default=0) :]
    rest = [*_joined(token for token in lexed(after) if token.kind != "open")]
    end = next((at for at, token in enumerate(rest) if token.text == ";"), len(rest))
    typed = Lexeme("cursor", word, start)
    return CursorStatement((*own, typed, *rest[:end]), inside, word, start, is_closed)


def _inside(last: Lexeme) -> Inside:
    """What stands behind the last token of a text stands in."""
    if last.text.startswith("--"):
        return Inside.COMMENT
    if last.kind != "open":
        return Inside.CODE
    if last.text[0] == '"':
        return Inside.IDENTIFIER
    return Inside.STRING if "'" in last.text[:2] else Inside.COMMENT


def _is_word(token: Lexeme) -> bool:
    return token.kind == "name" and token.text[0] != '"'


def _joined(tokens: Iterable[Lexeme]) -> Iterator[Lexeme]:
    """The tokens without blanks; those that say one thing `_TOGETHER` as one."""
    last: Lexeme | None = None
    for token in tokens:
        if token.kind == "blank":
            continue
        if last is None:
            last = token
            continue
        is_one = last.kind == token.kind and (last.text.upper(), token.text.upper()) in _TOGETHER
        if is_one and token.kind == "name":
            last = Lexeme("name", f"{last.text} {token.text}", last.start)
        elif is_one and last.end == token.start:
            last = Lexeme("sign", last.text + token.text, last.start)
        else:
            yield last
            last = token
    if last is not None:
        yield last


def _closed(after: str, quote: str) -> tuple[bool, str]:
    """Whether a quote behind the cursor closes what is open, and the text after it.

    The quotes of whole texts come in pairs: an odd one out is that which closes.
    """
    statement = after.partition(";")[0]
    if statement.count(quote) % 2 == 0:
        return False, after
    return True, after[after.index(quote) + 1 :]


# --- brackets ------------------------------------------------------------------------------------


@dataclass(slots=True)
class Bracketed:
    """What stands in brackets; the whole statement is one too, with none."""

    bracket: str
    items: list[Item] = field(default_factory=list)


Item = Union[Lexeme, Bracketed]


def is_too_deep(tokens: Sequence[Lexeme]) -> bool:
    """Whether brackets stand in brackets as nobody would write them."""
    depth = deepest = 0
    for token in tokens:
        if token.kind == "sign":
            depth += (token.text in OPENING) - (token.text in _CLOSING)
            deepest = max(deepest, depth)
    return deepest > MOST_DEEP


def grouped(tokens: Sequence[Lexeme]) -> Bracketed:
    """The tokens by their brackets; one that is not closed goes to the end."""
    stack = [Bracketed("")]
    for token in tokens:
        if token.kind == "sign" and token.text in OPENING:
            inner = Bracketed(token.text)
            stack[-1].items.append(inner)
            stack.append(inner)
        elif token.kind == "sign" and token.text in _CLOSING:
            if len(stack) > 1 and OPENING[stack[-1].bracket] == token.text:
                stack.pop()
        else:
            stack[-1].items.append(token)
    return stack[0]


# --- what an item says ---------------------------------------------------------------------------


def item_at(items: Sequence[Item], at: int) -> Item | None:
    """The item at a place, None where there is none."""
    return items[at] if 0 <= at < len(items) else None


def word_of(item: Item | None) -> str:
    """The keyword that an item may be, in upper case, or ""."""
    return item.text.upper() if isinstance(item, Lexeme) and _is_word(item) else ""


def name_of(item: Item | None) -> str | None:
    """The identifier that an item can be, without its quotes; None where it can be none."""
    return item.name if isinstance(item, Lexeme) and item.kind == "name" else None


def text_of(item: Item | None) -> str | None:
    """The characters of a text in single quotes or dollars; None for everything else."""
    if not isinstance(item, Lexeme) or item.kind != "text":
        return None
    if item.text[0] == "$":
        return item.text.split("$", 2)[2].rpartition("$")[0].rpartition("$")[0]
    return item.text.partition("'")[2][:-1].replace("''", "'")


def is_cursor(item: Item | None) -> bool:
    """Whether it is what is being typed."""
    return isinstance(item, Lexeme) and item.kind == "cursor"


def is_symbol(item: Item | None, text: str) -> bool:
    """Whether it is that symbol."""
    return isinstance(item, Lexeme) and item.kind == "sign" and item.text == text


def split(items: Sequence[Item]) -> Iterator[list[Item]]:
    """The items between commas."""
    part: list[Item] = []
    for item in items:
        if is_symbol(item, ","):
            yield part
            part = []
        else:
            part.append(item)
    yield part


def chain_from(items: Sequence[Item], at: int = 0) -> tuple[tuple[str, ...], int]:
    """The dotted name that begins here, and how many items it takes: `a.b.` gives `a`, `b`."""
    parts: list[str] = []
    start = at
    while (name := name_of(item_at(items, at))) is not None:
        parts.append(name)
        at += 1
        if not is_symbol(item_at(items, at), "."):
            break
        at += 1
    return tuple(parts), at - start


def chain_before(items: Sequence[Item], at: int) -> tuple[str, ...]:
    """The dotted name that ends right before a place: `a.b = |` gives `a`, `b` for that of `=`."""
    parts: list[str] = []
    while (name := name_of(item_at(items, at - 1))) is not None:
        parts.append(name)
        if not is_symbol(item_at(items, at - 2), "."):
            break
        at -= 2
    return tuple(reversed(parts))
