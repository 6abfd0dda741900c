"""The user's text with the spans of live tables' names replaced: the text that DuckDB runs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from sqlglot import exp

from connstat_sql.database.errors import RunText
from connstat_sql.definitions.model import quote
from connstat_sql.planner import mention_table
from connstat_sql.sql.binder import BoundQuery, BoundTable, Edit

_SOURCES = (
    exp.From, exp.Join, exp.Table, exp.Subquery, exp.Paren, exp.Delete, exp.Merge,
)  # fmt: skip
_ANY_CASE = re.IGNORECASE | re.DOTALL


def run_text(query: BoundQuery) -> RunText:
    """Everything else of the text stays as it was written."""
    names = [mention_table(place) for place in range(len(query.tables))]
    return apply_edits(query.statement.sql, _edits(query, names))


def checked_text(query: BoundQuery, names: Sequence[str]) -> RunText:
    """The same over other tables, with the first value alone in long lists: it binds alike."""
    sql = query.statement.sql
    return replace(apply_edits(query.statement.short or sql, _edits(query, names)), original=sql)


def _edits(query: BoundQuery, names: Sequence[str]) -> list[Edit]:
    edits = [*query.edits]
    for table, name in zip(query.tables, names, strict=True):
        edits.append(Edit(table.mention.span, name + _alias(table, query.statement.sql)))
    return edits


def apply_edits(sql: str, edits: Iterable[Edit]) -> RunText:
    """Apply edits that do not overlap; places in the result lead back to the original.

    >>> from connstat_sql.errors import Span
    >>> apply_edits("FROM a.b.c", [Edit(Span(5, 10), "temp.t")]).sql
    'FROM temp.t'
    """
    parts, shifts, length, position = [], [(0, 0)], 0, 0
    for edit in sorted(edits, key=lambda edit: (edit.span.start, edit.span.end)):
        kept = sql[position : edit.span.start]
        parts += [kept, edit.text]
        shifts.append((length + len(kept), edit.span.start))
        length += len(kept) + len(edit.text)
        position = edit.span.end
        shifts.append((length, position))
    parts.append(sql[position:])
    return RunText("".join(parts), sql, tuple(shifts))


def _alias(table: BoundTable, sql: str) -> str:
    """The table's own name as its alias, where the text gives none and a column may use it."""
    node = table.mention.node
    is_in_from = isinstance(node.parent, _SOURCES)
    if table.mention.has_alias or not is_in_from or _is_whole(table, sql):
        return ""
    return f" AS {quote(table.mention.parts[-1])}"


def _is_whole(table: BoundTable, sql: str) -> bool:
    """Whether a mention is `TABLE name`, which takes no alias."""
    end = start = table.mention.span.start
    while start and sql[start - 1].isspace():
        start -= 1
    return (
        start < end
        and re.fullmatch(r"(.*\W)?table", sql[max(start - 6, 0) : start], _ANY_CASE) is not None
    )
