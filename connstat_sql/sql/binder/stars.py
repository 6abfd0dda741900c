"""How the hidden columns of live tables stay out of `*`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from sqlglot import exp
from sqlglot.tokens import Token, TokenType  # type: ignore[attr-defined]

from connstat_sql.database.source_map import Edit
from connstat_sql.definitions.quoting import quote
from connstat_sql.errors import BindError, Span
from connstat_sql.sql.binder.columns import MentionedNames, joins_naturally, sources_of
from connstat_sql.sql.duckdb_only import Unread
from connstat_sql.sql.excerpts import excerpt_of
from connstat_sql.sql.nodes import find_all
from connstat_sql.sql.statement import tokens

Hidden = Mapping[int, Sequence[str]]
"""The hidden columns that are named, by the id of their table's node."""


def star_edits(names: MentionedNames, hidden: Hidden, sql: str) -> Iterator[Edit]:
    """Edits that keep named hidden columns out of each `*`, also of one that nobody wrote.

    Raises BindError in a NATURAL JOIN, where a hidden column would join.
    """
    words: list[Token] = []
    for block in names.selects if hidden else ():
        sources = [(source, name) for _, source, name in sources_of(block)]
        named = [(of, name) for source, of in sources for name in hidden.get(id(source), ())]
        if not named:
            continue
        _refuse_unclear(block, named, sql)
        _refuse_patterns(names, block, named, sql)
        for star in names.stars.get(id(block), ()):
            own = _excluded(names, star, named, len(sources))
            words = words or tokens(sql)
            yield from _excluding(star, block, own, sql, words) if own else ()


def _refuse_unclear(block: exp.Select, named: Sequence[tuple[str, str]], sql: str) -> None:
    _, name = named[0]
    if joins_naturally(block):
        raise BindError(
            f"{name} cannot be used beside NATURAL JOIN, which would join by it",
            sql=sql,
            hint="write JOIN … USING (columns)",
        )
    if len({*named}) < len(named):
        raise BindError(
            f"{name} cannot be used in a join that has one name for both its sides",
            sql=sql,
            hint="name the tables",
        )


def _refuse_patterns(
    names: MentionedNames, block: exp.Select, named: Sequence[tuple[str, str]], sql: str
) -> None:
    """`COLUMNS('…')` takes what its pattern finds in a name, and there is no EXCLUDE beside it."""
    for node in names.untold:
        is_pattern = isinstance(node, exp.Columns) and not isinstance(node.this, exp.Star)
        if not is_pattern or node.find_ancestor(exp.Select) is not block:
            continue
        for _, name in named:
            if _may_find(node.this, name):
                raise BindError(
                    f"{name} cannot be named beside COLUMNS, which would show it",
                    sql=sql,
                    hint="take the rows first:  FROM (SELECT * FROM …)",
                )


def _may_find(pattern: exp.Expr, name: str) -> bool:
    if not isinstance(pattern, exp.Literal) or not pattern.is_string:
        return True
    try:
        return re.search(pattern.name, name, re.IGNORECASE) is not None
    except re.error:
        return True


def _excluded(
    names: MentionedNames, star: exp.Star, named: Sequence[tuple[str, str]], sources: int
) -> list[str]:
    """What a star must leave out, as SQL: of one among several sources by that source's name.

    Another may have a column of the name for everybody.
    """
    owner = star.parent
    of = owner.args.get("table") if isinstance(owner, exp.Column) else None
    taken = {_written(column) for column in star.args.get("except_") or ()}
    wanted: dict[str, None] = {}
    for source, name in named:
        if of is not None and source.lower() != of.name.lower():
            continue
        if not taken & {name, f"{source.lower()}.{name}"}:
            is_plain = of is not None or sources == 1 or name in names.using
            wanted[name if is_plain else f"{quote(source)}.{name}"] = None
    return sorted(wanted)


def _written(excluded: exp.Expr) -> str:
    """What EXCLUDE names, with its table where that is said."""
    parts = excluded.parts if isinstance(excluded, exp.Column) else (excluded,)
    return ".".join(part.name.lower() for part in parts)


def _excluding(
    star: exp.Star, block: exp.Select, names: Sequence[str], sql: str, words: Sequence[Token]
) -> Iterator[Edit]:
    listed = ", ".join(names)
    place = star.meta.get("start", -1)
    if place < 0 or sql[place] != "*":
        start = _from(block, words)
        if start is None:
            raise BindError(
                f"{names[0]} needs a select list here", sql=sql, hint="write  SELECT … FROM …"
            )
        yield Edit(Span(start, start), f"SELECT * EXCLUDE ({listed}) ")
        return
    after = [word for word in words if word.start > place]
    if not star.args.get("except_"):
        yield Edit(Span(place + 1, place + 1), f" EXCLUDE ({listed})")
    elif after[1].token_type is TokenType.L_PAREN:
        yield Edit(Span(after[1].end + 1, after[1].end + 1), f"{listed}, ")
    else:
        last = [part.meta["end"] for part in find_all(star.args["except_"][0], exp.Identifier)]
        yield Edit(Span(after[1].start, after[1].start), f"({listed}, ")
        yield Edit(Span(max(last) + 1, max(last) + 1), ")")


def _from(block: exp.Select, words: Sequence[Token]) -> int | None:
    """Where FROM stands in a block that has no select list."""
    clause = block.args.get("from_")
    source = excerpt_of(clause.this) if clause is not None else None
    if source is None or block.find_ancestor(Unread) is not None:
        return None  # of what only DuckDB can read, the select list may stand before this part
    before = [
        word.start
        for word in words
        if word.token_type is TokenType.FROM and word.start < source.span.start
    ]
    return before[-1] if before else None
