"""Tokens by their brackets, and what a stretch of them says: words, symbols, dotted names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Union

from connstat_sql.shell.completion.tokens import Token, TokenKind

OPENING = {"(": ")", "[": "]", "{": "}"}
MOST_DEEP = 100
"""Brackets within brackets that are looked into."""


@dataclass(slots=True)
class Bracketed:
    """What stands in brackets; the whole statement is one too, with none."""

    bracket: str
    items: list[Item] = field(default_factory=list)


Item = Union[Token, Bracketed]


def is_too_deep(tokens: Sequence[Token]) -> bool:
    """Whether brackets stand in brackets as nobody would write them."""
    depth = deepest = 0
    for token in tokens:
        if token.kind is TokenKind.SYMBOL:
            depth += (token.text in OPENING) - (token.text in OPENING.values())
            deepest = max(deepest, depth)
    return deepest > MOST_DEEP


def grouped(tokens: Sequence[Token]) -> Bracketed:
    """The tokens by their brackets; one that is not closed goes to the end."""
    stack = [Bracketed("")]
    for token in tokens:
        if token.kind is TokenKind.SYMBOL and token.text in OPENING:
            inner = Bracketed(token.text)
            stack[-1].items.append(inner)
            stack.append(inner)
        elif token.kind is TokenKind.SYMBOL and token.text in OPENING.values():
            if len(stack) > 1 and OPENING[stack[-1].bracket] == token.text:
                stack.pop()
        else:
            stack[-1].items.append(token)
    return stack[0]


def word_of(item: Item | None) -> str:
    """The keyword that an item may be, or ""."""
    return item.word if isinstance(item, Token) else ""


def is_cursor(item: Item | None) -> bool:
    """Whether it is what is being typed."""
    return isinstance(item, Token) and item.kind is TokenKind.CURSOR


def is_symbol(item: Item | None, text: str) -> bool:
    """Whether it is that symbol."""
    return isinstance(item, Token) and item.kind is TokenKind.SYMBOL and item.text == text


def is_name(item: Item | None) -> bool:
    """Whether it can be an identifier."""
    return isinstance(item, Token) and item.kind is TokenKind.NAME


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
    while at < len(items) and is_name(items[at]):
        token = items[at]
        assert isinstance(token, Token)
        parts.append(token.text)
        at += 1
        if not (at < len(items) and is_symbol(items[at], ".")):
            break
        at += 1
    return tuple(parts), at - start


def chain_before(items: Sequence[Item], at: int) -> tuple[str, ...]:
    """The dotted name that ends right before a place: `a.b = |` gives `a`, `b` for that of `=`."""
    parts: list[str] = []
    at -= 1
    while at >= 0 and is_name(items[at]):
        token = items[at]
        assert isinstance(token, Token)
        parts.append(token.text)
        if not (at >= 1 and is_symbol(items[at - 1], ".")):
            break
        at -= 2
    return tuple(reversed(parts))
