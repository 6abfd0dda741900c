"""Errors of DuckDB → ours, with their place in the user's text: the one place where it is done."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from connstat_sql.database.catalogs import live_table_in
from connstat_sql.database.source_map import SourceText
from connstat_sql.definitions.lexer import lexed, names
from connstat_sql.errors import (
    BindError,
    ConstraintViolated,
    EngineFault,
    ExecuteError,
    ExecutionFailed,
    InvalidValue,
    ParseError,
    QueryError,
    Span,
    Unsupported,
    WrongUse,
)

_PRESSED = re.compile(r"registered as '[^'\n]+'[^\n]* failed: KeyboardInterrupt\b")


@contextmanager
def interruptible() -> Iterator[None]:
    """What stops DuckDB is an interrupt of the statement, whatever DuckDB calls it."""
    try:
        yield
    except duckdb.InterruptException as error:
        raise KeyboardInterrupt from error
    except duckdb.Error as error:
        if _PRESSED.search(str(error)):  # while DuckDB was reading what Python holds
            raise KeyboardInterrupt from error
        raise
    except RuntimeError as error:
        if "interrupt" in str(error).lower():
            raise KeyboardInterrupt from error
        raise


_BINDING = (duckdb.BinderException, duckdb.CatalogException)
_KINDS = (
    (duckdb.DataError, InvalidValue),
    (duckdb.IntegrityError, ConstraintViolated),
    (duckdb.InternalError, EngineFault),
    (duckdb.OperationalError, ExecutionFailed),
    (duckdb.ProgrammingError, WrongUse),
    (duckdb.NotSupportedError, Unsupported),
)
"""What DuckDB calls what fails in a statement that runs, in words of PEP 249, as ours."""
_MISSING = re.compile(r"Values were not provided for the following parameters: (\w+)")
_LONGEST = 12


_NO_ROOM = "no temporary directory is specified"
_SANDBOXED = re.compile(r"disabled (?:by|through) configuration|the configuration has been locked")


_CLOSED = "Connection already closed!"
_TEXTS = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|/\*.*?\*/""", re.DOTALL)
"""Texts of a statement, and what may hold a quote that begins none."""
_RUN_NAMES = re.compile(r'(?:"?temp"?\.)?"?_connstat_(?:table|empty)_\d+\\"?')


def translated(
    error: duckdb.Error, text: SourceText, otherwise: type[QueryError], requests_sent: int
) -> QueryError:
    """An error of DuckDB as ours: SQL or names at fault, else `otherwise`; with its place."""
    message, place, name = _read_error(str(error))
    kind = otherwise
    if isinstance(error, (duckdb.ParserException, duckdb.SyntaxException)):
        kind = ParseError
    elif isinstance(error, _BINDING):
        kind = BindError
    elif otherwise is ExecuteError:
        kind = next((ours for theirs, ours in _KINDS if isinstance(error, theirs)), otherwise)
    missing = _MISSING.search(message)
    word = f"${missing[1]}" if missing else name or _only_name(message)
    span = _span(text, place) if place is not None else _only_place(word, text.written)
    hint = ""
    if missing:
        hint = f"give it a value:  -p {missing[1]}=VALUE" if missing[1].isidentifier() else ""
    live = live_table_in(message)
    if live:
        hint = f"name it in FROM or JOIN:  FROM {live} WHERE …"
    if _SANDBOXED.search(message):
        hint = "this session is sandboxed: SQL reaches no files and changes no settings"
    if _NO_ROOM in message:
        hint = "no rows are put aside on disk here: what runs has to fit into memory"
    if message == _CLOSED:
        message, kind = "the connection is closed", otherwise
        hint = "open another one:  connstat_sql.connect()"
    # the run text's own names are nobody's business
    message = _RUN_NAMES.sub("the live table", message)
    return kind(message, sql=text.written, span=span, hint=hint, requests_sent=requests_sent)


def _read_error(text: str) -> tuple[str, int | None, str]:
    """DuckDB's error as message, place in bytes (None: not said) and name it is about, or ''."""
    kind, _, rest = text.partition(": ")
    try:
        said = json.loads(rest, strict=False)
        message = _inmost(str(said["exception_message"]))
    except (ValueError, KeyError, TypeError):
        plain = rest if kind.endswith("Error") and rest else text
        return _brief(plain.partition("\n\nLINE ")[0]), None, ""
    place = str(said.get("position", ""))
    return _brief(message), int(place) if place.isdigit() else None, str(said.get("name", ""))


def _inmost(message: str) -> str:
    """What a thread of DuckDB's has said, where its error is told as JSON within another one."""
    start = message.find('{"exception_type":')
    if start < 0:
        return message
    try:
        inner, _ = json.JSONDecoder(strict=False).raw_decode(message[start:])
        return _inmost(str(inner["exception_message"]))
    except (ValueError, KeyError, TypeError):
        return message


def _brief(message: str) -> str:
    """A message of DuckDB without the end of a long list, such as all that `+` can add."""
    lines = message.strip().split("\n")
    return "\n".join(lines if len(lines) <= _LONGEST else [*lines[: _LONGEST - 1], "\t…"])


def _span(text: SourceText, place: int) -> Span:
    start = text.place_of(len(text.sql.encode()[:place].decode("utf-8", "ignore")))
    return Span(start, _word_end(text.written, start))


def _only_name(message: str) -> str:
    """The name that a message without a place is about: the first one in quotes, or ''."""
    kinds = (r'with name "?([\w.]+)', r'"+([^"\n]+)"+', r"'([^'\n]+)'")
    match = next((m for kind in kinds if (m := re.search(kind, message))), None)
    return match[1] if match else ""


def _only_place(word: str, sql: str) -> Span | None:
    """Where a word is, when the text holds it exactly once, and not as a part of a text."""
    places = [*re.finditer(rf"(?<![\w$]){re.escape(word)}(?!\w)", sql)] if word else []
    if len(places) != 1:
        return None
    start, end = places[0].span()
    texts = (match.span() for match in _TEXTS.finditer(sql) if match[0].startswith("'"))
    is_part = any(
        first < start and end < last and end - start < last - first - 2 for first, last in texts
    )
    return None if is_part else Span(start, end)


def _word_end(sql: str, start: int) -> int:
    word = next(lexed(sql[start:]), None)
    name = next(names(sql[start:]), None) if word is not None and word.kind == "name" else None
    whole = name or word
    return start + whole.end if whole is not None else len(sql)
