"""Whether a saved query's SQL and its front matter fit together; nothing is asked of DuckDB."""

from __future__ import annotations

from collections.abc import Iterator

from connstat_sql.definitions.loader.checks import nearest
from connstat_sql.errors import Problem
from connstat_sql.files import shown
from connstat_sql.saved.mentions import Mentions, mentions_in
from connstat_sql.saved.model import SavedParam, SavedQuery
from connstat_sql.saved.optional_params import bare_params


def inspect(query: SavedQuery) -> tuple[Problem, ...]:
    """Every way in which SQL and declarations do not fit, by line."""
    mentions = mentions_in(query.sql)
    problems = [*_statement_faults(query, mentions)]
    if not problems:
        problems = [*_mention_faults(query, mentions), *_declaration_faults(query, mentions)]
    return tuple(sorted(problems, key=lambda problem: (problem.line, problem.message)))


def line_of(query: SavedQuery, place: int) -> int:
    """The line in a query's file of a place in its SQL."""
    return query.line + query.sql.count("\n", 0, place)


def _statement_faults(query: SavedQuery, mentions: Mentions) -> Iterator[Problem]:
    file = shown(query.path)
    if not mentions.is_read:
        yield Problem(file, query.line, "the SQL cannot be read: a quote or a comment has no end")
    elif mentions.is_empty:
        yield Problem(file, query.line, "there is no statement", "write a SELECT")
    elif mentions.question_mark is not None:
        line = line_of(query, mentions.question_mark)
        yield Problem(file, line, "`?` has no name", "write $name, and declare it in params:")


def _mention_faults(query: SavedQuery, mentions: Mentions) -> Iterator[Problem]:
    declared = [param.name for param in query.params]
    unknown: set[str] = set()
    for mention in mentions.named:
        if mention.name in declared or mention.name in unknown:
            continue
        unknown.add(mention.name)
        hint = nearest(mention.name, declared) or f"add  {mention.name}:  below  params:"
        line = line_of(query, mention.span.start)
        yield Problem(shown(query.path), line, f"${mention.name} is not declared", hint)


def _declaration_faults(query: SavedQuery, mentions: Mentions) -> Iterator[Problem]:
    for param in query.params:
        if param.name not in mentions.names:
            message = f"the parameter {param.name} is not in the SQL"
            hint = f"mention it as ${param.name}, or take it away"
            yield Problem(shown(query.path), param.line, message, hint)
        yield from _choices_faults(query, param)
    optional = {param.name for param in query.params if param.is_optional}
    for bare in bare_params(query.sql, optional):
        yield Problem(shown(query.path), line_of(query, bare.place), bare.message, bare.hint)


def _choices_faults(query: SavedQuery, param: SavedParam) -> Iterator[Problem]:
    if param.choices is None:
        return
    mentions = mentions_in(param.choices)
    message = ""
    if not mentions.is_read or mentions.is_empty:
        message = f"the choices of {param.name} are no query"
    elif mentions.named or mentions.question_mark is not None:
        message = f"the choices of {param.name} have a parameter of their own"
    if message:
        yield Problem(shown(query.path), param.line, message, "write a SELECT of one column")
