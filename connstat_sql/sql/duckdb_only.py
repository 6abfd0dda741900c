"""Statements that only DuckDB can read: the tables in them, and those parts that can be read alone.

A table that stands in no such part is one of which every row may matter. DuckDB's own reading says
where the tables are; where it has none to show, a name of three parts is a table.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sqlglot import exp
from sqlglot.tokens import Token, TokenType  # type: ignore[attr-defined]

from connstat_sql.database.source_map import Edit, excerpt
from connstat_sql.database.syntax_tree import nodes_of
from connstat_sql.definitions.lexer import names
from connstat_sql.errors import Span
from connstat_sql.sql.nodes import find, find_all, named_children, span_of

Read = Callable[[str], "exp.Expr | None"]
"""Reads a text; None when it cannot be read."""

Syntax = Callable[[str], Any]
"""DuckDB's syntax tree of a SELECT, as lists and mappings; () of other SQL, None of no SQL."""

_QUERIES = frozenset({"SELECT", "WITH", "FROM", "PIVOT", "UNPIVOT", "VALUES", "("})
_WRITING = frozenset({"INTO", "UPDATE", "TRUNCATE", "COPY", "TABLE"})
_NAMING = (TokenType.ALIAS, TokenType.IDENTIFIER, TokenType.VAR)
_NOWHERE = 1 << 63


class Unread(exp.Expression):
    """A statement that only DuckDB can read: parts that can be read, tables, and names beside."""

    arg_types = {"expressions": True}


@dataclass(frozen=True, slots=True)
class Named:
    """A table where it is named: `alias` is "" when it has no other name there."""

    parts: tuple[str, ...]
    span: Span
    alias: str


def read_unread(sql: str, tokens: Sequence[Token], read: Read, syntax_of: Syntax) -> Unread | None:
    """What is known of a statement; None where it may write to what it names, or be no query."""
    first = tokens[0].text.upper() if tokens else ""
    text = _Text(sql, tokens, read)
    if first not in _QUERIES and not text.keeps_rows(first):
        return None
    syntax = syntax_of(sql)
    if syntax is None:
        return None
    tables = text.located(_tables(syntax, sql)) if syntax else [*text.dotted_tables()]
    if tables is None or any(
        text.is_written_to(table.span, is_told=bool(syntax)) for table in tables
    ):
        return None
    text.tables, text.ctes = tables, {*_ctes(syntax)} if syntax else None
    text.visit(0, len(tokens))
    return Unread(expressions=[*text.parts, *text.loose()])


# --- DuckDB's reading ----------------------------------------------------------------------------


def _tables(syntax: Any, sql: str) -> Iterator[tuple[tuple[str, ...], int, str]]:
    """The tables that DuckDB reads: their names, where each begins (-1: not said), their aliases.

    Those that it has made two of come twice.
    """
    whole = sql.encode()
    for node in nodes_of(syntax):
        if node.get("type") == "BASE_TABLE":
            keys = ("catalog_name", "schema_name", "table_name")
            parts = tuple(str(node[key]) for key in keys if node.get(key))
            start = int(node["query_location"])
            place = len(whole[:start].decode()) if start < _NOWHERE else -1
            yield parts, place, str(node.get("alias") or "")


def _ctes(syntax: Any) -> Iterator[str]:
    for node in nodes_of(syntax):
        listed = (node.get("cte_map") or {}).get("map") or []
        yield from (str(entry["key"]).lower() for entry in listed)


# --- the text ------------------------------------------------------------------------------------


@dataclass
class _Text:
    """The text by its tokens. `ctes` are all names that WITH makes (None: nobody knows)."""

    sql: str
    tokens: Sequence[Token]
    read: Read
    tables: Sequence[Named] = ()
    ctes: set[str] | None = None
    parts: list[exp.Expr] = field(default_factory=list)
    seen: list[bool] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.seen = [False] * len(self.tokens)

    @cached_property
    def starts(self) -> list[int]:
        """Where the tokens begin."""
        return [token.start for token in self.tokens]

    @cached_property
    def closing(self) -> dict[int, int]:
        """The token that ends what another begins, by their places."""
        closing, opened = dict[int, int](), list[int]()
        for place, token in enumerate(self.tokens):
            if token.token_type is TokenType.L_PAREN:
                opened.append(place)
            elif token.token_type is TokenType.R_PAREN and opened:
                closing[opened.pop()] = place
        return closing

    def keeps_rows(self, first: str) -> bool:
        """Whether a statement keeps the rows of a query: CREATE TABLE … AS, INSERT, COPY … TO."""
        words = [token.text.upper() for token in self.tokens[1:5]]
        wanted = {"CREATE": "TABLE", "INSERT": "INTO", "COPY": "("}.get(first)
        return wanted in words and (first != "COPY" or words[0] == wanted)

    # --- names -------------------------------------------------------------------------------

    @cached_property
    def dotted(self) -> list[tuple[tuple[str, ...], Span]]:
        """Names with dots."""
        dotted = (name for name in names(self.sql) if len(name.parts) > 1)
        return [(name.parts, Span(name.start, name.end)) for name in dotted]

    def _is_name(self, place: int) -> bool:
        token = self.tokens[place]
        if token.token_type is TokenType.IDENTIFIER:
            return True
        is_bare = self.sql[token.start : token.end + 1] == token.text
        return is_bare and token.text.isidentifier()

    def dotted_tables(self) -> Iterator[Named]:
        """Names of three parts; those of more are columns."""
        for parts, span in self.dotted:
            if len(parts) == 3:
                then = bisect_left(self.starts, span.end)
                has_alias = then < len(self.tokens) and self.tokens[then].token_type in _NAMING
                yield Named(parts, span, "alias" if has_alias else "")

    def located(self, references: Iterable[tuple[tuple[str, ...], int, str]]) -> list[Named] | None:
        """The tables that DuckDB has told of, where their names stand; None where one is lost."""
        named, lost = dict[Span, Named](), set[tuple[str, ...]]()
        for parts, start, alias in references:
            place = bisect_left(self.starts, start)
            names = self.tokens[place : place + 2 * len(parts) - 1 : 2]
            if start >= 0 and [name.text for name in names] == [*parts]:
                span = Span(start, names[-1].end + 1)
                named[span] = Named(parts, span, alias)
            else:
                lost.add(parts)
        for table in self.dotted_tables() if lost else ():
            if table.parts in lost and table.span not in named:
                named[table.span] = table
        is_whole = lost <= {table.parts for table in named.values()}
        return [*named.values()] if is_whole else None

    def is_written_to(self, span: Span, *, is_told: bool) -> bool:
        """Whether the words in front of a name say that rows are put there or taken away."""
        place = bisect_left(self.starts, span.start)
        before = [token.text.upper() for token in self.tokens[max(place - 2, 0) : place]]
        word = before[-1] if before else ""
        if word == "TABLE" and is_told:
            return False
        return word in _WRITING or before == ["DELETE", "FROM"]

    # --- parts -------------------------------------------------------------------------------

    def visit(self, start: int, end: int) -> None:
        """Read what stands between two tokens, or else what stands in parentheses there."""
        if start >= end or not any(self._holds(start, end, table.span) for table in self.tables):
            return
        if self.tokens[start].text.upper() in _QUERIES and self._is_read(start, end):
            return
        place = start
        while place < end:
            close = self.closing.get(place)
            if close is not None:
                self.visit(place + 1, close)
                place = close
            place += 1

    def _is_read(self, start: int, end: int) -> bool:
        if any(token.token_type is TokenType.PLACEHOLDER for token in self.tokens):
            return False  # nobody could say which of them it is
        for masks in ([], [*self._lists(start, end)]):
            tree = self.read(self._alone(start, end, masks))
            if not isinstance(tree, exp.Query) or not self._is_sound(tree, start, end, masks):
                continue
            self.parts.append(tree)
            self.seen[start:end] = [True] * (end - start)
            for mask in masks:
                self.seen[slice(*mask)] = [False] * (mask[1] - mask[0])
                self.visit(*mask)
            return True
        return False

    def _lists(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """The select lists at the level of a query, from behind SELECT to FROM."""
        begun, place = -1, start
        while place < end:
            kind = self.tokens[place].token_type
            if kind is TokenType.SELECT:
                begun = place + 1
            elif kind is TokenType.FROM and 0 <= begun < place:
                words = [token.text.upper() for token in self.tokens[max(place - 3, 0) : place]]
                if words[-2:] != ["IS", "DISTINCT"] and words != ["IS", "NOT", "DISTINCT"]:
                    yield begun, place
                    begun = -1
            place = self.closing.get(place, place) + 1

    def _alone(self, start: int, end: int, masks: Sequence[tuple[int, int]]) -> str:
        """The text with blanks for all the rest, and a star in place of what is masked."""
        span = self._span(start, end)
        hidden = [self._span(*mask) for mask in masks]
        stars = [Edit(mask, "*".ljust(mask.end - mask.start)) for mask in hidden]
        return " " * span.start + excerpt(self.sql, span, stars)

    def _is_sound(
        self, tree: exp.Expr, start: int, end: int, masks: Sequence[tuple[int, int]]
    ) -> bool:
        """Whether it names the very tables that DuckDB reads there, and no CTE from elsewhere."""
        masked = [self._span(*mask) for mask in masks]
        wanted = {
            table.span
            for table in self.tables
            if self._holds(start, end, table.span)
            and not any(m.start <= table.span.start < m.end for m in masked)
        }
        named = {
            span_of(*table.parts)
            for table in _named(tree)
            if len(table.parts) > 1 or self.ctes is None
        }
        if wanted - {span_of(*table.parts) for table in _named(tree)}:
            return False
        if self.ctes is not None and named - {table.span for table in self.tables}:
            return False
        if {*free_names(tree)} & self._names_outside(start, end):
            return False
        return not masks or self._is_masked(tree, masks)

    def _is_masked(self, tree: exp.Expr, masks: Sequence[tuple[int, int]]) -> bool:
        """Whether all that was masked is one star; nothing is known of its columns then.

        An alias of the select list may be meant in HAVING, and a CTE be read there alone.
        """
        words = {token.text.lower() for mask in masks for token in self.tokens[slice(*mask)]}
        if find(tree, exp.Having) or any(o.alias.lower() in words for o in find_all(tree, exp.CTE)):
            return False
        starts = {self.tokens[mask[0]].start for mask in masks}
        selects = [select for select in find_all(tree, exp.Select) if _star_place(select) in starts]
        for select in selects:
            select.set("expressions", [exp.Columns(this=exp.Star())])
            select.set("distinct", exp.Distinct())  # not even how many rows they leave
        return len(selects) == len(masks)

    def _names_outside(self, start: int, end: int) -> set[str]:
        if self.ctes is not None:
            return self.ctes
        outside = (*self.tokens[:start], *self.tokens[end:])
        return {token.text.lower() for token in outside}

    def _span(self, start: int, end: int) -> Span:
        return Span(self.tokens[start].start, self.tokens[end - 1].end + 1)

    def _holds(self, start: int, end: int, span: Span) -> bool:
        return self._span(start, end).holds(span)

    # --- what no part has --------------------------------------------------------------------

    def loose(self) -> Iterator[exp.Expr]:
        """The tables, columns and parameters that stand in no part."""
        inside = {span_of(*table.parts) for part in self.parts for table in _named(part)}
        spans = {table.span for table in self.tables}
        for table in self.tables:
            is_cte = len(table.parts) == 1 and table.parts[0].lower() in (self.ctes or ())
            if table.span not in inside and not is_cte:
                yield self._table(table)
        for parts, span in self.dotted:
            if len(parts) == 4 and span not in spans:
                yield self._column(parts, span)
        for place, token in enumerate(self.tokens):
            if self.seen[place]:
                continue
            if token.token_type is TokenType.PARAMETER and place + 1 < len(self.tokens):
                yield exp.Placeholder(this=self.tokens[place + 1].text)
            elif self._is_name(place):
                yield exp.Column(this=exp.to_identifier(token.text))

    def _table(self, named: Named) -> exp.Expr:
        names = [exp.Identifier(this=part, quoted=True) for part in named.parts]
        names[0].meta["start"], names[-1].meta["end"] = named.span.start, named.span.end - 1
        for name in names:
            name.meta.setdefault("start", named.span.start)
        keys = ("this", "db", "catalog")
        table = exp.Table(**dict(zip(keys, reversed(names), strict=False)))
        if named.alias:
            table.set("alias", exp.TableAlias(this=exp.to_identifier(named.alias)))
        return exp.From(this=table)

    def _column(self, parts: Sequence[str], span: Span) -> exp.Expr:
        names = [exp.Identifier(this=part, quoted=True) for part in parts]
        place = bisect_left(self.starts, span.start)
        for number, name in enumerate(names):
            token = self.tokens[place + 2 * number]
            name.meta["start"], name.meta["end"] = token.start, token.end
        catalog, schema, table, column = names
        return exp.Column(this=column, table=table, db=schema, catalog=catalog)


def free_names(node: exp.Expr, without: str = "") -> Iterator[str]:
    """Names without dots that stand for tables, those aside that a WITH around them makes.

    `without` is a part of the node itself that does not count.
    """
    pending: list[tuple[exp.Expr, frozenset[str]]] = [(node, frozenset())]
    while pending:
        inner, bound = pending.pop()
        if isinstance(inner, exp.Table) and len(inner.parts) == 1:
            name = inner.name.lower()
            if name not in bound:
                yield name
        clause = inner.args.get("with_")
        is_recursive = clause is not None and clause.args.get("recursive")
        for cte in clause.expressions if clause is not None else ():
            inside = bound | {cte.alias.lower()}
            pending.append((cte.this, inside if is_recursive else bound))
            bound = inside
        aside = ("with_", without) if inner is node else ("with_",)
        pending += [(other, bound) for key, other in named_children(inner) if key not in aside]


def _named(tree: exp.Expr) -> Iterator[exp.Table]:
    """The tables that are names, no functions."""
    for table in find_all(tree, exp.Table):
        if all(isinstance(part, exp.Identifier) and "start" in part.meta for part in table.parts):
            yield table


def _star_place(select: exp.Select) -> int:
    """Where the star stands that is all of a select list; before the text where there is none."""
    listed = select.expressions
    is_star = len(listed) == 1 and isinstance(listed[0], exp.Star)
    return int(listed[0].meta.get("start", -1)) if is_star else -1
