"""Names and texts as SQL: apart from all else, as the cheapest of statements needs them too."""

from __future__ import annotations

import re
from collections.abc import Iterable

_COMMENT_MARKS = re.compile(r"/\*|\*/")
_BLANK = re.compile(r"\s*(?:--[^\n]*(?:\n|\Z)\s*)*")


def quote(identifier: str) -> str:
    """An SQL identifier in double quotes, whatever is in it."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(text: str) -> str:
    """An SQL string literal, whatever is in it."""
    return "'" + text.replace("'", "''") + "'"


def length_of_comments(sql: str) -> int:
    """How many characters of comments and blanks stand before the first word of a text."""
    place = 0
    while True:
        blank = _BLANK.match(sql, place)
        assert blank is not None, "it matches nothing too"
        place = blank.end()
        if not sql.startswith("/*", place):
            return place
        depth = 0
        for mark in _COMMENT_MARKS.finditer(sql, place):  # one may stand within another
            depth += 1 if mark[0] == "/*" else -1
            if depth == 0:
                place = mark.end()
                break
        else:
            return place


def call(function: str, *arguments: str) -> str:
    """SQL that calls DuckDB's own function, whatever macros of its name the session has."""
    return f"system.main.{function}({', '.join(arguments)})"


def member(value: str, *names: str) -> str:
    """SQL for a field of a struct, or of one in it; a dot would call a macro `struct_extract`."""
    for name in names:
        value = call("struct_extract", value, literal(name))
    return value


def unnested(values: Iterable[str]) -> str:
    """SQL of a select list that answers a row for each of some expressions."""
    return call("unnest", call("list_value", *values))


SEARCH_PATH = (
    f"SELECT {call('current_setting', literal('search_path'))}, {call('current_database')}"
)
"""A query for where names are looked up, and the database that is the first of those places."""
_MARK = "\\"


def own(word: str) -> str:
    """A name in SQL of ours: no definition can hold it, and no statement over live tables may."""
    return word + _MARK


def is_own(name: str) -> bool:
    """Whether a name is one of those."""
    return name.endswith(_MARK)


def own_table(word: str) -> str:
    """The name, quoted, of a temporary table or view of ours: a user's `_connstat_…` is another."""
    return f"temp.{quote(own(f'_connstat_{word}'))}"
