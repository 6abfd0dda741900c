"""Names and texts as SQL: apart from all else, as the cheapest of statements needs them too."""

from __future__ import annotations

from collections.abc import Iterable


def quote(identifier: str) -> str:
    """An SQL identifier in double quotes, whatever is in it."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(text: str) -> str:
    """An SQL string literal, whatever is in it."""
    return "'" + text.replace("'", "''") + "'"


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
