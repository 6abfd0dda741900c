"""What to try next, for errors of DuckDB that come of names and quotes used as elsewhere."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress

from connstat_sql.definitions.catalog import Catalog, LiveTable
from connstat_sql.definitions.model import ListOf, Resource, SqlType, Struct
from connstat_sql.errors import BindError, ConnstatError

_NO_TABLE = re.compile(r'(?:Table with name|Table or view with name) "?([\w$.]+)"? does not exist')
_NO_SCHEMA = re.compile(r'SET schema: No catalog \+ schema named "([^"]+)" found')
_NO_COLUMN = re.compile(r'(?:Referenced (?:column|table)|does not have a column named) "([^"\n]+)"')
_THEIRS = re.compile(r'\n?Did you mean "(?:pg_|duckdb_|sqlite_|pragma_|information_schema)[^\n]*')
"""DuckDB's tables of its own, which it takes for the nearest: nobody has meant them."""
_CANDIDATES = re.compile(r"\n?Candidate bindings:[^\n]*")
_TYPOGRAPHIC = "\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u00b4`"
_BEFORE_TEXT = re.compile(
    r"(?:[=<>(,]|\b(?:like|ilike|glob|in|between|and|then|else))\s*\Z", re.IGNORECASE
)

_COMPARED = re.compile(r"(?:[=<>]|\b(?:like|ilike|glob))\s*\Z", re.IGNORECASE)
_BARE_TEXT = re.compile(r"\w+(?:[-.:/*]\w*)*(?![\w(.\"])")
"""A name as people write one without quotes, `orders-s3-sink` or `env-1`; no call."""


def advise(error: BindError, catalog: Catalog, names: Sequence[str] = ()) -> None:
    """Give an error without a hint the one that fits, if any does; never raises.

    `names` are those of views and databases that the configuration names.
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
        column = _NO_COLUMN.search(error.message)
        if column is not None:
            error.hint = (
                _about_quotes(error, column[1])
                or _field(error, column[1], catalog)
                or _near_column(error, column[1], catalog)
                or _bare_text(error)
            )


def _configured_near(table: str, names: Sequence[str]) -> tuple[str, ...]:
    """The views that a name comes close to, or the databases that its first part does."""
    first, _, rest = table.lower().partition(".")
    close = difflib.get_close_matches(first, names, n=3)
    return tuple(f"{one}.{rest}" if rest else one for one in close)


def _schemas(catalog: Catalog) -> list[str]:
    """What USE may name of live tables: providers, and their services."""
    definitions = catalog.definitions
    found = list(definitions.providers)
    for provider in definitions.providers:
        found += (f"{provider}.{service}" for service in definitions.services(provider))
    return found


def _field(error: BindError, name: str, catalog: Catalog) -> str:
    """Where a name that is no column is a field of one, in the live tables of a statement."""
    places = dict.fromkeys(
        place
        for resource in _resources(error, catalog)
        for column in resource.columns
        for place in _places(column.name, column.type, name.lower())
    )
    return f"did you mean  {' or '.join(places)}?" if places else ""


def _places(column: str, of: SqlType, name: str) -> Iterator[str]:
    inner, place = (of.element, f"unnest({column})") if isinstance(of, ListOf) else (of, column)
    if isinstance(inner, Struct):
        yield from (f"{place}.{field}" for field, _ in inner.fields if field.lower() == name)


def _resources(error: BindError, catalog: Catalog) -> list[Resource]:
    """The live tables that a statement mentions."""
    from connstat_sql.sql.statement import parse

    found = (catalog.resolve(one.parts) for one in parse(error.sql).mentions)
    return [one.resource for one in found if isinstance(one, LiveTable)]


def _near_column(error: BindError, name: str, catalog: Catalog) -> str:
    """The columns that come close in views of definitions, of which DuckDB saw those in use."""
    views = [one for one in _resources(error, catalog) if one.view]
    columns = dict.fromkeys(one.name for view in views for one in view.columns)
    close = difflib.get_close_matches(name.lower(), columns, n=3)
    close = close or [one for one in columns if name.lower() in one.split("_")][:3]
    if not close:
        return ""
    error.message = _CANDIDATES.sub("", error.message)
    error.args = (error.message,)
    return f"did you mean  {', '.join(close)}?"


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
