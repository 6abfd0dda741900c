"""SQL text → `Statement`: what is in it, and where; the text itself is never rewritten by sqlglot.

DuckDB splits the text and is the authority on syntax. sqlglot's tree only serves to find tables,
columns and predicates, each with its place in the text.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

import sqlglot
from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import SqlglotError
from sqlglot.tokens import Token, TokenType  # type: ignore[attr-defined]

from connstat_sql.database.explain_prefix import read_explain
from connstat_sql.database.in_lists import set_aside, values_of
from connstat_sql.database.source_map import Edit, SourceText
from connstat_sql.errors import ParseError, Span
from connstat_sql.sql.duckdb_only import Syntax, Unread, read_unread
from connstat_sql.sql.excerpts import NotingParser, numbered
from connstat_sql.sql.nodes import find, find_all, span_of
from connstat_sql.sql.recursion import with_room


class _AsWritten(DuckDB):
    """DuckDB's SQL, the number in `a[1]` kept as it stands.

    sqlglot counts from 0 where it does not know what `a` is, and would write another number once
    something that it knows stands in its place.
    """

    INDEX_OFFSET = 0
    Parser = NotingParser


DIALECT: type[DuckDB] = _AsWritten
_DOLLAR_QUOTES = re.compile(r"\$\w*\$")
_WITH = re.compile(r"\bwith\b", re.IGNORECASE)
MAX_LENGTH = 10_000_000
logging.getLogger("sqlglot").setLevel(logging.ERROR)  # its warnings are for those who transpile


class TableUse(str, Enum):
    """What a statement does with a table that it names."""

    READ = "read"
    WRITE = "write"
    DESCRIBE = "describe"
    DEFINE = "define"  # inside CREATE VIEW or CREATE MACRO: read later, not now


@dataclass(frozen=True, slots=True)
class TableMention:
    """One mention of a table by a dotted name.

    `span` is the name's place in the statement; `node` the tree's own node; `has_alias` whether
    the text names the table otherwise right behind it.
    """

    parts: tuple[str, ...]
    span: Span
    node: exp.Table
    use: TableUse
    has_alias: bool

    @property
    def is_unread(self) -> bool:
        """Whether nothing is known of where it stands."""
        above = self.node.parent
        return above is not None and isinstance(above.parent, Unread)


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of the user's text.

    `source` is its own text, EXPLAIN taken off, which may be made of what the user wrote by writing
    out views and macros; `offset` is where the user's begins in the whole text.
    `tree` is `Unread` when only DuckDB can read it, None when its tables are not known either.
    `explain` is None, "plan" or "analyze".
    `short` is as long as the text, with the first value alone in long lists; "" when it has none.
    """

    source: SourceText
    offset: int
    tree: exp.Expr | None
    mentions: tuple[TableMention, ...]
    explain: str | None = None
    short: str = ""

    @property
    def sql(self) -> str:
        """Its own text."""
        return self.source.sql

    @property
    def written(self) -> str:
        """The statement as the user wrote it."""
        return self.source.written


def parse(sql: str, offset: int = 0, syntax_of: Syntax | None = None) -> Statement:
    """Parse one statement. Raises ParseError when it is too long; DuckDB judges the syntax.

    With DuckDB's own reading its tables are found also where sqlglot cannot read it.

    >>> (mention,) = parse("FROM confluent.connect.connectors AS c").mentions
    >>> mention.parts, mention.span
    (('confluent', 'connect', 'connectors'), Span(start=5, end=33))
    """
    if len(sql) > MAX_LENGTH:
        raise ParseError(f"the statement is longer than {MAX_LENGTH:,} characters")
    explain, mode = read_explain(sql), None
    if explain and explain.mode:
        mode = explain.mode
        offset, sql = offset + explain.start, sql[explain.start :]
    short, lists = set_aside(sql)
    tree = _tree(short, sql)
    if lists and not (tree is not None and _put_back(tree, lists)):
        short, tree = sql, _tree(sql, sql)
    if _has_lost_with(sql):
        short, tree = sql, None
    elif tree is None and syntax_of is not None:
        short, tree = sql, read_unread(sql, tokens(sql), lambda text: _tree(text, text), syntax_of)
    mentions = tuple(_mentions(tree)) if tree is not None else ()
    short = short if short != sql else ""
    return Statement(SourceText(sql), offset, tree, mentions, mode, short)


_QUANTIFIED = re.compile(r"\b(?:ALL|SOME)\s*\(", re.IGNORECASE)


class _WithoutDollarQuotes(_AsWritten):
    """The same, `$tag$ … $tag$` aside.

    Looking for such a text behind the `$` of a parameter, sqlglot (30.30) comes back too late by a
    character for each quote that is written twice: `$name AND x = ''` would be another parameter.
    """

    class Tokenizer(DuckDB.Tokenizer):
        """Takes every `$` for a parameter's."""

        HEREDOC_STRINGS = []


def dialect_of(sql: str) -> type[DuckDB]:
    """How sqlglot is to read a text."""
    return DIALECT if _DOLLAR_QUOTES.search(sql) else _WithoutDollarQuotes


def tokens(sql: str) -> list[Token]:
    """The tokens of a text; none when it is no SQL."""
    try:
        return sqlglot.tokenize(sql, read=dialect_of(sql))
    except SqlglotError:
        return []


def _has_lost_with(sql: str) -> bool:
    """Whether a WITH stands in parentheses right behind another one, which takes its place.

    Of `WITH a AS (…) (WITH b AS (…) SELECT …)` DuckDB forgets `b`; sqlglot would add it to `a`.
    """
    if len(_WITH.findall(sql)) < 2:
        return False
    opened, listed = list[int](), tokens(sql)
    kinds = [token.token_type for token in listed]
    for place, kind in enumerate(kinds):
        if kind is TokenType.L_PAREN:
            opened.append(place)
        elif kind is TokenType.R_PAREN and opened:
            is_cte = listed[opened.pop() - 1].text.upper() in ("AS", "MATERIALIZED")
            behind = next(
                (n for n in range(place + 1, len(kinds)) if kinds[n] is not TokenType.L_PAREN),
                place,
            )
            if is_cte and behind > place + 1 and kinds[behind] is TokenType.WITH:
                return True
    return False


def _tree(sql: str, whole: str) -> exp.Expr | None:
    """The tree of a text; `whole` is the same, with its long lists."""
    try:
        dialect = dialect_of(sql)()
        parser = dialect.parser()
        assert isinstance(parser, NotingParser)
        trees = with_room(lambda: parser.parse(dialect.tokenize(sql), sql))
    except (SqlglotError, RecursionError, ValueError):
        return None
    # a comment behind the semicolon is a tree too
    parsed = [tree for tree in trees if tree is not None and not isinstance(tree, exp.Semicolon)]
    if len(parsed) != 1 or isinstance(parsed[0], exp.Command):
        return None
    parser.text.sql = whole
    if _QUANTIFIED.search(sql):
        _quantify(parsed[0])
    return parsed[0]


def _quantify(tree: exp.Expr) -> None:
    """Make comparisons of `= ALL (list)` and `= SOME (list)`, which sqlglot takes for functions."""
    for node in [*find_all(tree, exp.Anonymous)]:
        kind = {"ALL": exp.All, "SOME": exp.Any}.get(str(node.this).upper())
        is_side = isinstance(node.parent, exp.Predicate) and node.arg_key == "expression"
        if kind is not None and is_side and len(node.expressions) == 1:
            compared = kind(this=exp.Paren(this=node.expressions[0]))
            compared.meta.update(node.meta)
            node.replace(compared)


def number_edits(sql: str) -> list[Edit]:
    """What makes `$1`, `$2`, … of each `?` in a text."""
    return numbered(tokens(sql))[1] if "?" in sql else []


# --- long lists ----------------------------------------------------------------------------------


def long_list(node: exp.Expr) -> tuple[bool, list[str]] | None:
    """Of the node that stands for a long list, whether it is of texts, and its values.

    Such a node is written out as the whole list. None for any other node.
    """
    is_number = isinstance(node, exp.Literal) and not node.is_string
    return values_of(node.this) if is_number and "," in node.this else None


def _put_back(tree: exp.Expr, lists: Mapping[int, str]) -> bool:
    """Make of each first value its whole list; False where one is not the list of a column."""
    literals = {
        literal.meta["start"]: literal
        for literal in find_all(tree, exp.Literal)
        if literal.meta.get("start") in lists
    }
    if len(literals) < len(lists) or not all(map(_is_list_of_column, literals.values())):
        return False
    for start, literal in literals.items():
        literal.set("this", lists[start])
        literal.set("is_string", False)
    return True


def _is_list_of_column(literal: exp.Expr) -> bool:
    above = literal.parent
    if not isinstance(above, exp.In) or isinstance(above.parent, exp.Pivot):
        return False
    return len(above.expressions) == 1 and find(above.this, exp.Column) is not None


# --- the tables that a statement names -----------------------------------------------------------

_WRITES = (
    exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Alter, exp.Create, exp.Comment,
)  # fmt: skip


def _mentions(tree: exp.Expr) -> Iterator[TableMention]:
    ctes = {cte.alias.lower() for cte in find_all(tree, exp.CTE)}
    for node in find_all(tree, exp.Table):
        parts = node.parts
        if not all(isinstance(part, exp.Identifier) and "start" in part.meta for part in parts):
            continue
        if len(parts) == 1 and node.name.lower() in ctes and _is_cte(node):
            continue
        names = tuple(part.name for part in parts)
        yield TableMention(
            names, span_of(*parts), node, _use(node, tree), bool(node.args.get("alias"))
        )


def _is_cte(node: exp.Table) -> bool:
    """Whether a name without dots stands for a CTE that is in sight of it."""
    name, above = node.name.lower(), node.parent
    inside: exp.Expr | None = None
    while above is not None:
        if isinstance(above, exp.CTE):
            inside = above
        clause = above.args.get("with_")
        is_recursive = clause is not None and bool(clause.args.get("recursive"))
        for cte in clause.expressions if clause is not None else ():
            if cte is inside and not is_recursive:
                break  # a CTE sees those before it, and itself only WITH RECURSIVE
            if cte.alias.lower() == name:
                return True
            if cte is inside:
                break
        if not isinstance(above, (exp.CTE, exp.With)):
            inside = None
        above = above.parent
    return False


def _use(node: exp.Table, tree: exp.Expr) -> TableUse:
    if isinstance(tree, exp.Describe) and tree.this is node:
        return TableUse.DESCRIBE
    if isinstance(tree, exp.Copy):
        # sqlglot keeps FROM as `kind` true, and TO as false
        return TableUse.WRITE if tree.args.get("kind") else TableUse.READ
    if isinstance(tree, (exp.Drop, exp.TruncateTable)):
        return TableUse.WRITE
    if isinstance(tree, _WRITES) and _is_target(node, tree):
        return TableUse.WRITE
    if isinstance(tree, exp.Create) and str(tree.args.get("kind", "")).upper() != "TABLE":
        return TableUse.DEFINE
    return TableUse.READ


def _is_target(node: exp.Table, tree: exp.Expr) -> bool:
    target = tree.this
    if isinstance(target, exp.Schema):
        target = target.this
    return target is node
