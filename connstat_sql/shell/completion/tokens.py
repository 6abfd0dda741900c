"""Half-typed text and a cursor → tokens of the statement there, with the cursor as one of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from sqlglot.dialects import DuckDB
from sqlglot.errors import TokenError
from sqlglot.tokenizer_core import TokenType

_REST_OF_WORD = re.compile(r"\w*")
_PROBE = " z"
LONGEST = 20_000
"""Characters of text that are read at a key press."""
_CLOSERS = ("", "'", '"', "*/", "$$")
_QUOTED = {TokenType.STRING, TokenType.NATIONAL_STRING, TokenType.RAW_STRING, TokenType.BYTE_STRING}
_DIALECT = DuckDB()


class TokenKind(Enum):
    """What a token is."""

    NAME = "name"  # a word, be it a keyword or an identifier
    STRING = "string"
    NUMBER = "number"
    SYMBOL = "symbol"
    CURSOR = "cursor"  # what is being typed


class Inside(Enum):
    """What the cursor stands in."""

    CODE = "code"
    STRING = "string"
    IDENTIFIER = "identifier"  # between double quotes
    COMMENT = "comment"


@dataclass(frozen=True, slots=True)
class Token:
    """A token; `text` is without quotes, `start` and `end` are places in the whole text."""

    kind: TokenKind
    text: str
    start: int
    end: int
    is_quoted: bool = False

    @property
    def word(self) -> str:
        """A word as keywords are compared: in upper case; "" for everything else."""
        return "" if self.is_quoted or self.kind is not TokenKind.NAME else self.text.upper()


@dataclass(frozen=True, slots=True)
class CursorStatement:
    """The statement around the cursor. `word` is what has been typed of the thing that is wanted,
    from `start` on; `is_closed` says that the quotes around it are closed behind the cursor.
    """

    tokens: tuple[Token, ...]
    inside: Inside
    word: str
    start: int
    is_closed: bool = False


def read(text: str, cursor: int) -> CursorStatement:
    """The statement at the cursor, read as far as it goes: nothing that is typed is an error."""
    before, after = text[:cursor], text[cursor:]
    if len(text) > LONGEST:
        return CursorStatement((), Inside.COMMENT, "", cursor)
    inside, tokens = _left(before)
    if inside is Inside.COMMENT:
        return CursorStatement((), inside, "", cursor)
    word, start = "", cursor
    if inside is Inside.CODE:
        if tokens and tokens[-1].end == cursor and _is_word(tokens[-1]):
            word, start = tokens[-1].text, tokens[-1].start
            tokens = tokens[:-1]
        after = after[_REST_OF_WORD.match(after).end() :]  # type: ignore[union-attr]
        is_closed = False
    else:
        opened, tokens = tokens[-1], tokens[:-1]
        quote = "'" if inside is Inside.STRING else '"'
        start = before.find(quote, opened.start) + 1
        word = before[start:].replace(quote * 2, quote)
        is_closed, after = _closed(after, quote)
    own = _since_semicolon(tokens)
    offset = len(text) - len(after)
    rest = tuple(_until_semicolon(_right(after, offset)))
    typed = Token(TokenKind.CURSOR, word, start, cursor, inside is not Inside.CODE)
    return CursorStatement((*own, typed, *rest), inside, word, start, is_closed)


def _is_word(token: Token) -> bool:
    return token.kind is TokenKind.NAME and not token.is_quoted and " " not in token.text


def _left(before: str) -> tuple[Inside, tuple[Token, ...]]:
    """What the cursor stands in, and the tokens before it; the last is the one that is open."""
    tokens = _tokens(before + _PROBE)
    if tokens is not None:
        is_code = bool(tokens) and tokens[-1].start == len(before) + 1
        return (Inside.CODE, tokens[:-1]) if is_code else (Inside.COMMENT, ())
    for inside, closer in ((Inside.STRING, "'"), (Inside.IDENTIFIER, '"')):
        tokens = _tokens(before + closer)
        if tokens and tokens[-1].end == len(before) + 1:
            return inside, tokens
    return Inside.COMMENT, ()


def _right(after: str, offset: int) -> tuple[Token, ...]:
    for closer in _CLOSERS:
        tokens = _tokens(after + closer, offset)
        if tokens is not None:
            return tokens
    return ()


def _closed(after: str, quote: str) -> tuple[bool, str]:
    """Whether a quote behind the cursor closes what is open, and the text after it.

    The quotes of whole texts come in pairs: an odd one out is that which closes.
    """
    statement = after.partition(";")[0]
    if statement.count(quote) % 2 == 0:
        return False, after
    return True, after[after.index(quote) + 1 :]


def _tokens(text: str, offset: int = 0) -> tuple[Token, ...] | None:
    """The tokens of a text, or None where a quote or a comment is not closed in it."""
    try:
        return tuple(_converted(text, offset))
    except (TokenError, IndexError, ValueError):
        return None


def _converted(text: str, offset: int) -> Iterator[Token]:
    command = False
    for token in _DIALECT.tokenize(text):
        start, end = token.start, token.end + 1
        if command and token.token_type is TokenType.STRING:  # EXPLAIN: the rest as one text
            begin = text.find(token.text, max(0, start - len(token.text)))
            begin = begin if begin >= 0 else len(text) - len(token.text)
            yield from _converted(token.text, offset + begin)
            return
        command = token.token_type is TokenType.COMMAND
        yield _token(token.token_type, token.text, text[start:end], offset + start, offset + end)


def _token(kind: TokenType, text: str, raw: str, start: int, end: int) -> Token:
    if kind is TokenType.IDENTIFIER:
        return Token(TokenKind.NAME, text, start, end, is_quoted=True)
    if kind in _QUOTED or raw[-1:] == "'":
        return Token(TokenKind.STRING, text, start, end, is_quoted=True)
    if kind is TokenType.NUMBER:
        return Token(TokenKind.NUMBER, text, start, end)
    if raw[:1].isalpha() or raw[:1] == "_":
        return Token(TokenKind.NAME, " ".join(raw.split()), start, end)
    return Token(TokenKind.SYMBOL, raw, start, end)


def _since_semicolon(tokens: tuple[Token, ...]) -> tuple[Token, ...]:
    last = max((at for at, token in enumerate(tokens) if _ends(token)), default=-1)
    return tokens[last + 1 :]


def _until_semicolon(tokens: tuple[Token, ...]) -> Iterator[Token]:
    for token in tokens:
        if _ends(token):
            return
        yield token


def _ends(token: Token) -> bool:
    return token.kind is TokenKind.SYMBOL and token.text == ";"
