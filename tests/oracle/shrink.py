"""A query that breaks the law, made smaller while it still does."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from tests.oracle.law import Court, Trial, Verdict
from tests.oracle.pieces import Query

_CLAUSES = (
    "where", "having", "qualify", "order", "limit", "offset", "distinct", "group", "with_", "on",
    "using", "sample", "method", "side",
)  # fmt: skip
_MOST = 400
_WARES, _STATES = re.compile(r'\bw"?\."?wares\b', re.I), re.compile(r"\bstate (?:=|IN)")
"""Where a world has wares in several states, queries without one are no fair question."""


def shrunk(court: Court, trial: Trial) -> Trial:
    """The smallest trial found that goes wrong in the same way, over the same world."""
    best = _without_arguments(court, trial)
    tries = 0
    is_smaller = True
    while is_smaller and tries < _MOST:
        is_smaller = False
        for sql in _smaller(best.query.sql):
            tries += 1
            found = _tried(court, best, sql)
            if found is not None:
                best, is_smaller = found, True
                break
            if tries >= _MOST:
                break
    return best


def _tried(court: Court, best: Trial, sql: str) -> Trial | None:
    """The trial of a smaller text when it goes wrong in the same way."""
    if court.world.says_state and len(_WARES.findall(sql)) > len(_STATES.findall(sql)):
        return None
    query = replace(best.query, sql=sql)
    if query.loose is not None:
        body = sql.rpartition(" LIMIT ")[0]
        query = replace(query, loose=replace(query.loose, sql=body, arguments=None))
    try:
        found = court.try_query(query)
    except Exception:  # what crashes is another fault than the one looked at
        return None
    is_same = found.why.partition(":")[0] == best.why.partition(":")[0]
    return found if found.verdict is Verdict.WRONG and is_same else None


def _without_arguments(court: Court, trial: Trial) -> Trial:
    """The same with literals in place of its arguments, when it then still goes wrong."""
    given = trial.query.arguments
    if not given:
        return trial
    query = replace(trial.query, arguments=None, sql=_inlined(trial.query, given))
    found = court.try_query(query) if query.loose is None else trial
    return found if found.verdict is Verdict.WRONG else trial


def _inlined(query: Query, given: dict[str, str] | list[str]) -> str:
    texts = given.values() if isinstance(given, dict) else given
    quoted = ["'" + text.replace("'", "''") + "'" for text in texts]
    sql = query.sql
    if isinstance(given, dict):
        for name, text in sorted(zip(given, quoted, strict=True), key=lambda one: -len(one[0])):
            sql = sql.replace(f"${name}", text)
        return sql
    pieces = sql.split("?")
    # the made-up texts hold one `?` themselves, always in `y?`
    for text in quoted:
        place = next(i for i, one in enumerate(pieces[:-1]) if not one.endswith("x/y"))
        pieces[place : place + 2] = [pieces[place] + text + pieces[place + 1]]
    return "?".join(pieces)


def _smaller(sql: str) -> Iterator[str]:
    """Texts with one part less, the larger parts first."""
    try:
        tree = sqlglot.parse_one(sql, dialect="duckdb")
    except SqlglotError:
        return
    for index, node in enumerate(tree.walk()):
        for edit in _edits(node):
            copy = tree.copy()
            again = next(one for i, one in enumerate(copy.walk()) if i == index)
            result = edit(again)
            text = (result if again is copy and result is not None else copy).sql(dialect="duckdb")
            if len(text) < len(sql):
                yield text


Edit = Callable[[exp.Expr], "exp.Expr | None"]


def _edits(node: exp.Expr) -> Iterator[Edit]:
    """Ways of making a node smaller; each answers what stands in place of a root."""
    if isinstance(node, (exp.And, exp.Or, exp.SetOperation)):
        yield lambda one: _put(one, one.args["this"])
        yield lambda one: _put(one, one.args["expression"])
    if isinstance(node, (exp.Not, exp.Paren)):
        yield lambda one: _put(one, one.args["this"])
    for name in _CLAUSES:
        if node.args.get(name):
            yield lambda one, name=name: one.set(name, None)  # type: ignore[misc]
    for name in ("joins", "expressions"):
        listed = node.args.get(name) or []
        if len(listed) > (0 if name == "joins" else 1):
            for place in range(len(listed)):
                yield lambda one, name=name, place=place: one.args[name].pop(place) and None  # type: ignore[misc]


def _put(old: exp.Expr, new: exp.Expr) -> exp.Expr:
    return old.replace(new)
