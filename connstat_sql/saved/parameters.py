"""A saved query and the texts given for its parameters → SQL and typed values.

A value is only ever bound; no text of it becomes part of the SQL.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING

from connstat_sql.database.source_map import SourceText
from connstat_sql.definitions.loader.checks import nearest
from connstat_sql.errors import QueryError, SavedQueryError
from connstat_sql.files import shown
from connstat_sql.saved.mentions import with_typed_nulls
from connstat_sql.saved.model import Prepared, SavedParam, SavedQuery, elements

if TYPE_CHECKING:
    from connstat_sql.engine import Engine


def prepare(query: SavedQuery, texts: Mapping[str, str], engine: Engine) -> Prepared:
    """What to run for these texts by parameter name; DuckDB makes typed values of them.

    Raises SavedQueryError: an unknown or missing parameter, a value that does not fit.
    """
    _check_names(query, texts)
    effective = {param.name: texts.get(param.name, param.default) for param in query.params}
    missing = [
        param for param in query.params if param.is_required and effective[param.name] is None
    ]
    if missing:
        names = " and ".join(param.name for param in missing)
        raise SavedQueryError(
            f"{query.name} needs {names}",
            hint=f"connstat run {query.name} {' '.join(examples(missing))}",
        )
    arguments = {
        param.name: typed(query, param, text, engine)
        for param in query.params
        if (text := effective[param.name]) is not None
    }
    absent = [param for param in query.params if param.name not in arguments]
    for param in absent:
        check_type(query, param, engine)
    types = {param.name: param.type for param in absent}
    return Prepared(with_typed_nulls(query.sql, types).sql, arguments)


def typed(query: SavedQuery, param: SavedParam, text: str, engine: Engine) -> object:
    """The value that a text gives a parameter, of its type. Raises SavedQueryError."""
    _check_allowed(query, param, text)
    argument: object = text
    if param.is_list and not text.strip().startswith("["):
        argument = list(elements(param, text))
    sql = f"SELECT TRY_CAST($1 AS {param.type})"
    try:
        engine.session.check(SourceText(sql), [argument])
    except QueryError as error:
        reason = error.message.partition("\n")[0]
        message = f"{param.name} cannot be read as {param.type}: {reason}"
        hint = "types are DuckDB's, such as VARCHAR, INTEGER, DATE, VARCHAR[]"
        raise _fault(query, param, message, hint) from error
    row = engine.session.duckdb.execute(sql, [argument]).fetchone()
    value: object = row[0] if row else None
    if value is None or (isinstance(value, list) and None in value):
        message = f"{param.name} is of type {param.type}, and {_quoted(text)} is not"
        raise _fault(query, param, message, _what_fits(param))
    return value


def check_type(query: SavedQuery, param: SavedParam, engine: Engine) -> None:
    """Ask DuckDB whether it knows a parameter's type. Raises SavedQueryError when it does not."""
    if engine.session.describe(f"SELECT CAST(NULL AS {param.type}) AS v", None) is None:
        hint = "types are DuckDB's, such as VARCHAR, INTEGER, DATE, VARCHAR[]"
        raise _fault(query, param, f"{param.name}: there is no type {param.type}", hint)


def _fault(query: SavedQuery, param: SavedParam, message: str, hint: str) -> SavedQueryError:
    """What is wrong with a parameter, or a value for it."""
    file = shown(query.path)
    return SavedQueryError(f"{query.name}: {message}", file=file, line=param.line, hint=hint)


def examples(params: Iterable[SavedParam]) -> list[str]:
    """How parameters may be given together: of several days, each after the one before."""
    written: list[str] = []
    day = date.fromisoformat(_FITTING["DATE"])
    for param in params:
        text = example(param)
        if text.endswith(f"={_FITTING['DATE']}"):
            text, day = f"{param.name}={day}", day + timedelta(days=30)
        written.append(text)
    return written


def example(param: SavedParam) -> str:
    """How a parameter may be given on the command line."""
    value = param.default or (param.allowed[0] if param.allowed else "")
    if not value:
        kinds = (fits for kind, fits in _FITTING.items() if param.type.upper().startswith(kind))
        value = next(kinds, param.name.upper())
    return f"{param.name}={value}"


def _check_names(query: SavedQuery, names: Iterable[str]) -> None:
    declared = [param.name for param in query.params]
    for name in names:
        if name not in declared:
            listed = f"it has {', '.join(declared)}" if declared else "it has none"
            hint = nearest(name, declared) or listed
            raise SavedQueryError(f"{query.name} has no parameter {name}", hint=hint)


def _check_allowed(query: SavedQuery, param: SavedParam, text: str) -> None:
    if not param.allowed:
        return
    for element in elements(param, text):
        if element not in param.allowed:
            close = nearest(element, param.allowed)
            hint = f"allowed: {', '.join(param.allowed)}"
            message = f"{param.name} is never {_quoted(element)}"
            raise _fault(query, param, message, f"{close} {hint}" if close else hint)


def _what_fits(param: SavedParam) -> str:
    if param.is_list:
        return f"write  {param.name}=a,b  or  '{param.name}=[a, b]'"
    return f"such as  {shlex.quote(example(param))}"


_FITTING = {
    "TIMESTAMP": "2026-11-01 08:00:00",
    "DATE": "2026-11-01",
    "TIME": "08:00:00",
    "INTERVAL": "7 days",
    "BOOL": "true",
    "DECIMAL": "1.5",
    "DOUBLE": "1.5",
    "FLOAT": "1.5",
    "JSON": '{"a": 1}',
    "UUID": "00000000-0000-0000-0000-000000000000",
    **dict.fromkeys(("TINYINT", "SMALLINT", "INT", "BIGINT", "HUGEINT", "UINTEGER"), "1"),
}
"""By how a type begins, a text that fits it."""


def _quoted(text: str) -> str:
    """A text as messages show it: in quotes, and not at length."""
    short = text if len(text) <= 60 else f"{text[:59]}…"
    return repr(short)
