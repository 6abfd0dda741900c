"""Names and texts as SQL: apart from all else, as the cheapest of statements needs them too."""

from __future__ import annotations


def quote(identifier: str) -> str:
    """An SQL identifier in double quotes, whatever is in it."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(text: str) -> str:
    """An SQL string literal, whatever is in it."""
    return "'" + text.replace("'", "''") + "'"
