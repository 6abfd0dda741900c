"""Where the parameters of a query stand in its SQL, `$name`, and typed NULLs in their place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import sqlglot
from sqlglot.errors import SqlglotError
from sqlglot.tokens import Token, TokenType  # type: ignore[attr-defined]

from connstat_sql.database.source_map import Edit, SourceText
from connstat_sql.errors import Span
from connstat_sql.sql.statement import dialect_of

_COMMANDS = {TokenType.COMMAND, TokenType.EXECUTE, TokenType.RENAME, TokenType.FETCH}
_COMMAND = re.compile(r"EXPLAIN\s+ANALYZE\b|\w+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Mention:
    """One `$name` in the SQL; `is_tested` says that IS NULL or IS NOT NULL follows it."""

    name: str
    span: Span
    is_tested: bool = False


@dataclass(frozen=True, slots=True)
class Mentions:
    """The parameters of some SQL, in order.

    `question_mark` is where one without a name stands (None: there is none). `is_read` is false
    when the SQL cannot be cut into tokens, `is_empty` true when there is no statement in it.
    """

    named: tuple[Mention, ...] = ()
    question_mark: int | None = None
    is_read: bool = True
    is_empty: bool = False

    @property
    def names(self) -> frozenset[str]:
        """The names that are mentioned."""
        return frozenset(mention.name for mention in self.named)


@lru_cache(maxsize=1000)
def mentions_in(sql: str) -> Mentions:
    """The parameters of some SQL; not those in strings and comments.

    >>> [mention.name for mention in mentions_in("SELECT '$a' WHERE b = $b -- $c").named]
    ['b']
    """
    try:
        tokens = _tokens(sql)
    except SqlglotError:
        return Mentions(is_read=False)
    marks = (token.start for token in tokens if token.token_type is TokenType.PLACEHOLDER)
    named = [
        Mention(name.text, Span(mark.start, name.end + 1), _is_tested(tokens[place + 2 :][:3]))
        for place, (mark, name) in enumerate(pairwise(tokens))
        if mark.token_type is TokenType.PARAMETER and (mark.text, mark.end + 1) == ("$", name.start)
    ]
    is_empty = all(token.token_type is TokenType.SEMICOLON for token in tokens)
    return Mentions(tuple(named), next(marks, None), is_empty=is_empty)


def with_typed_nulls(sql: str, types: Mapping[str, str]) -> SourceText:
    """The SQL with a NULL of its type for each of these parameters.

    >>> with_typed_nulls("SELECT 1 WHERE ($n IS NULL OR 1 = $n)", {"n": "INTEGER"}).sql
    'SELECT 1 WHERE (CAST(NULL AS INTEGER) IS NULL OR 1 = CAST(NULL AS INTEGER))'
    """
    return SourceText(sql).edited(
        Edit(mention.span, f"CAST(NULL AS {types[mention.name]})")
        for mention in mentions_in(sql).named
        if mention.name in types
    )


def _tokens(sql: str) -> list[Token]:
    """The tokens of some SQL; what stands behind a command's word would be one, as a string."""
    while True:
        tokens: list[Token] = sqlglot.tokenize(sql, read=dialect_of(sql))
        hiding = [
            word
            for word, behind in pairwise(tokens)
            if word.token_type in _COMMANDS and behind.token_type is TokenType.STRING
        ]
        if not hiding:
            return tokens
        for word in hiding:
            match = _COMMAND.match(sql, word.start)
            end = match.end() if match else word.end + 1
            sql = f"{sql[: word.start]}{' ' * (end - word.start)}{sql[end:]}"


def _is_tested(behind: list[Token]) -> bool:
    words = " ".join(token.text.upper() for token in behind)
    return words.startswith(("IS NULL", "IS NOT NULL", "ISNULL", "NOTNULL"))
