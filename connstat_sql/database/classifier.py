"""What a statement is: told once, from its tokens, before anything parses or runs it.

Where it is not certain, as a word may be a name as well, a fact says "may"; it never says no by
mistake.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from connstat_sql.definitions.lexer import Lexeme, Name, names, names_within, read_name, spoken
from connstat_sql.errors import Span

_LONGEST = 20
"""Tokens: more than a name of too many parts has, which is said of it."""
_DEFINED = ("view", "macro", "function")
_DESCRIBES = ("describe", "desc", "show", "pragma")
_CATALOGS = frozenset({
    "information_schema", "show", "describe", "use", "query_table", "query", "search_path",
    "detach", "json_execute_serialized_sql",
})  # fmt: skip
_CATALOG_PREFIXES = ("duckdb_", "pg_", "sqlite_", "pragma")
_CATALOG_WORD = re.compile(
    rf"(?<![^\W\d])(?:{'|'.join(sorted(_CATALOGS))}|(?:{'|'.join(_CATALOG_PREFIXES)})\w*)\b",
    re.IGNORECASE,
)
"""Where it is in no text, no name is asked for; to look for it costs far less."""
_SETTING = ("set", "session", "local", "global")
_ATTACHES = frozenset({"attach", "detach", "alter"})
_MAKES_FUNCTIONS = _ATTACHES | {
    "create", "drop", "load", "install", "import", "rollback", "abort", "execute",
}  # fmt: skip
_TELLING = (*_CATALOGS, *_CATALOG_PREFIXES, *_MAKES_FUNCTIONS, "schema")
"""A text without any of these, and without two dots, needs no look at its words."""
_ALL_DATABASES = ("duckdb_databases", "duckdb_schemas", "duckdb_tables", "duckdb_views",
                  "duckdb_columns", "information_schema")  # fmt: skip


class Show(str, Enum):
    """What a SHOW statement of ours lists."""

    PROVIDERS = "providers"
    SERVICES = "services"
    TABLES = "tables"


@dataclass(frozen=True, slots=True)
class ShowStatement:
    """`SHOW TABLES IN confluent.connect`: `scope` is the dotted name, as parts."""

    what: Show
    scope: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RefreshStatement:
    """`REFRESH confluent.connect`: `scope` is the dotted name, as parts, and `span` its place."""

    scope: tuple[str, ...] = ()
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class StatementFacts:
    """What the tokens of one statement say.

    `own` is a SHOW or REFRESH of ours, which DuckDB does not know.
    """

    own: ShowStatement | RefreshStatement | None = None
    defines: bool = False
    """Whether it creates a view or macro."""
    describes: bool = False
    """Whether it tells of tables, and reads none."""
    lists_tables: bool = False
    """Whether it is SHOW TABLES alone."""
    has_long_name: bool = False
    """Whether it has a name of three parts, as those of live tables are."""
    may_list_catalogs: bool = False
    """Whether it may ask which databases, schemas and tables there are, or choose one."""
    may_make_functions: bool = False
    may_attach: bool = False


def classify(sql: str) -> StatementFacts:
    """What one statement is.

    >>> classify("SHOW TABLES IN confluent").own
    ShowStatement(what=<Show.TABLES: 'tables'>, scope=('confluent',))
    >>> classify("FROM confluent.connect.connectors").has_long_name
    True
    """
    tokens = spoken(sql, _LONGEST)
    begun = [token.word for token in tokens[:5]]
    lowered = sql.lower()
    is_telling = sql.count(".") > 1 or any(word in lowered for word in _TELLING)
    listed = [*names(sql)] if is_telling else []
    words = {part.lower() for name in listed for part in name.parts}
    return StatementFacts(
        own=_own(tokens),
        defines=_defines(begun),
        describes=begun[:1] != [] and begun[0] in _DESCRIBES,
        lists_tables=begun in (["show", "tables"], ["show", "tables", ";"]),
        has_long_name=any(len(name.parts) > 2 for name in listed),
        may_list_catalogs=_may_list_catalogs(sql, listed),
        may_make_functions=not words.isdisjoint(_MAKES_FUNCTIONS),
        may_attach=not words.isdisjoint(_ATTACHES),
    )


def lists_databases(sql: str) -> bool:
    """Whether a text may tell of all databases and views."""
    return any(
        name.before in ("show", "all")
        if name.parts[0].lower() in ("tables", "databases")
        else any(_tells_of_all(part.lower()) for part in name.parts)
        for name in names(sql)
    )


def _tells_of_all(name: str) -> bool:
    return name.startswith("pg_") or name in _ALL_DATABASES


def may_hold_own(sql: str) -> bool:
    """Whether a text may hold a SHOW or REFRESH of ours."""
    text = sql.lower()
    is_likely = "refresh" in text or "show" in text
    words = ((name.before, name.parts[0].lower()) for name in names(sql)) if is_likely else ()
    listed = [what.value for what in Show]
    return any(word == "refresh" or (before == "show" and word in listed) for before, word in words)


def _may_list_catalogs(sql: str, listed: Sequence[Name]) -> bool:
    """Texts count too: a macro may run what it is given as SQL, with `query`."""
    if _CATALOG_WORD.search(sql) is not None and any(
        part.lower() in _CATALOGS or part.lower().startswith(_CATALOG_PREFIXES)
        for name in names_within(sql)
        for part in name.parts
    ):
        return True
    return any(name.before in _SETTING and name.parts[0].lower() == "schema" for name in listed)


def _defines(begun: Sequence[str]) -> bool:
    words = [word for word in begun if word not in ("or", "replace", "temp", "temporary")]
    return words[:1] == ["create"] and words[1:2] != [] and words[1] in _DEFINED


def _own(tokens: Sequence[Lexeme]) -> ShowStatement | RefreshStatement | None:
    """The SHOW or REFRESH of ours that tokens are; SHOW TABLES alone is DuckDB's."""
    tokens = tokens[:-1] if tokens and tokens[-1].text == ";" else tokens
    begun = [token.word for token in tokens[:3]]
    if begun == ["refresh"]:
        return RefreshStatement()
    if begun[:1] == ["refresh"]:
        scope = read_name(tokens[1:])
        return RefreshStatement(scope, Span(tokens[1].start, tokens[-1].end)) if scope else None
    if begun[:1] != ["show"] or begun[1:2] not in ([what.value] for what in Show):
        return None
    what, scope = Show(begun[1]), read_name(tokens[3:])
    is_alone = len(begun) == 2 and what is not Show.TABLES
    is_of_some = begun[2:] in (["in"], ["from"]) and scope != ()
    return ShowStatement(what, scope) if is_alone or is_of_some else None
