"""Clauses of a half-typed statement → the columns that their predicates speak of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from connstat_sql.shell.completion.brackets import (
    Bracketed,
    Item,
    chain_before,
    chain_from,
    is_name,
    is_symbol,
    word_of,
)
from connstat_sql.shell.completion.scopes import is_query
from connstat_sql.shell.completion.tokens import Token, TokenKind


def compared_names(items: Sequence[Item]) -> Iterator[tuple[str, str | None]]:
    """Names in lower case, with the text that each is equal to; None where it is no text."""
    for at, item in enumerate(items):
        following = items[at + 1] if at + 1 < len(items) else None
        if isinstance(item, Bracketed):
            if word_of(items[at - 1] if at else None) == "USING" or not is_query(item):
                yield from compared_names(item.items)
            if word_of(items[at - 1] if at else None) == "USING":
                yield from ((i.text.lower(), None) for i in item.items
                            if isinstance(i, Token) and i.kind is TokenKind.NAME)  # fmt: skip
        elif is_symbol(item, "=") or is_symbol(item, "=="):
            left = chain_before(items, at)
            if left:
                text = following.text if isinstance(following, Token) else None
                is_text = isinstance(following, Token) and following.kind is TokenKind.STRING
                yield ".".join(left).lower(), text if is_text else None
            if is_name(following):
                right, _ = chain_from(items, at + 1)
                yield ".".join(right).lower(), None
        elif word_of(item) in ("IN", "BETWEEN"):
            yield from (
                (".".join(left).lower(), None) for left in [chain_before(items, at)] if left
            )
