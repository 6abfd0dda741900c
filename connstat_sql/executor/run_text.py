"""The user's text with the spans of live tables' names replaced: the text that DuckDB runs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from sqlglot import exp

from connstat_sql.database.source_map import Edit, SourceText
from connstat_sql.definitions.model import quote
from connstat_sql.planner import mention_table
from connstat_sql.sql.binder import BoundQuery, BoundTable

_SOURCES = (
    exp.From, exp.Join, exp.Table, exp.Subquery, exp.Paren, exp.Delete, exp.Merge,
)  # fmt: skip
_ANY_CASE = re.IGNORECASE | re.DOTALL


def run_text(query: BoundQuery) -> SourceText:
    """Everything else of the text stays as it was written."""
    names = [mention_table(place) for place in range(len(query.tables))]
    return SourceText(query.statement.sql).edited(_edits(query, names))


def checked_text(query: BoundQuery, names: Sequence[str]) -> SourceText:
    """The same over other tables, with the first value alone in long lists: it binds alike."""
    written = SourceText(query.statement.sql)
    text = SourceText(query.statement.short or written.sql).edited(_edits(query, names))
    return replace(text, older=written)


def _edits(query: BoundQuery, names: Sequence[str]) -> list[Edit]:
    edits = [*query.edits]
    for table, name in zip(query.tables, names, strict=True):
        edits.append(Edit(table.mention.span, name + _alias(table, query.statement.sql)))
    return edits


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
