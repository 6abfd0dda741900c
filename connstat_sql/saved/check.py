"""Binding saved queries against the catalog, with nothing sent: for CI."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from connstat_sql.database.source_map import SourceText
from connstat_sql.database.values import Arguments
from connstat_sql.definitions.loader.checks import nearest
from connstat_sql.errors import (
    ConnstatError,
    Problem,
    QueryError,
    SavedQueryError,
    Span,
)
from connstat_sql.executor.run_text import checked_text
from connstat_sql.executor.staging import empty_tables
from connstat_sql.files import shown
from connstat_sql.saved.front_matter import read_page
from connstat_sql.saved.lint import line_of
from connstat_sql.saved.mentions import with_typed_nulls
from connstat_sql.saved.model import SavedParam, SavedQuery
from connstat_sql.saved.parameters import check_type, typed

if TYPE_CHECKING:
    from connstat_sql.engine import Engine
    from connstat_sql.planner import Plan

_SPECIMENS = ("1", "2026-01-01", "1 day", "08:00:00", "00000000-0000-0000-0000-000000000000")
_NO_FILES = "No files found that match the pattern"


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What is wrong with queries; `unseen` says what kept some from being bound."""

    problems: tuple[Problem, ...]
    unseen: tuple[str, ...] = ()


class _Unseen(Exception):
    """The statement reads files that are not here, and cannot be bound without them."""


class Checker:
    """Checks one query after the other with one engine; what they share is asked once."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._specimens: dict[str, object] = {}

    def check(self, query: SavedQuery) -> CheckReport:
        """Bind a query with a value for every parameter, and with all absent that may be.

        It has been inspected before. Nothing is sent; the first fault of each variant is told.
        """
        try:
            return self._checked(query)
        except SavedQueryError as error:
            message = error.message.removeprefix(f"{query.name}: ")
            message = message.removeprefix(f"{error.file}:{error.line}: ")
            return CheckReport((Problem(error.file, error.line, message, error.hint),))

    def _checked(self, query: SavedQuery) -> CheckReport:
        arguments = {param.name: self._specimen(query, param) for param in query.params}
        problems: list[Problem] = []
        named = (*query.key, query.state) if query.state else query.key
        unseen: dict[str, None] = {}
        for text, words in _variants(query):
            try:
                last = _Last() if named else None
                problem = _bound(query, text, arguments, self._engine, last)
                if last is not None and problem is None:
                    problems += _missing(query, named, last.columns(self._engine))
                    named = ()
            except _Unseen as error:
                unseen[str(error)] = None
                continue
            if problem is not None:
                problems.append(replace(problem, message=f"{words}{problem.message}"))
                break
        return CheckReport((*problems, *_choices(query, self._engine)), tuple(unseen))

    def _specimen(self, query: SavedQuery, param: SavedParam) -> object:
        """A value of a parameter's type; all of its own values are tried."""
        if param.type not in self._specimens:
            check_type(query, param, self._engine)
            self._specimens[param.type] = self._any(query, param)
        own = [*param.allowed, *([] if param.default is None else [param.default])]
        values = [typed(query, param, text, self._engine) for text in own]
        return values[-1] if values else self._specimens[param.type]

    def _any(self, query: SavedQuery, param: SavedParam) -> object:
        for text in _SPECIMENS:
            with suppress(SavedQueryError):
                return typed(query, replace(param, allowed=()), text, self._engine)
        return None


@dataclass
class _Last:
    """The last statement that was bound: what it is asked for is its columns."""

    sql: str = ""
    arguments: Arguments = None
    plan: Plan | None = None

    def columns(self, engine: Engine) -> Set[str] | None:
        """The names of its columns, in lower case; None when DuckDB does not tell."""
        sql = self.sql
        if self.plan is not None:
            query = self.plan.query
            sql = checked_text(query, empty_tables(engine.session, query.tables)).sql
        columns = engine.session.describe(sql, self.arguments)
        return None if columns is None else columns.keys()


def _missing(query: SavedQuery, named: tuple[str, ...], columns: Set[str] | None) -> list[Problem]:
    """What `key` and `state` name and the query does not answer with."""
    problems: list[Problem] = []
    if columns is None:
        return problems
    for name in named:
        if name.lower() not in columns:
            word = "key" if name in query.key else "state"
            hint = nearest(name, columns) or f"there is {', '.join(sorted(columns))}"
            message = f"{word} names {name}, which is no column of the query"
            problems.append(Problem(shown(query.path), _line_of_word(query, word), message, hint))
    return problems


def _line_of_word(query: SavedQuery, word: str) -> int:
    """Where the front matter says it."""
    try:
        return read_page(query.path.name, query.path.read_bytes()).source.line((word,))
    except OSError:
        return 1


def _variants(query: SavedQuery) -> Iterator[tuple[SourceText, str]]:
    """Its SQL with a value for every parameter, and with as few as may be; what to say of it."""
    yield SourceText(query.sql), ""
    absent = {param.name: param.type for param in query.params if param.is_optional}
    if absent:
        yield with_typed_nulls(query.sql, absent), f"without {', '.join(absent)}: "


def _bound(
    query: SavedQuery,
    text: SourceText,
    arguments: Mapping[str, object],
    engine: Engine,
    last: _Last | None = None,
) -> Problem | None:
    """What is wrong with the statements of a text, by the first fault; `last` is filled in."""
    before = 0
    try:
        for statement in engine.session.split(text.sql):
            sql, before = statement.sql, statement.offset
            mentioned = statement.arguments_of(arguments)
            plan = engine.explain(sql, mentioned)
            if plan is None and statement.facts.own is None:
                engine.session.check(SourceText(sql), mentioned)
            if last is not None:
                last.sql, last.arguments, last.plan = sql, mentioned, plan
            if not statement.is_query:  # later ones may depend on it
                break
    except ConnstatError as error:
        message = error.message.partition("\n")[0]
        if _NO_FILES in message:
            is_stand_in = any(f'"{specimen}"' in message for specimen in _SPECIMENS)
            which = "that a parameter names" if is_stand_in else f"that are not here ({message})"
            raise _Unseen(f"it reads files {which}") from error
        place = 0
        if isinstance(error, QueryError) and error.span is not None:
            start = error.span.start + before
            place = text.origin_of(Span(start, start + 1)).start
        hint = "" if "\n" in error.hint else error.hint
        return Problem(shown(query.path), line_of(query, place), message, hint)
    return None


def _choices(query: SavedQuery, engine: Engine) -> Iterator[Problem]:
    """What is wrong with the queries for values worth offering."""
    for param in query.params:
        if param.choices is None:
            continue
        try:
            problem = _bound(query, SourceText(param.choices), {}, engine)
        except _Unseen:
            continue
        if problem is not None:
            message = f"the choices of {param.name}: {problem.message}"
            yield Problem(problem.file, param.line, message, problem.suggestion)
