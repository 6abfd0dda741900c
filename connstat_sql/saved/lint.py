"""Whether a saved query's SQL and its front matter fit together; nothing is asked of DuckDB."""

from __future__ import annotations

from collections.abc import Iterator

from connstat_sql.definitions.loader.checks import nearest
from connstat_sql.errors import Problem
from connstat_sql.saved.model import SavedParam, SavedQuery
from connstat_sql.saved.optional_conditions import TokenText, read_text, remove
from connstat_sql.saved.paths import shown


def inspect(query: SavedQuery) -> tuple[Problem, ...]:
    """Every way in which SQL and declarations do not fit, by line."""
    text = read_text(query.sql)
    found = [*_statement_faults(query, text)]
    if not found:
        found = [*_mention_faults(query, text), *_declaration_faults(query, text)]
    return tuple(sorted(found, key=lambda one: (one.line, one.message)))


def line_of(query: SavedQuery, place: int) -> int:
    """The line in a query's file of a place in its SQL."""
    return query.line + query.sql.count("\n", 0, place)


def _statement_faults(query: SavedQuery, text: TokenText) -> Iterator[Problem]:
    file = shown(query.path)
    if not text.is_read:
        yield Problem(file, query.line, "the SQL cannot be read: a quote or a comment has no end")
    elif text.is_empty:
        yield Problem(file, query.line, "there is no statement", "write a SELECT")
    elif text.question_mark is not None:
        line = line_of(query, text.question_mark)
        yield Problem(file, line, "`?` has no name", "write $name, and declare it in params:")


def _mention_faults(query: SavedQuery, text: TokenText) -> Iterator[Problem]:
    names = [param.name for param in query.params]
    told: set[str] = set()
    for mention in text.mentions:
        if mention.name in names or mention.name in told:
            continue
        told.add(mention.name)
        hint = nearest(mention.name, names) or f"add  {mention.name}:  below  params:"
        line = line_of(query, mention.span.start)
        yield Problem(shown(query.path), line, f"${mention.name} is not declared", hint)


def _declaration_faults(query: SavedQuery, text: TokenText) -> Iterator[Problem]:
    mentioned = {mention.name for mention in text.mentions}
    for param in query.params:
        if param.name not in mentioned:
            message = f"the parameter {param.name} is not in the SQL"
            hint = f"mention it as ${param.name}, or take it away"
            yield Problem(shown(query.path), param.line, message, hint)
        yield from _choices_faults(query, param)
    removable = [one.name for one in query.params if one.is_removable and one.name in mentioned]
    for refusal in remove(query.sql, tuple(removable)).refusals:
        line = line_of(query, refusal.place)
        yield Problem(shown(query.path), line, refusal.message, refusal.hint)


def _choices_faults(query: SavedQuery, param: SavedParam) -> Iterator[Problem]:
    if param.choices is None:
        return
    text = read_text(param.choices)
    message = ""
    if not text.is_read or text.is_empty:
        message = f"the choices of {param.name} are no query"
    elif text.mentions or text.question_mark is not None:
        message = f"the choices of {param.name} have a parameter of their own"
    if message:
        yield Problem(shown(query.path), param.line, message, "write a SELECT of one column")
