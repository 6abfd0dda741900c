"""What to try next, for errors of DuckDB that come of names and quotes used as elsewhere."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import duckdb

from connstat_sql.definitions.catalog import Catalog, LiveTable
from connstat_sql.definitions.model import quote
from connstat_sql.errors import BindError, ConnstatError

_NO_TABLE = re.compile(r'(?:Table with name|Table or view with name) "?([\w$.]+)"? does not exist')
_NO_SCHEMA = re.compile(r'SET schema: No catalog \+ schema named "([^"]+)" found')
_NO_COLUMN = re.compile(
    r'(?:[Cc]olumn(?: named| with name)?|Referenced table|key|regex) "+([^"\n]+)"'
    r"|Referenced (?:update )?column (\w+)|Function with name (\w+)"
)
"""What DuckDB calls a column, or what stands where one may, that is not there."""
_IS_TABLE = "Referenced table "
"""What stands before a dot and is no table: a column may have been meant, before its field."""
_THEIRS = re.compile(r'\n?Did you mean "(?:pg_|duckdb_|sqlite_|pragma_|information_schema)[^\n]*')
"""DuckDB's tables of its own, which it takes for the nearest: nobody has meant them."""
_CANDIDATES = re.compile(
    r"\s*(?:Candidate (?:bindings|tables|Entries)|Did you mean):?[ :]*(\".*)\Z"
)
"""What DuckDB takes for the nearest, near or not."""
_PLAIN = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_TYPOGRAPHIC = "\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u00b4`"
_BEFORE_TEXT = re.compile(
    r"(?:[=<>(,]|\b(?:like|ilike|glob|in|between|and|then|else))\s*\Z", re.IGNORECASE
)

_COMPARED = re.compile(r"(?:[=<>]|\b(?:like|ilike|glob))\s*\Z", re.IGNORECASE)
_BARE_TEXT = re.compile(r"\w+(?:[-.:/*]\w*)*(?![\w(.\"])")
"""A name as people write one without quotes, `orders-s3-sink` or `env-1`; no call."""


Describe = Callable[[str, None], "dict[str, str] | None"]


class TableColumns(NamedTuple):
    """Columns of a table with their types; a view of a definition has more than DuckDB sees."""

    columns: Mapping[str, str]
    is_view: bool = False


def advise(
    error: BindError, catalog: Catalog, describe: Describe, names: Sequence[str] = ()
) -> None:
    """Give an error without a hint the one that fits, if any does; never raises.

    `describe` tells the columns of a query, with their types. `names` are those of views and
    databases that the configuration names.
    """
    if error.hint:
        return
    table, schema = (pattern.search(error.message) for pattern in (_NO_TABLE, _NO_SCHEMA))
    if table is not None:
        error.message = _THEIRS.sub("", error.message)
        error.args = (error.message,)
        with suppress(ConnstatError):  # a broken definition is told by who uses it
            near = catalog.tables_near(table[1])
            error.hint = f"there is  {', '.join(near)}" if near else ""
        meant = _configured_near(table[1], names)
        error.hint = f"did you mean  {', '.join(meant)}?" if meant else error.hint
    elif schema is not None and catalog.is_provider(schema[1]):
        error.hint = f"name it in each query:  FROM {schema[1]}.SERVICE.TABLE"
    elif schema is not None:
        schemas = difflib.get_close_matches(schema[1].lower(), _schemas(catalog), n=3)
        error.hint = f"there is  {', '.join(schemas)}" if schemas else "SHOW PROVIDERS"
    else:
        match = _NO_COLUMN.search(error.message)
        column = str(match[match.lastindex or 0]) if match is not None else ""
        if column:
            tables = [*_tables(error, catalog, describe)]
            nearest = _field(column, tables) or _near_column(error, column, tables)
            error.hint = _about_quotes(error, column) or nearest or _bare_text(error)
            if nearest and error.hint == nearest:
                error.message = _CANDIDATES.sub("", error.message)
                error.args = (error.message,)


def _configured_near(table: str, names: Sequence[str]) -> tuple[str, ...]:
    """The views that a name comes close to, or the databases that its first part does."""
    first, _, rest = table.lower().partition(".")
    close = difflib.get_close_matches(first, names, n=3)
    return tuple(f"{name}.{rest}" if rest else name for name in close)


def _schemas(catalog: Catalog) -> list[str]:
    """What USE may name of live tables: providers, and their services."""
    definitions = catalog.definitions
    names = list(definitions.providers)
    for provider in definitions.providers:
        names += (f"{provider}.{service}" for service in definitions.services(provider))
    return names


def _field(name: str, tables: Sequence[TableColumns]) -> str:
    """Where a name that is no column is a field of one."""
    places = dict.fromkeys(
        place
        for table in tables
        for column, of in table.columns.items()
        for place in _places(column, _type(of), name.lower())
    )
    return f"did you mean  {' or '.join(places)}?" if places else ""


def _type(text: str) -> Any:
    try:
        return duckdb.sqltype(text)
    except duckdb.Error:  # one that an extension has made
        return duckdb.sqltype("VARCHAR")


def _places(column: str, of: Any, name: str) -> Iterator[str]:
    inner, place = (of.child, f"unnest({column})") if of.id == "list" else (of, column)
    if inner.id == "struct":
        yield from (f"{place}.{field}" for field, _ in inner.children if field.lower() == name)


def _tables(error: BindError, catalog: Catalog, describe: Describe) -> Iterator[TableColumns]:
    """The tables that a statement mentions, as far as it can be said what columns they have."""
    from connstat_sql.sql.statement import parse

    statement = parse(error.sql)
    for mention in statement.mentions:
        table = catalog.resolve(mention.parts)
        if isinstance(table, LiveTable):
            resource = table.resource
            types = {column.name: str(column.type) for column in resource.columns}
            types |= {param.name: str(param.type) for param in resource.params}
            yield TableColumns(types, bool(resource.view))
        else:
            span = mention.span
            described = describe(f"FROM {statement.sql[span.start : span.end]}", None) or {}
            yield TableColumns(described)


def _near_column(error: BindError, name: str, tables: Sequence[TableColumns]) -> str:
    """The columns that come close; DuckDB's own nearest, where they are near, come first.

    It sees those of a view of a definition that are in use.
    """
    tail = _CANDIDATES.search(error.message)
    candidates = re.findall(r'"([^"\n]+)"', tail[1]) if tail is not None else []
    is_whole = bool(candidates) and not error.message.startswith(_IS_TABLE)
    others = [table for table in tables if table.is_view or not is_whole]
    listed = (column for table in others for column in table.columns)
    columns = dict.fromkeys((*candidates, *listed))
    by_end = {_end(column): None for column in columns}
    close = difflib.get_close_matches(name.lower(), by_end, n=3)
    close = close or [end for end in by_end if name.lower() in end.split("_")][:3]
    if not close or name.lower() in by_end:
        return ""
    meant = [column for end in close for column in columns if _end(column) == end]
    return f"did you mean  {', '.join(map(_written, meant))}?"


def _end(column: str) -> str:
    """Its name, in small letters, without that of its table."""
    return column.rpartition(".")[2].lower()


def _written(name: str) -> str:
    return name if _PLAIN.fullmatch(name) else quote(name)


def _bare_text(error: BindError) -> str:
    """What to say of a name that something is compared with: it may be a text without quotes."""
    start = error.span.start if error.span is not None else 0
    word = _BARE_TEXT.match(error.sql, start)
    if word is None or not _COMPARED.search(error.sql[:start]):
        return ""
    return f"if that is a text, it stands in straight single quotes: '{word[0]}'"


def _about_quotes(error: BindError, name: str) -> str:
    """What to say of a column that was perhaps meant to be a text; else nothing."""
    if error.span is None:
        return ""
    start = error.span.start
    around = name + error.sql[max(0, start - 1) : start + 1]
    is_typographic = any(sign in around for sign in _TYPOGRAPHIC)
    is_text = error.sql[start : start + 1] == '"' and _BEFORE_TEXT.search(error.sql[:start])
    if not is_typographic and not is_text:
        return ""
    bare = name.strip(_TYPOGRAPHIC).replace("'", "''")
    return f"a text stands in straight single quotes: '{bare}';  a name in double ones"
